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
    from collections.abc import Iterator

    from localsum.document import Document
    from localsum.errors import InputError

app = typer.Typer(
    name="localsum",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Briefs of articles, newsletters and transcripts, written on this machine. Nothing leaves it.",
    context_settings={"help_option_names": ["-h", "--help"]},
)


_INTERRUPTED = 130
MOST_NAMED = 100  # documents that failed, at the end of a run
_RUN_COUNTS = (  # of engine.types.Counts, what --stats says of the run; the rest is in its "document"
    *("prompt", "reused", "forced", "sampled", "masks", "steps"),
    *("inside_s", "outside_s", "source_s"),
)
FormatName = Literal["terminal", "md", "json"]
InputName = Literal["text", "markdown", "html", "feed", "mail", "mbox", "pdf", "jsonl", "csv", "subtitles"]
StyleName = Literal["extractive", "written"]
FileArgument = Annotated[
    str,
    typer.Argument(
        metavar="FILE",
        help="Article to read: text, Markdown, HTML, PDF, subtitles, a mail; or many: a feed, a mailbox, JSONL, CSV. "
        "Perhaps packed by gzip; - for standard input.",
    ),
]
InputOption = Annotated[
    InputName | None,
    typer.Option("--format-in", help="Format of the file. [default: by its content and name]"),
]
TextFieldOption = Annotated[
    str | None, typer.Option("--text-field", metavar="NAME", help="Field of JSONL or CSV that holds the text.")
]
TitleFieldOption = Annotated[
    str | None, typer.Option("--title-field", metavar="NAME", help="Field of JSONL or CSV that holds the title.")
]
IdFieldOption = Annotated[
    str | None, typer.Option("--id-field", metavar="NAME", help="Field of JSONL or CSV that tells documents apart.")
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
    format_in: InputOption = None,
    text_field: TextFieldOption = None,
    title_field: TitleFieldOption = None,
    id_field: IdFieldOption = None,
) -> None:
    """Write the brief of an article, or of each article in a file of many."""
    import time
    from dataclasses import asdict
    from itertools import chain

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
    wanted: FormatName = format or ("terminal" if output is None and sys.stdout.isatty() else "md")
    failed: list[LocalsumError] = []
    texts: list[str] = []
    timings: list[dict[str, float]] = []
    notes: list[str] = []

    def readable() -> Iterator[Document]:
        for found in _documents(file, format_in, text_field, title_field, id_field):
            try:
                yield check_readable(_or_raise(found))
            except LocalsumError as error:
                failed.append(error)

    documents = readable()
    with LiveView(is_quiet=quiet) as view:
        if (first := next(documents, None)) is None:
            raise _failure(failed, len(failed))
        view.note("looking for the model")
        found = find_model(model)
        view.note(f"loading {found.name}")
        from localsum.engine.llama import LlamaEngine

        with LlamaEngine(
            found.path, name=found.name, cells=context, threads=threads, reproducible=reproducible
        ) as engine:
            load_s = time.perf_counter() - started
            view.note(f"reading {first.words:,} words")
            for outcome in write_briefs(
                chain([first], documents),
                chosen,
                engine,
                model={"name": found.name, "sha256": found.sha256},
                style=style,
                seed=seed,
                on_event=view.take,
            ):
                if not isinstance(outcome, Brief):
                    failed.append(outcome.error)
                    continue
                timings.append(outcome.timing)
                notes += outcome.warnings
                if output is not None:
                    texts.append(render(outcome, wanted))
                    continue
                with view.aside():
                    _write_out(_between(wanted) * (len(timings) > 1) + render(outcome, wanted, **_terminal()))
            totals, settings = engine.totals, engine.info.settings
    if output is not None and texts:
        write_atomically(output, _between(wanted).join(texts))
    if stats:
        whole = {"load_s": round(load_s, 4), "wall_s": round(time.perf_counter() - started, 4)}
        numbers = {name: round(value, 4) for name, value in asdict(totals).items() if name in _RUN_COUNTS}
        each = {"document": timings[0]} if len(timings) == 1 else {"documents": timings}
        _note(json.dumps({**whole, **numbers, **settings, **each}))
    elif not quiet and wanted == "json":
        for warning in notes:
            _note(f"note: {warning}")
    if failed:
        raise _failure(failed, len(failed) + len(timings))


@app.command()
def read(
    file: FileArgument,
    format_in: InputOption = None,
    text_field: TextFieldOption = None,
    title_field: TitleFieldOption = None,
    id_field: IdFieldOption = None,
) -> None:
    """Print the text of an article exactly as briefs count it: offsets in a brief are code points into this.

    Of a file with many articles, each has a line with its name above it.
    """
    from localsum.readers import shown

    failed: list[LocalsumError] = []
    number = 0
    for number, found in enumerate(_documents(file, format_in, text_field, title_field, id_field), 1):
        try:
            document = _or_raise(found)
        except LocalsumError as error:
            failed.append(error)
            continue
        if document.path in (None, shown(file)):
            _write_out(document.text)
        else:
            _write_out(f"{chr(10) * (number > 1)}==> {document.path} <==\n\n{document.text}\n")
    if failed:
        raise _failure(failed, number)


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


def _documents(
    file: str, format_in: str | None, text_field: str | None, title_field: str | None, id_field: str | None
) -> Iterator[Document | InputError]:
    """The documents in a file, or on standard input if it is named `-`."""
    from localsum.readers import read

    path = None if file == "-" else Path(file)
    return read(path, format_in=format_in, text_field=text_field, title_field=title_field, id_field=id_field)


def _or_raise(found: Document | InputError) -> Document:
    if isinstance(found, LocalsumError):
        raise found
    return found


def _failure(failed: list[LocalsumError], documents: int) -> LocalsumError:
    """What is raised at the end for all that failed: the error itself where there was one document only."""
    if documents == 1:
        return failed[0]
    lines = [f"{len(failed)} of {documents} documents failed:", *(error.message for error in failed[:MOST_NAMED])]
    if len(failed) > MOST_NAMED:
        lines.append(f"… and {len(failed) - MOST_NAMED:,} more")
    return LocalsumError("\n  ".join(lines), failed[0].hint)


def _between(form: FormatName) -> str:
    """What stands between two briefs: a rule in Markdown, an empty line on a terminal, nothing in JSON."""
    return {"md": "\n---\n\n", "terminal": "\n", "json": ""}[form]


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
