"""`localsum watch`: briefs of what arrives in a folder, once, when it is complete, until Ctrl-C."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated

import typer

from localsum.commands import options
from localsum.commands.say import note
from localsum.commands.session import Session, left_out
from localsum.errors import InterruptedRun, LocalsumError, UsageError

if TYPE_CHECKING:
    from localsum.commands.watching import Watching


def watch(
    call: typer.Context,
    folder: options.FolderArgument,
    recursive: options.RecursiveOption = False,
    glob: options.GlobOption = None,
    new_only: Annotated[
        bool, typer.Option("--new-only", help="Leave what is in the folder already; only what arrives from now on.")
    ] = False,
    settle: Annotated[
        float,
        typer.Option(
            "--settle",
            metavar="SECONDS",
            min=0.05,
            max=3600,
            help="A file is complete when it has not changed for so long.",
        ),
    ] = 2.0,
    format: options.FormatOption = None,  # noqa: A002
    output: Annotated[
        str | None,
        typer.Option(
            "--output", "-o", metavar="DIR", help="Write a file for each document and an index into this folder."
        ),
    ] = None,
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
    format_in: options.InputOption = None,
    text_field: options.TextFieldOption = None,
    title_field: options.TitleFieldOption = None,
    id_field: options.IdFieldOption = None,
) -> None:
    """Write the brief of each article that arrives in a folder, once it is complete, until Ctrl-C.

    What is in the folder at the start is briefed too, unless its brief is kept. The same content is briefed once.
    """
    from localsum.arrivals import Arrivals
    from localsum.commands.watching import Watching, counts_of
    from localsum.live import LiveView
    from localsum.readers import shown
    from localsum.templates import load_template

    if not os.path.isdir(folder):
        what = "is no folder" if os.path.exists(folder) else "does not exist"
        hint = f"localsum brief {shown(folder)}" if os.path.isfile(folder) else f"mkdir {shown(folder)}"
        raise UsageError(f"{shown(folder)} {what}", f"name a folder: localsum watch DIR; or: {hint}")
    into = _output_folder(output, folder)
    form = format or ("terminal" if output is None and sys.stdout.isatty() else "md")
    if form == "html" and into is None:
        raise UsageError("a page of HTML holds one brief, and more will come", "name a folder: --output briefs/")
    chosen = load_template(template)
    session = Session(
        chosen, model, style, threads, context, seed, reproducible, store, no_store, quiet=quiet, language=language
    )
    fields = {"format_in": format_in, "text_field": text_field, "title_field": title_field, "id_field": id_field}
    arrivals = Arrivals(Path(folder), settle, recursive, glob, into)
    watching = Watching(session, arrivals, into, form, fields)
    unreadable: set[str] = set()
    try:
        with session:
            session.summarizer.model  # noqa: B018  (where there is none, nobody should wait for an article to be told so)
            arrivals.look(monotonic())
            if new_only:
                watching.leave(arrivals.take_all())
            for line in [] if quiet else [*left_out(arrivals.found), f"watching {shown(folder)}; to end it: Ctrl-C"]:
                note(line)
            for files in arrivals.batches():
                with LiveView(is_quiet=quiet, fields=tuple(each.name for each in chosen.fields)) as view:
                    watching.brief(files, view)
                for error in (*arrivals.found.failed, *watching.tally.failed):
                    if error.message not in unreadable:
                        _say(error)
                unreadable.update(error.message for error in arrivals.found.failed)
                if not quiet and (counts := counts_of(watching.tally)):
                    note(f"{shown(str(files[0])) if len(files) == 1 else f'{len(files):,} files'}: {counts}")
    except KeyboardInterrupt:
        raise _interrupted(watching, call.obj.arguments) from None


def _output_folder(output: str | None, folder: str) -> Path | None:
    from localsum.outputs import is_folder
    from localsum.readers import shown

    if output is None:
        return None
    if not is_folder(output, [folder]):
        hint = f"name one: --output briefs/; or take one file: localsum watch {shown(folder)} >> {shown(output)}"
        raise UsageError(f"{shown(output)} is no folder", hint)
    if os.path.realpath(output) == os.path.realpath(folder):
        raise UsageError(
            "the briefs themselves would be watched", f"name a folder in it: --output {shown(folder)}/briefs/"
        )
    return Path(output)


def _say(error: LocalsumError) -> None:
    note(f"localsum: {error.message}" + (f"\n  {error.hint}" if error.hint else ""))


def _interrupted(watching: Watching, arguments: list[str]) -> InterruptedRun:
    from localsum.commands.watching import counts_of

    whole = watching.whole()
    whole.unread += len(watching.arrivals.waiting)
    counts = counts_of(whole, left="not done") or "nothing arrived"
    again = shlex.join(["localsum", *arguments])
    return InterruptedRun(
        f"interrupted: {counts}",
        f"go on with: {again}" if watching.session.is_keeping else f"start again with: {again}",
    )
