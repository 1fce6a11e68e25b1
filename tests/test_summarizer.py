"""Briefs from Python: one, many, as they are written; the same as the command line's; memory goes back."""

import gc
import itertools
import json
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from command_line import CHAT, Said, Stand
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from localsum import (
    Brief,
    Document,
    EngineError,
    Failed,
    FieldText,
    InputError,
    ScriptedEngine,
    StoreError,
    Summarizer,
    TemplateError,
    UsageError,
    json_schema,
    load_template,
    read,
    read_path,
    read_text,
    to_dict,
)
from localsum.engine.types import Branch, Request
from localsum.readers import read_bytes
from localsum.runs import _MOST_WAITING, outcomes

ARTICLES = Path(__file__).parent / "data/articles"
NEWS = ARTICLES / "news.md"
TEXT = (
    "The harbour of Orrin was closed on {}. Two ships waited outside until noon. Nobody was hurt. "
    "The mayor said that it will open again in a week, and asked every captain to wait."
)


def text(day: str) -> str:
    return TEXT.format(day)


def without_times(brief: Brief) -> Brief:
    return replace(brief, timing={})


def bad_engine(what: str) -> ScriptedEngine:
    """An engine that fails for each document in which `what` stands."""

    def script(request: Request, branch: Branch) -> str | None:
        if any(what in segment.text for segment in (*request.prefix, *branch.suffix)):
            raise EngineError("no cells")
        return None

    return ScriptedEngine(script, chat_template=CHAT)


# One


@pytest.mark.parametrize("chat", [None, CHAT])
def test_a_brief_has_the_fields_of_its_template_and_satisfies_its_schema(chat: str | None) -> None:
    with Summarizer(engine=ScriptedEngine(chat_template=chat)) as summarizer:
        made = summarizer.brief(read_path(NEWS))
    assert list(made.fields) == [field.name for field in summarizer.template.fields]
    Draft202012Validator(json_schema(summarizer.template)).validate(json.loads(json.dumps(to_dict(made))))


def test_a_document_stays_itself_and_a_text_is_read() -> None:
    document = read_text(text("Monday"))
    summarizer = Summarizer(engine=ScriptedEngine())
    assert summarizer.brief(document).document is document
    of_text = summarizer.brief(text("Monday"))
    assert of_text.document == replace(document, path="text")
    assert summarizer.brief("<html><body><p>" + text("Monday") + "</p></body></html>").document.text == document.text


def test_one_that_cannot_be_briefed_is_an_error() -> None:
    summarizer = Summarizer(engine=bad_engine("Orrin"))
    with pytest.raises(InputError, match="text has fewer than 5 words"):
        summarizer.brief("Too few words.")
    with pytest.raises(InputError, match="has no readable text"):
        summarizer.brief(" \n --- \n")
    with pytest.raises(EngineError, match="no cells"):
        summarizer.brief(text("Monday"))
    with pytest.raises(EngineError, match="no cells"):
        list(summarizer.events(text("Monday")))


@pytest.mark.parametrize("chat", [None, CHAT])
def test_events_are_what_the_model_writes_and_then_the_brief(chat: str | None) -> None:
    said: list[tuple[str, str]] = []

    def script(request: Request, branch: Branch) -> None:
        said.append((branch.id, ""))

    summarizer = Summarizer(engine=ScriptedEngine(script, chat_template=chat))
    *pieces, last = summarizer.events(read_path(NEWS))
    assert pieces
    assert isinstance(last, Brief)
    names = {field.name for field in summarizer.template.fields}
    assert all(isinstance(piece, FieldText) and piece.field in names for piece in pieces)
    assert {piece.branch for piece in pieces if isinstance(piece, FieldText)} == {branch for branch, _ in said}
    assert without_times(last) == without_times(summarizer.brief(read_path(NEWS)))


# Many


