"""Making briefs as `brief` and `digest` do it: the options, the store, one engine, progress, what is said at the end.

Knows how a run is set up, not what becomes of its briefs.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from localsum.commands.say import failure, note
from localsum.errors import InputError, InterruptedRun, LocalsumError
from localsum.resources import writer_version

if TYPE_CHECKING:
    from contextlib import ExitStack
    from pathlib import Path
    from sqlite3 import Connection

    from localsum.brief import Brief
    from localsum.document import Document
    from localsum.engine.llama import LlamaEngine
    from localsum.inputs import Inputs
    from localsum.live import LiveView
    from localsum.models import Model
    from localsum.pipeline import Failed
    from localsum.runs import Tally
    from localsum.templates import Template

_RUN_COUNTS = (  # of engine.types.Counts, what --stats says of the run; the rest is in its "document"
    *("prompt", "reused", "forced", "sampled", "masks", "steps"),
    *("inside_s", "outside_s", "source_s"),
)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The options that both commands have."""

    model: str | None
    style: str | None
    threads: int | None
    context: int | None
    seed: int
    reproducible: bool
    quiet: bool
    store: str | None
    no_store: bool
    fresh: bool
    stats: bool
    reading: tuple[str | None, str | None, str | None, str | None]  # format, text, title and id field


@dataclass
class Maker:
    """Makes briefs by one engine, which is loaded for the first that is not kept already and closed by `stack`."""

    wanted: Wanted
    view: LiveView
    stack: ExitStack
    store: Connection | None = None
    timings: list[dict[str, float]] = field(default_factory=list)
    about_engine: dict[str, Any] = field(default_factory=dict)
    started_s: float = field(default_factory=time.perf_counter)

    def __post_init__(self) -> None:
        if not self.wanted.no_store:
            self.store = _open_store(self.stack, self.wanted.store, is_quiet=self.wanted.quiet)

    @cached_property
    def model(self) -> Model:
        from localsum.models import find_model

        return find_model(self.wanted.model)

    @cached_property
    def _engine(self) -> LlamaEngine:
        wanted = self.wanted
        self.view.note("looking for the model")
        found = self.model
        self.view.note(f"loading {found.name}")
        from localsum.engine.llama import LlamaEngine

        engine = self.stack.enter_context(
            LlamaEngine(
                found.path,
                name=found.name,
                cells=wanted.context,
                threads=wanted.threads,
                reproducible=wanted.reproducible,
            )
        )
        self.about_engine["load_s"] = round(time.perf_counter() - self.started_s, 4)
        return engine

    def make(
        self,
        documents: Iterable[Document | InputError],
        template: Template,
        tally: Tally,
        put: Callable[[Brief], None],
    ) -> None:
        """Put a brief of each document, made by the template or kept already; the tally counts."""
        from localsum.pipeline import write_briefs
        from localsum.runs import run
        from localsum.store import keep, key_of, recall

        wanted, store = self.wanted, self.store
        settings: dict[str, Any] = {
            "style": wanted.style,
            "seed": wanted.seed,
            "context": wanted.context,
            "reproducible": wanted.reproducible,
            "writer": writer_version(),
        }

        def key(document: Document) -> str:
            return key_of(document, self.model.sha256, template.sha256, settings)

        def recalled(document: Document) -> Brief | None:
            self.view.progress(tally.done + len(tally.failed), tally.total)
            return None if store is None or wanted.fresh else recall(store, key(document), document)

        def write(documents: Iterator[Document]) -> Iterator[Brief | Failed]:
            engine = self._engine
            self.view.note("reading")
            names = {"name": self.model.name, "sha256": self.model.sha256}
            yield from write_briefs(
                documents,
                template,
                engine,
                model=names,
                style=wanted.style,
                seed=wanted.seed,
                on_event=self.view.take,
            )
            self.about_engine.update({name: round(getattr(engine.totals, name), 4) for name in _RUN_COUNTS})
            self.about_engine.update(engine.info.settings)

        def keep_it(done: Brief) -> None:
            self.timings.append(done.timing)
            if store is not None:
                keep(store, key(done.document), done, settings)

        def put_it(done: Brief) -> None:
            self.view.progress(tally.done + len(tally.failed), tally.total)
            put(done)

        run(documents, tally, recall=recalled, write=write, keep=keep_it, put=put_it)

    def stats(self, tally: Tally) -> str:
        """What --stats says: one JSON object."""
        whole = {"load_s": 0.0, "wall_s": round(time.perf_counter() - self.started_s, 4), **self.about_engine}
        each = {"document": self.timings[0]} if len(self.timings) == 1 else {"documents": self.timings}
        return json.dumps({**whole, **each, "from_store": tally.recalled})

    def interrupted(self, tally: Tally, arguments: list[str]) -> InterruptedRun:
        """What Ctrl-C becomes in a run of several documents."""
        import shlex

        is_kept = self.store is not None and not self.wanted.fresh
        again = shlex.join(["localsum", *arguments])
        said = "done and kept" if is_kept else "done"
        hint = f"go on with: {again}" if is_kept else f"start again with: {again}"
        return InterruptedRun(f"interrupted: {tally.done:,} of {tally.total:,} documents are {said}", hint)


