"""How fast are whole briefs? The same articles, model file and brief through localsum and through what else there is.

    python benchmarks/peers.py                                       # localsum and llama-cpp-python's Llama
    python benchmarks/peers.py --server PATH/llama-server            # and llama-server, at its best number of slots
    python benchmarks/peers.py --systems localsum server --articles 8 --rounds 1
    python benchmarks/peers.py --also slim.gguf                      # and localsum with other files of the model

Every field is written by the model, from the whole article; prompt, fields, limits of length, threads and greedy
sampling are the same for all, and each answer is checked against one JSON Schema. The systems take turns, each turn in
a process of its own; loading is not counted. What the columns mean: benchmarks/README.md. Tables go to stdout.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from where import SPIN, megabytes, where

if TYPE_CHECKING:
    from localsum.engine.types import Request

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
CONTEXT = 4096  # tokens for one article and its brief, where a system wants to know
MOST_TOKENS = 1500  # of one answer written as a whole
CUE = "\n\nBrief of this article as JSON:\n"
CATEGORIES = ("market", "technology", "policy", "security", "research", "products", "society")

# The brief: fields, and of each its parts. A part is a text of so many characters at most, or one of some words.
Part = int | tuple[str, ...]
SECTION: dict[str, Part] = {"heading": 50, "body": 200}
INSIGHT: dict[str, Part] = {"text": 160, "category": CATEGORIES, "impact": 120}
ACTION: dict[str, Part] = {"text": 120, "impact": 100}
BRIEF: dict[str, dict[str, Part] | Part] = {
    "title": 90,
    "summary": 300,
    "section_1": SECTION,
    "section_2": SECTION,
    "section_3": SECTION,
    "conclusion": 200,
    "insight_1": INSIGHT,
    "insight_2": INSIGHT,
    "insight_3": INSIGHT,
    "action_1": ACTION,
    "action_2": ACTION,
    "quote_1": 160,
    "quote_2": 160,
}
# A base model does not know what is wanted without an example.
EXAMPLE = """The city of Orlen will pay 14 million dollars to replace the software that sends its ambulances. An audit \
found that calls were lost in 3 of 100 cases, most of them at night. The supplier, Tarn Systems, disputes the figure. \
"We cannot ask people to trust a system that forgets them," said the mayor, Ada Brandt. The new software is to run in \
the city's own data center from May. Until then two clerks will check every call by hand. Brandt asked other cities to \
audit their systems as well. Tarn Systems serves 60 cities, and its shares fell by 8 percent. Orlen's council votes on \
the plan in March; a majority is expected."""
EXAMPLE_BRIEF = {
    "title": "Orlen pays $14 million to replace ambulance software that lost calls",
    "summary": "Orlen will replace the software that sends its ambulances for 14 million dollars. An audit found it "
    "loses 3 of 100 calls, which the supplier disputes.",
    "section_1": {
        "heading": "The audit",
        "body": "An audit found that it lost 3 of 100 calls, most of them at night. The supplier disputes it.",
    },
    "section_2": {
        "heading": "The replacement",
        "body": "New software is to run in the city's own data center from May. Until then two clerks check all calls.",
    },
    "section_3": {
        "heading": "Other cities",
        "body": "Tarn Systems serves 60 cities. The mayor asked them to audit their systems as well.",
    },
    "conclusion": "The council votes on the plan in March, and a majority is expected.",
    "insight_1": {
        "text": "The old software lost 3 of 100 calls, most of them at night.",
        "category": "technology",
        "impact": "People in need may have waited for ambulances that nobody sent.",
    },
    "insight_2": {
        "text": "Orlen moves the system into its own data center.",
        "category": "policy",
        "impact": "The city no longer depends on one supplier.",
    },
    "insight_3": {
        "text": "The shares of Tarn Systems fell by 8 percent.",
        "category": "market",
        "impact": "Investors expect other cities to leave as well.",
    },
    "action_1": {"text": "Other cities should audit their systems.", "impact": "Lost calls would be found."},
    "action_2": {"text": "Two clerks will check every call by hand.", "impact": "No call is lost until May."},
    "quote_1": "We cannot ask people to trust a system that forgets them.",
    "quote_2": "The supplier, Tarn Systems, disputes the figure.",
}


def prompt(article: str) -> str:
    """What every system reads."""
    return f"Article:\n{EXAMPLE}{CUE}{json.dumps(EXAMPLE_BRIEF)}\n\nArticle:\n{article}{CUE}"


def schema() -> dict[str, Any]:
    """The JSON Schema of the brief."""

    def one(part: Part) -> dict[str, Any]:
        if isinstance(part, tuple):
            return {"type": "string", "enum": list(part)}
        return {"type": "string", "minLength": 1, "maxLength": part}

    def record(parts: dict[str, Any]) -> dict[str, Any]:
        return {"type": "object", "properties": parts, "required": list(parts), "additionalProperties": False}

    return record(
        {
            name: record({key: one(part) for key, part in parts.items()}) if isinstance(parts, dict) else one(parts)
            for name, parts in BRIEF.items()
        }
    )


def branch_of(name: str) -> tuple[str, str, int]:
    """How localsum writes a field: what opens it, the grammar of what follows, and a fuse in tokens."""
    parts = BRIEF[name]
    opening, close = f'{{"{name}": "', '"'
    if not isinstance(parts, dict):
        parts = {"": parts}
    else:
        opening, close = f'{{"{name}": {{"{next(iter(parts))}": "', '"}'
    rules, terminals, fuse = [], [], 16
    for number, (key, part) in enumerate(parts.items()):
        if number:
            rules.append(json.dumps(f'", "{key}": "'))
        if isinstance(part, tuple):
            rules.append("(" + " | ".join(json.dumps(word) for word in part) + ")")
            fuse += 16
        else:
            rules.append(f"T{number}")
            terminals.append(rf'T{number}: /[^"\\\x00-\x1f\x7f]{{1,{part}}}/')
            fuse += part
    return opening, "\n".join([f"start: {' '.join(rules)} {json.dumps(close)}", *terminals]), fuse


@dataclass
class Answer:
    """One article's brief. `seconds` are from the start of its reading (or its request) to its end."""

    id: str
    text: str
    seconds: float
    prompt: int
    written: int


