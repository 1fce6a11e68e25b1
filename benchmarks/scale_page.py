"""The model of cost, fitted to what scale.py measured, and the page and plots that show both."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

Row = dict[str, Any]  # a measured point: see scale.work

# Seconds of a run, loading not included. The first formula needs only what is known beforehand.
EXTRACTIVE: dict[str, Callable[[Row], float]] = {
    "once": lambda row: 1.0,
    "each document": lambda row: row["documents"],
    "1,000 words": lambda row: row["documents"] * row["words"] / 1000,
}
WRITTEN: dict[str, Callable[[Row], float]] = {
    "1,000 tokens read": lambda row: row["read"] / 1000,
    "1,000 tokens read, squared": lambda row: (row["read"] / 1000) ** 2,
    "step": lambda row: row["steps"],
    "token sampled": lambda row: row["sampled"],
}
# MB of the process at its peak; file, KV cache and logits are computed, not fitted.
MEMORY: dict[str, Callable[[Row], float]] = {
    "the process itself": lambda row: 1.0,
    "1,000 words": lambda row: 0.0 if row["part"] in ("branches", "written") else row["words"] / 1000,
}


def fit(
    rows: Sequence[Row], terms: dict[str, Callable[[Row], float]], value: Callable[[Row], float]
) -> dict[str, float]:
    """Coefficients, none below zero, by least squares of relative errors: of all sets of terms the best."""
    measured = np.array([value(row) for row in rows])
    matrix = np.array([[term(row) for term in terms.values()] for row in rows]) / measured[:, None]
    best, least = dict.fromkeys(terms, 0.0), np.inf
    for size in range(1, min(len(terms), len(rows)) + 1):
        for chosen in combinations(range(len(terms)), size):
            found = np.linalg.lstsq(matrix[:, chosen], np.ones(len(rows)), rcond=None)[0]
            error = float(((matrix[:, chosen] @ found - 1) ** 2).sum())
            if (found >= 0).all() and error < least:
                least = error
                best = dict.fromkeys(terms, 0.0) | {
                    list(terms)[at]: float(c) for at, c in zip(chosen, found, strict=True)
                }
    return best


def predict(row: Row, coefficients: dict[str, float], terms: dict[str, Callable[[Row], float]]) -> float:
    return sum(coefficients[name] * term(row) for name, term in terms.items())


def errors(rows: Iterable[Row], predicted: Callable[[Row], float], value: Callable[[Row], float]) -> list[float]:
    """By how much of what was measured each prediction is off."""
    return [abs(predicted(row) / value(row) - 1) for row in rows]


def known_mb(row: Row) -> float:
    return float(row["file_mb"] + row["kv_mb"] + row["logits_mb"])


def is_written(row: Row) -> bool:
    return row["part"] in ("branches", "written")


def make(rows: Sequence[Row], folder: Path) -> None:
    """Writes scale.md and the plots beside the results."""
    parts: list[str] = [_HEAD]
    for model in dict.fromkeys(row["model"] for row in rows):
        parts += _model(model, [row for row in rows if row["model"] == model])
    parts += _memory(rows)
    for name in _plots(rows, folder / "results"):
        parts.append(f"\n![{name}](results/scale-{name}.svg)\n")
    parts.append("\n## Measured\n\n" + _table(rows))
    (folder / "scale.md").write_text("\n".join(parts), encoding="utf-8")


_HEAD = """# How cost grows

