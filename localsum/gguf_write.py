"""Values of GGUF metadata as bytes, and the head of a file: what it takes to write one. Checks nothing.

A value is the number of its type and its bytes, as `Header.spans` of a file has them. Own code because the package
`gguf` takes 11 s to open Gemma's file, 0.2 s here, and wants a library for downloads.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

from localsum.gguf import Tensor

Value = str | int | float | bool | list[bytes] | list[int] | list[float]

_U32, _I32, _F32, _BOOL, _STRING, _ARRAY = 4, 5, 6, 7, 8, 9
_LETTERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}


def decode(value: bytes) -> Value:
    """A value of the metadata of a file that was read before. Strings of arrays stay bytes: they need not be UTF-8."""
    (kind,) = struct.unpack_from("<I", value)
    if kind == _STRING:
        return value[12:].decode("utf-8", "replace")
    if kind != _ARRAY:
        single: int | float | bool = struct.unpack_from(f"<{_LETTERS[kind]}", value, 4)[0]
        return single
    kind, count = struct.unpack_from("<IQ", value, 4)
    if kind != _STRING:
        return list(struct.unpack_from(f"<{count}{_LETTERS[kind]}", value, 16))
    strings, at = [], 16
    for _ in range(count):
        (length,) = struct.unpack_from("<Q", value, at)
        strings.append(value[at + 8 : at + 8 + length])
        at += 8 + length
    return strings


def encode(value: Value) -> bytes:
    """The opposite of `decode`: whole numbers as u32 (in lists i32), fractions as f32."""
    if isinstance(value, bool):
        return struct.pack("<I?", _BOOL, value)
    if isinstance(value, int):
        return struct.pack("<II", _U32, value)
    if isinstance(value, float):
        return struct.pack("<If", _F32, value)
    if isinstance(value, str):
        return struct.pack("<I", _STRING) + _string(value.encode())
    strings = [each for each in value if isinstance(each, bytes)]
    if strings:
        return struct.pack("<IIQ", _ARRAY, _STRING, len(strings)) + b"".join(map(_string, strings))
    kind = _F32 if value and isinstance(value[0], float) else _I32
    return struct.pack(f"<IIQ{len(value)}{_LETTERS[kind]}", _ARRAY, kind, len(value), *value)


def head(values: Mapping[str, bytes], tensors: Sequence[Tensor], alignment: int = 32) -> bytes:
    """All of a file up to its tensor data. The data of each tensor follows in order, filled up to `alignment`.

    What `tensors` say of their offsets is of no account; every one has a size.
    """
    data = bytearray(b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(values)))
    for key, value in values.items():
        data += _string(key.encode()) + value
    offset = 0
    for tensor in tensors:
        data += _string(tensor.name.encode())
        data += struct.pack(f"<I{len(tensor.shape)}QIQ", len(tensor.shape), *tensor.shape, tensor.kind, offset)
        offset += -(-(tensor.size or 0) // alignment) * alignment
    return bytes(data + bytes(-len(data) % alignment))


def _string(data: bytes) -> bytes:
    return struct.pack("<Q", len(data)) + data
