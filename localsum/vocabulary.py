"""Vocabularies: what a token is built from, which tokens a language needs, and the choice of the best.

Two kinds: merges by score ("llama", SentencePiece, as Gemma has it), and a list of merges ("gpt2", "gemma4": byte-level
or with byte tokens, as Qwen and SmolLM2 have them). Knows nothing of files.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from localsum.resources import resource

KINDS = ("llama", "gpt2", "gemma4")
_NORMAL, _UNKNOWN, _CONTROL, _USER, _UNUSED, _BYTE = range(1, 7)  # llama.cpp's types of tokens
_SPACE = "▁"  # what SentencePiece writes for a space
_PLACEHOLDER = re.compile(rb"<unused\d+>|\[PAD\d+\]|<\|?reserved_special_token_\d+\|?>|<\|reserved_\d+\|>")
_MARKS = "‘’“”–—…•·€£©®™°²³½×−→"  # signs beyond ASCII that news in Latin letters holds
_ROUND = 64  # fast matrix kernels want round numbers of rows
_LONGEST = 256  # letters of a token; what builds it takes time by the square


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
        if len(text) > _LONGEST:
            return None
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
