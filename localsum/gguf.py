"""Reads the header of a GGUF file and checks that the file is whole, before llama.cpp maps it; writes such files.

llama.cpp is C++ and trusts much of what a file says; a file from anywhere is looked at here first, in bounded time and
memory. Knows the container format (versions 2 and 3, little endian), not what a model or its tensors mean.
"""

from __future__ import annotations

import math
import mmap
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from localsum.errors import ModelError

# Gemma 3's header, with its 262k tokens, is 6.5 MB. Nothing past this many bytes is looked at, which bounds every
# string and array as well, and the time: a header of 64 MB that is one array of empty strings takes 1.2 s.
MAX_HEADER_BYTES = 64 * 1024 * 1024
MAX_KEYS = 65_536
MAX_TENSORS = 65_536

_STRING, _ARRAY = 8, 9
_U64 = struct.Struct("<Q")
_LETTERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_SCALARS = {code: struct.Struct("<" + letter) for code, letter in _LETTERS.items()}
# ggml tensor type -> (elements in a block, bytes of a block); a type not listed here has its offset checked alone.
BLOCKS = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 36),
    10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292),
    16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82),
    23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2),
    34: (256, 54), 35: (256, 66), 39: (32, 17), 40: (64, 36), 41: (128, 18), 42: (64, 18),
}  # fmt: skip
Value = str | int | float | bool | list[bytes] | list[float]  # a whole number is written as u32, a fraction as f32


@dataclass(frozen=True)
class Header:
    """What a GGUF file says of itself. `metadata` holds single values; of arrays only the lengths are kept."""

    version: int
    metadata: dict[str, str | int | float | bool]
    array_lengths: dict[str, int]
    tensor_count: int

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

    @property
    def chat_template(self) -> str | None:
        """Jinja source, from outside: render it in a sandbox only. None for base models."""
        return self.text("tokenizer.chat_template")


@dataclass(frozen=True)
class Tensor:
    """A tensor: its rows have `shape[0]` elements; `start` is where its data begins in the file; ggml's `kind`."""

    name: str
    shape: tuple[int, ...]
    kind: int
    start: int

    @property
    def row_bytes(self) -> int:
        elements, block_bytes = BLOCKS[self.kind]
        return self.shape[0] // elements * block_bytes

    @property
    def bytes(self) -> int:
        return self.row_bytes * math.prod(self.shape[1:])


@dataclass(frozen=True)
class Layout:
    """Where everything of a file is: `spans` has the place (start, end) of each key's value, its type in front."""

    header: Header
    spans: dict[str, tuple[int, int]]
    tensors: tuple[Tensor, ...]


class _BrokenError(Exception):
    """Inside this file: the reason a file cannot be used."""


def read_header(path: Path) -> Header:
    """The header of a whole, plain GGUF model file. Raises ModelError for anything else; reads no tensor data."""
    return read_layout(path).header


def read_layout(path: Path) -> Layout:
    """The header and the places of all that the file holds; as `read_header`, and no other files are accepted."""
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
                return _parse(_Cursor(data), size)
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

    def skip_array(self) -> int:
        """Moves past an array, returns its length. Strings are hopped over, none is made: 262k of them take 20 ms."""
        kind, count = self.u32(), self.u64()
        if kind in _SCALARS:
            self.skip(count * _SCALARS[kind].size)
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
        return count


