"""The run: requests in, events out. Joins scheduler, sequences and a backend; knows nothing of llama.cpp itself.

A step: pull, admit, fork, plan, decode, pick. What a backend must do is in `Backend`; tests put scripted logits
behind it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from localsum.engine.guide import Guide
from localsum.engine.sampling import Logits
from localsum.engine.scheduler import Scheduler, Slice
from localsum.engine.sequence import Sequence
from localsum.engine.types import BranchDone, Counts, Event, Prompt, Request, RequestDone, RequestFailed, TextDelta
from localsum.errors import EngineError


class Backend(Protocol):
    """A model and its KV cache. Sequence ids are below `sequences`, a decode holds at most `batch` tokens."""

    cells: int
    sequences: int
    batch: int

    @property
    def ends(self) -> frozenset[int]: ...  # tokens that end a turn or a text
    @property
    def pieces(self) -> list[bytes]: ...  # text of each token

    def tokenize(self, prompt: Prompt, *, first: bool) -> list[int]: ...
    def guide(self, grammar: str) -> Guide: ...
    def decode(self, slices: list[tuple[Slice, list[int]]]) -> dict[int, Logits]:
        """Logits by sequence id, for each slice with `sample`. After an EngineError, `cut` what was to be decoded."""
        ...

    def fork(self, src: int, dst: int, tokens: int) -> bool:
        """Share the first `tokens` cells of `src` with the empty `dst`. False if the cache no longer has them all."""
        ...

    def cut(self, seq: int, tokens: int) -> None:
        """Free the cells of `seq` behind its first `tokens`."""
        ...

    def clear(self) -> None:
        """Free every cell, so that what comes next finds the cache as if it were new."""
        ...


@dataclass(slots=True)
class _Job:
    """A request being written."""

    request: Request
    prefix: list[int]
    arrived_s: float
    counts: Counts
    began_s: float = 0.0  # its clock
    read_s: float = 0.0  # when its prefix had been read
    seqs: dict[int, Sequence] = field(default_factory=dict)  # running branches by sequence id
    texts: dict[str, str] = field(default_factory=dict)
    finishes: dict[str, str] = field(default_factory=dict)


class Run:
    """One run over a stream of requests. Iterate it for events; closing the iterator frees every cell.

    With `reproducible` each request is written by itself, from an empty cache, so that the same request gives the same
    text whatever was written before and after it.
    """

    def __init__(
        self,
        backend: Backend,
        requests: Iterable[Request],
        *,
        overlap: int,
        totals: Counts,
        reproducible: bool = False,
    ) -> None:
        self._backend = backend
        self._requests = iter(requests)
        self._scheduler = Scheduler(
            cells=backend.cells,
            sequences=backend.sequences,
            batch=backend.batch,
            overlap=overlap,
            alone=reproducible,
        )
        self._jobs: dict[int, _Job] = {}
        self._prefixes: dict[int, list[int]] = {}  # tokens of the prefixes in the cache, by sequence id
        self._number = 0
        self._totals = totals
        self._is_exhausted = False

    def __iter__(self) -> Iterator[Event]:
        totals = self._totals
        try:
            while True:
                started = time.perf_counter()
                elsewhere = totals.inside_s + totals.source_s
                events = self._step()
                elsewhere = totals.inside_s + totals.source_s - elsewhere
                totals.outside_s += time.perf_counter() - started - elsewhere
                yield from events
                if not events and self._is_exhausted and self._scheduler.is_idle():
                    return
        finally:
            for number in list(self._jobs):
                self._forget(number)
            if (kept := self._scheduler.release()) is not None:
                self._free(kept)

    def _step(self) -> list[Event]:
        events: list[Event] = []
        self._pull(events)
        self._admit()
        self._fork(events)
        parts = [self._scheduler.plan()]
        assert parts[0] or events or self._scheduler.is_idle(), "a step with work to do does some"
        while parts:
            # What failed in an earlier part of this step is gone from the scheduler.
            if not (slices := [part for part in parts.pop(0) if self._scheduler.job_of(part.seq) is not None]):
                continue
            try:
                self._decode(slices, events)
            except EngineError as error:  # no room, or some token that it cannot bear: half of it may go well
                for part in slices:
                    self._backend.cut(part.seq, part.start)
                if sum(part.count for part in slices) > 1:
                    parts[:0] = _halves(slices)
                else:
                    self._fail(self._job_of(slices[0].seq), error.message, events)
        return events

    def _pull(self, events: list[Event]) -> None:
        """Keep one job waiting behind those admitted: lazily, whatever the length of the stream."""
        if self._is_exhausted or not self._scheduler.wants_more():
            return
        started = time.perf_counter()
        request = next(self._requests, None)
        arrived = time.perf_counter()
        self._totals.source_s += arrived - started
        if request is None:
            self._is_exhausted = True
            return
        prefix = self._backend.tokenize(request.prefix, first=True)
        suffixes = [len(self._backend.tokenize(branch.suffix, first=False)) for branch in request.branches]
        if refusal := refuse(request, len(prefix), suffixes, self._backend.cells):
            events.append(RequestFailed(request.id, refusal))
            return
        worst = [suffix + branch.max_tokens for suffix, branch in zip(suffixes, request.branches, strict=True)]
        self._number += 1
        self._scheduler.add(self._number, len(prefix), worst)
        self._jobs[self._number] = _Job(request, prefix, arrived, Counts(prompt=len(prefix)))

    def _admit(self) -> None:
        """Let the next job in; what its prefix has in common with one in the cache is not read again."""
        if (admission := self._scheduler.admit()) is None:
            return
        job = self._jobs[admission.job]
        if not admission.readable:
            self._backend.clear()
        common = {seq: _common(job.prefix, self._prefixes[seq]) for seq in admission.readable}
        best = max(common, key=lambda seq: common[seq], default=None)
        if best is not None and common[best] and self._backend.fork(best, admission.seq, common[best]):
            self._scheduler.share(admission.seq, common[best])
            job.counts.reused = common[best]
        if admission.kept is not None:
            self._free(admission.kept)
        self._prefixes[admission.seq] = job.prefix

    def _fork(self, events: list[Event]) -> None:
        for fork in self._scheduler.start():
            if (job := self._jobs.get(fork.job)) is None:
                continue  # an earlier branch of it failed just now
            branch = job.request.branches[fork.branch]
            rng = np.random.default_rng([branch.sampling.seed, fork.branch])
            try:
                sequence = Sequence(
                    branch, self._backend.guide(branch.grammar), self._backend.tokenize(branch.suffix, first=False), rng
                )
                sequence.open(self._backend.pieces)
            except EngineError as error:
                self._fail(fork.job, f"{branch.id}: {error.message}", events)
                continue
            self._backend.fork(fork.src, fork.dst, len(job.prefix))
            job.seqs[fork.dst] = sequence
            self._scheduler.extend(fork.dst, len(sequence.pending))
            if sequence.text:
                events.append(TextDelta(job.request.id, branch.id, sequence.text))
            if sequence.finish:
                self._finish(fork.job, fork.dst, events)

    def _decode(self, slices: list[Slice], events: list[Event]) -> None:
        work = [(part, self._tokens(part)) for part in slices]
        started = time.perf_counter()
        logits = self._backend.decode(work)
        ended = time.perf_counter()
        self._totals.inside_s += ended - started
        self._totals.steps += 1
        for part in slices:
            if (number := self._scheduler.job_of(part.seq)) is None:
                continue  # its job failed just now
            job = self._jobs[number]
            job.began_s = job.began_s or started
            if (sequence := job.seqs.get(part.seq)) is None:
                job.read_s = ended  # so far
                continue
            sequence.began_s = sequence.began_s or started
            del sequence.pending[: part.count]
            if part.sample:
                sequence.first_token_s = sequence.first_token_s or ended
                self._pick(number, part.seq, logits[part.seq], events)

    def _pick(self, number: int, seq: int, logits: Logits, events: list[Event]) -> None:
        job = self._jobs[number]
        sequence = job.seqs[seq]
        try:
            text = sequence.step(logits, self._backend.pieces, self._backend.ends)
        except EngineError as error:
            self._fail(number, f"{sequence.branch.id}: {error.message}", events)
            return
        if text:
            events.append(TextDelta(job.request.id, sequence.branch.id, text))
        if sequence.finish:
            self._finish(number, seq, events)
        else:
            self._scheduler.extend(seq, len(sequence.pending))

    def _finish(self, number: int, seq: int, events: list[Event]) -> None:
        job = self._jobs[number]
        sequence = job.seqs.pop(seq)
        counts, branch = sequence.counts, sequence.branch
        _time_branch(job, sequence)
        job.texts[branch.id] = sequence.text
        job.finishes[branch.id] = sequence.finish or "stop"
        add_tokens(job.counts, counts)
        self._backend.cut(seq, 0)
        events.append(BranchDone(job.request.id, branch.id, sequence.text, sequence.finish or "stop", counts))
        if (freed := self._scheduler.finish(seq)) is not None:
            for prefix in freed:
                self._free(prefix)
            del self._jobs[number]
            _time_request(job)
            add_tokens(self._totals, job.counts)
            ids = [branch.id for branch in job.request.branches]  # its order, not that of finishing
            texts, finishes = {id_: job.texts[id_] for id_ in ids}, {id_: job.finishes[id_] for id_ in ids}
            events.append(RequestDone(job.request.id, texts, finishes, job.counts))

    def _fail(self, number: int, message: str, events: list[Event]) -> None:
        request = self._jobs[number].request
        self._forget(number)
        events.append(RequestFailed(request.id, message))

    def _forget(self, number: int) -> None:
        for seq in self._scheduler.drop(number):
            self._free(seq)
        del self._jobs[number]

    def _free(self, seq: int) -> None:
        self._backend.cut(seq, 0)
        self._prefixes.pop(seq, None)

    def _job_of(self, seq: int) -> int:
        number = self._scheduler.job_of(seq)
        assert number is not None
        return number

    def _tokens(self, part: Slice) -> list[int]:
        job = self._jobs[self._job_of(part.seq)]
        if (sequence := job.seqs.get(part.seq)) is not None:
            return sequence.pending[: part.count]
        return job.prefix[part.start : part.start + part.count]


def refuse(request: Request, prefix: int, suffixes: list[int], cells: int) -> str | None:
    """Why a request of this many tokens can never be written in `cells` cells; None if it can."""
    if not prefix or not suffixes or not all(suffixes):
        return "a request needs a prefix and a branch, each branch a suffix"  # logits come with a branch's own tokens
    need = prefix + max(map(sum, zip(suffixes, (branch.max_tokens for branch in request.branches), strict=True)))
    return f"needs {need} tokens of context, there are {cells}" if need > cells else None


def add_tokens(total: Counts, more: Counts) -> None:
    """Tokens add up, of branches to a request and of requests to a run; their seconds do not."""
    for name in ("prompt", "reused", "forced", "sampled", "masks"):
        setattr(total, name, getattr(total, name) + getattr(more, name))


def _time_branch(job: _Job, sequence: Sequence) -> None:
    """A branch whose whole text was forced has no decode, and no times but its end."""
    now, counts = time.perf_counter(), sequence.counts
    began = job.began_s or now  # nothing was decoded at all: all was in the cache, or forced
    if sequence.first_token_s:
        counts.queued_s = sequence.began_s - (job.read_s or began)
        counts.prefill_s = sequence.first_token_s - sequence.began_s
        counts.first_token_s = sequence.first_token_s - began
        counts.decode_s = now - sequence.first_token_s
        first = job.counts.first_token_s
        job.counts.first_token_s = min(first, counts.first_token_s) if first else counts.first_token_s
    counts.total_s = now - began


def _time_request(job: _Job) -> None:
    now, counts = time.perf_counter(), job.counts
    began = job.began_s or now
    counts.queued_s = began - job.arrived_s
    counts.prefill_s = job.read_s - began if job.read_s else 0.0
    counts.total_s = now - began
    counts.decode_s = counts.total_s - counts.first_token_s if counts.first_token_s else 0.0


def _common(one: list[int], other: list[int]) -> int:
    """How many tokens both begin with."""
    size = min(len(one), len(other))
    return next((index for index in range(size) if one[index] != other[index]), size)


def _halves(slices: list[Slice]) -> list[list[Slice]]:
    """The same work in two decodes: half of the sequences each, or one sequence's tokens cut in two."""
    if len(slices) > 1:
        middle = len(slices) // 2
        return [slices[:middle], slices[middle:]]
    (only,) = slices
    head = only.count // 2
    return [
        [Slice(only.seq, only.start, head, sample=False)],
        [Slice(only.seq, only.start + head, only.count - head, only.sample)],
    ]
