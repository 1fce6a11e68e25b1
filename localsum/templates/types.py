"""What a template is: fields with their shapes, and examples. Data only, nothing is read or checked here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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

RESERVED = ("schema", "source", "mode", "support", "warnings", "model", "template", "language", "timing")
RESERVED_PARTS = ("evidence", "grounding", "reasons")  # what a brief adds to every entry


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
    """The fields of a brief in their order, and what is said to a model. `sha256` is that of the file."""

    name: str
    description: str
    instruction: str
    fields: tuple[Field, ...]
    examples: tuple[Example, ...]
    sha256: str

    def field(self, name: str) -> Field:
        return next(field for field in self.fields if field.name == name)


@dataclass(frozen=True, slots=True)
class Remark:
    """A mistake or advice: `where` is a field or example of the file, `line` counts from 1, None for all of it."""

    line: int | None
    where: str
    reason: str
