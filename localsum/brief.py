"""A brief: what localsum found out about one document, as data. Knows nothing of how it was written or is shown.

The JSON form is `localsum.brief/1`; `schema.py` publishes it for a template, `to_dict` makes it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from localsum.document import Document, Span

SCHEMA = "localsum.brief/1"

Verdict = Literal["supported", "partial", "unsupported"]
Mode = Literal["extractive", "written", "mixed", "empty"]


@dataclass(frozen=True, slots=True)
class Grounding:
    """What the checks after writing found. `reasons` are for people: "verbatim", "number not in source: 35 %"."""

    verdict: Verdict
    evidence: tuple[Span, ...] = ()
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a list field: its parts in the template's order, and what supports it."""

    parts: dict[str, str]
    grounding: Grounding


@dataclass(frozen=True, slots=True)
class Quote:
    """A verbatim span: `document.text[start:end] == text`, always."""

    text: str
    start: int
    end: int
    speaker: str | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of the document with its unit: `document.text[start:end] == text`, always.

    Of "more than 900 jobs" `value` is "900" and `unit` "jobs"; `measures` is a phrase that says what is counted ("…"
    stands where the number does), "" where nothing says it in few words. Its sentence is the evidence.
    """

    text: str
    start: int
    end: int
    value: str
    unit: str
    measures: str
    grounding: Grounding


Value = str | tuple[Item, ...] | tuple[Quote, ...] | tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class FieldResult:
    """A field as written. `grounding` is that of a text field; the items of a list carry their own."""

    name: str
    value: Value
    mode: Mode
    grounding: Grounding | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Brief:
    """The result for one document. `fields` is in the template's order, so templates decide what a brief holds."""

    document: Document
    fields: dict[str, FieldResult]
    model: dict[str, str]  # name, sha256
    template: dict[str, str]  # name, sha256
    timing: dict[str, float] = field(default_factory=dict)  # seconds and token counts
    warnings: tuple[str, ...] = ()
    language: str | None = None  # that was asked for, as BCP 47 has it; None: the document's own

    def __getitem__(self, name: str) -> Value:
        return self.fields[name].value


def _spans(spans: tuple[Span, ...]) -> list[dict[str, int]]:
    return [{"start": span.start, "end": span.end} for span in spans]


def _support(grounding: Grounding) -> dict[str, Any]:
    return {
        "evidence": _spans(grounding.evidence),
        "grounding": grounding.verdict,
        "reasons": list(grounding.reasons),
    }


def _value(value: Value) -> object:
    if isinstance(value, str):
        return value
    return [_entry_dict(entry) for entry in value]


def _entry_dict(entry: Item | Quote | Figure) -> dict[str, Any]:
    if isinstance(entry, Item):
        return {**entry.parts, **_support(entry.grounding)}
    place: dict[str, Any] = {"text": entry.text, "start": entry.start, "end": entry.end}
    if isinstance(entry, Quote):
        return {**place, "speaker": entry.speaker}
    told = {"value": entry.value, "unit": entry.unit, "measures": entry.measures}
    return {**place, **told, **_support(entry.grounding)}


def source_dict(document: Document) -> dict[str, Any]:
    """The `source` object of the JSON form."""
    return {
        "path": document.path,
        "format": document.format,
        "title": document.title,
        "author": document.author,
        "published": document.published,
        "url": document.url,
        "words": document.words,
        "sha256": document.sha256,
    }


def to_dict(brief: Brief) -> dict[str, Any]:
    """The JSON form of a brief; keys in a fixed order, fields in the template's."""
    return {
        "schema": SCHEMA,
        "source": source_dict(brief.document),
        **{name: _value(result.value) for name, result in brief.fields.items()},
        "mode": {name: result.mode for name, result in brief.fields.items()},
        "support": {
            name: _support(result.grounding) for name, result in brief.fields.items() if result.grounding is not None
        },
        "warnings": list(brief.warnings),
        "model": brief.model,
        "template": brief.template,
        "language": brief.language,
        "timing": brief.timing,
    }


def from_dict(data: dict[str, Any], document: Document) -> Brief:
    """The brief whose JSON form `data` is; `document` is what it is of. The inverse of `to_dict`.

    A warning that begins with a field's name and a colon is the field's again.
    """
    fields = {}
    for name, mode in data["mode"].items():
        support = data["support"].get(name)
        own = tuple(warning for warning in data["warnings"] if warning.startswith(f"{name}: "))
        value = data[name] if isinstance(data[name], str) else tuple(map(_entry, data[name]))
        fields[name] = FieldResult(name, value, mode, support and _grounding(support), own)
    made = (data["model"], data["template"], data["timing"], tuple(data["warnings"]))
    return Brief(document, fields, *made, language=data.get("language"))  # not there in briefs kept by older versions


def _grounding(support: dict[str, Any]) -> Grounding:
    spans = tuple(Span(span["start"], span["end"]) for span in support["evidence"])
    return Grounding(support["grounding"], spans, tuple(support["reasons"]))


def _entry(entry: dict[str, Any]) -> Any:  # noqa: ANN401  (all of a list are of one kind)
    if "grounding" not in entry:
        return Quote(entry["text"], entry["start"], entry["end"], entry["speaker"])
    if isinstance(entry.get("start"), int):  # a part of an item is a text
        told = {name: entry[name] for name in ("text", "start", "end", "value", "unit", "measures")}
        return Figure(**told, grounding=_grounding(entry))
    parts = {name: value for name, value in entry.items() if name not in ("evidence", "grounding", "reasons")}
    return Item(parts, _grounding(entry))
