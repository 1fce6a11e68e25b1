"""What the pages say is done: their Python runs, their values are those of the run, their commands work."""

import ast
import contextlib
import doctest
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import benches
import pytest
import typer
from command_line import Said, Stand
from ggufs import make_gguf

from localsum.bench import kept
from localsum.cli import app
from localsum.models import Model
from localsum.probe import Tried

ROOT = Path(__file__).parents[1]
PAGES = ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
PAGES += ["prompts/README.md", "models/README.md", "benchmarks/README.md", "examples/README.md", "CONTRIBUTING.md"]
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return [body for name, body in _BLOCK.findall(text) if name == language]


# Sessions: `>>>` with the values that come out


def run_session(page: str) -> Iterator[tuple[str, str, str]]:
    """Runs the page's sessions as one; source, what the page says that comes out, and what does."""
    names: dict[str, object] = {"__name__": "__main__"}
    for block in blocks(page, "pycon"):
        for example in doctest.DocTestParser().get_examples(block):
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                exec(compile(example.source, page, "single"), names)
            yield example.source, example.want, out.getvalue()


@pytest.mark.model
def test_the_values_of_the_internals_are_those_of_the_run(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.chdir(ROOT)
    page = "docs/internals.md"
    ran = list(run_session(page))
    assert len(ran) > 30
    if request.config.getoption("--golden-update"):
        rewrite(ROOT / page, ran)
    else:
        assert [(source, want) for source, want, _ in ran] == [(source, got) for source, _, got in ran]


def rewrite(path: Path, ran: list[tuple[str, str, str]]) -> None:
    """Puts what came out into the page."""
    rest = iter(ran)

    def session(match: re.Match[str]) -> str:
        if match[1] != "pycon":
            return match[0]
        lines = []
        for _ in doctest.DocTestParser().get_examples(match[2]):
            source, _, got = next(rest)
            first, *more = source.rstrip("\n").split("\n")
            lines += [f">>> {first}", *(f"... {line}".rstrip() for line in more), *got.rstrip("\n").split("\n")]
        return "\n".join(["```pycon", *filter(None, lines), "```"])

    path.write_text(_BLOCK.sub(session, path.read_text(encoding="utf-8")), encoding="utf-8")


# A folder in which all that the pages name is there

FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>News</title><item><title>Port</title>
<description>{0}</description></item><item><title>Crane</title><description>{0}</description></item></channel></rss>"""
MAIL = "From a@example.com Mon Jan 19 10:00:00 2026\nFrom: a@example.com\nSubject: Port\n\n{0}\n\n"
SHORT = "The port of Orrin closed on Monday after a crane fell into the basin. Nobody was hurt. Two ships wait outside."
# `localsum` for shells: the command line with an engine that needs no model.
SHIM = """#!{python}
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
import localsum.engine.llama, localsum.models
from localsum.cli import run
from localsum.engine.scripted import ScriptedEngine

class Engine(ScriptedEngine):
    def __init__(self, path, **options):
        super().__init__()
    def __enter__(self):
        return self
    def __exit__(self, *_):
        pass

localsum.engine.llama.LlamaEngine = Engine
localsum.models.find_model = lambda name=None: localsum.models.Model("scripted", Path("x"), "00", 1, None)
sys.exit(run(sys.argv[1:]))
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stand: type[Stand], said: Said) -> Path:
    """The current folder: articles in all formats, a model file, a brief that is kept; nothing of the user's."""
    article = (ROOT / "examples/chip-lease.md").read_text(encoding="utf-8")
    for name in ("article.md", "article.txt", "ARTICLE", "news/one.md", "news/deep/two.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(article, encoding="utf-8")
    page = f"<html><body><article><h1>Port</h1><p>{SHORT}</p></article></body></html>"
    for name in ("page.html", "news/deep/page.html"):
        (tmp_path / name).write_text(page)
    for name in ("news.mbox", "mail.mbox"):
        (tmp_path / name).write_text(MAIL.format(SHORT))
    (tmp_path / "feed.xml").write_text(FEED.format(SHORT))
    (tmp_path / "data.jsonl").write_text(f'{{"body": "{SHORT}"}}\n')
    (tmp_path / "mine.toml").write_text('[[field]]\nname = "gist"\nshape = "text"\nextract = "central"\n')
    (tmp_path / "file.gguf").write_bytes(make_gguf())
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    (tmp_path / "bin").mkdir()
    shim = tmp_path / "bin/localsum"
    shim.write_text(SHIM.format(python=sys.executable, root=str(ROOT)))
    shim.chmod(0o755)
    python = tmp_path / "bin/python"
    python.symlink_to(sys.executable)
    model = Model("scripted", tmp_path / "file.gguf", "5c" * 32, 1, None)
    monkeypatch.setattr("localsum.models.find_model", lambda name=None: model)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LOCALSUM_STORE", str(tmp_path / "kept.sqlite3"))
    monkeypatch.setenv("LOCALSUM_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr("webbrowser.open", lambda address: True)
    # Benchmarks: reports made by hand in the place of measured ones.
    monkeypatch.setenv("LOCALSUM_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("LOCALSUM_BENCH", str(tmp_path / "reports"))
    monkeypatch.setattr("localsum.bench.run.run", lambda bench: benches.full())
    monkeypatch.setattr("localsum.bench.run.turns", lambda made, count, names: [benches.full() for _ in made])
    for name in ("mine", "2026-11-22-1"):
        path = kept.keep(replace(benches.full(), name=name))
    for name in ("OTHER.json", "other.json"):
        shutil.copy(path, tmp_path / name)
    monkeypatch.setattr("localsum.probe.try_model", lambda _: Tried(1.0, 100.0, 50.0, 2, "CPU"))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"yes\n")))
    assert said("brief", "article.md")[0] == 0
    assert said("models", "import", "file.gguf", "--name", "mine")[0] == 0
    return tmp_path


