"""`--open` and nothing else starts a browser, when the command is over; where the page is, only its owner looks."""

import socket
import stat
import subprocess
import sys
import webbrowser
from pathlib import Path

import pytest
from command_line import Said

from localsum.errors import PrivacyError
from localsum.guard import sealed

NEWS = str(Path("examples/chip-lease.md").resolve())
LETTER = str(Path("examples/weekly-letter.md").resolve())


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Path]:
    """The pages that a browser was asked to show; there is a browser, and the temporary folder is the test's."""
    pages: list[Path] = []

    def show(url: str) -> bool:
        socket.socket().close()  # the seal is off, as a browser needs it
        assert url.startswith("file:///")
        pages.append(Path(url.removeprefix("file://")))
        return True

    monkeypatch.setattr(webbrowser, "open", show)
    monkeypatch.setenv("LOCALSUM_STORE", str(tmp_path / "kept"))
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    monkeypatch.chdir(tmp_path)
    return pages


def test_the_page_of_one_article_is_opened(said: Said, stand: object, opened: list[Path], tmp_path: Path) -> None:
    code, out, err = said("brief", NEWS, "--open")
    assert (code, out) == (0, "")
    (page,) = opened
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert page.name.startswith("chip-lease")
    assert page.parent.parent == tmp_path / "temporary"
    assert str(page.parent) in err
    if sys.platform != "win32":
        assert stat.S_IMODE(page.parent.stat().st_mode) == 0o700
        assert stat.S_IMODE(page.stat().st_mode) == 0o600


def test_of_many_the_index_is_opened_and_where_output_says(
    said: Said, stand: object, opened: list[Path], tmp_path: Path
) -> None:
    assert said("brief", NEWS, LETTER, "--open", "-o", "pages/")[0] == 0
    assert said("brief", NEWS, "--open", "-o", "one.html")[0] == 0
    assert opened == [tmp_path / "pages/index.html", tmp_path / "one.html"]
    assert not list((tmp_path / "temporary").iterdir())


def test_what_was_done_is_opened_where_some_failed_and_nothing_where_all_did(
    said: Said, stand: object, opened: list[Path], tmp_path: Path
) -> None:
    Path("short.txt").write_text("Too short.", encoding="utf-8")
    assert said("brief", NEWS, "short.txt", LETTER, "--open", "-o", "pages/")[0] == 1
    assert opened == [tmp_path / "pages/index.html"]
    assert "short.txt has fewer" in opened[0].read_text(encoding="utf-8")
    assert said("brief", "short.txt", "--open")[0] == 1
    assert len(opened) == 1


def test_a_kept_brief_is_opened(said: Said, stand: object, opened: list[Path]) -> None:
    said("brief", LETTER, "--quiet")
    assert said("show", "1", "--open") == (0, "", "")
    (page,) = opened
    assert page.read_text(encoding="utf-8") == said("show", "1", "--format", "html")[1]


@pytest.mark.parametrize("line", [f"brief {NEWS} --open --format md", "show 1 --open --format json"])
def test_only_a_page_can_be_opened(line: str, said: Said, stand: object, opened: list[Path]) -> None:
    said("brief", NEWS, "--quiet")
    code, out, err = said(*line.split())
    assert (code, out, opened) == (2, "", [])
    assert err.endswith("leave --format away, or: --format html\n")


def test_without_open_nothing_is_opened(said: Said, stand: object, opened: list[Path]) -> None:
    for line in (
        *(f"brief {NEWS} -f html", f"brief {NEWS} -f html -o a.html", f"brief {NEWS} {LETTER} -f html -o pages/"),
        *("show 1 -f html", "history", "search chip", "export", "doctor", "doctor --privacy", "models", "schema"),
    ):
        assert said(*line.split())[0] == 0
    assert opened == []


def test_where_there_is_no_browser_the_place_is_said(
    said: Said, stand: object, opened: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda url: False)
    code, _, err = said("brief", NEWS, "--open", "-o", "a.html")
    assert (code, err.splitlines()[-1]) == (0, "note: no browser was found; the page is a.html")


def test_inside_the_seal_a_browser_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []
    monkeypatch.setattr(subprocess, "Popen", lambda *what, **how: started.append(what))
    with pytest.raises(PrivacyError), sealed():
        webbrowser.GenericBrowser(sys.executable).open("file:///page.html")
    assert started == []
