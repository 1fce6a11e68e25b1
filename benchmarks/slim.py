"""What does a smaller vocabulary cost, and what does it gain? Slims a model to several sizes and measures each file.

    python benchmarks/slim.py                                     # the embedded model, all sizes, three rounds
    python benchmarks/slim.py --model NAME --keep 32768 65536     # another model, two sizes
    python benchmarks/slim.py --keep 98304 98304+body 98304+all   # and in formats with the fastest kernels
    python benchmarks/slim.py --files a.gguf b.gguf               # files that are there already

Bits per byte are of text that the choice of tokens did not see (`--data`, the first `--characters` of each document).
Speed is measured in turns, each turn in a process of its own; the table shows the best of all rounds, since whatever
else the machine does only slows a step down, and its ratio to the first row. The columns: benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from where import SPIN, peak_mb, where

if TYPE_CHECKING:
    from localsum.engine.llama import LlamaBackend

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
SOURCES = ("writer_summaries", "summedits/news", "changelog/news", "interconnects", "ainews")
EACH = 6  # documents of each source, so that no source decides
PREFIX = 512  # tokens
STEPS = 24  # of a decode that is timed
KEEP = ("24576", "49152", "65536", "81920", "98304", "114688", "en", "latin", "98304+body", "98304+all")


def texts(folder: Path, characters: int) -> list[tuple[str, str]]:
    """(source, text) of news that neither the pieces nor the sizes were chosen on."""
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for line in (folder / "docs.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        for source in SOURCES:
            if row["source"].startswith(source) and len(found[source]) < EACH:
                found[source].append((source, row["text"][:characters]))
    return [pair for source in SOURCES for pair in found[source]]


# In a worker's process


def bits(path: Path, threads: int, pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """Bits per byte, all and by source, and tokens."""
    from localsum.engine.llama import LlamaBackend
    from localsum.engine.types import Segment

    backend = LlamaBackend(path, threads=threads, cells=4096, sequences=64, shortlist=False)
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0, 0])
    for source, text in pairs:
        # A newline stands in where the model has no begin-of-text token: the first token cannot be measured.
        opening = () if backend.tokenize((Segment("a"),), first=True)[1:] else (Segment("\n"),)
        tokens = backend.tokenize((*opening, Segment(text)), first=True)
        row = sums[source]
        row[0] += float(backend.surprise(tokens).sum()) / math.log(2)
        row[1] += len(text.encode())
        row[2] += len(tokens) - 1
    backend.close()
    total = [sum(column) for column in zip(*sums.values(), strict=True)]
    by_source = {source: row[0] / row[1] for source, row in sums.items()}
    return {"bits_per_byte": total[0] / total[1], "tokens": total[2], "bytes": total[1], "by_source": by_source}


def speed(path: Path, threads: int, branches: Sequence[int]) -> dict[str, Any]:
    """Reading in tokens/s; writing in tokens/s with so many branches after a shared prefix, with all rows and with the
    shortlist; memory in MB."""
    from localsum.engine.llama import LlamaBackend

    # All rows: what a smaller vocabulary is worth by itself.
    backend = LlamaBackend(path, threads=threads, cells=4096, sequences=max(branches) + 1, shortlist=False)
    backend.pieces  # noqa: B018  (waits for the token table)
    prefix = prefix_of(backend)
    reading = [read(backend, prefix) for _ in range(6)]
    writing = write(backend, branches, prefix)
    backend.close()
    peak = peak_mb()
    backend = LlamaBackend(path, threads=threads, cells=4096, sequences=max(branches) + 1)
    backend.pieces  # noqa: B018
    read(backend, prefix)
    listed = write(backend, branches, prefix)
    backend.close()
    return {"reading": PREFIX / min(reading), "writing": writing, "listed": listed, "peak_mb": peak}


def prefix_of(backend: LlamaBackend) -> list[int]:
    """Tokens of English text: what is rare has no shortlist."""
    from localsum.engine.types import Segment

    text = "\n\n".join(path.read_text(encoding="utf-8") for path in sorted(EXAMPLES.glob("*.md")))
    return backend.tokenize((Segment(text[: 20 * PREFIX]),), first=True)[:PREFIX]


def read(backend: LlamaBackend, prefix: list[int]) -> float:
    """Read the prefix into the empty cache; the seconds that it takes."""
    from localsum.engine.scheduler import Slice

    backend.cut(0, 0)
    began = time.perf_counter()
    backend.decode([(Slice(0, 0, PREFIX, sample=True), prefix)])
    return time.perf_counter() - began


def write(backend: LlamaBackend, branches: Sequence[int], prefix: list[int]) -> dict[str, float]:
    """Tokens a second of so many branches after the prefix."""
    from localsum.engine.scheduler import Slice

    writing = {}
    for count in branches:
        for seq in range(1, count + 1):
            backend.fork(0, seq, PREFIX)
        steps = []
        for step in range(STEPS):
            began = time.perf_counter()
            backend.decode([(Slice(seq, PREFIX + step, 1, sample=True), [prefix[seq]]) for seq in range(1, count + 1)])
            steps.append(time.perf_counter() - began)
        for seq in range(1, count + 1):
            backend.cut(seq, 0)
        writing[str(count)] = count / min(steps)
    return writing


# In the process that is started


def work(kind: str, path: Path, options: argparse.Namespace) -> dict[str, Any]:
    command = [sys.executable, __file__, "--worker", kind, "--files", str(path), "--threads", str(options.threads)]
    command += ["--data", str(options.data), "--characters", str(options.characters)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=os.environ | SPIN)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def make(model: Path, sizes: Sequence[str], folder: Path) -> list[Path]:
    """The full file and its slim ones. A size is a number of tokens, or a language: all of its tokens.

    With `+body` the layers are requantized to types for which llama.cpp has its fastest kernels on x86 and ARM, with
    `+all` the tokens' rows as well.
    """
    from localsum import slim
    from localsum.vocabulary import choose_for

    source = slim.read_source(model)
    files = [model]
    for size in sizes:
        number, _, requantized = size.partition("+")
        path = folder / f"{model.stem}-slim-{size}.gguf"
        language = "en" if number.isdigit() else number
        kept = choose_for(source.vocabulary, language, int(number) if number.isdigit() else len(source.vocabulary))
        if requantized:
            trial = folder / "trial.gguf"
            slim.write_slim(source, trial, kept, {})
            requantize(trial, path, rows=requantized == "all")
            trial.unlink()
        else:
            slim.write_slim(source, path, kept, {})
        files.append(path)
    return files


def requantize(source: Path, target: Path, *, rows: bool) -> None:
    """Layers in Q4_K, where their width is no multiple of 256 in IQ4_NL; with `rows` those of tokens in IQ4_NL, too."""
    import llama_cpp.llama_cpp as lib

    from localsum.gguf import read_header

    class Override(ctypes.Structure):
        _fields_ = (("pattern", ctypes.c_char_p), ("type", ctypes.c_int))

    # Where both would fit, the wide type; what is small and in Q8_0 stays so.
    types = {
        tensor.name: lib.GGML_TYPE_Q8_0 if tensor.kind == lib.GGML_TYPE_Q8_0 else lib.GGML_TYPE_Q4_K
        for tensor in read_header(source).tensors
        if len(tensor.shape) == 2 and (tensor.shape[0] % 256 == 0 or tensor.kind == lib.GGML_TYPE_Q8_0)
    }
    patterns = [Override(name.replace(".", r"\.").encode(), kind) for name, kind in types.items()]
    overrides = (Override * (len(patterns) + 1))(*patterns)
    parameters = lib.llama_model_quantize_default_params()
    parameters.ftype = lib.LLAMA_FTYPE_MOSTLY_IQ4_NL
    parameters.pure = parameters.allow_requantize = True
    parameters.token_embedding_type = lib.GGML_TYPE_IQ4_NL if rows else lib.GGML_TYPE_Q8_0
    parameters.tt_overrides = ctypes.cast(overrides, type(parameters.tt_overrides))
    silent = lib.llama_log_callback(lambda *_: None)
    lib.llama_log_set(silent, None)
    if lib.llama_model_quantize(os.fsencode(source), os.fsencode(target), ctypes.byref(parameters)):
        raise SystemExit(f"llama.cpp cannot requantize {source}")


def table(rows: dict[str, dict[str, Any]], branches: Sequence[int]) -> str:
    first = next(iter(rows.values()))
    heads = ["MB", "bits/byte", "loss %", "tokens", "peak MB", "reading"] + [
        f"{count} br.{mark}" for mark in ("", "*") for count in branches
    ]
    lines = [f"{'':<44}" + "".join(f"{head:>16}" for head in heads)]
    for name, row in rows.items():
        cells = [f"{row['file_mb']:.0f} ({row['file_mb'] / first['file_mb']:.2f})"]
        if "bits_per_byte" in row:
            loss = row["bits_per_byte"] / first["bits_per_byte"] - 1
            cells += [f"{row['bits_per_byte']:.4f}", f"{100 * loss:+.2f}", f"{row['tokens'] / first['tokens']:.3f}"]
        else:
            cells += [""] * 3
        if "reading" in row:
            cells += [f"{row['peak_mb']:.0f} ({row['peak_mb'] / first['peak_mb']:.2f})"]
            cells += [f"{row['reading']:.0f} ({row['reading_ratio']:.2f})"]
            for kind in ("writing", "listed"):
                cells += [f"{row[kind][str(n)]:.0f} ({row[f'{kind}_ratio'][str(n)]:.2f})" for n in branches]
        lines.append(f"{name:<44}" + "".join(f"{cell:>16}" for cell in cells))
    return "\n".join(lines)


def _best(turns: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "peak_mb": max(turn["peak_mb"] for turn in turns),
        "reading": max(turn["reading"] for turn in turns),
        **{kind: {n: max(turn[kind][n] for turn in turns) for n in turns[0][kind]} for kind in ("writing", "listed")},
    }


def plot(rows: dict[str, dict[str, Any]]) -> str:
    """An SVG: across, the loss in bits per byte; upwards, tokens a second of one branch, as ratios to the first row."""
    points = [
        (name.removesuffix(".gguf").partition("-slim-")[2] or "full", row["bits_per_byte"], row["writing_ratio"]["1"])
        for name, row in rows.items()
        if "bits_per_byte" in row and "writing_ratio" in row
    ]
    first = points[0][1]
    losses = [(name, 100 * (bits / first - 1), ratio) for name, bits, ratio in points]
    right, top = max(loss for _, loss, _ in losses) or 1, max(ratio for *_, ratio in losses)
    marks = []
    for name, loss, ratio in losses:
        x, y = 70 + 600 * loss / right, 340 - 300 * ratio / top
        marks.append(f'<circle cx="{x:.0f}" cy="{y:.0f}" r="4"/>')
        marks.append(f'<text x="{x + 7:.0f}" y="{y - 6:.0f}">{name}: {loss:+.1f} %, {ratio:.2f} x</text>')
    axes = '<path d="M70 20V340H720" fill="none" stroke="black"/>'
    labels = '<text x="300" y="375">more bits per byte</text><text x="10" y="14">speed of one branch</text>'
    style = 'font-family="sans-serif" font-size="12"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 880 390" {style}>'
        f'<rect width="880" height="390" fill="white"/>{axes}{labels}{"".join(marks)}</svg>\n'
    )


def run(options: argparse.Namespace, files: list[Path]) -> dict[str, dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {path.name: {"file_mb": path.stat().st_size / 1e6} for path in files}
    if options.characters:
        for path in files:
            rows[path.name] |= work("bits", path, options)
            print(f"{path.name}: {rows[path.name]['bits_per_byte']:.4f} bits per byte", file=sys.stderr)
    turns: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for number in range(options.rounds):
        for path in files:
            turns[path.name].append(work("speed", path, options))
            print(f"round {number + 1}, {path.name}: {turns[path.name][-1]}", file=sys.stderr)
    best = {name: _best(some) for name, some in turns.items()}
    for name, figures in best.items():
        full = best[files[0].name]
        rows[name] |= figures | {
            "reading_ratio": figures["reading"] / full["reading"],
            "writing_ratio": {n: figures["writing"][n] / full["writing"][n] for n in figures["writing"]},
            "listed_ratio": {n: figures["listed"][n] / full["writing"][n] for n in figures["listed"]},
        }
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0; 2 if there are no documents."""
    parser = argparse.ArgumentParser(description="Measure slim models: what they lose, how fast they are.")
    parser.add_argument("--model", help="a name or path [default: the embedded model]")
    parser.add_argument("--keep", nargs="+", default=KEEP, help="numbers of tokens; en, latin: all of these letters")
    parser.add_argument(
        "--files", type=Path, nargs="+", help="measure these instead; the first is what others compare to"
    )
    parser.add_argument("--folder", type=Path, help="where slim files are written, to stay [default: a temporary one]")
    parser.add_argument("--data", type=Path, default=DATA, help="folder with docs.jsonl")
    parser.add_argument("--characters", type=int, default=2500, help="of each document; 0: no bits per byte")
    parser.add_argument("--branches", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--rounds", type=int, default=3, help="of speed; 0: none")
    parser.add_argument(
        "--threads",
        type=int,
        default=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
    )
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    parser.add_argument("--svg", type=Path, help="draw loss and speed into this file")
    parser.add_argument("--worker", choices=["bits", "speed"], help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.worker == "speed":
        json.dump(speed(options.files[0], options.threads, options.branches), sys.stdout)
        return 0
    if options.characters and not (options.data / "docs.jsonl").is_file():
        print(f"no docs.jsonl in {options.data}; name a folder with --data", file=sys.stderr)
        return 2
    if options.worker == "bits":
        json.dump(bits(options.files[0], options.threads, texts(options.data, options.characters)), sys.stdout)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        from localsum.models import find_model

        files = options.files or make(find_model(options.model).path, options.keep, options.folder or Path(folder))
        rows = run(options, files)
    print(table(rows, options.branches))
    if options.json:
        options.json.write_text(json.dumps({"where": where(), **rows}, indent=1) + "\n", encoding="utf-8")
    if options.svg:
        options.svg.write_text(plot(rows), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
