"""The Makefile: what is done when, and what a newcomer is told. Nothing here installs anything."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with what the Makefile's stamps depend on, and an environment that says it is ready."""
    if not shutil.which("make"):
        pytest.skip("no make")
    (tmp_path / "tools").mkdir()
    (tmp_path / ".venv").mkdir()
    tools = [f"tools/{path.name}" for path in (ROOT / "tools").iterdir() if path.is_file()]
    for name in ("Makefile", "pyproject.toml", *tools):
        shutil.copyfile(ROOT / name, tmp_path / name)
        os.utime(tmp_path / name, (1000, 1000))
    (tmp_path / ".venv" / ".ready").touch()
    return tmp_path


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(["make", "-C", str(folder), *arguments], capture_output=True, text=True, env=environment)


def test_a_second_make_brief_runs_localsum_and_nothing_else(checkout: Path) -> None:
    commands = [line for line in make(checkout, "-n", "brief").stdout.splitlines() if not line.startswith("make")]
    assert commands == ['.venv/bin/python -m localsum brief "examples/hospital-scribe.md"']


@pytest.mark.parametrize("changed", ["pyproject.toml", "tools/setup_engine.py", "tools/machine.py", "tools/probe.c"])
def test_a_change_of_the_set_up_sets_up_again(checkout: Path, changed: str) -> None:
    os.utime(checkout / ".venv" / ".ready", (2000, 2000))
    os.utime(checkout / changed, (3000, 3000))
    assert "tools/setup_engine.py" in make(checkout, "-n", "brief").stdout


def test_an_interrupted_set_up_is_no_set_up(checkout: Path) -> None:
    (checkout / ".venv" / ".ready").unlink()
    planned = make(checkout, "-n", "brief", "LLAMA=a.whl").stdout
    assert 'tools/setup_engine.py --wheel "a.whl"' in planned
    assert planned.index("pip") < planned.index("touch .venv/.ready") < planned.index("localsum brief")


def test_an_old_python_is_refused_with_a_way_out(checkout: Path) -> None:
    (checkout / ".venv" / ".ready").unlink()
    refused = make(checkout, "brief", "PYTHON=false")
    assert refused.returncode != 0
    assert "3.11 or newer" in refused.stderr
    assert "make brief PYTHON=" in refused.stderr


def test_the_makefile_explains_itself(checkout: Path) -> None:
    shown = make(checkout).stdout
    for target in ("brief", "test", "check", "golden", "bench", "clean"):
        assert f"make {target}" in shown
