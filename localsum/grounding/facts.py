"""Rules for names, numbers and quotations, in any language that has capitals and digits.

Most compare surroundings: the same content words around another name or number mark a fact that was exchanged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches

from localsum.grounding.case import Case, Finding, Rule
from localsum.grounding.values import Value, readings, same

FEWEST = 0.6  # share of a statement's content words that the source must have
_NEAR = 2  # sentences before and after one that count as its surroundings


def names(case: Case) -> Iterator[Finding]:
    """A name that the source lacks: unknown, misspelt, or the first and last name of two people."""
    known = case.source.names
    for name in case.statement.names:
        sure = name.sure and not case.source.capital_nouns
        unsure = [part for part in (name.parts if case.source.capital_nouns else name.parts[:1]) if not known.has(part)]
        misspelt = not sure and any(
            get_close_matches(part, known.like(part), 1, 0.88) for part in unsure if len(part) > 4
        )
        if misspelt or (known.missing(name) and not case.source.capital_nouns):
            yield Finding(f"name not in source: {name.text}")


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
                if not mine.intersection(other.parts) and case.common(name, sentence, other) >= 3:
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
    """Whether a sentence with this value, or one of its neighbours, shares two content words with the statement."""
    own = {word.stem for word in case.statement.content if word.end <= value.start or word.start >= value.end}
    sentences = case.source.sentences
    for i, _ in known:
        near = {stem for other in sentences[max(0, i - 1) : i + 2] for stem in other.stems}
        if i < 0 or len(own & near) >= min(2, len(own)):
            return True
    return False


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


def crossed_numbers(case: Case) -> Iterator[Finding]:
    """Two values of one sentence that changed places: "50 dead, two missing" of "two dead, 50 missing"."""
    statement = case.statement
    for sentence in case.best[:1]:
        pairs = [(value, other) for value in statement.values for other in sentence.values if same(value, other)]
        for i, (a, a_there) in enumerate(pairs):
            for b, b_there in pairs[i + 1 :]:
                if a is b or a_there is b_there or a.unit != b.unit or a.number == b.number:
                    continue
                kept = case.common(a, sentence, a_there, 1) + case.common(b, sentence, b_there, 1)
                crossed = case.common(a, sentence, b_there, 1) + case.common(b, sentence, a_there, 1)
                if crossed >= kept + 2:
                    yield Finding(f"numbers exchanged: {a.text} and {b.text}")


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
    crossed_numbers,
    quotations,
    few_words,
)
