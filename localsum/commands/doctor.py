"""`localsum doctor`: whether everything is in place, and what is stored where."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from localsum import __version__
from localsum.commands.options import ModelOption, StoreOption
from localsum.commands.say import note, write_out
from localsum.errors import LocalsumError
from localsum.try_out import try_out

if TYPE_CHECKING:
    from collections.abc import Iterator

    from localsum.engine.machine import Machine
    from localsum.models import Model

_WRONG = "wrong"
_LEAST = 2048  # tokens of context, of a model that does not say
# Tokens read per second times GB of the file: a quarter of what two cores with AVX-512 did (models/recommend.py).
_LEAST_PACE = 25.0
_SLOW_LOAD_S = 5.0  # for a small model, and for each GB


def doctor(
    privacy: Annotated[
        bool, typer.Option("--privacy", help="Say what is stored where, and what keeps it on this machine.")
    ] = False,
    try_it: Annotated[
        bool, typer.Option("--try", help="Also run the model, in a process of its own, and measure its speed.")
    ] = False,
    model: ModelOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    store: StoreOption = None,
) -> None:
    """Say what was found on this machine, what was chosen for it, what is wrong, and how to mend it."""
    rows = [*(_privacy(store) if privacy else _health(model, store, is_tried=try_it))]
    if as_json:
        about: dict[str, Any] = {name.strip().replace(" ", "_"): text for name, text in rows if name != _WRONG}
        wrong = {} if privacy else {_WRONG: [text for name, text in rows if name == _WRONG]}
        write_out(json.dumps(about | wrong, indent=1) + "\n")
        return
    if not privacy and rows[-1][0] != _WRONG:
        rows.append((_WRONG, "nothing that could be seen"))
    width = max(len(name) for name, _ in rows)
    write_out("".join(f"{name:<{width}}  {text}\n" for name, text in rows))
    if not privacy and not try_it:
        note("to run the model and measure it: localsum doctor --try")
    note("write a brief: localsum brief PATH" if not privacy else "forget what is kept: localsum forget --all")


def _health(named: str | None, store: str | None, *, is_tried: bool) -> Iterator[tuple[str, str]]:
    """Found and chosen; then for each thing that is wrong a row with what mends it."""
    from localsum.engine.fit import fit_cache, threads_for
    from localsum.engine.machine import this_machine
    from localsum.models import find_model, models_dir
    from localsum.models.sizes import cell_bytes
    from localsum.models.sound import check_file
    from localsum.models.tried import recall

    machine = this_machine()
    wrong: list[str] = []
    yield "localsum", f"{__version__}, Python {'.'.join(map(str, sys.version_info[:3]))}"
    kinds = "" if machine.fast == machine.physical else f", {machine.fast} of them fast"
    yield "machine", f"{machine.system} {machine.arch}{', Apple Silicon' if machine.is_apple else ''}"
    yield "cores", f"{machine.cores} usable, {machine.physical} whole ones{kinds}"
    yield "memory", f"{machine.memory / 1e9:.1f} GB, {machine.free / 1e9:.1f} GB free"
    try:
        yield "llama.cpp", _build()
    except LocalsumError as error:
        wrong.append(f"{error.message} {error.hint}")
    yield "threads", str(threads_for(machine))
    try:
        found = find_model(named)
        yield "model", f"{found.name}, {found.bytes / 1e6:,.0f} MB, {found.path}"
        header = check_file(found.path)
        context = header.context_length or _LEAST
        fit = fit_cache(machine.free - found.bytes, max(1, cell_bytes(header)), context)
        yield "context", f"{fit.cells:,} tokens in {fit.kv}"
        yield "layers", _layers(found)
        how = try_out(found) if is_tried else recall(found.sha256)
        if how:
            speed = f"reads {how['read_tokens_s']:,.0f} tokens/s, writes {how['write_tokens_s']:,.0f}"
            yield "speed", f"{speed} on its own{'' if is_tried else ' when it was tried'}"
        wrong += ailments(machine, found.bytes, found.entry.ram_gb if found.entry else 0.0, fit.cells, how)
    except LocalsumError as error:
        yield "model", "none that can be used"
        wrong.append(f"{error.message} {error.hint}")
    yield "store", _store(store)
    free = _free_disk(models_dir())
    yield "disk", f"{free / 1e9:.1f} GB free for models in {models_dir()}"
    for each in wrong:
        yield _WRONG, each


def ailments(machine: Machine, model_bytes: int, ram_gb: float, cells: int, how: dict[str, Any] | None) -> list[str]:
    """What is wrong with a model on a machine, each with what mends it. `how`: as it ran when it was tried."""
    found = []
    if model_bytes > machine.memory:
        found.append("the model is larger than the memory: a smaller one: localsum models recommend")
    elif max(model_bytes / 1e9, ram_gb) > machine.free / 1e9:
        found.append("too little memory is free for the model: close other programs, or: localsum models recommend")
    elif cells < 4096:
        found.append("the context is small, long articles are read in parts: close other programs")
    if how and how["read_tokens_s"] * model_bytes / 1e9 < _LEAST_PACE:
        found.append(
            "it reads slowly for its size: other programs are at work, or llama.cpp was built for no processor or for "
            "debugging: docs/install.md, or a smaller model: localsum models recommend"
        )
    if how and how["load_s"] > _SLOW_LOAD_S + model_bytes / 1e9 * _SLOW_LOAD_S:
        found.append("it loads slowly: is the models folder on a slow disk? export LOCALSUM_MODELS=FOLDER")
    if machine.system == "Darwin" and machine.arch != "arm64":
        found.append("this Python is for Intel: on Apple Silicon take an arm64 one, docs/install.md")
    return found


def _build() -> str:
    """What llama.cpp was built for. Raises ModelError where it cannot be loaded."""
    from localsum.errors import ModelError
    from localsum.probe import llama_version

    try:
        from localsum.engine.llama import system_info
    except (ImportError, OSError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise ModelError(f"llama.cpp cannot be loaded: {reason}.", "Install it: docs/install.md") from None
    return f"{llama_version()}, {system_info()}"


def _layers(found: Model) -> str:
    """Which of a model's files is loaded, as far as that is known before it is made."""
    from localsum.commands.session import tuning
    from localsum.models.unpacked import unpacked_path, wants_unpacked

    try:
        from localsum.engine.llama import plain_numbers
    except (ImportError, OSError, RuntimeError):
        return "not known: llama.cpp cannot be loaded"
    kind = wants_unpacked(found, plain_numbers(), tuning().get("layers"))
    if kind is None:
        return "as the file has them"
    path = unpacked_path(found, kind)
    return f"unpacked to {kind}, {path}{'' if path.exists() else ' (made at the first brief)'}"


