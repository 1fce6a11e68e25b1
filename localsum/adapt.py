"""Writes a model file with an adapter added to its layers: y = (W + scale * BA)x for every matrix that it has a pair of
thin matrices for.

Applied while the model runs an adapter makes reading and writing a fifth slower; added to the weights it costs what
their type costs. The rows become Q8_0, everything else is copied bit for bit. All arithmetic is done number by number
in a fixed order, so that every computer writes the same bytes, and the file has a SHA-256 like any other. Knows GGUF
files, not where they are.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from localsum.errors import ModelError
from localsum.gguf import TYPES, Header, Tensor, read_header
from localsum.gguf_write import encode, head
from localsum.quants import KINDS, Floats, pack, unpack

_F16, _Q8_0 = 1, 8
# What the adapter's file says of the model that it makes.
_CARRIED = ("tokenizer.chat_template", "localsum.warning", "localsum.adapter.base_sha256")
_NOTICE = (
    "Modified by localsum: a low-rank adapter is added to the layers, whose rows are Q8_0. Gemma is provided under and "
    "subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms; use is further subject to the Gemma "
    "Prohibited Use Policy at ai.google.dev/gemma/prohibited_use_policy."
)


def write_adapted(base: Path, adapter: Path, write: Callable[[bytes], object]) -> None:
    """Write the model `base` with `adapter` in its layers. Raises ModelError if the two do not fit each other."""
    model, thin = read_header(base), read_header(adapter, "adapter")
    pairs = _pairs(thin, adapter)
    known = {tensor.name: tensor for tensor in model.tensors}
    for name, (a, b) in pairs.items():
        tensor = known.get(name)
        fits = tensor and tensor.kind in KINDS and tensor.shape == (a.shape[0], b.shape[1]) and a.shape[1] == b.shape[0]
        if not fits or model.architecture != thin.architecture:
            raise ModelError(f"The adapter {adapter.name} is not made for {base.name}: {name}.", "localsum models")
    with base.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        values = {key: data[start:end] for key, (start, end) in model.spans.items()}
        with adapter.open("rb") as thin_file, mmap.mmap(thin_file.fileno(), 0, access=mmap.ACCESS_READ) as thin_data:
            carried = {key: thin_data[slice(*thin.spans[key])] for key in _CARRIED if key in thin.spans}
            values |= carried | {"general.name": encode(thin.text("general.name") or adapter.stem)}
            values["localsum.adapter.notice"] = encode(_NOTICE)
            tensors = [_packed(each) if each.name in pairs else each for each in model.tensors]
            alignment = int(model.metadata.get("general.alignment", 32))
            write(head(values, tensors, alignment))
            scale = np.float32(float(thin.metadata.get("adapter.lora.alpha", 0.0)))
            for old, new in zip(model.tensors, tensors, strict=True):
                if (pair := pairs.get(old.name)) is None:
                    write(_raw(data, model, old))
                else:
                    first, second = (_half(thin_data, thin, each) for each in pair)
                    rows = unpack(_raw(data, model, old), old)
                    write(pack(rows + _product(second * (scale / np.float32(len(first))), first)))
                write(bytes(-_size(new) % alignment))


def _pairs(thin: Header, path: Path) -> dict[str, tuple[Tensor, Tensor]]:
    """The thin matrices by the name of the tensor that their product is added to."""
    found = {tensor.name: tensor for tensor in thin.tensors}
    names = {name.rpartition(".lora_")[0] for name in found}
    if thin.text("adapter.type") != "lora" or any(each.kind != _F16 or len(each.shape) != 2 for each in thin.tensors):
        raise ModelError(f"{path.name} is not an adapter of the kind that localsum makes.", "localsum models")
    if set(found) != {f"{name}.lora_{letter}" for name in names for letter in "ab"}:
        raise ModelError(f"The adapter {path.name} is not complete.", "localsum models")
    return {name: (found[f"{name}.lora_a"], found[f"{name}.lora_b"]) for name in sorted(names)}


def _size(tensor: Tensor) -> int:
    if tensor.size is None:
        raise ModelError(f"The type {tensor.kind} of the tensor {tensor.name[:64]!r} is not known.", "localsum models")
    return tensor.size


def _raw(data: mmap.mmap, header: Header, tensor: Tensor) -> bytes:
    start = header.data_start + tensor.offset
    return data[start : start + _size(tensor)]


def _half(data: mmap.mmap, header: Header, tensor: Tensor) -> Floats:
    width, height = tensor.shape
    return np.frombuffer(_raw(data, header, tensor), np.float16).astype(np.float32).reshape(height, width)


def _product(b: Floats, a: Floats) -> Floats:
    """B times A, the ranks one after the other: libraries for matrices add in an order of their own."""
    total = np.zeros((b.shape[0], a.shape[1]), np.float32)
    for rank in range(a.shape[0]):
        total += b[:, rank, None] * a[rank]
    return total


def _packed(tensor: Tensor) -> Tensor:
    width, height = tensor.shape
    _, block, size = TYPES[_Q8_0]
    return replace(tensor, kind=_Q8_0, size=width // block * size * height)
