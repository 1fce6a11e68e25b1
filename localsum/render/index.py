"""The index of a folder of briefs: a line for each, and what failed. Knows briefs, not files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from localsum.brief import Brief, Item
from localsum.render.clean import one_line

_LINE = re.compile(r"- \[([^\[\]\n]{0,1000})\]\(([^()\n]{1,200})\): (.*)")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")


@dataclass(frozen=True, slots=True)
class Row:
    """What an index says of a brief. `target` is the name of its file; all else is clean and on one line."""

    target: str
    title: str
    source: str
    published: str
    categories: tuple[str, ...]


def row(target: str, brief: Brief) -> Row:
    """The row of a brief: its title, else its first text, else the name of its source."""
    document = brief.document
    named = next((result.value for result in brief.fields.values() if isinstance(result.value, str)), "")
    title = one_line(str(brief.fields["title"].value if "title" in brief.fields else named))[:200]
    source = one_line(document.path or "standard input")[:300]
    items = (item for result in brief.fields.values() if not isinstance(result.value, str) for item in result.value)
    found = (one_line(item.parts.get("category", ""))[:80] for item in items if isinstance(item, Item))
    categories = tuple(dict.fromkeys(category for category in found if category))
    return Row(target, title or source, source, one_line(document.published or "")[:40], categories)


def read_markdown_index(text: str) -> Iterator[Row]:
    """The rows of an index that `to_markdown_index` made; it does not hold all that a row may."""
    for line in text.split("\n"):
        if link := _LINE.fullmatch(line):
            title, target, source = link.groups()
            yield Row(target, _ESCAPED.sub(r"\1", title), _ESCAPED.sub(r"\1", source), "", ())


def to_markdown_index(rows: Sequence[Row], failed: Sequence[str]) -> str:
    """The index as Markdown, ending in a newline."""
    from localsum.render.markdown import escape

    lines = []
    for each in rows:
        text = each.title.replace("[", "(").replace("]", ")")  # no bracket can end the link
        lines.append(f"- [{escape(text)}]({each.target}): {escape(each.source)}\n")
    parts = ["# Briefs\n", "".join(lines) or "None.\n"]
    if failed:
        parts += ["## Failed\n", "".join(f"- {escape(message)}\n" for message in failed)]
    return "\n".join(parts)
