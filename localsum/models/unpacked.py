"""The file that is loaded for a model: its own, or one that is made of it and is read faster on this processor.

`unpacked/` in the models folder holds what was made (unpack.py), under the SHA-256 of what it is made of. It may be
removed at any time, and is made again.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from localsum.errors import ModelError
from localsum.folders import models_dir
from localsum.gguf import read_header
from localsum.models import Model
from localsum.models.digests import forget, is_as_remembered, make_file

if TYPE_CHECKING:
    from localsum.unpack import Plain

Layers = Literal["packed", "unpacked"]
# Measured with files of 100 to 300 MB. In larger ones writing waits for the memory, which then has more to give.
MOST_GROWTH = 256_000_000


def file_to_load(
    model: Model, plain: Plain | None, layers: Layers | None = None, say: Callable[[str], object] = lambda _: None
) -> Path:
    """The file to give to llama.cpp; made now if need be, in about a second for each 300 MB.

    `plain` are the numbers that this processor multiplies fast, if there are any; `layers` is what the user wants, None
    what is known to be faster: small models of the registry unpacked, where there is room. Raises ModelError.
    """
    if (kind := wants_unpacked(model, plain, layers)) is None:
        return model.path
    target = unpacked_path(model, kind)
    if is_as_remembered(target):
        return target
    from localsum.unpack import growth, write_unpacked

    say(f"unpacking the layers of {model.name} for this processor, once")
    try:
        size = model.bytes + growth(read_header(model.path))
        fill = partial(write_unpacked, model.path, kind)
        make_file(target, size, fill, is_there=partial(is_as_remembered, target))
    except OSError as error:
        if layers is None:
            return model.path  # slower, and that is all
        reason = error.strerror or error
        raise ModelError(
            f"{target} cannot be written: {reason}", "free some space, or: export LOCALSUM_LAYERS=packed"
        ) from error
    return target


def wants_unpacked(model: Model, plain: Plain | None, layers: Layers | None) -> Plain | None:
    """The numbers that the layers of a model should be unpacked to; None to leave them as the file has them.

    Raises ModelError for a file that is no model.
    """
    if layers == "packed" or (layers is None and (plain is None or model.entry is None)):
        return None
    from localsum.unpack import growth

    more = growth(read_header(model.path))
    return (plain or "f16") if more and (layers is not None or more <= MOST_GROWTH) else None


def unpacked_path(model: Model, plain: Plain) -> Path:
    """Where the unpacked file of a model belongs; it need not be there."""
    return models_dir() / "unpacked" / f"{model.sha256[:16]}-{plain}.gguf"


def drop_unpacked(sha256: str) -> list[Path]:
    """Removes what was made of the model with this SHA-256, and says which files. Raises OSError."""
    found = sorted((models_dir() / "unpacked").glob(f"{sha256[:16]}-*")) if sha256 else []
    for path in found:
        path.unlink(missing_ok=True)
        with suppress(OSError):
            forget(path)
    return [path for path in found if path.suffix == ".gguf"]
