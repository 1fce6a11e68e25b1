"""What do the small steps cost, outside of llama_decode? So that a slow commit is found, and named.

    python benchmarks/micro.py                                    # all steps, five rounds, about a minute
    python benchmarks/micro.py --only mask 'guide step'           # steps whose names begin so
    python benchmarks/micro.py --json results/micro.json          # keep the figures
    python benchmarks/micro.py --against results/micro.json       # and compare: which step became slower
    python benchmarks/micro.py --processes                        # whole commands too, as from a shell

All steps are timed in turns, round by round, so that a machine that slows down slows all of them. The step `pace` is
work that no commit changes: `--against` divides its ratio out. The table goes to stdout, progress to stderr. Exit code
0, also where something became slower: a speed is no test.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from where import ROOT, say, spread, where

ARTICLE = ROOT / "examples" / "open-weights-fund.md"
SHORTEST_S = 0.02  # a sample is as many calls in a row as take this long
LEAST_CHANGE = 0.1  # a ratio closer to one is not told as a change, whatever the quartiles say
LEAST_SAMPLES = 5  # of a step, for its quartiles to mean anything
PACE = "pace (fixed work)"
BRANCHES, TOKENS = 12, 32  # of the engine's run
Step = Callable[[], object]


def language_steps() -> dict[str, Step]:
    """Steps of reader, writer and checks, on an article of 976 words. No model."""
    from localsum.brief import Brief
    from localsum.engine.scripted import ScriptedEngine
    from localsum.grounding import Source, check
    from localsum.pipeline import write_briefs
    from localsum.readers import read_bytes
    from localsum.render import render
    from localsum.sentences import sentences
    from localsum.templates import load_template
    from localsum.writing.desk import Desk
    from localsum.writing.material import gather

    data = ARTICLE.read_bytes()
    document, template, engine = read_bytes(data, path="a.md"), load_template(), ScriptedEngine()
    source = Source.of(document)
    claim = "Skerrow Freight, which reads 41 million papers a year, would save about €1.3 million a year."
    (brief,) = write_briefs([document], template, engine, model={"name": "", "sha256": ""})
    assert isinstance(brief, Brief)

    def choose() -> None:
        Desk(document, template, engine.count_tokens).fill()

    return {
        "read a file": lambda: read_bytes(data, path="a.md"),
        "split into sentences": lambda: sentences(document),
        "weigh sentences": lambda: gather(document),
        "choose for a brief": choose,
        "source for checking": lambda: Source.of(document),
        "check of one claim": lambda: check(claim, source),
        "page of a brief": lambda: render(brief, "html"),
    }


def scheduler_step(branches: int) -> Step:
    """Planning a decode for so many branches that run."""
    from localsum.engine.scheduler import Scheduler

    scheduler = Scheduler(cells=1 << 40, sequences=branches + 1, batch=512, overlap=4)
    scheduler.add(1, 1, [1 << 30] * branches)
    scheduler.admit()
    scheduler.plan()
    sequences = [fork.dst for fork in scheduler.start()]

    def step() -> None:
        for sequence in sequences:
            scheduler.extend(sequence, 1)
        scheduler.plan()

    return step


class Mute:
    """A backend that decodes nothing and always says the same: what is left is what the engine does around it."""

    cells, sequences, batch = 1 << 20, BRANCHES + 1, 512

    def __init__(self, backend: Any, logits: Any) -> None:  # noqa: ANN401
        self._backend, self._said = backend, logits

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._backend, name)

    def decode(self, slices: list[Any]) -> dict[int, Any]:
        return {part.seq: self._said for part, _ in slices if part.sample}

    def fork(self, src: int, dst: int, tokens: int) -> bool:
        return True

    def cut(self, seq: int, tokens: int) -> None:
        pass

    def clear(self) -> None:
        pass


def engine_run(backend: Any, logits: Any, rule: str) -> Step:  # noqa: ANN401
    """A whole run of one request, but for llama_decode."""
    from localsum.engine.loop import Run
    from localsum.engine.types import Branch, Counts, Request, Segment

    branches = tuple(Branch(f"b{n}", (Segment("Title:"),), rule, TOKENS) for n in range(BRANCHES))
    request = Request("a", (Segment("Text: " + "word " * 200),), branches)

    def run() -> None:
        counts = Counts()
        for _ in Run(Mute(backend, logits), [request], overlap=4, totals=counts):
            pass
        assert counts.sampled == BRANCHES * TOKENS, "the branches are to be written to their ends"

    return run


def engine_steps(model: Path) -> dict[str, Step]:
    """Steps of tokens: vocabulary and grammars of a real model, whose weights are not used."""
    import numpy as np

    from localsum.engine import grammar
    from localsum.engine.guide import MatcherGuide
    from localsum.engine.llama import LlamaBackend
    from localsum.engine.sampling import draw, pick
    from localsum.engine.types import Counts, Sampling, Segment

    backend = LlamaBackend(model, threads=1, cells=512, sequences=2, shortlist=False)
    text = " ".join(ARTICLE.read_text(encoding="utf-8").split("---\n", 2)[2].split())
    tokens = backend.tokenize((Segment(text),), first=False)
    line = grammar.line(1_000_000)
    sentences = [f"{part}." for part in text.split(". ")[:4]]
    # What random logits want is nearly never what the grammar allows.
    rng = np.random.default_rng(0)
    logits = rng.standard_normal(backend.vocabulary, dtype=np.float32)
    wanted = logits.copy()
    wanted[tokens[1]] = 20.0
    only_digits = "start: /[0-9]{1,9}/"

    def opened(rule: str) -> MatcherGuide:
        guide = backend.guide(rule)
        guide.opening()
        return guide  # type: ignore[return-value]

    free, digits = opened(line), opened(only_digits)
    free.advance(tokens[0])
    walked: dict[str, Any] = {"guide": opened(line), "at": 0}

    def guide_step() -> None:
        token = tokens[walked["at"]]
        if not walked["guide"].allows(token) or walked["at"] == len(tokens) - 1:
            walked.update(guide=opened(line), at=0)
            return
        walked["guide"].advance(token)
        walked["at"] += 1

    def compile_(rule: str) -> Step:
        return lambda: backend._guides._compile(rule)

    counts = Counts()
    greedy, warm = Sampling(), Sampling(temperature=1.0)
    return {
        "token table": backend._token_table,
        "tokenize": lambda: backend.tokenize((Segment(text),), first=False),
        "grammar of a line": compile_(line),
        "grammar of a choice": compile_(grammar.choice(sentences, "\n")),
        "guide, again": lambda: backend.guide(line),
        "guide step": guide_step,
        "mask": free.allowed,
        "pick, allowed": lambda: pick(wanted, free, greedy, [], rng, counts),
        "pick, refused": lambda: pick(logits, digits, greedy, [], rng, counts),
        "pick, temperature 1": lambda: pick(wanted, free, warm, [], rng, counts),
        "draw of 262,144": lambda: draw(logits, warm, rng),
        "scheduler step, 1 branch": scheduler_step(1),
        f"scheduler step, {BRANCHES} branches": scheduler_step(BRANCHES),
        f"engine around {BRANCHES} × {TOKENS} tokens": engine_run(backend, wanted, line),
    }


def process_steps(model: str) -> dict[str, Step]:
    """Whole commands, as from a shell."""

    def run(*arguments: str) -> Step:
        command = [sys.executable, "-m", "localsum", *arguments]
        environment = os.environ | {"LOCALSUM_STORE": "off"}
        return lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=ROOT, env=environment)

    article = str(ARTICLE.relative_to(ROOT))
    return {
        "localsum --help": run("--help"),
        "localsum brief": run("brief", article, "--quiet", "--no-store", "--format", "json", "--model", model),
    }


def pace() -> Step:
    """Fixed work of the kinds that the steps do: a loop of Python, a regular expression, an array."""
    import re

    import numpy as np

    words, text, values = re.compile(r"\w+"), "the quick brown fox jumps " * 400, np.arange(262_144, dtype=np.float32)
    return lambda: (sum(len(match.group()) for match in words.finditer(text)), float(values.argmax()))


def samples(steps: dict[str, Step], rounds: int, each: int) -> dict[str, list[float]]:
    """Seconds of one call: `each` samples of every step in each of so many rounds."""
    calls: dict[str, int] = {}
    for name, step in steps.items():
        step()  # warm
        begun_s = time.perf_counter()
        step()
        calls[name] = max(1, math.ceil(SHORTEST_S / max(1e-7, time.perf_counter() - begun_s)))
    found: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}")
        for name, step in steps.items():
            for _ in range(each if calls[name] > 1 else 1):
                begun_s = time.perf_counter()
                for _ in range(calls[name]):
                    step()
                found[name].append((time.perf_counter() - begun_s) / calls[name])
    return found


def seconds(value: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value / 1e-6:.3g} µs"


def table(cases: dict[str, dict[str, float]], before: dict[str, dict[str, float]] | None) -> str:
    """Markdown: medians with quartiles; with `before` the ratio to it, the machine's pace divided out."""
    head = "| step | median | quartiles |" + (" before | ratio | |" if before else "")
    lines = [head, "|---" * (head.count("|") - 1) + "|"]
    drift = cases[PACE]["median"] / before[PACE]["median"] if before and PACE in before and PACE in cases else 1.0
    for name, case in cases.items():
        row = f"| {name} | {seconds(case['median'])} | {seconds(case['low'])} to {seconds(case['high'])} |"
        if before:
            row += compared(case, before.get(name), 1.0 if name == PACE else drift)
        lines.append(row)
    return "\n".join(lines) + "\n"


