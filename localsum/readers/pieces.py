"""Pieces of a document on their way from a format to `Document.text`. Knows nothing of formats or files.

A reader turns its format into lines and pieces; here lines become paragraphs (is a line end a wrap or the end of a
paragraph?), short lines that stand alone become headings, and pieces become one text with its blocks.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from localsum.document import Block, BlockKind
from localsum.readers.transcript import STAMP, Speakers, read_turn

WRAP_WIDTH = 120  # nobody wraps wider: lines beyond it are whole paragraphs
LONG_HEADING_WORDS = 25  # beyond it a heading is a paragraph that someone wanted small
LEAD_PARTS = 12  # of bold words at the head of a line; with more they are looked at no longer
NARROW = 40  # nobody wraps narrower
HEADLINE_WORDS = 20
HEADING_WORDS = 12
_LEADS = 3  # paragraphs that begin with bold words, for these to be headings
_LEAST_LED = 8  # words behind them
_LEAST_LABEL = 3  # words before a colon: fewer are a label or somebody who speaks

_NO_HEADLINE = re.compile(
    r"(?:by|share|send|print|subscribe|sign up|log in|skip to|listen to|read more|advertisement|photo|image|file|"
    r"updated|published|posted)\b",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"(\d{1,2}(?:\.\d{1,2})*)[.)]?\s+\w")
_VALUE = re.compile(r"[^:]{1,40}: \S{0,20}\d")  # "Price: $3" is no heading
_LONG_WORD = re.compile(r"\S{41,}")


class Line(NamedTuple):
    """One line of a paragraph. `width` is its length as written: with markup, long addresses counted short."""

    text: str
    width: int
    apart: bool = False  # all of it is bold or one link: perhaps a heading
    hard: bool = False  # the writer asked for the line break after it
    lead: str = ""  # the bold words that it begins with: perhaps a heading run into its paragraph


@dataclass(frozen=True, slots=True)
class Piece:
    """A block to be: its text, and `marker`, what stands before it in the document's text but not in the block."""

    text: str
    kind: BlockKind = "paragraph"
    level: int = 0
    marker: str = ""
    tight: bool = False  # one line break before it instead of a blank line
    apart: bool = False
    lead: str = ""
    speaker: str | None = None
    parted: bool = False  # a ruled line before it


def written_width(line: str) -> int:
    """Length of a line, each word of it counted as 41 characters at most (addresses are never wrapped)."""
    return len(_LONG_WORD.sub("x" * 41, line))


def paragraphs(lines: Sequence[Line], speakers: Speakers, *, keep_breaks: bool) -> list[Piece]:
    """Lines without a blank one between them, as paragraphs: wrapped lines are joined.

    `keep_breaks`: a short line that is neither wrapped nor a paragraph (an address, a verse) keeps its line break.
    """
    lines = [line for line in lines if line.text.strip()]
    width = max((line.width for line in lines), default=0)
    one_each = len(lines) > 1 and all(ends_sentence(line.text) for line in lines)
    pieces: list[Piece] = []
    gathered: list[str] = []
    lead = ""
    for number, line in enumerate(lines):
        lead = lead if gathered else line.lead
        gathered.append(line.text.strip())
        following = lines[number + 1] if number + 1 < len(lines) else None
        joint = None if following is None else _joint(line, following, width, speakers, one_each, keep_breaks)
        if joint is None:
            pieces.append(Piece("".join(gathered), apart=line.apart and len(gathered) == 1, lead=lead))
            gathered = []
        else:
            gathered.append(joint)
    return pieces


def _joint(
    line: Line, following: Line, width: int, speakers: Speakers, one_each: bool, keep_breaks: bool
) -> str | None:
    """What joins two lines: a space (a wrap), a line break, or nothing (another paragraph begins)."""
    here, there = line.text.strip(), following.text.strip()
    turn = read_turn(here, speakers)
    if read_turn(there, speakers) or (turn and not turn.rest):
        return None
    if line.hard:
        return "\n"
    if line.apart or following.apart or one_each:
        return None
    if there[0].islower() and not ends_sentence(here):
        return "" if re.search(r"[^\W\d_]-$", here[-2:]) else " "  # a word broken at its hyphen
    if width > WRAP_WIDTH:
        return None
    first_word = len(there.split(maxsplit=1)[0])
    if line.width + 1 + min(first_word, 41) > 0.85 * max(width, NARROW):
        return " "
    if ends_sentence(here) or (looks_like_heading(here) and len(there) > max(len(here), NARROW)):
        return None
    return "\n" if keep_breaks else " "


def ends_sentence(text: str) -> bool:
    """Whether text ends in a stop, perhaps inside quotes or brackets."""
    return text.rstrip("\"'”’»)]*_ ")[-1:] in tuple(".!?…:;。！？")


