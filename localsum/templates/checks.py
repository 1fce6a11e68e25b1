"""Checks what is in a template file: every mistake is noted, and what is wrong is read as if it were left out."""

from __future__ import annotations

import re
from typing import Any, NamedTuple, TypeGuard, cast, get_args

from localsum.templates.lines import KeyPath, line_of
from localsum.templates.types import RESERVED, RESERVED_PARTS, Example, Extract, Field, Remark, Shape, Template

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_FIELD_KEYS = frozenset(
    ["name", "shape", "ask", "cue", "extract", "words", "sentences", "count", "of", "options", "match", "part"]
)
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
_WORDS = {"numbers": 14}  # at most, where the template does not say; of all others
_MOST_WORDS = 60


class _At(NamedTuple):
    """A table of the file: what it is called in a complaint, and its path."""

    name: str
    path: KeyPath = ()

    def part(self, kind: str, key: str, number: int, name: object) -> _At:
        label = f"{kind} {name!r}" if isinstance(name, str) else f"{kind} {number + 1}"
        return _At(f"{self.name}, {label}" if self.path else label, (*self.path, key, number))


class Reader:
    """Checks one file. Every mistake is noted, and what is wrong is read as if it were left out."""

    def __init__(self, lines: dict[KeyPath, int]) -> None:
        self._lines = lines
        self.mistakes: list[Remark] = []

    def _wrong(self, at: _At, reason: str, *keys: str) -> None:
        self.mistakes.append(Remark(line_of((*at.path, *keys), self._lines), at.name, reason))

    def template(self, table: dict[str, Any], stem: str, sha256: str) -> Template:
        at = _At("template")
        self._known(at, table, {"name", "description", "instruction", "field", "example"})
        rows = table.get("field")
        if not _are_tables(rows) or not rows:
            self._wrong(at, "needs at least one [[field]]", "field")
            rows = []
        found = [self._field(row, at.part("field", "field", n, row.get("name"))) for n, row in enumerate(rows)]
        self._unique(at, "field", rows)
        return Template(
            name=self._text(at, table, "name", stem),
            description=self._text(at, table, "description"),
            instruction=self._text(at, table, "instruction"),
            fields=tuple(field for field in found if field),
            examples=self._examples(at, table.get("example", []), _cues(rows)),
            sha256=sha256,
        )

    def _examples(self, top: _At, rows: object, cues: set[str]) -> tuple[Example, ...]:
        if not _are_tables(rows):
            self._wrong(top, "examples are written as [[example]]", "example")
            return ()
        found = []
        for number, row in enumerate(rows):
            at = top.part("example", "example", number, None)
            self._known(at, row, {"text", "answers"})
            text, answers = self._text(at, row, "text"), row.get("answers")
            if not text or not isinstance(answers, dict) or not answers:
                self._wrong(at, 'needs a text, and a table of answers: "cue" = "answer"')
                continue
            for cue, answer in answers.items():
                if cue not in cues:
                    known = ", ".join(sorted(cues)) or "none"
                    self._wrong(at, f"no field has the cue {cue!r}; there are: {known}", "answers", cue)
                if not isinstance(answer, str) or not answer.strip():
                    self._wrong(at, f"the answer to {cue!r} must be a string", "answers", cue)
            found.append(Example(text, tuple(answers.items())))
        return tuple(found)

    def _field(self, row: dict[str, Any], at: _At, *, top: bool = True) -> Field | None:
        """None where its shape is wrong: then nothing that depends on it can be judged."""
        name = row.get("name")
        if not isinstance(name, str) or not NAME.fullmatch(name):
            self._wrong(
                at, f"a name is lower-case letters, digits and _, beginning with a letter, not {name!r}", "name"
            )
        if top and name in RESERVED:
            reason = f"this name is used by the brief itself; reserved are {', '.join(RESERVED)}"
            self._wrong(at, reason, "name")
        if not top and name in RESERVED_PARTS:
            reason = f"every item has this key already; reserved are {', '.join(RESERVED_PARTS)}"
            self._wrong(at, reason, "name")
        self._known(at, row, _FIELD_KEYS)
        shape = cast(Shape, self._one_of(at, row, "shape", get_args(Shape)))
        if not top and shape in ("items", "record", "quote", "numbers"):
            self._wrong(at, f"a part cannot be of shape {shape!r}; use line, text or choice", "shape")
        rows = row.get("part", [])
        if not _are_tables(rows):
            self._wrong(at, "parts are written as [[field.part]]", "part")
            rows = []
        parts = [
            self._field(part, at.part("part", "part", n, part.get("name")), top=False) for n, part in enumerate(rows)
        ]
        self._unique(at, "part", rows)
        fields = tuple(part for part in parts if part)
        of = cast(Shape, self._one_of(at, row, "of", get_args(Shape), "record" if rows else "text") or "text")
        words = self._whole(at, row, "words", _WORDS.get(shape, _MOST_WORDS), 1, 1000)
        sentences = self._pair(at, row, "sentences", (1, 3), 1, 20)
        count = self._pair(at, row, "count", (1, 5) if shape in ("items", "numbers") else (1, 1), 0, 20)
        cue, match = self._text(at, row, "cue"), self._words(at, row, "match")
        if not shape:
            return None
        self._fits(at, shape, of, fields, bool(rows), row)
        ask, *also = self._asks(at, row, is_one_text=top and shape == "text")
        return Field(
            name=str(name),
            shape=shape,
            ask=ask,
            also=tuple(also),
            cue=cue,
            extract=self._extract(at, row, shape, of, rows, match, top=top),
            words=words,
            sentences=sentences,
            count=count,
            of=of,
            options=self._options(at, row, shape),
            match=match,
            parts=fields,
        )

    def _fits(
        self, at: _At, shape: Shape, of: Shape, parts: tuple[Field, ...], is_divided: bool, row: dict[str, Any]
    ) -> None:
        if of == "items":
            self._wrong(at, "items cannot hold items", "of")
        if of == "choice":
            self._wrong(at, "a choice says nothing alone; give items a text and a choice as [[field.part]]", "of")
        if of == "numbers":
            self._wrong(at, 'a list of numbers is a shape of its own: shape = "numbers"', "of")
        if shape != "items" and ("of" in row or ("count" in row and shape != "numbers")):
            key = "of" if "of" in row else "count"
            self._wrong(at, f"'of' and 'count' belong to shape 'items', not {shape!r}", key)
        has_parts = shape == "record" or (shape == "items" and of == "record")
        if has_parts != is_divided:
            self._wrong(at, "a record needs [[field.part]]" if has_parts else f"shape {shape!r} has no parts")
        elif parts and not any(_says(part) for part in parts):
            self._wrong(at, "a record needs a text or a line of its own, which the other parts are about")

    def _extract(
        self,
        at: _At,
        row: dict[str, Any],
        shape: Shape,
        of: Shape,
        parts: list[dict[str, Any]],
        match: tuple[str, ...],
        *,
        top: bool,
    ) -> Extract:
        known = _EXTRACTS["quote" if of == "quote" else shape] if top else _PART_EXTRACTS
        extract = cast(Extract, self._one_of(at, row, "extract", known, known[0]) or known[0])
        shapes = sorted(str(part.get("shape")) for part in parts) if parts else [of]
        if extract == "topics" and shapes not in (["line", "text"], ["text"]):
            self._wrong(at, "'topics' are items of a text, or of a record of one line and one text", "extract")
        if extract == "speakers" and of != "line":
            self._wrong(at, "'speakers' are items of lines: of = \"line\"", "extract")
        if extract == "owner" and shape != "line":
            self._wrong(at, "'owner' is a line: a name", "extract")
        if extract == "matching" and not match:
            self._wrong(at, "'matching' needs 'match': words of which each of its sentences holds one", "extract")
        return extract

    def _options(self, at: _At, row: dict[str, Any], shape: Shape) -> tuple[tuple[str, str], ...]:
        options = row.get("options")
        if shape != "choice":
            if options is not None:
                self._wrong(at, "'options' belong to shape 'choice'", "options")
            return ()
        if isinstance(options, list):
            options = dict.fromkeys(options, "") if all(isinstance(option, str) for option in options) else None
        if not isinstance(options, dict) or len(options) < 2:
            reason = "a choice needs at least two options: a list, or a table of option = words for it"
            self._wrong(at, reason, "options")
            return ()
        for option, words in options.items():
            if not isinstance(words, str) or not option.strip() or "\n" in option or len(option) > 60:
                self._wrong(at, f"option {option!r} must be a short line, and its words a string", "options", option)
        return tuple(options.items())

    def _known(self, at: _At, table: dict[str, Any], known: set[str] | frozenset[str]) -> None:
        for key in sorted(set(table) - known):
            self._wrong(at, f"unknown key {key!r}; known are {', '.join(sorted(known))}", key)

    def _unique(self, at: _At, key: str, rows: list[dict[str, Any]]) -> None:
        names = [row.get("name") for row in rows]
        for number, name in enumerate(names):
            if isinstance(name, str) and name in names[:number]:
                there = _At(at.name, (*at.path, key, number))
                self._wrong(there, f"two fields are named {name!r}", "name")

    def _text(self, at: _At, table: dict[str, Any], key: str, default: str = "") -> str:
        value = table.get(key, default)
        if not isinstance(value, str):
            self._wrong(at, f"{key!r} must be a string", key)
            return default
        return value.strip()

    def _asks(self, at: _At, row: dict[str, Any], *, is_one_text: bool) -> list[str]:
        value = row.get("ask", "")
        if not isinstance(value, list):
            return [self._text(at, row, "ask")]
        if not is_one_text or not value or not all(isinstance(ask, str) and ask.strip() for ask in value):
            self._wrong(at, "'ask' is a string; of a field of shape 'text' it can be a list of several", "ask")
            return [""]
        return [ask.strip() for ask in value]

    def _one_of(self, at: _At, row: dict[str, Any], key: str, known: tuple[str, ...], default: str = "") -> str:
        """The value, or nothing if it is none of those known."""
        value = row.get(key, default)
        if value not in known:
            self._wrong(at, f"{key!r} must be one of {', '.join(known)}, not {value!r}", key)
            return ""
        return str(value)

    def _whole(self, at: _At, row: dict[str, Any], key: str, default: int, low: int, high: int) -> int:
        value = row.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            self._wrong(at, f"{key!r} must be a whole number from {low} to {high}, not {value!r}", key)
            return default
        return value

    def _pair(
        self, at: _At, row: dict[str, Any], key: str, default: tuple[int, int], low: int, high: int
    ) -> tuple[int, int]:
        value = row.get(key, default)
        whole = isinstance(value, list | tuple) and all(type(number) is int for number in value)
        if not whole or len(value) != 2 or not low <= value[0] <= value[1] <= high or value[1] == 0:
            self._wrong(at, f"{key!r} must be two whole numbers [least, most], {low} to {high}, not {value!r}", key)
            return default
        return (value[0], value[1])

    def _words(self, at: _At, row: dict[str, Any], key: str) -> tuple[str, ...]:
        value = row.get(key, [])
        if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            self._wrong(at, f"{key!r} must be a list of words", key)
            return ()
        return tuple(word for word in value if word.strip())


def _are_tables(rows: object) -> TypeGuard[list[dict[str, Any]]]:
    return isinstance(rows, list) and all(isinstance(row, dict) for row in rows)


def _cues(rows: list[dict[str, Any]]) -> set[str]:
    """The cues of all fields and parts, also of those with mistakes: an example for one is no mistake of its own."""
    parts = [part for row in rows if _are_tables(row.get("part")) for part in row["part"]]
    return {row["cue"].strip() for row in [*rows, *parts] if isinstance(row.get("cue"), str)} - {""}


def _says(part: Field) -> bool:
    """Whether a part says something by itself, and not of another."""
    return part.shape in ("text", "line") and part.extract not in ("owner", "consequence")
