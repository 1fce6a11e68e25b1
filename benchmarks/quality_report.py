"""What quality.py shows: tables of plain text, and the same figures as JSON.

Takes briefs that are scored already; knows nothing of files, models or how a brief is written.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, median
from typing import Any

import numpy as np
from metrics import MEASURES, Pair, pieces
from rouge import BASELINES, Rouge, candidates, rouge

from localsum.document import Document
from localsum.render.clean import clean
from localsum.sentences import sentences
from localsum.templates import Template

NEWS = "development news"
NEWS_SOURCES = ("writer_summaries", "summedits")
_SAMPLES = 2000  # of the bootstrap
_LINE = 112  # columns


@dataclass(frozen=True)
class Sample:
    """A line of `docs.jsonl`, read as Markdown. `references` are summaries that people wrote or checked; often none."""

    id: str
    kind: str  # the line's `source`, such as "changelog/news"
    document: Document
    references: tuple[str, ...]


@dataclass(frozen=True)
class Scored:
    """One brief (its JSON form) and its figures. `rouge` is None where people wrote no summary."""

    sample: Sample
    brief: dict[str, Any]
    template: Template
    measures: dict[str, Pair]
    rouge: Rouge | None
    seconds: float | None


@dataclass(frozen=True)
class System:
    """All briefs of one model and style."""

    model: str
    style: str
    scored: tuple[Scored, ...]

    @property
    def name(self) -> str:
        return f"{self.model} {self.style}"


@dataclass(frozen=True, slots=True)
class Estimate:
    """`part / whole` of all documents, 95 % interval of a bootstrap over documents; NaN where `whole` is 0."""

    value: float
    low: float
    high: float
    part: float
    whole: float


def estimate(pairs: Sequence[Pair], seed: int) -> Estimate:
    """The pooled share or mean of one (part, whole) per document."""
    table = np.array(pairs, dtype=float).reshape(-1, 2)
    part, whole = table.sum(axis=0) if len(table) else (0.0, 0.0)
    if not whole:
        return Estimate(float("nan"), float("nan"), float("nan"), float(part), 0.0)
    picks = np.random.default_rng(seed).integers(len(table), size=(_SAMPLES, len(table)))
    sums = table[picks].sum(axis=1)
    shares = sums[sums[:, 1] > 0]
    low, high = np.percentile(shares[:, 0] / shares[:, 1], [2.5, 97.5])
    return Estimate(float(part / whole), float(low), float(high), float(part), float(whole))


# -- Figures ----------------------------------------------------------------------------------------------------------


def groups(samples: Iterable[Sample]) -> dict[str, list[Sample]]:
    """The documents that have references: the development news together, then by the first part of their kind."""
    found: dict[str, list[Sample]] = {NEWS: []}
    for sample in samples:
        if sample.references:
            first = sample.kind.split("/")[0]
            for name in [NEWS, first] if first in NEWS_SOURCES else [first]:
                found.setdefault(name, []).append(sample)
    return {name: members for name, members in found.items() if members}


def rouge_rows(systems: Sequence[System], samples: Sequence[Sample], seed: int) -> list[dict[str, Any]]:
    """For every group of documents one row per baseline and per system. A system is scored on the documents it has."""
    rows = []
    for group, members in groups(samples).items():
        scores: dict[str, list[Rouge]] = {}
        for name, baseline in BASELINES.items():
            scores[name] = [rouge(baseline(candidates(texts(s.document))), s.references) for s in members]
        ids = {sample.id for sample in members}
        for system in systems:
            scores[system.name] = [s.rouge for s in system.scored if s.rouge and s.sample.id in ids]
        for name, values in scores.items():
            columns = {key: estimate([(value[i], 1) for value in values], seed) for i, key in enumerate(Rouge._fields)}
            rows.append({"group": group, "summary_by": name, "documents": len(values), **columns})
    return rows


def texts(document: Document) -> list[str]:
    """The sentences of a document."""
    return [document.text[s.start : s.end] for s in sentences(document)]


def measure_rows(system: System, seed: int) -> dict[str, Estimate]:
    return {name: estimate([s.measures.get(name, (0, 0)) for s in system.scored], seed) for name in MEASURES}


def field_rows(system: System) -> list[dict[str, Any]]:
    """Per text of the template: how often it is there, its words, its limit; of lists the entries per brief."""
    lengths: dict[str, list[int]] = {}
    kinds: dict[str, tuple[str, int]] = {}
    briefs: list[Counter[str]] = []
    for scored in system.scored:
        counted: Counter[str] = Counter()
        for piece in pieces(scored.brief, scored.template):
            kinds[piece.name] = piece.shape, piece.limit
            if piece.text.strip():
                lengths.setdefault(piece.name, []).append(len(piece.text.split()))
                counted[piece.name] += 1
        briefs.append(counted)
    return [
        {
            "text": name,
            "shape": shape,
            "briefs_with": sum(counted[name] > 0 for counted in briefs),
            "entries_mean": fmean(counted[name] for counted in briefs),
            "entries_min": min(counted[name] for counted in briefs),
            "entries_max": max(counted[name] for counted in briefs),
            "words_mean": fmean(lengths.get(name, [0])),
            "words_max": max(lengths.get(name, [0])),
            "words_limit": limit,
        }
        for name, (shape, limit) in kinds.items()
    ]


def choices(scored: Iterable[Scored]) -> dict[str, dict[str, int]]:
    """How often each option of each choice was taken, the most frequent first; options never taken have 0."""
    found: dict[str, Counter[str]] = {}
    for one in scored:
        for field in one.template.fields:
            for part in (field, *field.parts):
                if part.options:
                    name = field.name if part is field else f"{field.name}.{part.name}"
                    found.setdefault(name, Counter({option: 0 for option, _ in part.options}))
        for piece in pieces(one.brief, one.template):
            if piece.shape == "choice" and piece.text:
                found.setdefault(piece.name, Counter())[piece.text] += 1
    return {name: dict(counter.most_common()) for name, counter in found.items()}


def modes(system: System) -> dict[str, dict[str, int]]:
    """How often each field was extractive, written, mixed or empty."""
    found: dict[str, Counter[str]] = {}
    for scored in system.scored:
        for name, mode in scored.brief.get("mode", {}).items():
            found.setdefault(name, Counter())[mode] += 1
    return {name: dict(counter.most_common()) for name, counter in found.items()}


def seconds(system: System) -> dict[str, float]:
    taken = [s.seconds for s in system.scored if s.seconds is not None]
    return {"mean_s": fmean(taken), "median_s": median(taken), "max_s": max(taken)} if taken else {}


def as_json(systems: Sequence[System], samples: Sequence[Sample], seed: int) -> dict[str, Any]:
    """All figures, no text of any document or brief. An estimate without a whole has null for its numbers."""
    rows = [
        {
            "model": system.model,
            "style": system.style,
            "documents": len(system.scored),
            "missing": len(samples) - len(system.scored),
            "seconds_per_document": seconds(system),
            "measures": {name: _plain(one) for name, one in measure_rows(system, seed).items()},
            "texts": field_rows(system),
            "modes": modes(system),
            "choices": choices(system.scored),
            "choices_news": choices(s for s in system.scored if s.sample.kind.startswith(NEWS_SOURCES)),
        }
        for system in systems
    ]
    rouges = [
        {key: _plain(value) if isinstance(value, Estimate) else value for key, value in row.items()}
        for row in rouge_rows(systems, samples, seed)
    ]
    return {"documents": len(samples), "seed": seed, "bootstrap": _SAMPLES, "rows": rows, "rouge": rouges}


def _plain(one: Estimate) -> dict[str, float | None]:
    return {key: None if value != value else round(value, 5) for key, value in asdict(one).items()}


# -- Tables -----------------------------------------------------------------------------------------------------------

_HEADLINES = {
    "schema": "schema_valid", "quotes": "quotes_verbatim", "numbers": "numbers_in_source", "names": "names_in_source",
    "supported": "supported", "doubles": "double_sentences", "no end": "no_end", "markdown": "markdown",
    "dangling": "dangling", "empty": "empty_without_reason",
}  # fmt: skip


def report(systems: Sequence[System], samples: Sequence[Sample], seed: int) -> str:
    """All tables as text. Shares are in percent."""
    rouges = rouge_rows(systems, samples, seed)
    measures = [measure_rows(system, seed) for system in systems]
    parts = [*_headlines(systems, measures, rouges), *_rouges(rouges), *_measures(systems, measures)]
    for system in systems:
        parts += _texts(system)
        news = [s for s in system.scored if s.sample.kind.startswith(NEWS_SOURCES)]
        parts += _listing(f"{system.name}: how fields were written", modes(system))
        parts += _listing(f"{system.name}: options chosen, all documents", choices(system.scored))
        parts += _listing(f"{system.name}: options chosen, {NEWS} ({len(news)} documents)", choices(news))
        if taken := seconds(system):
            median_s, most_s = f"median {taken['median_s']:.1f}", f"most {taken['max_s']:.1f}"
            parts.append(f"\n{system.name}: {taken['mean_s']:.1f} s per document ({median_s}, {most_s})")
    return clean("\n".join(parts))


def _headlines(
    systems: Sequence[System], measures: Sequence[dict[str, Estimate]], rouges: Sequence[dict[str, Any]]
) -> list[str]:
    news = {row["summary_by"]: row for row in rouges if row["group"] == NEWS}
    rows = []
    for system, found in zip(systems, measures, strict=True):
        scores = [percent(news[system.name][key], interval=False) if news else "-" for key in Rouge._fields]
        mean_s = f"{seconds(system)['mean_s']:.1f}" if seconds(system) else "-"
        shares = [percent(found[name], interval=False) for name in _HEADLINES.values()]
        rows.append([system.model, system.style, str(len(system.scored)), *scores, mean_s, *shares])
    title = f"One row per model and style: ROUGE F1 on the {NEWS}, the rest over all documents, in %"
    return [title, table(["model", "style", "docs", "R1", "R2", "RL", "s/doc", *_HEADLINES], rows, left=2)]


def _rouges(rouges: Sequence[dict[str, Any]]) -> list[str]:
    rows = [
        [row["group"], row["summary_by"], str(row["documents"]), *(percent(row[key]) for key in Rouge._fields)]
        for row in rouges
    ]
    title = "\nROUGE F1 of the summary against people's, best over references, with 95 % intervals"
    return [title, table(["documents", "summary by", "n", "R1", "R2", "RL"], rows, left=2)] if rows else []


def _measures(systems: Sequence[System], measures: Sequence[dict[str, Estimate]]) -> list[str]:
    rows = [
        [name, *(cell for found in measures for cell in (percent(found[name]), f"{found[name].whole:.0f}")), meaning]
        for name, meaning in MEASURES.items()
    ]
    head = ["measure", *(cell for system in systems for cell in (system.name, "of")), "what is counted"]
    return ["\nAll measures in %, with 95 % intervals, and of how many", table(head, rows, last_left=True)]


def _texts(system: System) -> list[str]:
    rows = [
        [
            row["text"], row["shape"], str(row["briefs_with"]), f"{row['entries_mean']:.1f}",
            f"{row['entries_min']}-{row['entries_max']}", f"{row['words_mean']:.1f}", str(row["words_max"]),
            "-" if row["shape"] == "choice" else str(row["words_limit"]),
        ]
        for row in field_rows(system)
    ]  # fmt: skip
    title = f"\n{system.name}: entries per brief, and words per text against the template's limit"
    return [title, table(["text", "shape", "briefs", "entries", "range", "words", "most", "limit"], rows, left=2)]


def _listing(title: str, counts: dict[str, dict[str, int]]) -> list[str]:
    lines = []
    for name, options in counts.items():
        text = ", ".join(f"{option} {count}" for option, count in options.items() if count)
        never = sum(count == 0 for count in options.values())
        text += f"; {never} of {len(options)} never" if never else ""
        lines.append(textwrap.fill(f"{name}: {text}", _LINE, subsequent_indent="    "))
    return [f"\n{title}", *lines] if lines else []


def percent(one: Estimate, *, interval: bool = True) -> str:
    """ "46.5 [41.2, 51.9]"; "-" where there was nothing to judge."""
    if one.value != one.value:
        return "-"
    text = f"{100 * one.value:.1f}"
    return f"{text} [{100 * one.low:.1f}, {100 * one.high:.1f}]" if interval else text


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1, last_left: bool = False) -> str:
    """Columns as wide as their widest cell; the first `left` and perhaps the last are set left, the others right."""
    lines = [list(head), *(list(row) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    lines.insert(1, ["-" * width for width in widths])

    def cell(text: str, i: int) -> str:
        is_left = i < left or (last_left and i == len(head) - 1)
        return text.ljust(widths[i]) if is_left else text.rjust(widths[i])

    return "\n".join("  ".join(cell(text, i) for i, text in enumerate(line)).rstrip() for line in lines)
