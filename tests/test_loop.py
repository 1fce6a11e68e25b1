"""The run over a toy backend: whatever happens beside a branch, its text is what it would be alone."""

import random
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy import GRAMMARS, GUIDES, FlakyToy, PickyToy, Toy, UnforcedToy, alone, ask, segments

from localsum.engine import grammar
from localsum.engine.guide import Guide
from localsum.engine.loop import Run
from localsum.engine.sampling import Logits
from localsum.engine.scheduler import Slice
from localsum.engine.types import (
    Branch,
    BranchDone,
    Counts,
    Event,
    Request,
    RequestDone,
    RequestFailed,
    Sampling,
    TextDelta,
)
from localsum.errors import EngineError


def run(backend: Toy, requests: list[Request], overlap: int = 0) -> list[Event]:
    """All events of a run; nothing is left in the cache behind it."""
    totals = Counts()
    events = list(Run(backend, requests, overlap=overlap, totals=totals))
    assert not backend.history
    assert totals.steps == backend.decodes
    return events


def texts(events: list[Event]) -> dict[str, dict[str, str]]:
    return {event.request: event.texts for event in events if isinstance(event, RequestDone)}


def failures(events: list[Event]) -> dict[str, str]:
    return {event.request: event.message for event in events if isinstance(event, RequestFailed)}


branches = st.builds(
    lambda suffix, grammar, max_tokens: (suffix, grammar, max_tokens),
    st.text(st.sampled_from("abc :\n"), min_size=1, max_size=12),
    st.sampled_from(GRAMMARS),
    st.integers(1, 40),
)


@st.composite
def request_lists(draw: st.DrawFn, max_size: int = 5) -> list[Request]:
    shapes = draw(
        st.lists(
            st.tuples(
                st.text(st.sampled_from("xyz. "), min_size=1, max_size=80), st.lists(branches, min_size=1, max_size=8)
            ),
            min_size=1,
            max_size=max_size,
        )
    )
    return [
        Request(
            f"r{number}",
            segments(prefix),
            tuple(
                Branch(f"b{index}", segments(suffix), rule, max_tokens)
                for index, (suffix, rule, max_tokens) in enumerate(parts)
            ),
        )
        for number, (prefix, parts) in enumerate(shapes)
    ]


sizes = st.tuples(st.integers(140, 400), st.integers(2, 9), st.integers(1, 64), st.integers(0, 9))


@settings(deadline=None, max_examples=60)
@given(request_lists(), sizes, st.randoms(use_true_random=False))
def test_a_text_does_not_depend_on_its_company(
    requests: list[Request], size: tuple[int, int, int, int], shuffle: random.Random
) -> None:
    cells, sequences, batch, overlap = size
    expected = {request.id: alone(request) for request in requests}
    assert texts(run(Toy(cells, sequences, batch), requests, overlap)) == expected
    shuffle.shuffle(requests)
    assert texts(run(Toy(cells, sequences, batch), requests, overlap)) == expected


@settings(deadline=None, max_examples=60)
@given(request_lists(), sizes, st.integers(0, 1000))
def test_no_cells_loses_nothing(requests: list[Request], size: tuple[int, int, int, int], seed: int) -> None:
    cells, sequences, batch, overlap = size
    backend = FlakyToy(cells, sequences, batch)
    backend.flaky = random.Random(seed)
    assert texts(run(backend, requests, overlap)) == {request.id: alone(request) for request in requests}


@settings(deadline=None, max_examples=40)
@given(request_lists(), sizes)
def test_forced_tokens_change_nothing_but_the_work(requests: list[Request], size: tuple[int, int, int, int]) -> None:
    cells, sequences, batch, overlap = size
    forced = run(Toy(cells, sequences, batch), requests, overlap)
    masked = run(UnforcedToy(cells, sequences, batch), requests, overlap)
    assert texts(forced) == texts(masked)
    sampled = [
        sum(event.counts.sampled for event in some if isinstance(event, BranchDone)) for some in (forced, masked)
    ]
    assert sampled[0] <= sampled[1]


