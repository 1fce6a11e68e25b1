"""How do time and memory grow with length, number of documents, branches and model size? Measured, and a model of cost.

    python benchmarks/scale.py                         # all parts, three rounds, 15 minutes on two cores; then the page
    python benchmarks/scale.py --quick                 # fewer points, one round: 4 minutes
    python benchmarks/scale.py --parts words documents # some parts; the others stay as they are in the results
    python benchmarks/scale.py --parts                 # measure nothing, make the page anew
    python benchmarks/scale.py --models FILE.gguf      # further model files for the part `written`

Each point is measured in a process of its own, so that its peak memory is its own. The texts are the articles of
examples/, joined and cut. Figures go to results/scale.json, page and plots to scale.md and results/scale-*.svg.
What the parts and the formula are: scale.md.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from where import ROOT, SPIN, peak_mb, say, where

RESULTS = ROOT / "benchmarks" / "results" / "scale.json"


@dataclass(frozen=True)
class Point:
    """What is measured at once: so many documents of so many words, by so many branches beside each other."""

    part: str  # words, documents, branches, written
    model: str
    words: int
    documents: int = 1
    branches: int = 23
    is_held_out: bool = False  # not used to fit the model of cost, but to test it

    @property
    def is_written(self) -> bool:
        """Whether every field is sampled from the whole text; else it is the default style of base models."""
        return self.part in ("branches", "written")


def points(models: Sequence[str], *, is_quick: bool) -> list[Point]:
    """Those held out lie between the others, and the largest of the documents beyond them."""
    base = models[0]
    found = []
    for words in (100, 300, 1000, 3000, 10_000, 30_000):
        found.append(Point("words", base, words, is_held_out=words in (300, 10_000)))
    for documents in (1, 3, 10, 30) if is_quick else (1, 3, 10, 30, 100, 500):
        found.append(Point("documents", base, 400, documents, is_held_out=documents in (10, 500)))
    for branches in (1, 2, 4, 8, 16):
        found.append(Point("branches", base, 400, branches=branches, is_held_out=branches in (2, 8)))
    for words in (100, 400, 1000) if is_quick else (100, 400, 1000, 3000):
        found.append(Point("written", base, words, branches=12, is_held_out=words == 400))
    for model in models[1:]:
        for words in (100, 400, 1000):
            found.append(Point("written", model, words, branches=12, is_held_out=words == 400))
    return found


def text_of(words: int, number: int = 0) -> str:
    """So many words of the articles in examples/, paragraph by paragraph, begun with the article `number`."""
    files = sorted(
        path for path in (ROOT / "examples").glob("*.md") if not path.name.endswith((".brief.md", "README.md"))
    )
    files = files[number % len(files) :] + files[: number % len(files)]
    paragraphs: list[str] = []
    count = 0
    while count < words:
        for path in files:
            body = path.read_text(encoding="utf-8").split("---\n", 2)[-1]
            for paragraph in filter(None, map(str.strip, body.split("\n\n"))):
                if count < words:
                    kept = paragraph if count + len(paragraph.split()) <= words else _cut(paragraph, words - count)
                    paragraphs.append(kept)
                    count += len(kept.split())
    return "\n\n".join(paragraphs)


def _cut(paragraph: str, words: int) -> str:
    return " ".join(paragraph.split()[:words])


# In a worker's process


def work(point: Point, threads: int) -> dict[str, Any]:
    """Seconds, counts and peak memory of one point. The clock starts when localsum's modules are loaded."""
    import localsum.bench.work
    import localsum.pipeline  # noqa: F401  (so that its loading is not timed)
    from localsum.loading import load_engine
    from localsum.models import find_model
    from localsum.readers import read_bytes

    found = find_model(point.model)
    read_bytes(b"A text, so that what reading loads is there.", path="a.md")
    run = _written if point.is_written else _extractive
    begun_s = time.perf_counter()
    with load_engine(found, threads=threads, sequences=point.branches + 1) as engine:
        engine.backend.pieces  # noqa: B018  (waits for the token table)
        loaded_s = time.perf_counter()
        run(point, engine)
        ended_s = time.perf_counter()
        totals, backend = engine.totals, engine.backend
        return {
            "load_s": loaded_s - begun_s,
            "run_s": ended_s - loaded_s,
            "inside_s": totals.inside_s,
            "read": totals.prompt - totals.reused + totals.forced,
            "sampled": totals.sampled,
            "steps": totals.steps,
            "peak_mb": peak_mb(),
            "file_mb": found.path.stat().st_size / 1e6,
            "kv_mb": backend.cells * backend._cell_bytes() * (1 if backend.kv == "f16" else 8.5 / 16) / 1e6,
            "logits_mb": 4 * backend.sequences * backend.vocabulary / 1e6,
        }


