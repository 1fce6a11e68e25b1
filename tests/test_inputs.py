"""Which files a list of paths means, and where their briefs go."""

import json
import os
import re
import stat
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from briefs import full
from command_line import CHAT, Said, Stand
from hypothesis import given
from hypothesis import strategies as st

from localsum import inputs
from localsum.brief import Brief
from localsum.document import Document
from localsum.engine.types import Branch, Request
from localsum.errors import InputError, UsageError
from localsum.inputs import find_inputs
from localsum.outputs import Folder, file_name, is_folder
from localsum.render import render

STORY = "The harbour of Orrin was closed on {}. Two ships waited outside until noon. Nobody was hurt."


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("in/b.md", "in/a.TXT", "in/sub/c.html", "in/sub/deep/d.eml.gz", "in/.hidden.md", "in/.git/e.md"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(STORY.format(name))
    (tmp_path / "in/picture.png").write_bytes(b"\x89PNG")
    return tmp_path


def names(*paths: str, **options: object) -> list[str]:
    return [path.as_posix() if path else "-" for path in find_inputs(list(paths), **options).files]


def test_a_folder_is_its_files_with_known_names(tree: Path) -> None:
    found = find_inputs(["in"])
    assert [path.as_posix() for path in found.files] == ["in/a.TXT", "in/b.md"]
    assert (found.unknown, found.closed, found.failed) == (1, 1, [])
    assert names("in", recursive=True) == ["in/a.TXT", "in/b.md", "in/sub/c.html", "in/sub/deep/d.eml.gz"]


def test_a_pattern_chooses_by_name_or_by_path(tree: Path) -> None:
    assert names("in", pattern="*.png") == ["in/picture.png"]
    assert names("in", pattern="*", recursive=True)[-1] == "in/sub/deep/d.eml.gz"
    assert names("in", pattern="sub/*.html", recursive=True) == ["in/sub/c.html"]
    assert names("in/b.md", "in", pattern="*.png") == ["in/b.md", "in/picture.png"]


def test_what_is_named_is_taken_once_and_in_order(tree: Path) -> None:
    assert names("in/sub/c.html", "-", "in", "./in/b.md", "-", "absent") == [
        "in/sub/c.html", "-", "in/a.TXT", "in/b.md", "absent"
    ]  # fmt: skip
    assert names("in/.hidden.md", "in/picture.png") == ["in/.hidden.md", "in/picture.png"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_make_no_loop_and_no_file_comes_twice(tree: Path) -> None:
    (tree / "in/sub/up").symlink_to(tree / "in")
    (tree / "in/self").symlink_to("self")
    (tree / "in/again.md").symlink_to("b.md")
    (tree / "in/gone.md").symlink_to("nowhere.md")
    (tree / "elsewhere").symlink_to(tree / "in/sub")
    assert names("in", recursive=True) == ["in/a.TXT", "in/again.md", "in/sub/c.html", "in/sub/deep/d.eml.gz"]
    assert names("elsewhere") == ["elsewhere/c.html"]


@pytest.mark.skipif(sys.platform == "win32", reason="a name that is not allowed there")
def test_names_with_line_ends_are_names(tree: Path) -> None:
    (tree / "in/two\nlines.md").write_text("text")
    assert "in/two\nlines.md" in names("in")


def test_the_folder_of_the_briefs_is_no_input(tree: Path) -> None:
    (tree / "in/briefs").mkdir()
    (tree / "in/briefs/b.md").write_text("a brief")
    assert "in/briefs/b.md" in names("in", recursive=True)
    assert "in/briefs/b.md" not in names("in", recursive=True, without=Path("in/briefs"))


def test_an_empty_folder_says_how_to_look_further(tree: Path) -> None:
    (tree / "empty/sub").mkdir(parents=True)
    (error,) = find_inputs(["empty"]).failed
    assert isinstance(error, InputError)
    assert error.hint.endswith("localsum brief empty --recursive")
    (error,) = find_inputs(["empty/sub"]).failed
    assert error.hint.endswith("localsum brief empty/sub --glob '*'")
    assert find_inputs(["in", "in"]).failed == []


def test_there_is_an_end_to_what_is_taken(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "MOST_FILES", 1)
    with pytest.raises(UsageError, match="more than 1 files"):
        find_inputs(["in"])
    monkeypatch.setattr(inputs, "MOST_FILES", 10)
    monkeypatch.setattr(inputs, "MOST_SEEN", 3)
    with pytest.raises(UsageError, match="holds too much"):
        find_inputs(["in"], recursive=True)


# Names of the files that are written

ODD = ["../../etc/passwd", "CON", "C#.md", "a/" * 90, "界", "\udcff"]
paths = st.one_of(st.none(), st.text(max_size=60), st.sampled_from(ODD))


@given(paths, st.text(max_size=60))
def test_a_name_is_safe_and_stable(path: str | None, title: str) -> None:
    document = Document("A text.", (), path=path, title=title)
    name = file_name(document)
    assert re.fullmatch(r"[a-z0-9-]{1,62}-[0-9a-f]{12}", name)
    assert name == file_name(replace(document, author="somebody"))


@given(st.lists(st.text(min_size=1, max_size=20).filter(lambda p: "/" not in p and p not in "."), unique=True))
def test_different_paths_have_different_names(paths: list[str]) -> None:
    wanted = {os.path.abspath(path.partition("#")[0]) + path[len(path.partition("#")[0]) :] for path in paths}
    found = {file_name(Document("A text.", (), path=path)) for path in paths if not path.startswith("#")}
    assert len(found) == len({path for path in wanted if path}) - sum(path.startswith("#") for path in paths)


def put(folder: Folder, *briefs: Brief) -> None:
    for brief in briefs:
        folder.expect(brief.document)
    for brief in reversed(briefs):  # done in another order than read
        folder.put(brief)
    folder.close([])


def test_two_texts_with_one_name_are_two_files_whatever_is_done_first(tmp_path: Path) -> None:
    first, second = full(), full()
    second = replace(second, document=replace(second.document, text=second.document.text + " More."))
    put(Folder(tmp_path / "a", "md", partial(render, format="md")), first, second)
    put(Folder(tmp_path / "b", "md", partial(render, format="md")), second, second, first)
    assert len(list((tmp_path / "a").iterdir())) == len(list((tmp_path / "b").iterdir())) == 3
    put(
        Folder(tmp_path / "a", "md", partial(render, format="md")), first, second
    )  # the same run again writes the same files
    assert len(list((tmp_path / "a").iterdir())) == 3


def test_the_index_is_in_the_order_of_the_inputs_and_links_to_every_file(tmp_path: Path) -> None:
    briefs = [replace(full(), document=replace(full().document, path=f"in/{name}.md")) for name in "cab"]
    folder = Folder(tmp_path / "out", "json", partial(render, format="json"))
    for brief in briefs:
        folder.expect(brief.document)
    for brief in reversed(briefs):
        folder.put(brief)
    folder.close([InputError("in/[d](x).md is\nempty", "")])
    index = (tmp_path / "out/index.md").read_text(encoding="utf-8")
    links = re.findall(r"^- \[.+\]\((.+?)\): in/(.)\.md$", index, re.MULTILINE)
    assert [source for _, source in links] == ["c", "a", "b"]
    assert all((tmp_path / "out" / target).is_file() for target, _ in links)
    assert "## Failed\n\n- in/[d\\](x).md is empty\n" in index
    if sys.platform != "win32":
        files = [tmp_path / "out", *(tmp_path / "out").iterdir()]
        assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in files} == {0}


def test_what_names_a_folder(tree: Path) -> None:
    assert is_folder("in", ["in/b.md"])
    assert is_folder("new/", ["in/b.md"])
    assert is_folder("new", ["in"])
    assert is_folder("new", ["a.md", "b.md"])
    assert not is_folder("new", ["a.md"])
    assert not is_folder("new.md", ["in"])
    assert not is_folder("in/b.md", ["in"])


# All of it through the command line


def test_a_folder_of_everything_in_one_engine_run(stand: type[Stand], said: Said, tree: Path) -> None:
    (tree / "in/b.md").write_text(STORY.format("Monday"))
    (tree / "in/bad.md").write_bytes(b"\x00\x01\x02" * 99)
    (tree / "in/rows.jsonl").write_text(json.dumps({"id": "x", "text": STORY.format("Friday")}) + "\n")
    code, out, err = said("brief", "in", "--recursive", "--glob", "[br]*", "absent.md", "--output", "out")
    assert (code, out) == (1, "")
    assert len(stand.made) == 1
    lines = err.splitlines()
    assert lines[0] == "localsum: 2 of 4 documents failed:"
    assert {"bad.md is not text" in lines[1], "absent.md does not exist" in lines[2]} == {True}
    assert lines[-1].startswith("  4 documents: 2 written, 2 failed; ")
    written = sorted(path.name for path in (tree / "out").iterdir())
    assert [re.sub(r"-[0-9a-f]{12}", "", name) for name in written] == ["b.md", "index.md", "rows-x.md"]
    before = {path.name: path.read_bytes() for path in (tree / "out").iterdir()}
    assert said("brief", "in/rows.jsonl", "./in/b.md", "-o", "out")[0] == 0
    after = {path.name: path.read_bytes() for path in (tree / "out").iterdir()}
    assert set(before) == set(after)


def test_jsonl_is_a_line_for_each_document_the_moment_it_is_done(
    stand: type[Stand], said: Said, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        (tree / f"in/{number}.md").write_text(STORY.format(number))
    seen: dict[str, int] = {}  # document to how many lines were out when its writing began
    written: list[str] = []

    def script(request: Request, _: Branch) -> None:
        seen.setdefault(request.id[: len("document-1")], len(written))

    monkeypatch.setattr("localsum.commands.brief.write_out", written.append)
    monkeypatch.setattr(stand, "chat", CHAT)
    monkeypatch.setattr(stand, "script", staticmethod(script))
    code, out, err = said("brief", "in", "--glob", "[0-9].md", "--format", "jsonl", "--quiet")
    assert (code, out, err) == (0, "", "")
    assert seen == {"document-1": 0, "document-2": 1, "document-3": 2}
    assert [json.loads(line)["source"]["path"] for line in written] == ["in/0.md", "in/1.md", "in/2.md"]
    assert all(line.count("\n") == 1 for line in written)


def test_notes_say_what_was_left_out_unless_quiet(stand: type[Stand], said: Said, tree: Path) -> None:
    err = said("brief", "in")[2]
    assert "note: files without a known ending left out: 1; to read them: --glob '*'\n" in err
    assert "note: folders in folders left out: 1; to read them: --recursive\n" in err
    assert err.endswith("2 documents: 2 written\n")
    assert said("brief", "in", "--quiet")[2] == ""
