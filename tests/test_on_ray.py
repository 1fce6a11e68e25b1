"""Briefs over Ray: the same as without it, on one computer with two actors. Skipped where ray is not installed."""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import Said

from localsum.brief import Brief, to_dict
from localsum.document import Document
from localsum.errors import ModelError, UsageError
from localsum.guard import opened_wide, sealed
from localsum.models import find_model
from localsum.on_ray import Pool, cluster, write
from localsum.pipeline import Failed
from localsum.readers import read_text
from localsum.summarizer import Summarizer

ROOT = Path(__file__).parents[1]
ARTICLES = Path(__file__).parent / "data/articles"
POOL = Pool(actors=2, threads=1)
pytestmark = pytest.mark.filterwarnings("ignore")  # Ray's own


@pytest.fixture(scope="module")
def here() -> Iterator[None]:
    """One Ray for all tests of this file; it takes seconds to start. Its processes find this checkout."""
    pytest.importorskip("ray.data", reason="needs localsum[ray]: pip install 'localsum[ray]'", exc_type=ImportError)
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), *([before] if before else [])])
    with cluster(POOL):
        yield
    if before is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = before


def documents(count: int) -> list[Document]:
    news = (ARTICLES / "news.md").read_text()
    return [
        read_text(f"{news}\n\nThis is copy {number} of the article.\n", path=f"{number}.md") for number in range(count)
    ]


def plain(outcome: Brief) -> dict[str, object]:
    return {**to_dict(outcome), "timing": None}


def test_the_same_briefs_as_without(here: None) -> None:
    from localsum.engine.scripted import ScriptedEngine

    texts = documents(20)
    with Summarizer(engine=ScriptedEngine()) as summarizer:
        wanted = {brief.document.path: plain(brief) for brief in summarizer.briefs(texts) if isinstance(brief, Brief)}
    found = list(write(iter(texts), lambda: Summarizer(engine=ScriptedEngine()), POOL))
    assert {brief.document.path: plain(brief) for brief in found if isinstance(brief, Brief)} == wanted
    assert len(found) == len(wanted) == 20


def test_two_actors_write_in_two_processes_each_with_one_engine(here: None, tmp_path: Path) -> None:
    def make() -> Summarizer:
        from localsum.engine.scripted import ScriptedEngine

        (tmp_path / str(os.getpid())).touch(exist_ok=False)
        return Summarizer(engine=ScriptedEngine())

    assert len(list(write(iter(documents(40)), make, POOL))) == 40
    made = {path.name for path in tmp_path.iterdir()}
    assert len(made) == 2
    assert str(os.getpid()) not in made


def test_a_document_that_kills_its_process_fails_alone(here: None) -> None:
    def make() -> Summarizer:
        from localsum.engine.scripted import ScriptedEngine

        def script(request: object, branch: object) -> None:
            if "copy 7 of" in str(request):
                os._exit(11)

        chat = "{% for m in messages %}{{ m.content }}{% endfor %}"  # so that it reads the whole article
        return Summarizer(engine=ScriptedEngine(script, chat_template=chat))

    found = list(write(iter(documents(20)), make, POOL))
    failed = [outcome for outcome in found if isinstance(outcome, Failed)]
    assert [one.error.message for one in failed] == ["7.md: it was not written: its process died or failed, twice"]
    assert sorted(str(each.document and each.document.path) for each in found) == sorted(f"{n}.md" for n in range(20))


def test_what_is_wrong_with_the_model_ends_the_run(here: None) -> None:
    def make() -> Summarizer:
        raise ModelError("No model is installed.", "localsum models pull NAME")

    with pytest.raises(ModelError, match=r"^No model is installed\.$") as caught:
        list(write(iter(documents(2)), make, POOL))
    assert caught.value.hint == "localsum models pull NAME"


