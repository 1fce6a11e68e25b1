"""The report of a benchmark: what was measured, where and with what. `localsum.bench/1`, and its JSON.

A report is a header (sections of plain values) and rows; a row holds every sample that was taken. Knows neither engine
nor machine, and trusts no file: a report may come from anybody.
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from localsum.errors import InputError

SCHEMA = "localsum.bench/1"
MOST_BYTES = 20_000_000
MOST_SAMPLES = 100_000  # of one row
MOST = 1e18  # of a sample: nothing that is measured is larger
_LONGEST = 2_000  # characters of a text
_MOST_ROWS = 2_000

STEADY = ("prefill_tokens_s", "512 tokens")  # the work that is done again and again while the rest is measured

Value = str | int | float | bool | None
Better = Literal["higher", "lower", "neither"]

# What a section says, by the JSON types that its value may have. Every key is there; null is what cannot be known.
TEXT, COUNT, NUMBER = ("string",), ("integer",), ("number", "integer")
_OR_NULL = ("null",)
SECTIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "software": {
        "localsum": TEXT,
        "python": TEXT,
        "llama_cpp_python": TEXT,
        "llama_cpp": TEXT + _OR_NULL,  # the version of the library inside, where it says
        "llguidance": TEXT,
        "numpy": TEXT,
        "build": TEXT,  # what llama.cpp was built for, in its own words
    },
    "machine": {
        "system": TEXT,
        "os": TEXT,
        "arch": TEXT,
        "cpu": TEXT + _OR_NULL,
        "instructions": TEXT + _OR_NULL,  # names with spaces between
        "cores": COUNT,  # that this process may use
        "physical": COUNT,
        "fast": COUNT,
        "memory_bytes": COUNT,
        "free_bytes": COUNT,
        "power": TEXT + _OR_NULL,  # mains, battery
        "load_before": NUMBER + _OR_NULL,  # load average of one minute
        "others_share": NUMBER + _OR_NULL,  # of all cores' time during the measuring, what other programs took
        "hottest_c": NUMBER + _OR_NULL,
    },
    "model": {
        "name": TEXT,
        "sha256": TEXT,
        "bytes": COUNT,
        "architecture": TEXT,
        "quantization": TEXT,  # types of tensors, the most bytes first
        "vocabulary": COUNT,
        "trained_context": COUNT + _OR_NULL,
        "slim_of": TEXT + _OR_NULL,  # of a slim file, the model that it was made of
        "slim_of_sha256": TEXT + _OR_NULL,
        "tokens_sha256": TEXT,  # of the articles' tokens: equal where two models split text alike
    },
    "settings": {
        "mode": TEXT,  # quick, full, sweep
        "style": TEXT,  # of briefs: extractive or written, as the model has it
        "threads": COUNT,
        "context": COUNT,
        "kv": TEXT,
        "layers": TEXT,  # packed as the file has them, or the plain numbers that they were unpacked to
        "branches": COUNT,
        "batch": COUNT,
        "shortlist": COUNT,  # tokens that the last product is made for; 0: all
        "seed": COUNT,
        "work": TEXT,  # SHA-256 of what had to be written
        "repetitions": COUNT,
        "seconds": NUMBER,  # that the measuring took
    },
}
ARTICLE: dict[str, tuple[str, ...]] = {"name": TEXT, "words": COUNT, "tokens": COUNT, "sha256": TEXT}


@dataclass(frozen=True, slots=True)
class Row:
    """Samples of one measure of one case. Without samples `reason` says why there are none."""

    metric: str  # with its unit: brief_s
    case: str  # "extractive, medium, alone"
    unit: str
    better: Better
    values: tuple[float, ...]
    reason: str = ""

    @property
    def median(self) -> float | None:
        return statistics.median(self.values) if self.values else None

    def percentile(self, share: float) -> float | None:
        """The smallest sample that so large a share of the samples does not exceed; of a half, the median."""
        if not self.values or share == 0.5:
            return self.median
        ordered = sorted(self.values)
        return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


@dataclass(frozen=True, slots=True)
class Report:
    """What was measured. Sections hold the keys of SECTIONS; `texts` is a SHA-256 of what was written, by case."""

    name: str
    made_at: str  # UTC, ISO 8601, to the second
    software: dict[str, Value]
    machine: dict[str, Value]
    model: dict[str, Value]
    settings: dict[str, Value]
    articles: tuple[dict[str, Value], ...]
    texts: dict[str, str]
    rows: tuple[Row, ...]
    warnings: tuple[str, ...] = ()

    def row(self, metric: str, case: str = "") -> Row | None:
        return next((row for row in self.rows if (row.metric, row.case) == (metric, case)), None)

    def medians(self, metric: str) -> dict[str, float]:
        """Median by case, of the cases that have samples."""
        return {row.case: row.median for row in self.rows if row.metric == metric and row.median is not None}

    @property
    def wobble(self) -> float:
        """How much longer the same work, done again and again, took at worst: 0.1 is a tenth.

        What differs by less between two reports is the machine's doing.
        """
        row = self.row(*STEADY)
        return spread(row.values) if row else 0.0


def spread(values: Sequence[float]) -> float:
    """By how much the highest is above the lowest, as a share of the lowest."""
    return max(values) / min(values) - 1 if values and min(values) > 0 else 0.0


SCORE = "score = geometric mean of articles_per_min over its cases: {cases}"


def score(report: Report) -> float | None:
    """The one number; None where nothing was measured that goes into it."""
    return _geometric_mean([*report.medians("articles_per_min").values()])


def score_formula(report: Report) -> str:
    """How the score comes about, with this report's figures."""
    found = report.medians("articles_per_min")
    return SCORE.format(cases=" and ".join(f"{case} {value:.2f}" for case, value in found.items()) or "none")