@dataclass
class Turn:
    """One system's way through the articles."""

    system: str
    articles: int
    wall_s: float = 0.0
    answers: list[Answer] = field(default_factory=list)
    peak_mb: float = 0.0
    model_mb: float = 0.0
    more: dict[str, Any] = field(default_factory=dict)


# The systems. Each takes (id, text) pairs, and is run in a process of its own.

Articles = list[tuple[str, str]]


def localsum(
    model: Path, threads: int, articles: Articles, layers: Literal["packed"] | None = None
) -> tuple[float, list[Answer], dict[str, Any]]:
    """A branch for each field, all of them forked from one reading of the article."""
    from localsum.engine.types import RequestDone, RequestFailed
    from localsum.loading import load_engine
    from localsum.models import from_path

    answers = []
    with load_engine(from_path(model), layers=layers, threads=threads) as engine:
        engine.backend.pieces  # noqa: B018  (waits for the token table, which is part of loading)
        started = time.perf_counter()
        for event in engine.run(request_of(name, text) for name, text in articles):
            if isinstance(event, RequestFailed):
                print(f"localsum: {event.request}: {event.message}", file=sys.stderr)
            elif isinstance(event, RequestDone):
                counts = event.counts
                written = counts.forced + counts.sampled
                answers.append(Answer(event.request, whole(event.texts), counts.total_s, counts.prompt, written))
        wall_s = time.perf_counter() - started
        return wall_s, answers, {**asdict(engine.totals), **engine.info.settings}


def request_of(name: str, text: str) -> Request:
    """localsum's request for the brief of an article."""
    from localsum.engine.types import Branch, Request, Segment

    branches = []
    for field_name in BRIEF:
        opening, rule, fuse = branch_of(field_name)
        branches.append(Branch(field_name, (Segment(opening),), rule, fuse))
    return Request(name, (Segment(prompt(text)),), tuple(branches))


def whole(texts: dict[str, str]) -> str:
    """The JSON of a brief, from what the branches wrote."""
    return "{" + ", ".join(branch_of(name)[0][1:] + text for name, text in texts.items()) + "}"