def test_briefs_says_of_each_what_became_of_it_and_one_harms_no_other(tmp_path: Path) -> None:
    good, broken = read_text(text("Monday"), path="good"), read_text(text("Sunday"), path="broken")
    given_ = [good, "Short.", *read(tmp_path / "absent.md"), broken, text("Tuesday"), "***"]
    found = list(Summarizer(engine=bad_engine("Sunday")).briefs(given_))
    assert {outcome.document.path for outcome in found if isinstance(outcome, Brief)} == {"good", "text#5"}
    failed = {
        outcome.error.message: outcome.document and outcome.document.path
        for outcome in found
        if isinstance(outcome, Failed)
    }
    assert failed == {
        "text#2 has fewer than 5 words, too few for a brief": "text#2",
        f"{tmp_path / 'absent.md'} does not exist": None,
        "broken: no cells": "broken",
        "text#6 has no readable text": None,
    }
    assert next(outcome.document for outcome in found if isinstance(outcome, Brief)) is good


def test_briefs_is_lazy_and_one_run_of_the_engine() -> None:
    runs: list[int] = []

    class Engine(ScriptedEngine):
        def run(self, requests):
            runs.append(1)
            yield from super().run(requests)

    asked: list[int] = []

    def endless() -> Iterator[str]:
        for number in itertools.count():
            asked.append(number)
            yield text(f"day {number}")

    with Summarizer(engine=Engine()) as summarizer:
        found = summarizer.briefs(endless())
        assert asked == []
        assert all(isinstance(one, Brief) for one in itertools.islice(found, 5))
        assert len(asked) <= 7
        assert len(runs) == 1
        found.close()
        assert isinstance(summarizer.brief(text("Friday")), Brief)


def test_what_the_documents_raise_ends_the_run() -> None:
    def documents() -> Iterator[str]:
        yield text("Monday")
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        list(Summarizer(engine=ScriptedEngine()).briefs(documents()))


def test_a_text_is_not_a_list_of_letters() -> None:
    with pytest.raises(UsageError, match="many texts, not one"):
        Summarizer(engine=ScriptedEngine()).briefs(text("Monday"))


KINDS = st.lists(st.sampled_from(["kept", "new", "unread", "bad", "broken"]), max_size=40)


@given(KINDS, st.integers(0, 3), st.integers(0, 200))
def test_outcomes_come_once_each_and_few_wait(kinds: list[str], ahead: int, kept_at_the_end: int) -> None:
    """Whatever is kept, new or bad, in whatever order: one outcome each, and no long run of kept ones piles up."""
    kinds = kinds + ["kept"] * kept_at_the_end
    documents = [Document(str(number), (), path=kind) for number, kind in enumerate(kinds)]
    pulled: list[Document] = []
    saved: list[Brief] = []

    def source() -> Iterator[Document | InputError | Failed]:
        for document in documents:
            pulled.append(document)
            if document.path == "unread":
                yield InputError("unread", "")
            else:
                yield Failed(document, InputError("bad")) if document.path == "bad" else document

    def brief_of(document: Document) -> Brief:
        return Brief(document, {}, {}, {})

    def write(some: Iterator[Document]) -> Iterator[Brief | Failed]:
        """Like an engine, asks for some more before it hands out the first."""
        open_: list[Document] = []
        while batch := [*open_, *itertools.islice(some, ahead + 1 - len(open_))]:
            first, *open_ = batch
            yield Failed(first, EngineError("broken")) if first.path == "broken" else brief_of(first)

    found = outcomes(
        source(), recall=lambda one: brief_of(one) if one.path == "kept" else None, write=write, keep=saved.append
    )
    seen: list[Brief | Failed] = []
    for outcome in found:
        seen.append(outcome)
        assert len(pulled) - len(seen) <= _MOST_WAITING + ahead + 1
    became = Counter(one.document.path if isinstance(one, Brief) else one.error.message for one in seen)
    assert became == Counter(kinds)
    assert [one.document for one in saved] == [one for one in documents if one.path == "new"]
    assert all(any(one is other for other in seen) for one in saved)


# Options, model, store


