"""Finds and reads a template, of `prompts/` or of a user, with every mistake in it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import tomllib
from dataclasses import dataclass
from pathlib import Path

from localsum.errors import TemplateError
from localsum.resources import resource
from localsum.templates.checks import NAME, Reader
from localsum.templates.lines import KeyPath, lines_of
from localsum.templates.types import Remark, Template

_NAMED = re.compile(r"""(\s*name\s*=\s*)(?:"[^"]*"|'[^']*')(\s*(?:#.*)?)""")
_MAX_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Checked:
    """A template file after reading: the template, unless there are mistakes, in the order of the checks.

    `lines` says where its tables and keys stand.
    """

    path: Path
    text: str
    template: Template | None
    mistakes: tuple[Remark, ...]
    lines: dict[KeyPath, int]

    def whole(self) -> Template:
        """The template. Raises TemplateError for the first mistake."""
        if self.template is not None:
            return self.template
        first = self.mistakes[0]
        line = f", line {first.line}" if first.line else ""
        raise TemplateError(
            f"{self.path}{line}: {first.where}: {first.reason}",
            f"mend it; every mistake at once: localsum prompts check {shlex.quote(str(self.path))}",
        )

    def copy(self, name: str) -> str:
        """The text of the file as that of a template of another name."""
        rows = self.text.split("\n")
        at = self.lines.get(("name",), 1) - 1
        if named := _NAMED.fullmatch(rows[at]):
            rows[at] = f"{named[1]}{json.dumps(name, ensure_ascii=False)}{named[2]}"
        return "\n".join(rows)


def load_template(name_or_path: str | None = None) -> Template:
    """The template of that name or path; `brief` by default. Raises TemplateError, for the first mistake."""
    return read_template(name_or_path or "brief").whole()


def read_template(name_or_path: str) -> Checked:
    """The template file of that name or path with all of its mistakes. Raises TemplateError if it cannot be read."""
    path = _find(name_or_path)
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # a name that can be none
        reason = getattr(error, "strerror", None) or error
        raise TemplateError(f"{path}: {reason}", "name another file with --template PATH") from None
    if len(data) > _MAX_BYTES:
        raise TemplateError(f"{path}: larger than {_MAX_BYTES // 1024} KiB", "a template is a short TOML file")
    text = ""
    try:
        text = data.decode("utf-8")
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # not TOML, not UTF-8, a number too long, brackets too deep
        at = re.search(r"\(at line (\d+), column \d+\)\Z", str(error))
        line = int(at[1]) if at else text.count("\n") + 1 if text and "end of document" in str(error) else None
        return Checked(path, text, None, (Remark(line, "file", f"not valid TOML: {error}"),), {})
    lines = lines_of(text)
    reader = Reader(lines)
    template = reader.template(table, path.stem, hashlib.sha256(data).hexdigest())
    return Checked(path, text, None if reader.mistakes else template, tuple(reader.mistakes), lines)


def template_names() -> list[str]:
    """Names of the shipped templates."""
    return sorted(path.stem for path in resource("prompts").glob("*.toml"))


def is_path(name_or_path: str) -> bool:
    """Whether a template is named by its file: a name without a folder and without `.toml` is a shipped one."""
    path = Path(os.path.expanduser(name_or_path))
    return path.suffix == ".toml" or path.parent != Path(".")


def _find(name_or_path: str) -> Path:
    if is_path(name_or_path):
        return Path(os.path.expanduser(name_or_path))
    shipped = resource("prompts") / f"{name_or_path}.toml"
    if not NAME.fullmatch(name_or_path.replace("-", "_")) or not shipped.is_file():
        known = ", ".join(template_names())
        raise TemplateError(
            f"no template named {name_or_path!r}; there are: {known}",
            "name one of these, or a file: localsum brief --template ./my.toml FILE",
        )
    return shipped
