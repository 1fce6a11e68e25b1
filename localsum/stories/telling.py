"""How the stories of a digest are told: which documents tell each, in which order they come, and in whose words.

A story's headline and sentences are those of the briefs of its documents. Scores are sums of few plain terms, each
between 0 and 1 before its weight.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import NamedTuple

from localsum.brief import Brief, Mode, Verdict
from localsum.digest import Evidence, Source, Story, Support
from localsum.document import Span
from localsum.grounding import Source as Checked
from localsum.grounding import check
from localsum.grounding.names import names_in
from localsum.grounding.values import numbers_in
from localsum.grounding.words import content_stems, stem_overlap, words
from localsum.sentences import split
from localsum.stories import alike, copies
from localsum.stories.parts import Part
from localsum.writing import cues
from localsum.writing.gate import in_own_voice
from localsum.writing.headline import clause, is_generic, own_title
from localsum.writing.material import how_it_stands
from localsum.writing.title import LABELLED, joins_far_apart, says_something, stands

SENTENCES = 2  # of a story
_SOURCES = 1.0  # weights: how many tell it,
_COPIES = 0.5  # how often it was republished,
_RECENT = 1.0  # how new it is,
_NEWSWORTHY = 1.5  # and how much it reads like news
_DAYS = 3.0  # after which a story counts for a third of a new one
_UNDATED = 0.5
_OPENING = 120  # words
_SAME = 0.5  # overlap above which a sentence says what another has said
_WORST: tuple[Verdict, ...] = ("supported", "partial", "unsupported")
_LEAST_HEADLINE = 3  # words
_LONGEST_HEADLINE = 20
_SHORT = 14  # words of one that is cut from a sentence, if it can be,
_HEADLINE = 20  # or else
_MOST_WORDS = 90  # of a story
_ABOUT = 0.5  # share of a headline's content words that the first sentence must have;
_HINTED = 0.35  # or so much,
_TOLD = 0.9  # and all sentences together nearly all
_QUOTED = re.compile(r"[\"“][^\"“”]*[\"”]")
_PRONOUN = re.compile(r"(?:[\w'’-]+ ){0,2}(?:he|she|him|his|her|hers|they|them|their|theirs|its)\b", re.IGNORECASE)
_SOMEBODY = re.compile(r"[A-Z]\w|\b(?:an?|two|three|four|many|most|some|people|women|men|children|users) \w")
_PERSONAL = re.compile(r"\b(?:I|we|you|my|our|your|me|us)\b", re.IGNORECASE)
_HAPPENED = re.compile(
    r"\b(?:said|says|announced?|announces|released?|releases|launched|reported|ruled|agreed|killed|died|arrested"
    r"|charged|won|lost|fell|rose|bought|acquired|sued|banned|approved|voted|elected|opened|closed|struck|found"
    r"|published|warned|will|has|have been|has been|was|were)\b"
)


@dataclass(frozen=True)
class Told:
    """A brief with title and summary, and the part of a document it is of."""

    brief: Brief
    part: Part

    @cached_property
    def key(self) -> tuple[str, str, int]:
        """Tells it from all others by what it is, not by when it was read."""
        return (self.part.document.sha256, self.part.whole.path or "", self.part.start)

    @property
    def whole_key(self) -> tuple[str | None, str]:
        """Tells the document that it is a part of from others."""
        return (self.part.whole.path, self.part.whole.sha256)

    @property
    def headline(self) -> str:
        """An editor's, if there is one; else what the brief says."""
        return self.own_headline or str(self.brief["title"])

    @cached_property
    def own_headline(self) -> str:
        """The title of the document, or a newsletter's heading of the story; "" if it says too little."""
        document = self.part.document
        own = " ".join((document.title or "").split())
        stems = {each for each in content_stems(own) if not each.isdigit()}
        if not _LEAST_HEADLINE <= len(own.split()) <= _LONGEST_HEADLINE or not stems:
            return own_title(own, document.text, _LONGEST_HEADLINE)
        if document is not self.part.whole:
            is_date = any(name.calendar for name in names_in(own)) and len(stems) < 3
            return "" if is_date else own
        is_about = len(stems & content_stems(document.text)) >= _ABOUT * len(stems) and len(stems) > 1
        is_short = is_about and not is_generic(own)
        return own_title(own, document.text, _LONGEST_HEADLINE) or (own if is_short else "")

    @cached_property
    def sentences(self) -> list[str]:
        text = str(self.brief["summary"])
        return [text[span.start : span.end] for span in split(text)]

    @property
    def mode(self) -> Mode:
        return self.brief.fields["summary"].mode

    @cached_property
    def checked(self) -> Checked:
        return Checked.of(self.part.document)

    @cached_property
    def newsworthy(self) -> float:
        """Whether it tells of an event: somebody named, a number, something that happened; not "I", "we" and "you"."""
        text = f"{self.headline}. {' '.join(self.sentences)}"
        opening = " ".join(self.part.document.text.split()[:_OPENING])
        named = any(name.sure and not name.calendar for name in names_in(text))
        counted = any(value.digits > 1 or value.number > 1 for value in numbers_in(text))
        happened = min(1.0, len(_HAPPENED.findall(" ".join(self.sentences))) / 2)
        personal = min(1.0, len(_PERSONAL.findall(opening)) * 20 / max(1, len(opening.split())))
        return 0.3 * named + 0.15 * counted + 0.25 * happened + 0.3 * (1 - personal)