@settings(deadline=None, max_examples=40)
@given(request_lists(), sizes)
def test_events_tell_one_story(requests: list[Request], size: tuple[int, int, int, int]) -> None:
    cells, sequences, batch, overlap = size
    streamed: dict[tuple[str, str], str] = {}
    branches_done: dict[tuple[str, str], BranchDone] = {}
    requests_done: dict[str, RequestDone] = {}
    for event in run(Toy(cells, sequences, batch), requests, overlap):
        match event:
            case TextDelta(request, branch, text):
                assert (request, branch) not in branches_done
                assert text
                streamed[request, branch] = streamed.get((request, branch), "") + text
            case BranchDone(request, branch):
                assert event.text == streamed.get((request, branch), "")
                branches_done[request, branch] = event
            case RequestDone(request):
                requests_done[request] = event
    assert set(requests_done) == {request.id for request in requests}
    if not overlap:
        assert list(requests_done) == [request.id for request in requests]
    for request in requests:
        done = requests_done[request.id]
        assert list(done.texts) == list(done.finishes) == [branch.id for branch in request.branches]
        counts = [branches_done[request.id, branch.id].counts for branch in request.branches]
        for branch, count in zip(request.branches, counts, strict=True):
            last = branches_done[request.id, branch.id]
            assert count.prompt == len(branch.suffix[0].text)
            assert len(last.text.encode()) <= branch.max_tokens
            assert last.finish == done.finishes[branch.id]
        assert done.counts.prompt == len(request.prefix[0].text) + sum(count.prompt for count in counts)
        assert done.counts.sampled == sum(count.sampled for count in counts)
        assert done.counts.forced == sum(count.forced for count in counts)


def test_more_branches_than_sequences() -> None:
    request = ask("many", *[GRAMMARS[n % len(GRAMMARS)] for n in range(50)])
    assert texts(run(Toy(sequences=3), [request])) == {"many": alone(request)}


def test_the_fuse_cuts_and_says_so() -> None:
    free = ask("free", GRAMMARS[0], GRAMMARS[5], max_tokens=60)
    (whole,) = [event for event in run(Toy(), [free]) if isinstance(event, RequestDone)]
    assert whole.finishes == {"b0": "stop", "b1": "stop"}
    assert whole.texts["b0"].endswith("\n")
    assert whole.texts["b1"] == "always the same"
    cut = ask("cut", GRAMMARS[0], GRAMMARS[5], max_tokens=4)
    (done,) = [event for event in run(Toy(), [cut]) if isinstance(event, RequestDone)]
    assert done.finishes == {"b0": "length", "b1": "length"}
    assert done.texts == {name: text[:4] for name, text in whole.texts.items()}


def test_a_fuse_of_exactly_the_text_is_no_cut() -> None:
    for rule, text in ((GRAMMARS[5], "always the same"), (grammar.choice(["aa", "ba"]), None)):
        length = len(text or "aa")
        (done,) = [event for event in run(Toy(), [ask("r", rule, max_tokens=length)]) if isinstance(event, RequestDone)]
        assert done.finishes == {"b0": "stop"}
        assert len(done.texts["b0"]) == length


def test_what_is_forced_whole_costs_no_branch_decode() -> None:
    backend = Toy()
    events = run(backend, [ask("r", GRAMMARS[5])])
    assert texts(events) == {"r": {"b0": "always the same"}}
    assert backend.decodes == 1, "the prefix alone"


def test_characters_of_several_tokens_arrive_whole() -> None:
    events = run(Toy(), [ask(f"r{n}", 'start: /[α-ω]{3,9}/ "\\n"', prefix="x" * (n + 1)) for n in range(5)])
    deltas = [event.text for event in events if isinstance(event, TextDelta)]
    assert len(deltas) > 10
    assert all("\ufffd" not in text for text in deltas)


def test_a_request_that_never_fits_fails_by_name_and_the_others_go_on() -> None:
    good = ask("good", *GRAMMARS)
    bad = [
        ask("long", GRAMMARS[0], prefix="x" * 200),
        ask("wide", GRAMMARS[0], max_tokens=200),
        ask("bare"),
        ask("blank", GRAMMARS[0], prefix=""),
        Request("mute", segments("x"), (Branch("b0", (), GRAMMARS[0]),)),
    ]
    for order in ([*bad, good], [good, *bad], [*bad[:2], good, *bad[2:]]):
        events = run(Toy(cells=200), order)
        assert texts(events) == {"good": alone(good)}
        assert set(failures(events)) == {request.id for request in bad}
    assert failures(events)["long"] == "needs 249 tokens of context, there are 200"


