"""What `localsum watch` does with files that arrived: a batch of them is one engine run, and each content is put once.

Knows what was briefed so far, not when files are complete (arrivals.py).
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from localsum.commands.say import terminal, write_out
from localsum.commands.session import Session, read_all
from localsum.errors import InputError, LocalsumError
from localsum.files import undisturbed
from localsum.outputs import Folder, Output, Stream
from localsum.pipeline import Failed
from localsum.render import render
from localsum.runs import Tally, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from localsum.arrivals import Arrivals
    from localsum.brief import Brief
    from localsum.commands.options import FormatName
    from localsum.document import Document
    from localsum.live import LiveView


@dataclass
class Watching:
    """What a watch remembers from one batch of files to the next."""

    session: Session
    arrivals: Arrivals
    into: Path | None
    form: FormatName
    fields: dict[str, str | None]
    tally: Tally = field(default_factory=Tally)  # of the batch in hand, or the last one
    earlier: Tally = field(default_factory=Tally)  # of the batches before it, in sum
    key_at: dict[str, str] = field(default_factory=dict)  # Session.key of what was briefed last, by Document.path
    keys: set[str] = field(default_factory=set)  # of all that were briefed
    failed: dict[Path, list[LocalsumError]] = field(default_factory=dict)  # what is wrong with files as they are now

    def __post_init__(self) -> None:
        self.stream = Stream(self.form, lambda done: render(done, self.form, **terminal()), _write_or_end)

    def whole(self) -> Tally:
        """All batches in sum."""
        a, b = self.earlier, self.tally
        return Tally(
            a.unread + b.unread, a.read + b.read, a.written + b.written, a.recalled + b.recalled, a.failed + b.failed
        )

    def leave(self, files: list[Path]) -> None:
        """Take what is in the files for briefed."""
        for found in read_all(files, Tally(), **self.fields):
            if not isinstance(found, LocalsumError):
                self._remember(found)

    def brief(self, files: list[Path], view: LiveView) -> None:
        """Put the briefs of what is new in the files, in one engine run."""
        self.earlier, self.tally = self.whole(), Tally(unread=len(files))
        tally = self.tally
        self.failed = {path: errors for path, errors in self.failed.items() if path in self.arrivals.handed_on}
        out: Output = (
            Folder(self.into, self.form, partial(render, format=self.form), goes_on=True) if self.into else self.stream
        )
        file_of: dict[str | None, Path] = {}

        def documents() -> Iterator[Document | InputError]:
            in_hand: set[str] = set()
            for path in files:
                self.failed.pop(path, None)
                for number, found in enumerate(read_all([path], tally, **self.fields)):
                    if not number and not self.arrivals.is_unchanged(path):
                        tally.read -= 1
                        break  # somebody writes to it again
                    if isinstance(found, LocalsumError):
                        self.failed.setdefault(path, []).append(found)
                        yield found
                    elif (key := self.session.summarizer.key(found)) in in_hand or self._is_known(found, key):
                        tally.recalled += 1
                    else:
                        in_hand.add(key)
                        file_of[found.path] = path
                        out.expect(found)
                        yield found

        def recalled(document: Document) -> Brief | None:
            view.progress(tally.done + len(tally.failed), tally.total)
            # On standard output `_is_known` would have found it.
            return self.session.summarizer.recall(document) if self.into else None

        def write(documents: Iterator[Document]) -> Iterator[Brief | Failed]:
            for outcome in self.session.write(documents, view):
                if isinstance(outcome, Failed) and outcome.document:
                    self.failed.setdefault(file_of[outcome.document.path], []).append(outcome.error)
                yield outcome

        def put(done: Brief) -> None:
            view.progress(tally.done + len(tally.failed), tally.total)
            with nullcontext() if self.into else view.aside():
                out.put(done)
            self._remember(done.document)

        try:
            run(documents(), tally, recall=recalled, write=write, keep=self.session.summarizer.keep, put=put)
        finally:
            with undisturbed():
                out.close([error for errors in self.failed.values() for error in errors])

    def _is_known(self, document: Document, key: str) -> bool:
        """Whether there is nothing to put: of a copy; on standard output, of what was ever briefed.

        In a folder, a file that is again what it once was has its brief of then put again.
        """
        if key in self.keys and (not self.into or self.key_at.get(document.path or "", key) == key):
            return True
        if self.into or self.session.summarizer.recall(document) is None:
            return False
        self._remember(document)
        return True

    def _remember(self, document: Document) -> None:
        self.key_at[document.path or ""] = key = self.session.summarizer.key(document)
        self.keys.add(key)


def counts_of(tally: Tally, left: str = "") -> str:
    """`9 written, 2 known already, 1 failed`; `left` is what to call documents that were not come to."""
    counts = {"written": tally.written, "known already": tally.recalled, "failed": len(tally.failed)}
    if left:
        counts[left] = tally.total - tally.done - len(tally.failed)
    return ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)


def _write_or_end(text: str) -> None:
    if not write_out(text):
        raise typer.Exit  # `localsum watch DIR | head` has all it wants
