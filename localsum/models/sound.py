"""Whether the header of a GGUF file can be that of a model that writes: counts that fit each other, within reason.

gguf.py has checked that the container is whole. This looks at what llama.cpp takes on trust, and where it ends the
process if it is wrong. Tensor data are not looked at; what passes and still crashes is found by probe.py.
"""

from __future__ import annotations

import math
import re
from pathlib import Path

from localsum.errors import ModelError
from localsum.gguf import Header, read_header

_MOST_LAYERS, _MOST_HEADS, _WIDEST, _LONGEST = 512, 65_536, 1 << 20, 1 << 31
_MOST_TOKENS = 1 << 22
# Architectures of llama.cpp that read and do not write: they give vectors or sound, or fill in gaps.
_SILENT = re.compile(r".*bert.*|t5.*|clip|wavtokenizer.*|gemma-embedding|dream|llada.*", re.ASCII)
_BLOCK = re.compile(r"blk\.(\d{1,9})\.")


def check_file(path: Path) -> Header:
    """The header of a model file that can be used as far as its header tells. Raises ModelError."""
    header = read_header(path)
    reason = next(filter(None, (check(header) for check in (_kind, _shape, _floats, _vocabulary, _tensors))), None)
    if reason:
        raise ModelError(f"{str(path)!r} {reason}", "Get the file again, or use another model; all: localsum models")
    return header


def _kind(header: Header) -> str | None:
    name = header.architecture
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", name):
        return f"names an architecture that is none: {name[:64]!r}"
    if _SILENT.fullmatch(name):
        return f"holds a model that does not write: its architecture is {name}"
    return None


def _shape(header: Header) -> str | None:
    """Layers, heads, widths: each stated, above zero, within reason, and fitting each other."""
    limits = {
        "block_count": _MOST_LAYERS,
        "embedding_length": _WIDEST,
        "context_length": _LONGEST,
        "attention.head_count": _MOST_HEADS,
        "attention.head_count_kv": _MOST_HEADS,
        "attention.key_length": _WIDEST,
        "attention.value_length": _WIDEST,
        "feed_forward_length": _WIDEST,
    }
    for key, most in limits.items():
        stated = header.counts(key)
        is_there = f"{header.architecture}.{key}" in header.metadata.keys() | header.array_lengths.keys()
        if key in ("block_count", "embedding_length", "context_length") and len(stated) != 1:
            return f"does not say its {key}"
        if is_there and not stated:
            return f"has a {key} that is no number"
        # In a list of all layers, those without attention or without a feed-forward part say 0.
        least = 0 if f"{header.architecture}.{key}" in header.numbers else 1
        if not all(least <= value <= most for value in stated):
            return f"has a {key} out of all reason: {max(stated, key=abs)}"
    layers = header.counts("block_count")[0]
    for key in ("attention.head_count", "attention.head_count_kv", "feed_forward_length"):
        if len(header.counts(key)) not in (0, 1, layers):
            return f"has {len(header.counts(key))} values of {key} for {layers} layers"
    heads, kv_heads = header.counts("attention.head_count"), header.counts("attention.head_count_kv")
    if len(heads) == len(kv_heads) == 1 and heads[0] % kv_heads[0]:
        return f"has {heads[0]} heads for {kv_heads[0]} of keys and values"
    return None


def _floats(header: Header) -> str | None:
    for key, value in header.metadata.items():
        if isinstance(value, float) and not math.isfinite(value):
            return f"has a value of {key[:64]!r} that is no number"
    epsilon = [key for key in header.metadata if key.endswith("_epsilon")]
    if any(not 0 < float(header.metadata[key]) < 1 for key in epsilon):
        return "has a norm epsilon out of all reason"
    return None


def _vocabulary(header: Header) -> str | None:
    """As many tokens as embeddings; scores and types for each; special tokens among them."""
    count = header.array_lengths.get("tokenizer.ggml.tokens", 0)
    if not 1 < count <= _MOST_TOKENS or "tokenizer.ggml.tokens" not in header.text_arrays:
        return "has no vocabulary"
    if not header.text("tokenizer.ggml.model"):
        return "does not say of what kind its vocabulary is"
    for name in ("scores", "token_type"):
        if header.array_lengths.get(f"tokenizer.ggml.{name}", count) != count:
            return f"has {header.array_lengths[f'tokenizer.ggml.{name}']} {name} for {count} tokens"
    if "tokenizer.ggml.merges" in header.array_lengths.keys() - header.text_arrays:
        return "has merges that are no text"
    for key, value in header.metadata.items():
        is_id = key.startswith("tokenizer.ggml.") and key.endswith("_token_id")
        # -1, as an unsigned number too, means that there is none.
        if is_id and not (isinstance(value, int) and (0 <= value < count or value in (-1, 0xFFFFFFFF))):
            return f"has a {key.removeprefix('tokenizer.ggml.')[:64]} outside of its {count} tokens"
    rows = next((each.shape for each in header.tensors if each.name == "token_embd.weight"), None)
    if rows is None or len(rows) != 2:
        return "has no embeddings of its tokens"
    if rows != (header.counts("embedding_length")[0], count):
        return f"has embeddings of {rows[1]} tokens, {rows[0]} values each, and a vocabulary of {count}"
    return None


def _tensors(header: Header) -> str | None:
    """Each layer has tensors, no tensor is of a layer that there is not, none is empty."""
    layers = header.counts("block_count")[0]
    found = {int(match[1]) for each in header.tensors if (match := _BLOCK.match(each.name))}
    if found and max(found) >= layers:
        return f"has tensors of layer {max(found)}, and {layers} layers"
    if missing := set(range(layers)) - found:
        return f"lacks the tensors of layer {min(missing)}"
    if empty := next((each.name for each in header.tensors if 0 in each.shape), None):
        return f"has a tensor that is empty: {empty[:64]!r}"
    return None
