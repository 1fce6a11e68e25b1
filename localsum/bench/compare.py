"""Compares two reports: rows joined on what must be equal, ratios of medians with their intervals, and what they mean.

Pure: reports in, lines out. It says "no difference" unless there is one, and does not compare what is not comparable.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from localsum.bench.report import STEADY, Report, Row, spread
from localsum.errors import UsageError

Verdict = Literal["better", "worse", "higher", "lower", "no difference", "not known"]

DRAWS = 2_000
_TAILS = (0.025, 0.975)
_LEAST_SAMPLES = 3
# What the speed of reading depends on, beside how busy or hot the machine is.
_READING = (
    *(("machine", key) for key in ("cpu", "cores", "os")),
    *(("software", key) for key in ("llama_cpp_python", "llama_cpp", "build")),
    ("model", "sha256"),
    *(("settings", key) for key in ("threads", "batch", "kv", "layers")),
)
_TIMED = ("s", "tokens/s", "1/min", "µs", "J")
# Counted in tokens: means the same only where both models split text alike.
_OF_TOKENS = ("tokens/s", "µs")
_TOKEN_METRICS = ("roofline_share", "reused_share", "sampled_share", "forced_share")
# What differs from run to run anyway, and what the lines themselves say.
_NOT_TOLD = {"free_bytes", "load_before", "others_share", "hottest_c", "seconds", "repetitions", "tokens_sha256"}


@dataclass(frozen=True, slots=True)
class Line:
    """A row of both reports. `ratio` is the second's median over the first's, `low` and `high` its 95 % interval."""

    metric: str
    case: str
    unit: str
    first: float
    second: float
    ratio: float | None
    low: float | None
    high: float | None
    verdict: Verdict
    why: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that is not compared."""

    metric: str
    case: str
    why: str


@dataclass(frozen=True, slots=True)
class Comparison:
    first: str
    second: str
    differs: tuple[str, ...]  # what is not the same of the two: "settings.threads: 1, 2"
    wobble: float  # within which a ratio of times says nothing
    lines: tuple[Line, ...]
    refused: tuple[Refused, ...]


def compare(first: Report, second: Report) -> Comparison:
    """Raises UsageError, with the reason, for reports that have nothing to be compared."""
    if (reason := incomparable(first, second)) is not None:
        raise UsageError(
            f"{first.name} and {second.name} cannot be compared: {reason}",
            "measure both with the same version: localsum bench",
        )
    is_split_alike = first.model["tokens_sha256"] == second.model["tokens_sha256"]
    is_plan_alike = first.settings["mode"] == second.settings["mode"]
    wobble = wobble_of(first, second)
    theirs = {(row.metric, row.case): row for row in second.rows}
    lines, refused = [], []
    for row in first.rows:
        other = theirs.pop((row.metric, row.case), None)
        if other is None:
            refused.append(Refused(row.metric, row.case, f"only {first.name} has it"))
        elif why := _unlike(row, other, is_split_alike=is_split_alike, is_plan_alike=is_plan_alike):
            refused.append(Refused(row.metric, row.case, why))
        else:
            lines.append(_line(row, other, wobble))
    refused += [Refused(*key, f"only {second.name} has it") for key in theirs]
    return Comparison(first.name, second.name, differences(first, second), wobble, tuple(lines), tuple(refused))


def wobble_of(first: Report, second: Report) -> float:
    """Within which a ratio of times says nothing: how much longer reading the same text took at worst.

    In the noisier of the two; in both together where nothing but the machine's mood can have changed that speed.
    """
    if any(getattr(first, section)[key] != getattr(second, section)[key] for section, key in _READING):
        return max(first.wobble, second.wobble)
    speeds = [value for report in (first, second) if (row := report.row(*STEADY)) for value in row.values]
    return spread(speeds)


def incomparable(first: Report, second: Report) -> str | None:
    """Why nothing of the two can be compared."""
    articles = [{each["name"]: each["sha256"] for each in report.articles} for report in (first, second)]
    common = articles[0].keys() & articles[1].keys()
    if any(articles[0][name] != articles[1][name] for name in common) or not common:
        return "they were measured on other articles"
    if first.settings["work"] != second.settings["work"]:
        return "what had to be written was another brief"
    if not {(row.metric, row.case) for row in first.rows} & {(row.metric, row.case) for row in second.rows}:
        return "they have no row in common"
    return None


