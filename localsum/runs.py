"""A run: many documents through one engine. Each brief is handed on the moment it is done, what fails is counted.

Knows neither files nor the store nor the engine: they come as functions. Nothing is written (no engine loaded) until a
document turns up whose brief is not kept already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from localsum.brief import Brief
from localsum.document import Document
from localsum.errors import InputError, LocalsumError
from localsum.files import undisturbed

if TYPE_CHECKING:
    from localsum.pipeline import Failed


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


def run(
    documents: Iterable[Document | InputError],
    tally: Tally,
    *,
    recall: Callable[[Document], Brief | None],
    write: Callable[[Iterator[Document]], Iterator[Brief | Failed]],
    keep: Callable[[Brief], None],
    put: Callable[[Brief], None],
) -> None:
    """Put a brief of each document: one that is kept at once, the others as `write` makes them, which then are kept.

    `write` is called once at most. Whatever a function raises ends the run; Ctrl-C waits for `keep` and `put`.
    """

    def missing() -> Iterator[Document]:
        for found in documents:
            if isinstance(found, LocalsumError):
                tally.failed.append(found)
            elif (brief := recall(found)) is None:
                yield found
            else:
                with undisturbed():
                    tally.recalled += 1
                    put(brief)

    fresh = missing()
    if (first := next(fresh, None)) is None:
        return
    for outcome in write(chain([first], fresh)):
        if not isinstance(outcome, Brief):
            tally.failed.append(outcome.error)
            continue
        with undisturbed():
            keep(outcome)  # first: what was kept is put again by the next run, what was put only is not
            tally.written += 1
            put(outcome)
