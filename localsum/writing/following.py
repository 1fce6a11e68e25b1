"""What follows from a point and for whom, where a model is to say which sentence near by says so, or that none does.

It points at a sentence and writes none. Base models are not asked: their choice would be chance.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from localsum.engine import grammar
from localsum.templates import Field
from localsum.writing import cues
from localsum.writing.draft import Ask, Entry
from localsum.writing.material import Material, Sentence
from localsum.writing.select import Insight, as_consequence
from localsum.writing.shelf import Shelf
from localsum.writing.wording import fluent

NOT_SAID = "The text does not say."  # the answer where no sentence says what follows
_BEFORE, _BEHIND = 1, 3  # sentences read around a point; those behind it may follow from it
_LEAST_WORDS = 6
_MOST_OVERLAP = 0.6  # with what the brief says elsewhere


class Point(NamedTuple):
    """An item whose part is to say what follows from it, and the name of the question."""

    part: Field
    entry: Entry
    insight: Insight
    name: str


def near(material: Material, point: Sentence, *, words: int) -> list[Sentence]:
    """The sentences right behind a point that could be shown as what follows from it, at most `words` long each."""
    behind = material.sentences[point.index + 1 : point.index + 1 + _BEHIND]
    return [each for each in behind if _LEAST_WORDS <= each.words <= words and _can_be_shown(each.text)]


def _can_be_shown(text: str) -> bool:
    is_speech = text[:1] in "“\"'‘" or text[-1:] in '”"?' or cues.FIRST_PERSON.search(text)
    return not is_speech and not cues.is_directive(text)


def excerpt(material: Material, point: Sentence) -> str:
    """What a model reads: the point among its neighbours, then the point again."""
    around = material.sentences[max(0, point.index - _BEFORE) : point.index + 1 + _BEHIND]
    return f"{' '.join(fluent(each.text) for each in around)}\nPoint: {fluent(point.text)}"


def question(point: Point, material: Material, shelf: Shelf, count: Callable[[str], int]) -> Ask | None:
    """Which sentence says what follows from an item: what the rules took for it, or one that is still free.

    None where there is nothing to choose from, or where its own last clause says it.
    """
    part, entry, insight, name = point
    last = insight.pick.sentences[-1]
    own = insight.impact.sentences if insight.impact else ()
    if last in own:
        return None
    behind = [
        each for each in near(material, last, words=part.words) if each in own or shelf.is_free(each, _MOST_OVERLAP)
    ]
    picks = {pick.text: pick for pick in map(as_consequence, behind)}
    if insight.impact and not set(own) & set(behind):
        picks[insight.impact.text] = insight.impact
    if not picks:
        return None

    def use(answer: str) -> None:
        pick = picks.get(answer.strip())
        if pick and (pick.sentences == own or shelf.is_free(pick.sentences[0], _MOST_OVERLAP)):
            shelf.take(*pick.sentences)
            entry.parts[part.name] = pick.text
            entry.evidence[:] = [*insight.pick.evidence, *pick.evidence]
        elif answer.strip() == NOT_SAID:
            entry.parts[part.name] = ""
            entry.evidence[:] = insight.pick.evidence

    options = [*picks, NOT_SAID]
    longest = max(map(count, options))
    rule = grammar.choice(options, "\n")
    return Ask(name, part, excerpt(material, last), rule, longest + 4, use, is_question=True)
