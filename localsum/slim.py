"""Writes a model file with a smaller vocabulary: a small model spends most of a step on tokens it will never write.

The rows of the kept tokens are copied bit for bit, and the tokenizer keeps every merge by which they are built. So
text made of kept tokens is split as before and has the same logits; all other text is split into smaller kept tokens,
at worst into bytes. Knows GGUF files; not where models are, and not what llama.cpp does with them. Which tokens to
keep: vocabulary.py.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from localsum.errors import ModelError
from localsum.gguf import Header, Tensor, read_header
from localsum.gguf_write import decode, encode, head
from localsum.vocabulary import KINDS, Vocabulary

_KEY = "tokenizer.ggml."
# The tensors with one row a token. A tensor of that height under another name is not cut but refused.
_TABLES = ("token_embd.weight", "output.weight", "output.bias", "per_layer_token_embd.weight")
_COPY_BYTES = 1 << 20


@dataclass(frozen=True)
class Source:
    """A model file to be slimmed. `values` are the values of its metadata, types in front."""

    path: Path
    header: Header
    values: dict[str, bytes]
    vocabulary: Vocabulary


def read_source(path: Path) -> Source:
    """Raises ModelError for a file that cannot be slimmed, and says why."""
    header = read_header(path)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        values = {key: data[start:end] for key, (start, end) in header.spans.items()}
    kind = header.text(_KEY + "model") or ""
    if kind not in KINDS:
        raise _refused(path, f"its tokenizer is of the kind {kind!r}, not SentencePiece or byte-level BPE")
    arrays, texts = header.array_lengths, header.text_arrays
    size = arrays.get(_KEY + "tokens", 0)
    columns = ["token_type", "scores"] if kind == "llama" else ["token_type"]
    is_whole = size > 0 and _KEY + "tokens" in texts and (kind == "llama" or _KEY + "merges" in texts)
    if not is_whole or any(arrays.get(_KEY + name) != size or _KEY + name in texts for name in columns):
        raise _refused(path, "its vocabulary is not complete")
    if "localsum.slim.source_sha256" in values:
        raise _refused(path, "it is slim already")
    for tensor in header.tensors:
        if tensor.size is None:
            raise _refused(path, f"the type {tensor.kind} of its tensor {tensor.name[:64]!r} is not known")
        if size in tensor.shape and (tensor.name not in _TABLES or tensor.shape[-1] != size):
            raise _refused(path, f"its tensor {tensor.name[:64]!r} is not known to hold one row for each token")
    merges = None
    if kind != "llama":
        merges = [_pair(merge) for merge in _list(values, "merges")]
    vocabulary = Vocabulary(
        kind,
        _list(values, "tokens"),
        _list(values, "token_type"),
        _list(values, "scores") if kind == "llama" else None,
        merges,
        frozenset(token for key in values for token in _ids(key, values[key]) if 0 <= token < size),
    )
    return Source(path, header, values, vocabulary)


def _refused(path: Path, why: str) -> ModelError:
    return ModelError(f"{path.name} cannot be slimmed: {why}.", "Take another model; all: localsum models")


def _list(values: dict[str, bytes], name: str) -> Any:  # noqa: ANN401  (a list, whose type the name decides)
    return decode(values[_KEY + name])


def _pair(merge: bytes) -> tuple[bytes, bytes]:
    """The halves of a merge, which may begin with the space itself: as llama.cpp reads it."""
    at = merge.find(b" ", 1)
    return (merge[:at], merge[at + 1 :]) if at > 0 else (merge, b"")


def _renumber(value: bytes, place: Mapping[int, int]) -> bytes:
    """A value with ids of tokens, as ids among the kept ones, of the same type. What is no token's id stays."""
    found = decode(value)
    if not isinstance(found, list):
        new_id = place.get(found) if type(found) is int else None
        return value if new_id is None else value[:4] + new_id.to_bytes(len(value) - 4, "little")
    if not all(type(each) is int for each in found):
        return value
    width = (len(value) - 16) // max(1, len(found))
    new = [place[each] for each in found if type(each) is int and each in place]
    return value[:8] + len(new).to_bytes(8, "little") + b"".join(each.to_bytes(width, "little") for each in new)


def _is_id(key: str) -> bool:
    """Whether a key of the metadata holds one token's id, or several."""
    return key.startswith(_KEY) and key.endswith(("_token_id", "_token_ids", ".suppress_tokens"))


