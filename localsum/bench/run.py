"""One benchmark from beginning to end: loads, warms up, repeats, and makes the report of it, warnings included.

Knows what is measured and in which order; how an engine is made is told by a function.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from localsum.bench import facts
from localsum.bench.energy import Meter, find_meter
from localsum.bench.measure import Plan, Samples, brief, repeat
from localsum.bench.report import Report, Value
from localsum.bench.work import Article, articles, work_sha256
from localsum.engine.types import Segment
from localsum.models import Model
from localsum.pipeline import choose_style
from localsum.templates import Template, load_template

_BRANCHES = (1, 2, 4, 8, 16)
_ALL = ("short", "medium", "long")
QUICK = Plan("quick", 3, 3, 12, _BRANCHES, _ALL, _ALL, ("medium",), ("short", "medium"))
FULL = Plan("full", 10, 5, 48, _BRANCHES, _ALL, _ALL * 3, _ALL, _ALL * 2)
SWEEP = Plan("sweep", 3, 0, 12, (1, 8), ("medium",), ("short", "medium"), (), ("short", "medium"))

_NOISY = 0.10  # spread of the same work
_OTHERS = 0.05  # of all processor time
_UNACCOUNTED = 0.03  # of the whole time

MakeEngine = Callable[[], AbstractContextManager[Any]]  # of an Engine with a `backend`


@dataclass
class Bench:
    """What is measured with one model and one set of settings. `repeat` as often as wanted, then `report`."""

    model: Model
    make: MakeEngine
    plan: Plan
    seed: int
    built: tuple[str, str | None]  # what llama.cpp says of its build, and its version
    progress: Callable[[str], None] = lambda what: None

    def __post_init__(self) -> None:
        self.samples = Samples()
        self.articles: dict[str, Article] = articles()
        self.template: Template = load_template()
        self.machine = facts.machine()
        self.meter: Meter = find_meter(str(self.machine["system"]))
        self.settings: dict[str, Value] = {}
        self._tokens: list[list[int]] = []
        self._style = ""
        self._repetitions = 0
        self._seconds = 0.0
        self._others: list[float] = []
        self._throttled = facts.throttled()

    def load(self) -> None:
        """Takes the time that loading takes, table of tokens included; the engine is thrown away."""
        self.progress("loading")
        begun_s = time.perf_counter()
        with self.make() as engine:
            engine.backend.pieces  # noqa: B018  (waits for the table)
            self.samples.add("load_s", "", time.perf_counter() - begun_s)

    def repeat(self, engine: Any, count: int = 1) -> None:  # noqa: ANN401
        """Warms the engine up and measures it `count` times."""
        self.progress("warming up")
        brief(engine, [self.articles["short"]], self.template, self.seed)
        engine.backend.clear()
        self._look_at(engine)  # after the first step, which tells whether the shortlist holds
        begun_s, others = time.perf_counter(), facts.watch_others()
        for number in range(count):
            repeat(
                engine,
                self.plan,
                self.articles,
                self.template,
                self.samples,
                seed=self.seed,
                meter=self.meter,
                progress=partial(self._say, f"{number + 1} of {count}: " if count > 1 else ""),
            )
            self._repetitions += 1
            self.samples.add("steady_rss_mb", "", facts.rss_bytes() / 1e6)
            if (now_c := facts.hottest_c()) is not None:
                self.machine["hottest_c"] = max(now_c, float(self.machine["hottest_c"] or 0))
        if (share := others()) is not None:
            self._others.append(share)
        self._seconds += time.perf_counter() - begun_s
        if (peak := facts.peak_rss_bytes()) is not None:
            self.samples.add("peak_rss_mb", "", peak / 1e6)
        else:
            self.samples.lack("peak_rss_mb", "", "the system does not tell")

    def _say(self, prefix: str, what: str) -> None:
        self.progress(prefix + what)

    def _look_at(self, engine: Any) -> None:  # noqa: ANN401
        backend, info = engine.backend, engine.info
        self._tokens = [
            backend.tokenize((Segment(each.text),), first=False) for each in self.articles.values()
        ]  # without the begin of a text, which is no part of how it is split
        self._style = choose_style(engine, None)
        self.settings = {
            "threads": info.settings.get("threads", 0),
            "context": backend.cells,
            "kv": str(info.settings.get("kv", "")),
            "layers": str(info.settings.get("layers", "")),
            "branches": backend.sequences - 1,
            "batch": backend.batch,
            "shortlist": int(getattr(getattr(backend, "shortlist", None), "size", 0)),
        }

    def report(self) -> Report:
        now = datetime.now(UTC)
        header = facts.model(self.model, self._tokens)
        self.machine["others_share"] = round(max(self._others), 4) if self._others else None
        made = Report(
            name=name_of(now, self.model.name, self.plan.mode),
            made_at=now.isoformat(timespec="seconds"),
            software=facts.software(*self.built),
            machine=self.machine,
            model=header,
            settings={
                "mode": self.plan.mode,
                "style": self._style,
                **self.settings,
                "seed": self.seed,
                "work": work_sha256(),
                "repetitions": self._repetitions,
                "seconds": round(self._seconds, 1),
            },
            articles=tuple(
                {"name": each.name, "words": len(each.text.split()), "tokens": len(tokens), "sha256": each.sha256}
                for each, tokens in zip(self.articles.values(), self._tokens, strict=True)
            ),
            texts={case: digests[0] for case, digests in self.samples.texts.items()},
            rows=self.samples.rows(),
        )
        heat = facts.throttled() - self._throttled
        return replace(made, warnings=tuple(warnings(made, self.samples.texts, heat)))


def run(bench: Bench) -> Report:
    """The whole of a plan. Raises ModelError, EngineError."""
    facts.forget_peak()
    with bench.make() as engine:
        engine.backend.pieces  # noqa: B018
        bench.repeat(engine, bench.plan.repetitions)
    for _ in range(bench.plan.loads):  # after the rest: what they leave behind in memory is not a brief's
        bench.load()
    return bench.report()


def turns(benches: Sequence[Bench], repetitions: int, names: Sequence[str]) -> list[Report]:
    """Each in turn, `repetitions` times round, so that a machine that slows down slows all. Raises what `run` does."""
    for number in range(repetitions):
        for bench, name in zip(benches, names, strict=True):
            bench.progress(f"{number + 1} of {repetitions}: {name}")
            facts.forget_peak()
            with bench.make() as engine:
                engine.backend.pieces  # noqa: B018
                bench.repeat(engine)
    made = [bench.report() for bench in benches]
    width = len(str(len(made)))
    return [replace(report, name=f"{report.name}-{at:0{width}}") for at, report in enumerate(made, 1)]


def name_of(now: datetime, model: str, mode: str) -> str:
    """`2026-11-22-114512-gemma-3-270m-quick`: sorts by time, and can be the name of a file."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", model).strip("-.")[:60] or "model"
    return f"{now:%Y-%m-%d-%H%M%S}-{plain}-{mode}"


