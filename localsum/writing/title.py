"""Which lines can be titles and headings, and which of them serves best. Pure functions; no model, no fields."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from localsum.grounding import Source
from localsum.grounding.names import names_in
from localsum.grounding.words import content_stems, listed, words
from localsum.writing import cues, headline
from localsum.writing.gate import malformed
from localsum.writing.material import Material, Sentence
from localsum.writing.shelf import runs_of
from localsum.writing.wording import fluent

_LEAST_WORDS = 5
_MOST_HEADING = 7  # words of a clause that may be a heading
_LEAST_STEMS = 4  # content words of such a clause
_PHRASES = 4
_LEAST_HEADING = 0.75  # of a heading's stems that the source has
_OPTIONS = 5
_WEIGHTIEST = 6  # stems that a title should have, as many as fit
_MOST_COMMAS = 2
# What counts besides the share of the weightiest words. Measured by the words in common with 55 headlines and one-line
# references of news and posts; six other sets of values near these gave the same within the noise.
_PLACE = 0.1  # of salience
_AGREEMENT = 0.4  # of likeness to the other candidates
_NAMED = 0.2
_SAYS = 0.25  # a verb
_FLUENT = 0.3  # written by the model, not cut from a sentence
_FAR = 6  # content words; small models join what stands further apart to what nobody said
_INDEFINITE = 0.3  # lost by "the group", and by "X, who"
_VERB = re.compile(
    r"\bto [a-z]{2,}\b|\b(?:is|are|was|were|has|have|had|will|would|can|could|may|must|should|[a-z]\w+ed|\w+n['’]t)\b"
    r"|\b[a-z]\w+[^su\W]s (?:an?|the|its|his|her|their|down|up|out|off|that|not|no|into|over|ahead"
    r"|back|new|\w+ly|\w+ing)\b"
    r"|\b[A-Z]\S+ [a-z]\w+[^su\W]s\b"
)
# "A group of teachers" are teachers.
_QUANTITIES = listed(
    """group groups team teams number numbers lot lots one two three four five some many most all each none half part
    percent dozens hundreds thousands millions billions kind kinds sort sorts type types set series couple pair rest
    majority minority"""
)
LABELLED = re.compile(r"[A-Z][\w'’-]*(?: [\w'’-]+){0,2}: ")  # "Protest: …", "Scene of death: …"
_RELATIVE = re.compile(r",? (?:who|which|whose|whom)\b")


@dataclass(frozen=True, slots=True)
class Line:
    """A candidate, and the one sentence that supports it."""

    text: str
    sentence: Sentence
    by_model: bool = False


def clauses(material: Material, most_words: int) -> list[Line]:
    """Main clauses of the first and the most salient sentences, as far as they can be titles."""
    first = [s for s in material.sentences if s.is_usable][:3]
    salient = sorted(material.sentences, key=lambda s: -material.salience(s))[:8]
    pool = [s for s in dict.fromkeys((*salient, *first)) if s.is_usable]
    texts = [(fluent(s.text), s) for s in pool]
    whole = [Line(headline.clause(text, most_words, is_last_resort=False), s) for text, s in texts]
    cut = [Line(headline.clause(text, most_words), s) for text, s in texts]
    return [line for line in whole if stands(line.text)] or [line for line in cut if stands(line.text)][:1]


def stands(text: str) -> bool:
    """Whether a line can be a title: long enough, whole, about somebody or something it names."""
    is_open = text.count('"') % 2 or text.count("“") != text.count("”") or "?" in text
    points = cues.ANAPHORIC.match(text) or cues.PRONOUN_SUBJECT.search(text) or cues.PERSONAL.search(text)
    is_list = text.count(",") > _MOST_COMMAS
    return len(text.split()) >= _LEAST_WORDS and not (
        is_open or points or is_list or cues.SUBORDINATE.match(text) or LABELLED.match(text)
    )


def says_something(text: str) -> bool:
    """Whether a sentence seems to have a verb."""
    return _VERB.search(text) is not None


def joins_far_apart(line: str, sentence: str) -> bool:
    """Whether words that stand far apart in the sentence are neighbours in the line: "death of a meeting place" of a
    death at a cliff that was known as one.
    """
    places = defaultdict(list)
    for at, stem in enumerate(word.stem for word in words(sentence) if word.stem):
        places[stem].append(at)
    known = [places[word.stem] for word in words(line) if word.stem]
    return any(min(abs(y - x) for x in xs for y in ys) > _FAR for xs, ys in pairwise(known) if xs and ys)


def loses_its_head(line: str, sentence: str) -> bool:
    """Whether a line begins within the subject of the sentence: "Orrin closed" of "the port of Orrin closed"."""
    own = [word.norm for word in words(line)]
    said = words(sentence)
    for at in range(2, len(said) - 1):
        if own[:1] == [said[at].norm] and said[at - 1].norm == "of" and said[at + 1].norm in own[1:3]:
            head = said[at - 2]
            if head.stem and head.norm not in _QUANTITIES and head.norm not in own:
                return True
    return False


def best(lines: Sequence[Line], material: Material) -> Line | None:
    """The line with most of what the document is about; early sentences, names, verbs and agreement count."""
    if not lines:
        return None
    top = sum(sorted(material.weight.values())[-_WEIGHTIEST:]) or 1.0
    stems = [content_stems(line.text) for line in lines]

    def worth(number: int) -> float:
        line, own = lines[number], stems[number]
        share = min(1.0, sum(material.weight.get(stem, 0.0) for stem in own) / top)
        others = [len(own & other) / max(1, len(own | other)) for other in stems[:number] + stems[number + 1 :]]
        agreement = sum(others) / len(others) if others else 0.0
        is_named = any(name.sure and not name.calendar for name in names_in(line.text))
        return (
            share
            + _PLACE * material.salience(line.sentence)
            + _AGREEMENT * agreement
            + _NAMED * is_named
            + _SAYS * bool(_VERB.search(line.text))
            + _FLUENT * line.by_model
            - _INDEFINITE * bool(cues.DEFINITE.match(line.text))
            - _INDEFINITE * bool(_RELATIVE.search(line.text))
        )

    return lines[max(range(len(lines)), key=worth)]


def headings(
    material: Material, topic: Sequence[Sentence], shown: list[str], taken: Sequence[str], most_words: int
) -> list[str]:
    """What may stand above the texts `shown` of a topic, the best first, at least one: phrases and short clauses of
    them, else a name. None is in `taken`, but for the last resort.
    """
    said = Counter(stem for sentence in topic for stem in sentence.stems)
    # A topic's own words: said often in it, and little elsewhere.
    weight = {stem: n * n / material.spread[stem] for stem, n in said.items()}
    for line in taken:
        weight |= dict.fromkeys(content_stems(line), 0.0)
    short = [headline.clause(text, _MOST_HEADING, is_last_resort=False) for text in shown]
    found = headline.phrases(shown, most_words, weight, _PHRASES)
    found += [line for line in short if stands(line) and len(content_stems(line)) >= _LEAST_STEMS]
    names = [name.text for text in shown for name in names_in(text) if name.sure and not name.calendar]
    fresh = [line for line in dict.fromkeys(found) if line not in taken][:_OPTIONS]
    return fresh or [name for name in names if name not in taken][:1] or [headline.clause(shown[0], most_words)]


def is_heading(line: str, most_words: int, text: str, source: Source, earlier: Sequence[str]) -> bool:
    """Whether the line names what the text is about: of the source's words, and one at least of the text's."""
    stems = content_stems(line)
    if malformed(line, most_words) or not stems or line in earlier or "?" in line:
        return False
    about = content_stems(text)
    if runs_of(line) & runs_of(text):
        return False  # the beginning of a sentence of it
    is_theirs = bool(source.across) or sum(stem in source.stems for stem in stems) >= _LEAST_HEADING * len(stems)
    return is_theirs and bool(stems & about)
