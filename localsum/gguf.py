"""Reads the header of a GGUF file and checks that the file is whole, before llama.cpp maps it.

llama.cpp is C++ and trusts much of what a file says; a file from anywhere is looked at here first, in bounded time and
memory. Knows the container format (versions 2 and 3, little endian), not what a model or its tensors mean.
"""

from __future__ import annotations

import math
import mmap
import struct
from dataclasses import dataclass
from pathlib import Path

from localsum.errors import ModelError

# Gemma 3's header, with its 262k tokens, is 6.5 MB. Nothing past this many bytes is looked at, which bounds every
# string and array as well, and the time: a header of 64 MB that is one array of empty strings takes 1.2 s.
MAX_HEADER_BYTES = 64 * 1024 * 1024
MAX_KEYS = 65_536
MAX_TENSORS = 65_536
MAX_NUMBERS = 4096  # in an array whose values are kept; models have one for each layer

_STRING, _ARRAY = 8, 9
_U64 = struct.Struct("<Q")
_LETTERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_SCALARS = {code: struct.Struct("<" + letter) for code, letter in _LETTERS.items()}
# ggml tensor type -> (name, elements in a block, bytes of a block); a type not listed has its offset checked alone.
TYPES = {
    0: ("F32", 1, 4), 1: ("F16", 1, 2), 2: ("Q4_0", 32, 18), 3: ("Q4_1", 32, 20), 6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24), 8: ("Q8_0", 32, 34), 9: ("Q8_1", 32, 36), 10: ("Q2_K", 256, 84), 11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144), 13: ("Q5_K", 256, 176), 14: ("Q6_K", 256, 210), 15: ("Q8_K", 256, 292),
    16: ("IQ2_XXS", 256, 66), 17: ("IQ2_XS", 256, 74), 18: ("IQ3_XXS", 256, 98), 19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18), 21: ("IQ3_S", 256, 110), 22: ("IQ2_S", 256, 82), 23: ("IQ4_XS", 256, 136),
    24: ("I8", 1, 1), 25: ("I16", 1, 2), 26: ("I32", 1, 4), 27: ("I64", 1, 8), 28: ("F64", 1, 8),
    29: ("IQ1_M", 256, 56), 30: ("BF16", 1, 2), 34: ("TQ1_0", 256, 54), 35: ("TQ2_0", 256, 66),
    39: ("MXFP4", 32, 17), 40: ("NVFP4", 64, 36), 41: ("Q1_0", 128, 18), 42: ("Q2_0", 64, 18),
}  # fmt: skip


@dataclass(frozen=True)
class Tensor:
    """One tensor's entry. `size` is in bytes, None for a type that is not known here; `offset` into the tensor data."""

    name: str
    shape: tuple[int, ...]  # the first is the row
    kind: int
    offset: int
    size: int | None


@dataclass(frozen=True)
class Header:
    """What a GGUF file says of itself. `metadata` holds single values, `numbers` short arrays of numbers; of all other
    arrays only the lengths are kept. `spans` is where each key's value is in the file, from its type on."""

    version: int
    metadata: dict[str, str | int | float | bool]
    array_lengths: dict[str, int]
    numbers: dict[str, tuple[int | float | bool, ...]]
    text_arrays: frozenset[str]  # keys of the arrays that hold strings
    tensors: tuple[Tensor, ...]
    spans: dict[str, tuple[int, int]]
    data_start: int  # where the tensor data begins

    def text(self, key: str) -> str | None:
        """The string under `key`; None if it is absent or something else."""
        value = self.metadata.get(key)
        return value if isinstance(value, str) else None

    @property
    def architecture(self) -> str:
        return self.text("general.architecture") or ""

    @property
    def context_length(self) -> int | None:
        """Tokens the model was trained for."""
        value = self.metadata.get(f"{self.architecture}.context_length")
        return value if isinstance(value, int) and value > 0 else None

    def counts(self, key: str) -> tuple[int, ...]:
        """Whole numbers under a key of the architecture: one for all layers, or one for each; () if it says none."""
        full = f"{self.architecture}.{key}"
        values = self.numbers.get(full, (self.metadata[full],) if full in self.metadata else ())
        return tuple(value for value in values if isinstance(value, int) and not isinstance(value, bool))

    @property
    def chat_template(self) -> str | None:
        """Jinja source, from outside: render it in a sandbox only. None for base models."""
        return self.text("tokenizer.chat_template")


class _BrokenError(Exception):
    """Inside this file: the reason a file cannot be used."""


def read_header(path: Path, kind: str = "model") -> Header:
    """The header of a whole, plain GGUF file of a model, or of another `kind`: "adapter".

    Raises ModelError for anything else; reads no tensor data.
    """
    try:
        if not path.is_file():
            raise _BrokenError("is a folder or a device, not a file" if path.exists() else "does not exist")
        size = path.stat().st_size
        if size < 24:
            raise _BrokenError("is too short to be a GGUF file")
        with path.open("rb") as file:
            if file.read(4) != b"GGUF":
                raise _BrokenError("is not a GGUF file")
            with mmap.mmap(file.fileno(), min(size, MAX_HEADER_BYTES), access=mmap.ACCESS_READ) as data:
                return _parse(_Cursor(data), size, kind)
    except _BrokenError as broken:
        reason = str(broken)
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL in it
        reason = f"cannot be read: {error}"
    raise ModelError(
        f"{str(path)!r} {reason}",
        "Get the file again, or use a model of the registry; what is installed: localsum models",
    )


