"""`localsum bench`: how fast briefs are on this machine; reports of it, compared and listed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from localsum.commands import options
from localsum.commands.say import note, write_out
from localsum.errors import LocalsumError, UsageError

if TYPE_CHECKING:
    from localsum.bench.report import Report
    from localsum.bench.run import Bench
    from localsum.bench.sweep import Knobs

BenchForm = Literal["table", "json", "jsonl", "csv", "md", "html"]
CompareForm = Literal["table", "json", "md"]
FormOption = Annotated[BenchForm, typer.Option("--format", "-f", help="Form of the report.")]
ReportArgument = Annotated[
    str, typer.Argument(metavar="NAME|FILE", help="A report: its name, or how it begins; a file.")
]
PngOption = Annotated[
    str | None, typer.Option("--png", metavar="FILE", help="Also draw its plots into this file (localsum[plots]).")
]

app = typer.Typer(
    name="bench",
    help="Measure how fast briefs are on this machine, or compare and list what was measured.",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def bench(
    call: typer.Context,
    full: Annotated[bool, typer.Option("--full", help="More repetitions, more articles: takes many minutes.")] = False,
    repetitions: Annotated[
        int | None, typer.Option("--repetitions", "-n", min=1, max=1000, help="How often. [default: 3; 10 with --full]")
    ] = None,
    sweep: Annotated[
        list[str] | None,
        typer.Option(
            "--sweep",
            metavar="NAME=VALUES",
            help="Try settings, all combinations of several: threads=1,2,4; so model, context, branches, batch, kv, "
            "layers.",
        ),
    ] = None,
    save: Annotated[
        bool, typer.Option("--save", help="Put what a sweep suggests into the settings file, for all commands.")
    ] = False,
    form: FormOption = "table",
    output: options.FileOption = None,
    png: PngOption = None,
    model: options.ModelOption = None,
    threads: options.ThreadsOption = None,
    context: options.ContextOption = None,
    branches: Annotated[
        int | None,
        typer.Option(
            "--branches", envvar="LOCALSUM_BRANCHES", min=1, max=255, help="Fields beside each other. [default: 23]"
        ),
    ] = None,
    batch: Annotated[
        int | None,
        typer.Option("--batch", envvar="LOCALSUM_BATCH", min=32, max=8192, help="Tokens of a step. [default: 512]"),
    ] = None,
    kv: Annotated[
        Literal["f16", "q8_0"] | None,
        typer.Option("--kv", envvar="LOCALSUM_KV", help="Type of the KV cache. [default: by the free memory]"),
    ] = None,
    layers: Annotated[
        Literal["packed", "unpacked"] | None,
        typer.Option(
            "--layers",
            envvar="LOCALSUM_LAYERS",
            help="As the file has them, or as plain numbers. [default: what is faster, of small models]",
        ),
    ] = None,
    seed: options.SeedOption = 0,
    no_keep: Annotated[
        bool, typer.Option("--no-keep", help="Do not keep the report in the user's data folder.")
    ] = False,
    quiet: options.QuietOption = False,
) -> None:
    """Measure how fast briefs are on this machine, end to end; takes about two minutes. Or compare and list reports."""
    if call.invoked_subcommand is not None:
        return
    from localsum.bench.sweep import Knobs, combinations
    from localsum.files import check_writable

    if save and not sweep:
        raise UsageError("--save keeps what a sweep suggests", "localsum bench --sweep threads=1,2,4 --save")
    if full and sweep:
        raise UsageError("a sweep has a plan of its own", "localsum bench --sweep threads=1,2,4 -n 10")
    if png and sweep:
        raise UsageError("--png draws one report, a sweep gives several", "localsum bench show NAME --png FILE")
    for name in filter(None, (output, png)):
        check_writable(Path(name))
    if png:
        from localsum.bench.png import check_installed

        check_installed()
    base = Knobs(model, threads, context, branches, batch, kv, layers)
    chosen = combinations(sweep or [], base)
    try:
        reports = (
            _sweep(chosen, seed, repetitions, quiet) if sweep else [_measure(base, full, seed, repetitions, quiet)]
        )
    finally:
        _say("", quiet)
    if not no_keep:
        from localsum.bench.kept import keep

        for report in reports:
            path = keep(report)
            if not quiet:
                note(f"kept: {path}")
    _put(reports, form, output, png)
    if sweep:
        _suggest(chosen, reports, {each.partition("=")[0] for each in sweep}, save=save)
    elif not quiet:
        note(f"compare it with another: localsum bench compare {reports[0].name} OTHER")


@app.command("compare")
def compare_(
    reports: Annotated[
        list[str],
        typer.Argument(metavar="NAME|FILE...", help="Two reports or more; all are compared with the first."),
    ],
    form: Annotated[CompareForm, typer.Option("--format", "-f", help="Form of the comparison.")] = "table",
) -> None:
    """Compare reports: ratios of what is comparable, with 95 % intervals, and what is not comparable and why."""
    import json
    from dataclasses import asdict

    from localsum.bench.compare import compare
    from localsum.bench.kept import find
    from localsum.bench.tables import comparison_tables, tables_as_markdown, tables_as_text

    if len(reports) < 2:
        raise UsageError("one report has nothing to be compared with", "localsum bench compare NAME OTHER")
    first, *others = map(find, reports)
    found = [compare(first, other) for other in others]
    if form == "json":
        write_out(json.dumps([asdict(each) for each in found], indent=1) + "\n")
        return
    shown = tables_as_text if form == "table" else tables_as_markdown
    write_out("\n".join(shown(comparison_tables(each)) for each in found))


@app.command("list")
def list_() -> None:
    """List the reports that are kept on this machine, the oldest first."""
    from localsum.bench.kept import kept, reports_folder
    from localsum.bench.tables import heading, score_line

    for found in kept():
        if isinstance(found, LocalsumError):
            note(f"note: {found.message}")
        else:
            write_out(f"{found.name}  {score_line(found)}  {heading(found)}\n")
    note(f"reports are in {reports_folder()}")


@app.command()
def show(
    name: ReportArgument, form: FormOption = "table", output: options.FileOption = None, png: PngOption = None
) -> None:
    """Show a report that was kept, or one in a file."""
    from localsum.bench.kept import find

    _put([find(name)], form, output, png)


def _put(reports: list[Report], form: BenchForm, output: str | None, png: str | None) -> None:
    from localsum.files import write_atomically

    if png:
        from localsum.bench.png import to_png

        drawn = to_png(reports[0])
        try:
            Path(png).write_bytes(drawn)
        except OSError as error:
            raise UsageError(
                f"cannot write {png}: {error.strerror or error}", "name another file: --png FILE"
            ) from None
    text = _formed(reports, form)
    if output:
        write_atomically(Path(output), text)
    else:
        write_out(text)


def _formed(reports: list[Report], form: BenchForm) -> str:
    import json

    from localsum.bench import tables
    from localsum.bench.kept import as_json
    from localsum.bench.report import to_dict

    if form == "html":
        from localsum.bench.page import to_html

        return to_html(reports)
    if form == "json":
        several = json.dumps([to_dict(each) for each in reports], indent=1) + "\n"
        return as_json(reports[0]) if len(reports) == 1 else several
    if form == "csv":
        return tables.as_csv(reports)
    how = {"jsonl": tables.as_jsonl, "md": tables.as_markdown, "table": tables.as_table}[form]
    return ("" if form == "jsonl" else "\n").join(map(how, reports))


# Measuring


def _measure(knobs: Knobs, full: bool, seed: int, repetitions: int | None, quiet: bool) -> Report:
    from dataclasses import replace

    from localsum.bench.run import FULL, QUICK, run

    plan = FULL if full else QUICK
    return run(_bench(knobs, replace(plan, repetitions=repetitions or plan.repetitions), seed, quiet))


def _sweep(chosen: list[Knobs], seed: int, repetitions: int | None, quiet: bool) -> list[Report]:
    """A report of each. They take turns, so that a machine that slows down slows all."""
    from localsum.bench.run import SWEEP, turns

    made = [_bench(knobs, SWEEP, seed, quiet) for knobs in chosen]
    return turns(made, repetitions or SWEEP.repetitions, names=[knobs.said() for knobs in chosen])


def _bench(knobs: Knobs, plan: Any, seed: int, quiet: bool) -> Bench:  # noqa: ANN401  (a Plan)
    from localsum.bench.run import Bench
    from localsum.commands.session import tuning
    from localsum.engine import llama
    from localsum.loading import load_engine
    from localsum.models import find_model

    _say("looking for the model", quiet)
    found = find_model(knobs.model)
    settings = tuning(branches=knobs.branches, batch=knobs.batch, kv=knobs.kv, layers=knobs.layers)

    def make() -> llama.LlamaEngine:
        return load_engine(found, cells=knobs.context, threads=knobs.threads, **settings)

    built = (llama.system_info(), llama.library_version())
    return Bench(found, make, plan, seed, built, lambda what: _say(what, quiet))


def _say(what: str, quiet: bool) -> None:
    """One line on a terminal, which the next overwrites."""
    if not quiet and sys.stderr.isatty():
        from localsum.render.clean import one_line

        sys.stderr.write(f"\r\x1b[K{one_line(what)[:78]}")
        sys.stderr.flush()


def _suggest(chosen: list[Knobs], reports: list[Report], swept: set[str], *, save: bool) -> None:
    """What a sweep says: notes for people; and the settings, if they are to be saved."""
    from localsum.bench.report import score
    from localsum.bench.sweep import advise
    from localsum.bench.tables import figure
    from localsum.settings import save_settings

    for knobs, report in zip(chosen, reports, strict=True):
        note(f"{knobs.said()}: score {figure(score(report))}")
    advice = advise(reports)
    best = chosen[advice.keep]
    note(f"suggested: {best.said()} ({advice.why})")
    values = {name: getattr(best, name) for name in sorted(swept - {"model"})}
    if "model" in swept:
        note("note: speed alone does not choose a model, so none is saved; how good each is: localsum models recommend")
    if save and values:
        note(f"saved in {save_settings(values)}; what holds: localsum config")
    elif values and not save:
        note("to keep it: the same with --save, or an option of each command")