def differences(first: Report, second: Report) -> tuple[str, ...]:
    """What the two headers do not have in common, and whether the model wrote other texts."""
    found = []
    for name in ("software", "machine", "model", "settings"):
        one, other = getattr(first, name), getattr(second, name)
        found += [
            f"{name}.{key}: {one[key]}, {other[key]}" for key in one if key not in _NOT_TOLD and one[key] != other[key]
        ]
    cases = sorted(case for case in first.texts.keys() & second.texts.keys() if first.texts[case] != second.texts[case])
    return (*found, *(f"other texts were written: {case}" for case in cases))


def _unlike(one: Row, other: Row, *, is_split_alike: bool, is_plan_alike: bool) -> str:
    """Why two rows of one name are not compared; nothing if they are."""
    if one.unit != other.unit or one.better != other.better:
        return f"its unit differs: {one.unit} and {other.unit}"
    if missing := [row.reason or "no samples" for row in (one, other) if not row.values]:
        return f"not measured: {missing[0]}"
    counts_tokens = one.unit in _OF_TOKENS or one.metric in _TOKEN_METRICS or one.case.startswith("sampled")
    if counts_tokens and not is_split_alike:
        return "the models split text into other tokens"
    if "stream" in one.case and not is_plan_alike:
        return "the streams are of other articles: one is quick, one full or a sweep"
    return ""


def _line(one: Row, other: Row, wobble: float) -> Line:
    medians = float(np.median(one.values)), float(np.median(other.values))
    ratio = medians[1] / medians[0] if medians[0] else None

    def line(verdict: Verdict, why: str, low: float | None = None, high: float | None = None) -> Line:
        return Line(one.metric, one.case, one.unit, *medians, ratio, low, high, verdict, why)

    if set(one.values) == set(other.values) and len(set(one.values)) == 1:
        return line("no difference", "equal")
    if ratio is None or min(*one.values, *other.values) <= 0:
        return line("not known", "there is no ratio to zero")
    if min(len(one.values), len(other.values)) < _LEAST_SAMPLES:
        return line("not known", f"fewer than {_LEAST_SAMPLES} samples")
    low, high = interval(one.values, other.values, zlib.crc32(f"{one.metric}/{one.case}".encode()))
    if low <= 1 <= high:
        return line("no difference", "", low, high)
    if one.unit in _TIMED and 1 / (1 + wobble) <= ratio <= 1 + wobble:
        return line("no difference", "within what the machine's own speed changed by", low, high)
    if one.better == "neither":
        return line("higher" if ratio > 1 else "lower", "", low, high)
    return line("better" if (ratio > 1) == (one.better == "higher") else "worse", "", low, high)


def interval(one: Sequence[float], other: Sequence[float], seed: int) -> tuple[float, float]:
    """95 % interval of median(other) / median(one), by a bootstrap that draws from each by itself. Positive numbers.

    The same whichever comes first: the interval of one/other is that of other/one upside down.
    """
    rng = np.random.default_rng(seed)
    is_swapped = sorted(other) < sorted(one)
    low, high = sorted((sorted(one), sorted(other)))
    logs = np.log(_medians(high, rng)) - np.log(_medians(low, rng))
    if low == high:
        logs = np.concatenate((logs, -logs))
    found = np.quantile(-logs if is_swapped else logs, _TAILS)
    return float(np.exp(found[0])), float(np.exp(found[1]))


def _medians(values: Sequence[float], rng: np.random.Generator) -> NDArray[np.float64]:
    """Of DRAWS samples of the samples, drawn with replacement. Shape (DRAWS,)."""
    found = np.asarray(values, dtype=np.float64)
    # Many samples are drawn from in parts, so that memory stays small.
    return np.array(
        [np.median(found[rng.integers(0, found.size, found.size)]) for _ in range(DRAWS)]
        if found.size > 1_000
        else np.median(found[rng.integers(0, found.size, (DRAWS, found.size))], axis=1)
    )
