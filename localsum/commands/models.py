"""`localsum models`: which models there are, what is in them, and taking them in and away."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from localsum.commands.names import all_models, installed_models
from localsum.commands.say import note, write_out
from localsum.commands.slim import slim
from localsum.try_out import make_sure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from localsum.gguf import Header
    from localsum.models import Model, RegistryEntry
    from localsum.models.recommend import Advice

app = typer.Typer(
    name="models",
    help="List the models, or find, check, import and remove them.",
    context_settings={"help_option_names": ["-h", "--help"]},
)

NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", autocompletion=all_models, help="Name of a model, as the list has it.")
]
AnyArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[NAME|PATH]",
        autocompletion=installed_models,
        help="Name of a model or a GGUF file. [default: the one that briefs use]",
    ),
]


@app.callback(invoke_without_command=True)
def models(call: typer.Context) -> None:
    """List the models of the registry, or find, check, import and remove them."""
    if call.invoked_subcommand is None:
        list_()


@app.command("list")
def list_() -> None:
    """List the models of the registry: installed ones first, size, licence, whether they suit this machine."""
    from localsum.engine.machine import this_machine
    from localsum.models import how_to_get, models_dir, present, registry
    from localsum.models.recommend import advise
    from localsum.render.clean import clean, one_line

    rows = sorted(registry(), key=lambda entry: not present(entry))
    advice = {one.entry.name: one for one in advise(rows, this_machine(), _speeds())}
    width = max(len(entry.name) for entry in rows)
    for entry in rows:
        state = "installed" if present(entry) else how_to_get(entry)
        size = f"{entry.bytes / 1e6:>6,.0f} MB" if entry.bytes else "       ? MB"
        one = advice.get(entry.name)
        suits = "?" if one is None else "no" if one.why_not else _seconds(one)
        licence = one_line(entry.licence)[:20]
        write_out(f"{entry.name:<{width}}  {size}  {licence:<20}  {suits:<10}  {clean(state)}\n")
    note(f"models folder: {models_dir()}")
    note('seconds: to read an article of 1,000 words ("about": an estimate); no: too much for this machine')


@app.command()
def recommend() -> None:
    """Say which model suits this machine best, and why; then the others."""
    from localsum.engine.machine import this_machine
    from localsum.models import how_to_get, present, registry, row_of
    from localsum.models.recommend import advise

    machine = this_machine()
    rows = advise(registry(), machine, _speeds())
    width = max(len(row.entry.name) for row in rows)
    for row in rows:
        said = row.why_not or f"{row.entry.ram_gb:.1f} GB of memory, {_seconds(row)} to read an article"
        state = "" if not present(row.entry) else ", installed"
        write_out(f"{row.entry.name:<{width}}  {'no ' if row.why_not else 'yes'}  {said}{state}\n")
    best = rows[0].entry
    if rows[0].why_not:
        note("no model of the registry suits this machine; the smallest: localsum models list")
        return
    why = "the largest instruct model" if best.role == "instruct" else "the largest model"
    note(f"{best.name}: {why} that fits {machine.memory / 1e9:.0f} GB of memory and reads an article in half a minute")
    if row_of(f"{best.name}-slim") is None:
        note(f"smaller, for English, once it is installed: localsum models slim {best.name}")
    note(f"use it: localsum brief PATH --model {best.name}" if present(best) else f"get it: {how_to_get(best)}")


@app.command()
def info(
    model: AnyArgument = None,
    context: Annotated[
        int, typer.Option("--context", min=1, max=10_000_000, help="Tokens of context to say the memory of.")
    ] = 8192,
) -> None:
    """Say what is in a model file: architecture, tensor types, vocabulary, context, template, memory."""
    from localsum.gguf import read_header
    from localsum.models import find_model

    found = find_model(model)
    rows = _about(found, read_header(found.path), context)
    width = max(len(name) for name, _ in rows)
    write_out("".join(f"{name:<{width}}  {text}\n" for name, text in rows))


@app.command()
def path(model: AnyArgument = None) -> None:
    """Print where the file of a model is."""
    from localsum.models import find_model

    write_out(f"{find_model(model).path}\n")


@app.command()
def verify(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME...]",
            autocompletion=installed_models,
            help="Which ones. [default: all that are installed]",
        ),
    ] = None,
) -> None:
    """Read whole model files again and compare their SHA-256 with the registry's."""
    from localsum.errors import ModelError
    from localsum.models import present, registry
    from localsum.models.own import verify

    failed: list[ModelError] = []
    wanted = names or [entry.name for entry in registry() if present(entry)]
    for name in wanted:
        try:
            found = verify(name)
            write_out(f"{name}  whole  {found.sha256}  {found.path}\n")
        except ModelError as error:
            failed.append(error)
    if failed:
        raise ModelError("\n  ".join(error.message for error in failed), failed[0].hint)
    if not wanted:
        note("no model is installed; which there are: localsum models")


@app.command()
def pull(
    name: NameArgument,
    accept_license: Annotated[
        bool, typer.Option("--accept-license", help="Accept the licence of the model without being asked.")
    ] = False,
) -> None:
    """Download a model of the registry: it speaks to its hub, and to nobody else on the network."""
    from localsum.errors import InterruptedRun, ModelError
    from localsum.guard import opened_to
    from localsum.models import how_to_get, present, resolve, row_of, unknown
    from localsum.models.hub import hosts

    entry = row_of(name)
    if entry is None:
        raise unknown(name)
    if present(entry):
        note(f"{name} is here already: {resolve(entry).path}")
        return
    if not entry.repo:
        raise ModelError(f"{name} is in no repository.", how_to_get(entry))
    _ask_for_licence(entry, is_accepted=accept_license)
    try:
        with opened_to(hosts()), _progress(entry) as tell:
            from localsum.models.pull import pull  # here, because the library looks at the environment when it loads

            found = pull(entry, tell)
    except KeyboardInterrupt:
        hint = f"what has arrived is kept; go on with: localsum models pull {name}"
        raise InterruptedRun("interrupted", hint) from None
    note(f"{found.path}, SHA-256 {found.sha256}")
    make_sure(found)
    note(f"write a brief with it: localsum brief PATH --model {name}")


