"""The store: what is kept comes back as it was, for what it was made of only; what is forgotten is gone."""

import json
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from briefs import full, hostile, numbers, other
from command_line import Said, Stand

from localsum import store
from localsum.brief import Brief, from_dict, to_dict
from localsum.document import Block
from localsum.errors import LocalsumError, StoreError, UsageError
from localsum.render import render
from localsum.resources import writer_version

BRIEFS = {"full": full, "hostile": hostile, "numbers": numbers, "other": other}
NEWS = str(Path(__file__).parent / "data/articles/news.md")
SETTINGS = {"style": None, "seed": 0}


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "folder/kept.sqlite3"
    monkeypatch.setenv("LOCALSUM_STORE", str(path))
    return path


def key(brief: Brief, model: str = "m", template: str = "t", **settings: object) -> str:
    return store.key_of(brief.document, model, template, {**SETTINGS, **settings})


def fill(path: Path, *briefs: Brief) -> None:
    with store.open_store(path) as kept:
        for brief in briefs:
            store.keep(kept, key(brief), brief, SETTINGS)


@pytest.mark.parametrize("name", BRIEFS)
def test_a_brief_is_the_same_after_its_json_form(name: str) -> None:
    brief = BRIEFS[name]()
    again = from_dict(json.loads(json.dumps(to_dict(brief))), brief.document)
    assert to_dict(again) == to_dict(brief)
    for form in ("md", "terminal", "json"):
        assert render(again, form) == render(brief, form)


def test_what_is_kept_comes_back_in_another_process_of_it(path: Path) -> None:
    brief = full()
    fill(path, brief, other())
    with store.open_store(path) as kept:
        again = store.recall(kept, key(brief), brief.document)
        assert again is not None
        assert render(again, "md") == render(brief, "md")
        elsewhere = replace(brief.document, path="copy.md")
        copy = store.recall(kept, key(brief), elsewhere)
        assert copy is not None
        assert to_dict(copy)["source"]["path"] == "copy.md"
        assert store.recall(kept, key(hostile()), hostile().document) is None


def test_another_document_model_template_or_setting_is_another_brief() -> None:
    brief = full()
    text = brief.document.text
    changes = [{"text": text + " "}, {"title": "Another"}, {"published": "2026"}, {"language": "de"}]
    changes += [{"blocks": (Block(0, 5),)}, {"warnings": ("read as Latin-1",)}]
    keys = {key(replace(brief, document=replace(brief.document, **change))) for change in changes}
    keys |= {key(brief), key(brief, model="n"), key(brief, template="u"), key(brief, seed=1), key(brief, writer="x")}
    assert len(keys) == len(changes) + 5
    assert key(brief) == key(replace(brief, document=replace(brief.document, path="copy.md", url="https://x.example")))


def test_the_version_of_the_writer_is_that_of_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    before = writer_version()
    writer_version.cache_clear()
    assert writer_version() == before
    writer_version.cache_clear()
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda self: read(self) + b"#" * (self.name == "select.py"))
    assert writer_version() != before
    writer_version.cache_clear()


def test_keeping_again_replaces(path: Path) -> None:
    fill(path, full(), full())
    with store.open_store(path) as kept:
        assert store.count(kept) == 1
        assert [row.id for row in store.history(kept, 9)] == [2]


# Search


def test_search_finds_words_of_briefs_and_of_sources(path: Path) -> None:
    fill(path, full(), other())
    with store.open_store(path) as kept:
        (both, _) = store.search(kept, "lamp posts", 9)
        assert store.MARKS[0] in both.found
        (only,) = store.search(kept, "passers-by", 9)  # in the brief, not in its source
        assert only.id == 1
        assert len(store.search(kept, "switched cameras", 9)) == 2  # in the source
        assert len(store.search(kept, "camera", 9)) == 2
        assert store.search(kept, "lamp zebra", 9) == []
        assert len(store.search(kept, "lamp", 1)) == 1
        store.keep(kept, key(numbers()), numbers(), SETTINGS)
        (only,) = store.search(kept, "James Watt", 9)  # what a figure measures
        assert only.id == 3


