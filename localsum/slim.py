"""Writes a model file with a smaller vocabulary: a small model spends most of a step on tokens it will never write.

The rows of the kept tokens are copied bit for bit, and the tokenizer keeps every merge by which they are built. So
text made of kept tokens is split as before and has the same logits; all other text is split into smaller kept tokens,
at worst into bytes. Knows vocabularies and GGUF files; not where models are, and not what llama.cpp does with the file.

Two kinds of vocabulary: merges by score ("llama", SentencePiece, as Gemma has it), and a list of merges ("gpt2",
"gemma4": byte-level or with byte tokens, as Qwen and SmolLM2 have them).
"""

from __future__ import annotations

import mmap
import os
import re
import tempfile
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from localsum.errors import ModelError
from localsum.gguf import Header, Tensor, read_header
from localsum.gguf_write import decode, encode, head
from localsum.resources import resource

_NORMAL, _UNKNOWN, _CONTROL, _USER, _UNUSED, _BYTE = range(1, 7)  # llama.cpp's types of tokens
_KEY = "tokenizer.ggml."
# The tensors with one row a token. A tensor of that height under another name is not cut but refused.
_TABLES = ("token_embd.weight", "output.weight", "output.bias", "per_layer_token_embd.weight")
_SPACE = "▁"  # what SentencePiece writes for a space
_PLACEHOLDER = re.compile(rb"<unused\d+>|\[PAD\d+\]|<\|?reserved_special_token_\d+\|?>|<\|reserved_\d+\|>")
_COPY_BYTES = 1 << 20
_ROUND = 64

# The letters of a language beyond ASCII, as far as its news holds them.
_MARKS = "‘’“”–—…•·€£©®™°²³½×−→"
LANGUAGES = {
    "en": "English: ASCII, typographic marks and the accents of borrowed words",
    "latin": "every language in Latin letters",
}


@dataclass(frozen=True)
class Vocabulary:
    """The tokens of a model file, by id. `merges` are pairs in order of rank; None where scores decide."""

    kind: str
    tokens: list[bytes]
    types: list[int]
    scores: list[float] | None
    merges: list[tuple[bytes, bytes]] | None
    named: frozenset[int]  # ids that the metadata speaks of: begin and end of text and the like

    def __len__(self) -> int:
        return len(self.tokens)


@dataclass(frozen=True)
class Source:
    """A model file to be slimmed. `values` are the values of its metadata, types in front."""

    path: Path
    header: Header
    values: dict[str, bytes]
    vocabulary: Vocabulary


def read_source(path: Path) -> Source:
    """Raises ModelError for a file that cannot be slimmed, and says why."""
    header = read_header(path)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        values = {key: data[start:end] for key, (start, end) in header.spans.items()}
    kind = header.text(_KEY + "model") or ""
    if kind not in ("llama", "gpt2", "gemma4"):
        raise _refused(path, f"its tokenizer is of the kind {kind!r}, not SentencePiece or byte-level BPE")
    arrays = header.array_lengths
    size = arrays.get(_KEY + "tokens", 0)
    parts = ["token_type"] + (["scores"] if kind == "llama" else [])
    if (
        not size
        or any(arrays.get(_KEY + part) != size for part in parts)
        or (kind != "llama" and not arrays.get(_KEY + "merges"))
    ):
        raise _refused(path, "its vocabulary is not complete")
    if "localsum.slim.source_sha256" in values:
        raise _refused(path, "it is slim already")
    for tensor in header.tensors:
        if tensor.size is None:
            raise _refused(path, f"the type {tensor.kind} of its tensor {tensor.name[:64]!r} is not known")
        if size in tensor.shape and (tensor.name not in _TABLES or tensor.shape[-1] != size):
            raise _refused(path, f"its tensor {tensor.name[:64]!r} is not known to hold one row for each token")
    merges = None
    if kind != "llama":
        merges = [_pair(merge) for merge in _list(values, "merges")]
    vocabulary = Vocabulary(
        kind,
        _list(values, "tokens"),
        _list(values, "token_type"),
        _list(values, "scores") if kind == "llama" else None,
        merges,
        frozenset(token for key in values for token in _ids(key, values[key]) if 0 <= token < size),
    )
    return Source(path, header, values, vocabulary)


