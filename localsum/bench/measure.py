"""What runs the engine and takes the times. Reports nothing, decides nothing: samples in, samples out.

`read_s`, `write_s` and `mask_s` measure a backend by itself, as llama-bench does; `brief` and `sampled` measure whole
briefs. Knows the engine's protocol, not how an engine is made.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from localsum.bench.clock import STAGES, Clock, timed
from localsum.bench.energy import Meter
from localsum.bench.metrics import METRICS
from localsum.bench.report import STEADY, Row
from localsum.bench.work import Article, sampled_brief
from localsum.brief import Brief
from localsum.engine import grammar
from localsum.engine.loop import Backend
from localsum.engine.scheduler import Slice
from localsum.engine.types import BranchDone, Counts, Event, RequestDone, RequestFailed, Segment, TextDelta
from localsum.pipeline import choose_style, write_briefs
from localsum.templates import Template

PROMPT_TOKENS = 512  # of the prefill that all shares of the roofline are counted by
_MASKS = 64
_NO_DRAFTS = "the engine makes no drafts"


@dataclass(frozen=True)
class Plan:
    """How much is measured. Articles are names; those `alone` are briefed one by one, a `stream` in one engine run."""

    mode: str
    repetitions: int
    loads: int
    steps: int  # of decoding, for each number of branches
    branches: tuple[int, ...]
    alone: tuple[str, ...]
    stream: tuple[str, ...]
    sampled_alone: tuple[str, ...]
    sampled_stream: tuple[str, ...]


@dataclass
class Samples:
    """What was measured so far, by metric and case; `reasons` says why a case has nothing."""

    values: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    reasons: dict[tuple[str, str], str] = field(default_factory=dict)
    texts: dict[str, list[str]] = field(default_factory=dict)  # digests of what was written, by case

    def add(self, metric: str, case: str, *values: float) -> None:
        self.values.setdefault((metric, case), []).extend(values)

    def lack(self, metric: str, case: str, reason: str) -> None:
        self.reasons.setdefault((metric, case), reason)

    def rows(self) -> tuple[Row, ...]:
        """In the order of METRICS, cases as they came."""
        keys = [*dict.fromkeys([*self.values, *self.reasons])]
        return tuple(
            Row(
                *key,
                METRICS[metric].unit,
                METRICS[metric].better,
                tuple(self.values.get(key, ())),
                "" if self.values.get(key) else self.reasons[key],
            )
            for metric in METRICS
            for key in keys
            if key[0] == metric
        )


# A backend by itself


def filler(backend: Backend, text: str, count: int) -> list[int]:
    """So many tokens of a text, which is repeated as often as it takes."""
    tokens = backend.tokenize((Segment(text),), first=True)
    return (tokens * (count // len(tokens) + 1))[:count]


def read_s(backend: Backend, tokens: Sequence[int]) -> float:
    """Seconds of reading tokens into sequence 0 of an empty cache, logits asked of the last. They stay there."""
    begun_s = time.perf_counter()
    for start in range(0, len(tokens), backend.batch):
        part = list(tokens[start : start + backend.batch])
        is_last = start + len(part) == len(tokens)
        backend.decode([(Slice(0, start, len(part), is_last), part)])
    return time.perf_counter() - begun_s


def write_s(backend: Backend, tokens: Sequence[int], branches: int, steps: int) -> list[float]:
    """Seconds of each step of so many branches, all behind `tokens`, each picking its best token. Cache empty after.

    With one token before them this is what llama-bench calls tg.
    """
    read_s(backend, tokens)
    depth, sequences = len(tokens), range(1, branches + 1)
    for sequence in sequences:
        backend.fork(0, sequence, depth)
    nexts = {sequence: tokens[(sequence * 7) % depth] for sequence in sequences}  # not all the same
    taken = []
    for step in range(steps):
        begun_s = time.perf_counter()
        logits = backend.decode([(Slice(one, depth + step, 1, True), [nexts[one]]) for one in sequences])
        nexts = {one: int(logits[one].argmax()) for one in sequences}
        taken.append(time.perf_counter() - begun_s)
    for sequence in (0, *sequences):
        backend.cut(sequence, 0)
    return taken


def mask_s(backend: Backend, tokens: Sequence[int]) -> float:
    """Mean seconds of one mask of the grammar of a line, along a text."""
    guide = backend.guide(grammar.line(400))
    guide.opening()
    spent_s, count = 0.0, 0
    for token in tokens[:_MASKS]:
        begun_s = time.perf_counter()
        allowed = guide.allowed()
        spent_s, count = spent_s + time.perf_counter() - begun_s, count + 1
        if allowed[token]:
            guide.advance(token)
    return spent_s / max(1, count)


def prefill_tokens_s(backend: Backend, text: str, count: int = PROMPT_TOKENS) -> float:
    """Tokens a second of reading a prompt of `count` tokens (pp512); the cache is empty before and after."""
    backend.clear()
    seconds = read_s(backend, filler(backend, text, count))
    backend.cut(0, 0)
    return count / seconds


# Whole briefs


@dataclass
class Taken:
    """What one engine run took. `seconds` are those of each article; `failed` says what could not be written."""

    wall_s: float = 0.0
    stages: dict[str, float] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)  # of this run alone
    seconds: list[float] = field(default_factory=list)
    first_token_s: float | None = None
    first_field_s: float | None = None
    texts: str = ""  # SHA-256 of all that the model wrote
    failed: str = ""


def brief(engine: Any, articles: Sequence[Article], template: Template, seed: int) -> Taken:  # noqa: ANN401
    """The briefs of the articles in the model's own style, from their bytes on."""

    def run(timed_engine: Any, clock: Clock, watch: _Watch) -> None:  # noqa: ANN401
        def documents() -> Iterable[Any]:
            for article in articles:
                with clock.stage("document"):
                    document = article.read()
                yield document

        names = {"name": engine.info.name, "sha256": ""}
        made = write_briefs(documents(), template, timed_engine, model=names, seed=seed, on_event=watch.see)
        for outcome in made:
            if isinstance(outcome, Brief):
                watch.taken.seconds.append(outcome.timing["total_s"])
            else:
                watch.taken.failed = outcome.error.message

    return _measured(engine, run)


