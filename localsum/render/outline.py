"""A brief or a digest as the blocks a reader sees, in order: what Markdown and the terminal form have in common.

Of a brief it works from names and values, without a template, so any brief can be shown:
- `title` is the heading of the whole and `summary` follows it without one; every other field has its name as heading;
- an entry with a part `heading` is a section of its own, and its other parts are paragraphs;
- of other entries the first part is the text, a part `category` stands alone, the rest are labelled ("Impact: …");
- the entries of `key_insights` are numbered, so that people can speak of the third; others have bullets.
All text that leaves this module is clean and on one line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from localsum.brief import Brief, FieldResult, Grounding, Item, Quote, Verdict
from localsum.digest import Digest, Source
from localsum.render.clean import one_line

_NUMBERED = ("key_insights",)
_WITHOUT_HEADING = ("title", "summary")
_MARKS = '“”"„«»'
_VERDICT = {"partial": "not fully supported by the source", "unsupported": "not supported by the source"}


@dataclass(frozen=True, slots=True)
class Heading:
    text: str
    level: int  # 1: the title; 2: everything else


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: str
    note: str = ""  # what the checks say of it


@dataclass(frozen=True, slots=True)
class Entry:
    """One point of a list. `number` is None where a bullet does; `lines` are labelled parts and what the checks say."""

    text: str
    number: int | None = None
    category: str = ""
    lines: tuple[str, ...] = ()

    @property
    def short(self) -> bool:
        """Whether the entry is its text and nothing else: such lists need no air between the entries."""
        return not self.category and not self.lines


@dataclass(frozen=True, slots=True)
class Quotation:
    """`text` is in quotation marks; `start` and `end` are code points into the document's text."""

    text: str
    speaker: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of the footer."""

    label: str
    text: str


Block = Heading | Paragraph | Entry | Quotation | Fact


def label(name: str) -> str:
    """A name as a person reads it: `key_insights` is "Key insights"."""
    return one_line(name.replace("_", " ")).capitalize()


def outline(result: Brief | Digest) -> list[Block]:
    """The blocks of a brief (fields in order, notes, footer) or of a digest (overview, stories, notes, footer)."""
    return _brief(result) if isinstance(result, Brief) else list(_digest(result))


def _brief(brief: Brief) -> list[Block]:
    blocks: list[Block] = []
    for result in brief.fields.values():
        blocks.extend(_field(result))
    told = {warning for result in brief.fields.values() for warning in result.warnings}
    blocks.extend(_notes([note for note in brief.warnings if note not in told]))
    blocks.extend(_facts(brief))
    return blocks


def _notes(warnings: Iterable[str]) -> Iterator[Block]:
    if notes := dict.fromkeys(line for note in warnings if (line := one_line(note))):
        yield Heading("Notes", 2)
        yield from map(Entry, notes)


def _digest(digest: Digest) -> Iterator[Block]:
    overview = digest.overview
    yield Heading(one_line(digest.title), 1)
    if text := one_line(overview.text):
        yield Paragraph(text, _why(overview.verdict, overview.reasons))
    for story in digest.stories:
        yield Heading(one_line(story.headline) or "(no headline)", 2)
        if text := one_line(story.text):
            yield Paragraph(text, _why(story.support.verdict, story.support.reasons))
        yield from (_source(source, story.headline) for source in story.sources)
    yield from _notes(digest.warnings)
    yield from _made_by(digest.model, digest.template)


def _source(source: Source, headline: str) -> Entry:
    """Where a story is from: its own title if it has another, who published it when, and whether it is a copy."""
    document = source.document
    day = (document.published or "").split("T")[0]
    title = document.title if document.title != headline else ""
    parts = (title, document.author, day, document.url, document.path or "standard input")
    known = [line for part in parts if part and (line := one_line(part))]
    return Entry(" · ".join([*known, "the same text"] if source.duplicate else known))


def _field(result: FieldResult) -> Iterator[Block]:
    warnings = _joined(tuple(warning.removeprefix(f"{result.name}: ") for warning in result.warnings))
    body = list(_body(result))
    if result.name not in _WITHOUT_HEADING and not (body and isinstance(body[0], Heading)):
        yield Heading(label(result.name), 2)
    if body:
        yield from body
        if warnings:
            yield Paragraph(f"({warnings})")
        return
    why = warnings or _joined(result.grounding.reasons if result.grounding else ())
    yield Paragraph(f"(no {label(result.name).lower()}{': ' if why else ''}{why})")


def _body(result: FieldResult) -> Iterator[Block]:
    if isinstance(result.value, str):
        if text := one_line(result.value):
            note = _note(result.grounding)
            if result.name != "title":
                yield Paragraph(text, note)
            else:
                yield Heading(text, 1)
                if note:
                    yield Paragraph(note)
        return
    number = 0
    for value in result.value:
        if isinstance(value, Quote):
            if text := one_line(value.text):
                yield Quotation(_in_marks(text), one_line(value.speaker or ""), value.start, value.end)
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
        yield Paragraph(texts[-1], _note(item.grounding))


def _entry(parts: dict[str, str], item: Item, number: int | None) -> Entry:
    names = list(parts)
    lines = [f"{label(name)}: {parts[name]}" for name in names[1:] if name != "category"]
    if note := _note(item.grounding):
        lines.append(note)
    return Entry(parts[names[0]], number, parts["category"] if "category" in names[1:] else "", tuple(lines))


def _note(grounding: Grounding | None) -> str:
    return _why(grounding.verdict, grounding.reasons) if grounding else ""


def _why(verdict: Verdict, reasons: tuple[str, ...]) -> str:
    if verdict == "supported":
        return ""
    why = _joined(reasons)
    return f"({_VERDICT[verdict]}{': ' if why else ''}{why})"


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
    )
    for name, parts in facts:
        if text := " · ".join(line for part in parts if part and (line := one_line(part))):
            yield Fact(name, text)
    yield from _made_by(brief.model, brief.template)


def _made_by(model: dict[str, str], template: dict[str, str]) -> Iterator[Fact]:
    parts = (model.get("name", ""), f"template {template.get('name', '')}")
    yield Fact("Model", " · ".join(line for part in parts if (line := one_line(part))))