def test_options_reach_the_engine_and_it_is_loaded_once(stand: type[Stand]) -> None:
    with Summarizer(threads=3, context=2048, reproducible=True) as summarizer:
        assert stand.made == []
        summarizer.brief(text("Monday"))
        summarizer.brief(text("Tuesday"))
        (engine,) = stand.made
        assert (engine.options["threads"], engine.options["cells"], engine.options["reproducible"]) == (3, 2048, True)
        assert summarizer.brief(text("Monday")).model == {"name": "scripted", "sha256": "5c" * 32}
    assert engine.is_closed
    with pytest.raises(UsageError, match="closed"):
        summarizer.brief(text("Monday"))


def test_who_forgets_to_close_it_loses_no_memory(stand: type[Stand]) -> None:
    summarizer = Summarizer()
    summarizer.brief(text("Monday"))
    (engine,) = stand.made
    assert not engine.is_closed
    del summarizer
    gc.collect()
    assert engine.is_closed


def test_an_engine_that_was_given_stays_open() -> None:
    engine = Stand(Path("x"))
    with Summarizer(engine=engine) as summarizer:
        assert summarizer.brief(text("Monday")).model == {"name": "scripted", "sha256": ""}
    assert not engine.is_closed


@pytest.mark.parametrize(
    "options",
    [
        {"style": "free"},
        {"threads": 0},
        {"context": 100},
        {"engine": ScriptedEngine(), "model": "gemma-3-270m"},
        {"engine": ScriptedEngine(), "store": "x.sqlite3"},
    ],
)
def test_options_that_cannot_be_used_are_refused_at_once(options: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        Summarizer(**options)  # type: ignore[arg-type]


def test_a_template_is_a_name_a_path_or_itself(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('[[field]]\nname = "gist"\nshape = "text"\nextract = "central"\n')
    for one in (path, str(path), load_template(str(path))):
        assert [*Summarizer(template=one, engine=ScriptedEngine()).brief(text("Monday")).fields] == ["gist"]
    with pytest.raises(TemplateError, match="no template named 'none'"):
        Summarizer(template="none")


def test_nothing_is_kept_unless_a_file_is_named(tmp_path: Path, stand: type[Stand], monkeypatch) -> None:
    monkeypatch.setenv("LOCALSUM_STORE", str(tmp_path / "not-asked-for.sqlite3"))
    with Summarizer() as summarizer:
        summarizer.brief(text("Monday"))
    assert list(tmp_path.iterdir()) == []
    path = tmp_path / "kept.sqlite3"
    for turn, fresh in enumerate([False, False, True]):
        with Summarizer(store=path, fresh=fresh) as summarizer:
            summarizer.brief(text("Monday"))
            (other,) = summarizer.briefs([text("Monday")])
            assert isinstance(other, Brief)
        assert len(stand.made) == (2, 2, 3)[turn]


def test_the_command_line_and_python_find_each_others_briefs(
    tmp_path: Path, stand: type[Stand], said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "kept.sqlite3")
    monkeypatch.setenv("LOCALSUM_STORE", path)
    code, out, _ = said("brief", str(NEWS), "--format", "json")
    assert code == 0
    with Summarizer(store=path) as summarizer:
        assert to_dict(summarizer.brief(read_path(NEWS))) == json.loads(out)
        summarizer.brief(read_path(ARTICLES / "transcript.txt"))
    said("brief", str(ARTICLES / "transcript.txt"), "--format", "json")
    assert len(stand.made) == 2  # one for the first command, one for the second brief; the rest is kept
    with sqlite3.connect(path) as store:
        assert store.execute("SELECT count(*) FROM briefs").fetchone() == (2,)
    store.close()


def test_a_thread_after_another_may_use_it(tmp_path: Path, stand: type[Stand]) -> None:
    with Summarizer(store=tmp_path / "kept.sqlite3") as summarizer, ThreadPoolExecutor(1) as other:
        first = summarizer.brief(text("Monday"))
        assert other.submit(summarizer.brief, text("Monday")).result() == first
        assert isinstance(other.submit(summarizer.brief, text("Tuesday")).result(), Brief)


def test_a_store_that_breaks_is_said(tmp_path: Path, stand: type[Stand]) -> None:
    with closing(sqlite3.connect(tmp_path / "other")) as other:
        other.execute("CREATE TABLE x (y)")
    with pytest.raises(StoreError, match="another program"):
        Summarizer(store=tmp_path / "other").brief(text("Monday"))
    with Summarizer(store=tmp_path / "kept.sqlite3") as summarizer:
        assert summarizer.store
        summarizer.store.execute("DROP TABLE briefs")
        with pytest.raises(StoreError, match="no such table"):
            summarizer.brief(text("Monday"))


# Texts


@pytest.mark.parametrize("name", sorted(path.name for path in ARTICLES.iterdir() if path.suffix in (".md", ".txt")))
def test_a_text_at_hand_is_read_like_a_file_of_it(name: str) -> None:
    content = (ARTICLES / name).read_text(encoding="utf-8")
    assert read_text(content, path="x") == read_bytes(content.encode(), path="x")


def test_a_text_may_have_a_title_beside_it() -> None:
    assert read_text(text("Monday"), title="Closed").title == "Closed"
    assert read_text(f"# Own\n\n{text('Monday')}", title="Closed").title == "Own"
    assert read_text("Closed\x07 " + text("Monday")).warnings == ("1 character that cannot be shown was removed",)
    with pytest.raises(InputError, match="has more than"):
        read_text("a b\n" * 1_000_001)


# With the real model

HOOKED = """
import sys
from localsum.guard import REFUSED
seen = []
sys.addaudithook(lambda event, _: seen.append(event) if event.startswith(REFUSED) else None)
from localsum import ScriptedEngine, Summarizer, read_path
with Summarizer(engine=ScriptedEngine() if sys.argv[1] == "scripted" else None) as summarizer:
    assert list(summarizer.briefs([read_path(sys.argv[2])]))[0].fields
print(*seen)
"""


@pytest.mark.parametrize("engine", ["scripted", pytest.param("real", marks=pytest.mark.model)])
def test_without_the_guard_nothing_goes_out_either(engine: str) -> None:
    """A Summarizer does not seal the process it is in; a hook sees that it needs no refusing."""
    command = [sys.executable, "-c", HOOKED, engine, str(NEWS)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout == "\n"


MEMORY = """
import gc, sys
from localsum import Summarizer

def resident_mb():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 1e6

def is_mapped():
    with open("/proc/self/maps") as file:
        return ".gguf" in file.read()

for _ in range(3):
    with Summarizer() as summarizer:
        summarizer.brief(sys.argv[1])
        inside, mapped = resident_mb(), is_mapped()
    gc.collect()
    print(inside, resident_mb(), mapped, is_mapped())
"""


@pytest.mark.model
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is looked up in /proc")
def test_closing_gives_the_memory_back() -> None:
    """The file is mapped no more, most of the memory is free, and opening it again and again adds nothing to it."""
    command = [sys.executable, "-c", MEMORY, text("Monday")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    turns = [line.split() for line in done.stdout.splitlines()]
    assert [turn[2:] for turn in turns] == [["True", "False"]] * 3
    inside, after = [float(turn[0]) for turn in turns], [float(turn[1]) for turn in turns]
    assert all(b < a / 2 for a, b in zip(inside, after, strict=True)), turns
    assert inside[2] < inside[1] + 30, turns
    assert after[2] < after[1] + 30, turns


@pytest.mark.model
def test_the_real_model_writes_the_command_lines_brief(said: Said) -> None:
    code, out, _ = said("brief", str(NEWS), "--format", "json", "--reproducible")
    with Summarizer(reproducible=True) as summarizer:
        first, second = summarizer.briefs([read_path(NEWS), read_path(NEWS)])
        *_, streamed = summarizer.events(read_path(NEWS))
    assert code == 0
    for made in (first, second, streamed):
        assert isinstance(made, Brief)
        assert {**to_dict(made), "timing": 0} == {**json.loads(out), "timing": 0}
