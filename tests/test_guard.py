"""While a command runs, whoever wants to go out is refused and named; afterwards the hook sleeps."""

import http.client
import os
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
import typer
from command_line import Said

from localsum.cli import app
from localsum.errors import PrivacyError
from localsum.guard import sealed

OUT: dict[str, Callable[[], object]] = {
    "a socket": socket.socket,
    "a name": lambda: socket.getaddrinfo("localhost", 80),
    "a host": lambda: socket.gethostbyname("localhost"),
    "loopback": lambda: socket.create_connection(("127.0.0.1", 9), timeout=1),
    "an address": lambda: urllib.request.urlopen("http://127.0.0.1:9/", timeout=1),
    "a connection": lambda: http.client.HTTPConnection("127.0.0.1", 9, timeout=1).request("GET", "/"),
    "a program": lambda: subprocess.run([sys.executable, "--version"], check=True),
    "a shell": lambda: os.system("true"),
}
if sys.platform != "win32":
    OUT |= {
        "a fork": os.fork,
        "an exec": lambda: os.execv(sys.executable, [sys.executable, "--version"]),
        "a spawn": lambda: os.posix_spawn(sys.executable, [sys.executable, "--version"], {}),
        "a local socket": lambda: socket.socket(socket.AF_UNIX),
    }


@pytest.mark.parametrize("what", OUT)
def test_what_goes_out_is_refused_and_named(what: str) -> None:
    with pytest.raises(PrivacyError, match=rf"^{__name__}:\d+ wanted to leave this machine") as caught, sealed():
        OUT[what]()
    assert caught.value.hint.endswith("localsum doctor --privacy")


def test_threads_are_no_way_out() -> None:
    caught: list[BaseException] = []

    def work() -> None:
        try:
            socket.socket()
        except PrivacyError as error:
            caught.append(error)

    with sealed():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert len(caught) == 1


def test_afterwards_everything_is_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DO_NOT_TRACK", "0")
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    with sealed():
        assert os.environ["HF_HUB_OFFLINE"] == os.environ["DO_NOT_TRACK"] == "1"
        with sealed():
            pass
        with pytest.raises(PrivacyError):
            socket.socket()
    assert "HF_HUB_OFFLINE" not in os.environ
    assert os.environ["DO_NOT_TRACK"] == "0"
    socket.socket().close()
    subprocess.run([sys.executable, "-c", ""], check=True)


COMMANDS = {  # what each is called with
    **dict.fromkeys(("schema", "history", "export", "doctor", "models", "config"), ""),
    **dict.fromkeys(("read", "brief", "digest", "search", "models remove", "models import", "models slim"), "x"),
    **dict.fromkeys(("models list", "models recommend", "models info", "models path", "models verify"), ""),
    "models pull": "x",  # all of it but the download itself
    "watch": ".",
    **dict.fromkeys(("bench", "bench list", "prompts", "prompts list"), ""),
    **dict.fromkeys(("prompts show", "prompts new", "prompts check", "bench show"), "x"),
    **dict.fromkeys(("prompts try", "bench compare"), "x x"),
    "completion": "bash",
    "mcp": ".",
    "ray": "x",
    "show": "1",
    "forget": "--all",
}


def test_no_command_is_forgotten() -> None:
    root: Any = typer.main.get_command(app)
    groups = {name: getattr(command, "commands", {}) for name, command in root.commands.items()}
    below = [f"{group} {name}" for group, commands in groups.items() for name in commands]
    assert sorted(COMMANDS) == sorted([*root.commands, *below])


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_sealed(name: str, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that would phone home in the middle of a command: the command fails, and says who it was."""

    def phone(*_: object, **__: object) -> None:
        socket.create_connection(("127.0.0.1", 9), timeout=1)

    for place in (
        *("localsum.readers.read", "localsum.inputs.find_inputs", "localsum.schema.json_schema"),
        *("localsum.models.registry", "localsum.models.find_model", "localsum.store.store_path"),
        *(
            "localsum.models.row_of",
            "localsum.models.from_path",
            "localsum.settings.settings_path",
            "localsum.models.own.row_of",
            "localsum.models.own.check_file",
        ),
    ):
        monkeypatch.setattr(place, phone)
    code, out, err = said(*name.split(), *COMMANDS[name].split())
    assert (code, out) == (1, "")
    assert err.startswith(f"localsum: {__name__}:")
    assert "wanted to leave this machine" in err
