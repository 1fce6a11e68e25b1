"""Licences of models: where their text is, and which ones the user has accepted, which is asked once.

`licences.txt` in the models folder remembers it, one line each: licence, moment, model.
"""

from __future__ import annotations

from datetime import UTC, datetime

from localsum.errors import ModelError
from localsum.folders import models_dir
from localsum.models.digests import make_folder, private
from localsum.models.rows import RegistryEntry

# What to read before accepting, for the licences of the registry that ships.
TEXTS = {
    "Gemma Terms of Use": (
        "The terms: https://ai.google.dev/gemma/terms",
        "What you must not use it for: https://ai.google.dev/gemma/prohibited_use_policy",
    ),
    "Apache-2.0": ("The licence: https://www.apache.org/licenses/LICENSE-2.0",),
}


def about(entry: RegistryEntry) -> list[str]:
    """What to show of a model's licence, line by line."""
    page = f"Its page: https://huggingface.co/{entry.repo}" if entry.repo else ""
    return [f"{entry.name} comes under: {entry.licence}", *TEXTS.get(entry.licence, ()), *([page] if page else [])]


def is_accepted(entry: RegistryEntry) -> bool:
    """Whether this licence was accepted, for this model or another one. One that is not stated is asked each time."""
    try:
        lines = (models_dir() / "licences.txt").read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return False
    return entry.licence in TEXTS and any(line.split("\t")[0] == entry.licence for line in lines)


def accept(entry: RegistryEntry) -> None:
    """Remembers that the user accepted. Raises ModelError if that cannot be written."""
    path = models_dir() / "licences.txt"
    try:
        make_folder(path.parent)
        with open(path, "a", encoding="utf-8", opener=private) as file:
            file.write(f"{entry.licence}\t{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}\t{entry.name}\n")
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{path} cannot be written: {error}", "name another folder: export LOCALSUM_MODELS=FOLDER"
        ) from None
