"""docs/localsum.1 says what `--help` says, and is a man page."""

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from localsum.cli import app

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/localsum.1"
sys.path.insert(0, str(ROOT / "tools"))
import manpage  # noqa: E402


def test_it_is_that_of_now(golden: Callable[[str, str], None]) -> None:
    """Made anew by `make golden`."""
    golden("../../docs/localsum.1", manpage.page())


def shown() -> str:
    """The page as a reader sees it, on one line."""
    if shutil.which("man") is None:
        pytest.skip("there is no man here")
    done = subprocess.run(
        ["man", "--warnings", "-l", str(PAGE)],
        capture_output=True,
        text=True,
        check=True,
        env={"MANWIDTH": "10000", "MAN_KEEP_FORMATTING": "", "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
    )
    assert done.stderr == ""
    return " ".join(re.sub(r".\x08", "", done.stdout).split())


def test_it_shows_every_command_option_and_word_of_help() -> None:
    text = shown()
    root: Any = typer.main.get_command(app)
    commands = dict(root.commands)
    for group, command in root.commands.items():
        commands |= {f"{group} {name}": below for name, below in getattr(command, "commands", {}).items()}
    assert "models pull" in commands
    for name, command in commands.items():
        assert f" localsum {name} " in text
        assert " ".join(command.help.split()) in text
        for parameter in command.params:
            assert parameter.help in text
            if parameter.opts[0].startswith("-"):
                assert all(f" {name}" in text for name in parameter.opts)
    for section in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "ENVIRONMENT", "FILES", "EXAMPLES"):
        assert f" {section} " in text
    assert "LOCALSUM_STORE Stands for --store." in text


def test_it_is_sound() -> None:
    if shutil.which("mandoc") is None:
        pytest.skip("there is no mandoc here")
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", str(PAGE)], capture_output=True, text=True)
    said = [
        line for line in done.stdout.splitlines() if "missing date" not in line
    ]  # it changes with the version alone
    assert said == []


def test_no_text_is_taken_for_a_command() -> None:
    text = manpage._text(". .so x\n'y \\fB -é " + "word " * 30 + ".TH 'z")
    assert not [line for line in text.splitlines() if line.startswith((".", "'"))]
    assert r"\efB \-\[u00E9]" in text


def test_it_travels_in_the_wheel() -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["shared-data"] == {"docs/localsum.1": "share/man/man1/localsum.1"}
    assert PAGE.is_file()
