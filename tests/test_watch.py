"""`localsum watch`: what arrives is briefed once and whole, in real processes that are also killed and interrupted."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from pathlib import Path

import pytest
from command_line import Said, Stand

from localsum.arrivals import Arrivals
from localsum.commands.session import Session
from localsum.commands.watching import Watching, counts_of
from localsum.engine.types import Branch, Event, Request
from localsum.errors import EngineError
from localsum.live import LiveView
from localsum.templates import load_template

DEADLINE_S = 60
CLOCK = count(1_000_000)
TEXT = "The harbour of Orrin was closed on {}. Two ships waited outside until noon. Nobody was hurt."


def text(day: str, sentences: int = 0) -> str:
    return TEXT.format(day) + "".join(f" Ship {number} came in after dark." for number in range(sentences))


# In this process: batches of files by a clock of the test's own, with a scripted engine.


class Batches:
    """`batches("a.md", …)` lets what is in the folder settle; says what standard output got, and the counts."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], store: Path | None, into: Path | None) -> None:
        self.session = Session(
            load_template(None), store_name=str(store) if store else None, no_store=not store, quiet=True
        )
        self.arrivals = Arrivals(folder, settle_s=1.0, without=into)
        self.watching = Watching(self.session, self.arrivals, into, "jsonl", {})
        self._capsys, self._now_s = capsys, 0.0

    def __call__(self) -> tuple[list[str], str]:
        self.arrivals.look(self._now_s)
        self._now_s += 1.0
        self.watching.brief(self.arrivals.complete(self._now_s), LiveView(is_quiet=True))
        lines = self._capsys.readouterr().out.splitlines()
        return [Path(json.loads(line)["source"]["path"]).name for line in lines], counts_of(self.watching.tally)


@pytest.fixture(params=["store", "no store"])
def batches(
    request: pytest.FixtureRequest, tmp_path: Path, stand: type[Stand], capsys: pytest.CaptureFixture[str]
) -> Iterator[Batches]:
    (tmp_path / "in").mkdir()
    store = tmp_path / "kept.sqlite3" if request.param == "store" else None
    made = Batches(tmp_path / "in", capsys, store, None)
    with made.session:
        yield made


def put(path: Path, content: str) -> None:
    """A file with a time of change of its own, since clocks of file systems are coarse."""
    path.write_text(content)
    clock_s = next(CLOCK)
    os.utime(path, (clock_s, clock_s))


def test_the_same_content_is_briefed_once_whatever_the_file_is_called(batches: Batches, tmp_path: Path) -> None:
    for name in ("a.md", "b.md"):
        put(tmp_path / "in" / name, text("Monday"))
    assert batches() == (["a.md"], "1 written, 1 known already")
    put(tmp_path / "in/c.md", text("Monday"))
    assert batches() == ([], "1 known already")
    (tmp_path / "in/a.md").rename(tmp_path / "in/d.md")
    assert batches() == ([], "1 known already")
    os.utime(tmp_path / "in/d.md", (2_000_000, 2_000_000))
    assert batches() == ([], "1 known already")
    assert len(Stand.made) == 1


