"""A brief or a digest shown: for a terminal, as Markdown, as a page of HTML, as JSON.

A form loads what it needs when asked for.
"""

from __future__ import annotations

from typing import Literal, get_args

from localsum.brief import Brief
from localsum.digest import Digest
from localsum.errors import UsageError
from localsum.render.outline import outline

Format = Literal["terminal", "md", "html", "json", "jsonl"]


def render(
    brief: Brief | Digest,
    format: Format,  # noqa: A002  (the word of the command line)
    *,
    width: int = 80,
    color: bool = False,
    unicode: bool = True,
    footnotes: bool = False,
    front_matter: bool = False,
) -> str:
    """The brief or digest as text that ends in a newline; `unicode` False: in ASCII, which costs JSON and HTML nothing.

    `width` (columns) and `color` (ANSI codes) concern the terminal form, `footnotes` (the evidence of each claim) and
    `front_matter` Markdown of briefs; jsonl is JSON on one line. Raises UsageError for another format.
    """
    if isinstance(brief, Digest):
        return _digest(brief, format, width=width, color=color, unicode=unicode)
    if format == "terminal":
        from localsum.render.terminal import to_terminal  # loads rich's table of character widths

        return to_terminal(outline(brief), width=width, color=color, unicode=unicode)
    if format == "md":
        from localsum.render.markdown import to_markdown

        text = to_markdown(outline(brief), brief.document.text if footnotes else None, unicode=unicode)
        if not front_matter:
            return text
        from localsum.render.front_matter import front_matter as front_matter_of

        return front_matter_of(brief, unicode=unicode) + text
    if format == "html":
        from localsum.render.html import to_html

        page = to_html(brief)
        return page if unicode else page.encode("ascii", "xmlcharrefreplace").decode("ascii")
    if format in ("json", "jsonl"):
        from localsum.render.as_json import to_json

        return to_json(brief, indent=2 if format == "json" else None, unicode=unicode)
    raise UsageError(f"no output format {format!r}", f"choose one: --format {', '.join(get_args(Format))}")


def _digest(digest: Digest, format: Format, *, width: int, color: bool, unicode: bool) -> str:  # noqa: A002
    from localsum.render import page_of_stories

    if format == "terminal":
        from localsum.render.terminal import to_terminal

        return to_terminal(page_of_stories.outline(digest), width=width, color=color, unicode=unicode)
    if format == "md":
        from localsum.render.markdown import to_markdown

        return to_markdown(page_of_stories.outline(digest), unicode=unicode)
    if format == "html":
        from localsum.render.html import digest_to_html

        page = digest_to_html(digest)
        return page if unicode else page.encode("ascii", "xmlcharrefreplace").decode("ascii")
    if format in ("json", "jsonl"):
        from localsum.digest import to_dict
        from localsum.render.as_json import dumps

        return dumps(to_dict(digest), 2 if format == "json" else None, unicode=unicode) + "\n"
    raise UsageError(f"no output format {format!r}", f"choose one: --format {', '.join(get_args(Format))}")