def documents_in(inputs: Inputs, tally: Tally, wanted: Wanted) -> Iterator[Document | InputError]:
    """What is in the files, one after another; the tally counts them as they are read."""
    from localsum.pipeline import check_readable
    from localsum.readers import read

    format_in, text_field, title_field, id_field = wanted.reading
    for path in inputs.files:
        new = 1  # a file counts as unread until its first document is counted, so that Ctrl-C finds every one once
        for found in read(path, format_in=format_in, text_field=text_field, title_field=title_field, id_field=id_field):
            tally.unread, tally.read, new = tally.unread - new, tally.read + 1, 0
            try:
                yield found if isinstance(found, LocalsumError) else check_readable(found)
            except InputError as error:
                yield error
        tally.unread -= new


def tally_of(inputs: Inputs) -> Tally:
    from localsum.runs import Tally

    return Tally(unread=len(inputs.files), read=len(inputs.failed), failed=list(inputs.failed))


def say_at_the_end(maker: Maker, tally: Tally, inputs: Inputs, hints: Callable[[], str]) -> None:
    """Stats or hints on standard error; raises for what failed. `hints` is the last line of a run that went well."""
    wanted = maker.wanted
    if wanted.stats:
        note(maker.stats(tally))
    for line in [] if wanted.quiet or wanted.stats else _left_out(inputs):
        note(line)
    if tally.failed:
        raise failure(tally.failed, tally.total, tally.line())
    if not wanted.quiet and not wanted.stats and (line := hints()):
        note(line)


def _open_store(stack: ExitStack, named: str | None, *, is_quiet: bool) -> Connection | None:
    """The store. One that nobody asked for is gone without where it cannot be used; a new one is told of."""
    from localsum.errors import StoreError
    from localsum.store import open_store, store_path

    path: Path | None
    if (path := store_path(named)) is None:
        return None
    is_new = not path.exists()
    try:
        store = stack.enter_context(open_store(path))
    except StoreError as error:
        if named or os.environ.get("LOCALSUM_STORE"):
            raise
        if not is_quiet:
            note(f"note: briefs are not kept, {error.message}")
        return None
    if is_new and not is_quiet:
        note(
            f"note: briefs and their texts are kept in {path}, for you only; not this time: --no-store, "
            "never: LOCALSUM_STORE=off, no longer: localsum forget --all"
        )
    return store


def _left_out(inputs: Inputs) -> Iterator[str]:
    if inputs.unknown:
        yield f"note: files without a known ending left out: {inputs.unknown:,}; to read them: --glob '*'"
    if inputs.closed:
        yield f"note: folders in folders left out: {inputs.closed:,}; to read them: --recursive"
