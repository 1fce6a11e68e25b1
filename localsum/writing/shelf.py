"""What a brief has said so far, so that no part says it again. Knows sentences and stems, nothing of fields."""

from __future__ import annotations

from functools import lru_cache

from localsum.writing.material import Sentence

MOST_OVERLAP = 0.5  # share of the smaller sentence's stems; the finished brief is measured at 0.6
MOST_REPEATED = 0.05  # share of a sentence's runs of four words


@lru_cache(maxsize=4096)
def runs_of(text: str) -> frozenset[tuple[str, ...]]:
    """All runs of four words."""
    norms = text.lower().split()
    return frozenset(zip(norms, norms[1:], norms[2:], norms[3:], strict=False))


def overlap(a: frozenset[str], b: frozenset[str]) -> float:
    """Share of the smaller set that is in the other; 0.0 if either is empty."""
    return len(a & b) / min(len(a), len(b)) if a and b else 0.0


class Shelf:
    """Sentences taken by fields already written."""

    def __init__(self) -> None:
        self._taken: set[int] = set()
        self._stems: list[frozenset[str]] = []
        self._runs: set[tuple[str, ...]] = set()

    def is_free(self, sentence: Sentence, most: float = MOST_OVERLAP) -> bool:
        """Whether the sentence is untaken and says nothing that was said, in other words or in the same."""
        if sentence.index in self._taken:
            return False
        runs = runs_of(sentence.text)
        if len(runs & self._runs) > MOST_REPEATED * len(runs):
            return False
        return all(overlap(sentence.stems, taken) <= most for taken in self._stems)

    def is_taken(self, sentence: Sentence) -> bool:
        return sentence.index in self._taken

    def take(self, *sentences: Sentence) -> None:
        for sentence in sentences:
            self._taken.add(sentence.index)
            self._stems.append(sentence.stems)
            self._runs |= runs_of(sentence.text)
