"""`localsum ray`: the same as `localsum brief`, written by the engines of a Ray cluster."""

from __future__ import annotations

from typing import Annotated

import typer

from localsum.commands import options
from localsum.commands.brief import brief


def ray(
    call: typer.Context,
    paths: options.PathsArgument,
    actors: Annotated[int, typer.Option("--actors", min=1, max=10_000, help="How many engines to write with.")] = 2,
    threads: Annotated[
        int | None,
        typer.Option(
            "--threads",
            min=1,
            max=512,
            help="Threads of each engine, and processors that Ray sets aside for it. [default: here: what there is for "
            "each; on a cluster: 4]",
        ),
    ] = None,
    address: Annotated[
        str,
        typer.Option("--address", metavar="ADDRESS", help="Of the cluster's head; local: Ray is started here."),
    ] = "local",
    recursive: options.RecursiveOption = False,
    glob: options.GlobOption = None,
    format: options.FormatOption = None,  # noqa: A002
    output: options.OutputOption = None,
    model: options.ModelOption = None,
    template: options.TemplateOption = None,
    style: options.StyleOption = None,
    language: options.LanguageOption = None,
    context: options.ContextOption = None,
    seed: options.SeedOption = 0,
    reproducible: options.ReproducibleOption = False,
    quiet: options.QuietOption = False,
    store: options.StoreOption = None,
    no_store: options.NoStoreOption = False,
    fresh: options.FreshOption = False,
    format_in: options.InputOption = None,
    text_field: options.TextFieldOption = None,
    title_field: options.TitleFieldOption = None,
    id_field: options.IdFieldOption = None,
) -> None:
    """Write briefs as `localsum brief` does, by several engines on a Ray cluster of yours, or on this computer.

    Files are read, and briefs kept, here. Documents go to the cluster: the guard against leaving this computer is off.
    """
    from localsum.engine.machine import usable_cores
    from localsum.on_ray import Pool

    here = max(1, usable_cores() // actors) if address == "local" else 4
    call.obj.pool = Pool(actors, threads or here, address)
    brief(
        call,
        paths,
        recursive=recursive,
        glob=glob,
        format=format,
        output=output,
        model=model,
        template=template,
        style=style,
        language=language,
        context=context,
        seed=seed,
        reproducible=reproducible,
        quiet=quiet,
        store=store,
        no_store=no_store,
        fresh=fresh,
        format_in=format_in,
        text_field=text_field,
        title_field=title_field,
        id_field=id_field,
    )
