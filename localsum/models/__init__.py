"""Which model to use and where its file is: the registry, the models folder, models that come as Python packages.

Every model of the registry is known by its SHA-256; no file with other bytes is ever returned under its name. Nothing
here uses the network, runs code of a model package or knows what llama.cpp does with the file.

The models folder is `models` in the user's data folder, or LOCALSUM_MODELS. It holds model files under their registry
names, the user's own registry (rows.py), `verified/` (digests.py), `unpacked/` (unpacked.py), and lock files.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from localsum.errors import ModelError
from localsum.folders import models_dir
from localsum.models import packages
from localsum.models.digests import Write, digest, holds, size_of
from localsum.models.rows import RegistryEntry, is_vouched, registry
from localsum.models.sound import check_file

__all__ = ["Model", "RegistryEntry", "find_model", "how_to_get", "installed", "models_dir", "present", "registry"]


@dataclass(frozen=True)
class Model:
    """A model file that is there and whole. `entry` is None for a file the registry does not know."""

    name: str
    path: Path
    sha256: str
    bytes: int
    entry: RegistryEntry | None
    is_vouched: bool = True  # its SHA-256 is that of a row that ships; any other file may be anything


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
        return resolve(first)
    if (entry := row_of(wanted)) is not None:
        return resolve(entry)
    if is_path(wanted):
        return from_path(Path(os.path.abspath(os.path.expanduser(wanted))))
    raise unknown(wanted)


def row_of(name: str) -> RegistryEntry | None:
    """The row of the registry with this name."""
    return next((entry for entry in registry() if entry.name == name), None)


def is_path(wanted: str) -> bool:
    """Whether what was typed for a model means a file."""
    return wanted.lower().endswith(".gguf") or "/" in wanted or os.sep in wanted


def unknown(wanted: str) -> ModelError:
    """That nothing has this name, what is near it, and what there is."""
    close = difflib.get_close_matches(wanted[:100].lower(), [entry.name for entry in registry()], n=3)
    there = [entry.name for entry in registry() if present(entry)]
    return ModelError(
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
            models.append(resolve(entry))
    return models


def present(entry: RegistryEntry) -> bool:
    """Whether the model seems to be on this computer. Cheap: compares sizes, hashes nothing, writes nothing."""
    if not entry.sha256:
        return False
    return any(size_of(place) == entry.bytes for place in _places(entry)) or bool(packages.parts(entry))


def how_to_get(entry: RegistryEntry) -> str:
    """What to type, or to do, to have this model."""
    if (base := row_of(entry.base)) is not None and present(base):
        return f"localsum models verify {entry.name}"  # which makes it
    if entry.install:
        return entry.install
    if not entry.repo:
        return f"localsum models import PATH --name {entry.name}"
    return f"localsum models pull {entry.name}"


def _places(entry: RegistryEntry) -> Iterator[Path]:
    """Where its file may lie: as the row says, and in the models folder if that is elsewhere."""
    yield entry.path
    if Path(entry.file).is_absolute():
        yield models_dir() / Path(entry.file).name


def resolve(entry: RegistryEntry) -> Model:
    """The model of a row, from where the row says, the models folder, else from its packages. Raises ModelError."""
    places, parts = [*_places(entry)], packages.parts(entry)
    found = next((place for place in places if entry.sha256 and holds(place, entry.bytes, entry.sha256)), None)
    if found:
        path = found
    elif len(parts) > 1:
        path = packages.assemble(entry, partial(packages.write_parts, parts), places[-1])
    elif (base := row_of(entry.base)) is not None and present(base):
        path = packages.assemble(entry, partial(_adapted, resolve(base).path, entry.adapter_path), places[-1])
    elif parts and holds(parts[0], entry.bytes, entry.sha256):
        path = parts[0]
    elif parts:
        raise packages.damaged_package(entry)
    elif wrong := next((place for place in places if place.exists()), None):
        raise ModelError(
            f"{str(wrong)!r} is not the {entry.name} of the registry: unreadable, or its size or SHA-256 differs.",
            f"localsum models remove {entry.name}; then: {how_to_get(entry)}",
        )
    else:
        raise ModelError(f"The model {entry.name} is not installed.", how_to_get(entry))
    return Model(entry.name, path, entry.sha256, entry.bytes, entry, is_vouched(entry.sha256))


def _adapted(base: Path, adapter: Path, write: Write) -> None:
    from localsum.adapt import write_adapted  # numpy: only when a file is made

    write_adapted(base, adapter, write)


def from_path(path: Path) -> Model:
    """The model in any GGUF file; a file whose SHA-256 the registry knows gets its name and row. Raises ModelError."""
    check_file(path)
    try:
        sha256, size = digest(path), path.stat().st_size
    except OSError as error:
        raise ModelError(
            f"{str(path)!r} cannot be read: {error}", "Give another model; all: localsum models"
        ) from error
    entry = next((entry for entry in registry() if entry.sha256 == sha256), None)
    return Model(entry.name if entry else path.stem, path, sha256, size, entry, is_vouched(sha256))
