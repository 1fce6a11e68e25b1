"""`localsum digest`: many documents become one page of stories, each with its sources."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from localsum.commands import ending, options
from localsum.commands.ending import interrupted, say_at_the_end
from localsum.commands.say import note, terminal, write_out
from localsum.commands.session import Session, read_all
from localsum.errors import LocalsumError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from localsum.brief import Brief
    from localsum.digest import Overview
    from localsum.document import Document
    from localsum.errors import InputError
    from localsum.live import LiveView
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
    started_s = time.perf_counter()
    from localsum.files import check_writable, undisturbed, write_atomically
    from localsum.inputs import find_inputs
    from localsum.live import LiveView
    from localsum.render import render
    from localsum.runs import Tally
    from localsum.stories import Told, edition, parts_of, stories_of
    from localsum.templates import load_template

    inputs = find_inputs(paths, recursive=recursive, pattern=glob, command="digest")
    form = format or ("terminal" if output is None and sys.stdout.isatty() else "md")
    target = Path(output) if output is not None else None
    if target:
        check_writable(target)
    tally = Tally(unread=len(inputs.files), read=len(inputs.failed), failed=list(inputs.failed))
    template = load_template(_TEMPLATE)
    session = Session(template, model, style, threads, context, seed, reproducible, store, no_store, fresh, quiet)
    fields = {"format_in": format_in, "text_field": text_field, "title_field": title_field, "id_field": id_field}
    parts: dict[int, Part] = {}  # by the identity of the document that is written of
    told: list[Told] = []
    try:
        with LiveView(is_quiet=quiet) as view, session:

            def documents() -> Iterator[Document | InputError]:
                for found in read_all(inputs.files, tally, **fields):
                    if isinstance(found, LocalsumError):
                        yield found
                        continue
                    several = parts_of(found)
                    tally.read += len(several) - 1
                    for part in several:
                        parts[id(part.document)] = part
                        yield part.document

            session.run(documents(), tally, view, lambda done: told.append(Told(done, parts[id(done.document)])))
            view.note("putting the stories together")
            tellings = stories_of(told)
            overview = _overview(tellings[:stories], session, view)
        if told:
            made = edition(
                tellings,
                overview,
                most=stories,
                model=told[0].brief.model,
                template=told[0].brief.template,
                timing={
                    "total_s": round(time.perf_counter() - started_s, 4),
                    "written": tally.written,
                    "from_store": tally.recalled,
                    "failed": len(tally.failed),
                },
                warnings=[error.message for error in tally.failed],
            )
            with undisturbed():
                if target:
                    write_atomically(target, render(made, form))
                else:
                    write_out(render(made, form, **terminal()))
    except KeyboardInterrupt:
        if tally.total < 2:
            raise
        raise interrupted(session, tally, call.obj.arguments) from None
    if stats:
        note(ending.stats(session, tally, started_s))
    say_at_the_end(tally, inputs, tally.line, is_quiet=quiet or stats)


def _overview(tellings: Sequence[Telling], session: Session, view: LiveView) -> Overview:
    """The model's where it wrote any of the stories, so that no engine is loaded only to tell; else extracts."""
    from localsum.runs import Tally
    from localsum.stories import extracted, stories_as_document, written
    from localsum.templates import load_template

    if len(tellings) > 1 and any(telling.story.mode in ("written", "mixed") for telling in tellings):
        session.summarizer.template = load_template(_OVERVIEW)
        made: list[Brief] = []
        session.run([stories_as_document(tellings)], Tally(read=1), view, made.append)
        if made and (overview := written(made[0], tellings)):
            return overview
    return extracted(tellings)