def test_copies_that_arrive_together_are_briefed_once_by_an_engine_that_reads_ahead(
    batches: Batches, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Ahead(Stand):
        def run(self, requests: Iterable[Request]) -> Iterator[Event]:
            yield from super().run(list(requests))

    monkeypatch.setattr("localsum.engine.llama.LlamaEngine", Ahead)
    for name in ("a.md", "b.md", "c.md"):
        put(tmp_path / "in" / name, text("Monday" if name != "b.md" else "Tuesday"))
    assert batches() == (["a.md", "b.md"], "2 written, 1 known already")


def test_a_changed_file_is_briefed_again_by_the_engine_that_is_loaded(batches: Batches, tmp_path: Path) -> None:
    assert not Stand.made, "the engine is loaded at the first arrival"
    for day in ("Monday", "Tuesday", "Wednesday"):
        put(tmp_path / "in/a.md", text(day))
        assert batches() == (["a.md"], "1 written")
    assert len(Stand.made) == 1
    assert not Stand.made[0].is_closed


def message(number: int) -> str:
    return f"From x Thu Jan  1 00:00:0{number} 1970\nSubject: Day {number}\n\n{text(f'day {number}')}\n\n"


def test_of_a_mailbox_only_the_new_messages_are_briefed(batches: Batches, tmp_path: Path) -> None:
    put(tmp_path / "in/news.mbox", message(1) + message(2))
    assert batches() == (["news.mbox#1", "news.mbox#2"], "2 written")
    put(tmp_path / "in/news.mbox", message(1) + message(2) + message(3))
    assert batches() == (["news.mbox#3"], "1 written, 2 known already")
    put(tmp_path / "in/news.mbox", message(2) + message(3) + message(4))
    assert batches() == (["news.mbox#3"], "1 written, 2 known already"), "one was deleted, so the numbers are others"


def test_what_was_left_at_the_start_is_known(batches: Batches, tmp_path: Path) -> None:
    put(tmp_path / "in/news.mbox", message(1))
    put(tmp_path / "in/bad.md", "\0")
    batches.arrivals.look(0.0)
    batches.watching.leave(batches.arrivals.take_all())
    assert batches() == ([], "")
    put(tmp_path / "in/news.mbox", message(1) + message(2))
    put(tmp_path / "in/copy.mbox", message(1))
    assert batches() == (["news.mbox#2"], "1 written, 2 known already")


def test_a_file_that_is_written_to_again_before_it_is_read_waits_once_more(batches: Batches, tmp_path: Path) -> None:
    put(tmp_path / "in/a.md", text("Monday"))
    batches.arrivals.look(0.0)
    ready = batches.arrivals.complete(1.0)
    put(tmp_path / "in/a.md", text("Monday", sentences=1))
    batches.watching.brief(ready, LiveView(is_quiet=True))
    assert counts_of(batches.watching.tally, left="left") == ""
    assert batches() == (["a.md"], "1 written")


def test_bad_ones_fail_alone_and_once(batches: Batches, tmp_path: Path) -> None:
    put(tmp_path / "in/bad.md", "\0\1\2" * 100)
    put(tmp_path / "in/good.md", text("Monday"))
    assert batches() == (["good.md"], "1 written, 1 failed")
    assert "bad.md" in batches.watching.tally.failed[0].message
    put(tmp_path / "in/more.md", text("Tuesday"))
    assert batches() == (["more.md"], "1 written")
    assert counts_of(batches.watching.whole(), left="left") == "2 written, 1 failed"


def test_what_the_engine_fails_at_is_named_and_comes_again_when_it_is_changed(
    tmp_path: Path, stand: type[Stand], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def script(request: Request, branch: Branch) -> str | None:
        if any("Monday" in segment.text for prompt in (request.prefix, branch.suffix) for segment in prompt):
            raise EngineError("no room")
        return None

    monkeypatch.setattr(Stand, "script", staticmethod(script))
    (tmp_path / "in").mkdir()
    made = Batches(tmp_path / "in", capsys, None, tmp_path / "briefs")
    with made.session:
        put(tmp_path / "in/a.md", text("Monday"))
        put(tmp_path / "in/b.md", text("Tuesday"))
        assert made() == ([], "1 written, 1 failed")
        assert made.watching.tally.failed[0].message.startswith(f"{tmp_path}/in/a.md: ")
        assert "a.md" in (tmp_path / "briefs/index.md").read_text()
        put(tmp_path / "in/a.md", text("Wednesday"))
        assert made() == ([], "1 written")
        assert "## Failed" not in (tmp_path / "briefs/index.md").read_text()


def listed(folder: Path) -> list[str]:
    """Files that the index names, in its order; each is there."""
    lines = [line for line in (folder / "index.md").read_text().splitlines() if line.startswith("- [")]
    targets = [line.partition("](")[2].partition(")")[0] for line in lines]
    assert all((folder / target).is_file() for target in targets)
    return targets


@pytest.mark.parametrize("has_store", [True, False])
def test_a_folder_of_briefs_grows_over_several_watches(
    has_store: bool, tmp_path: Path, stand: type[Stand], capsys: pytest.CaptureFixture[str]
) -> None:
    source, into = tmp_path / "in", tmp_path / "in/briefs"
    source.mkdir()
    store = tmp_path / "kept.sqlite3" if has_store else None

    first = Batches(source, capsys, store, into)
    with first.session:
        put(source / "a.md", text("Monday"))
        put(source / "bad.md", "\0\1\2" * 100)
        assert first() == ([], "1 written, 1 failed")
        put(source / "b.md", text("Tuesday"))
        assert first() == ([], "1 written")
        before = listed(into)
        assert [name.split("-")[0] for name in before] == ["a", "b"]
        assert "bad.md" in (into / "index.md").read_text(), "it is still bad"
        put(source / "a.md", text("Wednesday"))
        put(source / "bad.md", text("Thursday"))
        assert first() == ([], "2 written")
        assert listed(into)[:2] == before, "a changed file has one brief, under the name it had"
        assert "## Failed" not in (into / "index.md").read_text()
        assert sorted(path.name for path in into.iterdir()) == sorted([*listed(into), "index.md"])
        put(source / "a.md", text("Monday"))
        assert first() == ([], "1 known already" if has_store else "1 written")
        assert "on Monday" in json.dumps(json.loads((into / before[0]).read_text())), "what it holds is what it says"
        written_ns = (into / before[0]).stat().st_mtime_ns
        put(source / "a.md", text("Monday"))
        put(source / "copy.md", text("Monday"))
        assert first() == ([], "2 known already")
        assert (into / before[0]).stat().st_mtime_ns == written_ns
        assert len(listed(into)) == 3

    second = Batches(source, capsys, store, into)
    with second.session:
        second.arrivals.look(0.0)
        second.watching.leave(second.arrivals.take_all())
        (into / before[1]).unlink()
        put(source / "c.md", text("Friday"))
        assert second() == ([], "1 written")
        assert [name.split("-")[0] for name in listed(into)] == ["a", "bad", "c"]


WRONG = [
    ("watch nothing", 2, "nothing does not exist", "mkdir nothing"),
    ("watch a.md", 2, "a.md is no folder", "localsum brief a.md"),
    ("watch in --output in", 2, "would be watched", "--output in/briefs/"),
    ("watch in --output a.md", 2, "a.md is no folder", "localsum watch in >> a.md"),
    ("watch in --output briefs.md", 2, "briefs.md is no folder", ">> briefs.md"),
    ("watch in --settle 0", 2, "'--settle'", "localsum watch --help"),
    ("watch in --template nothing", 2, "nothing", "localsum"),
    ("watch in --model nothing", 3, "nothing", "localsum models"),
    ("watch", 2, "Missing argument 'DIR'", "localsum watch --help"),
]


@pytest.mark.parametrize(("line", "code", "message", "hint"), WRONG, ids=[row[0] for row in WRONG])
def test_what_is_wrong_is_said_at_once(
    line: str, code: int, message: str, hint: str, said: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    (tmp_path / "a.md").write_text(text("Monday"))
    got, out, err = said(*line.split())
    assert (got, out) == (code, "")
    first, *_, last = err.splitlines()
    assert message in first
    assert hint in last
    assert "briefs" not in os.listdir(tmp_path / "in")


# In processes of their own, with a scripted engine; a hook writes down whatever could leave the machine.

PROGRAM = r"""
import os, signal, sys, time
from pathlib import Path
import localsum.engine.llama, localsum.models
from localsum.cli import run
from localsum.engine.scripted import ScriptedEngine

OUTWARD = (
    "socket.", "urllib.", "http.", "subprocess.", "pty.", "os.system",
    "os.fork", "os.exec", "os.posix_spawn", "os.spawn",
)

def log(name, text):
    with open(name, "a") as file:
        file.write(text + "\n")

class Engine(ScriptedEngine):
    def __init__(self, path, **options):
        log("loaded", "once")
        super().__init__(slow, check=False, chat_template="{% for m in messages %}{{ m.content }}{% endfor %}")
    def __enter__(self):
        return self
    def __exit__(self, *_):
        pass

def slow(request, branch):
    if request.id not in seen:
        seen.add(request.id)
        log("requests", request.id)
    time.sleep(float(os.environ.get("TOKEN_S", "0")))
    return "The harbour of Orrin was closed."

seen = set()
localsum.engine.llama.LlamaEngine = Engine
localsum.models.find_model = lambda name=None: localsum.models.Model("scripted", Path("x"), "00", 1, None)
signal.signal(signal.SIGINT, signal.default_int_handler)  # also where whoever started us ignores it
sys.addaudithook(lambda event, _: log("outward", event) if event.startswith(OUTWARD) else None)
code = run(sys.argv[1:])
sys.stdout.flush()
os._exit(code)
"""
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


class Watch:
    """A watch of the folder `in`, which is in `folder` as all else that it writes."""

    def __init__(
        self,
        folder: Path,
        *options: str,
        settle: str = "0.2",
        token_s: str = "0",
        before: tuple[str, ...] = (),
        **more: object,
    ) -> None:
        self.folder = folder
        (folder / "in").mkdir(exist_ok=True)
        self._err = (folder / "err.txt").open("w")
        with (folder / "out.jsonl").open("a") as out:
            self.process = subprocess.Popen(
                [*before, sys.executable, "-c", PROGRAM, "watch", "in", "--settle", settle, "-f", "jsonl", *options],
                cwd=folder,
                env={**os.environ, "LOCALSUM_STORE": "kept.sqlite3", "TOKEN_S": token_s},
                **{"stdout": out, "stderr": self._err, **more},
            )
        self.until(lambda: "watching in" in self.err)

    @property
    def err(self) -> str:
        return (self.folder / "err.txt").read_text()

    def until(self, is_so: Callable[[], bool]) -> None:
        limit = time.monotonic() + DEADLINE_S
        while not is_so():
            assert self.process.poll() is None, self.err
            assert time.monotonic() < limit, self.err
            time.sleep(0.01)

    def end(self, number: int = signal.SIGINT) -> int:
        """Its exit code; negative where a signal killed it."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.ended()

    def ended(self) -> int:
        code = self.process.wait(DEADLINE_S)
        self._err.close()
        assert "Traceback" not in self.err
        assert not (self.folder / "outward").exists(), (self.folder / "outward").read_text()
        return code

    def lines(self, name: str) -> int:
        path = self.folder / name
        return path.read_text().count("\n") if path.exists() else 0

    def put(self) -> list[str]:
        """Names of what was briefed to standard output, in this and earlier watches."""
        lines = (self.folder / "out.jsonl").read_text().splitlines()
        return [Path(json.loads(line)["source"]["path"]).name for line in lines]

    def arrives(self, name: str, content: str) -> None:
        """A file arrives whole and is waited for until it is briefed."""
        (self.folder / name).write_text(content)
        (self.folder / name).rename(self.folder / "in" / name)
        self.until(lambda: name in self.put())


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Callable[..., Watch]]:
    started: list[Watch] = []

    def start(*options: str, **more: object) -> Watch:
        started.append(Watch(tmp_path, *options, **more))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()


def kept(folder: Path) -> set[str]:
    store = sqlite3.connect(folder / "kept.sqlite3")
    try:
        return {Path(path).name for (path,) in store.execute("SELECT path FROM briefs")}
    finally:
        store.close()


@posix_only
def test_a_file_that_is_written_slowly_is_briefed_once_and_whole(watch: Callable[..., Watch], tmp_path: Path) -> None:
    one = watch(settle="2")
    with (tmp_path / "in/slow.md").open("w") as file:
        for sentence in text("Monday", sentences=10).split(". "):
            file.write(sentence + ". ")
            file.flush()
            time.sleep(0.1)
    assert one.put() == []
    one.until(lambda: one.put() == ["slow.md"])
    one.arrives("after.md", text("Tuesday"))
    assert one.put() == ["slow.md", "after.md"]
    words = json.loads((tmp_path / "out.jsonl").read_text().splitlines()[0])["source"]["words"]
    assert words == len(text("Monday", sentences=10).split())
    assert one.end() == 130
    assert "localsum: interrupted: 2 written\n  go on with: localsum watch in " in one.err


@posix_only
def test_downloads_count_once_they_have_their_name_and_bad_files_do_not_end_it(
    watch: Callable[..., Watch], tmp_path: Path
) -> None:
    one = watch("--glob", "*")
    (tmp_path / "in/a.md.part").write_text(text("Monday"))
    (tmp_path / "in/bad.md").write_bytes(b"\0\1\2" * 100)
    one.until(lambda: "localsum: in/bad.md " in one.err)
    one.arrives("b.md", text("Tuesday"))
    assert one.put() == ["b.md"]
    (tmp_path / "in/a.md.part").rename(tmp_path / "in/a.md")
    one.until(lambda: one.put() == ["b.md", "a.md"])
    assert one.err.count("localsum: in/bad.md ") == 1
    assert one.lines("loaded") == 1
    assert one.end() == 130
    assert "localsum: interrupted: 2 written, 1 failed\n" in one.err


@posix_only
def test_what_arrives_together_is_one_run_and_a_folder_that_is_moved_in_is_seen(
    watch: Callable[..., Watch], tmp_path: Path
) -> None:
    one = watch("--recursive", "--output", "in/briefs")
    new = tmp_path / "new"
    (new / "deep").mkdir(parents=True)
    (new / "a.md").write_text(text("Monday"))
    (new / "deep/b.md").write_text(text("Tuesday"))
    new.rename(tmp_path / "in/new")
    one.until(lambda: "2 files: 2 written" in one.err)
    (tmp_path / "in/new/c.md").write_text(text("Wednesday"))
    one.until(lambda: "in/new/c.md: 1 written" in one.err)
    assert len(listed(tmp_path / "in/briefs")) == 3
    assert len(list((tmp_path / "in/briefs").glob("*.jsonl"))) == 3, "no brief of a brief"
    assert one.lines("loaded") == 1
    assert one.put() == []
    shutil.rmtree(tmp_path / "in")
    assert one.ended() == 1
    assert one.err.endswith(
        "localsum: in is gone: it was deleted, moved or replaced\n  when it is there again: localsum watch DIR\n"
    )


@posix_only
def test_after_a_kill_what_is_kept_is_not_briefed_again_and_what_came_meanwhile_is(
    watch: Callable[..., Watch], tmp_path: Path
) -> None:
    one = watch("--recursive", token_s="0.02")
    one.arrives("before.md", text("Monday"))
    requests = one.lines("requests")
    (tmp_path / "new").mkdir()
    for number in range(6):
        (tmp_path / f"new/{number}.md").write_text(text(f"day {number}"))
    (tmp_path / "new").rename(tmp_path / "in/new")
    one.until(lambda: len(one.put()) > 2)
    assert one.end(signal.SIGKILL) == -signal.SIGKILL
    done = kept(tmp_path)
    assert 3 <= len(done) < 7
    (tmp_path / "in/meanwhile.md").write_text(text("Friday"))
    before = one.lines("requests")
    two = watch("--recursive")
    two.until(lambda: len(kept(tmp_path)) == 8)
    two.arrives("after.md", text("Sunday"))
    assert two.end() == 130
    assert len(two.put()) == len(set(two.put())), "printed twice"
    assert set(two.put()) >= kept(tmp_path) - done
    assert two.lines("requests") - before <= requests * (9 - len(done)), "what was kept was written again"


@posix_only
def test_control_c_finishes_the_write_in_hand_and_says_what_is_not_done(
    watch: Callable[..., Watch], tmp_path: Path
) -> None:
    one = watch("--recursive", "--output", "briefs/", token_s="0.02")
    (tmp_path / "new").mkdir()
    for number in range(6):
        (tmp_path / f"new/{number}.md").write_text(text(f"day {number}"))
    (tmp_path / "new").rename(tmp_path / "in/new")
    one.until(lambda: (tmp_path / "briefs").exists() and len(list((tmp_path / "briefs").glob("*.jsonl"))) > 1)
    assert one.end() == 130
    done = kept(tmp_path)
    assert {
        Path(json.loads(p.read_text())["source"]["path"]).name for p in (tmp_path / "briefs").glob("*.jsonl")
    } == done
    assert len(listed(tmp_path / "briefs")) == len(done)
    if len(done) < 6:
        assert f"localsum: interrupted: {len(done)} written, " in one.err
        assert " not done\n  go on with: localsum watch in " in one.err
    two = watch("--recursive", "--output", "briefs/")
    two.until(lambda: f"6 files: {6 - len(done)} written" in two.err or len(done) == 6)
    assert len(listed(tmp_path / "briefs")) == 6
    assert two.end() == 130


@posix_only
def test_a_reader_that_has_seen_enough_ends_it(watch: Callable[..., Watch], tmp_path: Path) -> None:
    """`localsum watch DIR --format jsonl | head -n 1`"""
    one = watch(stdout=subprocess.PIPE)
    (tmp_path / "in/a.md").write_text(text("Monday"))
    assert json.loads(one.process.stdout.readline())["source"]["path"] == "in/a.md"
    one.process.stdout.close()
    (tmp_path / "in/b.md").write_text(text("Tuesday"))
    assert one.ended() == 0
    assert kept(tmp_path) == {"a.md", "b.md"}


@posix_only
def test_the_system_sees_no_call_to_the_network_and_no_other_program(
    watch: Callable[..., Watch], tmp_path: Path
) -> None:
    """What tells of changes is no Python, so the hook of the other tests would not see it go out."""
    calls = tmp_path / "calls"
    trace = ["strace", "-f", "-qq", "-e", "trace=%network,execve,fork,vfork", "-e", "signal=none", "-o", str(calls)]
    if shutil.which("strace") is None or subprocess.run([*trace, "true"], capture_output=True).returncode:
        pytest.skip("strace cannot be used here")
    one = watch(before=tuple(trace))
    one.arrives("a.md", text("Monday"))
    shutil.rmtree(tmp_path / "in")
    assert one.ended() == 1
    seen = calls.read_text(errors="replace").splitlines()
    assert len(seen) == 1, seen
    assert "execve(" in seen[0]  # the watch itself
