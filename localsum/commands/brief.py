"""`localsum brief`: briefs of everything that a list of paths means, in one engine run."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from localsum.commands import ending, options
from localsum.commands.ending import interrupted, say_at_the_end
from localsum.commands.forms import chosen_form
from localsum.commands.opening import private_folder
from localsum.commands.say import note, terminal, write_out
from localsum.commands.session import Session, read_all
from localsum.errors import InputError, LocalsumError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from localsum.brief import Brief
    from localsum.document import Document
    from localsum.outputs import Output
    from localsum.runs import Tally


def brief(
    call: typer.Context,
    paths: options.PathsArgument,
    recursive: options.RecursiveOption = False,
    glob: options.GlobOption = None,
    format: options.FormatOption = None,  # noqa: A002
    output: options.OutputOption = None,
    open_it: options.OpenOption = False,
    footnotes: options.FootnotesOption = False,
    front_matter: options.FrontMatterOption = False,
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
    fresh: options.FreshOption = False,
    stats: options.StatsOption = False,
    format_in: options.InputOption = None,
    text_field: options.TextFieldOption = None,
    title_field: options.TitleFieldOption = None,
    id_field: options.IdFieldOption = None,
) -> None:
    """Write the brief of each article in files and folders."""
    started_s = time.perf_counter()
    from contextlib import nullcontext

    from localsum.files import undisturbed
    from localsum.inputs import find_inputs
    from localsum.live import LiveView
    from localsum.outputs import Folder, OneFile, Stream, is_folder
    from localsum.render import render
    from localsum.runs import Tally
    from localsum.templates import load_template

    is_annotated = footnotes or front_matter
    wanted = chosen_form(format, is_opened=open_it, is_annotated=is_annotated, is_printed=output is None)
    show = partial(render, format=wanted, footnotes=footnotes, front_matter=front_matter)
    is_whole = wanted == "html" or is_annotated
    if open_it and output is None:
        output = private_folder()
    into = Path(output) if output and is_folder(output, paths) else None
    chosen = load_template(template)
    inputs = find_inputs(paths, recursive=recursive, pattern=glob, without=into)
    tally = Tally(unread=len(inputs.files), read=len(inputs.failed), failed=list(inputs.failed))
    if output is None:
        out: Output = Stream(wanted, partial(show, **terminal()), write_out, is_whole)
    else:
        out = Folder(into, wanted, show) if into else OneFile(Path(output), wanted, show, is_whole)
    session = Session(
        *(chosen, model, style, threads, context, seed, reproducible, store, no_store, fresh, quiet),
        pool=call.obj.pool,
        language=language,
    )
    fields = {"format_in": format_in, "text_field": text_field, "title_field": title_field, "id_field": id_field}
    notes: list[str] = []
    try:
        with LiveView(is_quiet=quiet, fields=tuple(each.name for each in chosen.fields)) as view, session:

            def documents() -> Iterator[Document | InputError]:
                for found in read_all(inputs.files, tally, **fields):
                    if not isinstance(found, LocalsumError):
                        out.expect(found)
                    yield found

            def put(done: Brief) -> None:
                notes.extend(done.warnings)
                with view.aside() if output is None else nullcontext():
                    out.put(done)

            session.run(documents(), tally, view, put)
        with undisturbed():
            out.close(tally.failed)
            if open_it and tally.done:
                call.obj.page = out.page if isinstance(out, Folder) else Path(str(output))
    except KeyboardInterrupt:
        if tally.total < 2:
            raise
        if into:
            with undisturbed():
                out.close(tally.failed)
        raise interrupted(session, tally, call.obj.arguments) from None
    if stats:
        note(ending.stats(session, tally, started_s))
    elif not quiet and tally.total == 1 and wanted in ("json", "jsonl"):
        for warning in notes:
            note(f"note: {warning}")
    index = out.index if isinstance(out, Folder) else None
    is_kept = session.store is not None
    say_at_the_end(tally, inputs, lambda: _last_line(tally, index, is_kept=is_kept), is_quiet=quiet or stats)


def _last_line(tally: Tally, index: Path | None, *, is_kept: bool) -> str:
    if tally.total == 1 and not index:
        return "note: written earlier and kept; to write it anew: --fresh" if tally.recalled else ""
    ways = [f"all of them: {index}"] if index else []
    ways += ["to find words in them: localsum search WORDS"] if is_kept else []
    return "; ".join([tally.line(), *ways])