def sampled(engine: Any, articles: Sequence[Article], seed: int, *, temperature: float = 0.0) -> Taken:  # noqa: ANN401
    """Briefs whose every field is sampled, from the whole text."""

    def run(timed_engine: Any, clock: Clock, watch: _Watch) -> None:  # noqa: ANN401
        requests = (
            sampled_brief(article, seed, id=f"{number} {article.name}", temperature=temperature)
            for number, article in enumerate(articles)
        )
        for event in timed_engine.run(requests):
            watch.see(event)
            if isinstance(event, RequestDone):
                watch.taken.seconds.append(event.counts.total_s)

    return _measured(engine, run)


class _Watch:
    """Sees the events of a run go by."""

    def __init__(self) -> None:
        self.taken = Taken()
        self.begun_s = time.perf_counter()
        self._texts: list[dict[str, str]] = []

    def see(self, event: Event) -> None:
        now_s = time.perf_counter() - self.begun_s
        if isinstance(event, TextDelta) and self.taken.first_token_s is None:
            self.taken.first_token_s = now_s
        elif isinstance(event, BranchDone) and self.taken.first_field_s is None:
            self.taken.first_field_s = now_s
        elif isinstance(event, RequestDone):
            self._texts.append(event.texts)
        elif isinstance(event, RequestFailed):
            self.taken.failed = event.message

    def digest(self) -> str:
        return hashlib.sha256(json.dumps(self._texts, sort_keys=True).encode()).hexdigest()


def _measured(engine: Any, run: Callable[[Any, Clock, _Watch], None]) -> Taken:  # noqa: ANN401
    """Runs with a stopwatch, from an empty cache on, so that every repetition does the same."""
    engine.backend.clear()
    before = {name: getattr(engine.totals, name) for name in Counts.__dataclass_fields__}
    with timed(engine) as (timed_engine, clock):
        watch = _Watch()
        run(timed_engine, clock, watch)
        taken = watch.taken
        taken.wall_s = time.perf_counter() - watch.begun_s
    taken.stages = dict(clock.seconds)
    taken.counts = Counts(**{name: getattr(engine.totals, name) - value for name, value in before.items()})
    taken.texts = watch.digest()
    return taken


