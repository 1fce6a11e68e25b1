"""The parts of a document that are written of one by one: the stories of a newsletter, or the document as a whole."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from localsum.document import Document, Span
from localsum.writing.headline import is_telling
from localsum.writing.material import stories

_LEAST_WORDS = 30  # of a story; what is shorter is a line of links, a price, a date
_FEWEST = 2
_NUMBER = re.compile(r"\d{1,3}[.)] ")


@dataclass(frozen=True, slots=True)
class Part:
    """`document.text == whole.text[start : start + len(document.text)]`; of a whole document the two are the same."""

    whole: Document
    start: int
    document: Document


def parts_of(whole: Document) -> list[Part]:
    """The stories that the document tells under its headings, if they are several; else the document itself."""
    spans = [(story.heading, story.body) for story in stories(whole)]
    parts = [_part(whole, heading, body) for heading, body in spans]
    parts = [part for part in parts if part.document.words >= _LEAST_WORDS]
    return parts if len(parts) >= _FEWEST else [Part(whole, 0, whole)]


def _part(whole: Document, heading: Span, body: Span) -> Part:
    start, end = body
    title = _NUMBER.sub("", " ".join(whole.text[heading.start : heading.end].split())).rstrip(":. ")
    blocks = tuple(
        replace(block, start=block.start - start, end=block.end - start)
        for block in whole.blocks
        if start <= block.start and block.end <= end
    )
    cut = replace(whole, text=whole.text[start:end], blocks=blocks, title=title if is_telling(title) else None)
    return Part(whole, start, cut)
