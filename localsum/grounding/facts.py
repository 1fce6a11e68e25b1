"""Rules for names, numbers and quotations, in any language that has capitals and digits.

Most compare surroundings: the same content words around another name or number mark a fact that was exchanged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from itertools import combinations

from localsum.grounding.case import Case, Finding, Rule
from localsum.grounding.names import Name
from localsum.grounding.source import Source, Statement
from localsum.grounding.values import Value, readings, same

Fact = Name | Value

FEWEST = 0.6  # share of a statement's content words that the source must have
_EVERYWHERE = 100  # a value with more places in a document belongs to no statement
_INFLECTED = re.compile(r"(?:s|ed|er|or|ing|ly|al|an|ion|ive|ble|ity|ment|e|y)$")
_NEAR = 2  # sentences before and after one that count as its surroundings


def names(case: Case) -> Iterator[Finding]:
    """A name that the source lacks: unknown, misspelt, or the first and last name of two people.

    Where a capital may be no mark of a name, only what looks like a misspelt name of the source counts.
    """
    source = case.source
    for name in case.statement.names:
        unsure = name.parts if source.capital_nouns else () if name.sure else name.parts[:1]
        if any(_misspelt(part, source) for part in unsure) or (source.names.missing(name) and not source.capital_nouns):
            yield Finding(f"name not in source: {name.text}")


def _misspelt(part: str, source: Source) -> bool:
    """Whether the source has a name that differs inside only, or at an end that is no inflection."""
    if len(part) < 5 or source.names.has(part):
        return False
    like = source.names.like(part)
    if any(get_close_matches(part, [word], 1, 0.88) for word in like if word[-2:] == part[-2:]):
        return True
    return not _INFLECTED.search(part) and any(
        len(word) == len(part) and word[:-2] == part[:-2] and not _INFLECTED.search(word) for word in like
    )


def exchanged_names(case: Case) -> Iterator[Finding]:
    """A name in the place of another: the evidence has the same words around a name that the statement lacks."""
    statement, source = case.statement, case.source
    mine = {part for name in statement.names for part in name.parts}
    for i, sentence in zip(case.evidence, case.best, strict=True):
        if case.share(sentence) < 0.6:
            continue
        near = source.sentences[max(0, i - _NEAR) : i + _NEAR + 1]
        norms = {word.norm for other in near for word in other.words}
        for name in statement.names:
            if not name.sure or source.capital_nouns or norms.intersection(name.parts) or source.names.missing(name):
                continue
            for other in sentence.names:
                if mine.intersection(other.parts) or name.calendar != other.calendar:
                    continue
                if case.common(name, sentence, other) >= 3:
                    yield Finding(f"name belongs to another statement: {name.text} (source: {other.text})")
                    break


def numbers(case: Case) -> Iterator[Finding]:
    """A value that the source lacks, that it says of something else, or whose limit it turns round."""
    statement, source = case.statement, case.source
    versions = [name for name in statement.names if name.version and source.names.has_version(name)]
    # "First … second …" counts the points of a text, nothing in the source.
    spelled = {value.number for value in statement.values if value.unit == "th" and value.text.isalpha()}
    for value in statement.values:
        if any(name.start <= value.start and value.end <= name.end for name in versions):
            continue
        if value.unit == "th" and value.text.isalpha() and len(spelled) > 1:
            continue
        if value.text.casefold() == "one" and not value.unit:  # a pronoun more often than a number
            continue
        known = source.values_like(value)
        if not known:
            yield Finding(f"number not in source: {value.text}")
        elif not _counts(value) and not _belongs(case, value, known):
            yield Finding(f"number belongs to another statement: {value.text}")
        elif value.bound and all(other.bound == -value.bound for _, other in known):
            yield Finding(f"limit reversed: {value.text}")


def _counts(value: Value) -> bool:
    """A small spelled number often says how many things follow; the source need not count them where it has them."""
    return not value.unit and value.number <= 12 and value.text.isalpha()


def _belongs(case: Case, value: Value, known: list[tuple[int, Value]]) -> bool:
    """Whether a sentence with this value, or one of those around it, shares two content words with the statement."""
    own = {word.stem for word in case.statement.content if word.end <= value.start or word.start >= value.end}
    sentences = case.source.sentences
    for i, _ in known if len(known) <= _EVERYWHERE else ():
        near = {stem for other in sentences[max(0, i - _NEAR) : i + _NEAR + 1] for stem in other.stems}
        if i < 0 or len(own & near) >= min(2, len(own)):
            return True
    return len(known) > _EVERYWHERE


def exchanged_numbers(case: Case) -> Iterator[Finding]:
    """A value in the place of another: the evidence has the same words around a value that the statement lacks."""
    statement, source = case.statement, case.source
    for i, sentence in zip(case.evidence, case.best, strict=True):
        near = [(s, value) for s in source.sentences[max(0, i - _NEAR) : i + _NEAR + 1] for value in s.values]
        for value in statement.values:
            if value.unit in ("th", "date", "clock") or not source.values_like(value):
                continue
            own = [case.common(value, *at) for at in near if any(same(value, each) for each in readings(at[1]))]
            for other in sentence.values:
                if other.unit != value.unit or any(same(stated, other) for stated in statement.values):
                    continue
                if case.common(value, sentence, other) >= 2 + max(own, default=0):
                    yield Finding(f"number belongs to another statement: {value.text} (source: {other.text})")
                    break


def exchanged_pairs(case: Case) -> Iterator[Finding]:
    """Two names or two values of the evidence that changed places: "50 dead, two missing" of "two dead, 50 missing"."""
    statement = case.statement
    for sentence in case.best[:1]:
        if case.share(sentence) < 0.6:
            continue
        values = [(value, other) for value in statement.values for other in sentence.values if same(value, other)]
        names = [(name, other) for name in statement.names for other in sentence.names if name.parts == other.parts]
        pairs: list[tuple[tuple[Fact, Fact], tuple[Fact, Fact]]] = [*combinations(values, 2)]
        if _passive(statement) == _passive(sentence):
            pairs += combinations(names, 2)
        for (a, a_there), (b, b_there) in pairs:
            if a.start == b.start or a_there.start == b_there.start or _alike(a, b):
                continue
            kept = case.ordered(a, sentence, a_there) + case.ordered(b, sentence, b_there)
            crossed = case.ordered(a, sentence, b_there) + case.ordered(b, sentence, a_there)
            if crossed >= kept + 2:
                yield Finding(f"exchanged: {a.text} and {b.text}")


def _passive(sentence: Statement) -> bool:
    return any(word.norm == "by" for word in sentence.words)


def _alike(a: Fact, b: Fact) -> bool:
    """Whether it would mean nothing that two parts changed places."""
    if isinstance(a, Value) and isinstance(b, Value):
        return a.unit != b.unit or a.number == b.number
    return isinstance(a, Name) and isinstance(b, Name) and a.parts == b.parts


_QUOTED = re.compile(r"“([^“”]{12,2000})”|\"([^\"]{12,2000})\"|«([^«»]{12,2000})»")
_GAP = re.compile(r"\.\.\.|…|\[[^\]]{0,80}\]")


def quotations(case: Case) -> Iterator[Finding]:
    """Three or more words between quotation marks that the source does not say."""
    for match in _QUOTED.finditer(case.statement.text):
        quoted = match[match.lastindex or 1]
        if any(len(piece.split()) >= 3 and not case.source.says(piece) for piece in _GAP.split(quoted)):
            yield Finding(f"quotation not in source: {quoted[:60]}")


def few_words(case: Case) -> Iterator[Finding]:
    """A statement of other words than the source's. That is no contradiction, so not hard."""
    stems = [stem for stem in case.statement.stems if not stem[0].isdigit()]
    share = sum(stem in case.source.stems for stem in stems) / len(stems) if stems else 1.0
    if share < FEWEST:
        yield Finding(f"few words in common with the source ({share:.2f})", hard=False)


RULES: tuple[Rule, ...] = (
    names,
    exchanged_names,
    numbers,
    exchanged_numbers,
    exchanged_pairs,
    quotations,
    few_words,
)