QUERIES = ['"', "lamp OR", 'NEAR("a"', "said:lamp", "-lamp", "lamp*", "^lamp", "a\0b", "(", "'; DROP", "界", "\ud800 a"]


@pytest.mark.parametrize("words", QUERIES, ids=ascii)
def test_no_query_is_an_error_of_the_database(words: str, path: Path) -> None:
    fill(path, full())
    with store.open_store(path) as kept:
        if any(char.isalnum() for char in words):
            assert len(store.search(kept, words, 9)) in (0, 1)
        else:
            with pytest.raises(UsageError, match="no word"):
                store.search(kept, words, 9)
        assert store.count(kept) == 1


# Forgetting


def everywhere(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in path.parent.iterdir())


def test_what_is_forgotten_is_gone_from_the_bytes(path: Path) -> None:
    brief = full()
    secret = replace(brief, document=replace(brief.document, text=brief.document.text + " Xylophonquartz!"))
    fill(path, secret, other())
    assert b"xylophonquartz" in everywhere(path).lower()
    with store.open_store(path) as kept:
        assert store.forget(kept, 1) == 1
        assert store.search(kept, "xylophonquartz", 9) == []
        assert len(store.search(kept, "Critics", 9)) == 1
    assert b"xylophonquartz" not in everywhere(path).lower()
    with store.open_store(path) as kept:
        assert store.forget(kept) == 1
        assert store.count(kept) == 0
        store.keep(kept, "k", secret, SETTINGS)
        assert store.history(kept, 9)[0].id == 3  # numbers are never given twice


def test_before_a_day(path: Path, said: Said) -> None:
    fill(path, full(), other())
    with store.open_store(path) as kept:
        kept.execute("UPDATE briefs SET made_at = '2020-02-01T10:00:00+00:00' WHERE id = 1")
        assert store.forget(kept, before=datetime.now(UTC) - timedelta(days=1)) == 1
        assert [row.id for row in store.history(kept, 9)] == [2]
    assert said("forget", "--before", "2020-01-01") == (0, "", "0 forgotten; what is left: localsum history\n")
    for bad in ("yesterday", "2020-13-01", "9999-99-99"):
        assert said("forget", "--before", bad)[0] == 2


# The file


def test_only_its_owner_can_read_it(path: Path) -> None:
    with store.open_store(path) as kept:
        store.keep(kept, "k", full(), SETTINGS)
        files = list(path.parent.iterdir())
        assert len(files) == 3  # -wal and -shm beside it
        if sys.platform != "win32":
            assert {stat.S_IMODE(file.stat().st_mode) & 0o077 for file in (path.parent, *files)} == {0}


def test_what_is_no_store_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as somebodys:
        somebodys.execute("CREATE TABLE theirs (a)")
    somebodys.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another program"), store.open_store(path):
        pass
    assert path.read_bytes() == before
    path.write_bytes(b"A text, and no database at all. " * 99)
    with pytest.raises(StoreError, match="not a database"), store.open_store(path):
        pass
    with pytest.raises(StoreError, match="cannot be made"), store.open_store(path / "inside"):
        pass


@pytest.mark.parametrize("nth", range(1, 5))
def test_a_store_that_another_process_makes_while_we_look_is_ours(path: Path, nth: int) -> None:
    path.parent.mkdir()
    path.touch()
    statements: list[str] = []

    def seen(statement: str) -> None:
        statements.append(statement)
        if len(statements) == nth:
            with suppress(sqlite3.OperationalError), closing(sqlite3.connect(path, timeout=0)) as theirs:
                theirs.isolation_level = None
                store._migrate(theirs, path)  # locked by us: then it waits

    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as ours:
        ours.set_trace_callback(seen)
        store._check(ours, path)
    assert len(statements) >= nth


