"""A report, or a comparison, as tables: what all forms for readers have in common; and the plain forms made of them.

Text of a report may come from anybody, so it passes through `one_line` here.
"""

from __future__ import annotations

import csv
import io
import json
import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from localsum.bench.clock import STAGES
from localsum.bench.compare import Comparison, Line
from localsum.bench.metrics import METRICS
from localsum.bench.report import Report, Row, score, score_formula, to_dict
from localsum.render.clean import one_line

# What the form for a terminal shows; the others show all.
_BRIEFLY = (
    *("brief_s", "articles_per_min", "first_token_s", "load_s", "prefill_tokens_s", "decode_tokens_s"),
    *("roofline_share", "outside_share", "peak_rss_mb", "energy_j"),
)
_WHERE = "Where the time goes"
_LATENCY = ("brief_s", "first_token_s", "first_field_s")


@dataclass(frozen=True, slots=True)
class Table:
    """`head` names the columns; the first of each row says what it is of, all others are figures."""

    title: str
    help: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def figure(value: float | None) -> str:
    """Three digits that count; whole from 1,000 on."""
    if value is None or not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    if abs(value) >= 999.5:
        return f"{value:,.0f}"
    return f"{value:.{max(0, 2 - math.floor(math.log10(abs(value))))}f}" if abs(value) >= 1e-4 else f"{value:.1e}"


def heading(report: Report) -> str:
    """Model and machine in a line."""
    model, machine, settings = report.model, report.machine, report.settings
    slim = f" (a slim {model['slim_of']})" if model["slim_of"] else ""
    return one_line(
        f"{model['name']}{slim} on {machine['cpu'] or machine['arch']}, {settings['threads']} threads, "
        f"{machine['os']}, {report.made_at[:10]}"
    )


def score_line(report: Report) -> str:
    value = score(report)
    return f"score {figure(value)} articles/min" if value is not None else "no score: no stream of articles was briefed"


def tables(report: Report) -> list[Table]:
    """Latency first, then each metric, then where the time goes, what was not measured, and the header."""
    by_metric: dict[str, list[Row]] = {}
    for row in report.rows:
        by_metric.setdefault(row.metric, []).append(row)
    found = []
    for metric, rows in by_metric.items():
        there = [row for row in rows if row.values]
        if not there or metric == "stage_s":
            continue
        about = METRICS.get(metric)
        unit = one_line(there[0].unit)
        found.append(
            Table(
                one_line(metric),
                about.help if about else "",
                (unit, "p50", "p95", "p99", "lowest", "highest", "samples")
                if metric in _LATENCY
                else (unit, "median", "lowest", "highest", "samples"),
                tuple(_cells(row, with_tail=metric in _LATENCY) for row in there),
            )
        )
    found += _stages(by_metric.get("stage_s", []))
    if missing := [row for row in report.rows if not row.values]:
        reasons: dict[tuple[str, str], list[str]] = {}
        for row in missing:
            reasons.setdefault((one_line(row.metric), one_line(row.reason)), []).append(one_line(row.case) or "–")
        rows_ = tuple((metric, reason, "; ".join(cases)) for (metric, reason), cases in reasons.items())
        found.append(Table("Not measured", "and why", ("metric", "reason", "cases"), rows_))
    found.append(_header(report))
    return found


def _cells(row: Row, *, with_tail: bool) -> tuple[str, ...]:
    shares = (0.5, 0.95, 0.99) if with_tail else ()
    middle = [figure(row.percentile(share)) for share in shares] or [figure(row.median)]
    span = (figure(min(row.values)), figure(max(row.values)), f"{len(row.values):,}")
    return (one_line(row.case) or "all", *middle, *span)


