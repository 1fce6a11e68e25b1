"""Reports made by hand, and an engine over the toy backend, for the tests of benchmarks."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from toy import Toy

from localsum.bench.measure import Plan
from localsum.bench.metrics import METRICS
from localsum.bench.report import ARTICLE, SECTIONS, STEADY, Report, Row
from localsum.engine.loop import Run
from localsum.engine.types import Counts, Event, ModelInfo, Request

TINY = Plan("quick", 2, 1, 2, (1, 2, 99), ("short",), ("short", "short"), ("short",), ("short",))


class ToyEngine:
    """An engine with a backend, and no model: bytes are its tokens."""

    def __init__(self, path: object = None, **options: Any) -> None:
        self.options = options
        self.backend: Any = Toy(cells=40_000, sequences=options.get("sequences", 24), batch=512)
        self.backend.kv = "f16"
        self.info = ModelInfo("toy", 40_000, settings={"threads": options.get("threads") or 1, "kv": "f16"})
        self.totals = Counts()

    def count_tokens(self, text: str) -> int:
        return len(text.encode())

    def run(self, requests: Iterable[Request]) -> Iterator[Event]:
        yield from Run(self.backend, requests, overlap=4, totals=self.totals)

    def close(self) -> None:
        pass

    def __enter__(self) -> "ToyEngine":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def row(metric: str, case: str, *values: float, reason: str = "") -> Row:
    about = METRICS[metric]
    return Row(metric, case, about.unit, about.better, tuple(map(float, values)), reason)


def flat(keys: dict[str, tuple[str, ...]], **said: Any) -> dict[str, Any]:
    """A section with something in every key."""
    made = {key: {"string": "x", "integer": 1, "number": 0.5}[kinds[0]] for key, kinds in keys.items()}
    return {**made, **said}


def report(*rows: Row, name: str = "one", steady: tuple[float, ...] = (100, 100.5, 101), **said: Any) -> Report:
    """A report with these rows and a steady machine; `said` are keys of its sections: `model__name="b"`."""
    sections = {section: flat(keys) for section, keys in SECTIONS.items()}
    sections["machine"] |= {"power": "mains", "others_share": 0.0, "hottest_c": 50.0}
    sections["model"] |= {"slim_of": None, "slim_of_sha256": None}
    sections["settings"]["mode"] = "quick"
    for key, value in said.items():
        section, _, rest = key.partition("__")
        sections[section][rest] = value
    return Report(
        name,
        "2026-11-22T10:00:00+00:00",
        **sections,
        articles=(flat(ARTICLE, name="short", sha256="aa"),),
        texts={"sampled, stream": "77"},
        rows=(*rows, row(*STEADY, *steady)),
    )


def full() -> Report:
    """One with something in every form and plot."""
    cases = ("extractive, short, alone", "sampled, medium, alone")
    return report(
        *(row("brief_s", case, 2.0 + at, 2.1 + at, 2.4 + at) for at, case in enumerate(cases)),
        row("articles_per_min", "extractive, stream", 20, 21, 22),
        row("articles_per_min", "sampled, stream", 5, 5.25, 5.5),
        *(row("decode_tokens_s", f"{n} branch{'es' * (n > 1)}", 40 * n**0.5, 41 * n**0.5) for n in (1, 2, 4, 8)),
        *(row("stage_s", f"{case}, {stage}", 0.5, 0.6) for case in cases for stage in ("read", "write", "writer")),
        row("energy_j", cases[0], reason="this system has no counters of energy (RAPL)"),
        row("load_s", "", 0.9, 1.0, 1.1),
    )


def replace_articles(made: Report, **said: str) -> Report:
    return replace(made, articles=tuple({**each, **said} for each in made.articles))


def without_rows(made: Report) -> Report:
    return replace(made, rows=(row("mask_us", "of another time", 1.0),))


def with_texts(made: Report, texts: dict[str, str]) -> Report:
    return replace(made, texts=texts)