def test_a_broken_grammar_fails_its_request_alone() -> None:
    good = [ask(f"good{n}", *GRAMMARS, prefix="x" * (n + 1)) for n in range(3)]
    bad = ask("bad", GRAMMARS[0], "start: (", GRAMMARS[1])
    events = run(Toy(), [good[0], bad, *good[1:]], overlap=8)
    assert texts(events) == {request.id: alone(request) for request in good}
    assert list(failures(events)) == ["bad"]
    assert failures(events)["bad"].startswith("b1: ")


def test_a_grammar_that_fails_midway_fails_its_request_alone() -> None:
    class Midway(Toy):
        def guide(self, grammar: str) -> Guide:
            guide = GUIDES(grammar)
            if grammar == GRAMMARS[4]:
                guide.advance = fail  # type: ignore[method-assign]
            return guide

    def fail(_token: int) -> list[int]:
        raise EngineError("too complex")

    good, bad = ask("good", *GRAMMARS[:4]), ask("bad", GRAMMARS[0], GRAMMARS[4])
    events = run(Midway(), [bad, good], overlap=8)
    assert texts(events) == {"good": alone(good)}
    assert failures(events) == {"bad": "b1: too complex"}


def test_a_failing_decode_fails_who_took_part_and_the_others_go_on() -> None:
    good = [ask(f"good{n}", *GRAMMARS, prefix="y" * (n + 1)) for n in range(3)]
    bad_prefix, bad_suffix = ask("prefix", GRAMMARS[0], prefix="100 %"), ask("suffix", GRAMMARS[0], GRAMMARS[1])
    bad_suffix = Request("suffix", bad_suffix.prefix, (*bad_suffix.branches, Branch("b9", segments("%"), GRAMMARS[0])))
    events = run(PickyToy(), [good[0], bad_prefix, good[1], bad_suffix, good[2]])
    assert texts(events) == {request.id: alone(request) for request in good}
    assert failures(events) == dict.fromkeys(["prefix", "suffix"], "llama_decode failed with status -3")


def test_logits_that_are_no_numbers_fail_by_name() -> None:
    class Nan(Toy):
        def decode(self, slices: list[tuple[Slice, list[int]]]) -> dict[int, Logits]:
            return {seq: logits * np.float32("nan") for seq, logits in super().decode(slices).items()}

    for sampling in (Sampling(), Sampling(temperature=1.0)):
        request = Request("r", segments("x"), (Branch("b0", segments(":"), GRAMMARS[0], sampling=sampling),))
        assert failures(run(Nan(), [request])) == {"r": "b0: the model's logits are not numbers"}


def test_a_cache_smaller_than_it_says_fails_by_name() -> None:
    class Full(Toy):
        def before(self, slices: list[tuple[Slice, list[int]]]) -> None:
            raise EngineError("the KV cache has no room left")

    assert failures(run(Full(), [ask("r", GRAMMARS[0])])) == {"r": "the KV cache has no room left"}


@settings(deadline=None, max_examples=40)
@given(request_lists(), sizes, st.integers(0, 60))
def test_closing_the_iterator_frees_everything(
    requests: list[Request], size: tuple[int, int, int, int], after: int
) -> None:
    cells, sequences, batch, overlap = size
    backend = Toy(cells, sequences, batch)
    events = iter(Run(backend, requests, overlap=overlap, totals=Counts()))
    for _ in range(after):
        if next(events, None) is None:
            break
    events.close()  # type: ignore[attr-defined]
    assert not backend.history


def test_an_error_in_the_stream_of_requests_frees_everything() -> None:
    def stream() -> Iterator[Request]:
        yield ask("first", *GRAMMARS)
        raise OSError("the folder is gone")

    backend = Toy()
    with pytest.raises(OSError, match="the folder is gone"):
        list(Run(backend, stream(), overlap=0, totals=Counts()))
    assert not backend.history


