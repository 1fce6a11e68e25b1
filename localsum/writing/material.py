"""What extraction knows of a document: its sentences, how central each is, and what each could serve for.

Built once per document, in time linear in its length. Knows nothing of templates, fields or models.
"""

from __future__ import annotations

import bisect
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

from localsum.document import Document, Span
from localsum.grounding.words import words
from localsum.sentences import Sentence as Whole
from localsum.sentences import sentences
from localsum.writing import cues
from localsum.writing.aside import aside
from localsum.writing.turns import Speaker, is_conversation, speakers

_SPACE = re.compile(r"\s+")
_DOMAIN = re.compile(r"\b[\w-]{2,63}\.(?:com|org|net|io|dev|ai|co)\b")
_SOMEBODY = re.compile(r"[A-Z]")
_NAMED = re.compile(r"[A-Z]|\b(?:the|a|an|your|our)\s\w+\s(?!own\b)")
LEAD = 4.5  # weight of a sentence's place: LEAD * exp(-index / LEAD_DECAY), measured on news (see DECISIONS.md)
LEAD_DECAY = 6.0
LEAST_STANDING = -2.0
POINTS_BACK = -1.4  # below this a sentence says little without the one before it
_UNLIKE = 0.1  # parts of a newsletter have 0.02 to 0.09 in common, of a text on one subject 0.15 to 0.55
_FEWEST_STORIES = 4
_LEAST_STORY = 15  # content words; shorter parts are not compared
_NO_PLACE = 99  # of a sentence before the first of several stories
_FEW = 10  # words
_LEAST_SPOKEN = 9  # words of a spoken sentence that says something,
_LEAST_CONTENT = 5  # and different content words
_OPENING = 5  # sentences that may begin with a dateline
_EARLY = 1.5  # weight of a word of the first sentences
LOST = 3.0  # what a summary's sentence loses by that
_LONG = 1500  # words; in longer documents the opening tells less of the whole
STANDING = 0.5  # weight of how well it stands alone


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of the document. `text` has its white space folded; `span` is where it stands."""

    index: int
    span: Span
    block: int
    text: str
    words: int
    stems: frozenset[str]
    centrality: float  # cosine with the document's centroid, as a z-score
    standing: float  # how well it stands alone: 0 is well, below is worse
    place: int  # how many usable sentences come before it, in its story if the document holds several
    speaker: Speaker | None = None  # who says it, in a transcript or a block quotation

    @property
    def is_usable(self) -> bool:
        """Fit to be shown on its own."""
        return self.standing > LEAST_STANDING


@dataclass(frozen=True)
class Material:
    document: Document
    sentences: tuple[Sentence, ...]
    stories: tuple[tuple[int, int], ...] = ()  # of a document that holds several: first sentence, and behind the last

    @cached_property
    def lead(self) -> float:
        """What the very first sentence gains by its place."""
        return LEAD * min(1.0, _LONG / max(1, sum(s.words for s in self.sentences)))

    def salience(self, sentence: Sentence, *, follows: bool = False) -> float:
        """How much a summary should want this sentence: central, early, and able to stand alone.

        One that `follows` a sentence shown before it may point back at that.
        """
        standing = max(sentence.standing, -0.3) if follows and sentence.is_usable else sentence.standing
        lost = LOST if standing < POINTS_BACK else 0.0
        return sentence.centrality + self.lead * math.exp(-sentence.place / LEAD_DECAY) + STANDING * standing - lost

    def at(self, spans: Iterable[Span]) -> tuple[Sentence, ...]:
        """The sentences that lie, in part at least, in one of the spans."""
        where = tuple(spans)
        return tuple(s for s in self.sentences if any(s.span.start < e.end and e.start < s.span.end for e in where))

    @cached_property
    def spread(self) -> Counter[str]:
        """In how many sentences each stem occurs."""
        return Counter(stem for sentence in self.sentences for stem in sentence.stems)

    @cached_property
    def weight(self) -> dict[str, float]:
        """How much each stem says of what the document is about: often said, and early, but not everywhere."""
        early = {stem for s in [s for s in self.sentences if s.is_usable][:3] for stem in s.stems}
        count = len(self.sentences)
        return {
            stem: n * math.log(1 + count / n) * (_EARLY if stem in early else 1.0) for stem, n in self.spread.items()
        }

    def text(self, span: Span) -> str:
        return self.document.text[span.start : span.end]


def gather(document: Document) -> Material:
    """Split, weigh and mark the sentences of a document."""
    # A document of headings, tables or code only has no sentences: then each block is one.
    raw = sentences(document) or [Whole(b.start, b.end, i) for i, b in enumerate(document.blocks)]
    raw = [_without_dateline(document, s) for s in raw[:_OPENING]] + raw[_OPENING:]
    texts = [_SPACE.sub(" ", document.text[s.start : s.end]).strip() for s in raw]
    bags = _bags(texts)
    centrality = _z_scores(_centrality(bags))
    beside = aside(document, [s.block for s in raw], texts)
    said_by, are_talking = speakers(document), is_conversation(document)
    found: list[Sentence] = []
    stories = _story_starts(document, [s.block for s in raw], bags, beside)
    place = 0
    for index, (sentence, text, bag) in enumerate(zip(raw, texts, bags, strict=True)):
        block = document.blocks[sentence.block]
        starts_block = index == 0 or raw[index - 1].block != sentence.block
        count = len(text.split())
        is_spoken = are_talking and block.speaker is not None
        standing = how_it_stands(text, count, len(bag), is_spoken=is_spoken, starts_block=starts_block)
        if block.kind == "quote" and not cues.STOP.search(text):
            standing -= 1.0  # figures or verses, line by line
        if sentence.block in beside:
            standing -= 2.0
        if block.kind == "quote" and cues.says_i(text):
            standing -= 0.8 if said_by[sentence.block] else 1.5  # whoever is quoted
        if index < min(stories, default=0):
            standing -= 0.8  # a greeting
        span = Span(sentence.start, sentence.end)
        if index in stories:
            place = 0
        before = place if index >= min(stories, default=0) else _NO_PLACE
        stems, speaker = frozenset(bag), said_by[sentence.block]
        found.append(
            Sentence(index, span, sentence.block, text, count, stems, centrality[index], standing, before, speaker)
        )
        place += found[-1].is_usable
    edges = sorted(stories) + [len(found)] * bool(stories)
    return Material(document, tuple(found), tuple(pairwise(edges)))


def _without_dateline(document: Document, sentence: Whole) -> Whole:
    """The sentence without the "MADRID (AP) — " that a report opens with."""
    match = cues.DATELINE.match(document.text[sentence.start : sentence.end])
    return replace(sentence, start=sentence.start + match.end()) if match else sentence


def _bags(texts: list[str]) -> list[Counter[str]]:
    return [Counter(word.stem for word in words(text) if word.stem and not word.stem.isdigit()) for text in texts]


class Story(NamedTuple):
    """One story of a document that holds several: its heading, and what stands under it."""

    heading: Span
    body: Span


def stories(document: Document) -> list[Story]:
    """The stories of a document that holds several, without greetings, advertisements and appendices; else none."""
    headings = [number for number, block in enumerate(document.blocks) if block.kind == "heading"]
    if len(headings) < _FEWEST_STORIES:
        return []
    raw = sentences(document)
    texts = [_SPACE.sub(" ", document.text[s.start : s.end]).strip() for s in raw]
    blocks = [s.block for s in raw]
    beside = aside(document, blocks, texts)
    if not _story_starts(document, blocks, _bags(texts), beside):
        return []
    found = []
    for heading, following in pairwise([*headings, len(document.blocks)]):
        inside = [n for n in range(heading + 1, following) if n not in beside]
        if inside:
            title, first, last = (document.blocks[n] for n in (heading, inside[0], inside[-1]))
            found.append(Story(Span(title.start, title.end), Span(first.start, last.end)))
    return found


def _story_starts(document: Document, blocks: list[int], bags: list[Counter[str]], beside: set[int]) -> set[int]:
    """The first sentence under each heading, and behind each ruled line, if what stands there has little in common.

    Empty for a document about one subject. What comes before the first of several stories greets and announces.
    """
    headings = [number for number, block in enumerate(document.blocks) if block.kind == "heading"]
    edges = [*headings, *(part - 1 for part in document.parts)]
    starts = sorted({first for edge in edges if (first := bisect.bisect(blocks, edge)) < len(blocks)})
    own = [bag if block not in beside else Counter[str]() for block, bag in zip(blocks, bags, strict=True)]
    parts = [Counter(stem for bag in own[a:b] for stem in bag.elements()) for a, b in pairwise([*starts, len(own)])]
    parts = [part for part in parts if part.total() >= _LEAST_STORY]
    if len(parts) < _FEWEST_STORIES or _likeness(parts) >= _UNLIKE:
        return set()
    # "Week one was awful", "Week two was interesting": one story, however it is told.
    begins = Counter(document.text[document.blocks[n].start :].split(maxsplit=1)[0].casefold() for n in headings)
    is_one = any(word.isalpha() and count > len(headings) / 2 for word, count in begins.items())
    return set() if is_one else set(starts)


def _likeness(parts: list[Counter[str]]) -> float:
    """Mean cosine of all pairs, from the length of the sum of their unit vectors: linear in their words."""
    total: defaultdict[str, float] = defaultdict(float)
    for part in parts:
        length = math.sqrt(sum(n * n for n in part.values()))
        for stem, n in part.items():
            total[stem] += n / length
    return (sum(value * value for value in total.values()) - len(parts)) / (len(parts) * (len(parts) - 1))


def _centrality(bags: list[Counter[str]]) -> list[float]:
    """Cosine of each sentence's tf-idf vector with their sum."""
    spread = Counter(stem for bag in bags for stem in bag)
    weight = {stem: math.log(1 + len(bags) / n) for stem, n in spread.items()}
    centroid: Counter[str] = Counter()
    for bag in bags:
        for stem, n in bag.items():
            centroid[stem] += n * weight[stem]  # type: ignore[assignment]  # typeshed knows whole counts only
    length = math.sqrt(sum(value * value for value in centroid.values())) or 1.0
    scores = []
    for bag in bags:
        own = math.sqrt(sum((n * weight[stem]) ** 2 for stem, n in bag.items())) or 1.0
        scores.append(sum(n * weight[stem] * centroid[stem] for stem, n in bag.items()) / (own * length))
    return scores


