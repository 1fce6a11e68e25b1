"""What goes into an engine and what comes out: requests, branches, events. No llama.cpp, no numpy.

A request is one prefix, read once, and the branches that continue it, written side by side. Text that comes from
outside stays text: only segments marked `special` may hold control tokens such as `<start_of_turn>`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol


class Segment(NamedTuple):
    """A piece of a prompt. Control tokens in `text` are recognised only if `special`."""

    text: str
    special: bool = False


Prompt = tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a token is picked. Temperature 0 is greedy; the other settings then change nothing but `dry`."""

    temperature: float = 0.0
    top_k: int = 64
    top_p: float = 0.95
    min_p: float = 0.0
    seed: int = 0
    dry: float = 0.0  # how strongly what repeats the branch's own text is avoided; 0.8 is usual, 0 is off


@dataclass(frozen=True, slots=True)
class Branch:
    """One field or item being written: continues the request's prefix after its own suffix, under its grammar.

    `grammar` is a Lark grammar (see grammar.py). `max_tokens` is a fuse, the grammar should end the text before.
    """

    id: str
    suffix: Prompt
    grammar: str
    max_tokens: int = 128
    sampling: Sampling = Sampling()


@dataclass(frozen=True, slots=True)
class Request:
    id: str
    prefix: Prompt
    branches: tuple[Branch, ...]


@dataclass(slots=True)
class Counts:
    """Tokens and seconds of a branch, a request or a run.

    A request's clock starts when the reading of its prefix does, and its branches' with it. Seconds of branches
    overlap, for they are written together.
    """

    prompt: int = 0  # tokens of prefix and suffixes, each counted once
    reused: int = 0  # of these, in the cache already for an earlier request
    forced: int = 0  # appended because the grammar allowed nothing else
    sampled: int = 0
    masks: int = 0  # how often the whole mask was needed because the argmax was not allowed
    queued_s: float = 0.0  # waiting: of a request for its reading to begin, of a branch for a place beside the others
    prefill_s: float = 0.0  # reading: of a request its prefix, of a branch its suffix
    first_token_s: float = 0.0  # until the first sampled token, by the request's clock
    decode_s: float = 0.0  # from then to the end
    total_s: float = 0.0  # until the end, by the request's clock
    # Of a whole run only
    steps: int = 0  # calls of llama_decode
    inside_s: float = 0.0  # in llama_decode
    outside_s: float = 0.0  # in the engine, but outside llama_decode
    source_s: float = 0.0  # waiting for the next request: the work of whoever makes them


@dataclass(frozen=True, slots=True)
class TextDelta:
    """Text as it is written. Deltas of a branch concatenate to its completion's text."""

    request: str
    branch: str
    text: str


@dataclass(frozen=True, slots=True)
class BranchDone:
    request: str
    branch: str
    text: str
    finish: Literal["stop", "length"]
    counts: Counts


@dataclass(frozen=True, slots=True)
class RequestDone:
    request: str
    texts: dict[str, str]  # branch id to text
    finishes: dict[str, str]
    counts: Counts


@dataclass(frozen=True, slots=True)
class RequestFailed:
    """This request could not be written; the others go on."""

    request: str
    message: str


Event = TextDelta | BranchDone | RequestDone | RequestFailed


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What writers must know of a model. `chat_template` None means a base model."""

    name: str
    context_tokens: int
    chat_template: str | None = None
    bos: str = ""
    eos: str = ""
    warning: str = ""  # what the model's file says that readers of what it writes should know
    thinking_off: str = ""  # what ends the opening of the model's turn so that it answers at once
    settings: dict[str, int | str] = field(default_factory=dict)  # threads, batch, … for --stats


class Engine(Protocol):
    """The one protocol: count tokens, run requests. `totals` sums over all runs so far."""

    info: ModelInfo
    totals: Counts

    def count_tokens(self, text: str) -> int: ...

    def run(self, requests: Iterable[Request]) -> Iterator[Event]: ...

    def close(self) -> None: ...
