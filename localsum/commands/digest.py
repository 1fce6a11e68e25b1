"""`localsum digest`: many documents become one page of stories, each with its sources."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from localsum.commands import options
from localsum.commands.making import Maker, Wanted, documents_in, say_at_the_end, tally_of
from localsum.commands.say import terminal, write_out
from localsum.errors import LocalsumError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from localsum.brief import Brief
    from localsum.digest import Digest, Overview
    from localsum.document import Document
    from localsum.errors import InputError
    from localsum.runs import Tally
    from localsum.stories import Part, Telling

_TEMPLATE = "digest"
_OVERVIEW = "overview"


def digest(
    call: typer.Context,
    paths: options.PathsArgument,
    recursive: options.RecursiveOption = False,
    glob: options.GlobOption = None,
    format: options.FormatOption = None,  # noqa: A002
    output: options.FileOption = None,
    stories: Annotated[
        int, typer.Option("--stories", "-n", min=1, max=10_000, help="How many stories to tell at most.")
    ] = 30,
    model: options.ModelOption = None,
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
    """Make one page of many articles: what they tell, story by story, the most important first."""
    import time
    from contextlib import ExitStack

    started_s = time.perf_counter()
    from localsum.files import check_writable, undisturbed, write_atomically
    from localsum.inputs import find_inputs
    from localsum.live import LiveView
    from localsum.render import render
    from localsum.stories import Told, parts_of, stories_of
    from localsum.templates import load_template

    inputs = find_inputs(paths, recursive=recursive, pattern=glob, command="digest")
    form = format or ("terminal" if output is None and sys.stdout.isatty() else "md")
    target = Path(output) if output is not None else None
    if target:
        check_writable(target)
    tally = tally_of(inputs)
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
    parts: dict[int, Part] = {}  # by the identity of the document that is written of
    told: list[Told] = []

    maker: Maker | None = None
    try:
        with LiveView(is_quiet=quiet) as view, ExitStack() as stack:
            maker = Maker(wanted, view, stack, started_s=started_s)

            def documents() -> Iterator[Document | InputError]:
                for found in documents_in(inputs, tally, wanted):
                    if isinstance(found, LocalsumError):
                        yield found
                        continue
                    several = parts_of(found)
                    tally.read += len(several) - 1
                    for part in several:
                        parts[id(part.document)] = part
                        yield part.document

            def put(done: Brief) -> None:
                told.append(Told(done, parts[id(done.document)]))

            template = load_template(_TEMPLATE)
            maker.make(documents(), template, tally, put)
            view.note("putting the stories together")
            tellings = stories_of(told)
            overview = _overview(tellings[:stories], maker) if tellings else None
        if overview is not None:
            timing = {"total_s": round(time.perf_counter() - started_s, 4), **_counts(tally, maker)}
            made = _edition(tellings, overview, told, tally, stories, timing)
            with undisturbed():
                if target:
                    write_atomically(target, render(made, form))
                else:
                    write_out(render(made, form, **terminal()))
    except KeyboardInterrupt:
        if tally.total < 2 or maker is None:
            raise
        raise maker.interrupted(tally, call.obj or []) from None
    say_at_the_end(maker, tally, inputs, tally.line)


def _overview(tellings: Sequence[Telling], maker: Maker) -> Overview:
    """The model's where it wrote any of the stories, so that no engine is loaded only to tell; else extracts."""
    from localsum.runs import Tally
    from localsum.stories import extracted, stories_as_document, written
    from localsum.templates import load_template

    if len(tellings) > 1 and any(telling.story.mode in ("written", "mixed") for telling in tellings):
        made: list[Brief] = []
        maker.make([stories_as_document(tellings)], load_template(_OVERVIEW), Tally(read=1), made.append)
        if made and (overview := written(made[0], tellings)):
            return overview
    return extracted(tellings)


def _counts(tally: Tally, maker: Maker) -> dict[str, float]:
    return {"written": tally.written, "from_store": tally.recalled, "failed": len(tally.failed)}


def _edition(
    tellings: Sequence[Telling],
    overview: Overview,
    told: Sequence[Any],
    tally: Tally,
    most: int,
    timing: dict[str, float],
) -> Digest:
    from localsum.stories import edition

    brief = told[0].brief
    warnings = [error.message for error in tally.failed]
    return edition(
        tellings, overview, most=most, model=brief.model, template=brief.template, timing=timing, warnings=warnings
    )
