"""Files that arrive in a folder, each handed on once it is complete. Opens none of them, knows nothing of documents.

What the system tells of changes (watchfiles) only says when to look. What arrived is found by looking: the folder is
listed, and size and time of change of each file are compared with those it was handed on with. So it does not matter
which events came, were joined or got lost, whether a file was written, renamed or came with its folder, or was there
before; and a folder of which the system tells nothing is looked at now and then all the same.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import NamedTuple

from localsum.errors import InputError
from localsum.inputs import Inputs, files_in
from localsum.readers import shown

LOOK_S = 30.0  # without anything heard
DEAF_LOOK_S = 2.0  # where the system tells nothing
_TICK_S = 0.5  # at most, from one look at files that are waited for to the next
_TEMPORARY = (".part", ".partial", ".filepart", ".crdownload", ".download", ".opdownload", ".tmp", ".temp", ".swp", "~")


class State(NamedTuple):
    """What changes of a file when it is written to."""

    size: int  # bytes
    changed_ns: int


@dataclass
class Arrivals:
    """The files of a folder: those handed on, and those waited for until they stay as they are for `settle_s`.

    Which files count is said by `recursive`, `pattern` and `without` as in `inputs.find_inputs`; those with a name
    that programs give to what they are still writing do not, nor do empty ones.
    """

    folder: Path
    settle_s: float
    recursive: bool = False
    pattern: str | None = None
    without: Path | None = None
    handed_on: dict[Path, State] = field(default_factory=dict)
    waiting: dict[Path, tuple[State, float]] = field(default_factory=dict)  # since when, in seconds of any clock
    found: Inputs = field(default_factory=Inputs)  # what the last look left out or could not read

    def __post_init__(self) -> None:
        self._identity = _identity(self.folder)
        self._own = {identity for stream in (1, 2) if (identity := _identity(stream))}

    def look(self, now_s: float) -> None:
        """List the folder: what is new, or is not as it was handed on, is waited for. Raises InputError if it is gone.

        What is gone is forgotten, so a file of that name is new.
        """
        if self._identity is None or _identity(self.folder) != self._identity:
            raise InputError(
                f"{shown(str(self.folder))} is gone: it was deleted, moved or replaced",
                "when it is there again: localsum watch DIR",
            )
        self.found = Inputs()
        out = os.path.realpath(self.without) if self.without else None
        paths = files_in(self.folder, self.found, recursive=self.recursive, pattern=self.pattern, stay_out=out)
        states = {path: state for path in paths if (state := self._state(path))}
        self.handed_on = {path: state for path, state in self.handed_on.items() if path in states}
        self.waiting = {
            path: self.waiting.get(path, (state, now_s))
            for path, state in states.items()
            if self.handed_on.get(path) != state
        }

    def complete(self, now_s: float) -> list[Path]:
        """The files that have not changed for long enough, in the order of their names; each is handed on by this."""
        ready = []
        for path, (before, since_s) in sorted(self.waiting.items()):
            state = self._state(path)
            if state != before:
                del self.waiting[path]
                if state is not None:
                    self.waiting[path] = (state, now_s)
            elif now_s - since_s >= self.settle_s:
                del self.waiting[path]
                self.handed_on[path] = before
                ready.append(path)
        return ready

    def is_unchanged(self, path: Path) -> bool:
        """Whether a file is still as it was when it was handed on; if not, it will be handed on again."""
        return self._state(path) == self.handed_on.get(path)

    def take_all(self) -> list[Path]:
        """All that is waited for, complete or not; it is handed on by this."""
        taken = sorted(self.waiting)
        self.handed_on |= {path: state for path, (state, _) in self.waiting.items()}
        self.waiting.clear()
        return taken

    def batches(self) -> Iterator[list[Path]]:
        """What is complete, again and again, all that is complete at a time together. Raises InputError as `look`."""
        tick_s = min(_TICK_S, max(0.05, self.settle_s / 4))
        looked_s = -LOOK_S
        for is_heard in _wakes(self.folder, self.recursive, tick_s):
            now_s = time.monotonic()
            if is_heard or now_s - looked_s >= LOOK_S:
                self.look(now_s)
                looked_s = now_s
            if ready := self.complete(now_s):
                yield ready

    def _state(self, path: Path) -> State | None:
        """None of what is no file, is not begun, or is what this process itself writes its output to."""
        if is_temporary(path.name):
            return None
        try:
            info = os.stat(path)
        except (OSError, ValueError):
            return None
        if not info.st_size or (info.st_dev, info.st_ino) in self._own:
            return None
        return State(info.st_size, info.st_mtime_ns)


def is_temporary(name: str) -> bool:
    """Whether programs give such names to files they are still writing: downloads, copies, editors."""
    return name.startswith("~$") or name.lower().endswith(_TEMPORARY)


def _identity(file: Path | int) -> tuple[int, int] | None:
    try:
        info = os.stat(file)
    except (OSError, ValueError):
        return None
    return info.st_dev, info.st_ino


def _wakes(folder: Path, recursive: bool, tick_s: float) -> Iterator[bool]:
    """True when something changed in the folder, False when a tick is over without."""
    from watchfiles import watch

    tick_ms = round(tick_s * 1000)
    try:
        for changes in watch(
            folder,
            watch_filter=None,
            debounce=tick_ms,
            step=max(10, tick_ms // 5),
            rust_timeout=tick_ms,
            yield_on_timeout=True,
            recursive=recursive,
            ignore_permission_denied=True,
        ):
            yield bool(changes)
    except (OSError, RuntimeError):
        pass  # too many folders for the system, or a file system that tells nothing
    for number in count():
        time.sleep(tick_s)
        yield number % round(DEAF_LOOK_S / tick_s) == 0
