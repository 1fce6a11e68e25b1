"""A digest as the blocks a reader sees, in order: overview, stories with their sources, notes, footer.

All text that leaves this module is clean and on one line.
"""

from __future__ import annotations

from collections.abc import Iterator

from localsum.digest import Digest, Overview, Source
from localsum.digest import Support as Checked
from localsum.render.clean import one_line
from localsum.render.outline import Block, Entry, Fact, Heading, Paragraph, Support, support_of


def outline(digest: Digest) -> Iterator[Block]:
    yield Heading(one_line(digest.title), 1)
    overview = digest.overview
    if text := one_line(overview.text):
        yield Paragraph(text, what_checks_say(overview))
    for story in digest.stories:
        yield Heading(one_line(story.headline) or "(no headline)", 2)
        if text := one_line(story.text):
            yield Paragraph(text, what_checks_say(story.support))
        yield from (Entry(source_line(source, story.headline)) for source in story.sources)
    if lines := notes(digest):
        yield Heading("Notes", 2)
        yield from map(Entry, lines)
    yield made_by(digest)


def notes(digest: Digest) -> list[str]:
    """What the digest leaves out and what failed, each said once."""
    return list(dict.fromkeys(line for note in digest.warnings if (line := one_line(note))))


def made_by(digest: Digest) -> Fact:
    """The model and the template."""
    parts = (digest.model.get("name", ""), f"template {digest.template.get('name', '')}")
    return Fact("Model", " · ".join(line for part in parts if (line := one_line(part))))


def what_checks_say(text: Overview | Checked) -> Support:
    """Evidence lies in many documents, which a footnote of one page cannot point into."""
    return support_of((), text.verdict, text.reasons)


def source_line(source: Source, headline: str) -> str:
    """Where a story is from: its own title if it has another, who published it when, and whether it is a copy."""
    document = source.document
    day = (document.published or "").split("T")[0]
    title = document.title if document.title != headline else ""
    parts = (title, document.author, day, document.url, document.path or "standard input")
    known = [line for part in parts if part and (line := one_line(part))]
    return " · ".join([*known, "the same text"] if source.duplicate else known)
