"""In which form a brief is shown, when options besides `--format` have a say in it."""

from __future__ import annotations

import sys

from localsum.commands.options import FormatName
from localsum.errors import UsageError


def chosen_form(
    wanted: FormatName | None, *, is_opened: bool, is_annotated: bool, is_printed: bool = True
) -> FormatName:
    """The form that is wanted, or that the options ask for; else it is that of a terminal, or Markdown.

    `is_opened`: with --open; `is_annotated`: with --footnotes or --front-matter; `is_printed`: to standard output.
    Raises UsageError where they ask for different ones.
    """
    if is_annotated and (is_opened or wanted not in (None, "md")):
        raise UsageError(
            "--footnotes and --front-matter are for Markdown, not for another format",
            "leave --format and --open away, or: --format md",
        )
    if is_opened and wanted not in (None, "html"):
        raise UsageError("--open shows a page of HTML, not another format", "leave --format away, or: --format html")
    if is_opened:
        return "html"
    return wanted or ("terminal" if is_printed and not is_annotated and sys.stdout.isatty() else "md")
