"""`localsum brief`: briefs of everything that a list of paths means, in one engine run."""

from __future__ import annotations

import json
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from localsum.commands import options
from localsum.commands.forms import chosen_form
from localsum.commands.opening import private_folder
from localsum.commands.say import failure, note, terminal, write_out
from localsum.commands.session import Session, left_out, read_all
from localsum.errors import InputError, InterruptedRun, LocalsumError

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
    started = time.perf_counter()
    from contextlib import nullcontext

    from localsum.files import undisturbed
    from localsum.inputs import find_inputs
    from localsum.live import LiveView
    from localsum.outputs import Folder, OneFile, Stream, is_folder
    from localsum.render import render
    from localsum.runs import Tally, run
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
    session = Session(chosen, model, style, threads, context, seed, reproducible, store, no_store, fresh, quiet)
    fields = {"format_in": format_in, "text_field": text_field, "title_field": title_field, "id_field": id_field}
    timings: list[dict[str, float]] = []
    notes: list[str] = []
    try:
        with LiveView(is_quiet=quiet, fields=tuple(each.name for each in chosen.fields)) as view, session:

            def documents() -> Iterator[Document | InputError]:
                for found in read_all(inputs.files, tally, **fields):
                    if not isinstance(found, LocalsumError):
                        out.expect(found)
                    yield found

            def recalled(document: Document) -> Brief | None:
                view.progress(tally.done + len(tally.failed), tally.total)
                return session.recall(document)

            def keep(done: Brief) -> None:
                timings.append(done.timing)
                session.keep(done)

            def put(done: Brief) -> None:
                view.progress(tally.done + len(tally.failed), tally.total)
                notes.extend(done.warnings)
                with view.aside() if output is None else nullcontext():
                    out.put(done)

            run(documents(), tally, recall=recalled, write=partial(session.write, view=view), keep=keep, put=put)
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
        raise _interrupted(tally, call.obj.arguments, is_kept=session.is_keeping) from None
    if stats:
        load_s = round(session.loaded_at_s - started, 4) if session.loaded_at_s else 0.0
        whole = {"load_s": load_s, "wall_s": round(time.perf_counter() - started, 4), **session.counts()}
        each = {"document": timings[0]} if len(timings) == 1 else {"documents": timings}
        note(json.dumps({**whole, **each, "from_store": tally.recalled}))
    elif not quiet and tally.total == 1 and wanted in ("json", "jsonl"):
        for warning in notes:
            note(f"note: {warning}")
    for line in [] if quiet or stats else left_out(inputs):
        note(line)
    if tally.failed:
        raise failure(tally.failed, tally.total, tally.line())
    if not quiet and not stats:
        _last_line(tally, out.index if isinstance(out, Folder) else None, is_kept=session.store is not None)


def _interrupted(tally: Tally, arguments: list[str], *, is_kept: bool) -> InterruptedRun:
    import shlex

    again = shlex.join(["localsum", *arguments])
    said = "done and kept" if is_kept else "done"
    hint = f"go on with: {again}" if is_kept else f"start again with: {again}"
    return InterruptedRun(f"interrupted: {tally.done:,} of {tally.total:,} documents are {said}", hint)


def _last_line(tally: Tally, index: Path | None, *, is_kept: bool) -> None:
    if tally.total == 1 and not index:
        if tally.recalled:
            note("note: written earlier and kept; to write it anew: --fresh")
        return
    ways = [f"all of them: {index}"] if index else []
    ways += ["to find words in them: localsum search WORDS"] if is_kept else []
    note("; ".join([tally.line(), *ways]))
