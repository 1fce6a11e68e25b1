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
    """A sequence as a backend would know it: its cells, tokens to decode, rounds still to come."""

    job: int
    rounds: deque[int]
    is_prefix: bool
    cells: list[int]
    pending: int = 0


@dataclass
class World:
    """Drives a scheduler as the loop does and checks each plan against its own books."""

    cells: int
    sequences: int
    batch: int
    overlap: int
    alone: bool
    common: int  # percent of the shorter prefix that any two prefixes have in common
    jobs: dict[int, Work]
    live: dict[int, Live] = field(default_factory=dict)
    decoded: dict[int, int] = field(default_factory=dict)
    shared: dict[int, int] = field(default_factory=dict)
    started: set[tuple[int, int]] = field(default_factory=set)
    done: set[int] = field(default_factory=set)
    cell: int = 0  # decoded so far, in all

    def __post_init__(self) -> None:
        self.scheduler = Scheduler(
            cells=self.cells, sequences=self.sequences, batch=self.batch, overlap=self.overlap, alone=self.alone
        )
        self.waiting = deque(self.jobs)

    def pull(self) -> None:
        while self.waiting and self.scheduler.wants_more():
            number = self.waiting.popleft()
            self.scheduler.add(number, self.jobs[number].prefix, self.jobs[number].worst)
            self.decoded[number] = self.shared[number] = 0

    def admit(self) -> None:
        if (admission := self.scheduler.admit()) is None:
            return
        work = self.jobs[admission.job]
        assert admission.seq not in self.live
        assert not (self.alone and self.live), "alone is alone"
        live = Live(admission.job, deque(), is_prefix=True, cells=[], pending=work.prefix)
        for seq in admission.readable:
            source = self.live[seq]
            assert source.is_prefix
            assert not source.pending, "what is shared has been read"
        if admission.readable:
            source = self.live[admission.readable[-1]]
            count = min(work.prefix, len(source.cells)) * self.common // 100
            live.cells = source.cells[:count]
            live.pending -= count
            self.shared[admission.job] = count
            self.scheduler.share(admission.seq, count)
        if admission.kept is not None:
            del self.live[admission.kept]
        self.live[admission.seq] = live

    def fork(self, fork: Fork) -> None:
        work = self.jobs[fork.job]
        prefix = self.live[fork.src]
        assert prefix.is_prefix
        assert prefix.job == fork.job
        assert len(prefix.cells) == work.prefix, "the prefix is read before it is forked"
        assert fork.dst not in self.live
        assert 0 <= fork.dst < self.sequences
        assert (fork.job, fork.branch) not in self.started, "each branch starts once"
        self.started.add((fork.job, fork.branch))
        rounds = deque(work.branches[fork.branch])
        pending = rounds.popleft()
        self.live[fork.dst] = Live(fork.job, rounds, is_prefix=False, cells=list(prefix.cells), pending=pending)
        self.scheduler.extend(fork.dst, pending)

    def decode(self, part: Slice) -> None:
        number = self.scheduler.job_of(part.seq)
        assert number is not None
        sequence = self.live[part.seq]
        assert sequence.job == number
        assert part.start == len(sequence.cells), "positions are contiguous"
        assert 1 <= part.count <= sequence.pending
        sequence.cells += range(self.cell, self.cell + part.count)
        self.cell += part.count
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
        number = sequence.job
        if (freed := self.scheduler.finish(seq)) is not None:
            for prefix in freed:
                del self.live[prefix]
            assert self.decoded[number] + self.shared[number] == self.jobs[number].tokens, "every token once"
            assert all((number, index) in self.started for index in range(len(self.jobs[number].branches)))
            self.done.add(number)
            kept = [live for live in self.live.values() if live.job in self.done]
            assert len(kept) <= 1, "at most one prefix is kept"

    def drop(self, number: int) -> None:
        known = {seq for seq, sequence in self.live.items() if sequence.job == number}
        assert set(self.scheduler.drop(number)) == known, "every cell of it is given back"
        for seq in known:
            del self.live[seq]
        self.done.add(number)

    def step(self) -> int:
        """One step; returns how many tokens it held."""
        self.pull()
        self.admit()
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
        assert len({cell for live in self.live.values() for cell in live.cells}) <= self.cells
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
        if (kept := self.scheduler.release()) is not None:
            del self.live[kept]
        assert not self.live
        branches = min(self.sequences - 1, self.cells - 1)
        self.scheduler.add(-1, self.cells - branches, [1] * branches)
        assert self.scheduler.admit() is not None
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
        alone=draw(st.booleans()),
        common=draw(st.integers(0, 100)),
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
        scheduler.admit()
        scheduler.plan()
        scheduler.add(2, 10, [5])
        first, second = scheduler.start()
        assert scheduler.admit() is not None
        for fork in (first, second):
            scheduler.extend(fork.dst, 2)
        assert scheduler.start() == []
        assert {scheduler.job_of(part.seq) for part in scheduler.plan()} == {1}
        scheduler.finish(second.dst)
        scheduler.extend(first.dst, 1)
        assert [number for part in scheduler.plan() if (number := scheduler.job_of(part.seq)) != 1] == expected


def test_the_last_prefix_is_kept_for_the_next_job_and_stands_in_nobodys_way() -> None:
    scheduler = Scheduler(cells=20, sequences=2, batch=50, overlap=0)
    scheduler.add(1, 15, [5])
    first = scheduler.admit()
    assert first is not None
    assert (first.readable, first.kept) == ((), None)
    scheduler.plan()
    (fork,) = scheduler.start()
    assert scheduler.finish(fork.dst) == []
    scheduler.add(2, 15, [5])  # needs every cell and both sequences
    second = scheduler.admit()
    assert second is not None
    assert (second.readable, second.kept) == ((first.seq,), first.seq)
    scheduler.share(second.seq, 12)
    assert [(part.start, part.count) for part in scheduler.plan()] == [(12, 3)]
    assert len(scheduler.start()) == 1


def test_alone_each_job_waits_for_the_one_before() -> None:
    scheduler = Scheduler(cells=100, sequences=9, batch=50, overlap=9, alone=True)
    scheduler.add(1, 10, [5])
    assert scheduler.admit() is not None
    scheduler.plan()
    (fork,) = scheduler.start()
    scheduler.add(2, 10, [5])
    assert scheduler.admit() is None
    assert scheduler.finish(fork.dst) == [fork.src], "nothing is kept"
    second = scheduler.admit()
    assert second is not None
    assert second.readable == ()
