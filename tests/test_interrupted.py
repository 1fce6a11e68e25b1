"""Runs that are cut off: what was done is kept, what was being written is whole, the same command goes on."""

import json
import os
import random
import re
import shlex
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from briefs import brief_of

from localsum.runs import Tally, run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="fork and signals of POSIX")
DOCUMENTS = 30
KILLS = 50
SEED = 20260131

# Real runs with a scripted engine, each in a process of its own. They are forked from one that has all modules loaded,
# for a run then starts in milliseconds: a command line comes in on each line, a process id and an exit code go out.
PROGRAM = r"""
import json, os, sys, time
from pathlib import Path
import localsum.engine.llama, localsum.models
from localsum import inputs, outputs, pipeline, readers, runs, store
from localsum.cli import run
from localsum.engine.scripted import ScriptedEngine
from localsum.readers import article, decode, formats, markdown, plain
from localsum.render import as_json, clean
from localsum.render import markdown as _

class Engine(ScriptedEngine):
    def __init__(self, path, **options):
        super().__init__(slow, check=False, chat_template="{% for m in messages %}{{ m.content }}{% endfor %}")
    def __enter__(self):
        return self
    def __exit__(self, *_):
        pass

def slow(request, branch):
    if request.id not in seen:
        seen.add(request.id)
        document = request.id[:len("document-00")].rstrip(".-/")
        if document not in seen:
            seen.add(document)
            with open("began", "a") as file:
                file.write(document + "\n")
    time.sleep(0.002)
    return "The harbour of Orrin was closed."

seen = set()
localsum.engine.llama.LlamaEngine = Engine
localsum.models.find_model = lambda name=None: localsum.models.Model("scripted", Path("x"), "00", 1, None)
for line in sys.stdin:
    folder, *command = json.loads(line)
    child = os.fork()
    if child == 0:
        os.chdir(folder)
        for name, stream in (("out.txt", 1), ("err.txt", 2)):
            os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), stream)
        code = run(command)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    os.write(1, b"%d\n" % child)
    sys.stdin.readline()  # until then the child keeps its process id, whether it runs or not
    os.write(1, b"%d\n" % os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
LINE = ("brief", "in", "--format", "json", "--output", "out/", "--store", "kept.sqlite3")


class Runs:
    """Starts runs one after another; `signal` is sent `after_s` seconds after the start, if it still runs then."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def __call__(
        self, folder: Path, *command: str, signal: int = 0, after_s: float = 0.0, wait: bool = False
    ) -> tuple[int, str]:
        """Exit code (negative: the signal that killed it) and what was said on standard error.

        `wait`: the seconds count from the moment when the first document is begun.
        """
        before, limit = begun(folder), time.monotonic() + 30
        self._process.stdin.write(json.dumps([str(folder), *command]) + "\n")
        child = int(self._process.stdout.readline())
        assert child > 1
        if signal:
            while wait and begun(folder) == before:
                assert time.monotonic() < limit, (folder / "err.txt").read_text(encoding="utf-8")
                time.sleep(0.002)
            time.sleep(after_s)
            os.kill(child, signal)
        self._process.stdin.write("\n")
        return int(self._process.stdout.readline()), (folder / "err.txt").read_text(encoding="utf-8")

    def close(self) -> None:
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(30)


@pytest.fixture(scope="module")
def runs() -> Iterator[Runs]:
    made = Runs()
    yield made
    made.close()


def fill(folder: Path) -> Path:
    (folder / "in").mkdir(parents=True)
    for number in range(DOCUMENTS):
        text = f"The harbour of Orrin was closed on day {number}. Two ships waited outside until noon. Nobody was hurt."
        (folder / f"in/{number:02}.md").write_text(text)
    return folder


def kept(folder: Path) -> set[str]:
    """Paths of the documents in the store, which is whole at any moment."""
    store = sqlite3.connect(folder / "kept.sqlite3")
    try:
        assert store.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        if not store.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            return set()  # killed before the schema was there
        store.execute("INSERT INTO words(words) VALUES ('integrity-check')")
        rows = store.execute("SELECT path, brief FROM briefs").fetchall()
    finally:
        store.close()
    assert all(json.loads(brief)["source"]["path"] == path for path, brief in rows)
    return {path for path, _ in rows}


def written(folder: Path) -> set[str]:
    """Paths of the documents with a file; whatever has the name of a brief is a whole one."""
    briefs = [json.loads(path.read_text(encoding="utf-8")) for path in (folder / "out").glob("*.json")]
    assert all(brief["schema"] == "localsum.brief/1" for brief in briefs)
    return {brief["source"]["path"] for brief in briefs}