@pytest.mark.parametrize("prefix", ["Short.", "x" * 300], ids=["written", "refused"])
def test_a_long_stream_is_pulled_lazily_and_in_constant_memory(prefix: str) -> None:
    pulled = ended = 0
    sizes: list[int] = []

    def stream() -> Iterator[Request]:
        nonlocal pulled
        for number in range(10_500):
            pulled += 1
            yield ask(f"r{number}", 'start: "ok"', prefix=prefix)

    tracemalloc.start()
    try:
        for event in Run(Toy(), stream(), overlap=4, totals=Counts()):
            if isinstance(event, RequestDone | RequestFailed):
                ended += 1
                assert pulled - ended <= 2, "one is written, one waits"
                if ended % 2500 == 500:
                    sizes.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert ended == 10_500
    assert max(sizes[1:]) - min(sizes[1:]) < 10_000, "bytes, once it has warmed up"


def test_the_time_of_the_reader_is_not_the_time_of_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("localsum.engine.loop.time.perf_counter", lambda: now)
    totals = Counts()
    for _ in Run(Toy(), [ask("r", *GRAMMARS)], overlap=0, totals=totals):
        now += 100.0
    assert totals.outside_s == 0.0


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> type[Toy]:
    """A backend whose every decode takes a second, and nothing else any time."""

    class Slow(Toy):
        def before(self, slices: list[tuple[Slice, list[int]]]) -> None:
            nonlocal now
            now += 1.0

    now = 1.0
    monkeypatch.setattr("localsum.engine.loop.time.perf_counter", lambda: now)
    return Slow


def test_a_request_that_waits_is_queued_not_slow(slow: type[Toy]) -> None:
    requests = [ask(name, *GRAMMARS, prefix=f"{name} article.") for name in ("first", "second")]
    first, second = (event.counts for event in run(slow(batch=64), requests) if isinstance(event, RequestDone))
    assert first.queued_s == 0
    assert second.queued_s == pytest.approx(first.total_s, abs=1.0)
    assert second.total_s == pytest.approx(first.total_s, abs=1.0)
    assert first.prefill_s == second.prefill_s == 1.0
    assert first.first_token_s >= 2.0
    assert first.first_token_s + first.decode_s == first.total_s


def test_a_branch_has_times_of_its_own(slow: type[Toy]) -> None:
    request = ask("r", GRAMMARS[0], GRAMMARS[0], GRAMMARS[5])
    events = run(slow(sequences=2, batch=64), [request])
    first, second, forced = (event.counts for event in events if isinstance(event, BranchDone))
    assert (first.queued_s, first.prefill_s, first.first_token_s) == (0.0, 1.0, 2.0)
    assert first.total_s == first.first_token_s + first.decode_s
    assert second.queued_s == first.total_s - 1.0, "there is one sequence, so it waits for the other"
    assert second.first_token_s == first.total_s + 1.0
    assert (forced.first_token_s, forced.decode_s) == (0.0, 0.0), "nothing of it was sampled"
    (done,) = (event.counts for event in events if isinstance(event, RequestDone))
    assert (done.prefill_s, done.first_token_s) == (1.0, 2.0)
    assert done.total_s == second.total_s


def test_the_time_of_whoever_makes_the_requests_is_counted_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    def stream() -> Iterator[Request]:
        nonlocal now
        for number in range(3):
            now += 10.0
            yield ask(f"r{number}", *GRAMMARS)

    now = 1.0
    monkeypatch.setattr("localsum.engine.loop.time.perf_counter", lambda: now)
    totals = Counts()
    list(Run(Toy(), stream(), overlap=0, totals=totals))
    assert (totals.source_s, totals.inside_s, totals.outside_s) == (30.0, 0.0, 0.0)


