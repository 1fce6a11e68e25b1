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
CHAT = text("tokenizer.chat_template", "{{ messages }}")
# Of a model that could be one: a layer, 32 values wide, and three tokens.
METADATA = {
    "general.architecture": ARCHITECTURE,
    "toy.context_length": number("toy.context_length", 2048),
    "toy.block_count": number("toy.block_count", 1),
    "toy.embedding_length": number("toy.embedding_length", 32),
    "toy.attention.head_count": number("toy.attention.head_count", 2),
    "toy.attention.head_count_kv": number("toy.attention.head_count_kv", 1),
    "tokenizer.ggml.model": text("tokenizer.ggml.model", "llama"),
    "tokenizer.ggml.tokens": pair(
        "tokenizer.ggml.tokens", 9, struct.pack("<IQ", 8, 3) + string("a") + string("") + string("été")
    ),
    "tokenizer.ggml.scores": pair("tokenizer.ggml.scores", 9, struct.pack("<IQ3f", 6, 3, 1, 2, 3)),
    "tokenizer.chat_template": CHAT,
    "toy.flag": pair("toy.flag", 7, b"\1"),
}
PAIRS = list(METADATA.values())
TENSORS = ((0, (32, 3), 0), (2, (64,), 384))
NAMES = ("token_embd.weight", "blk.0.attn_q.weight")


def make_gguf(pairs=PAIRS, tensors=TENSORS, *, version=3, data=420, counts=None, names=NAMES) -> bytes:
    """A small GGUF file: by default embeddings in F32 and a layer of two Q4_0 blocks, so 384 + 36 bytes of data."""
    head = b"GGUF" + struct.pack("<IQQ", version, *(counts or (len(tensors), len(pairs)))) + b"".join(pairs)
    for index, (kind, shape, offset) in enumerate(tensors):
        name = names[index] if index < len(names) else f"t{index}"
        head += string(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)
    return head + bytes(-len(head) % 32 + data)


def changed(**changes: bytes | None) -> bytes:
    """The same model with other metadata: keys with `__` for each dot; None leaves one out."""
    other = {name.replace("__", "."): value for name, value in changes.items()}
    return make_gguf([value for value in (METADATA | other).values() if value is not None])
