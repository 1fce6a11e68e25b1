"""Whose words a block is: of a speaker in a conversation, or of somebody who is quoted at length. Patterns only."""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

from localsum.document import Document, Span

# A full stop belongs to initials and titles alone: "said Calista Wren. Expect competitors to follow."
NAME = (
    r"(?:(?:(?:[A-Z]\.)+|(?:Dr|Mr|Mrs|Ms|St|Prof|Gen|Sen|Rep|Gov|Lt|Col|Sgt|Capt|Rev|Jr)\.|[A-Z][\w’'-]*"
    r"|de|van|von|der|al|bin|du|la|le)\s){0,3}[A-Z][\w’'-]+"
)
NOT_NAMES = frozenset(
    """The A An It He She They We I This That But And In On At If When While As Mr Mrs Ms Dr""".split()  # noqa: SIM905
)
_INTRODUCED = re.compile(rf"(?P<name>{NAME})(?=[,:\s])")
_MOST_OF_ONE = 0.9  # of the words: a text that somebody reads out, and no conversation


class Speaker(NamedTuple):
    """Who says something, and where the text names them; None where only the form of the source did."""

    name: str
    place: Span | None
    is_talking: bool  # with others: what is said is one side of it


def is_conversation(document: Document) -> bool:
    """Whether people talk in it, and not one of them alone."""
    said: Counter[str | None] = Counter()
    for block in document.blocks:
        said[block.speaker] += block.end - block.start
    spoken = said.total() - said.pop(None, 0)
    return bool(said) and max(said.values()) < _MOST_OF_ONE * spoken


def speakers(document: Document) -> list[Speaker | None]:
    """Who says what each block holds: the speaker of a transcript, or whom the line before a block quotation names."""
    found: list[Speaker | None] = []
    talk = is_conversation(document)
    introduced: Speaker | None = None
    last: Speaker | None = None
    behind = 0
    for block in document.blocks:
        if block.kind == "quote":
            found.append(introduced)
            continue
        spoken: Speaker | None = None
        if block.speaker:
            at = document.text.find(block.speaker, behind, block.start)
            goes_on = last if last and last.name == block.speaker else None
            place = Span(at, at + len(block.speaker)) if at >= 0 else goes_on.place if goes_on else None
            spoken = Speaker(block.speaker, place, talk)
        found.append(spoken)
        last = spoken
        line = document.text[block.start : block.end]
        name = _INTRODUCED.match(line) if line.endswith(":") else None
        is_name = name is not None and name["name"].split()[0] not in NOT_NAMES
        introduced = (
            Speaker(name["name"], Span(block.start, block.start + name.end()), False) if name and is_name else None
        )
        behind = block.end
    return found