def test_the_guard_is_closed_while_an_actor_writes(here: None) -> None:
    def make() -> Summarizer:
        from localsum.engine.scripted import ScriptedEngine

        def script(request: object, branch: object) -> None:
            import socket

            socket.create_connection(("127.0.0.1", 9), timeout=1)

        return Summarizer(engine=ScriptedEngine(script))

    with pytest.raises(Exception, match=r"wanted to leave this machine \(socket\."):
        list(write(iter(documents(1)), make, POOL))


@pytest.mark.parametrize("address", ["127.0.0.1:9", "ray://127.0.0.1:9", "no-such-host.invalid:6379"])
def test_a_cluster_that_is_not_there_is_said_at_once(address: str) -> None:
    pytest.importorskip("ray", reason="needs localsum[ray]: pip install 'localsum[ray]'", exc_type=ImportError)
    with pytest.raises(UsageError, match=f"^no Ray cluster at {address}: "), cluster(Pool(address=address)):
        pass


def test_the_door_is_wide_and_closes() -> None:
    import socket

    with sealed():
        with opened_wide():
            socket.socket().close()
        with pytest.raises(Exception, match="wanted to leave this machine"):
            socket.socket()


def test_only_this_command_opens_the_door() -> None:
    users = [path for path in (ROOT / "localsum").rglob("*.py") if "opened_wide" in path.read_text(encoding="utf-8")]
    assert sorted(path.name for path in users) == ["guard.py", "session.py"]
    users = [path for path in (ROOT / "localsum").rglob("*.py") if ".pool = " in path.read_text(encoding="utf-8")]
    assert sorted(path.name for path in users) == ["ray.py"]


def test_without_the_package_it_says_what_to_type(
    said: Said, stand: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    code, out, err = said("ray", str(ARTICLES / "news.md"))
    assert (code, out) == (2, "")
    assert err == "localsum: the package that runs on clusters is not installed\n  pip install 'localsum[ray]'\n"


@pytest.mark.model
def test_the_command_writes_what_brief_writes_and_keeps_it_in_the_same_store(tmp_path: Path, said: Said) -> None:
    """Two actors with the real model. It starts a Ray of its own, as the command does."""
    ray = pytest.importorskip("ray", reason="needs localsum[ray]: pip install 'localsum[ray]'")
    try:
        find_model("gemma-3-270m")
    except ModelError:
        pytest.skip("the embedded model is not installed")
    if ray.is_initialized():
        ray.shutdown()
    given = tmp_path / "given"
    given.mkdir()
    for name in ("chip-lease.md", "data-center-power.md", "hospital-scribe.md"):
        shutil.copy(ROOT / "examples" / name, given)
    (given / "short.md").write_text("Too few words.")
    lines = [json.dumps({"id": name, "text": (ARTICLES / "news.md").read_text()}) for name in ("one", "two")]
    (given / "more.jsonl").write_text("\n".join(lines) + "\n")
    options = ["--format", "json", "--reproducible", "--id-field", "id", "--quiet"]
    there = ["--store", str(tmp_path / "kept.sqlite3")]
    code, out, err = said("ray", str(given), "--output", f"{tmp_path}/ray", *options, *there)
    assert (code, out) == (1, "")
    assert "1 of 6 documents failed" in err
    assert "short.md has fewer than 5 words" in err
    assert said("brief", str(given), "--output", f"{tmp_path}/brief", *options, "--no-store")[0] == 1

    def briefs(folder: str) -> dict[str, object]:
        files = (tmp_path / folder).glob("*.json")
        return {path.name: {**json.loads(path.read_text()), "timing": None} for path in files}

    assert briefs("ray") == briefs("brief")
    assert len(briefs("ray")) == 5
    assert (tmp_path / "ray/index.md").read_text() == (tmp_path / "brief/index.md").read_text()
    options.remove("--quiet")
    _, _, err = said("brief", str(given), "--output", f"{tmp_path}/again", *options, *there)
    assert "5 from the store, 1 failed" in err
    _, _, err = said("ray", str(given), "--output", f"{tmp_path}/again", *options, *there)
    assert "5 from the store, 1 failed" in err  # and Ray was not started