def default(model: Path, threads: int, articles: Articles) -> tuple[float, list[Answer], dict[str, Any]]:
    """What `localsum brief` makes of the articles; with a base model that is an extract, so not one with the others."""
    from localsum.brief import Brief
    from localsum.loading import load_engine
    from localsum.models import from_path
    from localsum.pipeline import write_briefs
    from localsum.readers import read_bytes
    from localsum.templates import load_template

    documents = [read_bytes(text.encode("utf-8"), path=f"{name}.md") for name, text in articles]
    answers = []
    with load_engine(from_path(model), threads=threads) as engine:
        engine.backend.pieces  # noqa: B018
        started = time.perf_counter()
        for brief in write_briefs(documents, load_template(), engine, model={"name": "", "sha256": ""}):
            if isinstance(brief, Brief):
                counts = brief.timing
                written = counts["forced_tokens"] + counts["sampled_tokens"]
                name = str(brief.document.path)
                answers.append(Answer(name, "", counts["total_s"], int(counts["prompt_tokens"]), int(written)))
        return time.perf_counter() - started, answers, asdict(engine.totals)


def llama(model: Path, threads: int, articles: Articles) -> tuple[float, list[Answer], dict[str, Any]]:
    """llama-cpp-python's high-level class: one article after the other, each brief in one answer."""
    from llama_cpp import Llama, LlamaGrammar

    writer = Llama(
        str(model), n_ctx=CONTEXT, n_threads=threads, n_threads_batch=threads, flash_attn=True, verbose=False
    )
    grammar = LlamaGrammar.from_json_schema(json.dumps(schema()), verbose=False)
    answers = []
    started = time.perf_counter()
    for name, text in articles:
        began = time.perf_counter()
        made: Any = writer.create_completion(prompt(text), max_tokens=MOST_TOKENS, temperature=0.0, grammar=grammar)
        seconds, usage = time.perf_counter() - began, made["usage"]
        text = made["choices"][0]["text"]
        answers.append(Answer(name, text, seconds, usage["prompt_tokens"], usage["completion_tokens"]))
    return time.perf_counter() - started, answers, {}


WORKERS: dict[str, Callable[[Path, int, Articles], tuple[float, list[Answer], dict[str, Any]]]] = {
    "localsum": localsum,
    "localsum, layers packed": partial(localsum, layers="packed"),
    "llama-cpp-python": llama,
    "default style": default,
}


def work(system: str, model: Path, threads: int) -> None:
    """In the process of a worker: articles from stdin, a turn to stdout."""
    articles = [(name, text) for name, text in json.load(sys.stdin)]
    wall_s, answers, more = WORKERS[system](model, threads, articles)
    json.dump({"wall_s": wall_s, "answers": [asdict(answer) for answer in answers], "more": more}, sys.stdout)


def take_turn(system: str, model: Path, options: argparse.Namespace, articles: Articles) -> Turn:
    command = [sys.executable, __file__, "--worker", system, "--model", str(model)]
    command += ["--threads", str(options.threads)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ | SPIN) as process:
        assert process.stdin and process.stdout  # noqa: PT018
        process.stdin.write(json.dumps(articles).encode())
        process.stdin.close()
        done = json.loads(process.stdout.read())
        peak = _wait(process)
    answers = [Answer(**answer) for answer in done["answers"]]
    name = system if model == options.model else f"{system}, {model.stem}"
    return Turn(name, len(articles), done["wall_s"], answers, peak, model.stat().st_size / 1e6, done["more"])


def serve(slots: int, options: argparse.Namespace, articles: Articles) -> Turn:
    """llama-server with so many slots, and as many clients that each wait for one answer before they ask again."""
    port = options.port
    command = [str(options.server), "-m", str(options.model), "--port", str(port), "-np", str(slots)]
    command += ["-c", str(CONTEXT * slots), "-t", str(options.threads), "-tb", str(options.threads), "-fa", "on"]
    rules = schema()

    def ask(article: tuple[str, str]) -> Answer:
        name, text = article
        began = time.perf_counter()
        made = _post(
            f"http://127.0.0.1:{port}/completion",
            {"prompt": prompt(text), "n_predict": MOST_TOKENS, "temperature": 0.0, "json_schema": rules},
        )
        seconds = time.perf_counter() - began
        return Answer(name, made["content"], seconds, made["tokens_evaluated"], made["tokens_predicted"])

    quiet = subprocess.DEVNULL
    with subprocess.Popen([*command, "--no-webui"], stdout=quiet, stderr=quiet, env=os.environ | SPIN) as process:
        try:
            _until_healthy(port, process)
            started = time.perf_counter()
            with ThreadPoolExecutor(slots) as clients:
                answers = list(clients.map(ask, articles))
            wall_s = time.perf_counter() - started
        finally:
            process.terminate()
            peak = _wait(process)
    model_mb = options.model.stat().st_size / 1e6
    return Turn(f"llama-server, {slots} slots", len(articles), wall_s, answers, peak, model_mb)


