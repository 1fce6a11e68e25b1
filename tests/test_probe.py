"""A model file that kills llama.cpp ends a process of its own, and the user reads a message."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import Said
from ggufs import make_gguf

from localsum import probe, try_out
from localsum.errors import ModelError, PrivacyError
from localsum.guard import sealed, starting
from localsum.models import Model, find_model, rows, tried
from localsum.probe import Tried, try_model

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
RAN = Tried(load_s=0.1, read_tokens_s=100.0, write_tokens_s=50.0, threads=2, system="CPU")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("LOCALSUM_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


def child(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program in the place of the probe's."""
    run = subprocess.run
    monkeypatch.setattr(probe.subprocess, "run", lambda command, **how: run([command[0], "-c", program], **how))


@posix
@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGILL, signal.SIGKILL])
def test_a_signal_is_a_message(number, monkeypatch):
    child(f"import os; os.kill(os.getpid(), {int(number)})", monkeypatch)
    with pytest.raises(ModelError, match=f"killed by it .{signal.Signals(number).name}") as caught:
        try_model(Path("x.gguf"))
    assert ("processor" in caught.value.hint) == (number == signal.SIGILL)


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ('print(\'{"error": "it is odd", "hint": "go"}\')', "it is odd"),
        ("import sys; sys.exit('no such module')", "no such module"),
        ("print('not json')", "exit code 0"),
        ("print('{}')", "exit code 0"),
        ("print('[1]')", "exit code 0"),
    ],
)
def test_whatever_the_child_says_is_a_model_error(program, said, monkeypatch):
    child(program, monkeypatch)
    with pytest.raises(ModelError, match=said):
        try_model(Path("x.gguf"))


def test_a_child_that_hangs_is_ended(monkeypatch):
    child("import time; time.sleep(60)", monkeypatch)
    monkeypatch.setattr(probe, "_TIMEOUT_S", 0.2)
    with pytest.raises(ModelError, match="still not done"):
        try_model(Path("x.gguf"))


def test_the_real_child_refuses_what_is_no_model(tmp_path):
    (tmp_path / "toy.gguf").write_bytes(make_gguf())
    with sealed(), pytest.raises(ModelError, match=r"llama\.cpp cannot load toy\.gguf"):
        try_model(tmp_path / "toy.gguf")


def test_only_this_program_may_be_started_and_only_there():
    with sealed():
        with starting(sys.executable):
            with pytest.raises(PrivacyError):
                subprocess.run(["true"], check=True)
            subprocess.run([sys.executable, "-c", ""], check=True)
        with pytest.raises(PrivacyError):
            subprocess.run([sys.executable, "-c", ""], check=True)
    package = Path(probe.__file__).parent
    users = {path.name for path in package.rglob("*.py") if "import sealed, starting" in path.read_text()}
    assert users == {"probe.py"}


def test_the_child_is_sealed(monkeypatch, capsys):
    seen = []

    def look(path: Path) -> dict[str, object]:
        with pytest.raises(PrivacyError):
            subprocess.run([sys.executable, "-c", ""], check=True)
        seen.append(path)
        return {"ran": True}

    monkeypatch.setattr(probe, "_child", look)
    monkeypatch.setattr(sys, "argv", ["probe", "x.gguf"])
    probe.main()
    assert seen == [Path("x.gguf")]
    assert json.loads(capsys.readouterr().out) == {"ran": True}


# What is tried, and when


@pytest.fixture
def runs(monkeypatch) -> list[Path]:
    seen: list[Path] = []

    def run(path: Path) -> Tried:
        seen.append(path)
        return RAN

    monkeypatch.setattr(probe, "try_model", run)
    return seen


def test_an_unknown_file_is_tried_once_for_each_llama_cpp(runs, monkeypatch):
    model = Model("odd", Path("odd.gguf"), "ab" * 32, 1, None, is_vouched=False)
    try_out.make_sure(model)
    try_out.make_sure(model)
    assert runs == [Path("odd.gguf")]
    assert tried.recall("ab" * 32)["read_tokens_s"] == 100.0
    monkeypatch.setattr(probe, "llama_version", lambda: "9.9")
    try_out.make_sure(model)
    assert len(runs) == 2


def test_a_file_of_the_registry_is_not_tried(runs):
    row = rows._shipped()[0]
    assert rows.is_vouched(row["sha256"])
    try_out.make_sure(Model("known", Path("x"), row["sha256"], 1, None))
    assert runs == []


def test_what_failed_is_not_remembered(monkeypatch):
    def fail(path: Path) -> Tried:
        raise ModelError("it crashed", "take another")

    monkeypatch.setattr(probe, "try_model", fail)
    for _ in range(2):
        with pytest.raises(ModelError, match="it crashed"):
            try_out.make_sure(Model("odd", Path("odd.gguf"), "ab" * 32, 1, None, is_vouched=False))
    assert tried.recall("ab" * 32) is None


def test_a_file_by_path_is_not_vouched_for(tmp_path):
    (tmp_path / "toy.gguf").write_bytes(make_gguf())
    assert not find_model(str(tmp_path / "toy.gguf")).is_vouched


def test_a_brief_and_an_import_try_it_first(tmp_path, said: Said, monkeypatch, folder):
    (tmp_path / "toy.gguf").write_bytes(make_gguf())
    (tmp_path / "a.md").write_text("The town of Orrin bought a model on Monday. It runs in the town hall now.")
    for line in (["brief", str(tmp_path / "a.md"), "-m", str(tmp_path / "toy.gguf")],):
        code, out, err = said(*line)
        assert (code, out) == (3, "")
        assert "llama.cpp cannot load toy.gguf" in err
    assert said("models", "import", str(tmp_path / "toy.gguf"))[0] == 3
    assert not (folder / "registry.toml").exists(), "what does not run gets no row"


@pytest.mark.parametrize("text", ["", "[]", "{", '{"x": 3}', '{"x": {"read_tokens_s": "fast"}}', "[" * 100_000])
def test_a_damaged_memory_is_no_memory(text, folder):
    folder.mkdir()
    (folder / "tried.json").write_text(text)
    assert tried.recall("x") is None
    tried.remember("y", {"read_tokens_s": 1.0, "write_tokens_s": 2.0})
    assert tried.recall("y") == {"read_tokens_s": 1.0, "write_tokens_s": 2.0}


@pytest.mark.model
def test_a_real_model_runs():
    try:
        path = find_model("smollm2-135m-it").path
    except ModelError as error:
        pytest.skip(f"{error.message} {error.hint}")
    with sealed():
        ran = try_model(path)
    assert ran.read_tokens_s > ran.write_tokens_s > 1
    assert "CPU" in ran.system