@dataclass(frozen=True)
class Telling:
    """A story: the documents that tell it in words of their own, best first, and those that are copies of these."""

    tellers: tuple[Told, ...]
    copies: tuple[Told, ...]

    @cached_property
    def headline(self) -> str:
        """An editor's, the best document's first; else the brief's, if it tells what the story's first sentence tells;
        else a clause of this.
        """
        if self._given in (one.own_headline for one in self.tellers) and self._given:
            return self._given
        if not self.lines:
            return self._given or " ".join(self.tellers[0].part.document.text.split()[:_SHORT])
        first, *others = (line.text for line in self.lines)
        if self._given and not is_weak(self._given, first, others):
            return self._given
        return clause(first, _SHORT, is_last_resort=False) or clause(first, _HEADLINE) or self._given

    @cached_property
    def _given(self) -> str:
        """The headline that comes with the documents."""
        own = [one.own_headline for one in self.tellers if one.own_headline]
        known = own or [one.headline for one in self.tellers if one.headline]
        return next(filter(stands, known), known[0] if known else "")

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """The sentences of the story, chosen from the summaries of its tellers."""
        pool = [
            Line(number, place, text)
            for number, one in enumerate(self.tellers)
            for place, text in enumerate(one.sentences)
        ]
        if not pool:
            return ()

        def opening(line: Line) -> tuple[float, int, int]:
            worth = _opening(line, self.tellers[line.teller], self._given)
            return round(worth, 9), -line.teller, -line.place

        chosen = [max(pool, key=opening)]
        while len(chosen) < SENTENCES:
            free = [line for line in pool if all(stem_overlap(line.text, one.text) <= _SAME for one in chosen)]
            worth = {line: _following(line, chosen, self._given) for line in free}
            best = max(free, key=lambda line: (round(worth[line], 9), -line.teller, -line.place), default=None)
            if best is None or worth[best] <= 0:
                break
            chosen.append(best)
        return tuple(_alone(line, chosen) for line in chosen)

    @cached_property
    def _numbers(self) -> dict[tuple[str | None, str], int]:
        """The documents that tell it, each once: of a newsletter several parts may."""
        keys = dict.fromkeys(one.whole_key for one in (*self.tellers, *self.copies))
        return {key: number for number, key in enumerate(keys)}

    @cached_property
    def sources(self) -> tuple[Source, ...]:
        wholes = {one.whole_key: one.part.whole for one in (*self.tellers, *self.copies)}
        own = {one.whole_key for one in self.tellers}
        return tuple(Source(wholes[key], duplicate=key not in own) for key in self._numbers)

    def evidence(self, teller: int, span: Span) -> Evidence:
        """A span of what a teller was told from, as evidence in the whole document."""
        one = self.tellers[teller]
        return Evidence(self._numbers[one.whole_key], one.part.start + span.start, one.part.start + span.end)

    @cached_property
    def story(self) -> Story:
        modes = {self.tellers[line.teller].mode for line in self.lines}
        mode: Mode = modes.pop() if len(modes) == 1 else "mixed" if modes else "empty"
        text = " ".join(line.text for line in self.lines)
        return Story(self.headline, text, mode, self.sources, self._support())

    def _support(self) -> Support:
        """What each sentence's own source says to it."""
        found = [(line.teller, check(line.text, self.tellers[line.teller].checked)) for line in self.lines]
        evidence = [self.evidence(n, span) for n, each in found for span in each.evidence]
        verdict: Verdict = max((each.verdict for _, each in found), key=_WORST.index, default="supported")
        reasons = dict.fromkeys(reason for _, each in found for reason in each.reasons)
        return Support(verdict, tuple(dict.fromkeys(evidence)), tuple(reasons))


def stories_of(every: Sequence[Told]) -> list[Telling]:
    """The stories that these documents tell, the most important first; the same for every order."""
    told = sorted(every, key=lambda one: one.key)
    folded = copies.fold([one.part.document.text for one in told])
    profiles = [_profile(told[group[0]]) for group in folded]
    keys = ["\0".join(map(str, told[group[0]].key)) for group in folded]
    likeness = alike.Likeness(profiles, keys)
    newest = max((one.published for one in profiles if one.published), default=None)
    ranked = []
    for members in alike.group(likeness):
        tellers = _best_first([told[folded[i][0]] for i in members], members, likeness)
        again = [told[n] for i in members for n in folded[i][1:]]
        days = [profiles[i].published for i in members]
        importance = (
            _SOURCES * math.log2(len({one.whole_key for one in tellers}))
            + _COPIES * math.log2(1 + len({one.whole_key for one in again} - {one.whole_key for one in tellers}))
            + _RECENT * _recent([each for each in days if each], newest)
            + _NEWSWORTHY * tellers[0].newsworthy
        )
        ranked.append((-round(importance, 9), tellers[0].key, Telling(tuple(tellers), tuple(again))))
    return [telling for _, _, telling in sorted(ranked, key=lambda entry: entry[:2])]


