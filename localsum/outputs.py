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
from localsum.errors import LocalsumError, UsageError
from localsum.files import check_writable, make_folder, write_atomically
from localsum.render import Format
from localsum.render.clean import one_line
from localsum.render.index import Row, read_markdown_index, row, to_markdown_index

_SUFFIX: dict[Format, str] = {"md": ".md", "html": ".html", "json": ".json", "jsonl": ".jsonl", "terminal": ".txt"}
# Between two briefs of a stream; a page of HTML has no second one.
_BETWEEN: dict[Format, str] = {"md": "\n---\n\n", "terminal": "\n", "json": "", "jsonl": "", "html": ""}
_TARGET = re.compile(r"[a-z0-9-]{1,120}\.[a-z]{2,5}")  # as `file_name` and _SUFFIX make it


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
    is_whole: bool = False  # a brief is a file of its own: there may be one only
    is_first: bool = True
    expected: int = 0

    def expect(self, document: Document) -> None:
        self.expected += 1
        _check_place(self.expected, is_whole=self.is_whole)

    def put(self, brief: Brief) -> None:
        self.write(_BETWEEN[self.form] * (not self.is_first) + self.show(brief))
        self.is_first = False

    def close(self, failed: Sequence[LocalsumError]) -> None: ...


@dataclass
class OneFile:
    """All briefs in one file, which is replaced at the end; not at all where there is no brief."""

    path: Path
    form: Format
    show: Callable[[Brief], str]
    is_whole: bool = False
    texts: list[str] = field(default_factory=list)
    expected: int = 0

    def __post_init__(self) -> None:
        check_writable(self.path)

    def expect(self, document: Document) -> None:
        self.expected += 1
        _check_place(self.expected, is_whole=self.is_whole)

    def put(self, brief: Brief) -> None:
        self.texts.append(self.show(brief))

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
    show: Callable[[Brief], str]
    goes_on: bool = False
    _first: dict[str, str] = field(default_factory=dict)  # name to the text's digest, in the order of the inputs
    _rows: dict[str, Row] = field(init=False)  # name to its row of the index
    _earlier: list[str] = field(init=False)  # names that were listed before

    def __post_init__(self) -> None:
        make_folder(self.path)
        self._rows = dict(self._listed()) if self.goes_on else {}
        self._earlier = list(self._rows)

    def expect(self, document: Document) -> None:
        name = file_name(document)
        if self._first.setdefault(name, document.sha256) != document.sha256:
            self._first.setdefault(file_name(document, document.sha256), document.sha256)

    def put(self, brief: Brief) -> None:
        name = file_name(brief.document)
        if self._first.get(name, brief.document.sha256) != brief.document.sha256:  # two of one file with one id
            name = file_name(brief.document, brief.document.sha256)
        target = name + _SUFFIX[self.form]
        write_atomically(self.path / target, self.show(brief))
        self._rows[name] = row(target, brief)

    def close(self, failed: Sequence[LocalsumError]) -> None:
        order = dict.fromkeys([*self._earlier, *self._first])
        rows = [self._rows[name] for name in order if name in self._rows]
        messages = [one_line(error.message) for error in failed]
        if self.form == "html":
            from localsum.render.html import to_html_index as to_index
        else:
            to_index = to_markdown_index
        write_atomically(self.index, to_index(rows, messages))

    def _listed(self) -> Iterator[tuple[str, Row]]:
        """Names and rows of the briefs that the index lists and whose files are there."""
        if self.form == "html":
            from localsum.render.html import read_html_index as read_index
        else:
            read_index = read_markdown_index
        try:
            index = self.index.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return
        for found in read_index(index):
            if _TARGET.fullmatch(found.target) and (self.path / found.target).is_file():
                yield found.target.rpartition(".")[0], found

    @property
    def index(self) -> Path:
        return self.path / ("index.html" if self.form == "html" else "index.md")

    @property
    def page(self) -> Path:
        """What to open: the only brief there is, else the index."""
        return (
            self.path / next(iter(self._rows.values())).target
            if len(self._first) == 1 == len(self._rows)
            else self.index
        )


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


def _check_place(documents: int, *, is_whole: bool) -> None:
    if is_whole and documents > 1:
        raise UsageError(
            "pages, and Markdown with front matter or footnotes, hold one brief, and there are more documents than one",
            "name a folder for a file of each: localsum brief PATH... --output DIR/",
        )
