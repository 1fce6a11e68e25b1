"""An engine without a model: the texts come from a function. For tests of whatever is built on the engine protocol.

It checks each text against its branch's grammar, so that a test cannot rely on what a model could never write. Tokens
are pieces of words here, and there is no cache, no batch and no probability.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np
from llguidance import LLTokenizer

from localsum.engine.guide import Guides
from localsum.engine.loop import refuse
from localsum.engine.types import (
    Branch,
    BranchDone,
    Counts,
    Event,
    ModelInfo,
    Prompt,
    Request,
    RequestDone,
    RequestFailed,
    TextDelta,
)
from localsum.errors import EngineError

Script = Callable[[Request, Branch], str | None]

_TOKEN = re.compile(r"\s*\w{1,8}|\s*[^\w\s]|\s+")  # a run of white space is taken whole, so this is linear
_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_LONGEST = 1000  # bytes of a text written without a script, where no string of the grammar will do


class ScriptedEngine:
    """Writes what `script` says: a function of request and branch, or a mapping of branch id to text.

    White space that the grammar wants around a text (a space after the cue, a newline at the end) is added. A text
    that the grammar refuses fails its request, unless `check` is off. Where the script has None, the first text that
    fits is written: of a choice the first option, of a line "x". As in the real engine, `max_tokens` cuts a text off.
    """

    def __init__(
        self,
        script: Script | Mapping[str, str] | None = None,
        *,
        context_tokens: int = 8192,
        chat_template: str | None = None,
        check: bool = True,
    ) -> None:
        self.info = ModelInfo(name="scripted", context_tokens=context_tokens, chat_template=chat_template)
        self.totals = Counts()
        self._script = script
        self._check = check
        tokenizer = LLTokenizer("byte")
        self._end: int = tokenizer.eos_token
        self._guides = Guides(lambda: tokenizer, tokenizer.vocab_size)

    def count_tokens(self, text: str) -> int:
        """Words and signs; a long word counts once for every eight characters."""
        return sum(1 for _ in _TOKEN.finditer(text))

    def run(self, requests: Iterable[Request]) -> Iterator[Event]:
        """The events of one request after the other, in the order of its branches; requests are pulled one by one."""
        for request in requests:
            try:
                yield from self._write(request)
            except EngineError as error:
                yield RequestFailed(request.id, error.message)

    def close(self) -> None:
        """Nothing to free."""

    def _write(self, request: Request) -> Iterator[Event]:
        prefix = self._size(request.prefix)
        suffixes = [self._size(branch.suffix) for branch in request.branches]
        if refusal := refuse(request, prefix, suffixes, self.info.context_tokens):
            raise EngineError(refusal)
        counts = Counts(prompt=prefix)
        done: list[BranchDone] = []
        for branch, suffix in zip(request.branches, suffixes, strict=True):
            tokens = _TOKEN.findall(self._text(request, branch))
            written = tokens[: branch.max_tokens]
            for token in written:
                yield TextDelta(request.id, branch.id, token)
            done.append(
                BranchDone(
                    request.id,
                    branch.id,
                    "".join(written),
                    "length" if len(written) < len(tokens) else "stop",
                    Counts(prompt=suffix, sampled=len(written)),
                )
            )
            yield done[-1]
            counts.prompt += suffix
            counts.sampled += len(written)
        self.totals.prompt += counts.prompt
        self.totals.sampled += counts.sampled
        texts, finishes = {one.branch: one.text for one in done}, {one.branch: str(one.finish) for one in done}
        yield RequestDone(request.id, texts, finishes, counts)

    def _size(self, prompt: Prompt) -> int:
        return sum(self.count_tokens(segment.text) for segment in prompt)

    def _text(self, request: Request, branch: Branch) -> str:
        text = self._script(request, branch) if callable(self._script) else (self._script or {}).get(branch.id)
        try:
            if text is None:
                return self._first(branch.grammar)
            if not self._check:
                return text
            if (fitting := self._fit(branch.grammar, text)) is not None:
                return fitting
        except EngineError as error:
            raise EngineError(f"{branch.id}: {error.message}", error.hint) from error
        taken = self._taken(branch.grammar, text)
        if taken == len(text):
            raise EngineError(f"{branch.id}: the grammar does not let the scripted text end after {text[-40:]!r}")
        rest = text[taken : taken + 40]
        raise EngineError(f"{branch.id}: the grammar refuses the scripted text at character {taken}: {rest!r}")

    def _fit(self, grammar: str, text: str) -> str | None:
        """`text` with the white space around it that makes it a whole text of the grammar; None if there is none."""
        for candidate in (text, " " + text, text + "\n", " " + text + "\n"):
            tokens = [*candidate.encode("utf-8"), self._end]
            if self._guides(grammar).takes(tokens) == len(tokens):
                return candidate
        return None

    def _taken(self, grammar: str, text: str) -> int:
        """How many characters of `text` the grammar takes, with a space before it if that brings it further."""
        taken = []
        for space in (b"", b" "):
            data = space + text.encode("utf-8")
            count = self._guides(grammar).takes(list(data))
            taken.append(len(data[len(space) : count].decode("utf-8", "ignore")))
        return max(taken)

    def _first(self, grammar: str) -> str:
        """The first string of the grammar that is a whole text of it; else "x"; else as few bytes as lead to an end."""
        strings = _STRING.findall(grammar.removeprefix('start: " " body'))  # without the space of `after_space`
        for literal in [*strings, '"x"']:
            try:
                text = json.loads(literal)
            except ValueError:
                continue  # two quotation marks in some regex, not a string
            if (fitting := self._fit(grammar, text)) is not None:
                return fitting
        return self._walk(grammar)

    def _walk(self, grammar: str) -> str:
        guide = self._guides(grammar)
        data = bytearray(guide.opening())
        while not guide.is_done and not guide.allows(self._end):
            allowed = np.flatnonzero(guide.allowed())
            if not allowed.size or len(data) > _LONGEST:
                raise EngineError(f"no text of at most {_LONGEST} bytes was found for its grammar: give it a script")
            byte = next((byte for byte in b"\nx" if byte in allowed), int(allowed[0]))
            data += bytes([byte, *guide.advance(byte)])
        return data.decode("utf-8")
