"""Nothing leaves the machine: a brief opens no socket, starts no process and reads or writes no file but its own.

Three witnesses: an audit hook sees what Python does, whoever asks for it (localsum's own guard, tests/test_guard.py,
would refuse it; this one is apart from it); strace sees what C libraries ask of the system; and a network namespace
without any way out shows that nothing is missed. What cannot be used on a machine is skipped there.
"""

import json
import os
import shutil
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
    from pathlib import Path
    localsum.models.find_model = lambda name=None: localsum.models.Model("scripted", Path("x"), "00", 1, None)
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
        ["brief", NEWS, str(INPUTS), "--format", "jsonl", "--no-store"],
        ["doctor"],
        ["doctor", "--privacy"],
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


def test_the_store_is_the_only_file_that_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCALSUM_STORE", str(tmp_path / "kept/briefs.sqlite3"))
    for line in (["brief", NEWS], ["brief", NEWS], ["history"], ["search", "ferries"], ["show", "1"], ["forget", "1"]):
        report, _ = watch(tmp_path, "scripted", *line)
        assert report["code"] == 0
        assert outward(report) == []
        assert {Path(name).parent for name in written(report)} <= {tmp_path / "kept"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept", "report.json"]
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["briefs.sqlite3"]


def trace(tmp_path: Path, *command: str) -> str:
    """The system calls of a command that concern the network or start programs, one a line, as strace saw them."""
    log = tmp_path / "calls"
    watching = ["strace", "-f", "-qq", "-e", "trace=%network,execve,fork,vfork", "-e", "signal=none", "-o", str(log)]
    if shutil.which("strace") is None or subprocess.run([*watching, "true"], capture_output=True).returncode:
        pytest.skip("strace cannot be used here")
    done = subprocess.run(
        [*watching, sys.executable, "-m", "localsum", *command],
        capture_output=True,
        timeout=280,
        env={**os.environ, "LOCALSUM_STORE": str(tmp_path / "kept.sqlite3")},
    )
    assert done.returncode == 0, done.stderr.decode()
    return log.read_text(errors="replace")


def alone(tmp_path: Path, *command: str) -> subprocess.CompletedProcess[bytes]:
    """A command in a network namespace that has no way out, not even loopback."""
    apart = ["unshare", "--map-root-user", "--net"]
    if shutil.which("unshare") is None or subprocess.run([*apart, "true"], capture_output=True).returncode:
        pytest.skip("no network namespace can be made here")
    return subprocess.run(
        [*apart, sys.executable, "-m", "localsum", *command],
        capture_output=True,
        timeout=280,
        env={**os.environ, "LOCALSUM_STORE": str(tmp_path / "kept.sqlite3")},
    )


OUTSIDE = [["read", str(file)] for file in (NEWS, INPUTS / "page.html", INPUTS / "feed.xml")]
OUTSIDE += [["doctor", "--privacy"]]


@pytest.mark.parametrize("command", OUTSIDE, ids=lambda found: Path(found[-1]).name)
def test_the_system_sees_no_call_to_the_network_and_no_other_program(command: list[str], tmp_path: Path) -> None:
    calls = trace(tmp_path, *command).splitlines()
    assert len(calls) == 1, calls
    assert "execve(" in calls[0]  # the command itself


def test_a_command_needs_no_network_at_all(tmp_path: Path) -> None:
    done = alone(tmp_path, "read", str(INPUTS / "page.html"))
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout


@pytest.mark.model
def test_a_run_by_the_real_model_makes_no_call_to_the_network(tmp_path: Path) -> None:
    try:
        find_model("gemma-3-270m")
    except ModelError as error:
        pytest.skip(f"{error.message} {error.hint}")
    articles = [str(ARTICLES / "transcript.txt"), str(INPUTS / "page.html")]
    line = ["brief", *articles, "--model", "gemma-3-270m", "-f", "jsonl"]
    calls = trace(tmp_path, *line).splitlines()
    assert len(calls) == 1, calls
    done = alone(tmp_path, *line, "--fresh")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 2


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
