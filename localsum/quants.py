"""Numbers as GGUF files pack them in blocks, each with a scale: unpacked, and packed again as Q8_0.

All arithmetic is done number by number, so that every computer gets the same bits. Knows no files.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from localsum.gguf import TYPES, Tensor

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]


def pack(rows: Floats) -> bytes:
    """Q8_0: of each 32 numbers a scale of 16 bits and 8 bits each."""
    blocks = rows.reshape(-1, 32)
    scale = np.abs(blocks).max(axis=1, keepdims=True) / np.float32(127)
    inverse = np.divide(np.float32(1), scale, out=np.zeros_like(scale), where=scale != 0)
    out = np.empty((len(blocks), 34), np.uint8)
    out[:, :2] = scale.astype(np.float16).view(np.uint8)
    out[:, 2:] = np.rint(blocks * inverse).astype(np.int8).view(np.uint8)
    return out.tobytes()


def unpack(raw: bytes, tensor: Tensor) -> Floats:
    """The numbers of a matrix of one of the KINDS, from its bytes. Shape (rows, width)."""
    _, _, size = TYPES[tensor.kind]
    blocks = np.frombuffer(raw, np.uint8).reshape(-1, size)
    width, height = tensor.shape
    return KINDS[tensor.kind](blocks).reshape(height, width)


def _halves(blocks: Bytes, start: int) -> Floats:
    """A number of 16 bits of each block. Shape (blocks, 1)."""
    return np.ascontiguousarray(blocks[:, start : start + 2]).view(np.float16).astype(np.float32)


def _q8_0(blocks: Bytes) -> Floats:
    numbers: Floats = np.ascontiguousarray(blocks[:, 2:]).view(np.int8).astype(np.float32)
    return _halves(blocks, 0) * numbers


def _fours(blocks: Bytes) -> Bytes:
    """The lower four bits of all bytes, then the upper ones."""
    return np.concatenate([blocks & 15, blocks >> 4], axis=1)


def _fives(blocks: Bytes) -> Bytes:
    """The same with a fifth bit each, which four bytes in front hold."""
    high = np.unpackbits(np.ascontiguousarray(blocks[:, :4]), axis=1, bitorder="little")
    fives: Bytes = _fours(blocks[:, 4:]) | high << np.uint8(4)
    return fives


def _q4_1(blocks: Bytes) -> Floats:
    return _halves(blocks, 0) * _fours(blocks[:, 4:]).astype(np.float32) + _halves(blocks, 2)


def _q5_0(blocks: Bytes) -> Floats:
    return _halves(blocks, 0) * (_fives(blocks[:, 2:]).astype(np.float32) - np.float32(16))


def _q5_1(blocks: Bytes) -> Floats:
    return _halves(blocks, 0) * _fives(blocks[:, 4:]).astype(np.float32) + _halves(blocks, 2)


def _q4_k(blocks: Bytes) -> Floats:
    """256 numbers in eight parts, each with a scale and a least value of 6 bits."""
    packed = blocks[:, 4:16]
    first, second, third = packed[:, :4], packed[:, 4:8], packed[:, 8:]
    scales = np.concatenate([first & 63, third & 15 | (first >> 6) << 4], axis=1).astype(np.float32)
    least = np.concatenate([second & 63, third >> 4 | (second >> 6) << 4], axis=1).astype(np.float32)
    fours = blocks[:, 16:].reshape(-1, 4, 1, 32)
    numbers = np.concatenate([fours & 15, fours >> 4], axis=2).reshape(-1, 8, 32).astype(np.float32)
    scaled = (_halves(blocks, 0) * scales)[:, :, None] * numbers
    return (scaled - (_halves(blocks, 2) * least)[:, :, None]).reshape(-1, 256)


def _q6_k(blocks: Bytes) -> Floats:
    """256 numbers in 16 parts, each with a scale of 8 bits; four bits of a number lie apart from the other two."""
    low = blocks[:, :128].reshape(-1, 2, 1, 64)
    low = np.concatenate([low & 15, low >> 4], axis=2).reshape(-1, 2, 4, 32)
    high = blocks[:, 128:192].reshape(-1, 2, 1, 32)
    high = np.concatenate([high >> shift & 3 for shift in (0, 2, 4, 6)], axis=2)
    numbers = (low | high << 4).reshape(-1, 16, 16).astype(np.float32) - np.float32(32)
    scales = np.ascontiguousarray(blocks[:, 192:208]).view(np.int8).astype(np.float32)
    return ((_halves(blocks, 208) * scales)[:, :, None] * numbers).reshape(-1, 256)


KINDS: dict[int, Callable[[Bytes], Floats]] = {3: _q4_1, 6: _q5_0, 7: _q5_1, 8: _q8_0, 12: _q4_k, 14: _q6_k}
