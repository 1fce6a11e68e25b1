"""The digest as a whole: its stories, overview, title and warnings, and what was left out."""

from __future__ import annotations

from calendar import month_name
from collections.abc import Sequence
from datetime import date

from localsum.digest import Digest, Overview
from localsum.stories.alike import day
from localsum.stories.telling import Telling

_DATED = 0.5  # share of the documents whose dates speak for all


def edition(
    tellings: Sequence[Telling],
    overview: Overview,
    *,
    most: int,
    model: dict[str, str],
    template: dict[str, str],
    timing: dict[str, float],
    warnings: Sequence[str] = (),
) -> Digest:
    """The digest of the first `most` stories. `warnings` are of documents that failed."""
    shown = tuple(telling.story for telling in tellings[:most])
    notes = list(warnings)
    if left := len(tellings) - len(shown):
        notes.append(
            f"{left:,} more stor{'y is' if left == 1 else 'ies are'} left out; for all: --stories {len(tellings)}"
        )
    notes += [
        f"{story.headline}: {reason}"
        for story in shown
        if story.support.verdict == "unsupported"
        for reason in story.support.reasons
    ]
    if not overview.text:
        notes.append("overview: no sentence of the sources can stand for the whole")
    return Digest(_title(tellings), overview, shown, model, template, timing, tuple(notes))


def _title(tellings: Sequence[Telling]) -> str:
    """`27 stories from 30 documents, 3 to 5 March 2026`."""
    sources = [source.document for telling in tellings for source in telling.sources]
    documents = {(each.path, each.sha256): day(each.published) for each in sources}
    days = sorted(each for each in documents.values() if each)
    said = f"{_count(len(tellings), 'story', 'stories')} from {_count(len(documents), 'document', 'documents')}"
    return f"{said}, {_range(days[0], days[-1])}" if len(days) > _DATED * len(documents) else said


def _count(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def _range(first: date, last: date) -> str:
    end = f"{last.day} {month_name[last.month]} {last.year}"
    if first == last:
        return end
    month = "" if (first.year, first.month) == (last.year, last.month) else f" {month_name[first.month]}"
    year = "" if first.year == last.year else f" {first.year}"
    return f"{first.day}{month}{year} to {end}"