class _Cursor:
    """A position in the mapped header; every read is checked against its end."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data = data
        self.end = len(data)
        self.at = 0

    def skip(self, count: int) -> int:
        """Moves past `count` bytes, returns where they start."""
        start = self.at
        if count > self.end - start:
            raise _BrokenError(
                "has a header that ends too early: the file is cut off or damaged"
                if self.end < MAX_HEADER_BYTES
                else f"has a header of more than {MAX_HEADER_BYTES} bytes"
            )
        self.at = start + count
        return start

    def number(self, kind: struct.Struct) -> int | float | bool:
        value: int | float | bool = kind.unpack_from(self.data, self.skip(kind.size))[0]
        return value

    def u32(self) -> int:
        return int(self.number(_SCALARS[4]))

    def u64(self) -> int:
        return int(self.number(_U64))

    def string(self) -> str:
        length = self.u64()
        start = self.skip(length)
        return self.data[start : start + length].decode("utf-8", "replace")

    def array(self) -> tuple[int, int, tuple[int | float | bool, ...] | None]:
        """Moves past an array: the type of its values, its length, and the values if they are few and numbers.

        Strings are hopped over, none is made: 262k of them take 20 ms.
        """
        kind, count = self.u32(), self.u64()
        if kind in _SCALARS:
            start = self.skip(count * _SCALARS[kind].size)
            if count <= MAX_NUMBERS:
                return kind, count, struct.unpack_from(f"<{count}{_LETTERS[kind]}", self.data, start)
        elif kind == _STRING:
            data, end, at, unpack = self.data, self.end, self.at, _U64.unpack_from
            if count * 8 > end - at:
                self.skip(count * 8)  # raises
            for _ in range(count):
                if at > end - 8:
                    break
                at += 8 + unpack(data, at)[0]
            self.skip(at - self.at)
        else:
            raise _BrokenError(f"has an array of the unknown type {kind} in its header")
        return kind, count, None


def _parse(cursor: _Cursor, size: int, wanted: str) -> Header:
    cursor.skip(4)
    version = cursor.u32()
    if version not in (2, 3):
        swapped = version in (2 << 24, 3 << 24)
        raise _BrokenError("is a big-endian GGUF file" if swapped else f"is of GGUF version {version}, not 2 or 3")
    tensor_count, key_count = cursor.u64(), cursor.u64()
    if tensor_count > MAX_TENSORS or key_count > MAX_KEYS:
        raise _BrokenError(f"claims {tensor_count} tensors and {key_count} metadata keys: it is damaged")

    metadata: dict[str, str | int | float | bool] = {}
    lengths: dict[str, int] = {}
    numbers: dict[str, tuple[int | float | bool, ...]] = {}
    spans: dict[str, tuple[int, int]] = {}
    text_arrays: set[str] = set()
    for _ in range(key_count):
        key, start, kind = cursor.string(), cursor.at, cursor.u32()
        if key in spans:
            raise _BrokenError("has the same metadata key twice")
        if kind == _ARRAY:
            kind_inside, lengths[key], values = cursor.array()
            if kind_inside == _STRING:
                text_arrays.add(key)
            if values is not None:
                numbers[key] = values
        elif kind == _STRING:
            metadata[key] = cursor.string()
        elif kind in _SCALARS:
            metadata[key] = cursor.number(_SCALARS[kind])
        else:
            raise _BrokenError(f"has metadata of the unknown type {kind}")
        spans[key] = (start, cursor.at)

    alignment = metadata.get("general.alignment", 32)
    if not isinstance(alignment, int) or alignment not in [1 << power for power in range(21)]:
        raise _BrokenError("has an alignment that is no power of two")
    tensors = tuple(_tensor(cursor) for _ in range(tensor_count))
    data_start = -(-cursor.at // alignment) * alignment
    if len({each.name for each in tensors}) < len(tensors):
        raise _BrokenError("has two tensors of the same name")
    if any(each.offset % alignment for each in tensors):
        raise _BrokenError("has a tensor that begins where none can")
    needed = max((data_start + each.offset + (each.size or 0) for each in tensors), default=cursor.at)
    if needed > size:
        raise _BrokenError(f"is cut off: {size} bytes of {needed}")

    header = Header(version, metadata, lengths, numbers, frozenset(text_arrays), tensors, spans, data_start)
    kind_of_file = header.metadata.get("general.type", "model")
    if kind_of_file != wanted:
        raise _BrokenError(f"is no {wanted}: its type is {kind_of_file!r}")
    if not header.architecture or not tensor_count:
        raise _BrokenError("names no architecture" if tensor_count else "holds no tensors")
    if header.metadata.get("split.count", 1) not in (0, 1):
        raise _BrokenError("is one piece of a split model; merge the pieces into one file first")
    return header


def _tensor(cursor: _Cursor) -> Tensor:
    name = cursor.string()
    dimension_count = cursor.u32()
    if dimension_count > 4:
        raise _BrokenError(f"has a tensor of {dimension_count} dimensions")
    shape = tuple(cursor.u64() for _ in range(dimension_count))
    kind, offset = cursor.u32(), cursor.u64()
    if kind not in TYPES:
        return Tensor(name, shape, kind, offset, None)
    _, elements, block_bytes = TYPES[kind]
    if shape and shape[0] % elements:
        raise _BrokenError(f"has a tensor {name[:64]!r} whose rows are no whole blocks")
    return Tensor(name, shape, kind, offset, math.prod(shape) // elements * block_bytes)
