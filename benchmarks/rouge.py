"""ROUGE of a summary against references, and the summaries that any system has to beat: lead, TextRank, extractive.

The baselines are fixed on purpose and share no code with localsum's own choice of sentences. Knows only texts.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import snowballstemmer

from localsum.grounding.words import content_stems, words


class Rouge(NamedTuple):
    """F1 of ROUGE-1, ROUGE-2 and ROUGE-L, from 0 to 1."""

    r1: float
    r2: float
    rl: float


_porter = snowballstemmer.stemmer("porter")


@lru_cache(maxsize=65536)
def _stem(word: str) -> str:
    return str(_porter.stemWord(word)) if len(word) > 3 else word


def tokens(text: str) -> list[str]:
    """Lower-case runs of ASCII letters and digits, the longer ones stemmed: as the package rouge-score does."""
    return [_stem(word) for word in re.findall(r"[a-z0-9]+", text.lower())]


def rouge(candidate: str, references: Sequence[str]) -> Rouge:
    """Each F1 the best over `references`, of which there must be one."""
    ours = tokens(candidate)
    scores = [_rouge(ours, tokens(reference)) for reference in references]
    return Rouge(*(max(column) for column in zip(*scores, strict=True)))


def _rouge(ours: list[str], theirs: list[str]) -> Rouge:
    def overlap(n: int) -> float:
        a, b = _ngrams(ours, n), _ngrams(theirs, n)
        return _f1((a & b).total(), a.total(), b.total())

    return Rouge(overlap(1), overlap(2), _f1(_common_subsequence(ours, theirs), len(ours), len(theirs)))


def _ngrams(sequence: list[str], n: int) -> Counter[tuple[str, ...]]:
    return Counter(zip(*(sequence[i:] for i in range(n)), strict=False))


def _f1(common: int, ours: int, theirs: int) -> float:
    return 2 * common / (ours + theirs) if common else 0.0


def _common_subsequence(a: list[str], b: list[str]) -> int:
    """Length of the longest one; time is the product of the lengths."""
    row = [0] * (len(b) + 1)
    for x in a:
        diagonal = 0
        for j, y in enumerate(b, 1):
            above = row[j]
            row[j] = diagonal + 1 if x == y else max(above, row[j - 1])
            diagonal = above
    return row[-1]


# -- Baselines: sentences of a document in, a summary out -------------------------------------------------------------


_END = re.compile(r"[.!?…][\"”’')\]]*\Z")


def candidates(sentences: Sequence[str]) -> list[str]:
    """The sentences a baseline may take: six words or more, with an end. All of them if there is none."""
    return [s for s in sentences if len(s.split()) >= 6 and _END.search(s)] or list(sentences)


def lead(sentences: Sequence[str], count: int) -> str:
    return " ".join(sentences[:count])


def textrank(sentences: Sequence[str], count: int) -> str:
    """The `count` sentences of highest PageRank, in order; likeness is shared stems over log lengths."""
    if not sentences:
        return ""
    sets = [content_stems(sentence) for sentence in sentences]
    alike = _incidence(sets) @ _incidence(sets).T
    logs = np.log([max(len(stems), 1) for stems in sets])
    lengths = logs[:, None] + logs[None, :]
    weights = np.divide(alike, lengths, out=np.zeros_like(alike), where=lengths > 0)
    np.fill_diagonal(weights, 0)
    totals = weights.sum(axis=1, keepdims=True)
    steps = np.divide(weights, totals, out=np.full_like(weights, 1 / len(sets)), where=totals > 0)
    rank = np.full(len(sets), 1 / len(sets))
    for _ in range(60):
        rank = 0.15 / len(sets) + 0.85 * rank @ steps
    return _in_order(sentences, np.argsort(-rank, kind="stable")[:count])


def extractive(sentences: Sequence[str], most: int = 3, most_words: int = 50) -> str:
    """Sentence i scores the z-score of its likeness to the centroid + 5·exp(−i/6); the best, in order."""
    counts = [Counter(word.stem for word in words(sentence) if word.stem) for sentence in sentences]
    spread = Counter(stem for count in counts for stem in count)
    idf = {stem: np.log(len(counts) / n) + 1 for stem, n in spread.items()}
    centroid = {stem: sum(count[stem] for count in counts) * idf[stem] for stem in spread}
    scores = np.array([_cosine({stem: n * idf[stem] for stem, n in count.items()}, centroid) for count in counts])
    if scores.size and scores.std() > 0:
        scores = (scores - scores.mean()) / scores.std()
    scores = scores + 5 * np.exp(-np.arange(len(scores)) / 6)
    chosen: list[int] = []
    total = 0
    for i in np.argsort(-scores, kind="stable"):
        length = len(sentences[i].split())
        if len(chosen) < most and (not chosen or total + length <= most_words):
            chosen.append(int(i))
            total += length
    return _in_order(sentences, chosen)


def _incidence(sets: list[set[str]]) -> np.ndarray:
    column = {stem: at for at, stem in enumerate(sorted(set().union(*sets)))}
    matrix = np.zeros((len(sets), len(column)))
    for row, stems in enumerate(sets):
        matrix[row, [column[stem] for stem in stems]] = 1
    return matrix


def _cosine(a: dict[str, float], b: dict[str, float]) -> float:
    norm = float(np.sqrt(sum(x * x for x in a.values()) * sum(x * x for x in b.values())))
    return sum(x * b[stem] for stem, x in a.items()) / norm if norm else 0.0


def _in_order(sentences: Sequence[str], chosen: Sequence[int] | np.ndarray) -> str:
    return " ".join(sentences[i] for i in sorted(chosen))


BASELINES: dict[str, Callable[[Sequence[str]], str]] = {
    "Lead-2": lambda sentences: lead(sentences, 2),
    "Lead-3": lambda sentences: lead(sentences, 3),
    "TextRank top-2": lambda sentences: textrank(sentences, 2),
    "extractive baseline": extractive,
}