def _refused(path: Path, why: str) -> ModelError:
    return ModelError(f"{path.name} cannot be slimmed: {why}.", "Take another model; all: localsum models")


def _list(values: dict[str, bytes], name: str) -> Any:  # noqa: ANN401  (a list, whose type the name decides)
    return decode(values[_KEY + name])


def _pair(merge: bytes) -> tuple[bytes, bytes]:
    at = merge.index(b" ", 1)  # a merge may begin with the space itself, as llama.cpp reads it
    return merge[:at], merge[at + 1 :]


def _renumber(value: bytes, place: Mapping[int, int]) -> bytes:
    """A value with ids of tokens, as ids among the kept ones, of the same type. What is no token's id stays."""
    found = decode(value)
    if not isinstance(found, list):
        new_id = place.get(int(found))
        return value if new_id is None else value[:4] + new_id.to_bytes(len(value) - 4, "little")
    width = (len(value) - 16) // max(1, len(found))
    new = [place[int(each)] for each in found if int(each) in place]
    return value[:8] + len(new).to_bytes(8, "little") + b"".join(each.to_bytes(width, "little") for each in new)


def _is_id(key: str) -> bool:
    """Whether a key of the metadata holds one token's id, or several."""
    return key.startswith(_KEY) and key.endswith(("_token_id", "_token_ids", ".suppress_tokens"))


def _ids(key: str, value: bytes) -> list[int]:
    if not _is_id(key):
        return []
    found = decode(value)
    return [int(one) for one in found] if isinstance(found, list) else [int(found)]


# What builds a token


def builder(vocabulary: Vocabulary) -> Callable[[int], list[int] | None]:
    """A function that gives the ids of everything a token is built from, itself included; None if nothing builds it.

    It merges the token's letters as llama.cpp would: the pair with the best score, or of the lowest rank, first, the
    left one of equals. What becomes of a text's part does not depend on what is around it as long as no merge crosses
    its borders, so whoever keeps these ids keeps the token in every text that had it.
    """
    ids = {token: number for number, token in enumerate(vocabulary.tokens)}
    scores = vocabulary.scores
    ranks = {pair: rank for rank, pair in reversed(list(enumerate(vocabulary.merges or ())))}

    def cost(left: bytes, right: bytes) -> float | None:
        if scores is None:
            return ranks.get((left, right))
        found = ids.get(left + right)
        return None if found is None else -scores[found]

    def path(token: int) -> list[int] | None:
        text = vocabulary.tokens[token].decode("utf-8", "surrogateescape")
        parts = [letter.encode("utf-8", "surrogateescape") for letter in text]
        passed = [ids.get(part) for part in parts]
        while len(parts) > 1:
            costs = [
                (found, at) for at in range(len(parts) - 1) if (found := cost(parts[at], parts[at + 1])) is not None
            ]
            if not costs:
                return None
            _, at = min(costs)
            parts[at : at + 2] = [parts[at] + parts[at + 1]]
            passed.append(ids.get(parts[at]))
        # A letter that is no token comes from bytes, and a merge of such letters may be one all the same.
        return [found for found in passed if found is not None]

    return path


# What is kept


def always(vocabulary: Vocabulary) -> list[int]:
    """Tokens of every slim vocabulary: bytes, control tokens, those the metadata names; no mere placeholders."""
    return [
        number
        for number, (token, kind) in enumerate(zip(vocabulary.tokens, vocabulary.types, strict=True))
        if number in vocabulary.named
        or (kind in (_UNKNOWN, _CONTROL, _USER) and not _PLACEHOLDER.fullmatch(token))
        or kind == _BYTE
        # The alphabet of byte-level BPE: a letter for each byte.
        or (vocabulary.kind == "gpt2" and kind == _NORMAL and len(token.decode("utf-8", "replace")) == 1)
    ]


