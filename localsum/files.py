"""Writing files so that nothing half-written is ever seen. Knows nothing of what is in them."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from localsum.errors import UsageError


def write_atomically(path: Path, text: str) -> None:
    """Replace `path` by `text`, UTF-8, readable by the owner only. On failure the old file is untouched.

    A link is followed: what it points to is replaced.
    """
    path = path.resolve()
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(text.encode("utf-8"))
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UsageError(
            f"cannot write {path}: {error.strerror or error}", "name another file with --output PATH"
        ) from None


def check_writable(path: Path) -> None:
    """Fail early, before minutes of work, where `path` can clearly not be written."""
    if path.is_dir():
        raise UsageError(f"{path} is a directory", f"name a file: --output {path / 'brief.md'}")
    if path.exists() and not path.is_file():  # /dev/stdout, a pipe: never to be replaced by a file
        raise UsageError(f"{path} is no regular file", "write to standard output instead: leave --output away")
    if not path.parent.is_dir():
        raise UsageError(f"there is no directory {path.parent}", f"make it first: mkdir -p {path.parent}")
    if not os.access(path.parent, os.W_OK):
        raise UsageError(f"{path.parent} cannot be written to", "name another file with --output PATH")


def make_folder(path: Path) -> None:
    """The folder and those above it; what is made is its owner's only. Raises UsageError."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"cannot make the folder {path}: {error.strerror or error}", "name another one with --output DIR/"
        ) from None
    if not os.access(path, os.W_OK):
        raise UsageError(f"{path} cannot be written to", "name another folder with --output DIR/")


@contextmanager
def undisturbed() -> Iterator[None]:
    """Ctrl-C waits until the block is done, so that what is being written is written whole."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed: list[tuple[int, FrameType | None]] = []
    before = signal.signal(signal.SIGINT, lambda *what: pressed.append(what))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if pressed and callable(before):
            before(*pressed[0])
