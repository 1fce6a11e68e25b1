"""The live view: fields fill in place, in any width and character set; of a run how far it is, how fast, how long."""

import io
import re
import sys
from collections.abc import Callable

import pytest
from command_line import Stand
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from localsum.cli import run
from localsum.engine.types import BranchDone, Counts, RequestDone, RequestFailed, TextDelta
from localsum.live import LiveView

FIELDS = ("title", "summary", "key_insights", "quotes")
NEWS = "examples/chip-lease.md"


def drawn(view: LiveView, width: int = 100, *, encoding: str = "utf-8") -> str:
    """What a terminal of that width and character set shows, without what follows a line's last character."""
    raw = io.BytesIO()
    console = Console(file=io.TextIOWrapper(raw, encoding=encoding), width=width, legacy_windows=False)
    console.print(view._view(width, is_plain=encoding == "ascii"))
    console.file.flush()
    return re.sub(r" +$", "", raw.getvalue().decode(encoding), flags=re.MULTILINE)


def row(view: LiveView, name: str, width: int = 100) -> str:
    (found,) = [line for line in drawn(view, width).splitlines() if line[4:].startswith(name)]
    return found


def test_many_documents_have_a_bar_a_rate_and_a_time() -> None:
    view = LiveView(is_quiet=True)
    assert "documents" not in drawn(view)
    view.progress(0, 5)
    assert "0 of 5 documents\n" in drawn(view)
    view._started -= 60.0  # a minute ago
    view.take(RequestDone("r", {}, {}, Counts(prompt=5000, forced=400, sampled=600)))
    view.progress(2, 5)
    shown = drawn(view)
    assert re.search(r"2 of 5 documents, 1:30 left, (99|100) tokens/s", shown)
    assert shown.splitlines()[0] == "━" * 16 + "─" * 24
    assert drawn(view, 30).splitlines()[1] == "2 of 5 documents, 1:30 left"
    view.progress(5, 5)
    assert "0:00 left" in drawn(view)


def test_fields_fill_in_place() -> None:
    view = LiveView(is_quiet=True, fields=FIELDS)
    view.take(TextDelta("document-1", "summary", "The harbour"))
    order = [line[4:].split("  ")[0].strip() for line in drawn(view).splitlines()[1:]]
    assert order == ["Title", "Summary", "Key insights", "Quotes"]
    assert row(view, "Summary") == "  › Summary       The harbour"
    assert row(view, "Title") == "  · Title"
    view.take(TextDelta("document-1", "summary", " is\nclosed."))
    view.take(TextDelta("document-1", "title~1", "Ships wait"))
    assert row(view, "Summary").endswith("  The harbour is closed.")
    assert row(view, "Title").endswith("  Ships wait")
    view.take(BranchDone("document-1", "summary", "The harbour is closed.", "stop", Counts()))
    assert row(view, "Summary") == "  ✓ Summary       The harbour is closed."
    assert "writing, 1 of 2 parts done" in drawn(view)


def test_items_and_passages_are_of_their_field() -> None:
    view = LiveView(is_quiet=True, fields=FIELDS)
    for branch, text in (("key_insights.0.category", "Policy"), ("3.quotes.1", "first"), ("more.quotes.0", "second")):
        view.take(TextDelta("document-1.0", branch, text))
    assert row(view, "Key insights").endswith("Policy")
    assert row(view, "Quotes").endswith("second")
    view.take(BranchDone("document-1.0", "3.quotes.1", "first", "stop", Counts()))
    assert row(view, "Quotes").startswith("  › ")  # the other goes on
    view.take(TextDelta("document-1.0", "no_field", "elsewhere"))
    assert row(view, "No field").endswith("elsewhere")