def written(vocabulary: Vocabulary, token: int) -> str | None:
    """The text of a plain token; None if it is not plain, or no whole text."""
    if vocabulary.types[token] != _NORMAL:
        return None
    try:
        text = vocabulary.tokens[token].decode("utf-8")
        if vocabulary.kind == "gpt2":
            return bytes(_BYTE_OF[letter] for letter in text).decode("utf-8")
    except (UnicodeDecodeError, KeyError):
        return None
    return text.replace(_SPACE, " ")


def _byte_letters() -> dict[str, int]:
    """GPT-2's alphabet: a printable letter for each byte."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    return {chr(byte): byte for byte in plain} | {chr(256 + place): byte for place, byte in enumerate(others)}


_BYTE_OF = _byte_letters()


def is_of(language: str, text: str) -> bool:
    """Whether a token's text can be a part of texts of the language. A lone sign that is no letter can: an emoji."""
    if len(text) == 1 and unicodedata.category(text)[0] in "SPN":
        return True
    if language == "en":
        return all(letter < "\x7f" or letter in _MARKS or "à" <= letter <= "ü" or letter == "É" for letter in text)
    return all(letter < "\u0250" or "\u2000" <= letter < "\u2070" or letter in _MARKS for letter in text)


def is_letter(text: str) -> bool:
    """Whether it is a single letter or mark that every text may need: those of Latin scripts."""
    return len(text) == 1 and (text < "\u0250" or text in _MARKS)


def ranking(vocabulary: Vocabulary, language: str, pieces: Sequence[str]) -> list[int]:
    """The plain tokens of a language, the most useful first.

    Two orders are multiplied: `pieces`, pieces of text by how often they are wanted (models/pieces-en.txt), and the
    order in which the vocabulary was made, often needed first. Single letters come before all.
    """
    made = {left + right: rank for rank, (left, right) in reversed(list(enumerate(vocabulary.merges or ())))}
    plain = []
    for token in range(len(vocabulary)):
        text = written(vocabulary, token)
        if text is not None and is_of(language, text):
            if vocabulary.scores is not None:
                rank: float = -vocabulary.scores[token]
            else:
                rank = made.get(vocabulary.tokens[token], len(made))
            plain.append((not is_letter(text), rank, token, text))
    plain.sort()
    place = {piece: number for number, piece in enumerate(pieces)}
    unknown = 2 * len(pieces)  # twice as far as the last: measured (DECISIONS.md)
    keys = [
        (is_late, (place.get(text, unknown) + 1000) * (number + 1000), token)
        for number, (is_late, _, token, text) in enumerate(plain)
    ]
    return [token for *_, token in sorted(keys)]


def choose_for(vocabulary: Vocabulary, language: str, keep: int) -> list[int]:
    """The ids of `keep` tokens for texts in a language, ascending; see `choose`."""
    path = resource(f"models/pieces-{language}.txt")
    pieces = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return choose(vocabulary, ranking(vocabulary, language, pieces), keep)


