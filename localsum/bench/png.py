"""The plots of a report as one PNG, by matplotlib: the extra `plots`."""

from __future__ import annotations

import io
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from localsum.bench.clock import STAGES
from localsum.bench.report import Report
from localsum.bench.tables import heading, score_line, stage_seconds
from localsum.errors import UsageError
from localsum.render.clean import one_line


def check_installed() -> None:
    """Raises UsageError where matplotlib is not."""
    if find_spec("matplotlib") is None:
        raise UsageError("a PNG needs matplotlib, which is not installed", "pip install 'localsum[plots]'")


def to_png(report: Report) -> bytes:
    """Raises UsageError where matplotlib is not installed."""
    check_installed()
    with _at_home():
        from matplotlib.figure import Figure

        return _drawn(Figure(figsize=(9, 12), layout="constrained"), report)


@contextmanager
def _at_home() -> Iterator[None]:
    """matplotlib asks programs of the system for fonts and keeps a list of them; the font that it brings will do."""

    def refuse(*what: object, **more: object) -> None:
        raise FileNotFoundError

    real, folder = subprocess.check_output, os.environ.get("MPLCONFIGDIR")
    with tempfile.TemporaryDirectory() as temporary:
        subprocess.check_output = refuse  # type: ignore[assignment]
        os.environ["MPLCONFIGDIR"] = folder or temporary
        try:
            yield
        finally:
            subprocess.check_output = real
            if folder is None:
                del os.environ["MPLCONFIGDIR"]


def _drawn(sheet: Any, report: Report) -> bytes:  # noqa: ANN401
    throughput, latency, stages = sheet.subplots(3, 1)
    sheet.suptitle(_plain(f"{heading(report)}\n{score_line(report)}"), fontsize=11)
    _throughput(throughput, report)
    _latency(latency, report)
    _stages(stages, report)
    out = io.BytesIO()
    sheet.savefig(out, format="png", dpi=120, metadata={"Software": None})
    return out.getvalue()


def _plain(text: str) -> str:
    """Nothing of it is a formula."""
    return text.replace("$", r"\$")


def _throughput(axes: Any, report: Report) -> None:  # noqa: ANN401
    rows = [row for row in report.rows if row.metric == "decode_tokens_s" and row.values]
    for at, row in enumerate(rows):
        axes.plot([at] * len(row.values), row.values, "o", color="#2f7f93", alpha=0.5)
    axes.plot(range(len(rows)), [row.median for row in rows], color="#2f7f93")
    axes.set_xticks(range(len(rows)), [_plain(one_line(row.case)) for row in rows])
    axes.set_ylim(bottom=0)
    axes.set_title("Decode tokens a second over branches", loc="left")


def _latency(axes: Any, report: Report) -> None:  # noqa: ANN401
    rows = [row for row in report.rows if row.metric == "brief_s" and row.values][::-1]
    for at, row in enumerate(rows):
        axes.plot(row.values, [at] * len(row.values), "o", color="#2f7f93", alpha=0.5)
        axes.plot([row.median], [at], "|", color="#d0742a", markersize=18, markeredgewidth=3)
    axes.set_yticks(range(len(rows)), [_plain(one_line(row.case)) for row in rows])
    axes.set_xlim(left=0)
    axes.set_title("Seconds a brief", loc="left")


def _stages(axes: Any, report: Report) -> None:  # noqa: ANN401
    found = dict(reversed(stage_seconds(report.rows).items()))
    cases = [_plain(one_line(case)) for case in found]
    left = [0.0] * len(found)
    colors = ("#2f7f93", "#d0742a", "#7b62a3", "#5b9a4a", "#c0527a", "#a08a2e", "#6b7f8c", "#8c5a3c")
    for stage, color in zip(STAGES, colors, strict=True):
        seconds = [each.get(stage, 0.0) for each in found.values()]
        axes.barh(cases, seconds, left=left, label=stage, color=color)
        left = [one + other for one, other in zip(left, seconds, strict=True)]
    if found:
        axes.legend(ncols=4, fontsize=8)
    axes.set_title("Where the time goes, seconds", loc="left")
