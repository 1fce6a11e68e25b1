"""Templates: the fields of a brief, what is asked for each, and the shape of each answer. The template is the schema.

Reads TOML from `prompts/` or a user's file and checks it; every mistake names file, field and reason. Knows nothing
of models, documents or how a field is written.
"""

from __future__ import annotations

import hashlib
import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

from localsum.errors import TemplateError
from localsum.resources import resource

Shape = Literal["line", "text", "choice", "quote", "numbers", "items", "record"]
# Where an extract for a field comes from, when the model cannot write it freely.
Extract = Literal[
    "headline",
    "central",
    "topics",
    "closing",
    "insights",
    "matching",
    "directives",
    "tasks",
    "speakers",
    "quotes",
    "figures",
    "consequence",
    "sentence",
    "owner",
]

RESERVED = ("schema", "source", "mode", "support", "warnings", "model", "template", "timing")
RESERVED_PARTS = ("evidence", "grounding", "reasons")  # what a brief adds to every entry
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_FIELD_KEYS = frozenset(
    ["name", "shape", "ask", "cue", "extract", "words", "sentences", "count", "of", "options", "match", "part"]
)
_MAX_BYTES = 256 * 1024
# The extracts that can serve each shape; the first is what it has if the template does not say.
_EXTRACTS: dict[Shape, tuple[Extract, ...]] = {
    "line": ("headline",),
    "text": ("central", "closing", "matching"),
    "choice": ("central",),
    "quote": ("quotes",),
    "numbers": ("figures",),
    "items": ("insights", "directives", "topics", "matching", "tasks", "speakers"),
    "record": ("insights", "directives", "matching", "tasks"),
}
_PART_EXTRACTS: tuple[Extract, ...] = ("sentence", "consequence", "owner")
_WORDS: dict[Shape, int] = {"numbers": 14}  # at most, where the template does not say; of all others
_MOST_WORDS = 60


@dataclass(frozen=True, slots=True)
class Field:
    """One field, or one part of a record. Limits that do not apply to its shape keep their defaults.

    `ask` is said to instruct models, and each of `also` beside it (other wordings of the same); `cue` is what base
    models continue; `extract` says which part of the document supports the field. `match` are words that sentences
    chosen for it should hold; for "matching" they must.
    """

    name: str
    shape: Shape
    ask: str = ""
    also: tuple[str, ...] = ()
    cue: str = ""
    extract: Extract = "central"
    words: int = 60  # at most
    sentences: tuple[int, int] = (1, 3)
    count: tuple[int, int] = (1, 5)  # of items and numbers; any other shape is one
    of: Shape = "text"  # shape of each item
    options: tuple[tuple[str, str], ...] = ()  # of a choice: name and the words that speak for it
    match: tuple[str, ...] = ()
    parts: tuple[Field, ...] = ()  # of a record, or of items that are records

    @property
    def label(self) -> str:
        """The name as a person reads it: `key_insights` is "Key insights"."""
        return self.name.replace("_", " ").capitalize()


@dataclass(frozen=True, slots=True)
class Example:
    """A text and its answers by cue, shown to base models before they continue a cue themselves."""

    text: str
    answers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Template:
    name: str
    description: str
    instruction: str
    fields: tuple[Field, ...]
    examples: tuple[Example, ...]
    sha256: str

    def field(self, name: str) -> Field:
        return next(field for field in self.fields if field.name == name)


def load_template(name_or_path: str | None = None) -> Template:
    """The template of that name or path; `brief` by default. Raises TemplateError."""
    path = _find(name_or_path or "brief")
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
        if len(data) > _MAX_BYTES:
            raise TemplateError(f"{path}: larger than {_MAX_BYTES // 1024} KiB", "a template is a short TOML file")
        table = tomllib.loads(data.decode("utf-8"))
    except OSError as error:
        raise TemplateError(f"{path}: {error.strerror or error}", "name another file with --template PATH") from None
    except (ValueError, RecursionError) as error:  # not TOML, not UTF-8, a number too long, brackets too deep
        raise TemplateError(f"{path}: not valid TOML: {error}", f"mend {path} and run the command again") from None
    return _Reader(str(path)).template(table, path.stem, hashlib.sha256(data).hexdigest())


def template_names() -> list[str]:
    """Names of the shipped templates."""
    return sorted(path.stem for path in resource("prompts").glob("*.toml"))


