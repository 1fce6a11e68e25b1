"""Where briefs go: standard output, one file, or a folder with a file for each document and an index.

Each takes a brief the moment it is done. Knows files and the forms of briefs, not where briefs come from.
"""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from localsum.brief import Brief
from localsum.document import Document
from localsum.errors import LocalsumError
from localsum.files import check_writable, make_folder, write_atomically
from localsum.render import Format, render

INDEX = "index.md"
_SUFFIX: dict[Format, str] = {"md": ".md", "json": ".json", "jsonl": ".jsonl", "terminal": ".txt"}
_BETWEEN: dict[Format, str] = {"md": "\n---\n\n", "terminal": "\n", "json": "", "jsonl": ""}  # two briefs of a stream
_LINK = re.compile(r"- \[[^\[\]\n]{0,1000}\]\(([a-z0-9-]{1,120}\.[a-z]{2,5})\): ")  # as `_index_line` makes it


class Output(Protocol):
    def expect(self, document: Document) -> None:
        """A document was read, its brief may come. Called in the order of the inputs."""

    def put(self, brief: Brief) -> None:
        """A brief is done."""

    def close(self, failed: Sequence[LocalsumError]) -> None:
        """No more will come: what is left to write is written."""


def is_folder(output: str, paths: list[str]) -> bool:
    """Whether `--output` names a folder: it is one, ends with a slash, or is new, has no suffix and many go in."""
    if os.path.isdir(output) or output.endswith(("/", os.sep)):
        return True
    are_many = len(paths) > 1 or os.path.isdir(paths[0])
    return are_many and not os.path.exists(output) and not Path(output).suffix


@dataclass
class Stream:
    """Each brief is shown by `show` at once; `write` takes text."""

    form: Format
    show: Callable[[Brief], str]
    write: Callable[[str], object]
    is_first: bool = True

    def expect(self, document: Document) -> None: ...

    def put(self, brief: Brief) -> None:
        self.write(_BETWEEN[self.form] * (not self.is_first) + self.show(brief))
        self.is_first = False

    def close(self, failed: Sequence[LocalsumError]) -> None: ...


@dataclass
class OneFile:
    """All briefs in one file, which is replaced at the end; not at all where there is no brief."""

    path: Path
    form: Format
    texts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        check_writable(self.path)

    def expect(self, document: Document) -> None: ...

    def put(self, brief: Brief) -> None:
        self.texts.append(render(brief, self.form))

    def close(self, failed: Sequence[LocalsumError]) -> None:
        if self.texts:
            write_atomically(self.path, _BETWEEN[self.form].join(self.texts))


@dataclass
class Folder:
    """A file for each document, under a name that depends on nothing but the document's, and an index of them.

    With `goes_on` the index keeps the briefs that it lists already, in their order, as long as their files are there.
    """

    path: Path
    form: Format
    goes_on: bool = False
    _first: dict[str, str] = field(default_factory=dict)  # name to the text's digest, in the order of the inputs
    _lines: dict[str, str] = field(init=False)  # name to its line of the index
    _earlier: list[str] = field(init=False)  # names that were listed before

    def __post_init__(self) -> None:
        make_folder(self.path)
        self._lines = dict(_listed(self.path)) if self.goes_on else {}
        self._earlier = list(self._lines)

    def expect(self, document: Document) -> None:
        name = file_name(document)
        if self._first.setdefault(name, document.sha256) != document.sha256:
            self._first.setdefault(file_name(document, document.sha256), document.sha256)

    def put(self, brief: Brief) -> None:
        name = file_name(brief.document)
        if self._first.get(name, brief.document.sha256) != brief.document.sha256:  # two of one file with one id
            name = file_name(brief.document, brief.document.sha256)
        target = name + _SUFFIX[self.form]
        write_atomically(self.path / target, render(brief, self.form))
        self._lines[name] = _index_line(target, brief)

    def close(self, failed: Sequence[LocalsumError]) -> None:
        from localsum.render.clean import one_line
        from localsum.render.markdown import escape

        order = dict.fromkeys([*self._earlier, *self._first])
        briefs = [self._lines[name] for name in order if name in self._lines]
        parts = ["# Briefs\n", "".join(briefs) or "None.\n"]
        if failed:
            parts += ["## Failed\n", "".join(f"- {escape(one_line(error.message))}\n" for error in failed)]
        write_atomically(self.path / INDEX, "\n".join(parts))


def file_name(document: Document, more: str = "") -> str:
    """A safe name without suffix: words of the document's own name, and a digest that tells it from all others.

    Of documents of standard input the digest is of the text. ASCII, lower case, at most 75 characters.
    """
    label = document.path
    if label is None:
        known, more = document.title or "standard input", document.sha256 + more
    else:
        file, mark, one = label.partition("#")
        known = Path(file.removesuffix(".gz")).stem + (f"-{one}" if mark else "")
        more = os.path.abspath(file) + mark + one + more
    plain = unicodedata.normalize("NFKD", known).encode("ascii", "ignore").decode("ascii").lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain[:500]).strip("-")[:60].rstrip("-")
    digest = hashlib.sha256(more.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{words or 'document'}-{digest}"


def _listed(folder: Path) -> Iterator[tuple[str, str]]:
    """Names and lines of the briefs that the index of a folder lists."""
    try:
        index = (folder / INDEX).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for line in index.split("\n"):
        if (link := _LINK.match(line)) and (folder / link[1]).is_file():
            yield link[1].rpartition(".")[0], f"{line}\n"


def _index_line(target: str, brief: Brief) -> str:
    from localsum.render.clean import one_line
    from localsum.render.markdown import escape

    named = next((result.value for result in brief.fields.values() if isinstance(result.value, str)), "")
    title = one_line(str(brief.fields["title"].value if "title" in brief.fields else named))[:200]
    source = one_line(brief.document.path or "standard input")[:300]
    text = (title or source).replace("[", "(").replace("]", ")")  # no bracket can end the link
    return f"- [{escape(text)}]({target}): {escape(source)}\n"