def warnings(report: Report, texts: dict[str, Sequence[str]] | dict[str, list[str]], throttled: int) -> list[str]:
    """What speaks against the figures. `texts`: digests of what was written, by case, one a repetition."""
    found, machine = [], report.machine
    if report.wobble > _NOISY:
        found.append(
            f"noisy: reading the same text took up to {100 * report.wobble:.0f} % longer from time to time; "
            "smaller differences mean nothing"
        )
    others = machine["others_share"]
    if isinstance(others, float) and others > _OTHERS:
        found.append(f"noisy: other programs took {100 * others:.0f} % of the processor; close them and measure again")
    hottest = machine["hottest_c"]
    if throttled > 0 or (isinstance(hottest, float) and hottest >= facts.HOT_C):
        found.append("hot: the processor slowed down for heat, or was about to; let it cool and measure again")
    if machine["power"] == "battery":
        found.append("on battery: many computers are slower then; plug in and measure again")
    for case, digests in texts.items():
        if len(set(digests)) > 1:
            found.append(f"not the same tokens in every repetition: {case}")
    for row in report.rows:
        if row.metric == "stages_share" and any(abs(1 - value) > _UNACCOUNTED for value in row.values):
            found.append(f"the stages do not add up to the whole time: {row.case}")
        if row.metric == "brief_s" and row.reason:
            found.append(f"not written: {row.case}: {row.reason}"[:500])
    return found
