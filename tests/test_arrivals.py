"""Which files are complete and when: by a clock of the test's own, so nothing waits; and what the system tells of."""

import os
import queue
import shutil
import threading
from pathlib import Path

import pytest

from localsum import arrivals
from localsum.arrivals import Arrivals, is_temporary
from localsum.errors import InputError

DEADLINE_S = 30


def names(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


def write(path: Path, text: str, changed_s: int = 1_000_000) -> Path:
    """A file with a time of change that the test says, since clocks of file systems are coarse."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (changed_s, changed_s))
    return path


def test_a_file_is_handed_on_once_when_it_has_not_changed_for_long_enough(tmp_path: Path) -> None:
    found = Arrivals(tmp_path, settle_s=2.0)
    write(tmp_path / "a.md", "one")
    found.look(10.0)
    assert found.complete(10.0) == found.complete(11.9) == []
    assert names(found.complete(12.0)) == ["a.md"]
    found.look(20.0)
    assert found.complete(30.0) == []
    assert not found.waiting


@pytest.mark.parametrize("changes", ["size", "time"])
def test_each_change_starts_the_wait_anew(changes: str, tmp_path: Path) -> None:
    found = Arrivals(tmp_path, settle_s=2.0)
    write(tmp_path / "a.md", "one")
    found.look(0.0)
    for second in range(1, 6):
        write(tmp_path / "a.md", "one" * (1 + second * (changes == "size")), 1_000_000 + second * (changes == "time"))
        assert found.complete(float(second)) == []
        if second % 2:
            found.look(float(second))
    assert found.complete(6.9) == []
    assert names(found.complete(7.0)) == ["a.md"]


def test_a_file_that_changes_after_it_was_handed_on_comes_again(tmp_path: Path) -> None:
    found = Arrivals(tmp_path, settle_s=1.0)
    path = write(tmp_path / "news.mbox", "one")
    found.look(0.0)
    assert found.complete(1.0) == [path]
    assert found.is_unchanged(path)
    write(path, "one two")
    assert not found.is_unchanged(path)
    found.look(2.0)
    assert found.complete(2.5) == []
    assert found.complete(3.0) == [path]


def test_what_is_deleted_is_forgotten(tmp_path: Path) -> None:
    found = Arrivals(tmp_path, settle_s=1.0)
    path = write(tmp_path / "a.md", "one")
    write(tmp_path / "b.md", "one")
    found.look(0.0)
    (tmp_path / "b.md").unlink()
    assert found.complete(1.0) == [path]
    path.unlink()
    assert not found.is_unchanged(path)
    found.look(2.0)
    assert not found.handed_on
    write(path, "one")
    found.look(3.0)
    assert found.complete(4.0) == [path]


@pytest.mark.parametrize("name", ["a.md.part", "a.crdownload", "a.md.TMP", "a.md~", ".a.md", "~$a.md", "a.md.filepart"])
def test_a_file_with_a_name_for_the_time_being_is_not_there_until_it_is_renamed(name: str, tmp_path: Path) -> None:
    found = Arrivals(tmp_path, settle_s=1.0, pattern="*")
    write(tmp_path / name, "one")
    found.look(0.0)
    assert found.complete(100.0) == []
    (tmp_path / name).rename(tmp_path / "a.md")
    found.look(101.0)
    assert names(found.complete(102.0)) == ["a.md"]


def test_names_of_articles_are_not_taken_for_temporary_ones() -> None:
    assert not any(map(is_temporary, ["part.md", "a.part.md", "tmp.html", "news~1.md", "download.pdf"]))


def test_an_empty_file_is_not_begun(tmp_path: Path) -> None:
    """Browsers make one under the final name before they write elsewhere."""
    found = Arrivals(tmp_path, settle_s=1.0)
    path = write(tmp_path / "a.md", "")
    found.look(0.0)
    assert found.complete(100.0) == []
    write(path, "one")
    found.look(101.0)
    assert found.complete(102.0) == [path]


def test_folders_moved_in_count_only_if_asked_for(tmp_path: Path) -> None:
    watched = tmp_path / "in"
    watched.mkdir()
    flat, deep = Arrivals(watched, settle_s=1.0), Arrivals(watched, settle_s=1.0, recursive=True)
    write(tmp_path / "elsewhere/more/a.md", "one")
    (tmp_path / "elsewhere").rename(watched / "moved")
    for found, expected in ((flat, []), (deep, ["a.md"])):
        found.look(0.0)
        assert names(found.complete(1.0)) == expected


def test_the_output_folder_is_left_out(tmp_path: Path) -> None:
    found = Arrivals(tmp_path, settle_s=1.0, recursive=True, without=tmp_path / "in/briefs")
    write(tmp_path / "in/a.md", "one")
    write(tmp_path / "in/briefs/b.md", "one")
    found.look(0.0)
    assert names(found.complete(1.0)) == ["a.md"]


def test_take_all_hands_on_what_is_there_and_what_is_still_growing_comes_when_it_has_grown(tmp_path: Path) -> None:
    found = Arrivals(tmp_path, settle_s=1.0)
    write(tmp_path / "a.md", "one")
    growing = write(tmp_path / "b.md", "one")
    found.look(0.0)
    assert names(found.take_all()) == ["a.md", "b.md"]
    write(growing, "one two")
    found.look(5.0)
    assert found.complete(6.0) == [growing]


@pytest.mark.parametrize("how", ["deleted", "moved", "replaced"])
def test_a_folder_that_is_gone_is_an_error(how: str, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    found = Arrivals(folder, settle_s=1.0)
    found.look(0.0)
    if how == "deleted":
        shutil.rmtree(folder)
    else:
        folder.rename(tmp_path / "elsewhere")
    if how == "replaced":
        folder.mkdir()
    with pytest.raises(InputError, match="in is gone") as caught:
        found.look(1.0)
    assert caught.value.hint.endswith("localsum watch DIR")


def test_what_the_system_tells_of_is_found_without_waiting_for_the_next_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "LOOK_S", 1e6)
    handed: queue.Queue[list[Path]] = queue.Queue()
    is_over = threading.Event()

    def hand_on() -> None:
        for batch in Arrivals(tmp_path, settle_s=0.05).batches():
            handed.put(batch)
            if is_over.is_set():
                return

    thread = threading.Thread(target=hand_on, daemon=True)
    write(tmp_path / "here before.md", "one")
    thread.start()
    assert names(handed.get(timeout=DEADLINE_S)) == ["here before.md"]
    write(tmp_path / "written.md", "one")
    assert names(handed.get(timeout=DEADLINE_S)) == ["written.md"]
    (tmp_path / "written.md").rename(tmp_path / "renamed.md")
    assert names(handed.get(timeout=DEADLINE_S)) == ["renamed.md"]
    is_over.set()
    write(tmp_path / "renamed.md", "one two")
    assert names(handed.get(timeout=DEADLINE_S)) == ["renamed.md"]
    thread.join(DEADLINE_S)


@pytest.mark.parametrize("how", ["deaf", "refused"])
def test_where_the_system_tells_nothing_the_folder_is_looked_at(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(*_: object, **__: object) -> object:
        if how == "refused":
            raise OSError("OS file watch limit reached")
        while True:
            yield set()

    monkeypatch.setattr("watchfiles.watch", silent)
    monkeypatch.setattr(arrivals, "LOOK_S", 0.1)
    monkeypatch.setattr(arrivals, "DEAF_LOOK_S", 0.1)
    batches = Arrivals(tmp_path, settle_s=0.05).batches()
    for name in ("a.md", "b.md"):
        write(tmp_path / name, "one")
        assert names(next(batches)) == [name]


def test_what_this_process_writes_to_is_left_out(tmp_path: Path) -> None:
    """`localsum watch . > briefs.md` must not brief its own output."""
    path = write(tmp_path / "briefs.md", "one")
    kept = os.dup(1)
    handle = os.open(path, os.O_WRONLY | os.O_APPEND)
    try:
        os.dup2(handle, 1)
        found = Arrivals(tmp_path, settle_s=1.0)
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(handle)
    write(tmp_path / "a.md", "one")
    found.look(0.0)
    assert names(found.complete(1.0)) == ["a.md"]
