"""The model `localsum` of the real `llm` command, in a process and a user folder of its own, with a scripted engine."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from localsum.schema import json_schema
from localsum.templates import load_template

pytest.importorskip("llm", reason="needs the llm command: pip install llm")

ROOT = Path(__file__).parents[1]
DATA = Path(__file__).parent / "data"
# `llm` with the plugin as its entry point registers it, and an engine that is scripted; "leak": it looks for a way out.
PROGRAM = r"""
import sys
how, *command = sys.argv[1:]
import localsum.engine.llama, localsum.models
from localsum.engine.scripted import ScriptedEngine

def script(request, branch):
    if how == "leak":
        import socket
        socket.create_connection(("127.0.0.1", 9), timeout=1)

class Engine(ScriptedEngine):
    def __init__(self, path, **options):
        super().__init__(script, chat_template="{% for m in messages %}{{ m.content }}\n{% endfor %}")
    def __enter__(self):
        return self
    def __exit__(self, *_):
        pass

from pathlib import Path
localsum.engine.llama.LlamaEngine = Engine
localsum.models.find_model = lambda name=None: localsum.models.Model("scripted", Path("x"), "00" * 32, 1, None)
from llm.plugins import pm, load_plugins
import localsum.llm_plugin
load_plugins()
pm.register(localsum.llm_plugin)
from llm.cli import cli
cli(command)
"""


@pytest.fixture
def user(tmp_path: Path) -> Path:
    return tmp_path


def llm(user: Path, *command: str, text: str = "", how: str = "plain") -> subprocess.CompletedProcess[str]:
    variables = {"LLM_USER_PATH": str(user), "LLM_LOAD_PLUGINS": "", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, how, *command],
        input=text,
        capture_output=True,
        text=True,
        timeout=100,
        env={**os.environ, **variables},
    )


def test_the_prompt_is_the_article_and_the_answer_its_brief(user: Path) -> None:
    text = (DATA / "articles/news.md").read_text()
    done = llm(user, "-m", "localsum", text=text)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("# ")
    done = llm(user, "-m", "localsum", "-o", "format", "json", "-o", "template", "digest", text=text)
    brief = json.loads(done.stdout)
    Draft202012Validator(json_schema(load_template("digest"))).validate(brief)
    logged = json.loads(llm(user, "logs", "-n", "1", "--json").stdout)[0]
    assert (logged["model"], json.loads(logged["response"])) == ("localsum", brief)


def test_a_file_is_attached(user: Path) -> None:
    done = llm(user, "-m", "localsum", "", "-a", str(DATA / "inputs/page.html"), "-o", "format", "json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["source"]["format"] == "html"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["Too few words."], "the prompt has fewer than 5 words"),
        (["x", "-s", "Be brief."], "localsum takes no system prompt"),
        (["", "-o", "template", "poem"], "no template named 'poem'"),
        (["words", "-a", str(DATA / "articles/news.md")], "localsum writes the brief of one text"),
        (["", "--at", "https://example.com/a.html", "text/html"], "localsum fetches nothing"),
        (["", "-a", "absent.md"], "absent.md"),
    ],
)
def test_errors_say_what_is_wrong(user: Path, command: list[str], said: str) -> None:
    done = llm(user, "-m", "localsum", *command)
    assert done.returncode != 0
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_the_guard_is_closed_while_it_writes(user: Path) -> None:
    done = llm(user, "-m", "localsum", text=(DATA / "articles/news.md").read_text(), how="leak")
    assert done.returncode != 0
    assert "wanted to leave this machine (socket." in done.stderr


def test_llm_finds_it_by_its_entry_point(user: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"]["llm"] == {"localsum": "localsum.llm_plugin"}
    made = user / "site/localsum-0.dist-info"  # as an installation has it
    made.mkdir(parents=True)
    (made / "METADATA").write_text("Metadata-Version: 2.1\nName: localsum\nVersion: 0\n")
    (made / "entry_points.txt").write_text("[llm]\nlocalsum = localsum.llm_plugin\n")
    places = os.pathsep.join([str(user / "site"), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-m", "llm", "models", "list"],
        capture_output=True,
        text=True,
        timeout=100,
        env={**os.environ, "LLM_USER_PATH": str(user), "LLM_LOAD_PLUGINS": "localsum", "PYTHONPATH": places},
    )
    assert "Localsum: localsum" in done.stdout.splitlines(), done.stderr


def test_without_llm_nothing_imports_it() -> None:
    users = [
        path.name
        for path in (ROOT / "localsum").rglob("*.py")
        if "import llm\n" in path.read_text(encoding="utf-8") or "llm_plugin" in path.read_text(encoding="utf-8")
    ]
    assert users == ["llm_plugin.py"]
