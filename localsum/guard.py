"""Nothing leaves the machine: while a command runs, Python refuses to open sockets, look up names and start programs.

An audit hook sees what any Python code asks for, localsum's own and that of libraries, in every thread. What a C
library does by itself it cannot see; llama.cpp is built without its network code (tools/setup_engine.py). Once a
command is over, `--open` hands its page to the user's browser (commands/opening.py); nothing else does such a thing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from localsum.errors import PrivacyError

# Names of audit events begin so. `socket.` holds making one, connecting, binding and looking up names.
REFUSED = (
    *("socket.", "urllib.", "http.", "ftplib.", "smtplib.", "poplib.", "imaplib.", "nntplib.", "telnetlib."),
    *("webbrowser.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.startfile"),
    *("pty.", "_winapi.CreateProcess"),
)
# What asks libraries to stay at home, for those that have such a switch.
_QUIET = {
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "DO_NOT_TRACK": "1",
}
_closed = 0  # how many `sealed` blocks are open
_is_installed = False


@contextmanager
def sealed() -> Iterator[None]:
    """Inside, whoever wants to go out gets a PrivacyError that names them. The hook stays, and sleeps outside."""
    global _closed, _is_installed
    if not _is_installed:
        sys.addaudithook(_refuse)  # for good: Python has no way to take one off
        _is_installed = True
    before = {name: os.environ.get(name) for name in _QUIET}
    os.environ.update(_QUIET)
    _closed += 1
    try:
        yield
    finally:
        _closed -= 1
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    if _closed and event.startswith(REFUSED):
        raise PrivacyError(
            f"{_caller()} wanted to leave this machine ({event}), and was refused",
            "nothing was sent; see what is kept and where: localsum doctor --privacy",
        )


def _caller() -> str:
    """Module and line of the code that asked: the nearest that is not of the standard library."""
    frame = sys._getframe(2)
    first = f"{frame.f_globals.get('__name__', '?')}:{frame.f_lineno}"
    while frame is not None:
        module = str(frame.f_globals.get("__name__", "?"))
        if module.partition(".")[0] not in sys.stdlib_module_names or module == "__main__":
            return f"{module}:{frame.f_lineno}"
        if frame.f_back is None:
            break
        frame = frame.f_back
    return first
