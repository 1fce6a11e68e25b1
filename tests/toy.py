"""A backend of bytes for tests of the run: no model, but a KV cache with books; and the plainest decoding there is."""

import random
import zlib
from dataclasses import dataclass, field

import numpy as np
from llguidance import LLTokenizer
from numpy.typing import NDArray

from localsum.engine import grammar
from localsum.engine.guide import Guide, Guides
from localsum.engine.sampling import Logits
from localsum.engine.scheduler import Slice
from localsum.engine.types import Branch, Prompt, Request, Segment
from localsum.errors import EngineError

TOKENIZER = LLTokenizer("byte")
SIZE, END = TOKENIZER.vocab_size, TOKENIZER.eos_token
GUIDES = Guides(lambda: TOKENIZER, SIZE)
PIECES = [bytes([token]) if token < 256 else b"" for token in range(SIZE)]


def toy_logits(history: list[int]) -> Logits:
    """Noise that depends on every token of the history, in its order, and a liking for lower case and for ending."""
    logits = np.random.default_rng(zlib.crc32(np.array(history, dtype=np.int32).tobytes())).normal(size=SIZE)
    logits[97:123] += 2.0
    logits[[10, 32, END]] += 3.0
    return logits.astype(np.float32)


@dataclass
class Toy:
    """A backend of bytes. It keeps the books of a KV cache and refuses what a real one would choke on."""

    cells: int = 200
    sequences: int = 6
    batch: int = 32
    ends: frozenset[int] = frozenset([END])
    pieces: list[bytes] = field(default_factory=lambda: PIECES)
    history: dict[int, list[tuple[int, int]]] = field(
        default_factory=dict
    )  # of a sequence: its tokens, with their cells
    decodes: int = 0
    read: int = 0  # tokens decoded

    def tokenize(self, prompt: Prompt, *, first: bool) -> list[int]:
        return [byte for segment in prompt for byte in segment.text.encode()]

    def guide(self, grammar: str) -> Guide:
        return GUIDES(grammar)

    def decode(self, slices: list[tuple[Slice, list[int]]]) -> dict[int, Logits]:
        self.before(slices)
        self.decodes += 1
        assert slices
        assert sum(part.count for part, _ in slices) <= self.batch
        logits = {}
        for part, tokens in slices:
            history = self.history.setdefault(part.seq, [])
            assert len(tokens) == part.count
            assert part.start == len(history)
            for token in tokens:
                self.read += 1
                history.append((token, self.read))
            if part.sample:
                logits[part.seq] = toy_logits([token for token, _ in history])
        assert self.used() <= self.cells
        return logits

    def used(self) -> int:
        """Cells, each counted once whoever shares it."""
        return len({cell for history in self.history.values() for _, cell in history})

    def before(self, slices: list[tuple[Slice, list[int]]]) -> None:
        """For tests that break something."""

    def fork(self, src: int, dst: int, tokens: int) -> bool:
        assert dst not in self.history
        assert dst < self.sequences
        assert tokens <= len(self.history[src])
        self.history[dst] = self.history[src][:tokens]
        return True

    def cut(self, seq: int, tokens: int) -> None:
        self.history[seq] = self.history.get(seq, [])[:tokens]
        if not self.history[seq]:
            del self.history[seq]

    def clear(self) -> None:
        assert not self.history, "nobody may lose what he needs"


class FlakyToy(Toy):
    """Often has no room; how often is fixed by a seed. A single token always finds some."""

    flaky = random.Random(0)

    def before(self, slices: list[tuple[Slice, list[int]]]) -> None:
        if sum(part.count for part, _ in slices) > 1 and self.flaky.random() < 0.4:
            raise EngineError("the KV cache has no room left")


class PickyToy(Toy):
    """llama.cpp fails on any decode with a byte of `poison` in it."""

    poison = ord("%")

    def before(self, slices: list[tuple[Slice, list[int]]]) -> None:
        if any(self.poison in tokens for _, tokens in slices):
            raise EngineError("llama_decode failed with status -3")


class Unforced:
    """A guide that never tells what is forced: the mask alone has to lead to the same text."""

    def __init__(self, inner: Guide) -> None:
        self.inner = inner
        self.forced: list[int] = inner.opening()

    @property
    def is_done(self) -> bool:
        return not self.forced and self.inner.is_done

    def opening(self) -> list[int]:
        return []

    def allows(self, token: int) -> bool:
        return token == self.forced[0] if self.forced else self.inner.allows(token)

    def allowed(self) -> NDArray[np.bool_]:
        if not self.forced:
            return self.inner.allowed()
        return np.arange(SIZE) == self.forced[0]

    def advance(self, token: int) -> list[int]:
        if self.forced:
            assert token == self.forced.pop(0)
        else:
            self.forced = self.inner.advance(token)
        return []


class UnforcedToy(Toy):
    def guide(self, grammar: str) -> Guide:
        return Unforced(GUIDES(grammar))


def segments(text: str) -> Prompt:
    return (Segment(text),)


def alone(request: Request) -> dict[str, str]:
    """The texts by the plainest decoding there is: one branch, one token, one whole mask after the other."""
    found = {}
    for index, branch in enumerate(request.branches):
        assert branch.sampling.temperature == 0, index
        history = Toy().tokenize((*request.prefix, *branch.suffix), first=True)
        matcher = Unforced(GUIDES(branch.grammar))
        written: list[int] = []
        while len(written) < branch.max_tokens and not matcher.is_done:
            scores = np.where(matcher.allowed(), toy_logits(history), -np.inf)
            token = int(scores.argmax())
            if token == END:
                break
            matcher.advance(token)
            written.append(token)
            history.append(token)
        found[branch.id] = bytes(written).decode("utf-8", "ignore")
    return found


GRAMMARS = [
    grammar.after_space(grammar.line(30)),
    grammar.line(12, end=""),
    grammar.choice(["Gemma", "Gemma 4", "Gemini", "GPT"]),
    grammar.after_space(grammar.choice(["Policy", "Product", "Research", "Résumé"], "\n")),
    'start: "{" /[a-z]{1,9}/ "}"',
    'start: "always the same"',
    'start: /[α-ωa-c]{1,8}/ "\\n"',
]


def ask(name: str, *rules: str, prefix: str = "An article.", max_tokens: int = 40) -> Request:
    parts = (Branch(f"b{n}", segments(f"\nField {n}:"), rule, max_tokens) for n, rule in enumerate(rules))
    return Request(name, segments(prefix), tuple(parts))
