"""Sweeps: which settings are tried, and which are worth keeping. Pure: no engine, no machine."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from localsum.bench.compare import interval
from localsum.bench.report import Report, score
from localsum.errors import UsageError
from localsum.models.unpacked import Layers
from localsum.settings import value_of

MOST = 32  # combinations
_HINT = "localsum bench --sweep threads=1,2,4"
Kv = Literal["f16", "q8_0"]


@dataclass(frozen=True, slots=True)
class Knobs:
    """What a benchmark can set of an engine; None is what localsum chooses by itself."""

    model: str | None = None
    threads: int | None = None
    context: int | None = None
    branches: int | None = None
    batch: int | None = None
    kv: Kv | None = None
    layers: Layers | None = None

    def said(self) -> str:
        """Those that are set: `threads=2 kv=q8_0`."""
        parts = (f"{name}={getattr(self, name)}" for name in NAMES if getattr(self, name) is not None)
        return " ".join(parts) or "as it comes"


NAMES = ("model", "threads", "context", "branches", "batch", "kv", "layers")


def combinations(sweeps: Sequence[str], base: Knobs) -> list[Knobs]:
    """Every combination of `threads=1,2` and `batch=256,512`, in this order. Raises UsageError for what is none."""
    names: dict[str, list[str]] = {}
    for sweep in sweeps:
        name, sign, values = sweep.partition("=")
        if not sign or name not in NAMES or name in names or not values.strip():
            raise UsageError(
                f"{sweep[:100]!r} is no sweep; each of {', '.join(NAMES)} can be one, once",
                _HINT,
            )
        names[name] = [value.strip() for value in values.split(",")]
    found = [dict(zip(names, values, strict=True)) for values in itertools.product(*names.values())]
    if len(found) > MOST:
        raise UsageError(f"these are {len(found)} combinations, {MOST} can be tried", "name fewer values after --sweep")
    knobs = [_knobs(base, each) for each in found]
    return list(dict.fromkeys(knobs))


def _knobs(base: Knobs, said: dict[str, str]) -> Knobs:
    values: dict[str, Any] = {name: value_of(name, text, _HINT) for name, text in said.items()}
    return replace(base, **values)


@dataclass(frozen=True, slots=True)
class Advice:
    """Which of the tried settings to keep, by their place, and why."""

    keep: int
    why: str


def advise(reports: Sequence[Report]) -> Advice:
    """The settings with the highest score; of those that noise alone may set apart from it, the first."""
    scores = [score(report) or 0.0 for report in reports]
    best = max(range(len(scores)), key=lambda at: scores[at])
    if not scores[best]:
        return Advice(0, "none of them was measured")
    first = next(at for at in range(best + 1) if at == best or not _is_faster(reports[best], reports[at]))
    beaten = sum(_is_faster(reports[first], report) for report in reports)
    if first != best:
        return Advice(first, f"the first of those that noise alone may set apart; faster than {beaten} of the others")
    return Advice(best, f"the highest score; clearly faster than {beaten} of the others")


def _is_faster(one: Report, other: Report) -> bool:
    """Whether more than noise sets the one before the other, in every case that is counted in the score."""
    cases = sorted(one.medians("articles_per_min").keys() & other.medians("articles_per_min").keys())
    ours, theirs = score(one) or 0.0, score(other) or 0.0
    if not cases or not theirs:
        return bool(ours)
    is_beyond = ours / theirs > 1 + max(one.wobble, other.wobble)
    return is_beyond and all(_low(other, one, case) > 1 for case in cases)


def _low(one: Report, other: Report, case: str) -> float:
    """The lower end of how many times as fast the other is."""
    rows = [report.row("articles_per_min", case) for report in (one, other)]
    values = [row.values if row else () for row in rows]
    return interval(values[0], values[1], 0)[0] if all(len(each) > 1 and min(each) > 0 for each in values) else 0.0