def test_migrations_run_once_and_keep_what_is_there(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(path, full())
    second = ("ALTER TABLE briefs ADD COLUMN stars INTEGER NOT NULL DEFAULT 3",)
    broken = ("ALTER TABLE briefs ADD COLUMN moons INTEGER", "CREATE TABLE briefs (a)")
    monkeypatch.setattr(store, "MIGRATIONS", (*store.MIGRATIONS, second, broken))
    with pytest.raises(StoreError), store.open_store(path):
        pass
    monkeypatch.setattr(store, "MIGRATIONS", store.MIGRATIONS[:-1])
    for _ in range(2):
        with store.open_store(path) as kept:  # nothing of the broken one was left
            assert kept.execute("SELECT stars FROM briefs").fetchall() == [(3,)]
            assert store.count(kept) == 1
            assert "moons" not in [row[1] for row in kept.execute("PRAGMA table_info(briefs)")]
    monkeypatch.setattr(store, "MIGRATIONS", store.MIGRATIONS[:-1])
    with pytest.raises(StoreError, match="newer localsum"), store.open_store(path):
        pass


def test_a_store_of_the_first_version_is_brought_to_the_newest(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = full()
    row = ("k", "2026-01-01T00:00:00+00:00", "a.md", "{}", json.dumps(to_dict(made)), "said", made.document.text)
    with monkeypatch.context() as old:
        old.setattr(store, "MIGRATIONS", store.MIGRATIONS[:1])
        with store.open_store(path) as kept:
            kept.execute(
                "INSERT INTO briefs (key, made_at, path, settings, brief, said, source) VALUES (?,?,?,?,?,?,?)", row
            )
    with store.open_store(path) as kept:
        was = store.get(kept, 1).brief
        assert (was.document.text, was.document.blocks) == (made.document.text, ())
        store.keep(kept, "l", made, {})
        assert store.get(kept, 2).brief.document.blocks == made.document.blocks


def test_what_is_needed_to_show_the_source_is_kept(path: Path) -> None:
    document = replace(
        full().document, blocks=(Block(0, 3, "heading", 2), Block(4, 9, "item", 0, "Ada")), language="pt-BR"
    )
    with store.open_store(path) as kept:
        store.keep(kept, "k", replace(full(), document=document), {})
        found = store.get(kept, 1).brief.document
    assert (found.blocks, found.language) == (document.blocks, "pt-BR")


WRITER = """
import sys
sys.path[:0] = sys.argv[3:]
from dataclasses import replace
from pathlib import Path
from briefs import full
from localsum import store
with store.open_store(Path(sys.argv[1])) as kept:
    for number in range(40):
        brief = full()
        text = f"{brief.document.text} {sys.argv[2]} {number}"
        store.keep(kept, f"{sys.argv[2]}-{number}", replace(brief, document=replace(brief.document, text=text)), {})
        store.history(kept, 5)
"""


def test_several_processes_share_it_from_the_first_moment(path: Path) -> None:
    processes = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(who), *sys.path], stderr=subprocess.PIPE)
        for who in range(4)
    ]
    for process in processes:
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
    with store.open_store(path) as kept:
        assert store.count(kept) == 160
        assert len(store.search(kept, "lamp", 1000)) == 160
        assert kept.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


# The command line


def test_the_second_time_is_answered_from_the_store_without_a_model_being_loaded(
    stand: type[Stand], said: Said, path: Path
) -> None:
    code, first, err = said("brief", NEWS, "-f", "json")
    assert code == 0
    assert str(path) in err
    assert len(stand.made) == 1
    code, again, err = said("brief", NEWS, "-f", "json")
    assert (code, again) == (0, first)
    assert err.endswith("--fresh\n")
    assert len(stand.made) == 1
    for more in (["--seed", "5"], ["--style", "extractive"], ["--fresh"], ["--no-store"], ["--context", "4096"]):
        made = len(stand.made)
        assert said("brief", NEWS, "-f", "json", *more)[0] == 0
        assert len(stand.made) == made + 1, more
    with store.open_store(path) as kept:
        assert store.count(kept) == 4  # --fresh replaced one, --no-store kept none