def _z_scores(values: list[float]) -> list[float]:
    if not values:
        return []
    mean = sum(values) / len(values)
    deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / len(values)) or 1.0
    return [(value - mean) / deviation for value in values]


def how_it_stands(text: str, count: int, content: int, *, is_spoken: bool = False, starts_block: bool = True) -> float:
    """How well a sentence stands alone; -2 and below are never shown alone. Weights by reading, not by fitting."""
    score = 0.0
    if cues.NOISE.search(text):
        score -= 3.0
    if count < 6 or count > 60:
        score -= 3.0
    elif count > 42:
        score -= 0.8
    if text.endswith("?"):
        score -= 2.5
    elif not cues.STOP.search(text):
        score -= 2.0 if text[-1:] in ":,;–—" or count < 10 else 1.2
    bare = cues.without_connective(text)
    if cues.ANAPHORIC.match(bare):
        score -= 1.2 if starts_block and bare == text else 1.5
    elif cues.DEFINITE.match(bare):
        score -= 0.5 if starts_block and bare == text else 1.2
    elif cues.POINTING_OBJECT.match(bare):
        score -= 1.2
    elif (pointing := cues.PRONOUN_SUBJECT.search(text[:70])) and not (
        _SOMEBODY if pointing.group() in ("he", "she") else _NAMED
    ).search(text, 1, pointing.start()):
        score -= 1.0
    elif cues.POINTING_INSIDE.match(bare):
        score -= 0.8
    elif cues.BARE.match(bare):
        score -= 0.4
    elif bare[:20] != text[:20]:
        score -= 0.3
    if fillers := len(cues.FILLER.findall(text)):
        score -= min(1.5, 5.0 * fillers / count)
    if cues.ROADMAP.search(text):
        score -= 0.8
    if _DOMAIN.search(text):
        score -= 0.8
    if text[:1] in "([":
        score -= 2.0
    elif text[:1] in "“\"'‘":
        score -= 1.2
    if cues.LABELLED_PIECE.match(text):
        score -= 1.5
    if cues.is_cut_off(text):
        score -= 2.0  # a piece of a longer quotation
    elif cues.opens_quotation(text):
        score -= 0.5
    if cues.UNMARKED_QUESTION.match(bare):
        score -= 1.5
    if is_spoken:  # half a thought, or about the speaker
        score -= 1.5 * (count < _LEAST_SPOKEN or content < _LEAST_CONTENT) + 0.8 * bool(cues.MUSING.match(bare))
        score -= 1.2 * bool(cues.PROCEDURE.search(text))
    if cues.FIRST_PERSON.search(text):
        score -= 1.0 if not is_spoken or cues.FIRST_PERSON.match(bare) else 0.3
    if not is_spoken and cues.SECOND_PERSON.search(text):
        score -= 0.3
    commas = text.count(",")
    if commas > count / 3:  # words in a row, not a sentence
        score -= 2.0
    elif commas > 1 and commas >= count / 5 and count <= _FEW:  # "Three lines, a fixed form, letters that look alike."
        score -= 1.2
    letters = sum(c.isalpha() for c in text)
    if letters < 0.6 * len(text):  # tables, link lists, formulas
        score -= 2.0
    return score
