"""The run: requests in, events out. Joins scheduler, sequences and a backend; knows nothing of llama.cpp itself.

A step: admit, fork, plan, decode, pick. What a backend must do is in `Backend`; tests put scripted logits behind it.
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


class NoCellsError(Exception):
    """The KV cache had no room for this decode; nothing was decoded."""


class Backend(Protocol):
    """A model and its KV cache. Sequence ids are below `sequences`, a decode holds at most `batch` tokens."""

    cells: int
    sequences: int
    batch: int
    ends: frozenset[int]  # tokens that end a turn or a text

    @property
    def pieces(self) -> list[bytes]: ...  # text of each token

    def tokenize(self, prompt: Prompt, *, first: bool) -> list[int]: ...
    def guide(self, grammar: str) -> Guide: ...
    def decode(self, slices: list[tuple[Slice, list[int]]]) -> dict[int, Logits]:
        """Logits by sequence id, for each slice with `sample`. Raises NoCellsError."""
        ...

    def fork(self, src: int, dst: int) -> None: ...
    def free(self, seq: int) -> None: ...


@dataclass(slots=True)
class _Job:
    """A request being written."""

    request: Request
    prefix: list[int]
    arrived_s: float
    counts: Counts
    admitted_s: float = 0.0  # when the reading of its prefix began
    seqs: dict[int, Sequence] = field(default_factory=dict)  # running branches by sequence id
    texts: dict[str, str] = field(default_factory=dict)
    finishes: dict[str, str] = field(default_factory=dict)
    prefix_seq: int = -1


class Run:
    """One run over a stream of requests. Iterate it for events; closing the iterator frees every cell."""

    def __init__(self, backend: Backend, requests: Iterable[Request], *, overlap: int, totals: Counts) -> None:
        self._backend = backend
        self._requests = iter(requests)
        self._scheduler = Scheduler(
            cells=backend.cells, sequences=backend.sequences, batch=backend.batch, overlap=overlap
        )
        self._jobs: dict[int, _Job] = {}
        self._number = 0
        self._totals = totals
        self._is_exhausted = False

    def __iter__(self) -> Iterator[Event]:
        try:
            while True:
                started = time.perf_counter()
                inside = self._totals.decode_s
                events = self._step()
                self._totals.outside_s += time.perf_counter() - started - (self._totals.decode_s - inside)
                yield from events
                if not events and self._is_exhausted and self._scheduler.is_idle():
                    return
        finally:
            for number in list(self._jobs):
                self._forget(number)

    def _step(self) -> list[Event]:
        events: list[Event] = []
        self._pull(events)
        self._fork(events)
        parts = [self._scheduler.plan()]
        assert parts[0] or events or self._scheduler.is_idle(), "a step with work to do does some"
        while parts:
            # What failed in an earlier part of this step is gone from the scheduler.
            if not (slices := [part for part in parts.pop(0) if self._scheduler.job_of(part.seq) is not None]):
                continue
            try:
                self._decode(slices, events)
            except NoCellsError:
                if sum(part.count for part in slices) > 1:
                    parts[:0] = _halves(slices)
                else:
                    self._fail(self._job_of(slices[0].seq), "the KV cache has no room left", events)
            except EngineError as error:  # whoever took part may hold broken cells; the others go on
                for number in dict.fromkeys(self._job_of(part.seq) for part in slices):
                    self._fail(number, error.message, events)
        return events

    def _pull(self, events: list[Event]) -> None:
        """Keep one job waiting behind those admitted: lazily, whatever the length of the stream."""
        if self._is_exhausted or not self._scheduler.wants_more():
            return
        request = next(self._requests, None)
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
        self._jobs[self._number] = _Job(request, prefix, time.perf_counter(), Counts(prompt=len(prefix)))
        self._totals.prompt += len(prefix)

    def _fork(self, events: list[Event]) -> None:
        for fork in self._scheduler.start():
            if (job := self._jobs.get(fork.job)) is None:
                continue  # an earlier branch of it failed just now
            if not job.counts.prefill_s:
                job.counts.prefill_s = time.perf_counter() - job.admitted_s
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
            self._backend.fork(fork.src, fork.dst)
            job.prefix_seq = fork.src
            job.seqs[fork.dst] = sequence
            self._scheduler.extend(fork.dst, len(sequence.pending))
            if sequence.text:
                events.append(TextDelta(job.request.id, branch.id, sequence.text))
            if sequence.finish:
                self._finish(fork.job, fork.dst, events)

    def _decode(self, slices: list[Slice], events: list[Event]) -> None:
        work = [(part, self._tokens(part)) for part in slices]
        started = time.perf_counter()
        for part in slices:
            job = self._jobs[self._job_of(part.seq)]
            if not job.admitted_s:
                job.admitted_s = started
                job.counts.queued_s = started - job.arrived_s
        logits = self._backend.decode(work)
        self._totals.decode_s += time.perf_counter() - started
        self._totals.steps += 1
        for part in slices:
            number = self._scheduler.job_of(part.seq)
            if number is None or (sequence := self._jobs[number].seqs.get(part.seq)) is None:
                continue  # its job failed just now, or it is a prefix
            del sequence.pending[: part.count]
            if part.sample:
                self._pick(number, part.seq, logits[part.seq], events)

    def _pick(self, number: int, seq: int, logits: Logits, events: list[Event]) -> None:
        job = self._jobs[number]
        sequence = job.seqs[seq]
        if not job.counts.first_token_s:
            job.counts.first_token_s = time.perf_counter() - job.admitted_s
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
        counts.total_s = time.perf_counter() - job.admitted_s
        job.texts[branch.id] = sequence.text
        job.finishes[branch.id] = sequence.finish or "stop"
        for sums in (job.counts, self._totals):
            sums.prompt += counts.prompt
            sums.forced += counts.forced
            sums.sampled += counts.sampled
            sums.masks += counts.masks
        self._backend.free(seq)
        events.append(BranchDone(job.request.id, branch.id, sequence.text, sequence.finish or "stop", counts))
        if self._scheduler.finish(seq):
            self._backend.free(job.prefix_seq)
            del self._jobs[number]
            job.counts.total_s = time.perf_counter() - job.admitted_s
            ids = [branch.id for branch in job.request.branches]  # its order, not that of finishing
            texts, finishes = {id_: job.texts[id_] for id_ in ids}, {id_: job.finishes[id_] for id_ in ids}
            events.append(RequestDone(job.request.id, texts, finishes, job.counts))

    def _fail(self, number: int, message: str, events: list[Event]) -> None:
        request = self._jobs[number].request
        self._forget(number)
        events.append(RequestFailed(request.id, message))

    def _forget(self, number: int) -> None:
        for seq in self._scheduler.drop(number):
            self._backend.free(seq)
        del self._jobs[number]

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
