"""The scheduler over random sizes: nobody starves, nothing exceeds its bounds, every token is decoded once."""

from collections import deque
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localsum.engine.scheduler import Fork, Scheduler, Slice


@dataclass
class Work:
    """A job to be: `branches` are the tokens of each round, the first being the suffix; `slack` is reserved unused."""

    prefix: int
    branches: list[list[int]]
    slack: int

    @property
    def worst(self) -> list[int]:
        return [sum(rounds) + self.slack for rounds in self.branches]

    @property
    def tokens(self) -> int:
        return self.prefix + sum(map(sum, self.branches))


@dataclass
class Live:
    """A sequence as a backend would know it: tokens before its own, own tokens decoded, rounds still to come."""

    job: int
    shared: int
    rounds: deque[int]
    is_prefix: bool
    own: int = 0
    pending: int = 0


@dataclass
class World:
    """Drives a scheduler as the loop does and checks each plan against its own books."""

    cells: int
    sequences: int
    batch: int
    overlap: int
    jobs: dict[int, Work]
    live: dict[int, Live] = field(default_factory=dict)
    decoded: dict[int, int] = field(default_factory=dict)
    started: set[tuple[int, int]] = field(default_factory=set)
    done: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.scheduler = Scheduler(cells=self.cells, sequences=self.sequences, batch=self.batch, overlap=self.overlap)
        self.waiting = deque(self.jobs)

    def pull(self) -> None:
        while self.waiting and self.scheduler.wants_more():
            number = self.waiting.popleft()
            self.scheduler.add(number, self.jobs[number].prefix, self.jobs[number].worst)
            self.decoded[number] = 0

    def fork(self, fork: Fork) -> None:
        work = self.jobs[fork.job]
        prefix = self.live[fork.src]
        assert prefix.is_prefix
        assert prefix.job == fork.job
        assert prefix.own == work.prefix, "the prefix is read before it is forked"
        assert fork.dst not in self.live
        assert 0 <= fork.dst < self.sequences
        assert (fork.job, fork.branch) not in self.started, "each branch starts once"
        self.started.add((fork.job, fork.branch))
        rounds = deque(work.branches[fork.branch])
        self.live[fork.dst] = Live(fork.job, work.prefix, rounds, is_prefix=False, pending=rounds.popleft())
        self.scheduler.extend(fork.dst, self.live[fork.dst].pending)

    def decode(self, part: Slice) -> None:
        number = self.scheduler.job_of(part.seq)
        assert number is not None
        if part.seq not in self.live:  # a prefix shows itself first by being read
            self.live[part.seq] = Live(number, 0, deque(), is_prefix=True, pending=self.jobs[number].prefix)
        sequence = self.live[part.seq]
        assert sequence.job == number
        assert part.start == sequence.shared + sequence.own, "positions are contiguous"
        assert 1 <= part.count <= sequence.pending
        sequence.own += part.count
        sequence.pending -= part.count
        self.decoded[number] += part.count
        assert part.sample == (not sequence.is_prefix and not sequence.pending)

    def sampled(self, seq: int) -> None:
        sequence = self.live[seq]
        if sequence.rounds:
            sequence.pending = sequence.rounds.popleft()
            self.scheduler.extend(seq, sequence.pending)
            return
        del self.live[seq]
        if self.scheduler.finish(seq):
            self.forget(sequence.job)
            assert self.decoded[sequence.job] == self.jobs[sequence.job].tokens, "every token once"
            assert all((sequence.job, index) in self.started for index in range(len(self.jobs[sequence.job].branches)))

    def forget(self, number: int) -> None:
        self.live = {seq: sequence for seq, sequence in self.live.items() if sequence.job != number}
        self.done.add(number)

    def drop(self, number: int) -> None:
        known = {seq for seq, sequence in self.live.items() if sequence.job == number}
        dropped = set(self.scheduler.drop(number))
        assert known <= dropped, "every cell of it is given back"
        assert len(dropped - known) <= 1, "more is at most a prefix that was admitted and not yet begun"
        self.forget(number)

    def step(self) -> int:
        """One step; returns how many tokens it held."""
        self.pull()
        for fork in self.scheduler.start():
            self.fork(fork)
        slices = self.scheduler.plan()
        assert sum(part.count for part in slices) <= self.batch
        assert len({part.seq for part in slices}) == len(slices)
        oldest = next((number for number in self.decoded if number not in self.done), None)
        if oldest is not None:
            assert oldest in {self.scheduler.job_of(part.seq) for part in slices}, "the oldest job goes on"
        for part in slices:
            self.decode(part)
        assert sum(sequence.own for sequence in self.live.values()) <= self.cells
        assert len(self.live) <= self.sequences
        for part in slices:
            if part.sample:
                self.sampled(part.seq)
        return sum(part.count for part in slices)

    def run(self) -> None:
        limit = sum(work.tokens for work in self.jobs.values())
        for _ in range(limit + 1):
            held = self.step()
            if self.scheduler.is_idle() and not self.waiting:
                return
            assert held, "a step with work to do does some"
        pytest.fail(f"not done after {limit} steps")

    def assert_all_free(self) -> None:
        """All cells and sequence ids can be had again: by one job that needs every one of them."""
        branches = min(self.sequences - 1, self.cells - 1)
        self.scheduler.add(-1, self.cells - branches, [1] * branches)
        assert self.scheduler.start() == []
        read = 0
        while read < self.cells - branches:
            (part,) = self.scheduler.plan()
            read += part.count
        assert len(self.scheduler.start()) == branches


