"""A document as a reader sees it, its evidence marked: blocks with nested marks. Knows nothing of HTML or briefs.

The texts of all gaps and nodes, one after another, are the document's text, but for white space at its end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from localsum.document import Block, Document, Span

_LINES = re.compile(r"[^\n]+(?:\n[^\n]+)*")


@dataclass(frozen=True, slots=True)
class Mark:
    """A part of a span of evidence. A span that crosses another, or the end of a block, has several parts."""

    number: int
    is_first: bool
    nodes: tuple[Node, ...]


Node = str | Mark


@dataclass(frozen=True, slots=True)
class SourceBlock:
    """One block: the white space before it, its marker ("- ", "Ada Quint: ") and its text."""

    block: Block
    gap: str
    lead: tuple[Node, ...]
    nodes: tuple[Node, ...]


def number_evidence(spans: Iterable[Span], document: Document) -> dict[Span, int]:
    """Each different span that holds text with its number, in the order of the source. What is beyond it is cut off."""
    cut = {span: _cut(span, document) for span in spans}
    held = {span: part for span, part in cut.items() if document.text[part.start : part.end].strip()}
    ordered = sorted(set(held.values()), key=lambda part: (part.start, -part.end))
    numbers = {part: number for number, part in enumerate(ordered, 1)}
    return {span: numbers[part] for span, part in held.items()}


def mark_source(document: Document, numbers: dict[Span, int]) -> Iterator[SourceBlock]:
    """The blocks of the document with the numbered spans as marks. What is in no block is a paragraph at the end."""
    text, at = document.text, 0
    seen: set[int] = set()
    waiting = sorted({(_cut(span, document), number) for span, number in numbers.items()})
    blocks = document.blocks or _paragraphs(text)
    end = blocks[-1].end if blocks else 0
    if text[end:].strip():
        blocks = (*blocks, Block(len(text) - len(text[end:].lstrip()), len(text)))
    for block in blocks:
        gap = text[at : block.start]
        start = at + len(gap) - len(gap.lstrip())
        waiting = [(span, number) for span, number in waiting if span.end > at]
        here = [(span, number) for span, number in waiting if span.start < block.end]
        lead = _inline(text, Span(start, block.start), here, seen)
        nodes = _inline(text, Span(block.start, block.end), here, seen)
        yield SourceBlock(block, text[at:start], lead, nodes)
        at = block.end


def _cut(span: Span, document: Document) -> Span:
    """What of a span is in the document."""
    start = min(max(0, span.start), len(document.text))
    return Span(start, min(max(start, span.end), len(document.text)))


def _inline(text: str, within: Span, marks: list[tuple[Span, int]], seen: set[int]) -> tuple[Node, ...]:
    """A part of the text, longer marks around shorter ones. What juts out of a mark or of the part is cut off.

    `seen` are the numbers that have their first mark already.
    """
    start, end = within
    cut = ((Span(max(span.start, start), min(span.end, end)), number) for span, number in marks)
    waiting = sorted(((span, number) for span, number in cut if span.start < span.end), key=_outer_first)
    nodes: list[Node] = []
    while waiting:
        span, number = waiting.pop(0)
        if span.start > start:
            nodes.append(text[start : span.start])
        is_first = number not in seen
        seen.add(number)
        nodes.append(Mark(number, is_first, _inline(text, span, waiting, seen)))
        start = span.end
        rest = ((Span(max(other.start, start), other.end), number) for other, number in waiting if other.end > start)
        waiting = sorted(rest, key=_outer_first)
    if start < end:
        nodes.append(text[start:end])
    return tuple(nodes)


def _outer_first(mark: tuple[Span, int]) -> tuple[int, int, int]:
    return mark[0].start, -mark[0].end, mark[1]


def _paragraphs(text: str) -> tuple[Block, ...]:
    """Blocks of a text that has none: its paragraphs."""
    found = ((match.start(), match[0]) for match in _LINES.finditer(text) if match[0].strip())
    return tuple(Block(start + len(lines) - len(lines.lstrip()), start + len(lines.rstrip())) for start, lines in found)
