"""A document: clean text, the blocks it is made of, and where it came from.

All offsets everywhere in localsum are code points into `Document.text`. This module knows nothing of files or models.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

BlockKind = Literal["heading", "paragraph", "item", "quote", "code", "table"]


class Span(NamedTuple):
    """Half-open range of code points in a document's text: `text[start:end]`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Block:
    """One heading, paragraph, list item, block quote, code block or table row of a document.

    `text[start:end]` is its text without surrounding white space; blocks are in order and never overlap.
    `speaker` is the person talking, in transcripts; a leading "Name:" belongs to the gap before `start`.
    """

    start: int
    end: int
    kind: BlockKind = "paragraph"
    level: int = 0  # of a heading: 1 is the highest
    speaker: str | None = None
    parted: bool = False  # behind a ruled line, or a pause of a programme


@dataclass(frozen=True)
class Document:
    """One input after reading. `text` is what `localsum read` prints; every offset points into it."""

    text: str
    blocks: tuple[Block, ...]
    path: str | None = None  # as the user named it, "#" and a number or id after it for one of many; None for stdin
    format: str = "text"  # text, markdown, html, …
    title: str | None = None
    author: str | None = None
    published: str | None = None  # ISO 8601 where the source allows
    url: str | None = None
    language: str | None = None  # as the source says: "en", "pt-BR"
    warnings: tuple[str, ...] = ()  # what the reader had to do to the input, for the brief's warnings

    @cached_property
    def sha256(self) -> str:
        """Hex digest of the UTF-8 text."""
        return hashlib.sha256(self.text.encode("utf-8")).hexdigest()

    @cached_property
    def parts(self) -> tuple[int, ...]:
        """Numbers of the blocks that come behind a ruled line."""
        return tuple(number for number, block in enumerate(self.blocks) if number and block.parted)

    @cached_property
    def words(self) -> int:
        return len(self.text.split())