works = st.builds(
    Work,
    prefix=st.integers(1, 60),
    branches=st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=5), min_size=1, max_size=9),
    slack=st.integers(0, 20),
)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    jobs = draw(st.lists(works, min_size=1, max_size=6))
    least = max(work.prefix + max(work.worst) for work in jobs)
    return World(
        cells=max(2, least + draw(st.integers(0, 150))),
        sequences=draw(st.integers(2, 12)),
        batch=draw(st.integers(1, 40)),
        overlap=draw(st.integers(0, 12)),
        jobs=dict(enumerate(jobs)),
    )


@given(worlds())
def test_every_job_ends_within_bounds(world: World) -> None:
    world.run()
    assert world.done == set(world.jobs)
    world.assert_all_free()


@given(worlds(), st.lists(st.tuples(st.integers(0, 60), st.integers(0, 5)), max_size=6))
def test_a_job_can_be_dropped_at_any_time(world: World, drops: list[tuple[int, int]]) -> None:
    for after, number in sorted(drops):
        for _ in range(after % 15):
            world.step()
        if number in world.decoded and number not in world.done:
            world.drop(number)
    if not world.scheduler.is_idle() or world.waiting:
        world.run()
    assert world.done == set(world.jobs)
    world.assert_all_free()


@given(worlds())
def test_dropping_everything_frees_everything(world: World) -> None:
    for _ in range(7):
        world.step()
    for number in set(world.decoded) - world.done:
        world.drop(number)
    assert world.scheduler.is_idle()
    assert not world.live
    world.assert_all_free()


def test_a_job_that_can_never_fit_is_refused() -> None:
    scheduler = Scheduler(cells=10, sequences=2, batch=4, overlap=0)
    assert scheduler.fits(7, [1, 3])
    assert not scheduler.fits(7, [1, 4])
    with pytest.raises(ValueError, match="do not fit 10 cells"):
        scheduler.add(1, 7, [1, 4])


def test_one_sequence_is_not_enough() -> None:
    with pytest.raises(ValueError, match="two sequences"):
        Scheduler(cells=10, sequences=1, batch=4, overlap=0)


def test_the_next_prefix_waits_until_few_branches_run() -> None:
    """With overlap 1 it is read beside the last branch, with overlap 0 only after it."""
    for overlap, expected in ((0, []), (1, [2])):
        scheduler = Scheduler(cells=100, sequences=6, batch=50, overlap=overlap)
        scheduler.add(1, 10, [5, 5])
        scheduler.start()
        scheduler.plan()
        scheduler.add(2, 10, [5])
        first, second = scheduler.start()
        for fork in (first, second):
            scheduler.extend(fork.dst, 2)
        assert scheduler.start() == []
        assert {scheduler.job_of(part.seq) for part in scheduler.plan()} == {1}
        scheduler.finish(second.dst)
        scheduler.extend(first.dst, 1)
        assert [number for part in scheduler.plan() if (number := scheduler.job_of(part.seq)) != 1] == expected