Made by `python benchmarks/scale.py` from `results/scale.json`; do not edit. Four parts are measured: **words** and
**documents** are briefs in the default style of a base model, one document of 100 to 30,000 words and many of 400;
**branches** and **written** are briefs whose every field is sampled from the whole article (528 tokens, the work of
`localsum bench`). Then a handful of coefficients is fitted to some of the points, by relative errors, and tried on the
points held out (a dot in the plots). Seconds are of the run, the model loaded.
"""


def _seconds(row: Row) -> float:
    return float(row["run_s"])


def _model(model: str, rows: Sequence[Row]) -> list[str]:
    found = [f"\n## {model}, {rows[0]['file_mb']:.0f} MB\n"]
    for title, terms, chosen in (
        ("Default style", EXTRACTIVE, [row for row in rows if not is_written(row)]),
        ("Every field sampled", WRITTEN, [row for row in rows if is_written(row)]),
    ):
        fitted = [row for row in chosen if not row["is_held_out"]]
        if not fitted:
            continue
        tells_runs_apart = len({row["documents"] for row in fitted}) > 1  # else a run's cost is its document's
        if not tells_runs_apart:
            terms = {name: term for name, term in terms.items() if name != "once"}
        coefficients = fit(fitted, terms, _seconds)
        formula = " + ".join(f"{value:.3g} × {name}" for name, value in coefficients.items() if value)
        found.append(f"{title}: seconds = {formula.replace(' × once', '')}\n")

        def predicted(row: Row, c: dict[str, float] = coefficients, t: dict[str, Any] = terms) -> float:
            return predict(row, c, t)

        found.append(_errors(fitted, [row for row in chosen if row["is_held_out"]], predicted, _seconds))
        if tells_runs_apart:
            much = (
                {"documents": 500, "words": 400},
                {"documents": 1, "words": 30_000},
                {"documents": 500, "words": 3000},
            )
            said = [f"{_n(each['documents'])} of {_n(each['words'])} words {predicted(each):.0f} s" for each in much]
            found.append(f"Predicted: {'; '.join(said)}.\n")
    return found


def _errors(
    fitted: Sequence[Row], held: Sequence[Row], predicted: Callable[[Row], float], value: Callable[[Row], float]
) -> str:
    def said(rows: Sequence[Row]) -> str:
        off = errors(rows, predicted, value)
        return f"{100 * float(np.median(off)):.0f} % (at most {100 * max(off):.0f} %) of {len(off)}" if off else "none"

    return f"Off by, median: points fitted {said(fitted)}, held out {said(held)}.\n"


def _memory(rows: Sequence[Row]) -> list[str]:
    fitted = [row for row in rows if not row["is_held_out"]]

    def beyond(row: Row) -> float:
        return float(row["peak_mb"]) - known_mb(row)

    # Weighted by the whole, not by what is left of it.
    coefficients = fit(
        [row for row in fitted if beyond(row) > 0],
        MEMORY,
        beyond,
    )

    def predicted(row: Row) -> float:
        return known_mb(row) + predict(row, coefficients, MEMORY)

    formula = " + ".join(f"{value:.3g} × {name}" for name, value in coefficients.items() if value)
    return [
        "\n## Memory\n",
        f"Peak MB = file + KV cache + logits + {formula.replace(' × the process itself', '')} of a document\n",
        "KV cache: cells × bytes of a token. Logits: 4 bytes × vocabulary for each sequence. "
        "The file is mapped: what of it is never used takes no memory.\n",
        _errors(fitted, [r for r in rows if r["is_held_out"]], predicted, lambda row: float(row["peak_mb"])),
    ]


def _n(number: float) -> str:
    return f"{number:,.0f}"


def _table(rows: Sequence[Row]) -> str:
    head = "| part | model | words | documents | branches | load s | run s (range) | of this outside llama_decode "
    head += "| read | sampled | steps | peak MB | |"
    lines = [head, "|---" * (head.count("|") - 1) + "|"]
    for row in rows:
        low, high = row["run_s_range"]
        cells = [
            row["part"],
            row["model"],
            _n(row["words"]),
            _n(row["documents"]),
            row["branches"],
            f"{row['load_s']:.2f}",
        ]
        span = f"{row['run_s']:.2f} ({low:.2f}–{high:.2f})" if high > low else f"{row['run_s']:.2f}"
        cells += [span, f"{row['run_s'] - row['inside_s']:.2f}", _n(row["read"]), _n(row["sampled"]), _n(row["steps"])]
        cells += [_n(row["peak_mb"]), "held out" if row["is_held_out"] else ""]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    here = [row["where"] for row in rows]
    commits = ", ".join(dict.fromkeys(f"{each['commit']} on {each['date'][:10]}" for each in here))
    loads = [each["load"] for each in here if each["load"] is not None]
    last = here[-1]
    machine = f"{last['cpu']}, {last['cores']} cores, {last['memory_gb']} GB, {last['os']}, {last['threads']} threads"
    rounds = f"{last['rounds']} round{'s' * (last['rounds'] > 1)}"
    load = f"load average when the parts began {min(loads):.1f} to {max(loads):.1f}" if loads else "load not known"
    note = f"\n{machine}; commit {commits}; {rounds}; {load}.\n"
    return "\n".join(lines) + "\n" + note


def _plots(rows: Sequence[Row], folder: Path) -> list[str]:
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "localsum", "font.size": 9})
    from matplotlib import pyplot

    made = []
    for name, part, x, y, x_label, y_label, is_log in (
        ("words", "words", "words", _seconds, "words of a document", "seconds", True),
        ("documents", "documents", "documents", _seconds, "documents of 400 words", "seconds", True),
        (
            "branches",
            "branches",
            "branches",
            lambda row: row["sampled"] / row["run_s"],
            "branches",
            "sampled tokens/s",
            False,
        ),
        ("written", "written", "words", _seconds, "words, every field sampled", "seconds", True),
        ("memory", "words", "words", lambda row: row["peak_mb"], "words of a document", "peak MB", True),
    ):
        of_part = [row for row in rows if row["part"] == part]
        if not of_part:
            continue
        figure, axes = pyplot.subplots(figsize=(4.6, 2.6), layout="constrained")
        for model in dict.fromkeys(row["model"] for row in of_part):
            line = sorted((row for row in of_part if row["model"] == model), key=lambda row: row[x])
            axes.plot([row[x] for row in line], [y(row) for row in line], marker="o", markersize=3, label=model)
            held = [row for row in line if row["is_held_out"]]
            axes.plot([row[x] for row in held], [y(row) for row in held], "o", color="white", markersize=1.5, zorder=3)
        if is_log:
            axes.set_xscale("log")
            if y is _seconds:
                axes.set_yscale("log")
        axes.set_ylim(bottom=None if is_log and y is _seconds else 0)
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)
        axes.grid(visible=True, alpha=0.3)
        axes.legend(frameon=False, fontsize=7)
        figure.savefig(folder / f"scale-{name}.svg", metadata={"Date": None})
        pyplot.close(figure)
        made.append(name)
    return made