@pytest.mark.parametrize("overlap", [0, 3])
def test_a_beginning_in_common_is_read_once(overlap: int) -> None:
    """What is forced whole is never decoded, so all that is read are prefixes."""
    examples = "Examples that every request begins with. "
    requests = [ask(f"r{n}", GRAMMARS[5], prefix=f"{examples}{n} article {n}") for n in range(5)]
    backend, totals = Toy(), Counts()
    events = list(Run(backend, requests, overlap=overlap, totals=totals))
    assert texts(events) == {request.id: alone(request) for request in requests}
    reused = [event.counts.reused for event in events if isinstance(event, RequestDone)]
    assert reused == [0, *[len(examples)] * 4]
    assert totals.reused == sum(reused)
    assert backend.read == sum(len(request.prefix[0].text) for request in requests) - sum(reused)
    same = [ask(f"r{n}", GRAMMARS[5], prefix=examples) for n in range(5)]
    backend = Toy()
    run(backend, same, overlap)
    assert backend.read == len(examples)


@settings(deadline=None, max_examples=60)
@given(request_lists(), sizes, st.lists(st.integers(0, 60), min_size=5, max_size=5))
def test_sharing_changes_no_text(requests: list[Request], size: tuple[int, int, int, int], common: list[int]) -> None:
    cells, sequences, batch, overlap = size
    beginning = "What many requests begin with, more or less of it, again and again."
    requests = [
        Request(request.id, segments(beginning[:count] + request.prefix[0].text[:60]), request.branches)
        for request, count in zip(requests, common, strict=False)
    ]
    backend, totals = Toy(cells, sequences, batch), Counts()
    events = list(Run(backend, requests, overlap=overlap, totals=totals))
    assert texts(events) == {request.id: alone(request) for request in requests}
    assert not backend.history
    assert backend.read <= totals.prompt - totals.reused + totals.forced + totals.sampled


def test_a_cache_that_lost_the_beginning_reads_it_again() -> None:
    class Sliding(Toy):
        def fork(self, src: int, dst: int, tokens: int) -> bool:
            return tokens == len(self.history[src]) and super().fork(src, dst, tokens)

    requests = [ask(f"r{n}", *GRAMMARS, prefix=f"The same beginning, then {n}.") for n in range(3)]
    events = run(Sliding(), requests)
    assert texts(events) == {request.id: alone(request) for request in requests}
    assert all(event.counts.reused == 0 for event in events if isinstance(event, RequestDone))


@dataclass
class Recorder(Toy):
    """Keeps the shape of every decode since the cache was last empty."""

    shapes: list[list[list[tuple[int, int, int]]]] = field(default_factory=list)

    def clear(self) -> None:
        super().clear()
        self.shapes.append([])

    def before(self, slices: list[tuple[Slice, list[int]]]) -> None:
        self.shapes[-1].append([(part.seq, part.start, part.count) for part, _ in slices])


@settings(deadline=None, max_examples=40)
@given(request_lists(), sizes)
def test_reproducible_is_the_same_steps_whatever_the_company(
    requests: list[Request], size: tuple[int, int, int, int]
) -> None:
    cells, sequences, batch, overlap = size

    def steps(some: list[Request]) -> list[list[list[tuple[int, int, int]]]]:
        backend = Recorder(cells, sequences, batch)
        events = list(Run(backend, some, overlap=overlap, totals=Counts(), reproducible=True))
        assert [event.request for event in events if isinstance(event, RequestDone)] == [each.id for each in some]
        return backend.shapes

    assert steps(requests) == [steps([request])[0] for request in requests]


def test_a_decode_that_fails_in_the_middle_loses_one_step() -> None:
    class Breaks(Toy):
        """Once, after half of the work was done."""

        def decode(self, slices: list[tuple[Slice, list[int]]]) -> dict[int, Logits]:
            if self.decodes == 3 and not broken:
                broken.append(len(slices))
                super().decode(slices[: len(slices) // 2])
                self.decodes -= 1
                raise EngineError("llama_decode failed with status -3")
            return super().decode(slices)

    broken: list[int] = []
    requests = [ask(f"r{n}", *GRAMMARS[:4], prefix="y" * (n + 1)) for n in range(3)]
    backend, calm = Breaks(), Toy()
    assert texts(run(backend, requests)) == texts(run(calm, requests))
    assert broken == [4], "it broke while all four branches were running"
    assert backend.decodes == calm.decodes + 1, "the step was done again in two halves"
