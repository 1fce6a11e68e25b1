"""The live view of a run of many documents: how far it is, how fast, how long still."""

import io
import re

from rich.console import Console

from localsum.engine.types import Counts, RequestDone
from localsum.live import LiveView


def drawn(view: LiveView) -> str:
    console = Console(file=io.StringIO(), width=100)
    console.print(view._view())
    return console.file.getvalue()


def test_many_documents_have_a_bar_a_rate_and_a_time() -> None:
    view = LiveView(is_quiet=True)
    assert "documents" not in drawn(view)
    view.progress(0, 5)
    assert "0 of 5 documents\n" in drawn(view).replace(" \n", "\n")
    view._started -= 60.0  # a minute ago
    view.take(RequestDone("r", {}, {}, Counts(prompt=5000, forced=400, sampled=600)))
    view.progress(2, 5)
    shown = drawn(view)
    assert re.search(r"2 of 5 documents, (99|100) tokens/s, 1:30 left", shown)
    assert "━" in shown.splitlines()[0]
    view.progress(5, 5)
    assert "0:00 left" in drawn(view)
