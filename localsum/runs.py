"""A run: many documents through one engine. What comes of each is handed on the moment it is done.

Knows neither files nor the store nor the engine: they come as functions. Nothing is written (no engine loaded) until a
document turns up whose brief is not kept already.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from localsum.brief import Brief
from localsum.document import Document
from localsum.errors import InputError, LocalsumError
from localsum.files import undisturbed

if TYPE_CHECKING:
    from localsum.pipeline import Failed

_MOST_WAITING = 64  # briefs that wait, in a run of kept ones, until what is being written is done


@dataclass(slots=True)
class Tally:
    """How far a run is. `unread` are files not opened yet, each of which holds one document or more."""

    unread: int = 0
    read: int = 0  # documents, the bad ones too
    written: int = 0
    recalled: int = 0  # kept from an earlier run
    failed: list[LocalsumError] = field(default_factory=list)

    @property
    def done(self) -> int:
        return self.written + self.recalled

    @property
    def total(self) -> int:
        return self.unread + self.read

    def line(self) -> str:
        """`12 documents: 9 written, 2 from the store, 1 failed`."""
        counts = {"written": self.written, "from the store": self.recalled, "failed": len(self.failed)}
        said = [f"{count:,} {what}" for what, count in counts.items() if count]
        return f"{self.total:,} document{'s' * (self.total != 1)}: {', '.join(said) or 'none done'}"


def outcomes(
    documents: Iterable[Document | InputError | Failed],
    *,
    recall: Callable[[Document], Brief | None],
    write: Callable[[Iterator[Document]], Iterator[Brief | Failed]],
    keep: Callable[[Brief], None],
    most_waiting: int = _MOST_WAITING,
) -> Generator[Brief | Failed, None, None]:
    """A brief of each document, or why there is none, as they are done: one that is kept needs no writing, the others
    come as `write` makes them, and are kept first: what was kept is found by the next run, what was only said is not.

    `documents` is read lazily; what has failed already is passed on. Whatever a function raises ends the run.
    """
    from localsum.pipeline import Failed

    pending = iter(documents)
    done: deque[Brief | Failed] = deque()  # what needed no writing, and came up while the next to write was looked for

    def missing(most: int) -> Iterator[Document]:
        """Documents to write, until none is left or `most` have come up that are done."""
        while len(done) < most and (found := next(pending, None)) is not None:
            if isinstance(found, LocalsumError):
                done.append(Failed(None, found))
            elif isinstance(found, Failed):
                done.append(found)
            elif (brief := recall(found)) is not None:
                done.append(brief)
            else:
                yield found

    while True:
        first = next(missing(1), None)
        if first is None and not done:
            return
        if first is not None:
            for outcome in write(chain([first], missing(most_waiting))):
                if isinstance(outcome, Brief):
                    with undisturbed():
                        keep(outcome)
                yield outcome
                while done:
                    yield done.popleft()
        while done:
            yield done.popleft()


def run(
    documents: Iterable[Document | InputError],
    tally: Tally,
    *,
    recall: Callable[[Document], Brief | None],
    write: Callable[[Iterator[Document]], Iterator[Brief | Failed]],
    keep: Callable[[Brief], None],
    put: Callable[[Brief], None],
    most_waiting: int = _MOST_WAITING,
) -> None:
    """Put all outcomes, counted in the tally. Ctrl-C waits for `keep` and `put`."""
    new: Brief | None = None

    def keep_and_put(brief: Brief) -> None:
        nonlocal new
        keep(brief)
        tally.written += 1
        put(brief)  # here, where Ctrl-C waits already: what is kept and not put would be neither lost nor seen
        new = brief

    for outcome in outcomes(documents, recall=recall, write=write, keep=keep_and_put, most_waiting=most_waiting):
        if not isinstance(outcome, Brief):
            tally.failed.append(outcome.error)
        elif outcome is not new:
            with undisturbed():
                tally.recalled += 1
                put(outcome)