def _ids(key: str, value: bytes) -> list[int]:
    found = decode(value) if _is_id(key) else []
    return [each for each in (found if isinstance(found, list) else [found]) if type(each) is int]


# Writing


@dataclass(frozen=True)
class Slim:
    """What was written."""

    tokens: int
    of_tokens: int
    bytes: int
    of_bytes: int


def write_slim(source: Source, target: Path, kept: Sequence[int], notes: Mapping[str, str | int]) -> Slim:
    """Writes the model with the tokens `kept` (ids, ascending) to `target`, which appears whole or not at all.

    `notes` are put into the metadata under `localsum.slim.`. Raises OSError.
    """
    vocabulary, header = source.vocabulary, source.header
    notes = {
        **notes,
        "tokens": len(kept),
        "of_tokens": len(vocabulary),
        "notice": _notice(header, len(vocabulary), len(kept)),
    }
    values = _values(source, kept) | {f"localsum.slim.{key}": encode(value) for key, value in notes.items()}
    if (called := header.text("general.name")) is not None:
        values["general.name"] = encode(f"{called} (slim, {len(kept)} tokens)")
    size = len(vocabulary)
    tensors = [_cut(tensor, len(kept)) if tensor.shape[-1:] == (size,) else tensor for tensor in header.tensors]
    alignment = int(header.metadata.get("general.alignment", 32))
    handle, name = tempfile.mkstemp(prefix=f"{target.name}.", suffix=".part", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as out, source.path.open("rb") as file:
            out.write(head(values, tensors, alignment))
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                for old, new in zip(header.tensors, tensors, strict=True):
                    begin = header.data_start + old.offset
                    for start, end in _runs(old, kept) if old != new else [(0, _size(old))]:
                        for at in range(begin + start, begin + end, _COPY_BYTES):
                            out.write(data[at : min(at + _COPY_BYTES, begin + end)])
                    out.write(bytes(-_size(new) % alignment))
            out.flush()
            os.fsync(out.fileno())
        os.replace(name, target)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(name)
    return Slim(len(kept), size, target.stat().st_size, source.path.stat().st_size)


def _notice(header: Header, before: int, after: int) -> str:
    """What licences want of a changed file: that it says so."""
    changed = f"Modified by localsum: vocabulary cut from {before} to {after} tokens; all other weights are unchanged."
    if not header.architecture.startswith("gemma") or header.text("general.license") == "apache-2.0":  # Gemma 4
        return f"{changed} The licence is that of the original file."
    return (
        f"{changed} Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms; "
        "use is further subject to the Gemma Prohibited Use Policy at ai.google.dev/gemma/prohibited_use_policy."
    )


def _size(tensor: Tensor) -> int:
    assert tensor.size is not None  # `read_source` refuses what is not known
    return tensor.size


def _cut(tensor: Tensor, rows: int) -> Tensor:
    return replace(tensor, shape=(*tensor.shape[:-1], rows), size=_size(tensor) // tensor.shape[-1] * rows)


def _runs(tensor: Tensor, kept: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Where the rows of the kept tokens are in a tensor's data, neighbours in one piece."""
    row = _size(tensor) // tensor.shape[-1]
    first = last = kept[0]
    for token in kept[1:]:
        if token != last + 1:
            yield first * row, (last + 1) * row
            first = token
        last = token
    yield first * row, (last + 1) * row


def _values(source: Source, kept: Sequence[int]) -> dict[str, bytes]:
    """The metadata for the kept tokens; what has nothing to do with the vocabulary stays as it is, bit for bit."""
    vocabulary, values = source.vocabulary, dict(source.values)
    values.pop("tokenizer.huggingface.json", None)  # would name tokens that are gone
    for name in ("tokens", "token_type", "scores"):
        if _KEY + name in values:
            column = _list(source.values, name)
            values[_KEY + name] = encode([column[token] for token in kept])
    if vocabulary.merges is not None:
        gone = set(vocabulary.tokens) - {vocabulary.tokens[token] for token in kept}
        values[_KEY + "merges"] = encode(
            [left + b" " + right for left, right in vocabulary.merges if gone.isdisjoint((left, right, left + right))]
        )
    place = {token: number for number, token in enumerate(kept)}
    for key, value in source.values.items():
        if _is_id(key):
            values[key] = _renumber(value, place)
    size = f"{source.header.architecture}.vocab_size"
    if size in values:
        values[size] = encode(len(kept))
    return values
