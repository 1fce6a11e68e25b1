"""Picks the next token of a branch from its logits. Numpy, no loop over the vocabulary."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from localsum.engine.guide import Guide
from localsum.engine.types import Counts, Sampling
from localsum.errors import EngineError

# DRY ("don't repeat yourself"): a run of that many tokens may be repeated freely; each further token costs more.
_DRY_FREE = 2
_DRY_BASE = 1.75
_DRY_MOST = 40

Logits = NDArray[np.float32]  # shape (vocabulary,)


def pick(
    logits: Logits, guide: Guide, sampling: Sampling, written: list[int], rng: np.random.Generator, counts: Counts
) -> int:
    """The next token. The argmax is tried first: the grammar's whole mask is built only where it is refused."""
    if sampling.dry and (runs := repeated_runs(written)):
        logits = logits.copy()
        for token, length in runs.items():
            logits[token] -= sampling.dry * _DRY_BASE ** (length - _DRY_FREE)
    best = int(logits.argmax())
    if not np.isfinite(logits[best]):  # argmax finds a NaN before any number
        raise EngineError("the model's logits are not numbers")
    if sampling.temperature <= 0 and guide.allows(best):
        return best
    counts.masks += 1
    allowed = np.flatnonzero(guide.allowed())
    if not allowed.size:
        raise EngineError("the grammar allows no further token")
    scores = logits[allowed]
    if sampling.temperature <= 0 or allowed.size == 1:
        return int(allowed[scores.argmax()])
    return int(allowed[draw(scores, sampling, rng)])


def draw(scores: Logits, sampling: Sampling, rng: np.random.Generator) -> int:
    """Index drawn from softmax(scores / temperature) after top-k, then top-p, then min-p."""
    if 0 < sampling.top_k < scores.size:
        order = np.argpartition(-scores, sampling.top_k)[: sampling.top_k]
        order = order[np.argsort(-scores[order], kind="stable")]
    else:
        order = np.argsort(-scores, kind="stable")
    weights = np.exp((scores[order] - scores[order[0]]).astype(np.float64) / sampling.temperature)
    weights /= weights.sum()
    keep = np.cumsum(weights) - weights < sampling.top_p
    keep &= weights >= sampling.min_p * weights[0]
    keep[0] = True  # whatever the settings, the best remains
    weights = np.where(keep, weights, 0.0)
    return int(order[rng.choice(weights.size, p=weights / weights.sum())])


def repeated_runs(written: list[int]) -> dict[int, int]:
    """Tokens that would go on repeating this branch, and how many tokens before them are repeated already (DRY)."""
    runs: dict[int, int] = {}
    for end in range(len(written) - 1):  # of an earlier run that ends as the text does now
        length = 0
        while length <= end and written[end - length] == written[-1 - length] and length < _DRY_MOST:
            length += 1
        if length >= _DRY_FREE:
            runs[written[end + 1]] = max(length, runs.get(written[end + 1], 0))
    return runs
