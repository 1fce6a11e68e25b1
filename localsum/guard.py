"""Nothing leaves the machine: while a command runs, Python refuses to open sockets, look up names and start programs.

An audit hook sees what any Python code asks for, localsum's own and that of libraries, in every thread. What a C
library does by itself it cannot see; llama.cpp is built without its network code (tools/setup_engine.py). Once a
command is over, `--open` hands its page to the user's browser (commands/opening.py); nothing else does such a thing.

Four doors, each used in one place: `opened_to` lets `models pull` look up the names of its hub and connect; `starting`
lets probe.py start this same Python once more, which seals itself, to try a model file that may crash; `waking` lets
the MCP server make its event loop, which threads wake by a pair of sockets that lead nowhere; `opened_wide` is for
`localsum ray`, which hands documents to the user's own cluster.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterable, Iterator
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
_OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
_LOOKING_UP = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")
_closed = 0  # how many `sealed` blocks are open
_before: dict[str, str | None] = {}  # what the outermost of them found in the environment
_open_to: frozenset[str] = frozenset()  # hosts
_program = ""  # that may be started
_waking: int | None = None  # the thread that makes an event loop
_is_open_wide = False
_is_installed = False


@contextmanager
def sealed() -> Iterator[None]:
    """Inside, whoever wants to go out gets a PrivacyError that names them. The hook stays, and sleeps outside."""
    global _closed, _is_installed, _before
    if not _is_installed:
        sys.addaudithook(_refuse)  # for good: Python has no way to take one off
        _is_installed = True
    before = {name: os.environ.get(name) for name in _QUIET}
    _before = _before if _closed else before
    os.environ.update(_QUIET)
    _closed += 1
    try:
        yield
    finally:
        _closed -= 1
        _restore(before)


@contextmanager
def opened_to(hosts: Iterable[str]) -> Iterator[None]:
    """Inside `sealed`, for whoever fetches a model: these hosts, and those below them, may be looked up and spoken to.

    All else is refused as ever. Whether libraries may go online is what the user's environment says; no telemetry.
    """
    global _open_to
    closed = {name: os.environ.get(name) for name in _OFFLINE}
    _restore({name: _before.get(name) for name in _OFFLINE} if _closed else closed)
    _open_to = frozenset(host.lower() for host in hosts)
    try:
        yield
    finally:
        _open_to = frozenset()
        _restore(closed)


@contextmanager
def starting(program: str) -> Iterator[None]:
    """Inside `sealed`: this one program may be started."""
    global _program
    _program = program
    try:
        yield
    finally:
        _program = ""


@contextmanager
def waking() -> Iterator[None]:
    """Inside `sealed`: this thread may make a pair of sockets that are joined to each other, as an event loop does.

    On Windows, where there are no such pairs, they are joined through this computer's own address.
    """
    global _waking
    _waking = threading.get_ident()
    try:
        yield
    finally:
        _waking = None


@contextmanager
def opened_wide() -> Iterator[None]:
    """Inside `sealed`: nothing is refused, in no thread. Libraries are still asked to stay at home."""
    global _is_open_wide
    _is_open_wide = True
    try:
        yield
    finally:
        _is_open_wide = False


def _restore(values: dict[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _is_open(event: str, arguments: tuple[object, ...]) -> bool:
    if _program and event == "subprocess.Popen":
        return arguments[0] == _program
    if _program and event == "_winapi.CreateProcess":  # what subprocess does next
        return True
    if _waking is not None and _waking == threading.get_ident():
        return _is_a_pair(event, arguments)
    if not _open_to or not event.startswith(("socket.", "http.client.")):
        return False
    if event not in _LOOKING_UP:
        return True
    host = arguments[0].decode("ascii", "replace") if isinstance(arguments[0], bytes) else str(arguments[0])
    return any(host.lower() == one or host.lower().endswith(f".{one}") for one in _open_to)


def _is_a_pair(event: str, arguments: tuple[object, ...]) -> bool:
    """Whether this may be a step of `socket.socketpair`."""
    if sys.platform != "win32":
        import socket

        return event == "socket.__new__" and arguments[1] == socket.AF_UNIX
    if event in ("socket.bind", "socket.connect"):
        address = arguments[1]
        return isinstance(address, tuple) and address[0] in ("127.0.0.1", "::1")
    return event == "socket.__new__"


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    if _closed and not _is_open_wide and event.startswith(REFUSED) and not _is_open(event, arguments):
        raise PrivacyError(
            f"{_caller()} wanted to leave this machine ({event}{_to(event, arguments)}), and was refused",
            "nothing was sent; see what is kept and where: localsum doctor --privacy",
        )


def _to(event: str, arguments: tuple[object, ...]) -> str:
    return f" {str(arguments[0])[:100]}" if event in _LOOKING_UP else ""


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
