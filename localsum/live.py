"""The live view on stderr: the fields of the brief fill in place. Nothing where stderr is no terminal.

Knows engine events and names of fields.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING

from localsum.engine.types import BranchDone, Event, RequestDone, RequestFailed, TextDelta
from localsum.pipeline import field_of
from localsum.render.clean import one_line, to_ascii
from localsum.render.outline import label

if TYPE_CHECKING:
    from rich.console import Group
    from rich.live import Live
    from rich.text import Text

_KEPT = 400  # characters of a text; more than a line never shows
_WAITING, _WRITING, _DONE = "·", "›", "✓"
_PAST, _AHEAD = "━", "─"  # of the bar
_BAR = 40  # columns at most
_PLAIN = str.maketrans({_WAITING: ".", _WRITING: ">", _DONE: "+", _PAST: "#", _AHEAD: "-"})


@dataclass(slots=True)
class _Field:
    """What is written of a field: the branch that spoke last, and which of its branches still do."""

    branch: str = ""
    text: str = ""
    open: set[str] = field(default_factory=set)

    @property
    def mark(self) -> str:
        return _WRITING if self.open else _DONE if self.branch else _WAITING


class LiveView:
    """Feed it engine events. It draws on stderr only, at most ten times a second, and leaves nothing behind.

    `fields` are the names of the template's fields, in its order.
    """

    def __init__(self, *, is_quiet: bool, fields: tuple[str, ...] = ()) -> None:
        self._quiet = is_quiet
        self._names = fields
        self._written: dict[str, dict[str, _Field]] = {}  # by document, those that the engine is at
        self._done: set[str] = set()  # documents of which all requests so far are done
        self._note = "loading the model"
        self._done_of = (0, 1)
        self._tokens = 0
        self._started = time.perf_counter()
        self._live: Live | None = None

    def __enter__(self) -> LiveView:
        if not self._quiet and sys.stderr.isatty():
            from rich.console import Console
            from rich.live import Live

            console = Console(stderr=True, highlight=False)
            self._live = Live(
                console=console,
                get_renderable=lambda: self._view(console.width, is_plain=not console.encoding.startswith("utf")),
                refresh_per_second=10,
                transient=True,
                redirect_stdout=False,
            )
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """The view is off while something else is written to the terminal."""
        if self._live:
            self._live.stop()
        yield
        self._written = {key: fields for key, fields in self._written.items() if key not in self._done}
        if self._live:
            self._live.start()

    def note(self, text: str) -> None:
        """What is going on besides writing: loading, reading."""
        self._note = text

    def progress(self, done: int, total: int) -> None:
        """How many documents are done (or have failed), and how many there are as far as is known."""
        self._done_of = (done, total)

    def take(self, event: Event) -> None:
        document = event.request.partition(".")[0]
        if isinstance(event, TextDelta | BranchDone):
            self._begin(document)
            written = self._written[document].setdefault(field_of(event.branch, self._names), _Field())
            if isinstance(event, BranchDone):
                written.open.discard(event.branch)
                if not written.open:
                    written.branch, written.text = event.branch, event.text[:_KEPT]
                return
            self._note = "writing"
            before = written.text if written.branch == event.branch else ""
            written.branch, written.text = event.branch, (before + event.text)[-_KEPT:]
            written.open.add(event.branch)
        elif isinstance(event, RequestDone):
            self._tokens += event.counts.prompt + event.counts.forced + event.counts.sampled
            self._note = "checking every claim against the source"
            self._done.add(document)
        elif isinstance(event, RequestFailed):
            self._written.pop(document, None)

    def _begin(self, document: str) -> None:
        """The document is being written (again); those that were done make room for it."""
        self._done.discard(document)
        if document not in self._written:
            self._written = {key: fields for key, fields in self._written.items() if key not in self._done}
            self._written[document] = {name: _Field() for name in self._names}

    def _view(self, width: int, *, is_plain: bool = False) -> Group:
        """Lines of at most `width` columns; `is_plain`: in ASCII."""
        from rich.console import Group

        show = (lambda text: to_ascii(text.translate(_PLAIN))) if is_plain else str
        run = map(_line, map(show, self._run(width))) if self._done_of[1] > 1 else ()
        return Group(*run, *self._document(width, show))

    def _run(self, width: int) -> Iterator[str]:
        """A bar, and `12 of 40 documents, 4:10 left, 138 tokens/s`; tokens are those read and those written."""
        done, total = self._done_of
        past = min(_BAR, width) * done // total
        yield _PAST * past + _AHEAD * (min(_BAR, width) - past)
        elapsed = time.perf_counter() - self._started
        said = [f"{done:,} of {total:,} documents"]
        if done:
            minutes, seconds = divmod(round(elapsed / done * (total - done)), 60)
            said.append(f"{minutes}:{seconds:02} left")
        if self._tokens:
            said.append(f"{self._tokens / elapsed:,.0f} tokens/s")
        while len(", ".join(said)) > width and len(said) > 1:
            said.pop()
        yield ", ".join(said)

    def _document(self, width: int, show: Callable[[str], str]) -> Iterator[Text]:
        """What is going on, then a line for each field of the document that was begun first."""
        from rich.cells import set_cell_size

        fields = dict(next(iter(self._written.values()), {}))  # a copy: events come while this is drawn
        begun = [written for written in fields.values() if written.branch]
        finished = sum(not written.open for written in begun)
        counts = f", {finished} of {len(begun)} parts done" if begun else ""
        yield _line(show(f"{self._note}{counts}, {time.perf_counter() - self._started:.1f} s"))
        names = {name: show(label(name)) for name in fields}
        column = min(max(map(len, names.values()), default=0), 14, width // 3)
        for name, written in fields.items():
            line = _line(f"  {show(written.mark)} {set_cell_size(names[name], column)}  ")
            yield line.append(_fitting(show(one_line(written.text)), width - column - 7, from_end=bool(written.open)))


def _line(text: str) -> Text:
    from rich.text import Text

    return Text(text, style="dim", overflow="crop", no_wrap=True)


def _fitting(text: str, width: int, *, from_end: bool) -> str:
    """The beginning of a text, or while it is being written its end, in at most `width` columns."""
    from rich.cells import cell_len, set_cell_size

    width = max(width, 1)
    if cell_len(text) <= width:
        return text
    if from_end:
        text = text[-width:]
        while cell_len(text) > width:
            text = text[1:]
        return text
    return set_cell_size(text, width).rstrip()