def _parse(cursor: _Cursor, size: int) -> Layout:
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
    spans: dict[str, tuple[int, int]] = {}
    for _ in range(key_count):
        key, start, kind = cursor.string(), cursor.at, cursor.u32()
        if key in spans:
            raise _BrokenError("has the same metadata key twice")
        if kind == _ARRAY:
            lengths[key] = cursor.skip_array()
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
    entries = [_tensor(cursor) for _ in range(tensor_count)]
    data_start = -(-cursor.at // alignment) * alignment
    tensors = tuple(replace(entry, start=data_start + entry.start) for entry in entries)
    ends = [tensor.start + (tensor.bytes if tensor.kind in BLOCKS else 0) for tensor in tensors]
    needed = max(ends) if ends else cursor.at
    if needed > size:
        raise _BrokenError(f"is cut off: {size} bytes of {needed}")

    header = Header(version, metadata, lengths, tensor_count)
    kind_of_file = header.metadata.get("general.type", "model")
    if kind_of_file != "model":
        raise _BrokenError(f"is not a model: its type is {kind_of_file!r}")
    if not header.architecture or not tensor_count:
        raise _BrokenError("names no architecture" if tensor_count else "holds no tensors")
    if header.metadata.get("split.count", 1) not in (0, 1):
        raise _BrokenError("is one piece of a split model; merge the pieces into one file first")
    return Layout(header, spans, tensors)


def _tensor(cursor: _Cursor) -> Tensor:
    """Reads one tensor's entry; `start` still counts from the beginning of all tensor data."""
    name = cursor.string()
    dimension_count = cursor.u32()
    if dimension_count > 4:
        raise _BrokenError(f"has a tensor of {dimension_count} dimensions")
    shape = tuple(cursor.u64() for _ in range(dimension_count)) or (1,)
    kind, offset = cursor.u32(), cursor.u64()
    if kind in BLOCKS and shape[0] % BLOCKS[kind][0]:
        raise _BrokenError(f"has a tensor {name[:64]!r} whose rows are no whole blocks")
    return Tensor(name, shape, kind, offset)


# Values, from and to bytes; the type is in front, as in `Layout.spans`.


def decode(value: bytes) -> Value:
    """A value of the metadata: strings of arrays as bytes, for they need not be UTF-8."""
    (kind,) = _SCALARS[4].unpack_from(value)
    if kind == _STRING:
        return value[12:].decode("utf-8", "replace")
    if kind != _ARRAY:
        single: int | float | bool = _SCALARS[kind].unpack_from(value, 4)[0]
        return single
    kind, count = struct.unpack_from("<IQ", value, 4)
    if kind != _STRING:
        return list(struct.unpack_from(f"<{count}{_LETTERS[kind]}", value, 16))
    strings, at = [], 16
    for _ in range(count):
        (length,) = _U64.unpack_from(value, at)
        strings.append(value[at + 8 : at + 8 + length])
        at += 8 + length
    return strings


def encode(value: Value) -> bytes:
    """The opposite of `decode`. Lists of whole numbers become i32, of fractions f32."""
    if isinstance(value, bool):
        return struct.pack("<I?", 7, value)
    if isinstance(value, int):
        return struct.pack("<II", 4, value)
    if isinstance(value, float):
        return struct.pack("<If", 6, value)
    if isinstance(value, str):
        return struct.pack("<I", _STRING) + _string(value.encode())
    if value and isinstance(value[0], bytes):
        return struct.pack("<IIQ", _ARRAY, _STRING, len(value)) + b"".join(map(_string, value))  # type: ignore[arg-type]
    kind = 6 if value and isinstance(value[0], float) else 5
    return struct.pack(f"<IIQ{len(value)}{_LETTERS[kind]}", _ARRAY, kind, len(value), *value)


def _string(data: bytes) -> bytes:
    return _U64.pack(len(data)) + data


def head(metadata: Mapping[str, bytes], tensors: Sequence[Tensor], alignment: int = 32) -> bytes:
    """All of a file up to its tensor data; each tensor's data then follows, filled up to `alignment`."""
    data = bytearray(b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata)))
    for key, value in metadata.items():
        data += _string(key.encode()) + value
    offset = 0
    for tensor in tensors:
        data += _string(tensor.name.encode())
        data += struct.pack(f"<I{len(tensor.shape)}QIQ", len(tensor.shape), *tensor.shape, tensor.kind, offset)
        offset += -(-tensor.bytes // alignment) * alignment
    return bytes(data + bytes(-len(data) % alignment))
