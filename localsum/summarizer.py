"""The Summarizer: briefs of texts and documents, from Python; the command line writes with it too.

Holds what briefs are written with (model, engine, template, settings, store) and says how they come about for one
document and for many. Knows nothing of files, outputs or terminals, and seals nothing: see guard.py.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from localsum.brief import Brief
from localsum.document import Document
from localsum.errors import InputError, LocalsumError, StoreError, UsageError
from localsum.languages import find_language
from localsum.resources import writer_version
from localsum.templates import Template, load_template

if TYPE_CHECKING:
    from sqlite3 import Connection
    from types import TracebackType

    from localsum.engine.types import Engine, Event
    from localsum.models import Model
    from localsum.pipeline import Failed

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class FieldText:
    """A piece of text of a field, as the model writes it and before anything is checked: what the brief shows of it
    may differ, or come from the document instead.

    Pieces of one `branch` follow one another. A field is written in one branch or in several: its items, its parts, a
    second wording of it.
    """

    field: str
    branch: str
    text: str


class Summarizer:
    """Writes briefs with one model and one template. The model is loaded for the first brief and stays until `close`.

    Keywords are the command line's options of the same names:

    - `model`: a name of the registry or the path of a GGUF file; None: the first that is installed, or LOCALSUM_MODEL.
    - `template`: a name, the path of a TOML file, or a `Template`; None: `brief`.
    - `style`: "extractive" or "written"; None: what the model can do.
    - `language` to write in, a code such as "de" or an English name; None: each document's own. Instruct models only.
    - `threads`, `context` (tokens held in memory, 1024 or more); None: what the machine has.
    - `tuning`: more keywords of the engine, as `localsum bench --sweep` finds them: `sequences`, `batch`, `kv`,
      `layers`.
    - `seed` of all sampling; `reproducible`: each request by itself, so that a document's brief does not depend on what
      is written beside it.
    - `store`: the file in which briefs and their texts are kept and found again, made where it is not there; None:
      nothing is kept. With `fresh`, what is kept is written anew.

    `engine` takes the place of the model, in tests a ScriptedEngine; it stays the caller's to close, and briefs of it
    cannot be kept. Neither the settings file nor variables other than LOCALSUM_MODEL and LOCALSUM_MODELS are looked at.

    For one thread at a time. Use it as a context manager, or `close` it. Raises UsageError and TemplateError for
    keywords that cannot be used; ModelError comes with the first brief, or `load`.
    """

    def __init__(
        self,
        *,
        model: str | os.PathLike[str] | None = None,
        template: str | os.PathLike[str] | Template | None = None,
        style: str | None = None,
        language: str | None = None,
        threads: int | None = None,
        context: int | None = None,
        tuning: Mapping[str, Any] | None = None,
        seed: int = 0,
        reproducible: bool = False,
        store: str | os.PathLike[str] | Connection | None = None,
        fresh: bool = False,
        engine: Engine | None = None,
    ) -> None:
        if engine is not None and (model is not None or store is not None):
            raise UsageError("an engine takes the place of a model, and its briefs cannot be kept", "leave one away")
        _check(style, threads, context, tuning or {})
        self.template = template if isinstance(template, Template) else load_template(_name(template))
        self.engine = engine  # None: not loaded yet
        self._model = _name(model)
        self._language = find_language(language) if language else None
        self._style, self._threads, self._context, self._seed = style, threads, context, seed
        self._tuning = dict(tuning or {})
        self._reproducible, self._fresh, self._kept_in = reproducible, fresh, store
        self._is_closed = False
        self._stack = ExitStack()
        self._end = weakref.finalize(self, self._stack.close)  # memory of llama.cpp is not Python's to collect

    def brief(self, document: str | Document) -> Brief:
        """The brief of a text (plain, Markdown or HTML) or a document, e.g. of `read`.

        Raises InputError for too little or too much text, EngineError where it cannot be written, ModelError without a
        usable model, StoreError.
        """
        *_, brief = self.events(document)
        assert isinstance(brief, Brief)
        return brief

    def briefs(self, documents: Iterable[str | Document | InputError]) -> Generator[Brief | Failed, None, None]:
        """A brief, or why there is none, for each text or document, as they are done: not always in their order.

        All go through one run of the engine, which asks for the next document when it has room for it, so `documents`
        may be endless. Each outcome's `document` is the one that was given; of a text, `document.path` is "text#" and
        its number, from 1. What `read` could not read, and every document that fails, is a Failed and stops no other.
        Raises ModelError without a usable model, StoreError, and what `documents` raises; these end the run. Before the
        end, close the iterator to write something else with the same Summarizer.
        """
        from localsum.runs import outcomes

        if isinstance(documents, str):
            raise UsageError("briefs takes many texts, not one", "for one: Summarizer.brief(text)")
        return outcomes(_checked(documents), recall=self.recall, write=self.write, keep=self.keep)

    def events(self, document: str | Document) -> Iterator[FieldText | Brief]:
        """The same as `brief` while it is written: pieces of fields as the model writes them, then the whole brief.

        What needs no model comes with the brief alone: quotes, extracts, all of a brief that is kept.
        """
        from localsum.engine.types import TextDelta
        from localsum.pipeline import check_readable, field_of, write_events

        read = check_readable(_document(document))
        if (kept := self.recall(read)) is not None:
            yield kept
            return
        engine, names = self.load(), [each.name for each in self.template.fields]
        for event in write_events(
            [read],
            self.template,
            engine,
            model=self._names(),
            style=self._style,
            language=self._language,
            seed=self._seed,
        ):
            if isinstance(event, TextDelta):
                yield FieldText(field_of(event.branch, names), event.branch, event.text)
            elif isinstance(event, Brief):
                self.keep(event)
                yield event
            elif isinstance(error := getattr(event, "error", None), LocalsumError):
                raise error

    def load(self, say: Say | None = None) -> Engine:
        """The engine, loaded unless it is already; `say` is told what is going on. Raises ModelError, UsageError."""
        if self._is_closed:
            raise UsageError("this Summarizer is closed", "make another one: Summarizer()")
        if self.engine is None:
            from localsum.loading import load_engine

            say = say or (lambda _: None)
            say("looking for the model")
            made = load_engine(
                self.model,
                say=say,
                cells=self._context,
                threads=self._threads,
                reproducible=self._reproducible,
                shortlist=self._language is None or self._language.code == "en",  # it is chosen by what is read
                **self._tuning,
            )
            self.engine = self._stack.enter_context(made)
        return self.engine

    def close(self) -> None:
        """Free the model's memory and close the store. What is asked for afterwards is a UsageError."""
        self._is_closed = True
        self._end()
        self.engine = None

    def __enter__(self) -> Summarizer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # What `brief` and `briefs` are made of, for whoever has to do with the store or the engine's events

    @cached_property
    def model(self) -> Model:
        """The model's name, path and SHA-256; it is looked for now, not loaded. Raises ModelError."""
        from localsum.models import find_model

        return find_model(self._model)

    @cached_property
    def settings(self) -> dict[str, Any]:
        """What a brief depends on besides document, model and template."""
        language = self._language.tag if self._language else None
        asked = {"style": self._style, "language": language, "seed": self._seed, "context": self._context}
        return {**asked, "reproducible": self._reproducible, "writer": writer_version()}

    @cached_property
    def store(self) -> Connection | None:
        """Where briefs are kept, opened now. Raises StoreError."""
        if not isinstance(self._kept_in, str | os.PathLike):
            return self._kept_in
        from localsum.store import open_store, store_path

        path = store_path(os.fspath(self._kept_in))
        return None if path is None else self._stack.enter_context(open_store(path))

    def key(self, document: Document) -> str:
        """The same for documents that have the same brief, wherever they lie."""
        from localsum.store import key_of

        return key_of(document, self.model.sha256, self.template.sha256, self.settings)

    def recall(self, document: Document) -> Brief | None:
        """The brief that is kept of the document."""
        from localsum.store import recall

        if self._is_closed or self._fresh or self.store is None:
            return None
        with _store_errors():
            return recall(self.store, self.key(document), document)

    def keep(self, brief: Brief) -> None:
        """Keep the brief in the store, if there is one. Raises StoreError."""
        from localsum.store import keep

        if self.store is not None:
            with _store_errors():
                keep(self.store, self.key(brief.document), brief, self.settings)

    def write(
        self, documents: Iterable[Document], *, say: Say | None = None, on_event: Callable[[Event], None] | None = None
    ) -> Iterator[Brief | Failed]:
        """A brief, or the reason why not, for each document as they are done; nothing of the store.

        `on_event` sees every event of the engine.
        """
        from localsum.pipeline import write_briefs

        engine = self.load(say)
        if say:
            say("reading")
        yield from write_briefs(
            documents,
            self.template,
            engine,
            model=self._names(),
            style=self._style,
            language=self._language,
            seed=self._seed,
            on_event=on_event,
        )

    def _names(self) -> dict[str, str]:
        """The model, as briefs name it."""
        if self.engine is not None and "model" not in self.__dict__:
            return {"name": self.engine.info.name, "sha256": ""}
        return {"name": self.model.name, "sha256": self.model.sha256}


