"""How model files ran on this machine, remembered by SHA-256 in `tried.json` in the models folder.

What ran does not have to be tried again by the same llama.cpp, and its speed is known. Does not know how it is tried.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from localsum.errors import LocalsumError
from localsum.files import write_atomically
from localsum.folders import models_dir
from localsum.models.digests import make_folder

_MOST = 200  # files remembered


def recall(sha256: str) -> dict[str, Any] | None:
    """What was remembered of a file; None if nothing was."""
    found = _all().get(sha256)
    numbers = ("read_tokens_s", "write_tokens_s")
    is_whole = isinstance(found, dict) and all(isinstance(found.get(name), int | float) for name in numbers)
    return found if is_whole else None


def remember(sha256: str, how: dict[str, Any]) -> None:
    """Remembers how a file ran: `read_tokens_s`, `write_tokens_s`, `llama`. Where that cannot be written, it is not."""
    kept = {key: value for key, value in _all().items() if key != sha256}
    kept = dict([*kept.items(), (sha256, how)][-_MOST:])
    with suppress(OSError, LocalsumError):
        make_folder(models_dir())
        write_atomically(models_dir() / "tried.json", json.dumps(kept, indent=1))


def _all() -> dict[str, Any]:
    try:
        found = json.loads((models_dir() / "tried.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
