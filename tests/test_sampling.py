"""Picking a token: against a slow reference that reads like the definition."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from localsum.engine.sampling import draw, pick, repeated_runs
from localsum.engine.types import Counts, Sampling
from localsum.errors import EngineError


class Only:
    """A guide that allows what is in a set."""

    is_done = False

    def __init__(self, size: int, tokens: set[int]) -> None:
        self.mask: NDArray[np.bool_] = np.array([token in tokens for token in range(size)])

    def opening(self) -> list[int]:
        return []

    def allows(self, token: int) -> bool:
        return bool(self.mask[token])

    def allowed(self) -> NDArray[np.bool_]:
        return self.mask

    def advance(self, token: int) -> list[int]:
        return []


def pick_from(
    scores: list[float], tokens: set[int], sampling: Sampling, written: list[int] | None = None, seed: int = 0
) -> tuple[int, Counts]:
    counts = Counts()
    logits = np.array(scores, dtype=np.float32)
    before = logits.copy()
    token = pick(logits, Only(len(scores), tokens), sampling, written or [], np.random.default_rng(seed), counts)
    assert logits.tobytes() == before.tobytes(), "the backend's logits are not ours to change"
    return token, counts


def reference(scores: list[float], sampling: Sampling) -> dict[int, float]:
    """Probability of each index: softmax, the top k of it, then the top p, then what is not below min p."""
    order = sorted(range(len(scores)), key=lambda index: -scores[index])
    if sampling.top_k > 0:
        order = order[: sampling.top_k]
    best = max(scores)
    weights = {index: math.exp((scores[index] - best) / sampling.temperature) for index in order}
    total = sum(weights.values())
    kept: dict[int, float] = {}
    sum_before = 0.0
    for index in order:
        share = weights[index] / total
        if not kept or (sum_before < sampling.top_p and share >= sampling.min_p * weights[order[0]] / total):
            kept[index] = share
        sum_before += share
    rest = sum(kept.values())
    return {index: share / rest for index, share in kept.items()}


# Distinct scores, so that the order is the same everywhere.
scores = st.lists(st.integers(-80, 80), min_size=2, max_size=30, unique=True).map(lambda all_: [s / 8 for s in all_])
samplings = st.builds(
    Sampling,
    temperature=st.floats(0.1, 3.0),
    top_k=st.integers(0, 12),
    top_p=st.floats(0.0, 1.0),
    min_p=st.floats(0.0, 1.0),
)


@given(scores, st.data())
def test_greedy_takes_the_best_that_is_allowed(scores: list[float], data: st.DataObject) -> None:
    tokens = data.draw(st.sets(st.integers(0, len(scores) - 1), min_size=1))
    token, counts = pick_from(scores, tokens, Sampling())
    assert token == max(tokens, key=lambda token: scores[token])
    best_is_allowed = max(range(len(scores)), key=lambda token: scores[token]) in tokens
    assert counts.masks == (0 if best_is_allowed else 1), "no mask where the argmax will do"


class Scripted(np.random.Generator):
    """Records the probabilities a draw is asked for, and draws the first."""

    def __init__(self) -> None:
        super().__init__(np.random.PCG64(0))
        self.p: NDArray[np.float64] = np.zeros(0)

    def choice(self, a, p):  # type: ignore[no-untyped-def, override]
        self.p = p
        return super().choice(a, p=p)


@given(scores, samplings)
def test_probabilities_are_those_of_the_definition(scores: list[float], sampling: Sampling) -> None:
    rng = Scripted()
    index = draw(np.array(scores, dtype=np.float32), sampling, rng)
    expected = reference(scores, sampling)
    assert index in expected
    # Where a running sum lands on top_p within rounding, one more or fewer may be kept.
    nonzero = rng.p[rng.p > 0]
    if len(nonzero) == len(expected):
        assert nonzero == pytest.approx(list(expected.values()), rel=1e-4, abs=1e-9)
    else:
        assert abs(len(nonzero) - len(expected)) == 1
        assert min(*nonzero, *expected.values()) < 0.5


def test_top_p_stops_as_soon_as_it_has_enough() -> None:
    rng = Scripted()
    draw(np.zeros(4, dtype=np.float32), Sampling(temperature=1.0, top_k=0, top_p=0.5), rng)
    assert rng.p.tolist() == [0.5, 0.5, 0.0, 0.0]


def test_draws_follow_the_probabilities() -> None:
    values, sampling = [0.0, 1.0, 2.0, -1.0], Sampling(temperature=1.0, top_k=3, top_p=1.0)
    rng = np.random.default_rng(7)
    drawn = Counter(draw(np.array(values, dtype=np.float32), sampling, rng) for _ in range(4000))
    expected = reference(values, sampling)
    assert set(drawn) == set(expected) == {0, 1, 2}
    for index, share in expected.items():
        assert drawn[index] / 4000 == pytest.approx(share, abs=0.04)


@given(scores, samplings, st.data())
def test_a_drawn_token_is_allowed_and_the_same_for_the_same_seed(
    scores: list[float], sampling: Sampling, data: st.DataObject
) -> None:
    tokens = data.draw(st.sets(st.integers(0, len(scores) - 1), min_size=1))
    seed = data.draw(st.integers(0, 1 << 40))
    first, _ = pick_from(scores, tokens, sampling, seed=seed)
    again, _ = pick_from(scores, tokens, sampling, seed=seed)
    assert first == again
    assert first in tokens


def test_other_seeds_draw_other_tokens() -> None:
    values, sampling = [0.0] * 50, Sampling(temperature=1.0, top_k=0, top_p=1.0)
    assert len({pick_from(values, set(range(50)), sampling, seed=seed)[0] for seed in range(40)}) > 15


@pytest.mark.parametrize("sampling", [Sampling(temperature=1.0, top_p=0.0), Sampling(temperature=1.0, min_p=2.0)])
def test_settings_that_keep_nothing_keep_the_best(sampling: Sampling) -> None:
    assert pick_from([0.0, 3.0, 1.0], {0, 1, 2}, sampling)[0] == 1


@given(st.lists(st.integers(0, 3), max_size=25))
def test_a_repeated_run_is_the_longest_one_that_the_text_ends_with(written: list[int]) -> None:
    expected: dict[int, int] = {}
    for start in range(len(written)):
        for length in range(2, len(written) - start):
            if written[start : start + length] == written[-length:]:
                following = written[start + length]
                expected[following] = max(length, expected.get(following, 0))
    assert repeated_runs(written) == expected


@pytest.mark.parametrize("temperature", [0.0, 0.5])
def test_dry_avoids_the_more_the_longer_the_run_and_never_gets_stuck(temperature: float) -> None:
    sampling = Sampling(temperature=temperature, dry=0.8)
    scores = [9.0, 0.0, 0.0, 6.0]
    assert pick_from(scores, {0, 3}, sampling, [0, 0])[0] == 0, "too short a run"
    assert pick_from(scores, {0, 3}, Sampling(dry=0.8), [1, 2, 0, 1, 2])[0] == 0, "costs 0.8"
    assert pick_from(scores, {0, 3}, sampling, [1, 2, 1, 2, 1, 2, 0, 1, 2, 1, 2, 1, 2])[0] == 3, "costs 7.5"
    assert pick_from(scores, {0}, sampling, [1, 2, 1, 2, 1, 2, 0, 1, 2, 1, 2, 1, 2])[0] == 0, "the grammar comes first"
    assert pick_from(scores, {0, 3}, Sampling(), [1, 2, 1, 2, 1, 2, 0, 1, 2, 1, 2, 1, 2])[0] == 0, "off by default"


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_what_cannot_be_picked_fails_by_name(temperature: float) -> None:
    sampling = Sampling(temperature=temperature)
    with pytest.raises(EngineError, match="allows no further token"):
        pick_from([1.0, 2.0], set(), sampling)
    for broken in ([math.nan, 1.0], [1.0, math.nan], [-math.inf, -math.inf], [math.inf, 0.0]):
        with pytest.raises(EngineError, match="not numbers"):
            pick_from(broken, {0, 1}, sampling)
