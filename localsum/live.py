"""The live view on stderr: what is being written, as it is written. Nothing where stderr is no terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING

from localsum.engine.types import BranchDone, Event, RequestDone, TextDelta
from localsum.render.clean import clean

if TYPE_CHECKING:
    from rich.console import Group
    from rich.live import Live
    from rich.text import Text


class LiveView:
    """Feed it engine events. It draws on stderr only, at most ten times a second, and leaves nothing behind."""

    def __init__(self, *, is_quiet: bool) -> None:
        self._quiet = is_quiet
        self._texts: dict[str, str] = {}
        self._done: set[str] = set()
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
                console=console, get_renderable=self._view, refresh_per_second=10, transient=True, redirect_stdout=False
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
        if self._live:
            self._texts.clear()
            self._done.clear()
            self._live.start()

    def note(self, text: str) -> None:
        """What is going on besides writing: loading, reading."""
        self._note = text

    def progress(self, done: int, total: int) -> None:
        """How many documents are done (or have failed), and how many there are as far as is known."""
        self._done_of = (done, total)

    def take(self, event: Event) -> None:
        if isinstance(event, TextDelta):
            self._note = "writing"
            self._texts[event.branch] = (self._texts.get(event.branch, "") + event.text)[:400]
        elif isinstance(event, BranchDone):
            self._done.add(event.branch)
        elif isinstance(event, RequestDone):
            self._tokens += event.counts.prompt + event.counts.forced + event.counts.sampled
            self._note = "checking every claim against the source"

    def _view(self) -> Group:
        from rich.console import Group
        from rich.progress_bar import ProgressBar

        done, total = self._done_of
        if total > 1:
            return Group(ProgressBar(total, done, width=40), self._rate(done, total), self._parts())
        return Group(self._parts())

    def _rate(self, done: int, total: int) -> Text:
        """`12 of 40 documents, 138 tokens/s, 4:10 left`; tokens are those read and those written."""
        from rich.text import Text

        elapsed = time.perf_counter() - self._started
        said = f"{done:,} of {total:,} documents"
        if self._tokens:
            said += f", {self._tokens / elapsed:,.0f} tokens/s"
        if done:
            minutes, seconds = divmod(round(elapsed / done * (total - done)), 60)
            said += f", {minutes}:{seconds:02} left"
        return Text(said, overflow="ellipsis", no_wrap=True)

    def _parts(self) -> Text:
        from rich.text import Text

        elapsed = time.perf_counter() - self._started
        counts = f", {len(self._done)} of {len(self._texts)} parts done" if self._texts else ""
        view = Text(f"{self._note}{counts}, {elapsed:.1f} s", style="dim", overflow="ellipsis", no_wrap=True)
        for branch, text in list(self._texts.items())[-8:]:
            line = Text(f"\n  {branch}: ", style="dim", overflow="ellipsis", no_wrap=True)
            view.append(line).append(clean(text).replace("\n", " ").strip()[:90])
        return view
