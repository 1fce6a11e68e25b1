"""`localsum brief`: briefs of everything that a list of paths means, in one engine run."""

from __future__ import annotations

import json
import os
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from localsum.commands import options
from localsum.commands.say import failure, note, terminal, write_out
from localsum.commands.try_out import make_sure
from localsum.errors import InputError, InterruptedRun, LocalsumError
from localsum.resources import writer_version

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import ExitStack
    from sqlite3 import Connection

    from localsum.brief import Brief
    from localsum.document import Document
    from localsum.inputs import Inputs
    from localsum.outputs import Output
    from localsum.pipeline import Failed
    from localsum.runs import Tally

_RUN_COUNTS = (  # of engine.types.Counts, what --stats says of the run; the rest is in its "document"
    *("prompt", "reused", "forced", "sampled", "masks", "steps"),
    *("inside_s", "outside_s", "source_s"),
)


def brief(
    call: typer.Context,
    paths: options.PathsArgument,
    recursive: options.RecursiveOption = False,
    glob: options.GlobOption = None,
    format: options.FormatOption = None,  # noqa: A002
    output: options.OutputOption = None,
    model: options.ModelOption = None,
    template: options.TemplateOption = None,
    style: options.StyleOption = None,
    threads: Annotated[
        int | None, typer.Option("--threads", min=1, max=512, help="Threads to use. [default: all cores]")
    ] = None,
    context: Annotated[
        int | None,
        typer.Option(
            "--context", min=1024, max=1_048_576, help="Tokens of context to hold in memory. [default: what fits]"
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, max=2**31 - 1, help="Seed of all sampling.")] = 0,
    reproducible: Annotated[
        bool,
        typer.Option(
            "--reproducible", help="Write each request by itself: the same article then gives the same brief always."
        ),
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no hints; errors only.")] = False,
    store: options.StoreOption = None,
    no_store: Annotated[bool, typer.Option("--no-store", help="Neither keep briefs nor use kept ones.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Write briefs that are kept already anew.")] = False,
    stats: Annotated[
        bool, typer.Option("--stats", help="Print one JSON object of counts and seconds to standard error.")
    ] = False,
    format_in: options.InputOption = None,
    text_field: options.TextFieldOption = None,
    title_field: options.TitleFieldOption = None,
    id_field: options.IdFieldOption = None,
) -> None:
    """Write the brief of each article in files and folders."""
    import time
    from contextlib import ExitStack, nullcontext

    started = time.perf_counter()
    from localsum.files import undisturbed
    from localsum.inputs import find_inputs
    from localsum.live import LiveView
    from localsum.models import find_model
    from localsum.outputs import Folder, OneFile, Stream, is_folder
    from localsum.pipeline import write_briefs
    from localsum.render import render
    from localsum.runs import Tally, run
    from localsum.store import keep, key_of, recall
    from localsum.templates import load_template

    into = Path(output) if output and is_folder(output, paths) else None
    chosen = load_template(template)
    inputs = find_inputs(paths, recursive=recursive, pattern=glob, without=into)
    wanted = format or ("terminal" if output is None and sys.stdout.isatty() else "md")
    tally = Tally(unread=len(inputs.files), read=len(inputs.failed), failed=list(inputs.failed))
    if output is None:
        out: Output = Stream(wanted, lambda done: render(done, wanted, **terminal()), write_out)
    else:
        out = Folder(into, wanted) if into else OneFile(Path(output), wanted)
    settings: dict[str, Any] = {"style": style, "seed": seed, "context": context, "reproducible": reproducible}
    settings["writer"] = writer_version()
    found_model = cache(lambda: find_model(model))
    timings: list[dict[str, float]] = []
    notes: list[str] = []
    about_engine: dict[str, Any] = {}

    kept: Connection | None = None
    try:
        with LiveView(is_quiet=quiet) as view, ExitStack() as stack:
            if not no_store:
                kept = _open_store(stack, store, is_quiet=quiet)

            def key(document: Document) -> str:
                return key_of(document, found_model().sha256, chosen.sha256, settings)

            def documents() -> Iterator[Document | InputError]:
                for found in _documents(inputs.files, tally, (format_in, text_field, title_field, id_field)):
                    if not isinstance(found, LocalsumError):
                        out.expect(found)
                    yield found

            def recalled(document: Document) -> Brief | None:
                view.progress(tally.done + len(tally.failed), tally.total)
                return None if kept is None or fresh else recall(kept, key(document), document)

            def write(documents: Iterator[Document]) -> Iterator[Brief | Failed]:
                view.note("looking for the model")
                found = found_model()
                view.note(f"trying {found.name} in a process of its own")
                make_sure(found)
                view.note(f"loading {found.name}")
                from localsum.engine.llama import LlamaEngine

                with LlamaEngine(
                    found.path,
                    name=found.name,
                    thinking_off=found.entry.thinking_off if found.entry else "",
                    cells=context,
                    threads=threads,
                    reproducible=reproducible,
                ) as engine:
                    about_engine["load_s"] = round(time.perf_counter() - started, 4)
                    view.note("reading")
                    names = {"name": found.name, "sha256": found.sha256}
                    yield from write_briefs(
                        documents, chosen, engine, model=names, style=style, seed=seed, on_event=view.take
                    )
                    about_engine.update({name: round(getattr(engine.totals, name), 4) for name in _RUN_COUNTS})
                    about_engine.update(engine.info.settings)

            def keep_it(done: Brief) -> None:
                timings.append(done.timing)
                if kept is not None:
                    keep(kept, key(done.document), done, settings)

            def put(done: Brief) -> None:
                view.progress(tally.done + len(tally.failed), tally.total)
                notes.extend(done.warnings)
                with view.aside() if output is None else nullcontext():
                    out.put(done)

            run(documents(), tally, recall=recalled, write=write, keep=keep_it, put=put)
        with undisturbed():
            out.close(tally.failed)
    except KeyboardInterrupt:
        if tally.total < 2:
            raise
        if into:
            with undisturbed():
                out.close(tally.failed)
        raise _interrupted(tally, call.obj or [], is_kept=kept is not None and not fresh) from None
    if stats:
        whole = {"load_s": 0.0, "wall_s": round(time.perf_counter() - started, 4), **about_engine}
        each = {"document": timings[0]} if len(timings) == 1 else {"documents": timings}
        note(json.dumps({**whole, **each, "from_store": tally.recalled}))
    elif not quiet and tally.total == 1 and wanted in ("json", "jsonl"):
        for warning in notes:
            note(f"note: {warning}")
    for line in [] if quiet or stats else _left_out(inputs):
        note(line)
    if tally.failed:
        raise failure(tally.failed, tally.total, tally.line())
    if not quiet and not stats:
        _last_line(tally, into, is_kept=kept is not None)


def _documents(
    files: list[Path | None], tally: Tally, how: tuple[str | None, str | None, str | None, str | None]
) -> Iterator[Document | InputError]:
    """What is in the files, one after another; the tally counts them as they are read."""
    from localsum.pipeline import check_readable
    from localsum.readers import read

    format_in, text_field, title_field, id_field = how
    for path in files:
        new = 1  # a file counts as unread until its first document is counted, so that Ctrl-C finds every one once
        for found in read(path, format_in=format_in, text_field=text_field, title_field=title_field, id_field=id_field):
            tally.unread, tally.read, new = tally.unread - new, tally.read + 1, 0
            try:
                yield found if isinstance(found, LocalsumError) else check_readable(found)
            except InputError as error:
                yield error
        tally.unread -= new


def _open_store(stack: ExitStack, named: str | None, *, is_quiet: bool) -> Connection | None:
    """The store. One that nobody asked for is gone without where it cannot be used; a new one is told of."""
    from localsum.errors import StoreError
    from localsum.store import open_store, store_path

    if (path := store_path(named)) is None:
        return None
    is_new = not path.exists()
    try:
        store = stack.enter_context(open_store(path))
    except StoreError as error:
        if named or os.environ.get("LOCALSUM_STORE"):
            raise
        if not is_quiet:
            note(f"note: briefs are not kept, {error.message}")
        return None
    if is_new and not is_quiet:
        note(
            f"note: briefs and their texts are kept in {path}, for you only; not this time: --no-store, "
            "never: LOCALSUM_STORE=off, no longer: localsum forget --all"
        )
    return store


def _interrupted(tally: Tally, arguments: list[str], *, is_kept: bool) -> InterruptedRun:
    import shlex

    again = shlex.join(["localsum", *arguments])
    said = "done and kept" if is_kept else "done"
    hint = f"go on with: {again}" if is_kept else f"start again with: {again}"
    return InterruptedRun(f"interrupted: {tally.done:,} of {tally.total:,} documents are {said}", hint)


def _left_out(inputs: Inputs) -> Iterator[str]:
    if inputs.unknown:
        yield f"note: files without a known ending left out: {inputs.unknown:,}; to read them: --glob '*'"
    if inputs.closed:
        yield f"note: folders in folders left out: {inputs.closed:,}; to read them: --recursive"


def _last_line(tally: Tally, into: Path | None, *, is_kept: bool) -> None:
    if tally.total == 1 and not into:
        if tally.recalled:
            note("note: written earlier and kept; to write it anew: --fresh")
        return
    ways = [f"all of them: {into / 'index.md'}"] if into else []
    ways += ["to find words in them: localsum search WORDS"] if is_kept else []
    note("; ".join([tally.line(), *ways]))
