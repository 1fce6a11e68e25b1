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

from localsum.brief import Brief, FieldResult, Verdict
from localsum.digest import Evidence, Source, Story, Support
from localsum.document import Span
from localsum.grounding import Source as Checked
from localsum.grounding import check
from localsum.grounding.names import names_in
from localsum.grounding.values import numbers_in
from localsum.grounding.words import content_stems, stem_overlap
from localsum.sentences import split
from localsum.stories import alike, copies
from localsum.stories.parts import Part
from localsum.writing import cues
from localsum.writing.title import stands

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
    def headline(self) -> str:
        return str(self.brief["title"])

    @cached_property
    def sentences(self) -> list[str]:
        text = str(self.brief["summary"])
        return [text[span.start : span.end] for span in split(text)]

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


@dataclass(frozen=True, slots=True)
class Telling:
    """A story, the documents it is told by (best first, then the others that are no copies), and all of its sources."""

    story: Story
    tellers: tuple[Told, ...]


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
            _SOURCES * math.log2(len(tellers))
            + _COPIES * math.log2(1 + len(again))
            + _RECENT * _recent([each for each in days if each], newest)
            + _NEWSWORTHY * max(one.newsworthy for one in tellers[:1])
        )
        ranked.append((-round(importance, 9), tellers[0].key, Telling(_story(tellers, again), tuple(tellers))))
    return [telling for _, _, telling in sorted(ranked, key=lambda entry: entry[:2])]


def _profile(one: Told) -> alike.Profile:
    document = one.part.document
    return alike.profile(document.title or one.headline, document.text, document.published)


def _recent(days: list[date], newest: date | None) -> float:
    if not days or newest is None:
        return _UNDATED
    return math.exp(-(newest - max(days)).days / _DAYS)


def _best_first(tellers: list[Told], members: list[int], likeness: alike.Likeness) -> list[Told]:
    """The one that has most in common with the others first; then the newest, and so on."""

    def worth(one: Told, number: int) -> float:
        others = [likeness.of(min(number, i), max(number, i)) for i in members if i != number]
        agreement = math.fsum(others) / len(others) if others else 0.0
        enough = min(SENTENCES, len(one.sentences)) / SENTENCES
        return 2 * agreement + one.newsworthy + enough + 0.3 * (_verdict(one.brief.fields["summary"]) == "supported")

    order = sorted(zip(tellers, members, strict=True), key=lambda entry: (-round(worth(*entry), 9), entry[0].key))
    return [one for one, _ in order]


# Headline and sentences


def _story(tellers: list[Told], again: list[Told]) -> Story:
    best = tellers[0]
    sources = [Source(one.part.whole) for one in tellers] + [Source(one.part.whole, duplicate=True) for one in again]
    summary = best.brief.fields["summary"]
    headline = _headline(tellers)
    more = _second(best, tellers[1:])
    if more is None:
        text = " ".join(best.sentences[:SENTENCES])
        support = (
            _support(summary, best) if len(best.sentences) <= SENTENCES else _checked([(0, best, best.sentences[:2])])
        )
        return Story(headline, text, summary.mode, tuple(sources), support)
    number, second = more
    first = best.sentences[:1]
    support = _checked([(0, best, first), (number, tellers[number], [second])])
    modes = {summary.mode, tellers[number].brief.fields["summary"].mode} if first else {summary.mode}
    return Story(
        headline, " ".join([*first, second]), modes.pop() if len(modes) == 1 else "mixed", tuple(sources), support
    )


def _headline(tellers: list[Told]) -> str:
    """The best source's; that of another where it names nobody and says nothing."""
    for one in tellers:
        if one.headline and stands(one.headline):
            return one.headline
    return next((one.headline for one in tellers if one.headline), "") or _first_words(tellers[0])


def _first_words(one: Told) -> str:
    return " ".join(one.part.document.text.split()[:12])


def _second(best: Told, others: Sequence[Told]) -> tuple[int, str] | None:
    """A sentence of another source, and its number, that adds a name or a number to what the best one says."""
    said = best.sentences[:SENTENCES]
    known = content_stems(" ".join([best.headline, *said]))
    found: list[tuple[int, int, str]] = []
    for number, other in enumerate(others, 1):
        for sentence in other.sentences:
            if cues.ANAPHORIC.match(sentence) or cues.DEFINITE.match(sentence) or cues.PRONOUN_SUBJECT.search(sentence):
                continue
            stems = content_stems(sentence)
            shared = len(stems & known)
            new = _facts(sentence) - _facts(" ".join([best.headline, *said]))
            if new and shared >= 2 and all(stem_overlap(sentence, one) <= _SAME for one in said[:1]):
                found.append((-len(new), number, sentence))
    if not found or (len(said) > 1 and len(_facts(said[1])) >= -min(found)[0]):
        return None
    _, number, sentence = min(found)
    return number, sentence


def _facts(text: str) -> set[str]:
    """The names and numbers of a text."""
    names = {part for name in names_in(text) if name.sure and not name.calendar for part in name.parts}
    return names | {f"{value.number:g}" for value in numbers_in(text) if value.date is None}


# Support


def _verdict(result: FieldResult) -> Verdict:
    return result.grounding.verdict if result.grounding else "supported"


def _support(result: FieldResult, one: Told) -> Support:
    if result.grounding is None:
        return Support("supported")
    evidence = tuple(evidence_of(0, one, span) for span in result.grounding.evidence)
    return Support(result.grounding.verdict, evidence, result.grounding.reasons)


def _checked(parts: Sequence[tuple[int, Told, Sequence[str]]]) -> Support:
    """The support of sentences of several sources, each checked against its own."""
    found = [(number, one, check(sentence, one.checked)) for number, one, texts in parts for sentence in texts]
    evidence = tuple(
        dict.fromkeys(evidence_of(number, one, span) for number, one, each in found for span in each.evidence)
    )
    verdict: Verdict = max((each.verdict for _, _, each in found), key=_WORST.index, default="supported")
    reasons = dict.fromkeys(reason for _, _, each in found for reason in each.reasons)
    return Support(verdict, evidence, tuple(reasons))


def evidence_of(number: int, one: Told, span: Span) -> Evidence:
    """A span of a part as evidence in the whole document."""
    return Evidence(number, one.part.start + span.start, one.part.start + span.end)
