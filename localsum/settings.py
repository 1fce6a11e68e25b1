"""The user's settings: one TOML file in the config folder. It gives defaults, which variables and options override.

Knows the names and types of settings, not what they mean to the commands that have an option of that name.
"""

from __future__ import annotations

import json
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localsum.errors import UsageError
from localsum.files import make_folder, write_atomically
from localsum.folders import config_folder

_MAX_BYTES = 100_000


@dataclass(frozen=True)
class Setting:
    """What a setting is good for, of what type it is, and what holds without it."""

    help: str
    kind: type
    default: str


# Each is a variable, LOCALSUM_ and the name in capitals; and an option of commands, by the same name. Those of the
# engine's inside are options of `bench` alone, which finds out what they should be.
SETTINGS = {
    "model": Setting("name of a model or path of a GGUF file", str, "the first model that is installed"),
    "template": Setting("name or path of a template", str, "brief"),
    "language": Setting("language of briefs: a code such as de, or a name such as German", str, "each article's own"),
    "format": Setting("form of the output: terminal, md, html, json, jsonl", str, "terminal on a terminal, else md"),
    "threads": Setting("threads to use", int, "by the processor"),
    "context": Setting("tokens of context to hold in memory", int, "what fits"),
    "branches": Setting("fields written beside each other at most", int, "23"),
    "batch": Setting("tokens of a step at most", int, "512"),
    "kv": Setting("type of the KV cache: f16, q8_0", str, "by the free memory"),
    "layers": Setting("matrices of the layers: packed, unpacked", str, "what is faster, of small models"),
    "store": Setting("file of kept briefs, or off", str, "in the user's data folder"),
}


CHOICES = {"kv": ("f16", "q8_0"), "layers": ("packed", "unpacked")}
# Of the numbers, the least and the most.
BOUNDS = {"threads": (1, 512), "context": (1024, 1_048_576), "branches": (1, 255), "batch": (32, 8192)}


def settings_path() -> Path:
    """The file: LOCALSUM_CONFIG, else config.toml in the user's config folder; it need not exist."""
    chosen = os.environ.get("LOCALSUM_CONFIG")
    return Path(os.path.abspath(os.path.expanduser(chosen))) if chosen else config_folder() / "config.toml"


def read_settings() -> dict[str, str | int]:
    """What the file says; nothing without one. Raises UsageError for a file that is none."""
    path = settings_path()
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
        found: dict[str, Any] = tomllib.loads(data.decode("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise _broken(path, " ".join(str(error).split())[:200]) from None
    for name, value in found.items():
        if name not in SETTINGS:
            raise _broken(path, f"there is no setting {name[:40]!r}, only {', '.join(SETTINGS)}")
        if type(value) is not SETTINGS[name].kind:
            raise _broken(path, f"{name} must be {'a whole number' if SETTINGS[name].kind is int else 'a text'}")
    return found


def said(name: str) -> str | None:
    """What the setting's variable says, else the file; None if neither does."""
    return os.environ.get(variable_of(name)) or (
        str(found) if (found := read_settings().get(name)) is not None else None
    )


def value_of(name: str, text: str, hint: str) -> str | int:
    """What a text stands for, of a setting of the engine's. Raises UsageError, with the hint, for what it cannot be."""
    if name == "model" and text:
        return text
    if text in CHOICES.get(name, ()):
        return text
    if name in BOUNDS and text.isascii() and text.isdigit() and len(text) < 9:
        low, high = BOUNDS[name]
        if low <= int(text) <= high:
            return int(text)
    wanted = "{} to {}".format(*BOUNDS[name]) if name in BOUNDS else " or ".join(CHOICES.get(name, ("a name",)))
    raise UsageError(f"{name} cannot be {text[:40]!r}: {wanted}", hint)


def save_settings(new: dict[str, str | int]) -> Path:
    """Puts settings into the file, which is made if there is none; all other lines stay. Raises UsageError."""
    path, before = settings_path(), read_settings()
    lines = path.read_text(encoding="utf-8").splitlines() if before or path.exists() else []
    kept = [line for line in lines if _name_in(line) not in new]
    made = [f"{name} = {value if isinstance(value, int) else json.dumps(value)}" for name, value in new.items()]
    make_folder(path.parent)
    write_atomically(path, "\n".join([*made, *kept]) + "\n")
    if read_settings() != {**before, **new}:  # a text over several lines was cut in two, say
        write_atomically(path, "\n".join(lines) + "\n")
        raise UsageError(f"{path} cannot be changed without harm", f"add by hand: {'; '.join(made)}")
    return path


def _name_in(line: str) -> str:
    """The setting that a line of the file is of."""
    return line.partition("=")[0].strip().strip("\"'")


def variable_of(name: str) -> str:
    return f"LOCALSUM_{name.upper()}"


def _broken(path: Path, reason: str) -> UsageError:
    return UsageError(f"{path} holds no settings: {reason}", f"mend that file, or remove it: {path}")
