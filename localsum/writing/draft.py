"""A brief being put together: entries, drafts, what the model is asked, and the finished fields with their grounding.

Shared by both writers. Knows fields and checks, not how anything is chosen or written.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field

from localsum.brief import FieldResult, Figure, Grounding, Item, Mode, Quote
from localsum.document import Span
from localsum.engine.types import Request
from localsum.grounding import Source, check
from localsum.templates import Field

UNTOLD = "no phrase of the source says what is measured"
# A writer yields requests, is sent their texts by branch id, and returns the finished fields.
Writer = Generator[tuple[Request, ...], dict[str, str], dict[str, FieldResult]]


@dataclass(slots=True)
class Entry:
    """An item being put together: texts of its parts, and the spans they come from."""

    parts: dict[str, str] = field(default_factory=dict)
    evidence: list[Span] = field(default_factory=list)
    written: bool = False  # a line of it (title, heading) was written by the model and passed the gate
    own_title: bool = False  # it is the document's title, which its text need not repeat


@dataclass(slots=True)
class Draft:
    """A field being put together; `missing` says why it, or part of it, is empty."""

    entries: list[Entry] = field(default_factory=list)
    quotes: list[Quote] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    by_model: bool = False  # its claims are the model's words, not the document's


@dataclass(slots=True)
class Ask:
    """A branch, and what to do with the text it returns."""

    name: str
    field: Field
    text: str  # what the base model reads right before the cue
    rule: str  # grammar of the answer
    most_tokens: int
    use: Callable[[str], None]


def finish(each: Field, draft: Draft, source: Callable[[], Source]) -> FieldResult:
    """The field with its grounding. `source` is asked for only if something is to be checked: making it takes a third
    of an extractive writer's time, and a document with a title of its own needs none.
    """
    warnings = tuple(f"{each.name}: {reason}" for reason in draft.missing)
    if each.shape == "quote" or each.of == "quote":
        quotes = tuple(sorted(draft.quotes, key=lambda quote: quote.start))
        return FieldResult(each.name, quotes, "extractive" if quotes else "empty", None, warnings)
    if each.shape == "numbers":
        mode: Mode = "empty" if not draft.figures else "mixed" if draft.by_model else "extractive"
        untold = sum(not figure.measures for figure in draft.figures)
        if untold:
            warnings += (f"{each.name}: {UNTOLD} for {untold} of {len(draft.figures)} figures",)
        return FieldResult(each.name, tuple(draft.figures), mode, None, warnings)
    if each.shape in ("line", "text", "choice"):
        entry = draft.entries[0] if draft.entries else Entry({each.name: ""})
        text = entry.parts[each.name]
        if not text:
            return FieldResult(
                each.name, "", "empty", None, warnings or (f"{each.name}: nothing in the source supports it",)
            )
        mode = "written" if entry.written or each.shape == "choice" else "extractive"
        return FieldResult(each.name, text, mode, _ground(text, entry, source, own_words=not entry.written), warnings)
    items = tuple(
        Item(
            entry.parts, _ground(claims(each, entry), entry, source, own_words=not draft.by_model or not entry.written)
        )
        for entry in draft.entries
    )
    if not items:
        return FieldResult(each.name, (), "empty", None, warnings)
    for part in each.parts:
        if empty := sum(not item.parts.get(part.name) for item in items):
            warnings += (f"{each.name}: the source states no {part.name} for {empty} of {len(items)} items",)
    written = [entry.written for entry in draft.entries]
    mode = "written" if draft.by_model and all(written) else "mixed" if any(written) else "extractive"
    return FieldResult(each.name, items, mode, None, warnings)


def claims(each: Field, entry: Entry) -> str:
    """The parts of an item that claim something: its sentences, not its heading or category."""
    names = [part.name for part in each.parts if part.shape == "text"] or list(entry.parts)
    return " ".join(entry.parts[name] for name in names if entry.parts.get(name))


def _ground(text: str, entry: Entry, source: Callable[[], Source], *, own_words: bool) -> Grounding:
    """The document's own words are supported by where they stand; the model's are checked."""
    if entry.own_title:
        return Grounding("supported", (), ("the document's own title",))
    if own_words:
        return Grounding("supported", _merged(entry.evidence), ("verbatim",))
    found = check(text, source())
    return Grounding(found.verdict, _merged(entry.evidence or found.evidence), found.reasons)


def _merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The spans in order, each once."""
    merged: list[Span] = []
    for span in sorted(spans):
        if not merged or span.start > merged[-1].end:
            merged.append(span)
        elif span.end > merged[-1].end:
            merged[-1] = Span(merged[-1].start, span.end)
    return tuple(merged)
