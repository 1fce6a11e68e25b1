"""Slices of a document that fit a context, cut between blocks where possible. `text[p.start:p.end]` is the passage."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable

from localsum.document import Document, Span


def passages(document: Document, count_tokens: Callable[[str], int], most_tokens: int) -> list[Span]:
    """Passages of at most `most_tokens`, of about equal length, in order, together the whole text.

    A single character that counts for more than that is a passage of its own.
    """
    text = document.text
    total = count_tokens(text)
    if total <= most_tokens:
        return [Span(0, len(text))]
    wanted = -(-total // most_tokens)
    while True:
        found = _cut(document, -(-len(text) // wanted))
        if wanted >= len(text) or all(count_tokens(text[span.start : span.end]) <= most_tokens for span in found):
            return found
        wanted += -(-wanted // 8)  # in steps that grow: each try counts the whole text again


def _cut(document: Document, size: int) -> list[Span]:
    """Slices of at most `size` characters, cut before the last block that begins in the second half, or at a space."""
    text, starts = document.text, [block.start for block in document.blocks]
    found: list[Span] = []
    begin = 0
    while len(text) - begin > size:
        last = bisect_right(starts, begin + size) - 1
        is_in_second_half = last >= 0 and starts[last] > begin + size // 2
        end = starts[last] if is_in_second_half else _space_before(text, begin, begin + size)
        found.append(Span(begin, end))
        begin = end
    return [*found, Span(begin, len(text))]


def _space_before(text: str, begin: int, end: int) -> int:
    space = text.rfind(" ", begin + 1, end)
    return space + 1 if space > begin else end
