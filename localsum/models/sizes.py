"""What the header of a model file says about its size in memory. Knows no machine and reads no tensor."""

from __future__ import annotations

from localsum.gguf import TYPES, Header

# Beside weights and cache: llama.cpp's buffers for a batch of 512 and rows of logits, numpy, Python.
_BESIDE = 200_000_000


def cell_bytes(header: Header) -> int:
    """Of one token in the KV cache, all layers, in f16: the most it can be; 0 if the header does not say.

    Layers with a sliding window keep fewer tokens than the context has, so their part is less in fact.
    """
    layers = max(header.counts("block_count"), default=0)
    heads = max(header.counts("attention.head_count"), default=0)
    width = max(header.counts("embedding_length"), default=0) // max(1, heads)
    kv_heads = header.counts("attention.head_count_kv") or header.counts("attention.head_count")
    each = sum(max(header.counts(f"attention.{name}_length"), default=width) for name in ("key", "value"))
    return (sum(kv_heads) if len(kv_heads) > 1 else layers * sum(kv_heads)) * each * 2


def memory_bytes(header: Header, file_bytes: int, context: int) -> int:
    """To plan with for the file and a full f16 cache of `context` tokens."""
    return file_bytes + context * cell_bytes(header) + _BESIDE


def tensor_types(header: Header) -> dict[str, tuple[int, int]]:
    """Name of a tensor type -> (tensors, bytes), the most bytes first. Bytes are 0 for types that are not known."""
    found: dict[str, tuple[int, int]] = {}
    for tensor in header.tensors:
        name = TYPES[tensor.kind][0] if tensor.kind in TYPES else f"type {tensor.kind}"
        count, size = found.get(name, (0, 0))
        found[name] = (count + 1, size + (tensor.size or 0))
    return dict(sorted(found.items(), key=lambda item: -item[1][1]))
