"""Which texts tell the same story in other words: the same names, numbers and rare words at their beginnings.

Two texts published far apart, or about two versions of a product, are never the same story. Pairs are looked up by what
is rare in them, so the work does not grow with the square of the number of texts.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations

from localsum.grounding.names import names_in
from localsum.grounding.values import Value, numbers_in
from localsum.grounding.words import listed, stem, words

LEAST_LIKENESS = 0.38  # see DECISIONS.md for what lies above and below
_WORDS = 200  # of a text that are looked at; what comes later is background
_NAME = 2.0  # weights beside those of other words
_NUMBER = 3.0
_COMMON_WORD = 0.3
_BACKGROUND = 30  # texts that are thought to stand beside those given, so that rarity means something among two
_MOST_DAYS = 7
_LEAST_RARE = 3  # features that a pair must share to be looked at
_SMALLEST_NUMBER = 20
# What news of any kind says; rare in two texts or ten, but telling in none.
_COMMON = frozenset(
    stem(word)
    for word in listed(
        """say said year new company people week month day time first last make made work use million billion percent
        report tuesday wednesday thursday friday monday saturday sunday government state world country nation like come
        go get want need take call tell told show find found part number hour hundred thousand two three four five six
        seven eight nine ten man woman car city high low lead head chief include plan help group power case end start
        begin run long big small large great good better best set next old public official system service business
        market price product sale home house school hospital life live play player team game win"""
    )
)


@dataclass(frozen=True, slots=True)
class Profile:
    """What a text is about: its features by weight, the versions it names, and when it was published."""

    features: dict[str, float]
    versions: dict[str, frozenset[str]]
    published: date | None


def profile(title: str, text: str, published: str | None) -> Profile:
    """The profile of a text. `published` is an ISO 8601 date, with a time or without; anything else counts as none."""
    beginning = (f"{title}.\n\n" if title else "") + " ".join(text.split()[:_WORDS])
    names = [name for name in names_in(beginning) if (name.sure or len(name.parts) > 1) and not name.calendar]
    parts = Counter(part for name in names for part in name.parts)
    stems = Counter(
        word.stem for word in words(beginning) if word.stem and word.norm not in parts and not word.stem.isdigit()
    )
    features = {f"name {part}": _NAME * (1 + math.log(count)) for part, count in parts.items()}
    for each, count in stems.items():
        features[each] = (1 + math.log(count)) * (_COMMON_WORD if each in _COMMON else 1.0)
    features |= {f"number {value.number:g}": _NUMBER for value in numbers_in(beginning) if _is_telling(value)}
    versions: dict[str, set[str]] = defaultdict(set)
    for name in names:
        if name.version:
            versions[name.parts[-2]].add(name.parts[-1])
    return Profile(features, {name: frozenset(found) for name, found in versions.items()}, day(published))


def day(published: str | None) -> date | None:
    """The day of an ISO 8601 date, None for anything else."""
    try:
        return date.fromisoformat((published or "")[:10])
    except ValueError:
        return None


def _is_telling(value: Value) -> bool:
    """Whether two texts are unlikely to share this number by chance: no year, no date, no count of a few."""
    is_year = not value.unit and 1900 < value.number < 2100
    return value.date is None and not is_year and (value.digits > 1 or value.number >= _SMALLEST_NUMBER)


class Likeness:
    """How alike the texts of a collection are. What few of them have weighs more. `keys` tell equals apart."""

    def __init__(self, profiles: Sequence[Profile], keys: Sequence[str]) -> None:
        self.profiles = profiles
        self.keys = keys
        self._spread = Counter(feature for each in profiles for feature in each.features)
        self._vectors = [
            {f: weight * self._rarity(f) for f, weight in sorted(each.features.items())} for each in profiles
        ]
        self._lengths = [math.sqrt(math.fsum(w * w for w in each.values())) or 1.0 for each in self._vectors]
        self._sums = [math.fsum(each.values()) or 1.0 for each in self._vectors]

    def _rarity(self, feature: str) -> float:
        return math.log(1 + (len(self.profiles) + _BACKGROUND) / (self._spread[feature] + 1))

    def of(self, i: int, j: int) -> float:
        """0 to 1: the geometric mean of the cosine and of the share of the smaller text that the other has too.

        The cosine alone is low for a short text beside a long one, the share alone high for any two short ones.
        """
        if self._cannot_be(i, j):
            return 0.0
        a, b = self._vectors[i], self._vectors[j]
        common = a.keys() & b.keys()
        cosine = math.fsum(a[f] * b[f] for f in common) / (self._lengths[i] * self._lengths[j])
        share = math.fsum(min(a[f], b[f]) for f in common) / min(self._sums[i], self._sums[j])
        return math.sqrt(cosine * share)

    def _cannot_be(self, i: int, j: int) -> bool:
        a, b = self.profiles[i], self.profiles[j]
        if a.published and b.published and abs((a.published - b.published).days) > _MOST_DAYS:
            return True
        return any(a.versions[name].isdisjoint(b.versions[name]) for name in a.versions.keys() & b.versions.keys())

    def pairs(self) -> dict[tuple[int, int], float]:
        """All pairs that are alike enough to be thought of, by number, the smaller first."""
        most = max(20, len(self.profiles) // 20)
        holders: dict[str, list[int]] = defaultdict(list)
        for i, vector in enumerate(self._vectors):
            for feature in vector:
                if 2 <= self._spread[feature] <= most:
                    holders[feature].append(i)
        shared = Counter(pair for who in holders.values() for pair in combinations(who, 2))
        wanted = [pair for pair, count in shared.items() if count >= _LEAST_RARE]
        return {pair: likeness for pair in wanted if (likeness := self.of(*pair)) >= LEAST_LIKENESS / 2}


def group(likeness: Likeness) -> list[list[int]]:
    """The numbers of the profiles in groups that tell one story each.

    The likest pair is joined first; two groups are joined if their members are alike on average, so that a chain of
    texts, each a little like the next, is no story. The order of the profiles changes nothing.
    """
    pairs, keys = likeness.pairs(), likeness.keys
    group_of = list(range(len(keys)))
    members = {i: [i] for i in group_of}

    def order(pair: tuple[int, int]) -> tuple[float, list[str]]:
        return -round(pairs[pair], 9), sorted((keys[pair[0]], keys[pair[1]]))

    for i, j in sorted(pairs, key=order):
        a, b = sorted((group_of[i], group_of[j]))
        if a == b or pairs[i, j] < LEAST_LIKENESS:
            continue
        between = [pairs.get((min(x, y), max(x, y)), 0.0) for x in members[a] for y in members[b]]
        if math.fsum(between) >= LEAST_LIKENESS * len(between):
            members[a] += members.pop(b)
            for member in members[a]:
                group_of[member] = a
    return list(members.values())
