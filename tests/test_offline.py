"""Nothing leaves the machine: a brief opens no socket, starts no process and reads or writes no file but its own.

An audit hook sees what Python does, whoever asks for it. What a C library does by itself it cannot see: llama.cpp is
built without its network code (see tools/setup_engine.py).
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from localsum.errors import ModelError
from localsum.models import find_model

ARTICLES = Path(__file__).parent / "data/articles"
INPUTS = Path(__file__).parent / "data/inputs"
NEWS = str(ARTICLES / "news.md")

# Runs a command line under an audit hook and writes what the hook saw as JSON to the file that is named first.
PROGRAM = r"""
import json, os, sys
seen = []
hook_is_on = False
WATCHED = (
    "socket.", "urllib.", "http.", "ftplib.", "smtplib.", "poplib.", "imaplib.", "telnetlib.", "webbrowser.",
    "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.startfile", "pty.",
    "ctypes.dlopen",
)
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND

def hook(event, arguments):
    if not hook_is_on:
        return
    if event.startswith(WATCHED):
        seen.append([event, [str(one)[:200] for one in arguments]])
    elif event == "open" and arguments[2] & WRITING and arguments[0] != os.devnull and type(arguments[0]) is not int:
        seen.append(["write", [str(arguments[0])]])

sys.addaudithook(hook)
hook_is_on = True
report, scripted, *command = sys.argv[1:]
if scripted == "scripted":
    import localsum.engine.llama, localsum.models
    from localsum.engine.scripted import ScriptedEngine

    class Engine(ScriptedEngine):
        def __init__(self, path, **options):
            super().__init__()
        def __enter__(self):
            return self
        def __exit__(self, *_):
            pass

    localsum.engine.llama.LlamaEngine = Engine
    localsum.models.find_model = lambda name=None: localsum.models.Model("scripted", None, "00", 1, None)
from localsum.cli import run
code = run(command)
hook_is_on = False
sys.stdout.flush()
with open(report, "w") as file:
    json.dump({"code": code, "seen": seen}, file)
"""
LOADING = ("ctypes.dlopen",)  # how llama.cpp itself is loaded


def watch(tmp_path: Path, engine: str, *command: str, program: str = PROGRAM) -> tuple[dict[str, Any], bytes]:
    report = tmp_path / "report.json"
    done = subprocess.run(
        [sys.executable, "-c", program, str(report), engine, *command],
        capture_output=True,
        cwd=tmp_path,
        timeout=280,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert report.exists(), done.stderr.decode()
    return json.loads(report.read_text()), done.stdout


def outward(report: dict[str, Any]) -> list[list[Any]]:
    """What could leave the machine; writing files and loading libraries cannot."""
    return [row for row in report["seen"] if row[0] not in ("write", *LOADING)]


def written(report: dict[str, Any]) -> list[str]:
    return [arguments[0] for event, arguments in report["seen"] if event == "write"]


@pytest.mark.parametrize(
    "what", ["import socket; socket.socket()", "import os; os.system('true')", "open('x', 'w').close()"]
)
def test_the_hook_sees(what: str, tmp_path: Path) -> None:
    """So that the tests below can fail."""
    report, _ = watch(tmp_path, "real", "--version", program=PROGRAM.replace("code = run", f"{what}; code = run"))
    assert outward(report) or written(report) == ["x"]


@pytest.mark.parametrize(
    "command",
    [
        ["brief", NEWS],
        ["brief", NEWS, "--format", "json", "--stats"],
        ["brief", str(ARTICLES / "injection.md"), "--format", "terminal"],
        ["brief", str(ARTICLES / "transcript.txt"), "--template", "brief", "--style", "extractive"],
        ["read", NEWS],
        ["read", str(INPUTS / "page.html")],
        ["read", str(INPUTS / "feed.xml")],
        ["brief", str(INPUTS / "news.eml")],
        ["read", str(INPUTS / "talk.vtt")],
        ["schema"],
        ["models"],
        ["--help"],
        ["brief", "https://example.com/article"],
    ],
    ids=" ".join,
)
def test_a_command_opens_no_socket_starts_no_process_and_writes_no_file(command: list[str], tmp_path: Path) -> None:
    report, out = watch(tmp_path, "scripted", *command)
    assert outward(report) == []
    assert written(report) == []
    is_address = command[-1].startswith("https:")
    assert report["code"] == (1 if is_address else 0)
    assert (out == b"") == is_address


def test_output_writes_the_one_file_that_was_named(tmp_path: Path) -> None:
    report, out = watch(tmp_path, "scripted", "brief", NEWS, "--output", "brief.md")
    assert report["code"] == 0
    assert out == b""
    assert outward(report) == []
    assert [Path(name).parent for name in written(report)] == [tmp_path]  # under another name first
    assert sorted(path.name for path in tmp_path.iterdir()) == ["brief.md", "report.json"]


@pytest.mark.model
def test_a_brief_by_the_real_model_opens_no_socket(tmp_path: Path) -> None:
    try:
        find_model("gemma-3-270m")  # put together before, if this is its first use
    except ModelError as error:
        pytest.skip(f"{error.message} {error.hint}")
    article = str(ARTICLES / "transcript.txt")
    report, out = watch(tmp_path, "real", "brief", article, "--model", "gemma-3-270m", "--format", "json")
    assert report["code"] == 0
    assert json.loads(out)["model"]["name"] == "gemma-3-270m"
    assert any("llama" in arguments[0] for event, arguments in report["seen"] if event in LOADING)
    assert outward(report) == []
    assert written(report) == []
