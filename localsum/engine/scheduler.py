"""Decides what the next decode holds. Integers only: no llama.cpp, no numpy, no tokens, no text.

A job is a prefix and its branches. The prefix is read in chunks, then forked into branches, as many at once as
there are sequences and cells. Each step holds the pending tokens of all running branches first; what is left of the
batch goes to the prefix of the next job, once no more than `overlap` branches are running: in a unified KV cache every
token attends over the cells of all, so mixing documents has a price, and so have decodes of few tokens (DECISIONS.md).

A job is admitted only when its prefix and its largest branch fit into the free cells and every earlier job has
started all its branches; a branch is started only when its worst case fits. So cells never run out and the oldest
job always goes on. What a prefix shares with another is reserved for both, since either may end first.

The prefix of the job that ended last stays in the cache until the next is admitted, which may share its beginning.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Slice:
    """`count` tokens of sequence `seq`, the first at position `start`; logits are asked for its last if `sample`."""

    seq: int
    start: int
    count: int
    sample: bool


@dataclass(frozen=True, slots=True)
class Admission:
    """Job `job` reads its prefix as sequence `seq`, sharing the beginning of a prefix in `readable` if it can.

    `kept` is one of these that nobody needs after that: free it.
    """

    job: int
    seq: int
    readable: tuple[int, ...]
    kept: int | None


@dataclass(frozen=True, slots=True)
class Fork:
    """Branch `branch` of job `job` starts as sequence `dst`, sharing the cells of the prefix `src`."""

    job: int
    branch: int
    src: int
    dst: int


@dataclass(slots=True)
class _Running:
    """A sequence in the cache: `done` tokens decoded, `pending` to go, `reserved` cells of its own."""

    job: int
    done: int
    pending: int
    reserved: int


@dataclass(slots=True)
class _Job:
    prefix: int
    branches: deque[tuple[int, int]]  # index and worst case in tokens; not yet started
    seq: int = -1  # of the prefix, once admitted
    running: int = 0  # branches in the cache


class Scheduler:
    """Plans steps over `cells` KV cells, `sequences` sequence ids and `batch` tokens a step.

    With `alone` each job is written by itself, as if there were no other: the same job then makes the same steps.
    """

    def __init__(self, *, cells: int, sequences: int, batch: int, overlap: int, alone: bool = False) -> None:
        if sequences < 2:
            raise ValueError("a prefix and a branch need two sequences")
        self._batch = batch
        self._overlap = overlap
        self._is_alone = alone
        self._free_cells = cells
        self._cells = cells
        self._free_seqs = set(range(sequences))
        self._jobs: dict[int, _Job] = {}  # in order of arrival
        self._running: dict[int, _Running] = {}  # by sequence id; prefixes and branches
        self._kept: tuple[int, int] | None = None  # sequence and cells of the prefix of the job that ended last

    def fits(self, prefix: int, worst: list[int]) -> bool:
        """Whether a job of this size can ever run."""
        return prefix + max(worst) <= self._cells

    def add(self, job: int, prefix: int, worst: list[int]) -> None:
        """Queue a job: tokens of its prefix, and of each branch (suffix and all it may write) at the very most."""
        if not self.fits(prefix, worst):
            raise ValueError(f"{prefix} + {max(worst)} tokens do not fit {self._cells} cells")
        self._jobs[job] = _Job(prefix, deque(enumerate(worst)))

    def wants_more(self) -> bool:
        """Whether a further job could be used: none is waiting to be admitted."""
        return all(job.seq >= 0 for job in self._jobs.values())

    def is_idle(self) -> bool:
        return not self._jobs

    def job_of(self, seq: int) -> int | None:
        """The job that sequence `seq` belongs to; None once it is finished or dropped."""
        return self._running[seq].job if seq in self._running else None

    def admit(self) -> Admission | None:
        """Admit the next job, if there is room for it now."""
        number = next((number for number, job in self._jobs.items() if job.seq < 0), None)
        if number is None:
            return None
        earlier = [job for job in self._jobs.values() if job.seq >= 0]
        if any(job.branches for job in earlier) or (earlier and self._is_alone):
            return None  # the oldest unfinished job keeps its claim on the cells
        job = self._jobs[number]
        kept, kept_cells = self._kept or (None, 0)
        largest = max(worst for _, worst in job.branches)
        room = self._free_cells + kept_cells
        if len(self._free_seqs) + (kept is not None) < 2 or job.prefix + largest > room:
            return None
        job.seq = self._take(number, 0, job.prefix)
        self._running[job.seq].pending = job.prefix
        readable = tuple(other.seq for other in earlier) + (() if kept is None else (kept,))
        self.release()
        return Admission(number, job.seq, readable, kept)

    def share(self, seq: int, tokens: int) -> None:
        """The first `tokens` of this prefix are in the cache already."""
        prefix = self._running[seq]
        prefix.done += tokens
        prefix.pending -= tokens

    def start(self) -> list[Fork]:
        """Start the branches that can run; give each its suffix with `extend`."""
        forks: list[Fork] = []
        for number, job in self._jobs.items():
            if job.seq < 0 or self._running[job.seq].pending:
                continue
            while job.branches and self._free_seqs and job.branches[0][1] <= self._free_cells:
                index, worst = job.branches.popleft()
                forks.append(Fork(number, index, job.seq, self._take(number, job.prefix, worst)))
                job.running += 1
        return forks

    def extend(self, seq: int, tokens: int) -> None:
        """`tokens` more are to be decoded in this branch."""
        self._running[seq].pending += tokens

    def plan(self) -> list[Slice]:
        """What the next decode holds, at most `batch` tokens; counted as decoded from now on."""
        slices: list[Slice] = []
        budget = self._batch
        prefixes = {job.seq for job in self._jobs.values()}
        for seq, branch in self._running.items():
            if seq not in prefixes:
                budget -= self._slice(seq, branch, budget, slices, sample=True)
        if sum(job.running for job in self._jobs.values()) <= self._overlap:
            for seq in prefixes - {-1}:
                budget -= self._slice(seq, self._running[seq], budget, slices, sample=False)
        return slices

    def finish(self, seq: int) -> list[int] | None:
        """This branch is done. Returns None if its job goes on, else what is to be freed beside the branch itself.

        That is the job's prefix, unless no other is in the cache: then it is kept.
        """
        branch = self._running.pop(seq)
        self._give_back(seq, branch.reserved)
        job = self._jobs[branch.job]
        job.running -= 1
        if job.running or job.branches:
            return None
        if self._is_alone or any(other.seq >= 0 for other in self._jobs.values() if other is not job):
            return self.drop(branch.job)
        del self._jobs[branch.job]
        self._kept = (job.seq, self._running.pop(job.seq).reserved)
        return []

    def release(self) -> int | None:
        """Forget the prefix that is kept; returns its sequence, whose cells are to be freed."""
        if self._kept is None:
            return None
        seq, cells = self._kept
        self._give_back(seq, cells)
        self._kept = None
        return seq

    def drop(self, job: int) -> list[int]:
        """Forget a job whatever its state; returns the sequences whose cells are to be freed."""
        seqs = [seq for seq, running in self._running.items() if running.job == job]
        for seq in seqs:
            self._give_back(seq, self._running.pop(seq).reserved)
        del self._jobs[job]
        return seqs

    def _slice(self, seq: int, running: _Running, budget: int, slices: list[Slice], *, sample: bool) -> int:
        count = min(running.pending, budget)
        if count:
            slices.append(Slice(seq, running.done, count, sample and count == running.pending))
            running.done += count
            running.pending -= count
        return count

    def _take(self, job: int, done: int, cells: int) -> int:
        seq = min(self._free_seqs)  # so that the same work always gets the same ids
        self._free_seqs.remove(seq)
        self._free_cells -= cells
        self._running[seq] = _Running(job, done, 0, cells)
        return seq

    def _give_back(self, seq: int, cells: int) -> None:
        self._free_seqs.add(seq)
        self._free_cells += cells
