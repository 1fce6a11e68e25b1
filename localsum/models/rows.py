"""The registry: one row per model known by name. The rows that ship are in models/registry.toml, where each key is
explained; `registry.toml` in the models folder holds the user's own, which add to them or change some keys of them.

Knows the form of rows, not the files that they are of.
"""

from __future__ import annotations

import functools
import json
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from localsum.errors import ModelError, UsageError
from localsum.files import write_atomically
from localsum.folders import models_dir
from localsum.models.digests import locked, make_folder
from localsum.resources import resource

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MAX_BYTES = 1_000_000  # of a registry file
_HEAD = """\
# Your own models, beside those that localsum ships: `localsum models import` adds to this file, `remove` takes away.
# A [[model]] with a name of the shipped registry changes the keys it gives. What keys mean: models/README.md.
"""


@dataclass(frozen=True)
class RegistryEntry:
    """One [[model]] of a registry file. `sha256` "" and `bytes` 0: not known until the first download."""

    name: str
    role: Literal["base", "instruct"]
    file: str  # in the models folder; in a row of the user's own also an absolute path
    bytes: int = 0
    sha256: str = ""
    confidence: Literal["checked", "A", "B", "unknown"] = "unknown"
    licence: str = "not stated"
    gated: bool = False
    context: int = 0  # tokens
    ram_gb: float = 0.0
    thinking_off: str = ""
    sampling: dict[str, float] = field(default_factory=dict, hash=False)
    repo: str | None = None
    revision: str | None = None
    install: str | None = None
    parts: tuple[str, ...] = ()
    base: str = ""  # the model whose layers `adapter` is added to, which makes this one's file
    adapter: str = ""

    @property
    def adapter_path(self) -> Path:
        """The adapter's file, which travels with localsum."""
        return resource(f"models/{self.adapter}")

    @property
    def path(self) -> Path:
        """Where its file belongs; it need not be there."""
        return models_dir() / self.file


def registry() -> tuple[RegistryEntry, ...]:
    """All models known by name, in order of preference: those that ship, then the user's own. Raises ModelError."""
    rows = {row["name"]: row for row in _shipped()}
    for row in _read(own_registry()):
        rows[row["name"]] = rows.get(row["name"], {}) | row
    return tuple(_entry(row) for row in rows.values())


def is_vouched(sha256: str) -> bool:
    """Whether a row that ships has this SHA-256."""
    return any(row.get("sha256") == sha256 for row in _shipped())


def own_registry() -> Path:
    """The user's own registry file; it need not exist."""
    return models_dir() / "registry.toml"


def own_rows() -> dict[str, dict[str, Any]]:
    """What the user's own file says, by name: only the keys it gives. Raises ModelError."""
    return {row["name"]: row for row in _read(own_registry())}


def keep_row(row: dict[str, Any]) -> RegistryEntry:
    """Adds a row to the user's own file, in the place of one with its name. Returns what it means with what ships.

    Raises ModelError if the row is none, or the file cannot be written.
    """
    shipped = next((each for each in _shipped() if each["name"] == row.get("name")), {})
    _check(row, str(own_registry()))
    entry = _entry(shipped | row)
    lines = "".join(f"{key} = {_toml(value)}\n" for key, value in row.items())
    _rewrite(row["name"], f"\n[[model]]\n{lines}")
    return entry


def drop_row(name: str) -> bool:
    """Takes a row out of the user's own file; False if there is none. Raises as `keep_row` does."""
    return name in own_rows() and _rewrite(name, "")


def check_name(name: str) -> str:
    """The name itself, if a model may be called so. Raises UsageError."""
    if not _NAME.fullmatch(name) or name.endswith(".gguf"):
        raise UsageError(
            f"a model cannot be called {name[:80]!r}",
            "lower-case letters, digits and . _ - only: localsum models import PATH --name NAME",
        )
    return name


@functools.cache
def _shipped() -> tuple[dict[str, Any], ...]:
    return tuple(_read(resource("models/registry.toml")))


