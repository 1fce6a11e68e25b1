"""The plots of a report as inline SVG: no library, no script, colours by class so that they follow light and dark.

Every plot shows what a table beside it says in figures. Text is escaped here.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from localsum.bench.clock import STAGES
from localsum.bench.report import Report, Row
from localsum.bench.tables import figure, stage_seconds
from localsum.render.clean import one_line

_WIDTH, _LEFT, _RIGHT = 640, 200, 30
_LINE = 30
_WHERE = "Where the time goes, as shares"


def plots(report: Report) -> list[tuple[str, str]]:
    """Name and markup of each plot that the report has samples for."""
    made = (("Decode tokens a second over branches", throughput), ("Seconds a brief", latency), (_WHERE, stages))
    return [(name, drawn) for name, draw in made if (drawn := draw(report))]


def throughput(report: Report) -> str:
    """Decode tokens a second over branches: median as a line, samples as dots."""
    rows = [(count, row) for row in report.rows if (count := _branches(row)) and row.values]
    if len(rows) < 2:
        return ""
    height, left, bottom, top = 260, 60, 40, 20
    most = max(max(row.values) for _, row in rows)
    counts = sorted(count for count, _ in rows)
    place = {count: left + 30 + (_WIDTH - left - 80) * at / (len(counts) - 1) for at, count in enumerate(counts)}

    def y(value: float) -> float:
        return height - bottom - (height - bottom - top) * value / most

    parts = [_axis(left, height - bottom, _WIDTH - 20, height - bottom)]
    for share in (0.5, 1.0):
        parts.append(_axis(left, y(most * share), _WIDTH - 20, y(most * share), "grid"))
        parts.append(_text(left - 8, y(most * share) + 4, figure(most * share), "end"))
    medians = [(place[count], y(row.median or 0.0)) for count, row in sorted(rows, key=lambda each: each[0])]
    parts.append(f'<polyline class="s1 line" points="{" ".join(f"{a:.1f},{b:.1f}" for a, b in medians)}"/>')
    for count, row in rows:
        parts += [_dot(place[count], y(value)) for value in row.values[:200]]
        parts.append(_text(place[count], height - bottom + 18, str(count), "middle"))
        parts.append(_text(place[count], y(row.median or 0.0) - 10, figure(row.median), "middle"))
    parts.append(_text((left + _WIDTH) / 2, height - 4, "branches beside each other", "middle"))
    return _plot("Decode tokens a second over branches", height, parts)


def _branches(row: Row) -> int:
    head = row.case.split(" ")[0]
    is_it = row.metric == "decode_tokens_s" and len(head) < 6 and head.isascii() and head.isdigit()
    return int(head) if is_it else 0


def latency(report: Report) -> str:
    """Seconds a brief, every sample a dot, the median a bar."""
    rows = [row for row in report.rows if row.metric == "brief_s" and row.values][:20]
    if not rows:
        return ""
    most = max(max(row.values) for row in rows) or 1.0
    height = 20 + _LINE * len(rows) + 30

    def x(value: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * value / most

    parts = []
    for at, row in enumerate(rows):
        y = 20 + _LINE * at + _LINE / 2
        parts.append(_text(_LEFT - 10, y + 4, one_line(row.case)[:34], "end"))
        parts.append(_axis(_LEFT, y, _WIDTH - _RIGHT, y, "grid"))
        parts += [_dot(x(value), y) for value in row.values[:500]]
        middle = x(row.median or 0.0)
        parts.append(f'<rect class="s2" x="{middle - 1.5:.1f}" y="{y - 10:.1f}" width="3" height="20"/>')
    for share in (0.0, 0.5, 1.0):
        parts.append(_text(x(most * share), height - 8, f"{figure(most * share)} s", "middle"))
    return _plot("Seconds a brief", height, parts)


def stages(report: Report) -> str:
    """Where the time goes: a bar for each case, cut into stages."""
    found = dict(list(stage_seconds(report.rows).items())[:20])
    found = {case: seconds for case, seconds in found.items() if sum(seconds.values()) > 0}
    if not found:
        return ""
    height = 60 + _LINE * len(found)
    parts = []
    for at, stage in enumerate(STAGES):
        x, y = _LEFT - 190 + (at % 8) * 76, 8
        parts.append(f'<rect class="s{at + 1}" x="{x}" y="{y}" width="10" height="10"/>')
        parts.append(_text(x + 14, y + 9, stage, "start"))
    for at, (case, seconds) in enumerate(found.items()):
        start, top, whole = float(_LEFT), 36 + _LINE * at, sum(seconds.values())
        parts.append(_text(_LEFT - 10, top + 15, one_line(case)[:34], "end"))
        for number, stage in enumerate(STAGES):
            width = (_WIDTH - _LEFT - _RIGHT - 40) * seconds.get(stage, 0.0) / whole
            parts.append(f'<rect class="s{number + 1}" x="{start:.1f}" y="{top}" width="{width:.2f}" height="20"/>')
            start += width
        parts.append(_text(start + 6, top + 15, f"{figure(whole)} s", "start"))
    return _plot(_WHERE, height, parts)


def _plot(name: str, height: float, parts: Sequence[str]) -> str:
    label = escape(name)
    head = f'<svg class="plot" viewBox="0 0 {_WIDTH} {height:.0f}" role="img" aria-label="{label}">'
    return f"{head}{''.join(parts)}</svg>"


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _axis(x: float, y: float, to_x: float, to_y: float, kind: str = "axis") -> str:
    return f'<line class="{kind}" x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}"/>'


def _dot(x: float, y: float) -> str:
    return f'<circle class="s1" cx="{x:.1f}" cy="{y:.1f}" r="3"/>'
