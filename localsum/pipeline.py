"""From documents to briefs: one writer per document, all writers over one engine run. Results come as they are done.

Knows the shape of a run, not how a field is written (writing/) nor how tokens are made (engine/).
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, get_args

from localsum.brief import Brief, FieldResult
from localsum.document import Document
from localsum.engine.types import Counts, Engine, Event, Request, RequestDone, RequestFailed
from localsum.errors import EngineError, InputError, LocalsumError, UsageError
from localsum.languages import Language
from localsum.templates import Template
from localsum.writing import extractive, written
from localsum.writing.draft import Writer

Style = Literal["extractive", "written"]


@dataclass(frozen=True, slots=True)
class Failed:
    """A document without a brief, and why. `document` is None where none could be read: the error names the input."""

    document: Document | None
    error: LocalsumError


@dataclass(slots=True)
class _Open:
    """A document being written: its writer, the requests it waits for, and what came back so far."""

    document: Document
    writer: Writer
    started_s: float
    waiting: set[str]
    texts: dict[str, str]
    counts: Counts
    writer_s: float = 0.0  # the writer's own work; the engine waits for it meanwhile


def choose_style(engine: Engine, wanted: str | None) -> Style:
    """Instruct models write, base models extract; `wanted` forces one. Raises UsageError if the model cannot."""
    if wanted not in (None, *get_args(Style)):
        raise UsageError(f"there is no style {wanted!r}", f"choose one: --style {', '.join(get_args(Style))}")
    if wanted == "written" and engine.info.chat_template is None:
        raise UsageError(
            f"{engine.info.name} is a base model without a chat template, it cannot write to instructions",
            "leave --style away, or name an instruct model with --model",
        )
    if wanted in ("extractive", "written"):
        return "written" if wanted == "written" else "extractive"
    return "extractive" if engine.info.chat_template is None else "written"


def check_language(engine: Engine, style: Style, language: Language | None) -> Language | None:
    """The language itself. Raises UsageError where a brief is made of the article's own sentences."""
    if language and style == "extractive":
        why = "is a base model" if engine.info.chat_template is None else "is told to take the article's own sentences"
        raise UsageError(
            f"{engine.info.name} {why}: nothing is written, so nothing in {language.name}",
            "leave --language away (if it is a setting, see: localsum config), or name an instruct model with --model",
        )
    return language


def write_briefs(
    documents: Iterable[Document],
    template: Template,
    engine: Engine,
    *,
    model: dict[str, str],
    style: str | None = None,
    language: Language | None = None,
    seed: int = 0,
    on_event: Callable[[Event], None] | None = None,
) -> Iterator[Brief | Failed]:
    """A brief, or the reason why not, for each document, in the order in which they are done.

    `documents` is read lazily. `language` is that of the briefs, by default each document's own. `on_event` sees every
    engine event, for a live view. `seed` seeds all sampling. Raises UsageError for what the model cannot do.
    """
    for event in write_events(documents, template, engine, model=model, style=style, language=language, seed=seed):
        if isinstance(event, Brief | Failed):
            yield event
        elif on_event:
            on_event(event)


def write_events(
    documents: Iterable[Document],
    template: Template,
    engine: Engine,
    *,
    model: dict[str, str],
    style: str | None = None,
    language: Language | None = None,
    seed: int = 0,
) -> Iterator[Event | Brief | Failed]:
    """The same with all that the engine says meanwhile."""
    chosen = choose_style(engine, style)
    run = _Run(template, engine, model, chosen, check_language(engine, chosen, language), seed)
    pending = iter(documents)
    while True:
        for event in engine.run(run.requests(pending)):
            yield event
            run.take(event)
            yield from run.finished()
        yield from run.finished()
        if not run.ready:
            return


def field_of(branch: str, names: Collection[str]) -> str:
    """The field that a branch belongs to: `0.key_insights.2.category` and `title~1` are of `key_insights` and `title`.

    `names` are those of the template's fields; a branch of none of them is itself.
    """
    parts = (part.partition("~")[0] for part in branch.split("."))
    return next((part for part in parts if part in names), branch)


