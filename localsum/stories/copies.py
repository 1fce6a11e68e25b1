"""Which texts are the same text once more: republished, with a word changed, or cut.

Measured by runs of five words (shingles) that two texts share, as a share of the shorter one's. Every text is compared
with longer texts only, through an index of their shingles, so the work is linear in the words as long as texts differ.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from zlib import crc32

_SIZE = 5  # words of a shingle
_LEAST_SHARED = 0.6  # of the shorter text's shingles; paraphrases share under 0.1, texts with one boilerplate under 0.3
_LEAST_HEAD = 0.3  # of the longer text's opening, that a much shorter one must have: what is cut keeps the beginning
_HEAD = 40  # words of an opening
_MUCH_SHORTER = 0.5
_LONG = (
    400  # words; of longer texts every fourth shingle is kept, chosen by its checksum, so the same ones of all texts
)
_EVERY = 4
_MOST_LEADERS = 50  # texts under one shingle: what more of them share is a phrase of the trade
_WORD = re.compile(r"\w+")


def fold(texts: Sequence[str]) -> list[list[int]]:
    """The numbers of the texts in groups: a text, and those that are copies of it; the longest first.

    `texts` in any order give the same groups; which of two equal texts comes first is the order given.
    """
    words = [[word.casefold() for word in _WORD.findall(text)] for text in texts]
    order = sorted(range(len(texts)), key=lambda i: (-len(words[i]), words[i]))
    index: dict[int, list[int]] = defaultdict(list)  # shingle -> the leaders that have it
    heads: dict[int, frozenset[int]] = {}
    groups: dict[int, list[int]] = {}
    for i in order:
        all_of_it = _shingles(words[i])
        leader = _leader(all_of_it, words, index, heads)
        if leader is not None:
            groups[leader].append(i)
            continue
        groups[i] = [i]
        heads[i] = _shingles(words[i][:_HEAD])
        for shingle in _kept(all_of_it, len(words[i])):
            if len(index[shingle]) < _MOST_LEADERS:
                index[shingle].append(i)
    return list(groups.values())


def _shingles(words: list[str]) -> frozenset[int]:
    """Checksums, the same in every process; of a text shorter than a shingle that of all its words."""
    runs = (words[at : at + _SIZE] for at in range(max(1, len(words) - _SIZE + 1)))
    return frozenset(crc32(" ".join(run).encode("utf-8", "surrogatepass")) for run in runs)


def _kept(shingles: frozenset[int], count: int) -> frozenset[int]:
    return frozenset(s for s in shingles if s % _EVERY == 0) if count > _LONG else shingles


def _leader(
    own: frozenset[int], words: list[list[str]], index: dict[int, list[int]], heads: dict[int, frozenset[int]]
) -> int | None:
    """The text that this one is a copy of, the one it shares most with; None if there is none."""
    shared = Counter(leader for shingle in own for leader in index.get(shingle, ()))
    best: tuple[float, int] | None = None
    for leader, count in sorted(shared.items(), key=lambda entry: (-entry[1], words[entry[0]])):
        share = count / max(1, len(_kept(own, len(words[leader]))))
        is_cut = len(own) < _MUCH_SHORTER * len(words[leader])
        if is_cut and len(own & heads[leader]) < _LEAST_HEAD * len(heads[leader]):
            continue
        if share >= _LEAST_SHARED and (best is None or share > best[0]):
            best = (share, leader)
    return best[1] if best else None
