"""A report as a page of HTML that stands alone: score, warnings, three plots, and all tables. No script."""

from __future__ import annotations

from localsum.bench import svg
from localsum.bench.report import Report, score_formula
from localsum.bench.tables import heading, score_line, tables
from localsum.render.clean import one_line
from localsum.render.html import page


def to_html(reports: list[Report]) -> str:
    """The page of one report or several, under one another; ends in a newline."""
    return page(
        "bench",
        title=f"localsum bench: {heading(reports[0])}",
        reports=[
            {
                "heading": heading(report),
                "score": score_line(report),
                "formula": one_line(score_formula(report)),
                "warnings": [one_line(warning) for warning in report.warnings],
                "plots": svg.plots(report),
                "tables": tables(report),
            }
            for report in reports
        ],
    )