@pytest.mark.skipif(sys.platform == "win32", reason="the folder has a program for the shell of POSIX")
@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")])
def test_the_python_of_the_pages_runs(page: str, folder: Path, stand: type[Stand]) -> None:
    names: dict[str, object] = {}
    for block in blocks(page, "python"):
        exec(compile(ast.parse(block, page), page, "exec"), names)
    assert all(engine.is_closed for engine in stand.made)


# Commands

PROGRAMS = ("localsum", "make", "git", "python", "python3", "pip", "py", "cmake", "mkdir", "cp", "nm", "grep", "strace")
PROGRAMS += ("unshare", "off=", "CMAKE_ARGS=", "PIP_EXTRA_INDEX_URL=", "LOCALSUM_STORE=", ".venv", "localsum/bin")
# What is not run here, and why.
NOT_RUN = {
    r"git clone": "there is no address yet",
    r"make (brief|test|$)|make brief LLAMA": "sets the whole checkout up; CI runs both from nothing (.ci/run)",
    r"(CMAKE_ARGS=|off=|PIP_EXTRA|pip |py -3|\.venv|localsum/bin|python3 -m venv|mkdir wheelhouse|cp ~)": "installs: "
    "needs an index of packages, a compiler or another system; tried by hand, as docs/install.md says",
    r"cmake ": "compiles llama-server for a comparison",
    r"localsum models pull": "downloads; tests/test_pull.py does it from a hub of its own",
    r"localsum models slim": "takes a real model and half a minute; tests/test_slim.py",
    r"localsum watch": "does not end; tests/test_watch.py",
    r"localsum mcp": "waits for an assistant; tests/test_mcp_server.py starts it as docs/mcp.md says",
    r"localsum ray": "needs Ray and half a minute; tests/test_on_ray.py",
    r"localsum \w+ .*--language": "needs an instruct model; tests/test_languages.py",
    r"localsum doctor --try": "runs a real model; tests/test_probe.py and test_recommend.py",
}
PLACEHOLDERS = {"[NAME|PATH]": "mine", "[NAME...]": "mine", "[--name N]": "--name other", "NAME": "mine"}
PLACEHOLDERS |= {"PATH": "file.gguf"}


def commands(page: str) -> list[str]:
    """The lines of the page's blocks without a language, if the first of a block is a command: comments removed."""
    found = []
    for block in blocks(page, ""):
        lines = [line for line in block.replace("\\\n", " ").splitlines() if line.strip() and line[0] not in " #"]
        if lines and lines[0].startswith(PROGRAMS):
            found += [re.sub(r"\s+# .*", "", line).strip() for line in lines]
    return found


