"""The guide of a branch: which tokens are forced, which are allowed.

Wraps llguidance, whose matchers never raise; so they are checked here.
`Guides` belongs to one vocabulary and makes guides; building its token table takes about a second for 262,144
tokens, so it is built in a thread while the first prefix is being read.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

import numpy as np
from llguidance import LLMatcher, LLParserLimits, LLTokenizer
from numpy.typing import NDArray

from localsum.errors import EngineError

# A grammar over a long source can cost minutes; these stop it within about a second (then the branch fails by name).
_LIMITS = LLParserLimits(max_items_in_row=2000, step_lexer_fuel=500_000, initial_lexer_fuel=5_000_000)


class Guide(Protocol):
    """What a branch asks of its grammar. Tokens already given to `advance` or returned by it are consumed."""

    @property
    def is_done(self) -> bool: ...
    def opening(self) -> list[int]: ...
    def allows(self, token: int) -> bool: ...
    def allowed(self) -> NDArray[np.bool_]: ...
    def advance(self, token: int) -> list[int]: ...


class MatcherGuide:
    """A guide by llguidance."""

    def __init__(self, matcher: LLMatcher, vocabulary: int) -> None:
        self._matcher = matcher
        self._vocabulary = vocabulary

    @property
    def is_done(self) -> bool:
        """Nothing can follow but the end."""
        return self._matcher.is_stopped()

    def opening(self) -> list[int]:
        """Tokens forced before the first choice; they belong into the suffix."""
        return self._forced()

    def allows(self, token: int) -> bool:
        return self.takes([token]) == 1

    def takes(self, tokens: list[int]) -> int:
        """How many of `tokens`, from the first on, the grammar takes in a row; nothing is consumed."""
        return self._matcher.validate_tokens(tokens)

    def allowed(self) -> NDArray[np.bool_]:
        """The whole mask, shape (vocabulary,)."""
        bits = np.frombuffer(self._matcher.compute_bitmask(), dtype=np.uint8)
        self._check()
        return np.unpackbits(bits, bitorder="little")[: self._vocabulary].view(np.bool_)

    def advance(self, token: int) -> list[int]:
        """Consume a picked token; returns the tokens forced after it, consumed as well."""
        self._matcher.consume_token(token)
        self._check()
        return [] if self.is_done else self._forced()

    def _forced(self) -> list[int]:
        tokens = self._matcher.compute_ff_tokens()
        if tokens:
            self._matcher.consume_tokens(tokens)
        self._check()
        return tokens

    def _check(self) -> None:
        if self._matcher.is_error():
            raise EngineError(f"the grammar failed: {self._matcher.get_error().splitlines()[0]}")


class Guides:
    """Makes the guides of one vocabulary. `build` returns its tokenizer and runs in a thread of its own."""

    def __init__(self, build: Callable[[], LLTokenizer], vocabulary: int) -> None:
        self._vocabulary = vocabulary
        self._tokenizer: LLTokenizer | None = None
        self._failure: BaseException | None = None
        self._grammars: dict[str, LLMatcher] = {}
        # Not a daemon: Python kills those while they are inside llguidance, and the process would end in a crash.
        self._thread = threading.Thread(target=self._build, args=(build,))
        self._thread.start()

    def _build(self, build: Callable[[], LLTokenizer]) -> None:
        try:
            self._tokenizer = build()
        except BaseException as error:
            self._failure = error

    def __call__(self, grammar: str) -> MatcherGuide:
        """A fresh guide. Grammars are compiled once and copied. Raises EngineError for one that cannot be used."""
        if (matcher := self._grammars.get(grammar)) is None:
            matcher = self._compile(grammar)
            if len(self._grammars) >= 64:  # choices are made of each document's sentences: do not keep them for ever
                self._grammars.clear()
            self._grammars[grammar] = matcher
        return MatcherGuide(matcher.deep_copy(), self._vocabulary)

    def _compile(self, grammar: str) -> LLMatcher:
        self.wait()
        if self._tokenizer is None:
            raise EngineError(f"the token table could not be built: {self._failure}")
        try:
            matcher = LLMatcher(self._tokenizer, LLMatcher.grammar_from_lark(grammar), log_level=0, limits=_LIMITS)
        except UnicodeEncodeError as error:  # half a surrogate pair
            raise EngineError(f"a grammar cannot be used: {error}") from error
        if matcher.is_error():
            raise EngineError(f"a grammar cannot be used: {matcher.get_error().splitlines()[0]}")
        return matcher

    def wait(self) -> None:
        """Until the thread is done: it reads the vocabulary, which must not be freed under it."""
        self._thread.join()
