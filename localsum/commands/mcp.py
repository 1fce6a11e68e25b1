"""`localsum mcp`: the MCP server, for an assistant on this computer."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from localsum.commands import options
from localsum.commands.say import note
from localsum.commands.session import Session, tuning
from localsum.errors import UsageError

if TYPE_CHECKING:
    from contextlib import ExitStack

    from localsum.summarizer import Summarizer


def mcp(
    folders: Annotated[
        list[str], typer.Argument(metavar="DIR...", help="Folders whose files may be briefed; nothing outside is read.")
    ],
    model: options.ModelOption = None,
    template: options.TemplateOption = None,
    style: options.StyleOption = None,
    language: options.LanguageOption = None,
    threads: options.ThreadsOption = None,
    context: options.ContextOption = None,
    seed: options.SeedOption = 0,
    reproducible: options.ReproducibleOption = False,
    quiet: options.QuietOption = False,
    store: options.StoreOption = None,
    no_store: options.NoStoreOption = False,
) -> None:
    """Serve briefs of files in folders to an assistant on this computer (MCP, over standard input and output).

    The assistant's own settings start this command; docs/mcp.md shows them.
    """
    from localsum.languages import find_language
    from localsum.readers import shown
    from localsum.templates import load_template

    try:
        from localsum.mcp_server import serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("mcp", "pydantic", "anyio"):
            raise
        raise UsageError("the package that speaks MCP is not installed", "pip install 'localsum[mcp]'") from None
    for folder in folders:
        if not Path(folder).is_dir():
            raise UsageError(f"{shown(folder)} is no folder", "name folders that are there: localsum mcp DIR...")
    chosen = load_template(template)
    tuning()  # what is wrong with these two is said here, not to the assistant
    if language:
        find_language(language)
    if sys.stdin.isatty() and not quiet:
        note("waiting for the messages of an assistant, which starts this command itself (docs/mcp.md); to end: Ctrl-D")

    def make(stack: ExitStack) -> Summarizer:
        session = Session(
            chosen, model, style, threads, context, seed, reproducible, store, no_store, quiet=quiet, language=language
        )
        return stack.enter_context(stack.enter_context(session).summarizer)

    serve(make, [Path(folder) for folder in folders], chosen)
