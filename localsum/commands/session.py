"""What a command writes briefs with: a Summarizer and the store, as the options say; and what it reads.

The store that nobody named is found, announced, or gone without here; the view and the tally are told what goes on.
Knows nothing of outputs.
"""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localsum.commands.say import note
from localsum.errors import InputError, LocalsumError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from sqlite3 import Connection

    from localsum.brief import Brief
    from localsum.document import Document
    from localsum.engine.types import Engine
    from localsum.inputs import Inputs
    from localsum.live import LiveView
    from localsum.on_ray import Pool
    from localsum.pipeline import Failed
    from localsum.runs import Tally
    from localsum.summarizer import Summarizer
    from localsum.templates import Template

_RUN_COUNTS = (  # of engine.types.Counts, what --stats says of the run; the rest is in its "document"
    *("prompt", "reused", "forced", "sampled", "masks", "steps"),
    *("inside_s", "outside_s", "source_s"),
)


@dataclass
class Session:
    """Use it as a context manager: the store is opened first, and closed after the Summarizer."""

    template: Template
    model_name: str | None = None  # as --model, and so on
    style: str | None = None
    threads: int | None = None
    context: int | None = None
    seed: int = 0
    reproducible: bool = False
    store_name: str | None = None
    no_store: bool = False
    fresh: bool = False
    quiet: bool = False
    pool: Pool | None = None  # of engines on a cluster, instead of one here
    language: str | None = None
    store: Connection | None = None
    engine: Engine | None = None  # once it was needed; counts stay when it is closed
    loaded_at_s: float | None = None  # by time.perf_counter()
    timings: list[dict[str, float]] = field(default_factory=list)  # of the briefs that were written
    _is_elsewhere: bool = False
    _stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Session:
        with ExitStack() as stack:
            if not self.no_store:
                self.store = _open_store(stack, self.store_name, is_quiet=self.quiet)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *what: object) -> None:
        self._stack.close()

    @property
    def is_keeping(self) -> bool:
        """Whether the same command would find what was done."""
        return self.store is not None and not self.fresh

    @cached_property
    def summarizer(self) -> Summarizer:
        """What writes, with the store that was opened."""
        from localsum.summarizer import Summarizer

        return Summarizer(
            model=self.model_name, threads=self.threads, store=self.store, fresh=self.fresh, **self._asked
        )

    @property
    def _asked(self) -> dict[str, Any]:
        """What a Summarizer is asked for wherever it writes: briefs of a cluster have the keys of those of here."""
        return {
            "template": self.template,
            "style": self.style,
            "language": self.language,
            "context": self.context,
            "tuning": tuning(),
            "seed": self.seed,
            "reproducible": self.reproducible,
        }

    def write(self, documents: Iterable[Document], view: LiveView) -> Iterator[Brief | Failed]:
        """A brief, or the reason why not, for each document; nothing of the store."""
        if self.pool is not None:
            return self._write_elsewhere(documents, view, self.pool)
        if self.engine is None:
            self.engine = self._stack.enter_context(self.summarizer).load(view.note)
            self.loaded_at_s = time.perf_counter()
        return self.summarizer.write(documents, say=view.note, on_event=view.take)

    def _write_elsewhere(self, documents: Iterable[Document], view: LiveView, pool: Pool) -> Iterator[Brief | Failed]:
        """The same by the engines of a cluster, which is started or joined for it, and left when the session is."""
        from localsum import on_ray
        from localsum.guard import opened_wide

        model = self.summarizer.model
        if not self._is_elsewhere:
            view.note("starting Ray" if pool.address == "local" else "joining the cluster")
            self._stack.enter_context(opened_wide())
            self._stack.enter_context(on_ray.cluster(pool))
            self._is_elsewhere = True
        view.note(f"writing with {pool.actors} engines")
        make = partial(
            on_ray.summarizer,
            model.sha256,
            model=model.name if model.entry else str(model.path),
            threads=pool.threads,
            **self._asked,
        )
        return on_ray.write(iter(documents), make, pool)

    def run(
        self, documents: Iterable[Document | InputError], tally: Tally, view: LiveView, put: Callable[[Brief], None]
    ) -> None:
        """Put a brief of each document, kept already or written now and then kept; the tally counts."""
        from localsum.runs import run

        def progress() -> None:
            view.progress(tally.done + len(tally.failed), tally.total)

        def recall(document: Document) -> Brief | None:
            progress()
            return self.summarizer.recall(document)

        def keep(done: Brief) -> None:
            self.timings.append(done.timing)
            self.summarizer.keep(done)

        def put_it(done: Brief) -> None:
            progress()
            put(done)

        waiting = {"most_waiting": 10_000} if self.pool else {}  # a pool of engines is not made anew for a few
        write = partial(self.write, view=view)
        run(documents, tally, recall=recall, write=write, keep=keep, put=put_it, **waiting)

    def counts(self) -> dict[str, Any]:
        """What the engine counted so far and what it runs with; nothing where it was not needed."""
        if self.engine is None:
            return {}
        totals = {name: round(getattr(self.engine.totals, name), 4) for name in _RUN_COUNTS}
        return {**totals, **self.engine.info.settings}


def tuning(**said: str | int | None) -> dict[str, Any]:
    """What options of a command, and else the settings, say of the engine's inside. Raises UsageError."""
    from localsum.settings import said as set_to
    from localsum.settings import value_of

    found: dict[str, Any] = {}
    for name, option in (("branches", "sequences"), ("batch", "batch"), ("kv", "kv"), ("layers", "layers")):
        value = said.get(name)
        if value is None and (text := set_to(name)) is not None:
            value = value_of(name, text, "what is set, and where: localsum config")
        if value is not None:
            # Beside the branches there is the prefix that they share.
            found[option] = int(value) + 1 if name == "branches" else value
    return found


def read_all(
    files: Iterable[Path | None],
    tally: Tally,
    *,
    format_in: str | None = None,
    text_field: str | None = None,
    title_field: str | None = None,
    id_field: str | None = None,
) -> Iterator[Document | InputError]:
    """What is in the files, one after another; the tally counts them as they are read."""
    from localsum.pipeline import check_readable
    from localsum.readers import read

    for path in files:
        new = 1  # a file counts as unread until its first document is counted, so that Ctrl-C finds every one once
        for found in read(path, format_in=format_in, text_field=text_field, title_field=title_field, id_field=id_field):
            tally.unread, tally.read, new = tally.unread - new, tally.read + 1, 0
            try:
                yield found if isinstance(found, LocalsumError) else check_readable(found)
            except InputError as error:
                yield error
        tally.unread -= new


def left_out(inputs: Inputs) -> Iterator[str]:
    """Notes on what is in the folders and was not taken."""
    if inputs.unknown:
        yield f"note: files without a known ending left out: {inputs.unknown:,}; to read them: --glob '*'"
    if inputs.closed:
        yield f"note: folders in folders left out: {inputs.closed:,}; to read them: --recursive"


def _open_store(stack: ExitStack, named: str | None, *, is_quiet: bool) -> Connection | None:
    """The store. One that nobody asked for is gone without where it cannot be used; a new one is told of."""
    from localsum.errors import StoreError
    from localsum.store import open_store, store_path

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
