"""What commands say: data on standard output, notes on standard error, and what failed at the end of a run."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localsum.errors import LocalsumError

if TYPE_CHECKING:
    from localsum.on_ray import Pool

MOST_NAMED = 100  # documents that failed, at the end of a run


@dataclass
class Call:
    """What a command was called with, and the page that it leaves to be opened when it is done (see opening.py)."""

    arguments: list[str]
    page: Path | None = None
    pool: Pool | None = None  # of engines that a command wants to write with (see ray.py)


def write_out(text: str) -> bool:
    """Data. A reader that has seen enough and closed the pipe is no error: False. Anything else is a LocalsumError."""
    try:
        sys.stdout.buffer.write(text.encode(sys.stdout.encoding or "utf-8", "replace"))
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python tries again when it ends
        if not isinstance(error, BrokenPipeError):  # `localsum brief FILE | head` has all it wants
            raise LocalsumError(
                f"cannot write to standard output: {error.strerror or error}",
                "write to a file: localsum brief FILE --output PATH",
            ) from None
        return False
    return True


def note(text: str) -> None:
    """A line for people, without anything that a terminal would obey."""
    from localsum.render.clean import clean

    sys.stderr.write(clean(text) + "\n")


def terminal() -> dict[str, Any]:
    """Width, colour and character set of standard output."""
    import shutil

    encoding = (sys.stdout.encoding or "ascii").lower().replace("-", "")
    return {
        "width": max(20, min(shutil.get_terminal_size((80, 24)).columns, 100)),
        "color": sys.stdout.isatty()
        and not os.environ.get("NO_COLOR")
        and os.environ.get("TERM") != "dumb"
        and _obeys_codes(),
        "unicode": encoding.startswith("utf"),
    }


def _obeys_codes() -> bool:
    """Whether standard output, a terminal, obeys codes for colour. A console of Windows does when it is asked to."""
    if sys.platform != "win32":
        return True
    import ctypes
    import msvcrt

    console = ctypes.c_void_p(msvcrt.get_osfhandle(sys.stdout.fileno()))
    mode = ctypes.c_ulong()
    kernel = ctypes.windll.kernel32
    virtual_terminal = 4
    return bool(
        kernel.GetConsoleMode(console, ctypes.byref(mode))
        and kernel.SetConsoleMode(console, mode.value | virtual_terminal)
    )


def failure(failed: list[LocalsumError], documents: int, counts: str = "") -> LocalsumError:
    """What is raised at the end for all that failed: the error itself where there was one document only."""
    if documents == 1:
        return failed[0]
    lines = [f"{len(failed)} of {documents} documents failed:", *(error.message for error in failed[:MOST_NAMED])]
    if len(failed) > MOST_NAMED:
        lines.append(f"… and {len(failed) - MOST_NAMED:,} more")
    return LocalsumError("\n  ".join(lines), f"{counts}; {failed[0].hint}" if counts else failed[0].hint)