def test_without_the_store_no_file_is_made(
    stand: type[Stand], said: Said, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert said("brief", NEWS, "--no-store")[2] == ""
    assert not path.parent.exists()
    monkeypatch.setenv("LOCALSUM_STORE", "off")
    assert said("brief", NEWS)[2] == ""
    assert said("brief", NEWS, "--store", "here.db")[0] == 0
    assert Path("here.db").exists()


def test_a_store_that_nobody_named_and_that_cannot_be_used_is_no_reason_to_stop(
    stand: type[Stand], said: Said, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("file").write_text("in the way")
    monkeypatch.setattr(store, "data_folder", lambda: Path("file"))
    code, out, err = said("brief", NEWS, "--store", "file/x.db")
    assert (code, out) == (1, "")
    assert "cannot be made" in err
    assert err.endswith("localsum brief --no-store PATH\n")
    monkeypatch.delenv("LOCALSUM_STORE")
    code, out, err = said("brief", NEWS)
    assert code == 0
    assert out.startswith("# ")
    assert err.startswith("note: briefs are not kept, ")


def test_the_commands_of_the_store(stand: type[Stand], said: Said, path: Path) -> None:
    code, out, err = said("history")
    assert (code, out) == (1, "")
    assert err.endswith("localsum brief PATH\n")
    shown = said("brief", NEWS, "-f", "md")[1]
    code, out, err = said("history")
    assert code == 0
    assert out.startswith("   1  ")
    assert err.endswith("localsum show ID\n")
    assert said("show", "1", "-f", "md") == (0, shown, "")
    assert said("show", "7")[0] == 2
    code, out, _ = said("search", "ferries")
    assert code == 0
    assert "\x1b" not in out
    assert not any(mark in out for mark in store.MARKS)
    assert said("search", "zebra") == (0, "", "nothing found; all: localsum history\n")
    (line,) = said("export")[1].splitlines()
    made = json.loads(line)
    assert (made["id"], made["settings"]["seed"]) == (1, 0)
    quote = made["brief"]["quotes"][0]
    assert made["text"][quote["start"] : quote["end"]] == quote["text"]
    for line in ("forget", "forget 1 --all", "forget --all --before 2026-01-01"):
        assert said(*line.split())[0] == 2
    assert said("forget", "7")[0] == 2
    assert said("forget", "1") == (0, "", "1 forgotten; what is left: localsum history\n")
    assert said("export") == (0, "", "")


def test_what_is_kept_cannot_speak_to_a_terminal(path: Path, said: Said) -> None:
    fill(path, hostile())
    for line in (["history"], ["search", "rocket"], ["show", "1", "-f", "terminal"], ["export"]):
        code, out, _ = said(*line)
        assert code == 0
        assert out
        assert not set(out) & {chr(code) for code in (*range(9), *range(11, 32), *range(127, 160), 0x202E, 0x2066)}


def test_doctor_says_what_is_stored_where(path: Path, said: Said) -> None:
    assert f"nothing yet; the first brief makes {path}" in said("doctor", "--privacy")[1]
    assert not path.exists()
    fill(path, full())
    code, out, err = said("doctor", "--privacy")
    assert code == 0
    assert f"1 in {path}" in out
    if sys.platform != "win32":
        assert "readable by you only" in out.split(str(path), 2)[2].splitlines()[0]
        path.chmod(0o644)
        assert f"readable by others: chmod 600 {path}" in said("doctor", "--privacy")[1]
    assert err.endswith("localsum forget --all\n")
    assert said("doctor")[0] == 0


def test_an_error_of_the_run_is_not_blamed_on_the_store(path: Path) -> None:
    with pytest.raises(FileNotFoundError), store.open_store(path):
        Path("absent").read_text()
    with pytest.raises(LocalsumError, match="mine"), store.open_store(path):
        raise LocalsumError("mine")