def _post(url: str, body: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=1800) as reply:
        answer: dict[str, Any] = json.load(reply)
    return answer


def _until_healthy(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                return
        except OSError:
            if process.poll() is not None:
                raise SystemExit(f"llama-server ended with {process.returncode}") from None
            time.sleep(0.1)
    raise SystemExit("llama-server does not answer")


def _wait(process: subprocess.Popen[bytes]) -> float:
    """The process's end; its peak memory in MB."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return megabytes(usage.ru_maxrss)


def reading_speed(model: Path, threads: int) -> float:
    """pp512 through the bindings: tokens a second of prompts of 512 tokens, the best of five."""
    code = (
        "import sys, time; from pathlib import Path; from localsum.engine.llama import LlamaBackend;"
        "from localsum.engine.scheduler import Slice; path, threads = sys.argv[1:];"
        "backend = LlamaBackend(Path(path), cells=512, sequences=2, batch=512, threads=int(threads));"
        "tokens = [number % 20000 + 1000 for number in range(512)]; times = []\n"
        "for _ in range(6):\n"
        "    began = time.perf_counter(); backend.decode([(Slice(0, 0, 512, sample=True), tokens)])\n"
        "    times.append(time.perf_counter() - began); backend.cut(0, 0)\n"
        "print(512 / min(times)); backend.close()"
    )
    command = [sys.executable, "-c", code, str(model), str(threads)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | SPIN).stdout)


# What came of it


def figures(turns: list[Turn], speeds: list[float]) -> dict[str, Any]:
    """Medians over a system's turns."""
    import jsonschema

    check = jsonschema.Draft202012Validator(schema())
    answers = [answer for turn in turns for answer in turn.answers]
    seconds = sorted(answer.seconds for answer in answers)
    # The speed of reading is measured before each round, and a machine's speed drifts.
    work = [sum(answer.prompt + answer.written for answer in turn.answers) for turn in turns]
    shares = [tokens / speed / turn.wall_s for tokens, speed, turn in zip(work, speeds, turns, strict=True)]
    outside = [turn.more["outside_s"] / turn.wall_s for turn in turns if "outside_s" in turn.more]
    return {
        "articles_per_min": statistics.median(60 * len(turn.answers) / turn.wall_s for turn in turns),
        "article_p50_s": statistics.median(seconds),
        "article_p95_s": seconds[min(len(seconds) - 1, int(0.95 * len(seconds)))],
        "prompt_tokens": statistics.mean(answer.prompt for answer in answers),
        "written_tokens": statistics.mean(answer.written for answer in answers),
        "of_roofline": statistics.median(shares),
        "peak_above_model_mb": max(turn.peak_mb - turn.model_mb for turn in turns),
        "outside_decode": statistics.median(outside) if outside else None,
        "valid": sum(_is_valid(check, answer.text) for answer in answers if answer.text),
        "answers": sum(bool(answer.text) for answer in answers),
        "turns": len(turns),
        "articles": turns[0].articles,
    }


def _is_valid(check: Any, text: str) -> bool:  # noqa: ANN401
    try:
        return bool(check.is_valid(json.loads(text)))
    except ValueError:
        return False


def table(found: dict[str, dict[str, Any]]) -> str:
    ours = found.get("localsum", {}).get("articles_per_min")
    width = max(24, *map(len, found))
    lines = [
        f"{'':<{width}} {'art/min':>8} {'ours is':>8} {'p50 s':>7} {'p95 s':>7} {'prompt':>7} {'written':>8} "
        f"{'roofline':>9} {'peak MB':>8} {'outside':>8} {'valid':>9}"
    ]
    for system, row in found.items():
        ratio = f"{ours / row['articles_per_min']:.2f} x" if ours and system != "localsum" else ""
        outside = f"{100 * row['outside_decode']:.1f} %" if row["outside_decode"] is not None else ""
        lines.append(
            f"{system:<{width}} {row['articles_per_min']:>8.2f} {ratio:>8} {row['article_p50_s']:>7.1f} "
            f"{row['article_p95_s']:>7.1f} {row['prompt_tokens']:>7.0f} {row['written_tokens']:>8.0f} "
            f"{row['of_roofline']:>9.2f} {row['peak_above_model_mb']:>8.0f} {outside:>8} "
            f"{row['valid']:>4}/{row['answers']:<4}"
        )
    return "\n".join(lines)


def load_articles(folder: Path, count: int, words: tuple[int, int]) -> Articles:
    """The first `count` documents of `docs.jsonl` with so many words, or the .txt and .md files of a folder."""

    def documents() -> Iterator[tuple[str, str]]:
        if (folder / "docs.jsonl").is_file():
            for line in (folder / "docs.jsonl").read_text(encoding="utf-8").splitlines():
                row = json.loads(line)
                yield row["id"], row["text"]
        else:
            for path in sorted([*folder.glob("*.txt"), *folder.glob("*.md")]):
                yield path.stem, path.read_text(encoding="utf-8")

    fitting = ((name, text) for name, text in documents() if words[0] <= len(text.split()) <= words[1])
    return list(islice(fitting, count))


def run(options: argparse.Namespace, articles: Articles) -> dict[str, Any]:
    turns: dict[str, list[tuple[Turn, float]]] = {}
    slots = list(options.slots)
    for number in range(options.rounds):
        speeds = {model: reading_speed(model, options.threads) for model in (options.model, *options.also)}
        print(f"round {number + 1}: pp512 {', '.join(f'{each:.0f}' for each in speeds.values())}", file=sys.stderr)
        for system in options.systems:
            files = [options.model, *(options.also if system == "localsum" else [])]
            if system == "server":
                done = [serve(count, options, articles) for count in slots]
                if number == 0:  # the other rounds are for the best
                    slots = [slots[max(range(len(done)), key=lambda n: len(done[n].answers) / done[n].wall_s)]]
            else:
                some = articles[: options.alone] if system == "llama-cpp-python" else articles
                done = [take_turn(system, model, options, some) for model in files]
            for place, turn in enumerate(done):
                model = options.model if system == "server" else files[place]
                turns.setdefault(turn.system, []).append((turn, speeds[model]))
                rate = 60 * len(turn.answers) / turn.wall_s
                print(f"  {turn.system}: {turn.wall_s:.1f} s, {rate:.2f} articles/min", file=sys.stderr)
    return {
        "model": options.model.name,
        "threads": options.threads,
        "words": [len(text.split()) for _, text in articles],
        "pp512": sorted({speed for some in turns.values() for _, speed in some}),
        "systems": {
            system: figures([turn for turn, _ in some], [speed for _, speed in some]) for system, some in turns.items()
        },
        "turns": [{**asdict(turn), "answers": len(turn.answers)} for some in turns.values() for turn, _ in some],
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0; 1 if an answer is missing or does not fit the schema; 2 if there are no articles."""
    parser = argparse.ArgumentParser(description="Measure how fast localsum and its peers write the same briefs.")
    parser.add_argument("--data", type=Path, default=DATA, help="folder with docs.jsonl, or with .txt and .md files")
    parser.add_argument("--model", type=Path, help="a GGUF file [default: localsum's default model]")
    parser.add_argument("--also", type=Path, nargs="*", default=[], help="more files for localsum, slim ones perhaps")
    parser.add_argument("--systems", nargs="+", choices=["server", *WORKERS])
    parser.add_argument("--server", type=Path, help="a llama-server program")
    parser.add_argument("--slots", type=int, nargs="+", default=[1, 2, 4, 8], help="of the server, each tried once")
    parser.add_argument("--port", type=int, default=18765)
    parser.add_argument("--articles", type=int, default=16)
    parser.add_argument("--alone", type=int, default=4, help="articles for what writes one after the other")
    parser.add_argument("--words", type=int, nargs=2, default=[800, 1500], metavar=("LEAST", "MOST"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--threads",
        type=int,
        default=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
    )
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    parser.add_argument("--worker", choices=list(WORKERS), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.worker:
        work(options.worker, options.model, options.threads)
        return 0
    if options.model is None:
        from localsum.models import find_model

        options.model = find_model(None).path
    if options.systems is None:
        options.systems = ["localsum", "llama-cpp-python", *(["server"] if options.server else []), "default style"]
    if "server" in options.systems and not options.server:
        parser.error("name the program with --server PATH")
    articles = load_articles(options.data, options.articles, tuple(options.words))
    if not articles:
        print(f"no articles of that length in {options.data}; name a folder with --data", file=sys.stderr)
        return 2
    found = run(options, articles)
    print(table(found["systems"]))
    if options.json:
        options.json.write_text(json.dumps({"where": where(), **found}, indent=1) + "\n", encoding="utf-8")
    return int(any(row["valid"] < row["answers"] for row in found["systems"].values()))


if __name__ == "__main__":
    sys.exit(main())