def stage_seconds(rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    """Median seconds by case and stage."""
    found: dict[str, dict[str, float]] = {}
    for row in rows:
        case, _, stage = row.case.rpartition(", ")
        if row.metric == "stage_s" and row.median is not None and stage in STAGES:
            found.setdefault(case, {})[stage] = row.median
    return found


def _stages(rows: Sequence[Row]) -> list[Table]:
    found = stage_seconds(rows)
    if not found:
        return []
    help_ = "; ".join(f"{stage}: {meaning}" for stage, meaning in STAGES.items())
    lines = tuple(
        (one_line(case), *(f"{seconds.get(stage, 0.0):,.3f}" for stage in STAGES)) for case, seconds in found.items()
    )
    return [Table(_WHERE, f"median seconds; {help_}", ("s", *STAGES), lines)]


def _header(report: Report) -> Table:
    rows = [("name", report.name), ("made at", report.made_at)]
    for name in ("software", "machine", "model", "settings"):
        section = getattr(report, name)
        rows += [(f"{name}.{key}", "–" if value is None else str(value)) for key, value in section.items()]
    rows += [
        (f"article {each['name']}", f"{each['words']} words, {each['tokens']} tokens, {each['sha256']}")
        for each in report.articles
    ]
    return Table("Measured with", "", ("what", ""), tuple((one_line(key), one_line(value)) for key, value in rows))


def comparison_tables(found: Comparison) -> list[Table]:
    """What differs of the two, the lines, what was not compared."""
    lines = [line for line in found.lines if line.metric != "stage_s" or line.verdict not in ("no difference",)]
    made = [
        Table(
            f"{one_line(found.second)} against {one_line(found.first)}",
            "medians, their ratio and its 95 % interval; "
            f"times that differ by up to {100 * found.wobble:.0f} % may be the machine's own change of speed",
            ("", "first", "second", "ratio", "interval", "verdict"),
            tuple(map(_compared, lines)),
        )
    ]
    if found.differs:
        made.append(Table("Not the same", "", ("",), tuple((one_line(each),) for each in found.differs)))
    if found.refused:
        reasons: dict[tuple[str, str], list[str]] = {}
        for each in found.refused:
            reasons.setdefault((one_line(each.metric), one_line(each.why)), []).append(one_line(each.case) or "–")
        rows = tuple((metric, why, "; ".join(cases)) for (metric, why), cases in reasons.items())
        made.append(Table("Not compared", "and why", ("metric", "reason", "cases"), rows))
    return made


def _compared(line: Line) -> tuple[str, ...]:
    name = one_line(f"{line.metric} {line.case} ({line.unit})".replace("  ", " "))
    interval = "–" if line.low is None else f"{figure(line.low)} to {figure(line.high)}"
    verdict = f"{line.verdict}: {line.why}" if line.why else line.verdict
    return (name, figure(line.first), figure(line.second), figure(line.ratio), interval, verdict)


# Plain forms

_LINE = 100
_WIDEST = 60  # of a column of text on a terminal


def as_table(report: Report) -> str:
    """For a terminal: the most important."""
    head = [heading(report), score_line(report), f"  {one_line(score_formula(report))}"]
    head += [f"warning: {one_line(warning)}" for warning in report.warnings]
    shown = [table for table in tables(report) if table.title in (*_BRIEFLY, _WHERE)]
    return "\n".join(head) + "\n\n" + tables_as_text(shown) + "\nall of it: --format md, or html\n"


def tables_as_text(made: Sequence[Table]) -> str:
    return "\n".join(f"{_title(table)}\n{_columns(table)}" for table in made)


def _title(table: Table) -> str:
    text = f"{table.title}: {table.help}" if table.help else table.title
    return textwrap.fill(text, _LINE, subsequent_indent="    ")


def _columns(table: Table) -> str:
    rows = [table.head, *table.rows]
    widths = [min(_WIDEST, max(len(row[at]) for row in rows)) for at in range(len(table.head))]
    numeric = [at > 0 and all(_is_figure(row[at]) for row in table.rows) for at in range(len(table.head))]
    lines = []
    for row in rows:
        cells = (
            cell.rjust(width) if is_number else cell.ljust(width)
            for cell, width, is_number in zip(row, widths, numeric, strict=True)
        )
        lines.append("  " + "  ".join(cells).rstrip())
    return "\n".join(lines) + "\n"


def _is_figure(cell: str) -> bool:
    return cell == "–" or cell[:1].isdigit()


def as_markdown(report: Report) -> str:
    lines = [
        f"# {_escaped(heading(report))}",
        "",
        f"**{score_line(report)}** ({_escaped(one_line(score_formula(report)))})",
        "",
    ]
    lines += [f"> {_escaped(one_line(warning))}\n" for warning in report.warnings]
    return "\n".join(lines) + "\n" + tables_as_markdown(tables(report))


def tables_as_markdown(made: Sequence[Table]) -> str:
    parts = []
    for table in made:
        rows = [table.head, ("---",) * len(table.head), *table.rows]
        body = "\n".join("| " + " | ".join(map(_escaped, row)) + " |" for row in rows)
        parts.append(f"## {_escaped(table.title)}\n\n{_escaped(table.help)}\n\n{body}\n".replace("\n\n\n\n", "\n\n"))
    return "\n".join(parts)


def _escaped(text: str) -> str:
    """Plain text in Markdown, in a table too."""
    for sign in "\\`*_[]<>|#":
        text = text.replace(sign, f"\\{sign}")
    return text


_FLAT = ("name", "made_at")


def as_jsonl(report: Report) -> str:
    """A line for each row, each with what tells reports apart."""
    found = to_dict(report)
    about = {key: found[key] for key in _FLAT} | {"model": report.model["name"], "cpu": report.machine["cpu"]}
    return "".join(json.dumps({**about, **row}) + "\n" for row in found["rows"])


def as_csv(reports: Sequence[Report]) -> str:
    """A line for each row, samples with spaces between."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    columns = ("metric", "case", "unit", "better", "median", "low", "high", "reason")
    writer.writerow(["report", "made_at", "model", "cpu", *columns, "samples", "values"])
    for report in reports:
        about = [report.name, report.made_at, report.model["name"], report.machine["cpu"] or ""]
        for row in to_dict(report)["rows"]:
            cells = [*about, *(row[column] for column in columns), len(row["values"])]
            cells.append(" ".join(map(repr, row["values"])))
            writer.writerow([_no_formula(cell) for cell in cells])
    return out.getvalue()


def _no_formula(cell: object) -> object:
    """Text that a spreadsheet would calculate stays text; line ends and controls go."""
    if not isinstance(cell, str):
        return cell
    text = one_line(cell)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") and text[:1] else text