def _profile(one: Told) -> alike.Profile:
    document = one.part.document
    return alike.profile(document.title or one.headline, document.text, document.published)


def _recent(days: list[date], newest: date | None) -> float:
    if not days or newest is None:
        return _UNDATED
    return math.exp(-(newest - max(days)).days / _DAYS)


def _best_first(tellers: list[Told], members: list[int], likeness: alike.Likeness) -> list[Told]:
    """The one that has most in common with the others and reads most like news first."""

    def worth(one: Told, number: int) -> float:
        others = [likeness.of(min(number, i), max(number, i)) for i in members if i != number]
        agreement = math.fsum(others) / len(others) if others else 0.0
        return 2 * agreement + one.newsworthy + 0.3 * bool(one.part.document.title)

    order = sorted(zip(tellers, members, strict=True), key=lambda entry: (-round(worth(*entry), 9), entry[0].key))
    return [one for one, _ in order]


# Which sentences tell a story


class Line(NamedTuple):
    """A sentence of the summary of one teller, and its place in that."""

    teller: int
    place: int
    text: str


def _alone(line: Line, chosen: Sequence[Line]) -> Line:
    """A sentence without the "But" that leads on from one that is not shown."""
    follows = any(line.teller == one.teller and line.place == one.place + 1 for one in chosen)
    return line if follows else line._replace(text=cues.without_connective(line.text))


def _opening(line: Line, told: Told, headline: str) -> float:
    """How well a sentence can tell a story to somebody who knows nothing of it.

    An editor's headline says which sentence is about the story; one that was made of the text says less.
    """
    wanted = content_stems(headline)
    share = len(wanted & content_stems(line.text)) / max(1, len(wanted))
    agrees = (1.5 if told.own_headline else 0.25) * share
    plain = 0.0 if is_plain(line.text) else -1.0
    return standing(line.text) + plain + 0.5 * bool(_facts(line.text)) + agrees - 0.3 * line.place - 0.2 * line.teller


def _following(line: Line, chosen: Sequence[Line], headline: str) -> float:
    """How much a sentence adds to those before it; 0 or less if it cannot follow them."""
    last = chosen[-1]
    follows = line.teller == last.teller and line.place == last.place + 1
    said = " ".join([headline, *(one.text for one in chosen)])
    if not is_plain(line.text) or (points_back(line.text) and not follows):
        return 0.0
    if line.teller != last.teller and not content_stems(said) & content_stems(line.text):
        return 0.0
    if len(said.split()) - len(headline.split()) + len(line.text.split()) > _MOST_WORDS:
        return 0.0
    new = min(3, len(_facts(line.text) - _facts(said)))
    is_before = line.teller == last.teller and line.place < last.place
    alone = 0.0 if follows else 0.5 * max(-1.0, standing(line.text))
    return 1.5 + 0.3 * new + 0.4 * follows + alone - 0.5 * _speaks_to(line.text) - 0.3 * is_before


def standing(sentence: str) -> float:
    """How well a sentence stands alone: 0 is well, below -0.9 it needs another."""
    score = how_it_stands(sentence, len(sentence.split()), len(content_stems(sentence)))
    return score - 1.5 * points_back(sentence) - 0.5 * _speaks_to(sentence) - 0.7 * (not says_something(sentence))


def _speaks_to(sentence: str) -> bool:
    return cues.SECOND_PERSON.search(_QUOTED.sub("", sentence)) is not None


def points_back(sentence: str) -> bool:
    """Whether a sentence says "he" or "their" of somebody before it has spoken of anybody."""
    if cues.ANAPHORIC.match(cues.without_connective(sentence)):
        return True
    found = _PRONOUN.match(sentence)
    return found is not None and not _SOMEBODY.search(sentence, 1, found.end())


def is_weak(line: str, sentence: str, others: Sequence[str] = ()) -> bool:
    """Whether a headline is about something else than the sentences it stands over, or joins what is far apart in the
    first of them.
    """
    if cues.DEFINITE.match(line) or points_back(line) or not stands(line):
        return True
    stems = [word.stem for word in words(line) if word.stem]
    first = content_stems(sentence)
    shared = sum(stem in first for stem in stems)
    every = first.union(*map(content_stems, others))
    if shared < _ABOUT * len(stems) and (
        shared < _HINTED * len(stems) or sum(stem in every for stem in stems) < _TOLD * len(stems)
    ):
        return True
    return joins_far_apart(line, sentence)


def is_plain(sentence: str) -> bool:
    """No quotation, no caption ("Scene of death: …"), no question, not "I" and "we"."""
    if sentence[:1] in "“\"'‘([" or sentence.endswith("?") or LABELLED.match(sentence):
        return False
    return not in_own_voice(sentence)


def _facts(text: str) -> set[str]:
    """The names and numbers of a text."""
    names = {part for name in names_in(text) if name.sure and not name.calendar for part in name.parts}
    return names | {f"{value.number:g}" for value in numbers_in(text) if value.date is None}
