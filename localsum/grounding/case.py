"""A statement beside its evidence, and what rules share: findings, and how alike the surroundings of two words are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from localsum.grounding.names import Name
from localsum.grounding.source import Source, Statement
from localsum.grounding.values import Value
from localsum.grounding.words import Word

Part = Word | Name | Value


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with a statement, said for people. A `hard` one makes it unsupported, another partial."""

    reason: str
    hard: bool = True


class Place(NamedTuple):
    """A word of the evidence, and how many content words it has near it, or right beside it, in common with another."""

    common: int
    beside: int
    word: Word


@dataclass(frozen=True)
class Case:
    """A statement and the sentences of the source that support it best, by number, best first."""

    statement: Statement
    source: Source
    evidence: tuple[int, ...]

    @cached_property
    def best(self) -> list[Statement]:
        return [self.source.sentences[i] for i in self.evidence]

    @cached_property
    def around(self) -> list[Statement]:
        """The evidence with the sentences before and after each."""
        places = {j for i in self.evidence for j in (i - 1, i, i + 1) if 0 <= j < len(self.source.sentences)}
        return [self.source.sentences[i] for i in sorted(places)]

    def share(self, sentence: Statement) -> float:
        """Share of the statement's content words that `sentence` has."""
        stems = self.statement.stems
        return len(stems & sentence.stems) / len(stems) if stems else 0.0

    def common(self, mine: Part, sentence: Statement, theirs: Part, reach: int = 3) -> int:
        """How many content words stand both near `mine` in the statement and near `theirs` in `sentence`."""
        return len(_context(self.statement, mine, reach) & _context(sentence, theirs, reach))

    def ordered(self, mine: Part, sentence: Statement, theirs: Part, reach: int = 2) -> int:
        """As `common`, of words that are no names or numbers; what stands before must stand before there too."""
        before, after = _sides(self.statement.plain, mine, reach)
        before_there, after_there = _sides(sentence.plain, theirs, reach)
        return len(before & before_there) + len(after & after_there)

    def in_place_of(self, mine: Word, wanted: Set[str]) -> Place | None:
        """The word of the evidence, of the forms `wanted`, that shares most neighbours with `mine`."""
        places = [
            Place(self.common(mine, sentence, word), self.ordered(mine, sentence, word, 1), word)
            for sentence in self.best
            for word in sentence.words
            if (word.stem or word.norm) in wanted
        ]
        return max(places, key=lambda place: place.common, default=None)


Rule = Callable[[Case], Iterable[Finding]]


def _context(sentence: Statement, part: Part, reach: int) -> set[str]:
    before, after = _sides(sentence.content, part, reach)
    return before | after


def _sides(content: list[Word], part: Part, reach: int) -> tuple[set[str], set[str]]:
    """The stems of the last `reach` content words before a part of a sentence, and of the first after it."""
    before = [word.stem for word in content if word.end <= part.start]
    after = [word.stem for word in content if word.start >= part.end]
    return set(before[-reach:]), set(after[:reach])
