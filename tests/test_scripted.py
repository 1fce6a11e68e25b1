"""The engine without a model: it keeps the promises of the real one, and its own about texts that nobody scripted."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localsum.engine import grammar
from localsum.engine.scripted import ScriptedEngine
from localsum.engine.types import (
    Branch,
    BranchDone,
    Engine,
    Event,
    Prompt,
    Request,
    RequestDone,
    RequestFailed,
    Segment,
    TextDelta,
)

LINE = grammar.after_space(grammar.line(30))
ENDLESS = grammar.line(30, end="")


def segments(text: str) -> Prompt:
    return (Segment(text),)


def ask(name: str, *rules: str, prefix: str = "An article.", max_tokens: int = 40) -> Request:
    parts = (Branch(f"b{n}", segments(f"\nField {n}:"), rule, max_tokens) for n, rule in enumerate(rules))
    return Request(name, segments(prefix), tuple(parts))


def written(engine: ScriptedEngine, *rules: str) -> list[str]:
    """The texts of one request."""
    (done,) = (event for event in engine.run([ask("r", *rules)]) if isinstance(event, RequestDone))
    return list(done.texts.values())


def failure(engine: ScriptedEngine, request: Request) -> str:
    last = list(engine.run([request]))[-1]
    assert isinstance(last, RequestFailed)
    return last.message


def test_it_is_an_engine() -> None:
    engine: Engine = ScriptedEngine(chat_template="{{ messages }}", context_tokens=99)
    assert engine.info.chat_template == "{{ messages }}"
    assert engine.info.context_tokens == 99
    engine.close()


def test_events_come_in_order_and_add_up() -> None:
    engine = ScriptedEngine({"b0": "One two", "b1": "Three"})
    events: list[Event] = list(engine.run([ask("r", LINE, ENDLESS)]))
    streamed = {"b0": "", "b1": ""}
    for event in events:
        match event:
            case TextDelta("r", branch, text):
                streamed[branch] += text
            case BranchDone("r", branch, text):
                assert streamed[branch] == text
    done = events[-1]
    assert isinstance(done, RequestDone)
    assert done.texts == streamed == {"b0": " One two\n", "b1": "Three"}
    assert done.finishes == {"b0": "stop", "b1": "stop"}
    assert done.counts.prompt == 3 + 2 * 3
    assert done.counts.sampled == 4
    assert (engine.totals.prompt, engine.totals.sampled) == (9, 4)


def test_the_script_sees_request_and_branch() -> None:
    engine = ScriptedEngine(lambda request, branch: f"{request.id} {branch.id}")
    assert written(engine, LINE, ENDLESS) == [" r b0\n", "r b1"]


def test_without_a_script_the_first_text_that_fits_is_written() -> None:
    sentences = ['He said "no\\yes".', "She left."]
    rules = {
        LINE: " x\n",
        ENDLESS: "x",
        grammar.choice(["Market", "Business"]): "Market",
        grammar.after_space(grammar.choice(sentences, "\n")): f" {sentences[0]}\n",
        grammar.line(30, first="[A-Z]"): "A\n",
        'start: "[" /[0-9]{3}/ "]"': "[000]",
        'start: /[^\\n]{5,}/ "\\n"': "xxxxx\n",
        'start: /[α-ω]{2}/ "!"': "αα!",
        'start: ""': "",
    }
    assert written(ScriptedEngine(), *rules) == list(rules.values())
    assert written(ScriptedEngine({"b1": "Mine"}), LINE, ENDLESS) == [" x\n", "Mine"]
    assert "give it a script" in failure(ScriptedEngine(), ask("r", 'start: /[a-z]{2000}/ "\\n"'))


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=12), min_size=1), st.booleans())
def test_of_any_choice_the_first_option_is_written(options: list[str], spaced: bool) -> None:
    rule = grammar.choice(options, "\n")
    expected = options[0] + "\n"
    if spaced:
        rule, expected = grammar.after_space(rule), " " + expected
    assert written(ScriptedEngine(), rule) == [expected]


@pytest.mark.parametrize(
    ("rule", "text", "message"),
    [
        (LINE, "b" * 33, f"b0: the grammar refuses the scripted text at character 30: {'bbb'!r}"),
        (LINE, "Two\nlines", "b0: the grammar refuses the scripted text at character 4: 'lines'"),
        (ENDLESS, "é\x1b[0m", f"b0: the grammar refuses the scripted text at character 1: {chr(27) + '[0m'!r}"),
        (grammar.choice(["Market"]), "Mark", "b0: the grammar does not let the scripted text end after 'Mark'"),
        (grammar.choice(["Market"]), "Marketing", "b0: the grammar refuses the scripted text at character 6: 'ing'"),
        ("start: (", "x", "b0: a grammar cannot be used"),
        ("start: (", None, "b0: a grammar cannot be used"),
    ],
)
def test_a_text_outside_the_grammar_fails_and_says_where(rule: str, text: str | None, message: str) -> None:
    engine = ScriptedEngine(lambda request, branch: text)
    assert failure(engine, ask("r", rule)).startswith(message)
    if text is not None:
        assert written(ScriptedEngine(lambda request, branch: text, check=False), rule) == [text]


def test_a_failed_request_is_not_the_end() -> None:
    engine = ScriptedEngine(lambda request, branch: "bad\x00" if request.id == "bad" else "good")
    events = list(engine.run([ask("bad", LINE), ask("good", LINE)]))
    assert [event.request for event in events if isinstance(event, RequestFailed)] == ["bad"]
    assert [event.request for event in events if isinstance(event, RequestDone)] == ["good"]


def test_max_tokens_cuts_as_the_real_engine_does() -> None:
    (*_, done) = ScriptedEngine({"b0": "One two three"}).run([ask("r", LINE, max_tokens=2)])
    assert isinstance(done, RequestDone)
    assert done.texts == {"b0": " One two"}
    assert done.finishes == {"b0": "length"}


def test_what_does_not_fit_the_context_fails_by_name() -> None:
    engine = ScriptedEngine(context_tokens=50)
    assert list(engine.run([ask("r", LINE)]))[-1].request == "r"
    assert failure(engine, ask("r", LINE, prefix="word " * 50)) == "needs 94 tokens of context, there are 50"
    assert "needs a prefix and a branch" in failure(engine, ask("r"))
    assert "needs a prefix and a branch" in failure(engine, ask("r", LINE, prefix=""))


def test_requests_are_pulled_one_by_one() -> None:
    pulled = 0

    def stream() -> Iterator[Request]:
        nonlocal pulled
        while True:
            pulled += 1
            yield ask(f"r{pulled}", LINE)

    for event in ScriptedEngine().run(stream()):
        if isinstance(event, RequestDone):
            assert event.request == f"r{pulled}"
            if pulled == 20:
                break


@given(st.text(max_size=60))
def test_tokens_are_the_whole_text(text: str) -> None:
    engine = ScriptedEngine({"b0": text}, check=False)
    (*_, done) = engine.run([ask("r", LINE, max_tokens=100)])
    assert isinstance(done, RequestDone)
    assert done.texts == {"b0": text}
    assert done.counts.sampled == engine.count_tokens(text)


def test_counting_is_linear() -> None:
    assert ScriptedEngine().count_tokens("a" * 8_000_000) == 1_000_000
    assert ScriptedEngine().count_tokens(" " * 8_000_000) == 1
    assert ScriptedEngine().count_tokens("= " * 1_000_000) == 1_000_001