def choose(vocabulary: Vocabulary, order: Sequence[int], keep: int) -> list[int]:
    """The ids of at most `keep` tokens: those always kept, then tokens in `order` with all that builds them.

    Tokens that nothing builds are left out. The number is a multiple of 64, which fast matrix kernels need, if there
    are enough; it is larger than `keep` only if more tokens than that have to be kept.
    """
    build = builder(vocabulary)
    needed = set(always(vocabulary))
    most = max(keep // _ROUND * _ROUND, -(-len(needed) // _ROUND) * _ROUND)
    while True:
        kept = set(needed)
        for token in order:
            if len(kept) >= most:
                break
            path = build(token) if token not in kept else None
            if path and len(kept) + len(new := set(path) - kept) <= most:
                kept |= new
        if len(kept) in (most, len(needed)):
            return sorted(kept)
        most = len(kept) // _ROUND * _ROUND  # there were not enough for all; fewer can be a round number


# Writing


@dataclass(frozen=True)
class Slim:
    """What was written."""

    tokens: int
    of_tokens: int
    bytes: int
    of_bytes: int


def write_slim(source: Source, target: Path, kept: Sequence[int], notes: Mapping[str, str | int]) -> Slim:
    """Writes the model with the tokens `kept` (ids, ascending) to `target`, which appears whole or not at all.

    `notes` are put into the metadata under `localsum.slim.`. Raises OSError.
    """
    vocabulary, header = source.vocabulary, source.header
    notes = {
        **notes,
        "tokens": len(kept),
        "of_tokens": len(vocabulary),
        "notice": _notice(header, len(vocabulary), len(kept)),
    }
    values = _values(source, kept) | {f"localsum.slim.{key}": encode(value) for key, value in notes.items()}
    if (called := header.text("general.name")) is not None:
        values["general.name"] = encode(f"{called} (slim, {len(kept)} tokens)")
    size = len(vocabulary)
    tensors = [_cut(tensor, len(kept)) if tensor.shape[-1:] == (size,) else tensor for tensor in header.tensors]
    alignment = int(header.metadata.get("general.alignment", 32))
    handle, name = tempfile.mkstemp(prefix=f"{target.name}.", suffix=".part", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as out, source.path.open("rb") as file:
            out.write(head(values, tensors, alignment))
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                for old, new in zip(header.tensors, tensors, strict=True):
                    begin = header.data_start + old.offset
                    for start, end in _runs(old, kept) if old != new else [(0, _size(old))]:
                        for at in range(begin + start, begin + end, _COPY_BYTES):
                            out.write(data[at : min(at + _COPY_BYTES, begin + end)])
                    out.write(bytes(-_size(new) % alignment))
            out.flush()
            os.fsync(out.fileno())
        os.replace(name, target)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(name)
    return Slim(len(kept), size, target.stat().st_size, source.path.stat().st_size)


def _notice(header: Header, before: int, after: int) -> str:
    """What licences want of a changed file: that it says so."""
    changed = f"Modified by localsum: vocabulary cut from {before} to {after} tokens; all other weights are unchanged."
    if not header.architecture.startswith("gemma") or header.text("general.license") == "apache-2.0":  # Gemma 4
        return f"{changed} The licence is that of the original file."
    return (
        f"{changed} Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms; "
        "use is further subject to the Gemma Prohibited Use Policy at ai.google.dev/gemma/prohibited_use_policy."
    )


def _size(tensor: Tensor) -> int:
    assert tensor.size is not None  # `read_source` refuses what is not known
    return tensor.size


def _cut(tensor: Tensor, rows: int) -> Tensor:
    return replace(tensor, shape=(*tensor.shape[:-1], rows), size=_size(tensor) // tensor.shape[-1] * rows)


def _runs(tensor: Tensor, kept: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Where the rows of the kept tokens are in a tensor's data, neighbours in one piece."""
    row = _size(tensor) // tensor.shape[-1]
    first = last = kept[0]
    for token in kept[1:]:
        if token != last + 1:
            yield first * row, (last + 1) * row
            first = token
        last = token
    yield first * row, (last + 1) * row


def _values(source: Source, kept: Sequence[int]) -> dict[str, bytes]:
    """The metadata for the kept tokens; what has nothing to do with the vocabulary stays as it is, bit for bit."""
    vocabulary, values = source.vocabulary, dict(source.values)
    values.pop("tokenizer.huggingface.json", None)  # would name tokens that are gone
    for name in ("tokens", "token_type", "scores"):
        if _KEY + name in values:
            column = _list(source.values, name)
            values[_KEY + name] = encode([column[token] for token in kept])
    if vocabulary.merges is not None:
        gone = set(vocabulary.tokens) - {vocabulary.tokens[token] for token in kept}
        values[_KEY + "merges"] = encode(
            [left + b" " + right for left, right in vocabulary.merges if gone.isdisjoint((left, right, left + right))]
        )
    place = {token: number for number, token in enumerate(kept)}
    for key, value in source.values.items():
        if _is_id(key):
            values[key] = _renumber(value, place)
    size = f"{source.header.architecture}.vocab_size"
    if size in values:
        values[size] = encode(len(kept))
    return values