def _free_disk(folder: Path) -> int:
    import shutil

    there = next(path for path in (folder, *folder.parents) if path.exists())
    return shutil.disk_usage(there).free


def _privacy(named: str | None) -> list[tuple[str, str]]:
    from localsum.bench.kept import reports_folder
    from localsum.models import models_dir
    from localsum.store import store_path

    path = store_path(named)
    files = [Path(f"{path}{end}") for end in ("", "-wal", "-shm")] if path else []
    there = [file for file in files if file.exists()]
    return [
        ("network", "refused to all code in this process while a command runs, as is starting programs; no telemetry"),
        ("  but", "localsum models pull speaks to its hub, and to nobody else"),
        ("  and", "localsum ray hands documents to the cluster that you name; the guard is off for it"),
        ("  and", "a model file that nobody vouches for is first run in a second process, sealed like this one"),
        ("kept briefs", _store(named)),
        *(("  file", f"{file}, {file.stat().st_size:,} bytes, {_readers(file)}") for file in there),
        ("  holds", "each brief, the text it is of, the name of its file, model, settings, time"),
        ("  not to keep", "once: localsum brief --no-store PATH; ever: LOCALSUM_STORE=off"),
        ("models", f"{models_dir()}{'' if models_dir().exists() else ' (not there yet)'}"),
        (
            "  beside",
            "model files, those unpacked for this processor; digests, speeds, your registry, accepted licences",
        ),
        ("reports", f"{reports_folder()}{'' if reports_folder().exists() else ' (not there yet)'}"),
        ("  hold", "what localsum bench measured: processor, system, model, figures; no text, no name of yours"),
        ("output files", "where --output says, readable by you only; nothing else is written, no logs, no caches"),
        (
            "  with --open",
            "but no --output: a folder of its own in the temporary folder; then your browser has the page",
        ),
        (
            "limit",
            "what a C library does by itself is not seen; llama.cpp is built without network code",
        ),
    ]


def _store(named: str | None) -> str:
    from localsum.errors import StoreError
    from localsum.store import count, open_store, store_path

    path = store_path(named)
    if path is None:
        return "off (LOCALSUM_STORE)"
    if not path.exists():
        return f"nothing yet; the first brief makes {path}"
    try:
        with open_store(path) as store:
            return f"{count(store):,} in {path}"
    except StoreError as error:
        return f"{error.message}"


def _readers(file: Path) -> str:
    if os.name == "nt":
        return "with the permissions of its folder"
    mode = stat.S_IMODE(file.stat().st_mode)
    return "readable by you only" if not mode & 0o077 else f"readable by others: chmod 600 {file}"
