"""Sentences that hold certain words, for fields that nothing else may fill: decisions, risks, limits of a study.

Which words is the template's business. Pure functions of the material.
"""

from __future__ import annotations

import re

from localsum.writing import cues, select
from localsum.writing.material import POINTS_BACK, Material, Sentence
from localsum.writing.shelf import Shelf

_LEAST_MATCH = -0.3
_SHORT = 7  # words; a shorter sentence is shown with what it is about,
_BACK = 8  # at most so many sentences before it
# Words right before a match that take it back.
_DENIED = re.compile(
    r"(?:\b(?:not|never|no|nor|neither|without|cannot|if|whether|unless)|n['’]t)\s(?:[\w’']+\s){0,2}\Z", re.IGNORECASE
)
# What others did before: not what a text itself claims, finds or decides.
_BACKGROUND = re.compile(
    r"\b(?:existing|previous|prior|earlier|traditional|conventional|classical|celebrated|recent|current|most|other)"
    r"(?: \w+)? (?:work|works|methods?|approach(?:es)?|models?|techniques?|stud(?:y|ies)|systems?|research|variants)\b"
    r"|\b(?:has|have) (?:remained|been (?:able|shown|widely|successfully))\b|\bremains? (?:challenging|difficult)\b",
    re.IGNORECASE,
)


def matches(text: str, wanted: re.Pattern[str]) -> int:
    """How many of the words that are asked for the text says; not what it denies, asks or only supposes."""
    if text.endswith("?"):
        return 0
    found = (
        match for match in wanted.finditer(text) if not _DENIED.search(text[max(0, match.start() - 30) : match.start()])
    )
    return len({match.group().casefold() for match in found})


def matching(
    material: Material,
    shelf: Shelf,
    *,
    match: tuple[str, ...],
    others: list[tuple[str, ...]],
    most: int,
    words: int,
    impact_words: int,
) -> list[select.Insight]:
    """Sentences that hold one of the words, those that hold several preferred, in the document's order.

    What holds more words of one of `others` is left to it.
    """
    wanted, unwanted = cues.matcher(match), [cues.matcher(other) for other in others]
    hits = {s.index: matches(s.text, wanted) for s in material.sentences if _is_fit(s) and s.words <= words}

    def score(sentence: Sentence) -> float:
        before = 2.0 * bool(_BACKGROUND.search(sentence.text))
        standing = max(-0.5, sentence.standing) if sentence.words < _SHORT else sentence.standing
        return 0.8 * min(3, hits[sentence.index]) + 0.5 * sentence.centrality + standing - before

    found: list[select.Insight] = []
    scores = {i: score(material.sentences[i]) for i in hits if hits[i]}
    for index in sorted((i for i in scores if scores[i] > _LEAST_MATCH), key=lambda i: (-scores[i], i)):
        sentence = material.sentences[index]
        if any(matches(sentence.text, other) > hits[index] for other in unwanted):
            continue  # it serves another field better
        if len(found) == most or not shelf.is_free(sentence):
            continue
        if sentence.words < _SHORT:
            if subject := _subject(sentence, material, words):
                shelf.take(subject, sentence)
                found.append(select.Insight(select.pick_of([subject, sentence]), None))
        elif sentence.standing > POINTS_BACK or len(select.standing_up(sentence, material, shelf, words=words)) > 1:
            found.append(select.insight_of(material, sentence, shelf, words=words, impact_words=impact_words))
    return sorted(found, key=lambda insight: insight.pick.evidence[0].start)


def _is_fit(sentence: Sentence) -> bool:
    return sentence.is_usable if sentence.words >= _SHORT else not sentence.text.endswith("?")


def _subject(sentence: Sentence, material: Material, words: int) -> Sentence | None:
    """What a short sentence is about, "The motion passes.": the nearest sentence before it with a word of it."""
    before = material.sentences[max(0, sentence.index - _BACK) : sentence.index]
    fits = (s for s in reversed(before) if s.stems & sentence.stems and _SHORT <= s.words <= words - sentence.words)
    return next(fits, None)
