"""A user's own model files: taken into the registry, checked again, removed. Files elsewhere stay where they are."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

from localsum.errors import ModelError, UsageError
from localsum.folders import models_dir
from localsum.gguf import Header
from localsum.models import Model, how_to_get, packages, present, resolve, row_of, unknown
from localsum.models.caches import Cached, cached_models
from localsum.models.digests import digest, forget, holds, size_of
from localsum.models.rows import check_name, drop_row, keep_row, own_rows, registry
from localsum.models.sizes import memory_bytes
from localsum.models.sound import check_file
from localsum.models.unpacked import drop_unpacked

_PLANNED = 8192  # tokens of context in the figure for memory; more buy no speed (engine/fit.py)


def import_file(path: Path, name: str | None = None) -> Model:
    """Gives a GGUF file a name: a row in the user's own registry says where it lies and what its SHA-256 is.

    Without `name`: that of the row which has the same SHA-256, else one made of the file's. A file in the models folder
    is named by its file name, any other by its path. Raises ModelError for a file that cannot be used, UsageError for a
    name that is taken or none.
    """
    path = Path(os.path.abspath(os.path.expanduser(path)))
    header = check_file(path)
    try:
        sha256, size = digest(path), path.stat().st_size
    except OSError as error:
        raise ModelError(f"{str(path)!r} cannot be read: {error}", "localsum models import PATH") from error
    same = next((entry for entry in registry() if entry.sha256 == sha256), None)
    wanted = check_name(name) if name is not None else same.name if same else _name_of(path)
    taken = row_of(wanted)
    if taken is not None and taken.sha256 != sha256:
        raise UsageError(
            f"another model is called {wanted}",
            f"localsum models import PATH --name NAME, or first: localsum models remove {wanted}",
        )
    file = path.name if path.parent == models_dir() else str(path)
    if taken is None:
        keep_row(_row(wanted, file, sha256, size, header))
    elif taken.file != file:
        keep_row({**own_rows().get(wanted, {}), "name": wanted, "file": file})
    found = row_of(wanted)
    assert found is not None
    return resolve(found)


def _row(name: str, file: str, sha256: str, size: int, header: Header) -> dict[str, Any]:
    context = header.context_length or 0
    licence = re.sub(r"\s+", " ", header.text("general.license") or "not stated")[:80]
    return {
        "name": name,
        "role": "base" if header.chat_template is None else "instruct",
        "file": file,
        "bytes": size,
        "sha256": sha256,
        "confidence": "checked",
        "licence": licence,
        "context": context,
        "ram_gb": round(memory_bytes(header, size, min(context, _PLANNED)) / 1e9, 1),
    }


def _name_of(path: Path) -> str:
    name = re.sub(r"[^a-z0-9._-]+", "-", path.stem.lower()).strip("._-")[:80]
    return name or "model"


def import_cached() -> tuple[list[Model], list[Cached]]:
    """Takes in what other programs have downloaded and a row of the registry knows; the rest is only named.

    Which those are is told by the digest or size that is stated, and then by hashing. Returns both, those that are
    here already left out.
    """
    rows = [entry for entry in registry() if entry.sha256]
    taken, others = [], []
    for cached in cached_models():
        entry = next((row for row in rows if row.sha256 == cached.sha256), None)
        if entry is None and not cached.sha256:
            entry = next((row for row in rows if row.bytes == size_of(cached.path)), None)
        with suppress(ModelError, OSError):  # what cannot be read or used is passed over
            if entry is None:
                check_file(cached.path)
                others.append(cached)
            elif not present(entry):
                check_file(cached.path)
                if digest(cached.path) == entry.sha256:
                    taken.append(import_file(cached.path))
                else:
                    others.append(cached)
    return taken, others


def verify(name: str) -> Model:
    """The model, after its file was hashed anew. Raises ModelError if it is not what the registry says."""
    entry = row_of(name)
    if entry is None:
        raise unknown(name)
    with suppress(ModelError, OSError):
        digest(resolve(entry).path, afresh=True)
    model = resolve(entry)
    check_file(model.path)
    return model


def remove(name: str) -> list[str]:
    """Removes what localsum has of a model: its file in the models folder, and its row among the user's own.

    Returns what was done and what is left, in words. Raises ModelError.
    """
    entry = row_of(name)
    if entry is None:
        raise unknown(name)
    done = []
    file = models_dir() / Path(entry.file).name
    is_its = entry.path == file or holds(file, entry.bytes, entry.sha256)
    others = [each.name for each in registry() if each.path == file and each.name != name]
    if is_its and not others and os.path.lexists(file):
        try:
            file.unlink()
            forget(file)
        except OSError as error:
            raise ModelError(f"{file} cannot be removed: {error.strerror or error}", f"by hand: rm {file}") from None
        done.append(f"removed {file}")
    try:
        done += [f"removed {path}" for path in drop_unpacked(entry.sha256)]
    except OSError as error:
        raise ModelError(
            f"{error.filename} cannot be removed: {error.strerror or error}", f"by hand: rm {error.filename}"
        ) from None
    if drop_row(name):
        done.append(f"took {name} out of your registry")
    if done and os.path.lexists(entry.path):
        whose = f", it is also that of {', '.join(others)}" if others else ""
        done.append(f"the file stays{whose}: {entry.path}")
    if packages.parts(entry):
        names = " ".join(dict.fromkeys(part.partition("/")[0] for part in entry.parts))
        done.append(f"its packages stay; to remove them: pip uninstall {names}")
    if entry.base and done:
        done.append(f"it is made again from {entry.base} when it is asked for")
    if not done:
        raise ModelError(f"The model {name} is not installed.", how_to_get(entry))
    return done
