"""What a document itself tells somebody to do, and what it says will come of it. The document's own sentences."""

from __future__ import annotations

from dataclasses import replace

from localsum.writing import cues
from localsum.writing.material import POINTS_BACK, Material, Sentence
from localsum.writing.select import Insight, insight_of, pick_of, standing_up
from localsum.writing.shelf import Shelf


def advice(material: Material, words: int) -> list[Sentence]:
    """The sentences that tell somebody to do something."""
    return [
        s
        for s in material.sentences
        if s.is_usable and 6 <= s.words <= words and s.text[:1] not in '“"' and cues.is_directive(s.text)
    ]


def directives(material: Material, shelf: Shelf, *, most: int, words: int, impact_words: int) -> list[Insight]:
    """What the document tells somebody to do, best first by how directly it says so, in its own order."""

    def score(sentence: Sentence) -> float:
        imperative = bool(cues.IMPERATIVE.match(sentence.text))
        modal = bool(cues.DIRECTIVE.search(sentence.text))
        return 1.0 * modal + 0.8 * imperative + 0.4 * sentence.centrality + sentence.standing

    found: list[Insight] = []
    for sentence in sorted(advice(material, words), key=lambda s: (-score(s), s.index)):
        if joined := _joined(sentence, found, shelf, words):
            found = joined
        elif len(found) < most and shelf.is_free(sentence) and not _hangs(sentence, material, shelf, words):
            insight = insight_of(material, sentence, shelf, words=words, impact_words=impact_words)
            found.append(replace(insight, pick=replace(insight.pick, text=cues.without_label(insight.pick.text))))
    return sorted(found, key=lambda insight: insight.pick.evidence[0].start)


def _hangs(sentence: Sentence, material: Material, shelf: Shelf, words: int) -> bool:
    """Whether it opens with "this" or "they", and what they are cannot be shown with it."""
    alone = standing_up(sentence, material, shelf, words=words) == (sentence,)
    return alone and bool(cues.ANAPHORIC.match(cues.without_connective(sentence.text)))


def _joined(sentence: Sentence, found: list[Insight], shelf: Shelf, words: int) -> list[Insight]:
    """What was found, a sentence that points back ("It recommends …") behind the one it points at; else nothing."""
    if sentence.standing > POINTS_BACK or not shelf.is_free(sentence):
        return []
    for number, insight in enumerate(found):
        before = insight.pick.sentences
        if before[-1].index + 1 == sentence.index and sum(s.words for s in (*before, sentence)) <= words:
            shelf.take(sentence)
            pick = pick_of((*before, sentence))
            pick = replace(pick, text=cues.without_label(pick.text))
            return [*found[:number], Insight(pick, insight.impact), *found[number + 1 :]]
    return []