def _read(path: Path) -> list[dict[str, Any]]:
    """The rows of a file, each checked; none without a file."""
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise _broken(path, str(error.strerror or error)) from None
    if len(data) > _MAX_BYTES:
        raise _broken(path, f"it has more than {_MAX_BYTES:,} bytes")
    try:
        parsed = tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise _broken(path, str(error)[:200]) from None
    rows = parsed.pop("model", [])
    if parsed or not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise _broken(path, "it may hold [[model]] tables only")
    for row in rows:
        _check(row, str(path))
    names = [row["name"] for row in rows]
    if len(set(names)) < len(names):
        raise _broken(path, "two models have the same name")
    return rows


_TYPES: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(
        ("name", "role", "file", "sha256", "confidence", "licence", "thinking_off", "base", "adapter"), str
    ),
    **dict.fromkeys(("repo", "revision", "install"), str),
    **dict.fromkeys(("bytes", "context"), int),
    "gated": bool,
    "ram_gb": (int, float),
    "sampling": dict,
    "parts": list,
}


def _check(row: dict[str, Any], where: str) -> None:
    """That a row has a name, known keys, and values that can be meant."""
    name = row.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise _broken(where, f"{str(name)[:80]!r} is no name for a model")
    for key, value in row.items():
        if key not in _TYPES:
            raise _broken(where, f"{name} has the unknown key {key[:80]!r}")
        if not isinstance(value, _TYPES[key]) or (isinstance(value, bool) and key != "gated"):
            raise _broken(where, f"{key} of {name} is of the wrong type")
    file = row.get("file", "x")
    fits = {
        "role": row.get("role", "base") in ("base", "instruct"),
        "file": not file.startswith(".") and "\0" not in file and (Path(file).is_absolute() or Path(file).name == file),
        "sha256": not row.get("sha256") or bool(_SHA256.fullmatch(row["sha256"])),
        "confidence": row.get("confidence", "A") in ("checked", "A", "B", "unknown"),
        "bytes": row.get("bytes", 0) >= 0,
        "context": row.get("context", 0) >= 0,
        "sampling": all(isinstance(value, int | float) for value in row.get("sampling", {}).values()),
        "parts": all(isinstance(part, str) for part in row.get("parts", [])),
        "adapter": Path(row.get("adapter", "x")).name == row.get("adapter", "x"),
    }
    for key, is_good in fits.items():
        if not is_good:
            raise _broken(where, f"{key} of {name} cannot be {str(row[key])[:80]!r}")


def _entry(row: dict[str, Any]) -> RegistryEntry:
    missing = [key for key in ("role", "file") if not row.get(key)]
    if missing:
        raise _broken(own_registry(), f"{row['name']} has no {missing[0]}")
    return RegistryEntry(**{**row, "parts": tuple(row.get("parts", ()))})


def _broken(path: Path | str, reason: str) -> ModelError:
    return ModelError(f"{path} is no registry of models: {reason}", f"mend that file, or remove it: {path}")


def _toml(value: object) -> str:
    """A value as TOML has it. Its strings are those of JSON, but for DEL."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def _rewrite(name: str, added: str) -> bool:
    """The user's file without the row `name`, and with the text `added` at its end. All other text stays as it is."""
    path = own_registry()
    try:
        make_folder(path.parent)
        with locked(path.with_name(f"{path.name}.lock")):
            others = {key: row for key, row in own_rows().items() if key != name}
            text = path.read_text(encoding="utf-8") if path.exists() else _HEAD
            head, *tables = re.split(r"^(?=[ \t]*\[\[[ \t]*model[ \t]*\]\])", text, flags=re.MULTILINE)
            tables = [table for table in tables if tomllib.loads(table)["model"][0].get("name") != name]
            text = "".join([head, *tables]).rstrip("\n") + "\n" + added
            if {row["name"]: row for row in tomllib.loads(text).get("model", []) if row["name"] != name} != others:
                raise ValueError("its rows cannot be told apart")
            write_atomically(path, text)
    except (OSError, UsageError) as error:
        raise ModelError(
            f"{path} cannot be written: {error}", "name another folder: export LOCALSUM_MODELS=FOLDER"
        ) from None
    except ValueError as error:  # a text that is no TOML piece by piece, or a name that is no UTF-8
        raise _broken(path, f"it cannot be changed: {str(error)[:200]}") from None
    return True
