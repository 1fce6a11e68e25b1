"""Decides what the next decode holds. Integers only: no llama.cpp, no numpy, no tokens, no text.

A job is a prefix and its branches. The prefix is read in chunks, then forked into branches, as many at once as
there are sequences and cells. Each step holds the pending tokens of all running branches first; what is left of the
batch goes to the prefix of the next job, once no more than `overlap` branches are running (a unified KV cache makes
every token attend over the cells of all, so mixing documents costs more than it hides; see DECISIONS.md).

A job is admitted only when its prefix and its largest branch fit into the free cells and every earlier job has
started all its branches; a branch is started only when its worst case fits. So cells never run out and the oldest
job always goes on.
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
    """Plans steps over `cells` KV cells, `sequences` sequence ids and `batch` tokens a step."""

    def __init__(self, *, cells: int, sequences: int, batch: int, overlap: int) -> None:
        if sequences < 2:
            raise ValueError("a prefix and a branch need two sequences")
        self._batch = batch
        self._overlap = overlap
        self._free_cells = cells
        self._cells = cells
        self._free_seqs = list(range(sequences - 1, -1, -1))
        self._jobs: dict[int, _Job] = {}  # in order of arrival
        self._running: dict[int, _Running] = {}  # by sequence id; prefixes and branches

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

    def extend(self, seq: int, tokens: int) -> None:
        """`tokens` more are to be decoded in this branch."""
        self._running[seq].pending += tokens

    def finish(self, seq: int) -> bool:
        """This branch is done: free its sequence. Returns whether its job is done with it."""
        branch = self._running.pop(seq)
        self._release(seq, branch.reserved)
        job = self._jobs[branch.job]
        job.running -= 1
        if job.running or job.branches:
            return False
        self.drop(branch.job)
        return True

    def drop(self, job: int) -> list[int]:
        """Forget a job whatever its state; returns the sequences whose cells are to be freed."""
        seqs = [seq for seq, running in self._running.items() if running.job == job]
        for seq in seqs:
            self._release(seq, self._running.pop(seq).reserved)
        del self._jobs[job]
        return seqs

    def _release(self, seq: int, cells: int) -> None:
        self._free_seqs.append(seq)
        self._free_cells += cells

    def _take(self, job: int, done: int, cells: int) -> int:
        seq = self._free_seqs.pop()
        self._free_cells -= cells
        self._running[seq] = _Running(job, done, 0, cells)
        return seq

    def start(self) -> list[Fork]:
        """Admit what fits and start the branches that can run; give each fork its suffix with `extend`."""
        self._admit()
        forks: list[Fork] = []
        for number, job in self._jobs.items():
            if job.seq < 0 or self._running[job.seq].pending:
                continue
            while job.branches and self._free_seqs and job.branches[0][1] <= self._free_cells:
                index, worst = job.branches.popleft()
                forks.append(Fork(number, index, job.seq, self._take(number, job.prefix, worst)))
                job.running += 1
        return forks

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

    def _slice(self, seq: int, running: _Running, budget: int, slices: list[Slice], *, sample: bool) -> int:
        count = min(running.pending, budget)
        if count:
            slices.append(Slice(seq, running.done, count, sample and count == running.pending))
            running.done += count
            running.pending -= count
        return count

    def _admit(self) -> None:
        for number, job in self._jobs.items():
            if job.seq >= 0:
                if job.branches:
                    return  # the oldest unfinished job keeps its claim on the cells
                continue
            largest = max(worst for _, worst in job.branches)
            if len(self._free_seqs) < 2 or job.prefix + largest > self._free_cells:
                return
            job.seq = self._take(number, 0, job.prefix)
            self._running[job.seq].pending = job.prefix
            return
