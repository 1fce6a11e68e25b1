"""Where the seconds of a brief go: every moment belongs to one stage, and what belongs to none is not hidden.

`timed` puts a stopwatch around the parts of an engine that work, without changing what they do. Knows the engine's
protocol, no llama.cpp.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from localsum.engine.guide import Guide
from localsum.engine.sampling import Logits
from localsum.engine.scheduler import Slice
from localsum.engine.types import Counts, Event, ModelInfo, Prompt, Request

# In the order in which a brief goes through them, and what each is.
STAGES = {
    "document": "turning the file into a document",
    "writer": "choosing sentences, checking what was written",
    "tokenize": "text to tokens",
    "read": "llama_decode of prompts",
    "write": "llama_decode of what is written",
    "grammar": "compiling grammars, asking what they allow",
    "cache": "forking and freeing the KV cache",
    "engine": "planning steps, picking tokens",
}
# A decode with more tokens than that for each row of logits is reading.
_READING = 4


class Clock:
    """Seconds by stage. A stage that is entered stops the one around it, so no moment counts twice."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._open: list[str] = []
        self._since_s = 0.0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        self._turn()
        self._open.append(name)
        try:
            yield
        finally:
            self._turn()
            self._open.pop()

    def _turn(self) -> None:
        now = time.perf_counter()
        if self._open:
            self.seconds[self._open[-1]] += now - self._since_s
        self._since_s = now


class _TimedGuide:
    """A guide whose every answer is timed."""

    def __init__(self, inner: Guide, clock: Clock) -> None:
        self._inner = inner
        self._clock = clock

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  (whatever else a guide has)
        return getattr(self._inner, name)

    @property
    def is_done(self) -> bool:
        return self._inner.is_done

    def opening(self) -> list[int]:
        with self._clock.stage("grammar"):
            return self._inner.opening()

    def allows(self, token: int) -> bool:
        with self._clock.stage("grammar"):
            return self._inner.allows(token)

    def allowed(self) -> NDArray[np.bool_]:
        with self._clock.stage("grammar"):
            return self._inner.allowed()

    def advance(self, token: int) -> list[int]:
        with self._clock.stage("grammar"):
            return self._inner.advance(token)


class _TimedBackend:
    """A backend whose work is timed; all else is the backend's own."""

    def __init__(self, inner: Any, clock: Clock) -> None:  # noqa: ANN401  (a Backend, which may have more)
        self._inner = inner
        self._clock = clock

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._inner, name)

    def tokenize(self, prompt: Prompt, *, first: bool) -> list[int]:
        with self._clock.stage("tokenize"):
            tokens: list[int] = self._inner.tokenize(prompt, first=first)
            return tokens

    def guide(self, grammar: str) -> Guide:
        with self._clock.stage("grammar"):
            return _TimedGuide(self._inner.guide(grammar), self._clock)

    def decode(self, slices: list[tuple[Slice, list[int]]]) -> dict[int, Logits]:
        rows = sum(part.sample for part, _ in slices)
        is_reading = sum(part.count for part, _ in slices) > _READING * rows
        with self._clock.stage("read" if is_reading else "write"):
            logits: dict[int, Logits] = self._inner.decode(slices)
            return logits

    def fork(self, src: int, dst: int, tokens: int) -> bool:
        with self._clock.stage("cache"):
            return bool(self._inner.fork(src, dst, tokens))

    def cut(self, seq: int, tokens: int) -> None:
        with self._clock.stage("cache"):
            self._inner.cut(seq, tokens)

    def clear(self) -> None:
        with self._clock.stage("cache"):
            self._inner.clear()


class TimedEngine:
    """An engine with a clock. `events` that it gives are timed as the engine's work, what is done with them as the
    writer's, for in a brief the writer is who waits for them."""

    info: ModelInfo
    totals: Counts

    def __init__(self, engine: Any, clock: Clock) -> None:  # noqa: ANN401  (an Engine with a backend)
        self._engine = engine
        self._clock = clock
        self.info = engine.info
        self.totals = engine.totals

    def count_tokens(self, text: str) -> int:
        return int(self._engine.count_tokens(text))

    def run(self, requests: Iterable[Request]) -> Iterator[Event]:
        events = self._engine.run(self._pulled(requests))
        try:
            while True:
                with self._clock.stage("engine"):
                    event = next(events, None)
                if event is None:
                    return
                with self._clock.stage("writer"):
                    yield event
        finally:
            events.close()

    def _pulled(self, requests: Iterable[Request]) -> Iterator[Request]:
        waiting = iter(requests)
        while True:
            with self._clock.stage("writer"):
                request = next(waiting, None)
            if request is None:
                return
            yield request

    def close(self) -> None:
        self._engine.close()


@contextmanager
def timed(engine: Any) -> Iterator[tuple[TimedEngine, Clock]]:  # noqa: ANN401  (an Engine with a `backend`)
    """The engine with a stopwatch around it; without one again afterwards."""
    clock, plain = Clock(), engine.backend
    engine.backend = _TimedBackend(plain, clock)
    try:
        yield TimedEngine(engine, clock), clock
    finally:
        engine.backend = plain
