"""Who is speaking: "Name:" turns and time stamps of transcripts. Knows lines of text; nothing of formats or blocks."""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

Speakers = frozenset[str]
NOBODY: Speakers = frozenset()

_TIME = r"[\[(]?(?:\d{1,2}:)?\d{1,2}:\d{2}(?:[.,]\d{1,3})?[\])]?"
_WORD = r"[\w.'’&#-]"
_TURN = re.compile(
    rf"(?:{_TIME}[ \t–—-]{{0,3}})?(?P<bold>\*\*|__)?(?P<name>[^\W\d_]{_WORD}{{0,30}}(?: {_WORD}{{1,30}}){{0,3}})"
    rf"(?P<aside> ?\([^:\n]{{1,100}}\))?(?P<time>[ \t]{{1,3}}{_TIME})?"
    r"(?:(?P<colon>:)(?:\*\*|__)?|(?:\*\*|__)(?P<after>:)?)?"
    r"(?:[ \t]+|$)(?P<rest>\S?)"
)
_STAMP = re.compile(rf"^[ \t]*{_TIME}[ \t]*(?:[–—-] ?)?(?=\S)|^[ \t]*{_TIME}[ \t]*$")
STAMP = re.compile(r"^[\[(](?:\d{1,2}:)?\d{1,2}:\d{2}(?:[.,]\d{1,3})?[\])][ \t]*(?:[–—-][ \t])?")  # at a piece's start
_PARTICLES = (
    "de",
    "da",
    "di",
    "del",
    "van",
    "von",
    "der",
    "den",
    "of",
    "the",
    "la",
    "le",
    "al",
    "bin",
    "el",
    "y",
    "and",
)
# Labels of articles, mail and show notes. They look like names and are none.
_LABELS = frozenset(
    """
break note notes update updates updated price prices pricing cost costs pros cons verdict summary tldr tl;dr
source sources credit credits photo photos image video caption disclosure disclaimer correction warning caution
tip tips example examples input output prompt response date time location where when what why who how also
however remember subject from to cc bcc re fw fwd sent part chapter section figure table step listen watch read
related follow link links tag tags category author published website email phone address conclusion conclusions
result results context background takeaway takeaways sponsor sponsored sponsors advertisement ad music intro
outro abstract introduction methods discussion references breaking exclusive analysis opinion review key bottom
today yesterday tomorrow monday tuesday wednesday thursday friday saturday sunday editor's editor’s important
first second third finally in on at
""".split()  # noqa: SIM905  # a table to read
)


class Turn(NamedTuple):
    """A line that someone's words begin with. `label` is what it says before them, `rest` begins at offset `said`."""

    name: str
    label: str
    rest: str
    bold: bool
    timed: bool


def prepare(text: str) -> tuple[str, Speakers]:
    """Text without the time stamps of a transcript, and its speakers; the text as it is and nobody for an article."""
    lines = text.split("\n")
    speakers = _find_speakers(lines)
    speakers |= _unnamed(lines) if speakers else NOBODY
    if not speakers and not _is_stamped(lines):
        return text, NOBODY
    for number, line in enumerate(lines):
        turn = read_turn(line, speakers)
        if turn and turn.timed:
            mark = "**" if turn.bold else ""
            lines[number] = f"{mark}{turn.label}:{mark} {turn.rest}".rstrip()
        elif turn and _is_label(turn.name):
            lines[number] = "***"  # a ruled line
        elif turn is None:
            lines[number] = _STAMP.sub("", line[:40]) + line[40:]
    return "\n".join(lines), speakers


def read_turn(line: str, speakers: Speakers | None = None) -> Turn | None:
    """The turn that a line begins, if it does: of these speakers, or of anyone whose name looks like one."""
    if speakers is not None and not speakers:
        return None
    line = line.strip()
    head = line[:240]
    if ":" not in head:
        return None
    match = _TURN.match(head)
    if match is None:
        return None
    separated = match["colon"] or match["after"]
    if not separated and not match["time"]:
        return None
    name = match["name"]
    timed = match["time"] is not None or match.start("bold" if match["bold"] else "name") > 0
    turn = Turn(
        name, name + (match["aside"] or ""), line[match.start("rest") :].strip(), match["bold"] is not None, timed
    )
    if speakers is not None:
        return turn if name in speakers or (_is_label(name) and not turn.rest and turn.bold) else None
    return turn if _is_name(name) else None


def _is_name(name: str) -> bool:
    words = name.split()
    capitals = all(word[0].isupper() or word[0].isdigit() or word in _PARTICLES for word in words)
    return capitals and name[0].isupper() and not _is_label(name)


def _is_label(name: str) -> bool:
    return name.split()[0].lower() in _LABELS


def _find_speakers(lines: list[str]) -> Speakers:
    """The people of a transcript; nobody when its colons are those of an article."""
    turns: list[Turn] = []
    written, first_is_turn = 0, False
    for line in lines:
        if not line.strip() or line.startswith("#"):
            continue
        turn = read_turn(line)
        if turn:
            turns.append(turn)
            first_is_turn |= written == 0
        written += 1
    if len(turns) < 2:
        return NOBODY
    counts = Counter(turn.name for turn in turns)
    spoken = sum(not turn.rest or _is_speech(turn.rest) for turn in turns)
    if spoken * 2 < len(turns) or len(turns) < 0.03 * written:
        return NOBODY
    often = counts.most_common(1)[0][1]
    if often >= 2 and (len(turns) >= 3 or len(turns) >= 0.2 * written):
        marked = {turn.name for turn in turns if turn.bold or turn.timed}
        return frozenset(name for name in counts if counts[name] > 1 or (name in marked if marked else " " in name))
    clear = all(turn.timed or (turn.bold and " " in turn.name) for turn in turns)
    return frozenset(counts) if first_is_turn and clear else NOBODY


def _unnamed(lines: list[str]) -> Speakers:
    """Who speaks in a transcript without a name: "**Audience member:**"."""
    turns = [match for line in lines if (match := _TURN.match(line.strip()[:240]))]
    bold = (match["name"] for match in turns if match["bold"] and match["colon"] and match["rest"])
    return frozenset(name for name in bold if name[0].isupper() and not _is_label(name))


def _is_speech(words: str) -> bool:
    return words.rstrip("\"'”’)*_}")[-1:] in tuple(".?!…,—-") or len(words.split()) >= 8


def _is_stamped(lines: list[str]) -> bool:
    """Whether a third of the lines begin with a time, as in the transcript of a video."""
    stamped = sum(_STAMP.match(line[:40]) is not None for line in lines)
    return stamped >= 5 and stamped * 3 >= sum(bool(line.strip()) for line in lines)
