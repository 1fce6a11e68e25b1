"""How a run over a list of paths ends: interrupted, or with what is to be said of it. For `brief` and `digest`."""

from __future__ import annotations

import json
import shlex
import time
from typing import TYPE_CHECKING

from localsum.commands.say import failure, note
from localsum.commands.session import left_out
from localsum.errors import InterruptedRun

if TYPE_CHECKING:
    from collections.abc import Callable

    from localsum.commands.session import Session
    from localsum.inputs import Inputs
    from localsum.runs import Tally


def interrupted(session: Session, tally: Tally, arguments: list[str]) -> InterruptedRun:
    """What Ctrl-C becomes in a run of several documents."""
    again = shlex.join(["localsum", *arguments])
    said = "done and kept" if session.is_keeping else "done"
    hint = f"go on with: {again}" if session.is_keeping else f"start again with: {again}"
    return InterruptedRun(f"interrupted: {tally.done:,} of {tally.total:,} documents are {said}", hint)


def stats(session: Session, tally: Tally, started_s: float) -> str:
    """What --stats says: one JSON object. `started_s` is by time.perf_counter()."""
    load_s = round(session.loaded_at_s - started_s, 4) if session.loaded_at_s else 0.0
    whole = {"load_s": load_s, "wall_s": round(time.perf_counter() - started_s, 4), **session.counts()}
    each = {"document": session.timings[0]} if len(session.timings) == 1 else {"documents": session.timings}
    return json.dumps({**whole, **each, "from_store": tally.recalled})


def say_at_the_end(tally: Tally, inputs: Inputs, last: Callable[[], str], *, is_quiet: bool) -> None:
    """Notes on what was left out, and the last line of a run that went well; raises for what failed."""
    for line in [] if is_quiet else left_out(inputs):
        note(line)
    if tally.failed:
        raise failure(tally.failed, tally.total, tally.line())
    if not is_quiet and (line := last()):
        note(line)
