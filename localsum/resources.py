"""Where the files that travel with localsum are: `_data` inside an installed package, the checkout otherwise.

And which code it is that travels: a digest of what decides what a brief says.
"""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def resource(relative: str) -> Path:
    """Path of a shipped file or folder such as `prompts` or `models/registry.toml`."""
    installed = _PACKAGE / "_data" / relative
    return installed if installed.exists() else _PACKAGE.parent / relative


# What a brief says depends on these, the model, the template and the document; not on how it is read, kept or shown.
_WRITER = (
    "pipeline.py",
    "passages.py",
    "sentences.py",
    "chat.py",
    "languages.py",
    "templates",
    "writing",
    "grounding",
    "engine",
)


@functools.cache
def writer_version() -> str:
    """Digest of the code that writes: another one may write another brief of the same document."""
    digest = hashlib.sha256()
    for name in _WRITER:
        path = _PACKAGE / name
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(file.relative_to(_PACKAGE).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    digest.update(resource("models/pieces-en.txt").read_bytes())  # decides which tokens can be written
    return digest.hexdigest()[:16]