def _extractive(point: Point, engine: Any) -> None:  # noqa: ANN401
    from localsum.brief import Brief
    from localsum.pipeline import write_briefs
    from localsum.readers import read_bytes
    from localsum.templates import load_template

    documents = (read_bytes(text_of(point.words, n).encode(), path=f"{n}.md") for n in range(point.documents))
    made = list(write_briefs(documents, load_template(), engine, model={"name": "", "sha256": ""}, style="extractive"))
    assert all(isinstance(each, Brief) for each in made) and len(made) == point.documents  # noqa: PT018


def _written(point: Point, engine: Any) -> None:  # noqa: ANN401
    from localsum.bench.work import Article, sampled_brief
    from localsum.engine.types import RequestDone

    article = Article("a", text_of(point.words).encode())
    done = [event for event in engine.run([sampled_brief(article, 0)]) if isinstance(event, RequestDone)]
    assert len(done) == 1, "the brief did not fit"


# In the process that is started


def measure(point: Point, threads: int) -> dict[str, Any] | None:
    """None, with a word on stderr, where it fails: the other points go on."""
    command = [sys.executable, __file__, "--worker", json.dumps(asdict(point)), "--threads", str(threads)]
    done = subprocess.run(command, stdout=subprocess.PIPE, env=os.environ | SPIN)
    if done.returncode:
        say(f"failed: {point}")
        return None
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def medians(rounds: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Of each figure its median, and the range of the seconds."""
    found = {key: statistics.median(each[key] for each in rounds) for key in rounds[0]}
    return found | {"run_s_range": [min(r["run_s"] for r in rounds), max(r["run_s"] for r in rounds)]}


def keep(
    kept: list[dict[str, Any]], taken: dict[Point, list[dict[str, Any]]], here: dict[str, Any], path: Path
) -> None:
    """Writes the results: the points taken now instead of those kept of the same kind and size."""
    fresh = [
        asdict(point) | {"model": Path(point.model).name.removesuffix(".gguf"), "where": here} | medians(rounds)
        for point, rounds in taken.items()
    ]
    replaced = set(map(_identity, fresh))
    rows = sorted([each for each in kept if _identity(each) not in replaced] + fresh, key=_identity)
    path.write_text(json.dumps({"points": rows}, indent=1) + "\n", encoding="utf-8")


def _identity(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[key] for key in ("part", "model", "words", "documents", "branches"))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = ("words", "documents", "branches", "written")
    parser.add_argument("--parts", nargs="*", choices=parts, default=parts)
    parser.add_argument("--model", default="gemma-3-270m", help="of the parts words, documents, branches")
    parser.add_argument("--models", nargs="*", default=[], help="others for the part `written`: names or files")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.worker:
        json.dump(work(Point(**json.loads(options.worker)), options.threads), sys.stdout)
        return 0

    from localsum.engine.fit import threads_for
    from localsum.engine.machine import this_machine

    threads = options.threads or threads_for(this_machine())
    kept = json.loads(options.results.read_text(encoding="utf-8"))["points"] if options.results.exists() else []
    wanted = [p for p in points([options.model, *options.models], is_quick=options.quick) if p.part in options.parts]
    rounds = 1 if options.quick else options.rounds
    here = where() | {"threads": threads, "rounds": rounds}
    taken: dict[Point, list[dict[str, Any]]] = {}
    for number in range(rounds):
        for point in wanted:
            say(
                f"round {number + 1}: {point.part}, {point.model}, {point.words} words × {point.documents}, "
                f"{point.branches} branches"
            )
            if (figures := measure(point, threads)) is not None:
                taken.setdefault(point, []).append(figures)
                keep(kept, taken, here, options.results)  # after each: whoever stops it keeps what there is

    from scale_page import make

    make(json.loads(options.results.read_text(encoding="utf-8"))["points"], ROOT / "benchmarks")
    return 0


if __name__ == "__main__":
    sys.exit(main())
