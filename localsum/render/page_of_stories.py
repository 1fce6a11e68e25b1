"""A digest as the blocks a reader sees, in order: overview, stories with their sources, notes, footer.

All text that leaves this module is clean and on one line.
"""

from __future__ import annotations

from collections.abc import Iterator

from localsum.brief import Verdict
from localsum.digest import Digest, Source
from localsum.render.clean import one_line
from localsum.render.outline import Block, Entry, Fact, Heading, Paragraph, Support, support_of


def outline(digest: Digest) -> Iterator[Block]:
    yield Heading(one_line(digest.title), 1)
    overview = digest.overview
    if text := one_line(overview.text):
        yield Paragraph(text, _support(overview.verdict, overview.reasons))
    for story in digest.stories:
        yield Heading(one_line(story.headline) or "(no headline)", 2)
        if text := one_line(story.text):
            yield Paragraph(text, _support(story.support.verdict, story.support.reasons))
        yield from (_source(source, story.headline) for source in story.sources)
    if notes := dict.fromkeys(line for note in digest.warnings if (line := one_line(note))):
        yield Heading("Notes", 2)
        yield from map(Entry, notes)
    made_by = (digest.model.get("name", ""), f"template {digest.template.get('name', '')}")
    yield Fact("Model", " · ".join(line for part in made_by if (line := one_line(part))))


def _support(verdict: Verdict, reasons: tuple[str, ...]) -> Support:
    """What the checks say. Evidence lies in many documents, which a footnote of one page cannot point into."""
    return support_of((), verdict, reasons)


def _source(source: Source, headline: str) -> Entry:
    """Where a story is from: its own title if it has another, who published it when, and whether it is a copy."""
    document = source.document
    day = (document.published or "").split("T")[0]
    title = document.title if document.title != headline else ""
    parts = (title, document.author, day, document.url, document.path or "standard input")
    known = [line for part in parts if part and (line := one_line(part))]
    return Entry(" · ".join([*known, "the same text"] if source.duplicate else known))
