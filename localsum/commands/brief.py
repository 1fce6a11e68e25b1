"""`localsum brief`: briefs of everything that a list of paths means, in one engine run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from localsum.commands import options
from localsum.commands.making import Maker, Wanted, documents_in, say_at_the_end, tally_of
from localsum.commands.say import note, terminal, write_out
from localsum.errors import LocalsumError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from localsum.brief import Brief
    from localsum.document import Document
    from localsum.errors import InputError
    from localsum.outputs import Output
    from localsum.runs import Tally


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
    import time
    from contextlib import ExitStack, nullcontext

    started_s = time.perf_counter()
    from localsum.files import undisturbed
    from localsum.inputs import find_inputs
    from localsum.live import LiveView
    from localsum.outputs import Folder, OneFile, Stream, is_folder
    from localsum.render import render
    from localsum.templates import load_template

    into = Path(output) if output and is_folder(output, paths) else None
    chosen = load_template(template)
    inputs = find_inputs(paths, recursive=recursive, pattern=glob, without=into)
    form = format or ("terminal" if output is None and sys.stdout.isatty() else "md")
    tally = tally_of(inputs)
    if output is None:
        out: Output = Stream(form, lambda done: render(done, form, **terminal()), write_out)
    else:
        out = Folder(into, form) if into else OneFile(Path(output), form)
    wanted = Wanted(
        model=model,
        style=style,
        threads=threads,
        context=context,
        seed=seed,
        reproducible=reproducible,
        quiet=quiet,
        store=store,
        no_store=no_store,
        fresh=fresh,
        stats=stats,
        reading=(format_in, text_field, title_field, id_field),
    )
    notes: list[str] = []

    maker: Maker | None = None
    try:
        with LiveView(is_quiet=quiet) as view, ExitStack() as stack:
            maker = Maker(wanted, view, stack, started_s=started_s)

            def documents() -> Iterator[Document | InputError]:
                for found in documents_in(inputs, tally, wanted):
                    if not isinstance(found, LocalsumError):
                        out.expect(found)
                    yield found

            def put(done: Brief) -> None:
                notes.extend(done.warnings)
                with view.aside() if output is None else nullcontext():
                    out.put(done)

            maker.make(documents(), chosen, tally, put)
        with undisturbed():
            out.close(tally.failed)
    except KeyboardInterrupt:
        if tally.total < 2 or maker is None:
            raise
        if into:
            with undisturbed():
                out.close(tally.failed)
        raise maker.interrupted(tally, call.obj or []) from None
    if not quiet and not stats and tally.total == 1 and form in ("json", "jsonl"):
        for warning in notes:
            note(f"note: {warning}")
    is_kept = maker.store is not None
    say_at_the_end(maker, tally, inputs, lambda: _last_line(tally, into, is_kept=is_kept))


def _last_line(tally: Tally, into: Path | None, *, is_kept: bool) -> str:
    if tally.total == 1 and not into:
        return "note: written earlier and kept; to write it anew: --fresh" if tally.recalled else ""
    ways = [f"all of them: {into / 'index.md'}"] if into else []
    ways += ["to find words in them: localsum search WORDS"] if is_kept else []
    return "; ".join([tally.line(), *ways])