@app.command()
def remove(name: NameArgument) -> None:
    """Remove a model: its file in the models folder, its row in your own registry."""
    from localsum.models.own import remove

    for line in remove(name):
        note(line)


@app.command("import")
def import_(
    file: Annotated[str | None, typer.Argument(metavar="[PATH]", help="A GGUF file. It is used where it lies.")] = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="What to call it. [default: by its file name]")
    ] = None,
    scan: Annotated[
        bool, typer.Option("--scan", help="Instead: look for models in the caches of Hugging Face, Ollama, LM Studio.")
    ] = False,
) -> None:
    """Give a GGUF file of yours a name, with its SHA-256, so that --model NAME finds it."""
    from localsum.errors import UsageError
    from localsum.models import from_path
    from localsum.models.own import import_file

    if scan == (file is not None) or (scan and name is not None):
        raise UsageError("name one file, or look for all", "localsum models import PATH, or: --scan")
    if file is None:
        _import_cached()
        return
    path = Path(os.path.abspath(os.path.expanduser(file)))
    make_sure(from_path(path))
    found = import_file(path, name)
    write_out(f"{found.name}\n")
    note(f"write a brief with it: localsum brief PATH --model {found.name}")


app.command()(slim)


def _import_cached() -> None:
    import shlex

    from localsum.models.own import import_cached
    from localsum.render.clean import clean

    note("looking through the caches of Hugging Face, Ollama and LM Studio")
    taken, others = import_cached()
    write_out("".join(f"{model.name}  {clean(str(model.path))}\n" for model in taken))
    note(f"{len(taken)} taken in, to be used where they lie" if taken else "nothing new that the registry knows")
    for one in others:
        note(f"another one, of {one.program}, {one.name}: localsum models import {shlex.quote(str(one.path))}")


def _speeds() -> dict[str, float]:
    """Tokens read per second by SHA-256, of the models that were tried on this machine."""
    from localsum.models import registry
    from localsum.models.tried import recall

    found = ((entry.sha256, recall(entry.sha256)) for entry in registry() if entry.sha256)
    return {sha256: float(how["read_tokens_s"]) for sha256, how in found if how}


def _seconds(advice: Advice) -> str:
    """Of reading an article, with a mark where that is no measurement."""
    return f"{advice.read_s:.1f} s" if advice.is_measured else f"about {advice.read_s:.0f} s"


def _ask_for_licence(entry: RegistryEntry, *, is_accepted: bool) -> None:
    """Shows the licence; goes on if it is, was, or now becomes accepted."""
    from localsum.errors import UsageError
    from localsum.models import licences

    if licences.is_accepted(entry):
        return
    for line in licences.about(entry):
        note(line)
    if not is_accepted:
        hint = f"localsum models pull {entry.name} --accept-license"
        if not sys.stdin.isatty():
            raise UsageError(f"{entry.name} needs a licence to be accepted, and nobody can be asked here", hint)
        if not typer.confirm("Do you accept it?", err=True):
            raise UsageError("the licence was not accepted, nothing was downloaded", hint)
    licences.accept(entry)


@contextmanager
def _progress(entry: RegistryEntry) -> Iterator[Callable[[int, int], None]]:
    """What to call with the bytes that are there and all bytes: a bar on a terminal, else one line."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    if not sys.stderr.isatty():
        note(f"downloading {entry.file}{f', {entry.bytes / 1e6:,.0f} MB' if entry.bytes else ''}")
        yield lambda _there, _all: None
        return
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(entry.name, total=entry.bytes or None)
        yield lambda there, size: bar.update(task, completed=there, total=size)


def _about(model: Model, header: Header, context: int) -> list[tuple[str, str]]:
    from localsum.models.sizes import cell_bytes, memory_bytes, tensor_types
    from localsum.render.clean import one_line

    entry, each = model.entry, cell_bytes(header)
    types = [f"{name} {count} ({size / 1e6:,.0f} MB)" for name, (count, size) in tensor_types(header).items()]
    template = header.chat_template
    rows = [
        ("name", model.name),
        ("path", str(model.path)),
        ("bytes", f"{model.bytes:,}"),
        ("sha256", f"{model.sha256} ({entry.confidence})" if entry else f"{model.sha256} (not in the registry)"),
        ("licence", entry.licence if entry else header.text("general.license") or "not stated"),
        ("architecture", header.architecture),
        ("tensors", ", ".join(types)),
        ("vocabulary", f"{header.array_lengths.get('tokenizer.ggml.tokens', 0):,} tokens"),
        ("context", f"{header.context_length:,} tokens" if header.context_length else "not stated"),
        ("chat template", f"{len(template):,} characters: an instruct model" if template else "none: a base model"),
        ("cache", f"at most {each:,} bytes a token" if each else "not stated"),
        ("memory", f"{memory_bytes(header, model.bytes, context) / 1e9:.1f} GB at {context:,} tokens, at most"),
    ]
    return [(name, one_line(text)) for name, text in rows]
