"""What a shell is told when it asks for the rest of a word: in real shells, and quickly."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import Said
from test_layers import HEAVY

from localsum.commands.completion import VARIABLE
from localsum.templates import template_names

posix = pytest.mark.skipif(sys.platform == "win32", reason="shells of POSIX")

# Each: the words of a line as bash splits them, the last being typed, and what completes it.
LINES = [
    (["bri"], ["brief"]),
    (["models", "re"], ["recommend", "remove"]),
    (["brief", "--templ"], ["--template"]),
    (["brief", "--format", ""], ["terminal", "md", "html", "json", "jsonl"]),
    (["brief", "--format", "js"], ["json", "jsonl"]),
    (["brief", "-f", "h"], ["html"]),
    (["brief", "a file.md", "--style", "w"], ["written"]),
    (["brief", "--style", "=", "w"], ["written"]),
    (["brief", "--style", "="], ["extractive", "written"]),
    (["brief", "--template", ""], template_names()),
    (["schema", "-t", "bri"], ["brief"]),
    (["prompts", "show", "head"], ["headline"]),
    (["prompts", "new", "mine", "--from", "exec"], ["executive"]),
    (["models", "pull", "gemma-4-e"], ["gemma-4-e2b-it", "gemma-4-e4b-it"]),
    (["completion", "p"], ["powershell"]),
    (["brief", ""], []),  # the shell's own: paths
    (["brief", "--model", "./x"], []),
]


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder and home, with a `localsum` on the PATH that is this one; no model is installed."""
    command = tmp_path / "bin/localsum"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m localsum "$@"\n')
    command.chmod(0o755)
    (tmp_path / "article.md").write_text("x")
    monkeypatch.setenv("PATH", f"{command.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LOCALSUM_MODELS", str(tmp_path / "models"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ask(name: str, program: str) -> str:
    if shutil.which(name) is None:
        pytest.skip(f"there is no {name} here")
    quiet = {"bash": ["--norc", "--noprofile", "-ic"], "zsh": ["-f", "-c"], "fish": ["--no-config", "-c"]}[name]
    done = subprocess.run([name, *quiet, program], capture_output=True, text=True, check=True, timeout=100)
    return done.stdout


@posix
def test_bash(shell: Path) -> None:
    """One shell for all lines, as a user has one; the answers are those of its own completion function."""
    lines = ['eval "$(localsum completion bash 2>/dev/null)"']
    for words, _ in LINES:
        quoted = " ".join(f"'{word}'" for word in ["localsum", *(word.replace(" ", "\\ ") for word in words)])
        lines.append(f"COMP_WORDS=({quoted}); COMP_CWORD={len(words)}; COMPREPLY=()")
        lines.append('_localsum_completion localsum; echo "${COMPREPLY[*]}"')
    lines.append("complete -p localsum")
    *found, how = ask("bash", "\n".join(lines)).splitlines()
    assert [line.split() for line in found] == [wanted for _, wanted in LINES]
    assert how == "complete -o default -F _localsum_completion localsum"


@posix
def test_fish(shell: Path) -> None:
    said = ask("fish", 'localsum completion fish 2>/dev/null | source; complete -C "localsum brief --format js"')
    assert said.split() == ["json", "jsonl"]
    said = ask("fish", 'localsum completion fish 2>/dev/null | source; complete -C "localsum brief art"')
    assert said.split() == ["article.md"]


@posix
def test_zsh(shell: Path) -> None:
    """Its completion needs somebody at the keys; here, that the script is sound, and what it is answered."""
    script = 'compdef() { echo "$@"; }; eval "$(localsum completion zsh 2>/dev/null)"; whence -w _localsum_completion'
    assert ask("zsh", script).split("\n")[:2] == ["_localsum_completion localsum", "_localsum_completion: function"]
    asked = f"_TYPER_COMPLETE_ARGS='localsum brief --format js' {VARIABLE}=complete_zsh localsum"
    assert ask("zsh", asked) == '_arguments \'*: :(("json"\n"jsonl"))\'\n'


@pytest.mark.parametrize("name", ["bash", "zsh", "fish", "powershell"])
def test_the_script_is_printed_and_nothing_is_changed(name: str, shell: Path, said: Said) -> None:
    before = sorted(shell.rglob("*"))
    code, out, err = said("completion", name)
    assert code == 0
    assert VARIABLE in out
    assert err.startswith(f"note: to have it in every {name}, add this line to ")
    assert f"localsum completion {name}" in err
    assert sorted(shell.rglob("*")) == before
    assert said("completion", "tcsh")[0] == 2


def answer(words: list[str], program: str = "") -> subprocess.CompletedProcess[str]:
    variables = {
        VARIABLE: "complete_bash",
        "COMP_WORDS": "\n".join(["localsum", *words]),
        "COMP_CWORD": str(len(words)),
    }
    return subprocess.run(
        [sys.executable, "-c", f"import sys; from localsum.cli import run\ntry: run([])\nfinally: {program or 'pass'}"],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **variables},
    )


@pytest.mark.parametrize("words", [["brief", "--model", ""], ["brief", "--template", ""], ["models", ""]], ids=str)
def test_nothing_heavy_is_loaded(words: list[str]) -> None:
    done = answer(words, f"print('loaded:', *(name for name in {HEAVY} if name in sys.modules))")
    assert done.stdout.splitlines()[-1] == "loaded:"
    assert len(done.stdout.splitlines()) > 1


def test_only_what_is_here_is_offered_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there are models: those. `models pull` and its like know all of them."""
    from localsum import models
    from localsum.commands.names import all_models, installed_models

    names = [row.name for row in models.registry()]
    monkeypatch.setattr("localsum.models.present", lambda entry: entry.name == "gemma-3-1b-it")
    assert [name for name, _ in installed_models("")] == ["gemma-3-1b-it"]
    assert [name for name, _ in all_models("")] == names
    assert dict(all_models(""))["gemma-3-1b-it"] == "installed"
    monkeypatch.setattr("localsum.models.present", lambda entry: False)
    assert [name for name, _ in installed_models("")] == names


def test_broken_files_of_the_user_are_not_told_of_in_the_middle_of_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("settings.toml", "registry.toml"):
        (tmp_path / name).write_text("[[[")
    monkeypatch.setenv("LOCALSUM_CONFIG", str(tmp_path / "settings.toml"))
    monkeypatch.setenv("LOCALSUM_MODELS", str(tmp_path))
    done = answer(["brief", "--model", ""])
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "", "")
    assert answer(["brief", "--style", ""]).stdout.split() == ["extractive", "written"]
