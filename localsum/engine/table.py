"""The token table: the bytes of every token of a vocabulary, and llguidance's view of them.

Takes the library and the vocabulary that are handed in, and calls them without the checks of the bindings: 262,144
tokens several times over. Knows nothing of grammars, batches or the shortlist.
"""

from __future__ import annotations

import ctypes
from typing import NamedTuple

import numpy as np
from llguidance import LLTokenizer


class Table(NamedTuple):
    """`pieces` are the bytes of each token, none of control tokens; `ends` those that end a turn or a text."""

    pieces: list[bytes]
    ends: frozenset[int]
    tokenizer: LLTokenizer


def token_table(library: ctypes.CDLL, vocab: int, size: int) -> Table:
    """Of the vocabulary at an address, with so many tokens. Control tokens are marked for llguidance so that no text of
    a grammar can produce them.
    """
    ends = frozenset(np.flatnonzero(_flags(library, "llama_vocab_is_eog", vocab, size)).tolist())
    named = named_pieces(library, vocab, size)
    control = _flags(library, "llama_vocab_is_control", vocab, size)
    tokenizer: LLTokenizer = LLTokenizer.from_llamacpp(  # type: ignore[attr-defined]
        tokens=[
            b"\xff" + piece
            if is_control or (piece.startswith(b"<") and piece.endswith(b">") and len(piece) > 3)
            else piece
            for piece, is_control in zip(named, control, strict=True)
        ],
        vocab_ptr=vocab,
        tokenize_fptr=_address(library, "llama_tokenize"),
        eos_token=sorted(ends),
        slices=[],  # masks are rare here (the argmax is asked first), and slices double the time to build
    )
    pieces = [b"" if is_control else piece for piece, is_control in zip(named, control, strict=True)]
    return Table(pieces, ends, tokenizer)


def named_pieces(library: ctypes.CDLL, vocab: int, size: int) -> list[bytes]:
    """The bytes of each token, names of control tokens included."""
    kinds = (ctypes.c_void_p, ctypes.c_int32, ctypes.c_char_p, ctypes.c_int32, ctypes.c_int32, ctypes.c_bool)
    call = ctypes.CFUNCTYPE(ctypes.c_int32, *kinds)(_address(library, "llama_token_to_piece"))
    buffer = ctypes.create_string_buffer(4096)
    pieces = []
    for token in range(size):
        length = call(vocab, token, buffer, 4096, 0, True)
        pieces.append(ctypes.string_at(buffer, length) if length > 0 else b"")
    return pieces


def _flags(library: ctypes.CDLL, function: str, vocab: int, size: int) -> list[bool]:
    """`function(vocab, token)` for every token: 0.07 s for 262,144."""
    call = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p, ctypes.c_int32)(_address(library, function))
    return [call(vocab, token) for token in range(size)]


def _address(library: ctypes.CDLL, function: str) -> int:
    return ctypes.cast(getattr(library, function), ctypes.c_void_p).value or 0