def compared(now: dict[str, float], then: dict[str, float] | None, drift: float) -> str:
    """A change is told where the quartiles lie apart, and the medians by a tenth at least."""
    if then is None:
        return " – | – | new |"
    ratio = now["median"] / then["median"] / drift
    if min(now["samples"], then["samples"]) < LEAST_SAMPLES:
        return f" {seconds(then['median'])} | {ratio:.2f} | too few samples |"
    is_apart = now["low"] > then["high"] * drift or now["high"] < then["low"] * drift
    verdict = "" if not is_apart or abs(ratio - 1) < LEAST_CHANGE else "slower" if ratio > 1 else "faster"
    return f" {seconds(then['median'])} | {ratio:.2f} | {verdict} |"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="name of the registry, or a file; its vocabulary is used")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--each", type=int, default=3, help="samples of a step in a round")
    parser.add_argument("--only", nargs="+", default=(), help="steps whose names begin so")
    parser.add_argument("--processes", action="store_true", help="whole commands too")
    parser.add_argument("--no-model", action="store_true", help="no steps that need a model file")
    parser.add_argument("--json", type=Path, help="write the figures into this file")
    parser.add_argument("--against", type=Path, help="compare with a file written by --json")
    options = parser.parse_args(arguments)
    before = json.loads(options.against.read_text(encoding="utf-8"))["cases"] if options.against else None

    here = where()
    steps: dict[str, Step] = {PACE: pace(), **language_steps()}
    if not options.no_model:
        from localsum.models import find_model

        found = find_model(options.model)
        here["model"] = found.name
        steps |= engine_steps(found.path)
        if options.processes:
            steps |= process_steps(options.model or found.name)
    if options.only:
        steps = {name: step for name, step in steps.items() if name.startswith((PACE, *options.only))}
    cases = {name: spread(values) for name, values in samples(steps, options.rounds, options.each).items()}
    sys.stdout.write(table(cases, before))
    if options.json:
        options.json.write_text(json.dumps({"where": here, "cases": cases}, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