class _Run:
    def __init__(
        self,
        template: Template,
        engine: Engine,
        model: dict[str, str],
        style: Style,
        language: Language | None,
        seed: int,
    ) -> None:
        self._template = template
        self._engine = engine
        self._model = model
        self._style = style
        self._language = language
        self._seed = seed
        self._open: dict[str, _Open] = {}
        self._by_request: dict[str, str] = {}
        self._number = 0
        self._outcomes: deque[Brief | Failed] = deque()
        self.ready: deque[Request] = deque()

    def requests(self, documents: Iterator[Document]) -> Iterator[Request]:
        """What the engine is to do next: follow-ups of documents begun first, then new documents."""
        while True:
            while self.ready:
                yield self.ready.popleft()
            if (document := next(documents, None)) is None:
                return
            self._begin(document)

    def finished(self) -> Iterator[Brief | Failed]:
        while self._outcomes:
            yield self._outcomes.popleft()

    def take(self, event: Event) -> None:
        """Give a finished request's texts to its writer; a failed one fails its document only."""
        if isinstance(event, RequestFailed) and (key := self._by_request.pop(event.request, None)):
            opened = self._open.pop(key)
            for request in opened.waiting:
                self._by_request.pop(request, None)
            name = opened.document.path or "the text"
            self._outcomes.append(Failed(opened.document, EngineError(f"{name}: {event.message}")))
        elif isinstance(event, RequestDone) and (key := self._by_request.pop(event.request, None)):
            opened = self._open[key]
            opened.texts.update(event.texts)
            _add(opened.counts, event.counts)
            opened.waiting.discard(event.request)
            if not opened.waiting:
                self._advance(key, opened)

    def _begin(self, document: Document) -> None:
        self._number += 1
        key = f"document-{self._number}"
        if self._style == "extractive":
            writer = extractive.write(document, self._template, key, self._engine)
        else:
            writer = written.write(document, self._template, key, self._engine, self._language)
        opened = _Open(document, writer, time.perf_counter(), set(), {}, Counts())
        self._open[key] = opened
        self._advance(key, opened)

    def _advance(self, key: str, opened: _Open) -> None:
        """Resume the writer: it either wants more requests or is done."""
        resumed_s = time.perf_counter()
        try:
            if opened.counts.total_s or opened.texts:
                texts, opened.texts = opened.texts, {}
                requests = opened.writer.send(texts)
            else:
                requests = next(opened.writer)
        except StopIteration as done:
            del self._open[key]
            opened.writer_s += time.perf_counter() - resumed_s
            self._outcomes.append(self._brief(opened, done.value))
            return
        except LocalsumError as error:
            del self._open[key]
            self._outcomes.append(Failed(opened.document, error))
            return
        opened.writer_s += time.perf_counter() - resumed_s
        for request in requests:
            opened.waiting.add(request.id)
            self._by_request[request.id] = key
            self.ready.append(self._seeded(request))

    def _seeded(self, request: Request) -> Request:
        branches = tuple(
            replace(branch, sampling=replace(branch.sampling, seed=self._seed)) for branch in request.branches
        )
        return replace(request, branches=branches)

    def _brief(self, opened: _Open, fields: dict[str, FieldResult]) -> Brief:
        warnings = [*opened.document.warnings, *(w for result in fields.values() for w in result.warnings)]
        if self._style == "written" and self._engine.info.warning:
            warnings.insert(0, self._engine.info.warning[:_MOST_WARNING])
        counts = opened.counts
        timing = {
            "total_s": round(time.perf_counter() - opened.started_s, 4),
            "writer_s": round(opened.writer_s, 4),
            "queued_s": round(counts.queued_s, 4),
            "prefill_s": round(counts.prefill_s, 4),
            "first_token_s": round(counts.first_token_s, 4),
            "decode_s": round(counts.decode_s, 4),
            "prompt_tokens": counts.prompt,
            "reused_tokens": counts.reused,
            "forced_tokens": counts.forced,
            "sampled_tokens": counts.sampled,
        }
        template = {"name": self._template.name, "sha256": self._template.sha256}
        language = self._language.tag if self._language else None
        return Brief(opened.document, fields, self._model, template, timing, tuple(warnings), language)


def _add(total: Counts, more: Counts) -> None:
    """Tokens and seconds of a document's requests; of those read beside each other, seconds count twice."""
    total.first_token_s = total.first_token_s or more.first_token_s
    for name in ("prompt", "reused", "forced", "sampled", "queued_s", "prefill_s", "decode_s", "total_s"):
        setattr(total, name, getattr(total, name) + getattr(more, name))


_MOST_WARNING = 300  # characters that a model's file may say about itself
LEAST_WORDS = 5
MOST_WORDS = 500_000  # more is no article; choosing among the sentences of so many takes some 20 s and 0.3 GB


def check_readable(document: Document) -> Document:
    """The document itself. Raises InputError if there is nothing to make a brief of, or too much for one.

    Scripts without spaces have few words and many letters: eight letters count as a word then.
    """
    name = document.path or "the text"
    words = max(document.words, len(document.text) // 8)
    if words < LEAST_WORDS:
        raise InputError(
            f"{name} has fewer than {LEAST_WORDS} words, too few for a brief",
            "name a file with the whole article: localsum brief FILE",
        )
    if words > MOST_WORDS:
        raise InputError(
            f"{name} has more than {MOST_WORDS:,} words, too many for one brief",
            "cut it into its parts, then: localsum brief PART",
        )
    return document
