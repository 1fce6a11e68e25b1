"""One branch while it is being written: its tokens, its text, its guide. Knows nothing of batches or cells."""

from __future__ import annotations

import codecs
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from localsum.engine.guide import Guide
from localsum.engine.sampling import Logits, pick
from localsum.engine.types import Branch, Counts


@dataclass(slots=True)
class Sequence:
    """`pending` are tokens to decode next: the suffix at first, then what was picked and what that forced."""

    branch: Branch
    guide: Guide
    pending: list[int]
    rng: np.random.Generator
    counts: Counts = field(default_factory=Counts)
    written: list[int] = field(default_factory=list)
    text: str = ""
    finish: Literal["stop", "length"] | None = None
    began_s: float = 0.0  # when its first decode began, and
    first_token_s: float = 0.0  # when the one that gave its first sampled token had ended
    _decoder: codecs.IncrementalDecoder = field(
        default_factory=lambda: codecs.getincrementaldecoder("utf-8")("replace")
    )

    def open(self, pieces: list[bytes]) -> None:
        """Put the grammar's forced opening into the suffix; the branch may be complete with it."""
        self.counts.prompt = len(self.pending)
        opening = self.guide.opening()
        self.counts.forced = len(opening)
        self._append(opening, pieces)

    def step(self, logits: Logits, pieces: list[bytes], ends: frozenset[int]) -> str:
        """Pick a token and take what it forces; returns the new text. `finish` is set when the branch is done."""
        token = pick(logits, self.guide, self.branch.sampling, self.written, self.rng, self.counts)
        self.counts.sampled += 1
        if token in ends:
            self.finish = "stop"
            return ""
        before = len(self.text)
        forced = self.guide.advance(token)
        self.counts.forced += len(forced)
        self._append([token, *forced], pieces)
        return self.text[before:]

    def _append(self, tokens: list[int], pieces: list[bytes]) -> None:
        room = self.branch.max_tokens - len(self.written)
        if len(tokens) > room:
            self.finish, tokens = "length", tokens[:room]
        elif self.guide.is_done:
            self.finish = "stop"
        elif len(tokens) == room:
            self.finish = "length"
        self.written += tokens
        self.pending += tokens
        for token in tokens:
            self.text += self._decoder.decode(pieces[token])