def _geometric_mean(values: Sequence[float]) -> float | None:
    if not values or min(values) <= 0:
        return None
    return math.exp(statistics.fmean(map(math.log, values)))


# JSON


def to_dict(report: Report) -> dict[str, Any]:
    """What `json_schema` describes. Summaries of rows are there for readers without a tool; they are not read again."""
    return {
        "schema": SCHEMA,
        "name": report.name,
        "made_at": report.made_at,
        "software": report.software,
        "machine": report.machine,
        "model": report.model,
        "settings": report.settings,
        "articles": list(report.articles),
        "texts": report.texts,
        "score": {"value": score(report), "unit": "articles/min", "formula": score_formula(report)},
        "warnings": list(report.warnings),
        "rows": [
            {
                "metric": row.metric,
                "case": row.case,
                "unit": row.unit,
                "better": row.better,
                "median": row.median,
                "low": min(row.values, default=None),
                "high": max(row.values, default=None),
                "values": list(row.values),
                "reason": row.reason,
            }
            for row in report.rows
        ],
    }


def json_schema() -> dict[str, Any]:
    """JSON Schema of a report."""
    text, number = {"type": "string", "maxLength": _LONGEST}, {"type": ["number", "null"]}
    value = {"type": "number", "minimum": -MOST, "maximum": MOST}

    def flat(keys: dict[str, tuple[str, ...]]) -> dict[str, Any]:
        return _object({key: {"type": list(kinds)} for key, kinds in keys.items()})

    row = {
        **dict.fromkeys(("metric", "case", "unit", "reason"), text),
        "better": {"enum": ["higher", "lower", "neither"]},
        **dict.fromkeys(("median", "low", "high"), number),
        "values": {"type": "array", "items": value, "maxItems": MOST_SAMPLES},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": SCHEMA,
        **_object(
            {
                "schema": {"const": SCHEMA},
                "name": text,
                "made_at": text,
                **{name: flat(keys) for name, keys in SECTIONS.items()},
                "articles": {"type": "array", "items": flat(ARTICLE), "maxItems": 100},
                "texts": {"type": "object", "additionalProperties": text},
                "score": _object({"value": number, "unit": text, "formula": text}),
                "warnings": {"type": "array", "items": text, "maxItems": 100},
                "rows": {"type": "array", "items": _object(row), "maxItems": _MOST_ROWS},
            }
        ),
    }


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def read_report(path: Path) -> Report:
    """The report in a file. Raises InputError for a file that holds none, and says why."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise _refused(path, error.strerror or str(error)) from None
    if len(data) > MOST_BYTES:
        raise _refused(path, f"it has more than {MOST_BYTES:,} bytes")
    try:
        return from_dict(json.loads(data))
    except (ValueError, RecursionError, OverflowError) as error:
        raise _refused(path, " ".join(str(error).split())[:200]) from None


def _refused(path: Path, why: str) -> InputError:
    return InputError(f"{path} is no report: {why}", "reports of this machine: localsum bench list")


def from_dict(found: Any) -> Report:  # noqa: ANN401  (whatever a file holds)
    """Raises ValueError for what is no report of this schema, and names the first thing that is wrong."""
    if not isinstance(found, dict):
        raise ValueError("it holds no JSON object")
    if found.get("schema") != SCHEMA:
        raise ValueError(f"its schema is {str(found.get('schema'))[:40]!r}, not {SCHEMA}")
    rows, articles, texts = (
        _typed(found, key, kind) for key, kind in (("rows", list), ("articles", list), ("texts", dict))
    )
    if len(rows) > _MOST_ROWS or len(articles) > 100 or len(texts) > 100:
        raise ValueError("it has too many rows")
    sections = {name: _section(found.get(name), keys, name) for name, keys in SECTIONS.items()}
    return Report(
        name=_text(found, "name"),
        made_at=_text(found, "made_at"),
        **sections,
        articles=tuple(_section(each, ARTICLE, "articles") for each in articles),
        texts={str(case)[:_LONGEST]: _text(texts, case) for case in texts},
        rows=tuple(map(_row, rows)),
        warnings=tuple(_text({"warnings": each}, "warnings") for each in _typed(found, "warnings", list)[:100]),
    )


def _row(found: Any) -> Row:  # noqa: ANN401
    if not isinstance(found, dict):
        raise ValueError("a row is no object")
    values = _typed(found, "values", list)
    if len(values) > MOST_SAMPLES or not all(_is(value, NUMBER) and abs(value) <= MOST for value in values):
        raise ValueError("a row has samples that are no numbers, or too many")
    better = found.get("better")
    if better not in ("higher", "lower", "neither"):
        raise ValueError("a row does not say what is better")
    metric, case, unit, reason = (_text(found, key) for key in ("metric", "case", "unit", "reason"))
    return Row(metric, case, unit, better, tuple(map(float, values)), reason)


def _section(found: Any, keys: dict[str, tuple[str, ...]], name: str) -> dict[str, Value]:  # noqa: ANN401
    if not isinstance(found, dict) or found.keys() != keys.keys():
        raise ValueError(f"{name} does not hold {', '.join(keys)}")
    for key, kinds in keys.items():
        value = found[key]
        is_sane = len(value) <= _LONGEST if isinstance(value, str) else value is None or math.isfinite(value)
        if not _is(value, kinds) or not is_sane:
            raise ValueError(f"{name}.{key} is no {' or '.join(kinds)}")
    return dict(found)


_KINDS = {"string": str, "integer": int, "number": float, "null": type(None)}


def _is(value: object, kinds: tuple[str, ...]) -> bool:
    return not isinstance(value, bool) and isinstance(value, tuple(_KINDS[kind] for kind in kinds))


def _typed(found: dict[str, Any], key: str, kind: type) -> Any:  # noqa: ANN401
    value = found.get(key)
    if not isinstance(value, kind):
        raise ValueError(f"{key} is missing, or of the wrong type")
    return value


def _text(found: dict[str, Any], key: str) -> str:
    value = _typed(found, key, str)
    if len(value) > _LONGEST:
        raise ValueError(f"{key} is too long")
    return str(value)
