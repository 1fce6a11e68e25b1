"""Writes a model file with those matrices of its layers unpacked to plain numbers that llama.cpp is slow with packed.

On x86 it has fast products for Q4_0, IQ4_NL and the K-quants; not for the types below, which Gemma's and many other
widths fall back to. Plain, they are read 1.5 to 1.7 times as fast (DECISIONS.md). Everything else is copied bit for
bit. Knows GGUF files; not where they are, nor what the processor can do.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from localsum.gguf import TYPES, Header, Tensor, read_header
from localsum.gguf_write import encode, head
from localsum.quants import Floats, unpack

Plain = Literal["bf16", "f16"]
MARK = "localsum.layers"  # the key of a written file that says which numbers it has

_TYPES = {"f16": 1, "bf16": 30}
_SLOW = frozenset(number for number, (name, _, _) in TYPES.items() if name in ("Q4_1", "Q5_0", "Q5_1", "Q8_0"))


def is_slow(tensor: Tensor) -> bool:
    """Whether it is a matrix of a layer, packed in a way that products with it are slow."""
    return tensor.name.startswith("blk.") and len(tensor.shape) == 2 and tensor.kind in _SLOW


def growth(header: Header) -> int:
    """Bytes by which the file grows; 0 if nothing in it is slow, or something in it cannot be copied."""
    if any(tensor.size is None for tensor in header.tensors):
        return 0
    return sum((_plain(each, "f16").size or 0) - (each.size or 0) for each in header.tensors if is_slow(each))


def write_unpacked(source: Path, kind: Plain, write: Callable[[bytes], object]) -> None:
    """Write the model again with what is slow as plain numbers. Raises OSError, and ModelError for what is no model."""
    header = read_header(source)
    alignment = int(header.metadata.get("general.alignment", 32))
    tensors = [_plain(tensor, kind) if is_slow(tensor) else tensor for tensor in header.tensors]
    with source.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        values = {key: data[start:end] for key, (start, end) in header.spans.items()}
        write(head({**values, MARK: encode(kind)}, tensors, alignment))
        for old, new in zip(header.tensors, tensors, strict=True):
            raw = _raw(data, header, old)
            write(raw if new is old else _rounded(unpack(raw, old), kind))
            write(bytes(-(new.size or 0) % alignment))


def _plain(tensor: Tensor, kind: Plain) -> Tensor:
    width, height = tensor.shape
    return replace(tensor, kind=_TYPES[kind], size=width * height * 2)


def _raw(data: mmap.mmap, header: Header, tensor: Tensor) -> bytes:
    start = header.data_start + tensor.offset
    return data[start : start + (tensor.size or 0)]


def _rounded(rows: Floats, kind: Plain) -> bytes:
    """To the nearest number of 16 bits, ties to the even one."""
    if kind == "f16":
        return rows.astype(np.float16).tobytes()
    bits = rows.view(np.uint32)
    return ((bits + np.uint32(0x7FFF) + (bits >> 16 & 1)) >> 16).astype(np.uint16).tobytes()