def test_a_document_that_is_done_makes_room_for_the_next() -> None:
    view = LiveView(is_quiet=True, fields=FIELDS)
    view.take(TextDelta("document-1", "title", "First"))
    view.take(TextDelta("document-2", "title", "Second"))
    assert row(view, "Title").endswith("First")  # both are being written
    view.take(BranchDone("document-1", "title", "First", "stop", Counts()))
    view.take(RequestDone("document-1", {}, {}, Counts()))
    assert "checking every claim" in drawn(view)
    view.take(TextDelta("document-1.again", "title", "First, again"))  # more was asked
    assert row(view, "Title").endswith("First, again")
    view.take(RequestDone("document-1.again", {}, {}, Counts()))
    view.take(TextDelta("document-3", "title", "Third"))
    assert row(view, "Title").endswith("Second")
    view.take(RequestFailed("document-2", "no"))
    assert row(view, "Title").endswith("Third")


def test_a_long_text_shows_its_end_while_it_is_written_and_then_its_beginning() -> None:
    view = LiveView(is_quiet=True, fields=("summary",))
    text = " ".join(f"word{number}" for number in range(100))
    view.take(TextDelta("d", "summary", text))
    assert row(view, "Summary", 40).endswith("word98 word99")
    view.take(BranchDone("d", "summary", text, "stop", Counts()))
    assert "  word0 word1 " in row(view, "Summary", 40)


@given(st.text(), st.integers(20, 120), st.booleans())
def test_lines_fit_and_hold_nothing_that_a_terminal_obeys(text: str, width: int, is_done: bool) -> None:
    view = LiveView(is_quiet=True, fields=FIELDS)
    view.progress(1, 3)
    view.take(TextDelta("d", "summary", text + "東京\x1b[31m"))
    if is_done:
        view.take(BranchDone("d", "summary", text, "stop", Counts()))
    for encoding in ("utf-8", "ascii"):
        shown = drawn(view, width, encoding=encoding)
        assert max(map(cell_len, shown.splitlines())) <= width
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", shown)
        assert len(shown.split("\n")) == 3 + len(FIELDS) + 1


@pytest.mark.parametrize(("width", "encoding"), [(80, "utf-8"), (40, "utf-8"), (40, "ascii")])
def test_golden(width: int, encoding: str, golden: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.perf_counter", lambda: 0.0)
    view = LiveView(is_quiet=True, fields=("title", "summary", "sections", "key_insights", "quotes"))
    view.progress(3, 12)
    monkeypatch.setattr("time.perf_counter", lambda: 9.5)
    view.take(RequestDone("d0", {}, {}, Counts(prompt=900, sampled=80)))
    for branch, text in (
        ("title", "Velmora’s lamp posts count — and forget"),
        ("summary", "The town runs its street cameras on models inside 1,260 lamp posts, for €96,000 a year."),
        ("key_insights.0.category", "Policy & Regulation"),
        ("quotes.0", "“We were paying rent"),
    ):
        view.take(TextDelta("d1", branch, text))
    view.take(BranchDone("d1", "title", "Velmora’s lamp posts count — and forget", "stop", Counts()))
    golden(f"live/{width}-{encoding}.txt", drawn(view, width, encoding=encoding))


def test_on_a_terminal_it_is_drawn_and_leaves_nothing_behind(
    stand: type[Stand], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    for name, value in (("TERM", "xterm-256color"), ("COLUMNS", "40")):
        monkeypatch.setenv(name, value)
    assert run(["brief", NEWS, "--no-store"]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("# ")
    assert "\x1b" not in captured.out
    assert "Key insights" in captured.err
    assert captured.err.endswith("\x1b[2K")  # the last thing done is to wipe its lines
    assert run(["brief", NEWS, "--no-store", "--quiet"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("name", "value"), [("TERM", "dumb"), (None, None)])
def test_where_nothing_can_be_wiped_nothing_is_drawn(
    name: str | None,
    value: str,
    stand: type[Stand],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if name:
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
        monkeypatch.setenv(name, value)
    assert run(["brief", NEWS, "--no-store"]) == 0
    assert capsys.readouterr().err.strip() == ""


def test_after_something_else_was_printed_the_done_are_gone() -> None:
    view = LiveView(is_quiet=True, fields=FIELDS)
    for document in ("document-1", "document-2"):
        view.take(TextDelta(document, "title", document))
    view.take(RequestDone("document-1", {}, {}, Counts()))
    with view.aside():
        pass
    assert row(view, "Title").endswith("document-2")