def _find(name_or_path: str) -> Path:
    path = Path(os.path.expanduser(name_or_path))
    if path.suffix == ".toml" or path.parent != Path("."):
        return path
    shipped = resource("prompts") / f"{name_or_path}.toml"
    if not _NAME.fullmatch(name_or_path.replace("-", "_")) or not shipped.is_file():
        known = ", ".join(template_names())
        raise TemplateError(
            f"no template named {name_or_path!r}; there are: {known}",
            "name one of these, or a file: localsum brief --template ./my.toml FILE",
        )
    return shipped


class _Reader:
    """Checks one file; every complaint names the file, the field and the reason."""

    def __init__(self, path: str) -> None:
        self._path = path

    def _fail(self, where: str, reason: str) -> TemplateError:
        return TemplateError(f"{self._path}: {where}: {reason}", f"mend {self._path} and run the command again")

    def template(self, table: dict[str, Any], stem: str, sha256: str) -> Template:
        self._known("template", table, {"name", "description", "instruction", "field", "example"})
        rows = table.get("field")
        if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
            raise self._fail("template", "needs at least one [[field]]")
        fields = tuple(self._field(row, "field", top=True) for row in rows)
        self._unique("template", [field.name for field in fields])
        return Template(
            name=self._text("template", table, "name", stem),
            description=self._text("template", table, "description"),
            instruction=self._text("template", table, "instruction"),
            fields=fields,
            examples=self._examples(table.get("example", []), fields),
            sha256=sha256,
        )

    def _examples(self, rows: object, fields: tuple[Field, ...]) -> tuple[Example, ...]:
        cues = {field.cue for each in fields for field in (each, *each.parts) if field.cue}
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise self._fail("template", "examples are written as [[example]]")
        found = []
        for number, row in enumerate(rows, 1):
            where = f"example {number}"
            self._known(where, row, {"text", "answers"})
            text, answers = self._text(where, row, "text"), row.get("answers")
            if not text or not isinstance(answers, dict) or not answers:
                raise self._fail(where, 'needs a text, and a table of answers: "cue" = "answer"')
            for cue, answer in answers.items():
                if cue not in cues:
                    raise self._fail(where, f"no field has the cue {cue!r}; there are: {', '.join(sorted(cues))}")
                if not isinstance(answer, str) or not answer.strip():
                    raise self._fail(where, f"the answer to {cue!r} must be a string")
            found.append(Example(text, tuple(answers.items())))
        return tuple(found)

    def _field(self, row: dict[str, Any], kind: str, *, top: bool) -> Field:
        name = row.get("name")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise self._fail(f"{kind} {name!r}", "a name is lower-case letters, digits and _, beginning with a letter")
        where = f"{kind} {name!r}"
        if top and name in RESERVED:
            raise self._fail(where, f"this name is used by the brief itself; reserved are {', '.join(RESERVED)}")
        if not top and name in RESERVED_PARTS:
            raise self._fail(where, f"every item has this key already; reserved are {', '.join(RESERVED_PARTS)}")
        self._known(where, row, _FIELD_KEYS)
        shape = cast(Shape, self._one_of(where, row, "shape", get_args(Shape)))
        if not top and shape in ("items", "record", "quote", "numbers"):
            raise self._fail(where, f"a part cannot be of shape {shape!r}; use line, text or choice")
        parts = row.get("part", [])
        if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
            raise self._fail(where, "parts are written as [[field.part]]")
        fields = tuple(self._field(part, f"{where}, part", top=False) for part in parts)
        self._unique(where, [field.name for field in fields])
        of = cast(Shape, self._one_of(where, row, "of", get_args(Shape), "record" if fields else "text"))
        self._fits(where, shape, of, fields, row)
        ask, *also = self._asks(where, row, is_one_text=top and shape == "text")
        return Field(
            name=name,
            shape=shape,
            ask=ask,
            also=tuple(also),
            cue=self._text(where, row, "cue"),
            extract=self._extract(where, row, shape, of, fields, top=top),
            words=self._whole(where, row, "words", _WORDS.get(shape, _MOST_WORDS), 1, 1000),
            sentences=self._pair(where, row, "sentences", (1, 3), 1, 20),
            count=self._pair(where, row, "count", (1, 5) if shape in ("items", "numbers") else (1, 1), 0, 20),
            of=of,
            options=self._options(where, row, shape),
            match=tuple(word for word in self._words(where, row, "match") if word.strip()),
            parts=fields,
        )

    def _fits(self, where: str, shape: Shape, of: Shape, parts: tuple[Field, ...], row: dict[str, Any]) -> None:
        if of == "items":
            raise self._fail(where, "items cannot hold items")
        if of == "choice":
            raise self._fail(where, "a choice says nothing alone; give items a text and a choice as [[field.part]]")
        if of == "numbers":
            raise self._fail(where, 'a list of numbers is a shape of its own: shape = "numbers"')
        if shape != "items" and ("of" in row or ("count" in row and shape != "numbers")):
            raise self._fail(where, f"'of' and 'count' belong to shape 'items', not {shape!r}")
        has_parts = shape == "record" or (shape == "items" and of == "record")
        if has_parts != bool(parts):
            raise self._fail(where, "a record needs [[field.part]]" if has_parts else f"shape {shape!r} has no parts")

    def _extract(
        self, where: str, row: dict[str, Any], shape: Shape, of: Shape, parts: tuple[Field, ...], *, top: bool
    ) -> Extract:
        known = _EXTRACTS["quote" if of == "quote" else shape] if top else _PART_EXTRACTS
        extract = cast(Extract, self._one_of(where, row, "extract", known, known[0]))
        shapes = sorted(part.shape for part in parts) if parts else [of]
        if extract == "topics" and shapes not in (["line", "text"], ["text"]):
            raise self._fail(where, "'topics' are items of a text, or of a record of one line and one text")
        if extract == "speakers" and of != "line":
            raise self._fail(where, "'speakers' are items of lines: of = \"line\"")
        if extract == "owner" and shape != "line":
            raise self._fail(where, "'owner' is a line: a name")
        if extract == "matching" and not any(map(str.strip, self._words(where, row, "match"))):
            raise self._fail(where, "'matching' needs 'match': words of which each of its sentences holds one")
        return extract

    def _options(self, where: str, row: dict[str, Any], shape: Shape) -> tuple[tuple[str, str], ...]:
        options = row.get("options")
        if shape != "choice":
            if options is not None:
                raise self._fail(where, "'options' belong to shape 'choice'")
            return ()
        if isinstance(options, list):
            options = dict.fromkeys(options, "") if all(isinstance(option, str) for option in options) else None
        if not isinstance(options, dict) or len(options) < 2:
            raise self._fail(where, "a choice needs at least two options: a list, or a table of option = words for it")
        for option, words in options.items():
            if not isinstance(words, str) or not option.strip() or "\n" in option or len(option) > 60:
                raise self._fail(where, f"option {option!r} must be a short line, and its words a string")
        return tuple(options.items())

    def _known(self, where: str, table: dict[str, Any], known: set[str] | frozenset[str]) -> None:
        if unknown := sorted(set(table) - known):
            raise self._fail(where, f"unknown key {unknown[0]!r}; known are {', '.join(sorted(known))}")

    def _unique(self, where: str, names: list[str]) -> None:
        for name in names:
            if names.count(name) > 1:
                raise self._fail(where, f"two fields are named {name!r}")

    def _text(self, where: str, table: dict[str, Any], key: str, default: str = "") -> str:
        value = table.get(key, default)
        if not isinstance(value, str):
            raise self._fail(where, f"{key!r} must be a string")
        return value.strip()

    def _asks(self, where: str, row: dict[str, Any], *, is_one_text: bool) -> list[str]:
        value = row.get("ask", "")
        if not isinstance(value, list):
            return [self._text(where, row, "ask")]
        if not is_one_text or not value or not all(isinstance(ask, str) and ask.strip() for ask in value):
            raise self._fail(where, "'ask' is a string; of a field of shape 'text' it can be a list of several")
        return [ask.strip() for ask in value]

    def _one_of(self, where: str, row: dict[str, Any], key: str, known: tuple[str, ...], default: str = "") -> str:
        value = row.get(key, default)
        if value not in known:
            raise self._fail(where, f"{key!r} must be one of {', '.join(known)}, not {value!r}")
        return str(value)

    def _whole(self, where: str, row: dict[str, Any], key: str, default: int, low: int, high: int) -> int:
        value = row.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self._fail(where, f"{key!r} must be a whole number from {low} to {high}, not {value!r}")
        return value

    def _pair(
        self, where: str, row: dict[str, Any], key: str, default: tuple[int, int], low: int, high: int
    ) -> tuple[int, int]:
        value = row.get(key, default)
        whole = isinstance(value, list | tuple) and all(type(number) is int for number in value)
        if not whole or len(value) != 2 or not low <= value[0] <= value[1] <= high or value[1] == 0:
            raise self._fail(where, f"{key!r} must be two whole numbers [least, most], {low} to {high}, not {value!r}")
        return (value[0], value[1])

    def _words(self, where: str, row: dict[str, Any], key: str) -> list[str]:
        value = row.get(key, [])
        if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            raise self._fail(where, f"{key!r} must be a list of words")
        return [str(word) for word in value]
