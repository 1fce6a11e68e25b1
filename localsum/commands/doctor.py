"""`localsum doctor`: whether everything is in place, and what is stored where."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import Annotated

import typer

from localsum import __version__
from localsum.commands.options import StoreOption
from localsum.commands.say import note, write_out


def doctor(
    privacy: Annotated[
        bool, typer.Option("--privacy", help="Say what is stored where, and what keeps it on this machine.")
    ] = False,
    store: StoreOption = None,
) -> None:
    """Say whether everything is in place: the model, the store."""
    lines = [*(_privacy(store) if privacy else _health(store))]
    width = max(len(name) for name, _ in lines)
    write_out("".join(f"{name:<{width}}  {text}\n" for name, text in lines))
    note("write a brief: localsum brief PATH" if not privacy else "forget what is kept: localsum forget --all")


def _health(named: str | None) -> list[tuple[str, str]]:
    from localsum.errors import LocalsumError
    from localsum.models import find_model

    python = ".".join(map(str, sys.version_info[:3]))
    try:
        found = find_model()
        model = f"{found.name}, {found.bytes / 1e6:,.0f} MB"
    except LocalsumError as error:
        model = f"{error.message} {error.hint}"
    return [("localsum", f"{__version__}, Python {python}"), ("model", model), ("store", _store(named))]


def _privacy(named: str | None) -> list[tuple[str, str]]:
    from localsum.models import models_dir
    from localsum.store import store_path

    path = store_path(named)
    files = [Path(f"{path}{end}") for end in ("", "-wal", "-shm")] if path else []
    there = [file for file in files if file.exists()]
    return [
        ("network", "refused to all code in this process while a command runs, as is starting programs; no telemetry"),
        ("  but", "localsum models pull speaks to its hub, and to nobody else"),
        ("kept briefs", _store(named)),
        *(("  file", f"{file}, {file.stat().st_size:,} bytes, {_readers(file)}") for file in there),
        ("  holds", "each brief, the text it is of, the name of its file, model, settings, time"),
        ("  not to keep", "once: localsum brief --no-store PATH; ever: LOCALSUM_STORE=off"),
        ("models", f"{models_dir()}{'' if models_dir().exists() else ' (not there yet)'}"),
        ("output files", "where --output says, readable by you only; nothing else is written, no logs, no caches"),
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
