"""The benchmark asks everybody for the same brief: what localsum's branches write fits the peers' schema."""

import json
import sys
from pathlib import Path

import jsonschema
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

import peers

from localsum.engine.scripted import ScriptedEngine
from localsum.engine.types import RequestDone


def test_the_example_is_what_is_asked_for() -> None:
    jsonschema.validate(peers.EXAMPLE_BRIEF, peers.schema())
    assert list(peers.EXAMPLE_BRIEF) == list(peers.BRIEF)


def test_what_the_branches_write_is_one_answer_of_the_schema() -> None:
    (done,) = [
        event for event in ScriptedEngine().run([peers.request_of("a", "Text.")]) if isinstance(event, RequestDone)
    ]
    made = json.loads(peers.whole(done.texts))
    jsonschema.validate(made, peers.schema())
    assert list(made) == list(peers.BRIEF)


@pytest.mark.parametrize("name", list(peers.BRIEF))
def test_a_branch_goes_on_where_its_opening_ends(name: str) -> None:
    opening, grammar, fuse = peers.branch_of(name)
    example = peers.EXAMPLE_BRIEF[name]
    written = json.dumps({name: example})[len(opening) : -1]
    assert json.dumps({name: example}).startswith(opening)
    request = peers.request_of("a", "Text.")
    events = list(ScriptedEngine(lambda _request, branch: written if branch.id == name else None).run([request]))
    (done,) = [event for event in events if isinstance(event, RequestDone)]
    assert done.texts[name] == written
    assert done.finishes[name] == "stop"
    assert grammar.startswith("start: ")
    assert fuse > 16