def begun(folder: Path) -> int:
    path = folder / "began"
    return path.read_text().count("\n") if path.exists() else 0


def test_runs_that_are_killed_lose_only_what_was_in_flight_and_go_on(runs: Runs, tmp_path: Path) -> None:
    """`kill -9` at random moments, 50 times, the same command again after each."""
    chance = random.Random(SEED)
    all_killed, in_the_middle, round_ = 0, 0, 0
    while all_killed < KILLS:
        folder, killed = fill(tmp_path / f"round {(round_ := round_ + 1)}"), 0
        before = set[str]()
        while len(before) < DOCUMENTS:
            is_waiting = chance.random() < 0.9  # else it may be killed before it has begun
            code, err = runs(folder, *LINE, signal=signal.SIGKILL, after_s=chance.uniform(0, 0.08), wait=is_waiting)
            assert code in (0, -signal.SIGKILL), err
            killed += code != 0
            now = kept(folder)
            assert before <= now, "something kept was lost"
            assert written(folder) <= now, "a file was written of what is not kept"
            in_the_middle += len(before) < len(now) < DOCUMENTS
            before = now
        code, err = runs(folder, *LINE)
        assert (code, err.splitlines()[-1].split(";")[0]) == (0, f"{DOCUMENTS} documents: {DOCUMENTS} from the store")
        all_killed += killed
        assert DOCUMENTS <= begun(folder) <= DOCUMENTS + killed, "what was kept was written again"
        assert written(folder) == before
        index = (folder / "out/index.md").read_text(encoding="utf-8")
        assert len(re.findall(r"^- \[", index, re.MULTILINE)) == DOCUMENTS
    assert in_the_middle > KILLS / 3, "most runs were killed before or after their work"


def test_control_c_finishes_the_write_in_hand_and_says_how_to_go_on(runs: Runs, tmp_path: Path) -> None:
    chance = random.Random(SEED)
    interrupted = 0
    for number in range(6):
        folder = fill(tmp_path / str(number))
        code, err = runs(folder, *LINE, signal=signal.SIGINT, after_s=chance.uniform(0, 0.5), wait=True)
        assert code in (0, 130)
        assert "Traceback" not in err
        line = rf"^localsum: interrupted: (\d+) of {DOCUMENTS} documents are done and kept$"
        said = re.search(line, err, re.MULTILINE)
        if code == 0 or len(kept(folder)) == DOCUMENTS:  # it was over already
            continue
        assert said, err
        interrupted += 1
        assert kept(folder) == written(folder), "one of the two writes was cut off"
        assert len(kept(folder)) == int(said[1])
        assert err.splitlines()[-1].startswith("  go on with: localsum brief in ")
        before = begun(folder)
        code, err = runs(folder, *shlex.split(err.splitlines()[-1].partition(": ")[2])[1:])
        assert code == 0
        left = DOCUMENTS - int(said[1])
        kept_ones = f", {said[1]} from the store" if said[1] != "0" else ""
        assert err.splitlines()[-1].startswith(f"{DOCUMENTS} documents: {left} written{kept_ones};")
        assert begun(folder) - before <= left
        assert len(written(folder)) == DOCUMENTS
    assert interrupted > 2


def test_two_runs_over_one_folder_share_the_store(tmp_path: Path) -> None:
    folder = fill(tmp_path / "shared")
    both = [Runs(), Runs()]
    try:
        for run in both:
            run._process.stdin.write(json.dumps([str(folder), *LINE]) + "\n")
        for run in both:
            run._process.stdin.write("\n")
            assert run._process.stdout.readline()
            assert run._process.stdout.readline() == "0\n", (folder / "err.txt").read_text()
    finally:
        for run in both:
            run.close()
    assert len(kept(folder)) == len(written(folder)) == DOCUMENTS


def test_control_c_while_a_brief_is_kept_waits_until_its_file_is_written() -> None:
    """The two writes are one for whoever presses the keys: at any moment of `keep` the brief is still put."""
    brief, calls, tally = brief_of(), list[str](), Tally()

    def keep(_brief: object) -> None:
        calls.append("kept")
        os.kill(os.getpid(), signal.SIGINT)

    def put(_brief: object) -> None:
        calls.append("put")

    with pytest.raises(KeyboardInterrupt):
        run(
            [brief.document],
            tally,
            recall=lambda _document: None,
            write=lambda documents: (brief for _ in documents),
            keep=keep,
            put=put,
        )
    assert calls == ["kept", "put"]
    assert tally.done == 1
