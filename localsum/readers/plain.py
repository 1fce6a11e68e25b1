"""Plain text into pieces: blank lines, bullets, quoted lines and underlined headings. Knows nothing of Markdown."""

from __future__ import annotations

import re
from dataclasses import replace

from localsum.readers.pieces import HEADING_WORDS, Line, Piece, ends_sentence, paragraphs, written_width
from localsum.readers.transcript import Speakers

_BULLET = re.compile(r"[ \t]{0,8}(?P<mark>[-*+•‣◦▪●–·]|\d{1,3}[.)])[ \t]+(?=\S)")
_QUOTED = re.compile(r"[ \t]{0,3}(?:>[ \t]?)+")
_RULE = ["***"]  # a chunk that is only a ruled line


def parse(text: str, speakers: Speakers) -> list[Piece]:
    """The pieces of a clean plain text."""
    chunks = _chunks(text)
    pieces: list[Piece] = []
    is_parted = False
    for number, chunk in enumerate(chunks):
        if chunk == _RULE:
            is_parted = True
            continue
        count = len(pieces)
        numbered = [len(near) == 1 and near[0][:1].isdigit() for near in chunks[max(0, number - 1) : number + 2]]
        heading = sum(numbered) == 1 and _is_numbered_heading(chunk)
        pieces += [Piece(chunk[0])] if heading else _chunk(chunk, speakers)
        if is_parted and len(pieces) > count:
            pieces[count] = replace(pieces[count], parted=True)
            is_parted = False
    return pieces


def _chunks(text: str) -> list[list[str]]:
    """Runs of lines between blank lines; a ruled line is a run of its own or, below a single line, sets that apart."""
    chunks: list[list[str]] = [[]]
    for line in text.split("\n"):
        if not line.strip():
            if chunks[-1]:
                chunks.append([])
        elif _is_rule(line):
            if len(chunks[-1]) == 1 and line.strip()[0] in "=-~":
                chunks[-1].append("")  # underlined
            elif chunks[-1]:
                chunks.append(_RULE)
            else:
                chunks[-1] = _RULE
            chunks.append([])
        else:
            chunks[-1].append(line.expandtabs(4).rstrip())
    return [chunk for chunk in chunks if chunk]


def _is_rule(line: str) -> bool:
    """Whether a line is only a ruled one: "---", "* * *", "=====", "· · ·"."""
    marks = line.replace(" ", "").replace("\t", "")
    return len(marks) > 2 and marks[0] in "=-_*~#—–•·" and marks.count(marks[0]) == len(marks)


def _chunk(chunk: list[str], speakers: Speakers) -> list[Piece]:
    if len(chunk) == 2 and not chunk[1]:
        return [Piece(chunk[0].strip(), apart=True)]
    if all(_QUOTED.match(line) for line in chunk):
        inner = [_QUOTED.sub("", line, count=1) for line in chunk]
        return [Piece(piece.text, "quote") for piece in paragraphs(_lines(inner), speakers, keep_breaks=True)]
    pieces: list[Piece] = []
    gathered: list[str] = []
    mark = ""
    for line in [*chunk, None]:
        bullet = _BULLET.match(line) if line is not None else None
        if line is not None and bullet is None:
            gathered.append(line)
            continue
        pieces += _marked(paragraphs(_lines(gathered), speakers, keep_breaks=True), mark, tight=bool(pieces))
        if bullet is not None and line is not None:
            gathered = [line[bullet.end() :]]
            mark = bullet["mark"] if bullet["mark"][0].isdigit() else "-"
    return pieces


def _marked(pieces: list[Piece], mark: str, *, tight: bool) -> list[Piece]:
    """The first piece as a list item with its mark; what follows it in the list's chunk stays a paragraph."""
    if not mark or not pieces:
        return pieces
    return [Piece(pieces[0].text, "item", marker=f"{mark} ", tight=tight), *pieces[1:]]


def _is_numbered_heading(chunk: list[str]) -> bool:
    """A numbered line alone between blank lines, too short and stopless for a list item of one."""
    alone = len(chunk) == 1 and chunk[0][:1].isdigit()
    return alone and len(chunk[0].split()) <= HEADING_WORDS and not ends_sentence(chunk[0])


def _lines(lines: list[str]) -> list[Line]:
    return [Line(line, written_width(line)) for line in lines]
