"""Small GGUF files for tests: whole ones, and whatever is wrong with them."""

import struct


def string(text: str | bytes) -> bytes:
    data = text.encode() if isinstance(text, str) else text
    return struct.pack("<Q", len(data)) + data


def pair(key: str, kind: int, value: bytes) -> bytes:
    return string(key) + struct.pack("<I", kind) + value


def text(key: str, value: str) -> bytes:
    return pair(key, 8, string(value))


def number(key: str, value: int) -> bytes:
    return pair(key, 4, struct.pack("<I", value))


ARCHITECTURE = text("general.architecture", "toy")
TOKENS = pair("tokenizer.ggml.tokens", 9, struct.pack("<IQ", 8, 3) + string("a") + string("") + string("été"))
CHAT = text("tokenizer.chat_template", "{{ messages }}")
PAIRS = [
    ARCHITECTURE,
    number("toy.context_length", 2048),
    TOKENS,
    pair("tokenizer.ggml.scores", 9, struct.pack("<IQ3f", 6, 3, 1, 2, 3)),
    CHAT,
    pair("toy.flag", 7, b"\1"),
]


def make_gguf(pairs=PAIRS, tensors=((0, (4, 2), 0), (2, (64,), 32)), *, version=3, data=68, counts=None) -> bytes:
    """A small GGUF file: by default a 4x2 F32 tensor and one of two Q4_0 blocks, so 32 + 36 bytes of data."""
    head = b"GGUF" + struct.pack("<IQQ", version, *(counts or (len(tensors), len(pairs)))) + b"".join(pairs)
    for kind, shape, offset in tensors:
        head += string("t") + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)
    return head + bytes(-len(head) % 32 + data)