@contextmanager
def _store_errors() -> Iterator[None]:
    """What SQLite complains of, as a StoreError."""
    import sqlite3

    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(f"the store cannot be used: {error}", "go without it, or name another file") from None


def _name(given: str | os.PathLike[str] | None) -> str | None:
    return None if given is None else os.fspath(given)


def _check(style: str | None, threads: int | None, context: int | None, tuning: Mapping[str, Any]) -> None:
    if style not in (None, "extractive", "written"):
        raise UsageError(f"there is no style {style!r}", "choose extractive or written, or leave it away")
    if threads is not None and threads < 1:
        raise UsageError(f"{threads} threads cannot write", "leave threads away, or give a number from 1 up")
    if context is not None and context < 1024:
        raise UsageError(f"a context of {context} tokens is too small", "leave context away, or give 1024 or more")
    if wrong := tuning.keys() - {"sequences", "batch", "kv", "layers"}:
        raise UsageError(f"tuning has no {min(wrong)!r}", "it may hold sequences, batch, kv and layers")


def _document(given: str | Document, path: str = "text") -> Document:
    """The document itself, or that of a text. Raises InputError."""
    from localsum.readers import read_text

    return given if isinstance(given, Document) else read_text(given, path=path)


def _checked(documents: Iterable[str | Document | InputError]) -> Iterator[Document | InputError | Failed]:
    """What can be briefed, and why the rest cannot."""
    from localsum.pipeline import Failed, check_readable

    for number, given in enumerate(documents, 1):
        if isinstance(given, InputError):
            yield given
            continue
        try:
            found = _document(given, f"text#{number}")
        except InputError as error:
            yield error
            continue
        try:
            yield check_readable(found)
        except InputError as error:
            yield Failed(found, error)