def reason_not_to_run(line: str) -> str | None:
    return next((reason for pattern, reason in NOT_RUN.items() if re.match(pattern, line)), None)


@pytest.mark.skipif(sys.platform == "win32", reason="the shell of POSIX")
@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)])
def test_the_commands_of_the_pages_work(page: str, folder: Path, said: Said) -> None:
    """`localsum` in this process, with a scripted engine; what needs a shell in one; of other Python, the options."""
    missing: list[str | None] = []
    for line in commands(page):
        if reason_not_to_run(line):
            continue
        if line.startswith(("python benchmarks/", "python -m pytest", "python tools/", "python3 tools/")):
            check_options(line)
        elif line.startswith("localsum ") and not re.search(r"[<>|$;]", without_placeholders(line)):
            code, _, err = said(*shlex.split(without_placeholders(line))[1:])
            assert code == 0, (line, err)
        else:
            missing.append(run_in_a_shell(line, folder))
    if any(missing):
        pytest.skip("; ".join(filter(None, missing)))  # the other lines went well


def without_placeholders(line: str) -> str:
    for name, value in PLACEHOLDERS.items():
        line = re.sub(rf"(?<!\S){re.escape(name)}(?!\S)", value, line)
    return line


def check_options(line: str) -> None:
    """The files are there, and the program knows the options."""
    words = shlex.split(line)[1:]
    options = {word for word in words if word.startswith("--")}
    if words[:2] == ["-m", "pytest"]:
        assert all((ROOT / word).exists() for word in words[2:] if not word.startswith("-")), line
        return
    done = subprocess.run(
        [sys.executable, str(ROOT / words[0]), "--help"], capture_output=True, text=True, timeout=60, check=True
    )
    assert not [option for option in options if option not in done.stdout], line


def run_in_a_shell(line: str, folder: Path) -> str | None:
    """Runs the line; returns why not, if something is missing on this machine."""
    program = shlex.split(line)[0]
    if not line.startswith(("localsum ", "LOCALSUM_")) and shutil.which(program) is None:
        return f"{program} is not here, so this is not run: {line}"
    if program in ("strace", "unshare"):
        before = line[: line.index(" localsum ")]
        if subprocess.run([*shlex.split(before), "true"], capture_output=True).returncode:
            return f"{program} may not be used here, so this is not run: {line}"
    paths = os.pathsep.join([str(folder / "bin"), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, timeout=120, cwd=folder, env={**os.environ, "PATH": paths}
    )
    if line.endswith("(socket|connect|getaddrinfo)'") or line.startswith("grep"):
        assert done.returncode == 1 or line.startswith("grep"), (line, done.stdout)  # nothing was found
    else:
        assert done.returncode == 0, (line, done.stderr)
    if program == "strace":
        assert "socket(" not in done.stderr, done.stderr
    if program == "unshare":
        assert done.stdout.startswith("#"), done.stderr
    return None


def test_no_reason_is_left_over() -> None:
    lines = [line for page in PAGES for line in commands(page)]
    unused = [pattern for pattern in NOT_RUN if not any(re.match(pattern, line) for line in lines)]
    assert unused == []
    ran = [line for line in lines if not reason_not_to_run(line)]
    assert len(ran) > 2 * len([line for line in lines if reason_not_to_run(line)]), "most commands are run"


# Everywhere in the text


@pytest.mark.parametrize("page", PAGES)
def test_commands_in_the_text_exist_with_their_options(page: str) -> None:
    text = _BLOCK.sub("", (ROOT / page).read_text(encoding="utf-8"))
    root = typer.main.get_command(app)
    for line in re.findall(r"`(localsum [^`\n]+)`", text):
        command = root
        for word in line.split()[1:]:
            if word in getattr(command, "commands", ()):
                command = command.commands[word]
        known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
        first = line.split()[1]
        assert command is not root or first.startswith("-"), f"{page}: {line}"
        said = {word.split("=")[0].rstrip(",") for word in line.split() if re.match(r"--?[a-z]", word)}
        assert said <= known | {"--help", "-h", "--version"}, f"{page}: {line}"


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    text = _BLOCK.sub("", (ROOT / page).read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        path = (ROOT / page).parent / name if name else ROOT / page
        assert path.exists(), f"{page}: {target}"
        if anchor:
            heads = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
            slugs = {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}
            assert anchor in slugs, f"{page}: {target}"
