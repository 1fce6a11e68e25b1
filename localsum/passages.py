"""Slices of a document that fit a context, cut between blocks where possible. `text[p.start:p.end]` is the passage."""

from __future__ import annotations

from collections.abc import Callable

from localsum.document import Document, Span


def passages(document: Document, count_tokens: Callable[[str], int], most_tokens: int) -> list[Span]:
    """Passages of at most `most_tokens`, of about equal length, in order, together the whole text."""
    text = document.text
    total = count_tokens(text)
    if total <= most_tokens:
        return [Span(0, len(text))]
    wanted = -(-total // most_tokens)
    while True:
        found = _cut(document, -(-len(text) // wanted))
        if all(count_tokens(text[span.start : span.end]) <= most_tokens for span in found):
            return found
        wanted += 1


def _cut(document: Document, size: int) -> list[Span]:
    """Cut before the first block that begins after each multiple of `size` characters, or inside an endless block."""
    text, starts = document.text, [block.start for block in document.blocks]
    found: list[Span] = []
    begin = 0
    while len(text) - begin > size:
        fitting = [start for start in starts if begin + size // 2 < start <= begin + size]
        end = fitting[-1] if fitting else _space_before(text, begin, begin + size)
        found.append(Span(begin, end))
        begin = end
    return [*found, Span(begin, len(text))]


def _space_before(text: str, begin: int, end: int) -> int:
    space = text.rfind(" ", begin + 1, end)
    return space + 1 if space > begin else end
