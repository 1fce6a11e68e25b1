"""A brief or a digest shown: for a terminal, as Markdown, as JSON. Knows no templates, and loads nothing heavy."""

from __future__ import annotations

from typing import Literal, get_args

from localsum.brief import Brief
from localsum.digest import Digest
from localsum.errors import UsageError

Format = Literal["terminal", "md", "json", "jsonl"]


def render(
    result: Brief | Digest,
    format: Format,  # noqa: A002  (the word of the command line)
    *,
    width: int = 80,
    color: bool = False,
    unicode: bool = True,
) -> str:
    """The brief or digest as text that ends in a newline.

    `width` (columns), `color` (ANSI codes) and `unicode` (False: ASCII only) concern the terminal form; Markdown and
    JSON are for files, in UTF-8; jsonl is JSON on one line. Raises UsageError for another format.
    """
    if format == "terminal":
        from localsum.render.outline import outline
        from localsum.render.terminal import to_terminal  # loads rich's table of character widths

        return to_terminal(outline(result), width=width, color=color, unicode=unicode)
    if format == "md":
        from localsum.render.markdown import to_markdown
        from localsum.render.outline import outline

        return to_markdown(outline(result))
    if format in ("json", "jsonl"):
        from localsum.render.as_json import to_json

        return to_json(result, indent=2 if format == "json" else None)
    raise UsageError(f"no output format {format!r}", f"choose one: --format {', '.join(get_args(Format))}")
