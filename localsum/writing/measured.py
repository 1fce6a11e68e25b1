"""What a figure measures: the clause of its sentence around it, "…" where the figure stands. Patterns only.

Knows one sentence; which figures matter is decided elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from localsum.document import Span
from localsum.grounding.words import FUNCTION_WORDS, listed, normal, words
from localsum.writing import cues

GAP = "…"
_REPORTS = (
    r"(?:said|says|told \w+|wrote|writes|added|adds|explained|noted|notes|argued|argues|warned|warns|announced|insisted"
    r"|stated|states|claims|claimed|believes?|concluded|estimates?|estimated|reported|reports|found|finds|shows?"
    r"|showed|suggests?|suggested|expects?|think|thinks|revealed|reveals|confirmed|confirms)"
)
# Where a clause may begin or end. What stands before a soft edge may be needed to understand what follows.
_SOFT = r",\s(?!\d{4}\b|(?:and|but|or|so|yet)\s)"
_EDGE = re.compile(
    rf"(?P<soft>{_SOFT})|[,;:]?[”\"]?[,;:]\s|[,;:][”\"]\s|\s(?:[–—]|--?)\s|\s?[()\[\]]\s?|[—]|\b{_REPORTS}\sthat\s"
    r"|\s(?=(?:because|while|whereas|although|though|but|where|if|unless|until|after|before|when|since)\s)"
    r"|\s(?=which\s)|\s(?=and\s(?:said|added|noted)\b)"
)
_REPORTED = re.compile(
    rf"\A.{{0,60}}?\b(?:{_REPORTS}\s(?:(?:on|last|in)\s\w+\s)?(?:that\s(?=\S+\s\S|\Z)|(?=\S+\s\S))"
    r"|(?:said|says|added|told \w+)\s\Z)"
)
_LEADS_ON = re.compile(
    r"\A(?:(?:and|but|or|so|that|because|while|whereas|although|though|if|after|before|when|since|where|until|unless|as"
    r")\s(?!then\b))+",
    re.IGNORECASE,
)
# "they will spend …": without the pronoun the rest still tells what the figure is.
_UNNAMED = re.compile(
    r"\A(?:it|they|he|she|we|I|which|who|that)(?:['’](?:s|ve|d|ll|re))?\s(?:(?:will|would|has|have|had|is|are|was|were|now|also"
    r"|already|can|could)\s(?!not\b))*(?=[a-z]{2,}\b)",
    re.IGNORECASE,
)
# A piece that opens so hangs on what stands before it.
_HANGS = listed(
    """to of from by with up down compared including than as at about for in on or over under between into among worth
    versus per plus is are was were be been being"""
)
_RELATIVE = listed("who which whose that and or but nor not")
_POINTS_BACK = listed(
    """it he she they we i you this that these those his her its their our my your there some each both here what
    another one other others such"""
)
# What may follow a figure that opens its clause.
_SAYS = listed("of to for in on per from who that worth as against since between among over")
_VERBS = listed(
    """is are was were has have had will would can could may might must should do does did became become fell rose grew
    went came made took"""
)
_MAY_END = listed("it them him her us more less too again alone so each up down out off over away back")
_ARTICLE = re.compile(r"(?:an?|the|only|just|some|all)(?: [a-z]+)?", re.IGNORECASE)
_LEAST = 2  # content words of a measure


def measured(text: str, figure: Span, others: list[tuple[int, int]], most: int) -> str:
    """A phrase of at most `most` words that says what the figure at `figure` measures; "" where none does.

    `others` are the places of the sentence's other figures.
    """
    ends = _ends(text, figure, others)
    for start in _starts(text, figure, others):
        before = _head(text[start : figure.start])
        for end in ends:
            after = text[figure.end : end]
            if (before or not start or _goes_on(after)) and _is_good(phrase := _joined(before, after), most, _LEAST):
                return phrase
    for end in ends:
        after = text[figure.end : end]
        least = 1 if _first(after) in ("to", "for") else _LEAST  # "15 percent | to evaluation"
        if _first(after) in _SAYS and _is_good(phrase := _joined("", after), most, least):
            return phrase
    return ""


def _starts(text: str, figure: Span, others: list[tuple[int, int]]) -> Iterator[int]:
    """Where the clause may begin, the nearest first: further back only over what the nearer piece hangs on."""
    edges = [m for m in _EDGE.finditer(text, 0, figure.start) if m.end() <= figure.start]
    at = figure.start
    for edge in reversed([None, *edges]):
        start = edge.end() if edge else 0
        told = [(a, b) for a, b in others if start <= a < at]
        if at < figure.start and told:
            return
        for _, b in told:  # "cut costs by 30 % and doubled output": the other's own words are not this one's
            if (cut := text.rfind(" and ", b, at)) >= 0:
                yield cut + 5
                return
        yield start
        if (piece := text[start:at]).strip() and not _head(piece):  # "…, said 500 families"
            return
        first = _first(text[start:at])
        if edge is None or not edge["soft"] or first in _POINTS_BACK:
            return
        at = edge.start()


def _ends(text: str, figure: Span, others: list[tuple[int, int]]) -> list[int]:
    """Where the clause may end, the fullest first."""
    edge = _EDGE.search(text, figure.end)
    end = edge.start() if edge else len(text)
    for a, _ in others:
        if a >= figure.end and (cut := text.find(" and ", figure.end, min(a, end))) >= 0:
            end = cut
    inside = re.finditer(r"\s(?:to|for|in|on|from|by|with|at|that|as|and|or|than)\s", text[:end])
    return [end, *(cut for m in reversed(list(inside)) if (cut := m.start()) > figure.end), figure.end]


def _head(text: str) -> str:
    """What stands before a figure, without who reports it and without what leads on."""
    if match := cues.CONNECTIVE.match(text):
        text = text[match.end() :]
    if match := _REPORTED.match(text):
        text = text[match.end() :]
    return _UNNAMED.sub("", _LEADS_ON.sub("", text.lstrip(' “"')))


def _first(text: str) -> str:
    return normal(re.split("['’]", next(iter(text.split()), "").strip('"“”‘'))[0])


def _goes_on(after: str) -> bool:
    """Whether a verb or a telling phrase follows: in a list, what follows a figure may be about the next thing."""
    following = [normal(word) for word in after.split()[:3]]
    return bool(following) and (
        following[0] in _SAYS or following[0].endswith("ed") or any(word in _VERBS for word in following)
    )


def _joined(before: str, after: str) -> str:
    if _ARTICLE.fullmatch(before.strip()) and (_first(after) in _VERBS or _first(after) == "of"):
        before = ""  # "an overwhelming 70 percent of the town"
    before, after = before.strip(" ,;:–—\"“”'"), after.strip(' ,;:.–—"“”!?')
    return f"{before} {GAP} {after}".strip() if before else after


def _is_good(phrase: str, most: int, least: int) -> bool:
    """Whether a phrase can be read without its sentence."""
    parts = phrase.split()
    if not parts or len([part for part in parts if part != GAP]) > most:
        return False
    first = _first(phrase)
    if first in _RELATIVE or (GAP in parts and first in _POINTS_BACK):
        return False
    if GAP in parts and first in _HANGS and not parts[0][0].isupper():
        return False
    if cues.is_cut_off(phrase) or cues.opens_quotation(phrase) or cues.FILLER.search(phrase) or " ," in phrase:
        return False
    if parts[-1] != GAP and normal(parts[-1]) in FUNCTION_WORDS - _MAY_END:
        return False
    return len({word.stem for word in words(phrase) if word.stem and not word.stem.isdigit()}) >= least
