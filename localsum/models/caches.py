"""Model files that other programs have downloaded already: the caches of Hugging Face, Ollama and LM Studio.

Looks at names, sizes and manifests only; what is in a file is checked by whoever takes it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_MOST_FILES = 100_000  # looked at in one cache
_MOST_BYTES = 1_000_000  # of a manifest
_SHA256 = re.compile(r"(?:sha256[-:])?([0-9a-f]{64})")


@dataclass(frozen=True)
class Cached:
    """A file that seems to be a model. `sha256` is what the cache says of it, "" if it says nothing."""

    path: Path
    name: str  # as its program has it
    program: str
    sha256: str = ""


def cached_models() -> list[Cached]:
    """What is in the caches of this user, each file once, in a fixed order."""
    found = [*_hugging_face(), *_ollama(), *_lm_studio()]
    return list({os.path.realpath(one.path): one for one in reversed(found)}.values())[::-1]


def _hugging_face() -> Iterator[Cached]:
    """`models--OWNER--NAME/snapshots/COMMIT/FILE`, links to blobs that are named by their SHA-256."""
    home = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or _home(".cache"), "huggingface")
    folder = Path(os.environ.get("HF_HUB_CACHE") or Path(home, "hub")).expanduser()
    for path in _files(folder):
        if path.suffix.lower() == ".gguf" and "snapshots" in path.parts:
            claimed = _SHA256.fullmatch(Path(os.path.realpath(path)).name)
            yield Cached(path, path.stem, "Hugging Face", claimed[1] if claimed else "")


def _ollama() -> Iterator[Cached]:
    """`manifests/HOST/OWNER/NAME/TAG` name the digest of the model, `blobs/sha256-…` is the file."""
    chosen = os.environ.get("OLLAMA_MODELS")
    folders = [Path(chosen)] if chosen else [_home(".ollama/models"), Path("/usr/share/ollama/.ollama/models")]
    for folder in folders:
        for manifest in _files(folder / "manifests"):
            digest = _model_of(manifest)
            blob = folder / "blobs" / f"sha256-{digest}"
            if digest and blob.is_file():
                yield Cached(blob, f"{manifest.parent.name}-{manifest.name}", "Ollama", digest)


def _model_of(manifest: Path) -> str:
    """SHA-256 of the weights that a manifest names; "" if it names none."""
    try:
        with manifest.open("rb") as file:
            layers = json.loads(file.read(_MOST_BYTES))["layers"]
        kinds = {layer["mediaType"]: layer["digest"] for layer in layers}
        claimed = _SHA256.fullmatch(kinds["application/vnd.ollama.image.model"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""
    return claimed[1] if claimed else ""


def _lm_studio() -> Iterator[Cached]:
    """`PUBLISHER/MODEL/FILE.gguf`."""
    for folder in (_home(".lmstudio/models"), _home(".cache/lm-studio/models")):
        for path in _files(folder):
            if path.suffix.lower() == ".gguf":
                yield Cached(path, path.stem, "LM Studio")


def _home(inside: str) -> Path:
    return Path(os.path.expanduser("~"), inside)


def _files(folder: Path) -> Iterator[Path]:
    """All files below a folder, sorted; links to folders are not followed."""
    count = 0
    for here, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            if (count := count + 1) > _MOST_FILES:
                return
            path = Path(here, name)
            if path.is_file():
                yield path