def looks_like_heading(text: str) -> bool:
    """A short line in title case, in capitals or numbered, that does not end as a sentence does."""
    words = text.split()
    if not 1 <= len(words) <= HEADING_WORDS or len(text) > 100 or "\n" in text or not text[0].isalnum():
        return False
    if ends_sentence(text) or text[-1] in ",-–—|/" or re.search(r"https?:|@", text):
        return False
    if _NO_HEADLINE.match(text) or _VALUE.match(text):
        return False
    names = [word for word in words if len(re.sub(r"\W", "", word)) >= 4 and not word[0].isdigit()]
    if not names:
        return False
    title_case = text[0].isupper() and not any(word[0].islower() for word in names)
    return title_case or text.isupper() or _NUMBERED.match(text) is not None


def with_speakers(pieces: Sequence[Piece], speakers: Speakers) -> list[Piece]:
    """The pieces of a transcript, each with who says it; "Name:" moves from the text to the marker.

    A turn goes on over paragraphs, and ends at a ruled line.
    """
    result: list[Piece] = []
    current: str | None = None
    for piece in pieces:
        current = None if piece.parted else current
        turn = read_turn(piece.text, speakers) if piece.kind == "paragraph" else None
        if turn:
            current = turn.name
            piece = replace(piece, text=turn.rest, marker=f"{turn.label}: ")
        result.append(piece if piece.kind == "heading" else replace(piece, speaker=current))
    return result


def without_stamps(pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces of a transcript without the times in brackets that some of them begin with: "[06:16] So this is"."""
    stamped = sum(piece.kind == "paragraph" and STAMP.match(piece.text) is not None for piece in pieces)
    if not stamped or (stamped < 3 and not any(piece.speaker for piece in pieces)):
        return list(pieces)
    return [
        replace(piece, text=STAMP.sub("", piece.text, count=1)) if piece.kind == "paragraph" else piece
        for piece in pieces
    ]


def with_headings(pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces, with bold or linked lines, title-case lines, the headline of an article, and bold words that
    several paragraphs begin with, as headings."""
    if sum(map(_runs_in, pieces)) >= _LEADS:
        pieces = [part for piece in pieces for part in (_parted(piece) if _runs_in(piece) else (piece,))]
    result: list[Piece] = []
    above = 1  # level of the last heading that the writer marked
    for number, piece in enumerate(pieces):
        if piece.kind == "heading":
            above = piece.level or above
        level = min(above + 1, 6) if piece.kind == "heading" and not piece.level else 0
        following = pieces[number + 1] if number + 1 < len(pieces) else None
        if piece.kind == "paragraph" and following and piece.text and not piece.marker:
            level = _level(piece, following, above, first=number == 0)
        result.append(replace(piece, kind="heading", level=level, speaker=None) if level else piece)
    return result


def _runs_in(piece: Piece) -> bool:
    """Whether a paragraph begins with a heading of its own: "**A museum says no.** The Collection refused …"."""
    lead, words = piece.lead.strip(), len(piece.lead.split())
    if piece.kind != "paragraph" or piece.marker or piece.speaker or not lead or not piece.text.startswith(lead):
        return False
    closed = lead[-1] in ".!?" or (lead[-1] == ":" and words >= _LEAST_LABEL)
    return closed and words <= HEADLINE_WORDS and len(piece.text[len(lead) :].split()) >= _LEAST_LED


def _parted(piece: Piece) -> tuple[Piece, Piece]:
    lead = piece.lead.strip()
    return Piece(lead, "heading", parted=piece.parted), replace(
        piece, text=piece.text[len(lead) :].strip(), lead="", parted=False
    )


def _level(piece: Piece, following: Piece, above: int, *, first: bool) -> int:
    """Level of the heading that a paragraph really is; 0 when it is none."""
    text, words = piece.text, len(piece.text.split())
    if "\n" in text or words > HEADLINE_WORDS or len(text) > 150:
        return 0
    leads = following.kind in ("paragraph", "item", "quote") and len(following.text) > len(text)
    stopless = (not ends_sentence(text) and text[-1] not in ",-–—|") or text[-1] == "?"
    announced = first and words > 1 and stopless and leads and not _NO_HEADLINE.match(text)
    if announced and piece.speaker is None and (piece.apart or ends_sentence(following.text)):
        return 1
    if piece.apart and text[-1] not in ".,;":
        return min(above + 1, 6)
    if leads and piece.speaker is None and looks_like_heading(text):
        numbered = _NUMBERED.match(text)
        return min(2 + numbered[1].count("."), 6) if numbered else 2
    return 0


def assemble(pieces: Sequence[Piece]) -> tuple[str, tuple[Block, ...]]:
    """The document's text and its blocks. A piece without text leaves its marker in the text and makes no block."""
    parts: list[str] = []
    blocks: list[Block] = []
    length = 0
    is_parted = False
    for piece in pieces:
        is_parted |= piece.parted
        text = piece.text.strip()
        marker = piece.marker if text else piece.marker.strip()
        if not text and not marker:
            continue
        separator = ("\n" if piece.tight else "\n\n") if parts else ""
        start = length + len(separator) + len(marker)
        parts.append(separator + marker + text)
        length = start + len(text)
        if text:
            blocks.append(Block(start, length, piece.kind, piece.level, piece.speaker, is_parted))
            is_parted = False
    return "".join(parts), tuple(blocks)
