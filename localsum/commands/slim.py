"""`localsum models slim`: a smaller, faster file of an installed model, for texts in one language."""

from __future__ import annotations

import math
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from localsum.commands.names import installed_models
from localsum.commands.say import note, write_out

if TYPE_CHECKING:
    from localsum.models import Model
    from localsum.slim import Source

KEEP = 114688  # of 262,144 cost 0.9 % (benchmarks/README.md)
_SIZES = (16384, 24576, 32768, 49152, 65536, 98304, 131072, 196608)  # that --max-loss tries
UNSEEN = ("examples/data-center-power.md", "examples/open-weights-fund.md")  # the choice of tokens did not see these


def slim(
    model: Annotated[
        str,
        typer.Argument(metavar="NAME|PATH", autocompletion=installed_models, help="The model to start from; it stays."),
    ],
    language: Annotated[
        Literal["en", "latin"],
        typer.Option("--language", "-l", help="en: English; latin: every language in Latin letters."),
    ] = "en",
    keep: Annotated[
        int | None, typer.Option("--keep", min=1, max=1_000_000, help=f"Tokens to keep. [default: {KEEP}]")
    ] = None,
    max_loss: Annotated[
        float | None,
        typer.Option(
            "--max-loss",
            metavar="PCT",
            min=0.0,
            max=100.0,
            help="Instead: as few as cost at most so many percent more bits per byte of English news. Takes minutes.",
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="What to call the new model. [default: NAME-slim]")
    ] = None,
) -> None:
    """Write a smaller file of a model, with fewer tokens.

    Any text can still be read and written; words without a token of their own are put together from pieces.
    """
    from localsum.errors import ModelError, UsageError
    from localsum.models import find_model, models_dir, row_of
    from localsum.models.digests import make_folder
    from localsum.models.rows import check_name
    from localsum.slim import read_source, write_slim
    from localsum.vocabulary import choose_for

    if keep is not None and max_loss is not None:
        raise UsageError("--keep and --max-loss exclude each other", "localsum models slim NAME --max-loss 2")
    found = find_model(model)
    new = check_name(name or f"{found.name.lower()}-slim")
    target = models_dir() / f"{new}.gguf"
    if row_of(new) is not None or target.exists():
        raise UsageError(f"there is a model called {new}", f"localsum models remove {new}, or choose a --name")
    source = read_source(found.path)
    try:
        make_folder(target.parent)
        if max_loss is not None:
            keep = _smallest(source, language, max_loss)
        keep = KEEP if keep is None else keep
        if keep >= len(source.vocabulary):
            raise UsageError(
                f"{found.name} has {len(source.vocabulary):,} tokens, which is not more than {keep:,}",
                f"to have it smaller yet: localsum models slim {found.name} --keep {len(source.vocabulary) // 2}",
            )
        kept = choose_for(source.vocabulary, language, keep)
        with tempfile.TemporaryDirectory(prefix="slim-", dir=target.parent) as folder:
            made = Path(folder) / target.name
            written = write_slim(source, made, kept, _notes(found, language))
            os.replace(made, target)
    except OSError as error:
        raise ModelError(
            f"{target} cannot be written: {error.strerror or error}",
            "free some space, or name another folder: export LOCALSUM_MODELS=FOLDER",
        ) from error
    _register(found, target, new)
    write_out(f"{new}\n")
    note(
        f"{written.tokens:,} of {written.of_tokens:,} tokens, {target.stat().st_size / 1e6:,.0f} instead of "
        f"{written.of_bytes / 1e6:,.0f} MB: {target}"
    )
    note(f"write a brief with it: localsum brief PATH --model {new}")


def _notes(found: Model, language: str) -> dict[str, str | int]:
    return {"source": found.name, "source_sha256": found.sha256, "language": language}


def _register(found: Model, target: Path, name: str) -> None:
    """A row among the user's own models, with what the row of the original says of its licence and use."""
    from localsum.models.own import import_file
    from localsum.models.rows import keep_row, own_rows

    import_file(target, name)
    if found.entry is not None:
        same = {"licence": found.entry.licence, "thinking_off": found.entry.thinking_off}
        keep_row({**own_rows()[name], **same, "sampling": dict(found.entry.sampling)})


def _smallest(source: Source, language: str, max_loss: float) -> int:
    """How many tokens to keep so that the loss stays under `max_loss` percent, by bisection over `_SIZES`."""
    from localsum.models import models_dir
    from localsum.slim import write_slim
    from localsum.vocabulary import choose_for

    full = _bits_per_byte(source.path)
    note(f"{len(source.vocabulary):,} tokens: {full:.4f} bits per byte")
    sizes = [size for size in _SIZES if size < len(source.vocabulary)]
    low, high = 0, len(sizes)  # the answer is in sizes[low:high + 1], the last standing for all tokens
    with tempfile.TemporaryDirectory(prefix="slim-", dir=models_dir()) as folder:
        trial = Path(folder) / "trial.gguf"
        while low < high:
            middle = (low + high) // 2
            write_slim(source, trial, choose_for(source.vocabulary, language, sizes[middle]), {})
            loss = 100 * (_bits_per_byte(trial) / full - 1)
            note(f"{sizes[middle]:,} tokens: {loss:+.2f} %")
            low, high = (low, middle) if loss <= max_loss else (middle + 1, high)
    return sizes[low] if low < len(sizes) else len(source.vocabulary)


def _bits_per_byte(path: Path) -> float:
    """Of two articles that ship with localsum and that the choice of tokens did not see."""
    from localsum.engine.llama import LlamaBackend
    from localsum.engine.machine import usable_cores
    from localsum.engine.types import Segment
    from localsum.resources import resource

    bits, size = 0.0, 0
    backend = LlamaBackend(path, threads=usable_cores(), cells=4096, sequences=64, shortlist=False)
    try:
        for name in UNSEEN:
            text = resource(name).read_text(encoding="utf-8")[:8000]
            tokens = backend.tokenize((Segment("\n"), Segment(text)), first=True)
            bits += float(backend.surprise(tokens[:4000]).sum()) / math.log(2)
            size += len(text.encode())
    finally:
        backend.close()
    return bits / size
