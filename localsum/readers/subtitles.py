"""Subtitles and captions (WebVTT, SRT) as running text: cues joined, times dropped, who speaks kept.

Knows cues. A paragraph ends where the speaker changes, at a pause, or at the end of a sentence once it is long.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import NamedTuple

from localsum.readers.article import Draft, Part
from localsum.readers.decode import UnreadableError, clean, decode
from localsum.readers.pieces import Piece, ends_sentence
from localsum.readers.transcript import prepare, read_turn

LONG_PARAGRAPH = 90  # words
PAUSE_S = 2.5  # seconds without words between two paragraphs

_TIME = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{2})[.,](\d{1,3})"
_CUE = re.compile(rf"[ \t]*{_TIME}[ \t]*-->[ \t]*{_TIME}(?:[ \t][^\n]*)?")
_VOICE = re.compile(r"<v(?:\.[^\s>]{0,100})?\s([^>\n]{1,100})>")
_TAG = re.compile(r"</?[a-zA-Z0-9][^<>\n]{0,200}>|\{\\[^{}\n]{0,100}\}")
_SOUND = re.compile(r"[\[(][^\[\]()\n:]{1,60}[\])]|[♪♫][^♪♫\n]{0,200}[♪♫]?")
_CHANGE = re.compile(r"\s*(?:>>+|[-–—](?=\s?[A-ZÀ-Þ\"“]))\s*")  # another one speaks


class Cue(NamedTuple):
    """What is shown from `start_s` to `end_s` (seconds): lines, each with the voice that its markup names."""

    start_s: float
    end_s: float
    lines: list[tuple[str | None, str]]


def parts(data: bytes) -> Iterator[Part]:
    """The one part of a file of subtitles."""

    def part() -> Draft:
        text, warnings = decode(data)
        cues = list(_cues(text))
        if not cues:
            raise UnreadableError("has no subtitles in it", "name a WebVTT or SRT file: localsum read FILE")
        return Draft(_pieces(cues), warnings=warnings)

    yield part


def _cues(text: str) -> Iterator[Cue]:
    """The cues in order. Headers, notes, styles and numbers stand outside of them and are passed over."""
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        match = _CUE.fullmatch(lines[at][:300])
        at += 1
        if match is None:
            continue
        shown: list[tuple[str | None, str]] = []
        voice: str | None = None
        while at < len(lines) and lines[at].strip() and "-->" not in lines[at]:
            for number, part in enumerate(_VOICE.split(lines[at])):
                if number % 2:
                    voice = _plain(part)
                elif (said := _plain(part)) or "</v>" in part:
                    shown.append((voice, said))
                if "</v>" in part:
                    voice = None
            at += 1
        yield Cue(_seconds(match.groups()[:4]), _seconds(match.groups()[4:]), [line for line in shown if line[1]])


def _plain(text: str) -> str:
    text = _SOUND.sub(" ", clean(html.unescape(_TAG.sub("", text)))[0])
    return re.sub(r"\s+", " ", text).strip()


def _seconds(parts: tuple[str | None, ...]) -> float:
    hours, minutes, seconds, fraction = parts
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds or 0) + float(f"0.{fraction}")


def _pieces(cues: list[Cue]) -> list[Piece]:
    lines = [said for cue in cues for _, said in cue.lines]
    _, speakers = prepare("\n".join(_CHANGE.sub("", line, count=1) for line in lines))
    pieces: list[Piece] = []
    words: list[str] = []
    speaker: str | None = None
    before: list[str] = []  # the lines of the cue before: captions that roll show them again
    ended_s = 0.0
    named = False

    def flush() -> None:
        nonlocal named
        if words:
            marker = f"{speaker}: " if speaker and named else ""
            pieces.append(Piece(" ".join(words), marker=marker, speaker=speaker))
            named = False
        words.clear()

    for cue in cues:
        now = [said for _, said in cue.lines]
        if words and cue.start_s - ended_s >= PAUSE_S and ends_sentence(words[-1]):
            flush()
        for voice, said in cue.lines:
            if said in before:
                continue
            change = _CHANGE.match(said)
            if change and change.end():
                said = said[change.end() :]
                flush()
            turn = read_turn(said, speakers)
            name = turn.name if turn else voice
            if turn:
                said = turn.rest
            if name and name != speaker:
                flush()
                speaker, named = name, True
            elif words and ends_sentence(words[-1]) and sum(len(part.split()) for part in words) >= LONG_PARAGRAPH:
                flush()
            if said:
                words.append(said)
        before, ended_s = now, cue.end_s
    flush()
    return pieces
