"""The command line. The only file that imports typer; everything heavy is imported by the command that needs it.

stdout carries data only. Progress, hints and warnings go to stderr. Every error ends here, in one place, as a message,
a hint and an exit code: 0 done, 1 some inputs failed, 2 wrong usage, 3 no usable model, 130 interrupted.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer.exceptions import TyperException

from localsum import __version__
from localsum.errors import LocalsumError, UsageError

if TYPE_CHECKING:
    from localsum.document import Document

app = typer.Typer(
    name="localsum",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Briefs of articles, newsletters and transcripts, written on this machine. Nothing leaves it.",
    context_settings={"help_option_names": ["-h", "--help"]},
)


_INTERRUPTED = 130
_RUN_COUNTS = (  # of engine.types.Counts, what --stats says of the run; the rest is in its "document"
    *("prompt", "reused", "forced", "sampled", "masks", "steps"),
    *("inside_s", "outside_s", "source_s"),
)
FormatName = Literal["terminal", "md", "json"]
StyleName = Literal["extractive", "written"]
FileArgument = Annotated[
    str, typer.Argument(metavar="FILE", help="Article to read: plain text or Markdown; - for standard input.")
]
TemplateOption = Annotated[
    str | None,
    typer.Option(
        "--template", "-t", metavar="NAME|PATH", help="Template: which fields the brief has. [default: brief]"
    ),
]


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if version:
        _write_out(f"localsum {__version__}\n")
        raise typer.Exit


@app.command()
def brief(
    file: FileArgument,
    format: Annotated[  # noqa: A002
        FormatName | None,
        typer.Option("--format", "-f", help="Form of the output. [default: terminal on a terminal, else md]"),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="PATH", help="Write to this file instead of standard output."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", "-m", metavar="NAME|PATH", help="Model: a name of the registry or a GGUF file."),
    ] = None,
    template: TemplateOption = None,
    style: Annotated[
        StyleName | None,
        typer.Option(
            "--style", help="From the article's own sentences, or written freely and checked. [default: by the model]"
        ),
    ] = None,
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
    stats: Annotated[
        bool, typer.Option("--stats", help="Print one JSON object of counts and seconds to standard error.")
    ] = False,
) -> None:
    """Write the brief of an article."""
    import time
    from dataclasses import asdict

    started = time.perf_counter()
    from localsum.brief import Brief
    from localsum.files import check_writable, write_atomically
    from localsum.live import LiveView
    from localsum.models import find_model
    from localsum.pipeline import check_readable, write_briefs
    from localsum.render import render
    from localsum.templates import load_template

    if output is not None:
        check_writable(output)
    chosen = load_template(template)
    with LiveView(is_quiet=quiet) as view:
        document = check_readable(_document(file))
        view.note("looking for the model")
        found = find_model(model)
        view.note(f"loading {found.name}")
        from localsum.engine.llama import LlamaEngine

        with LlamaEngine(
            found.path, name=found.name, cells=context, threads=threads, reproducible=reproducible
        ) as engine:
            load_s = time.perf_counter() - started
            view.note(f"reading {document.words:,} words")
            outcomes = list(
                write_briefs(
                    [document],
                    chosen,
                    engine,
                    model={"name": found.name, "sha256": found.sha256},
                    style=style,
                    seed=seed,
                    on_event=view.take,
                )
            )
            totals, settings = engine.totals, engine.info.settings
    (outcome,) = outcomes
    if not isinstance(outcome, Brief):
        raise outcome.error
    wanted: FormatName = format or ("terminal" if output is None and sys.stdout.isatty() else "md")
    if output is None:
        _write_out(render(outcome, wanted, **_terminal()))
    else:
        write_atomically(output, render(outcome, wanted))
    if stats:
        whole = {"load_s": round(load_s, 4), "wall_s": round(time.perf_counter() - started, 4)}
        numbers = {name: round(value, 4) for name, value in asdict(totals).items() if name in _RUN_COUNTS}
        _note(json.dumps({**whole, **numbers, **settings, "document": outcome.timing}))
    elif not quiet and outcome.warnings and wanted == "json":
        for warning in outcome.warnings:
            _note(f"note: {warning}")


@app.command()
def read(file: FileArgument) -> None:
    """Print the text of an article exactly as briefs count it: offsets in a brief are code points into this."""
    _write_out(_document(file).text)


@app.command()
def schema(template: TemplateOption = None) -> None:
    """Print the JSON Schema that every JSON brief of a template satisfies."""
    from localsum.schema import json_schema
    from localsum.templates import load_template

    _write_out(json.dumps(json_schema(load_template(template)), indent=2, ensure_ascii=False) + "\n")


@app.command()
def models() -> None:
    """List the models of the registry, the installed ones first, and how to get the others."""
    from localsum.models import how_to_get, models_dir, present, registry

    rows = sorted(registry(), key=lambda entry: not present(entry))
    width = max(len(entry.name) for entry in rows)
    lines = []
    for entry in rows:
        state = "installed" if present(entry) else how_to_get(entry)
        lines.append(f"{entry.name:<{width}}  {entry.bytes / 1e6:>6,.0f} MB  {entry.licence:<20}  {state}\n")
    _write_out("".join(lines))
    _note(f"models folder: {models_dir()}")


def _document(file: str) -> Document:
    """The document in a file, or on standard input if it is named `-`."""
    from localsum.readers import MAX_BYTES, read_bytes, read_path

    return read_bytes(sys.stdin.buffer.read(MAX_BYTES + 1), path=None) if file == "-" else read_path(Path(file))


def _terminal() -> dict[str, Any]:
    """Width, colour and character set of standard output."""
    import shutil

    encoding = (sys.stdout.encoding or "ascii").lower().replace("-", "")
    return {
        "width": max(20, min(shutil.get_terminal_size((80, 24)).columns, 100)),
        "color": sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb",
        "unicode": encoding.startswith("utf"),
    }


def _write_out(text: str) -> None:
    try:
        sys.stdout.buffer.write(text.encode(sys.stdout.encoding or "utf-8", "replace"))
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python tries again when it ends
        if not isinstance(error, BrokenPipeError):  # `localsum brief FILE | head` has all it wants
            raise LocalsumError(
                f"cannot write to standard output: {error.strerror or error}",
                "write to a file: localsum brief FILE --output PATH",
            ) from None


def _note(text: str) -> None:
    from localsum.render.clean import clean

    sys.stderr.write(clean(text) + "\n")


def run(arguments: list[str]) -> int:
    """Run the command line; returns the exit code."""
    for stream, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, stream) is None:  # closed by whoever started us: `localsum brief FILE --output FILE >&-`
            setattr(sys, stream, open(os.devnull, mode))  # noqa: SIM115  (open to the end, as they always are)
    try:
        code = app(arguments or ["--help"], prog_name="localsum", standalone_mode=False)
        if code == _INTERRUPTED:  # typer makes this of Ctrl-C
            _note("localsum: interrupted")
        return code if isinstance(code, int) else 0
    except LocalsumError as error:
        _note(f"localsum: {error.message}" + (f"\n  {error.hint}" if error.hint else ""))
        return error.exit_code
    except TyperException as error:
        context = getattr(error, "ctx", None)
        message = error.format_message() if hasattr(error, "format_message") else str(error)
        _note(f"localsum: {message}\n  for all options: {context.command_path if context else 'localsum'} --help")
        return UsageError.exit_code
    except (KeyboardInterrupt, typer.Abort):
        _note("localsum: interrupted")
        return _INTERRUPTED
