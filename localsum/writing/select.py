"""Which sentences of a document serve which part of a brief. Pure functions of the material; no model, no template.

A pick is text for a reader and the spans it was taken from. Texts are the document's own words: only a leading
connective, or what stands before a clause, is taken off.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from localsum.document import Span
from localsum.grounding.names import names_in
from localsum.writing import cues
from localsum.writing.material import POINTS_BACK, Material, Sentence
from localsum.writing.shelf import MOST_OVERLAP, Shelf, overlap
from localsum.writing.topics import Topic
from localsum.writing.wording import closed, fluent, opening

_OPENING = 3  # sentences of a story that may say what it is about
_LEAST_OPENINGS = 2  # of stories; fewer are filled up with salient sentences
_LEAST_STORY = 50  # words of one that a summary may tell of
_MOST_GAP = 3  # sentences that a run may leave out at once
# Neither what somebody says of himself nor what went before follows from anything; nor does what is only imagined.
_NO_IMPACT = re.compile(
    r"[“\"]|(?:He|She|I|We|You)\b|(?:Earlier|Previously|(?:Just|Shortly) before|Before|Last (?:week|month|year|\w+day)"
    r"|In (?:19|20)\d\d|On \w+day|According to|As an (?:exercise|example)|Please|Imagine|Suppose)\b"
)
_ALONE = -0.9  # standing of a sentence that can be shown without its neighbours


@dataclass(frozen=True, slots=True)
class Pick:
    text: str
    evidence: tuple[Span, ...]
    sentences: tuple[Sentence, ...] = ()


def pick_of(sentences: Iterable[Sentence]) -> Pick:
    """The sentences as one text, each without its leading connective where the one before it is not shown too."""
    chosen = tuple(sorted(sentences, key=lambda s: s.index))
    return Pick(" ".join(_shown(chosen)), tuple(s.span for s in chosen), chosen)


def _shown(chosen: Sequence[Sentence]) -> list[str]:
    there = {s.index for s in chosen}
    texts = [s.text if s.index - 1 in there else opening(s.text) for s in chosen]
    return [closed(fluent(text)) for text in texts]


def named(pick: Pick, words: int) -> Pick:
    """The same with the name of each speaker in front, in conversations, and where somebody quoted says "I" or "we".

    The text must name them all, and there be room within so many `words`; the names are evidence too.
    """
    speakers = [s.speaker for s in pick.sentences]
    places = [speaker.place for speaker in speakers if speaker and speaker.place]
    says = any(cues.says_i(s.text) or (s.speaker and s.speaker.is_talking) for s in pick.sentences)
    if len(places) < len(speakers) or not says:
        return pick
    names = ["", *(speaker.name for speaker in speakers if speaker)]
    texts = [pick.text] if len(set(names)) == 2 else _shown(pick.sentences)  # of one speaker, as it was cut
    turns = zip(texts, names, names[1:], strict=False)
    text = " ".join(f"{now}: {said}" if now != before else said for said, before, now in turns)
    if len(text.split()) > words:
        return pick
    return replace(pick, text=text, evidence=tuple(sorted({*pick.evidence, *places})))


def greedy(
    pool: Iterable[Sentence], score: Callable[[Sentence], float], shelf: Shelf, *, most: int, words: int
) -> list[Sentence]:
    """Best sentences first, none repeating what is on the shelf, together at most `words`; takes them off the pool."""
    chosen: list[Sentence] = []
    room = words
    for sentence in sorted(pool, key=lambda s: (not s.is_usable, -score(s), s.index)):
        if len(chosen) == most or (chosen and not sentence.is_usable):
            break
        if sentence.words <= room and shelf.is_free(sentence):
            shelf.take(sentence)
            chosen.append(sentence)
            room -= sentence.words
    return chosen


def central(material: Material, shelf: Shelf, *, most: int, words: int, at_most: int) -> Pick:
    """A summary of about `words` words: the most salient sentences, in the document's order.

    Each choice may let the next sentence follow it. A second sentence may use all of `at_most` words.
    """
    chosen = _openings(material, shelf, most=most, words=at_most)
    while len(chosen) < (min(most, _LEAST_OPENINGS) if material.stories else most):
        shown = {s.index for s in chosen}

        def score(sentence: Sentence, shown: set[int] = shown) -> float:
            follows = sentence.index - 1 in shown and _says_who(sentence, material.sentences[sentence.index - 1])
            return material.salience(sentence, follows=follows)

        used = sum(s.words for s in chosen)
        more = greedy(material.sentences, score, shelf, most=1, words=words - used)
        if not more and len(chosen) == 1:
            more = greedy(material.sentences, score, shelf, most=1, words=at_most - used)
        if not more or (chosen and not more[0].is_usable):
            break
        chosen += more
    return pick_of(chosen)


def _openings(material: Material, shelf: Shelf, *, most: int, words: int) -> list[Sentence]:
    """Of a document that holds several stories: a sentence of each of the first, that says what it is about."""
    chosen: list[Sentence] = []
    for first, last in material.stories:
        inside = material.sentences[first:last]
        opening = [s for s in inside if s.place < _OPENING and s.standing > _ALONE and not cues.PERSONAL.search(s.text)]
        used = sum(s.words for s in chosen)
        if sum(s.words for s in inside) >= _LEAST_STORY:
            chosen += greedy(
                opening, lambda s: s.standing + 0.3 * s.centrality - 0.2 * s.place, shelf, most=1, words=words - used
            )
        if len(chosen) == most:
            break
    return chosen


def _says_who(sentence: Sentence, before: Sentence) -> bool:
    """Whether the sentence before tells who "he" or "she" is; for what else points back it is enough to be there."""
    return not cues.PERSON.match(sentence.text) or any(name.sure for name in names_in(before.text))


def window(
    pool: Sequence[Sentence], score: Callable[[Sentence], float], shelf: Shelf, *, most: int, words: int
) -> list[Sentence]:
    """The best run of up to `most` free sentences that reads as one: the first, and each after a gap, stands alone.

    A run is worth the mean score of its sentences, and a little for every sentence more. Takes it off the pool.
    """
    best: tuple[float, list[Sentence]] = (-1e9, [])
    free = [shelf.is_free(sentence) for sentence in pool]
    for start, first in enumerate(pool):
        if not free[start] or first.standing <= -1.0 or first.words > words:
            continue
        run: list[Sentence] = []
        room = words
        for at in range(start, len(pool)):
            sentence = pool[at]
            if len(run) == most or sentence.index - (run[-1].index if run else sentence.index) > _MOST_GAP:
                break
            follows = bool(run) and sentence.index == run[-1].index + 1
            if (
                not free[at]
                or sentence.words > room
                or sentence.standing <= (-1.9 if follows else -0.5 if run else -1.0)
            ):
                continue
            if any(overlap(sentence.stems, other.stems) > MOST_OVERLAP for other in run):
                continue
            run.append(sentence)
            room -= sentence.words
            value = sum(map(score, run)) / len(run) + 0.9 * len(run)
            if value > best[0]:
                best = (value, list(run))
    shelf.take(*best[1])
    return best[1]


def about(topic: Topic, material: Material, shelf: Shelf, *, most: int, words: int) -> Pick:
    """What a topic says: a run of its sentences, central ones, its opening preferred."""
    pool = [s for s in material.sentences[topic.first : topic.last] if s.is_usable]
    alone = [s for s in pool if s.standing > _ALONE]

    def score(sentence: Sentence) -> float:
        opening = 0.5 if sentence.index - topic.first < 2 else 0.0
        return sentence.centrality + 0.7 * sentence.standing + opening

    run = window(pool, score, shelf, most=most, words=words)
    run = run or greedy(alone, score, shelf, most=1, words=words) or greedy(pool, score, shelf, most=1, words=words)
    return pick_of(run)


def closing(material: Material, shelf: Shelf, *, most: int, words: int, at_most: int) -> Pick:
    """How the document ends: from its last sentences a run that sums up or looks ahead."""
    usable = [s for s in material.sentences if s.is_usable]
    tail = usable[-max(4, len(usable) // 7) :]
    alone = [s for s in tail if s.standing > _ALONE]

    def score(sentence: Sentence) -> float:
        near = max(0.0, 1.0 - (usable[-1].index - sentence.index) / max(4, len(tail)))
        says = bool(cues.CLOSING.search(sentence.text))
        listed = material.document.blocks[sentence.block].kind == "item"
        return 0.9 * near + 0.7 * says + 0.6 * sentence.centrality + 0.7 * sentence.standing - 1.0 * listed

    run = window(tail, score, shelf, most=most, words=words)
    run = (
        run or greedy(alone, score, shelf, most=1, words=at_most) or greedy(usable, score, shelf, most=1, words=at_most)
    )
    return pick_of(run)


def standing_up(sentence: Sentence, material: Material, shelf: Shelf, *, words: int) -> tuple[Sentence, ...]:
    """The sentence, and before it the one it points back to, if that is free and both fit in `words`."""
    if sentence.standing > -1.0 or sentence.index == 0:
        return (sentence,)
    before = material.sentences[sentence.index - 1]
    fits = before.words + sentence.words <= words and before.standing > -1.0 and not before.text.endswith("?")
    return (before, sentence) if fits and not shelf.is_taken(before) else (sentence,)


@dataclass(frozen=True, slots=True)
class Insight:
    pick: Pick
    impact: Pick | None


def insights(
    material: Material,
    topics: list[Topic],
    shelf: Shelf,
    *,
    least: int,
    most: int,
    words: int,
    impact_words: int,
    match: tuple[str, ...],
) -> list[Insight]:
    """Claims from all over the document, each with what the text says will follow from it, where it says so.

    One from each topic first, best topics first; then the best of what is left. More than `least` only of those that
    say something without the sentence before them.
    """
    wanted = cues.matcher(match) if match else None

    def score(sentence: Sentence) -> float:
        claim = min(2, len(cues.CLAIM.findall(sentence.text)))
        follows = consequence(material, (sentence,), shelf, words=impact_words) is not None
        asked = 3.0 * bool(wanted and wanted.search(sentence.text))
        order = 1.5 * bool(cues.IMPERATIVE.match(sentence.text))
        return sentence.centrality - order + 0.5 * claim + 2.0 * follows + 1.5 * sentence.standing + asked

    pool = [s for s in material.sentences if s.is_usable and 8 <= s.words <= words and s.text[:1] not in '“"']
    scores = {s.index: score(s) for s in pool if shelf.is_free(s)}
    rank = sorted(scores, key=lambda i: (-scores[i], i))
    first = [next((i for i in rank if topic.first <= i < topic.last), -1) for topic in topics]
    best_of_topics = sorted((i for i in first if i >= 0 and scores[i] > 0), key=lambda i: -scores[i])
    found: list[Insight] = []
    for index in best_of_topics + [i for i in rank if i not in best_of_topics]:
        if len(found) == most:
            break
        sentence = material.sentences[index]
        points_back = sentence.standing < POINTS_BACK and standing_up(sentence, material, shelf, words=words)[1:] == ()
        if shelf.is_free(sentence) and not (points_back and len(found) >= least):
            found.append(insight_of(material, sentence, shelf, words=words, impact_words=impact_words))
    return sorted(found, key=lambda insight: insight.pick.evidence[0].start)


def insight_of(material: Material, sentence: Sentence, shelf: Shelf, *, words: int, impact_words: int) -> Insight:
    """The sentence with what follows from it; both are taken."""
    chosen = standing_up(sentence, material, shelf, words=words)
    shelf.take(*chosen)
    impact = consequence(material, chosen, shelf, words=impact_words)
    if impact is None:
        return Insight(pick_of(chosen), None)
    if impact.sentences == (sentence,):
        return Insight(_before_clause(chosen), impact)
    shelf.take(*impact.sentences)
    return Insight(pick_of(chosen), impact)


def _before_clause(chosen: tuple[Sentence, ...]) -> Pick:
    """The sentences, less the last clause, which became the impact."""
    clause = _clause(chosen[-1])
    assert clause is not None
    texts = [sentence.text for sentence in chosen[:-1]] + [chosen[-1].text[: clause.start()]]
    parts = [closed(cues.without_connective(fluent(text))) for text in texts]
    return Pick(" ".join(parts), tuple(s.span for s in chosen), chosen)


def _clause(sentence: Sentence) -> re.Match[str] | None:
    """Where a clause of consequence begins that can be told apart from the claim before it."""
    matches = list(cues.CONSEQUENCE_CLAUSE.finditer(sentence.text))
    if not matches or matches[-1].start() < 45:
        return None
    rest = sentence.text[matches[-1].end() :]
    if len(rest.split()) < 5 or cues.FIRST_PERSON.search(rest):
        return None
    before = sentence.text[: matches[-1].start()]
    balanced = (
        before.count("“") == before.count("”") and before.count('"') % 2 == 0 and before.count("(") == before.count(")")
    )
    # "In a time when cars grow, making them small …": what stands before is no claim.
    hangs = cues.SUBORDINATE.match(before) and "," not in before
    return matches[-1] if balanced and not hangs else None


def consequence(material: Material, claim: tuple[Sentence, ...], shelf: Shelf, *, words: int) -> Pick | None:
    """What follows from a claim, as the text has it: its own last clause, else the sentence right behind it, in its
    paragraph, if that says so of the claim. Any other that looks ahead was wrong every second time (DECISIONS.md).
    """
    last = claim[-1]
    if clause := _clause(last):
        text = last.text[clause.end() :].removeprefix("that ")
        return Pick(closed(text[:1].upper() + text[1:]), (last.span,), (last,))
    for other in material.sentences[last.index + 1 : last.index + 2]:
        fits = other.block == last.block and other.is_usable and 6 <= other.words <= words
        if fits and says_what_follows(other.text) and shelf.is_free(other, 0.6):
            text = cues.without_connective(fluent(other.text))
            stripped = (
                cues.EXPLICIT_CONSEQUENCE.sub("", text, count=1).removeprefix("That ") if _says_it(text) else text
            )
            return Pick(closed(stripped[:1].upper() + stripped[1:]), (other.span,), (other,))
    return None


def says_what_follows(text: str) -> bool:
    """Whether a sentence says what follows from the one before it: "That means …", "This could …", "The move may …"."""
    if _NO_IMPACT.match(text) or text[-1:] in '?”"' or cues.FIRST_PERSON.search(text) or cues.is_directive(text):
        return False
    bare = cues.without_connective(text)
    return _says_it(bare) or cues.FOLLOWS_FROM_IT.match(bare) is not None


def _says_it(text: str) -> bool:
    return cues.EXPLICIT_CONSEQUENCE.match(text) is not None
