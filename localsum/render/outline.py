"""A brief as the blocks a reader sees, in order: what Markdown, the terminal form and the HTML page have in common.

Works from names and values, without a template, so any brief can be shown:
- `title` is the heading of the whole and `summary` follows it without one; every other field has its name as heading;
- an entry with a part `heading` is a section of its own, and its other parts are paragraphs;
- of other entries the first part is the text, a part `category` stands alone, the rest are labelled (Impact …);
- figures are the rows of a table: the number with its unit, and what it measures;
- the entries of `key_insights` are numbered, so that people can speak of the third; others have bullets.
All text that leaves this module is clean and on one line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

from localsum.brief import Brief, FieldResult, Figure, Grounding, Item, Quote, Verdict
from localsum.document import Span
from localsum.render.clean import one_line, to_ascii

_NUMBERED = ("key_insights",)
_WITHOUT_HEADING = ("title", "summary")
_MARKS = '“”"„«»'
_VERDICT = {"partial": "not fully supported by the source", "unsupported": "not supported by the source"}


@dataclass(frozen=True, slots=True)
class Support:
    """What a claim rests on and what the checks say of it; `note` is empty where they found nothing wrong."""

    evidence: tuple[Span, ...] = ()
    verdict: Verdict = "supported"
    note: str = ""


NONE = Support()


@dataclass(frozen=True, slots=True)
class Heading:
    text: str
    level: int  # 1: the title; 2: everything else
    support: Support = NONE


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: str
    support: Support = NONE


@dataclass(frozen=True, slots=True)
class Entry:
    """One point of a list. `number` is None where a bullet does; `lines` are its labelled parts."""

    text: str
    number: int | None = None
    category: str = ""
    lines: tuple[tuple[str, str], ...] = ()
    support: Support = NONE

    @property
    def short(self) -> bool:
        """Whether the entry is its text and nothing else: such lists need no air between the entries."""
        return not self.category and not self.lines and not self.support.note


@dataclass(frozen=True, slots=True)
class Quotation:
    """`text` is in quotation marks; `span` is where it stands in the document's text."""

    text: str
    speaker: str
    span: Span


@dataclass(frozen=True, slots=True)
class NumberRow:
    """A row of a table of numbers: a figure with its unit, and what it measures; `text` is empty if nothing says it."""

    figure: str
    text: str
    support: Support = NONE


COLUMNS = ("Figure", "What it measures")
UNTOLD = "see its sentence in the source"  # instead of a row's empty text


@dataclass(frozen=True, slots=True)
class Remark:
    """What the brief says of itself: why a field is empty, or has less than was asked for."""

    text: str


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of the footer."""

    label: str
    text: str


Block = Heading | Paragraph | Entry | Quotation | NumberRow | Remark | Fact


def label(name: str) -> str:
    """A name as a person reads it: `key_insights` is "Key insights"."""
    return one_line(name.replace("_", " ")).capitalize()


def in_ascii(block: Block) -> Block:
    """The block with all its texts in ASCII."""

    def plain(value: Any) -> Any:  # noqa: ANN401  (whatever a block has)
        if isinstance(value, str):
            return one_line(to_ascii(value))
        if isinstance(value, Support):
            return replace(value, note=to_ascii(value.note))
        return tuple(map(plain, value)) if type(value) is tuple else value

    return replace(block, **{each.name: plain(getattr(block, each.name)) for each in fields(block)})


def outline(brief: Brief) -> list[Block]:
    """The blocks of a brief: its fields in order, the notes, then the footer."""
    blocks: list[Block] = []
    for result in brief.fields.values():
        blocks.extend(_field(result))
    told = {warning for result in brief.fields.values() for warning in result.warnings}
    notes = dict.fromkeys(line for note in brief.warnings if note not in told and (line := one_line(note)))
    if notes:
        blocks.append(Heading("Notes", 2))
        blocks.extend(Entry(note) for note in notes)
    blocks.extend(_facts(brief))
    return blocks


def _field(result: FieldResult) -> Iterator[Block]:
    warnings = _joined(tuple(warning.removeprefix(f"{result.name}: ") for warning in result.warnings))
    body = list(_body(result))
    if result.name not in _WITHOUT_HEADING and not (body and isinstance(body[0], Heading)):
        yield Heading(label(result.name), 2)
    if body:
        yield from body
        if warnings:
            yield Remark(warnings)
        return
    why = warnings or _joined(result.grounding.reasons if result.grounding else ())
    yield Remark(f"no {label(result.name).lower()}{': ' if why else ''}{why}")


def _body(result: FieldResult) -> Iterator[Block]:
    if isinstance(result.value, str):
        if text := one_line(result.value):
            support = _support(result.grounding)
            yield Heading(text, 1, support) if result.name == "title" else Paragraph(text, support)
        return
    number = 0
    for value in result.value:
        if isinstance(value, Quote):
            if text := one_line(value.text):
                yield Quotation(_in_marks(text), one_line(value.speaker or ""), Span(value.start, value.end))
            continue
        if isinstance(value, Figure):
            if text := one_line(value.text):
                yield NumberRow(text, one_line(value.measures), _support(value.grounding))
            continue
        parts = {name: text for name, part in value.parts.items() if (text := one_line(part))}
        if not parts:
            continue
        if "heading" in value.parts:
            yield from _section(parts, value)
        else:
            number += 1
            yield _entry(parts, value, number if result.name in _NUMBERED else None)


def _section(parts: dict[str, str], item: Item) -> Iterator[Block]:
    yield Heading(parts.get("heading", "(no heading)"), 2)
    texts = [
        text if name in ("body", "text") else f"{label(name)}: {text}"
        for name, text in parts.items()
        if name != "heading"
    ]
    for text in texts[:-1]:
        yield Paragraph(text)
    if texts:
        yield Paragraph(texts[-1], _support(item.grounding))


def _entry(parts: dict[str, str], item: Item, number: int | None) -> Entry:
    names = list(parts)
    lines = tuple((label(name), parts[name]) for name in names[1:] if name != "category")
    category = parts["category"] if "category" in names[1:] else ""
    return Entry(parts[names[0]], number, category, lines, _support(item.grounding))


def _support(grounding: Grounding | None) -> Support:
    if grounding is None:
        return NONE
    return support_of(grounding.evidence, grounding.verdict, grounding.reasons)


def support_of(evidence: tuple[Span, ...], verdict: Verdict, reasons: tuple[str, ...]) -> Support:
    """Reasons are said only where the checks found something wrong."""
    if verdict == "supported":
        return Support(evidence)
    why = _joined(reasons)
    return Support(evidence, verdict, f"{_VERDICT[verdict]}{': ' if why else ''}{why}")


def _joined(reasons: tuple[str, ...]) -> str:
    return "; ".join(dict.fromkeys(line for reason in reasons if (line := one_line(reason))))


def _in_marks(text: str) -> str:
    """In quotation marks, unless one already stands at either end: doubled marks are hard to read."""
    return text if text[0] in _MARKS or text[-1] in _MARKS else f"“{text}”"


def _facts(brief: Brief) -> Iterator[Fact]:
    document = brief.document
    facts = (
        ("Source", (document.title, document.author, document.published)),
        ("Read from", (document.url, document.path or "standard input", f"{document.words:,} words")),
        ("Model", (brief.model.get("name"), f"template {brief.template.get('name', '')}")),
    )
    for name, parts in facts:
        if text := " · ".join(line for part in parts if part and (line := one_line(part))):
            yield Fact(name, text)