def take(samples: Samples, case: str, taken: Taken, *, is_stream: bool) -> None:
    """The samples that one run gives."""
    if taken.failed:
        samples.lack("brief_s", case, taken.failed)
        return
    counts = taken.counts
    written = counts.forced + counts.sampled
    if is_stream:
        samples.add("brief_s", case, *taken.seconds)
        samples.add("articles_per_min", case, 60 * len(taken.seconds) / taken.wall_s)
    else:
        samples.add("brief_s", case, taken.wall_s)
        for metric, seconds in (("first_token_s", taken.first_token_s), ("first_field_s", taken.first_field_s)):
            if seconds is None:
                samples.lack(metric, case, "the model was asked nothing")
            else:
                samples.add(metric, case, seconds)
    samples.add("outside_share", case, 1 - counts.inside_s / taken.wall_s)
    for stage in STAGES:
        samples.add("stage_s", f"{case}, {stage}", taken.stages.get(stage, 0.0))
    samples.add("stages_share", case, sum(taken.stages.values()) / taken.wall_s)
    if counts.prompt:
        samples.add("reused_share", case, counts.reused / counts.prompt)
    if written:
        samples.add("written_tokens_s", case, written / taken.wall_s)
        samples.add("sampled_share", case, counts.sampled / written)
        samples.add("forced_share", case, counts.forced / written)
        samples.add("grammar_us", case, 1e6 * taken.stages.get("grammar", 0.0) / written)
    samples.texts.setdefault(case, []).append(taken.texts)


def repeat(
    engine: Any,  # noqa: ANN401  (an Engine with a `backend`)
    plan: Plan,
    articles: dict[str, Article],
    template: Template,
    samples: Samples,
    *,
    seed: int,
    meter: Meter,
    progress: Callable[[str], None] = lambda what: None,
) -> None:
    """One repetition: everything that the plan wants, once. Raises EngineError where the backend itself fails."""
    backend, text = engine.backend, articles["medium"].text
    style = choose_style(engine, None)
    progress("prefill and decode")
    speed = prefill_tokens_s(backend, text)
    begun_s = time.perf_counter()
    tokens = backend.tokenize((Segment(articles["long"].text),), first=True)
    samples.add("tokenize_tokens_s", "long", len(tokens) / (time.perf_counter() - begun_s))
    samples.add("mask_us", "a line of text", 1e6 * mask_s(backend, tokens))
    for branches in plan.branches:
        case = f"{branches} branch{'es' * (branches > 1)}"
        room = PROMPT_TOKENS + branches * plan.steps
        if branches >= backend.sequences or room > backend.cells or branches > backend.batch:
            samples.lack("decode_tokens_s", case, "more than the settings allow")
            continue
        backend.clear()
        steps = write_s(backend, filler(backend, text, PROMPT_TOKENS), branches, plan.steps)
        samples.add("decode_tokens_s", case, branches * len(steps) / sum(steps))
    done: list[tuple[str, Taken]] = []

    def one(case: str, names: Sequence[str], run: Callable[[list[Article]], Taken], *, is_stream: bool) -> None:
        progress(case)
        joules_since = meter.start()
        taken = run([articles[name] for name in names])
        joules = joules_since()
        take(samples, case, taken, is_stream=is_stream)
        if joules is None:
            samples.lack("energy_j", case, meter.reason or "the counters of energy could not be read")
        else:
            samples.add("energy_j", case, joules / len(names))
        if not taken.failed:
            done.append((case, taken))

    def default(chosen: list[Article]) -> Taken:
        return brief(engine, chosen, template, seed)

    def every_field(chosen: list[Article]) -> Taken:
        return sampled(engine, chosen, seed)

    for kind, alone, stream, run in (
        (style, plan.alone, plan.stream, default),
        ("sampled", plan.sampled_alone, plan.sampled_stream, every_field),
    ):
        for name in alone:
            one(f"{kind}, {name}, alone", [name], run, is_stream=False)
        if stream:
            one(f"{kind}, stream", stream, run, is_stream=True)
    again = prefill_tokens_s(backend, text)
    samples.add(*STEADY, speed, again)
    for case, taken in done:
        work = taken.counts.prompt + taken.counts.forced + taken.counts.sampled
        if work:
            samples.add("roofline_share", case, work / ((speed + again) / 2) / taken.wall_s)
        samples.lack("drafted_share", case, _NO_DRAFTS)
        samples.lack("accepted_share", case, _NO_DRAFTS)
