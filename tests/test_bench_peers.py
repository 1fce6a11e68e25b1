"""What the bench calls prefill and decode is what llama-bench measures: within 10 %, given a llama-bench.

LOCALSUM_LLAMA_BENCH=PATH/llama-bench pytest tests/test_bench_peers.py -s
Build it from the same llama.cpp with the same flags (benchmarks/README.md), on a machine that does nothing else.
"""

import json
import os
import statistics
import subprocess
from pathlib import Path

import pytest

from localsum.bench.measure import prefill_tokens_s, write_s
from localsum.engine.llama import LlamaBackend
from localsum.engine.types import Segment
from localsum.errors import ModelError
from localsum.models import find_model

PROGRAM = os.environ.get("LOCALSUM_LLAMA_BENCH", "")
PROMPT, STEPS, ROUNDS, EACH = 512, 32, 3, 5
THREADS = 1  # what else the machine does disturbs one thread least, and what is compared is the measuring
TEXT = "The town of Veldt will dig a tunnel under its river for forty trains a day, the council said. " * 40

pytestmark = [
    pytest.mark.model,
    pytest.mark.skipif(not PROGRAM, reason="LOCALSUM_LLAMA_BENCH names no llama-bench"),
]


def theirs(model: Path) -> tuple[list[float], list[float]]:
    """Tokens a second of each repetition: prefill and decode, as llama-bench has them."""
    command = [PROGRAM, "-m", str(model), "-p", str(PROMPT), "-n", str(STEPS), "-t", str(THREADS), "-r", str(EACH)]
    command += ["-b", "512", "-ub", "512", "-fa", "1", "-ctk", "f16", "-ctv", "f16", "-o", "json"]
    rows = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    (prefill,) = (row["samples_ts"] for row in rows if row["n_prompt"])
    (decode,) = (row["samples_ts"] for row in rows if row["n_gen"])
    return prefill, decode


def ours(backend: LlamaBackend) -> tuple[list[float], list[float]]:
    """The same, as the bench has them."""
    first = backend.tokenize((Segment(TEXT),), first=True)[:1]
    prefill = [prefill_tokens_s(backend, TEXT, PROMPT) for _ in range(EACH)]
    return prefill, [STEPS / sum(write_s(backend, first, 1, STEPS)) for _ in range(EACH)]


def test_prefill_and_decode_agree_with_llama_bench() -> None:
    try:
        model = find_model("gemma-3-270m").path
    except ModelError as error:
        pytest.skip(error.message)
    taken: dict[str, tuple[list[float], list[float]]] = {"prefill": ([], []), "decode": ([], [])}
    # Every row of logits is computed, as llama-bench does; with a shortlist decode is another, faster work.
    backend = LlamaBackend(model, threads=THREADS, cells=1024, kv="f16", batch=512, shortlist=False)
    try:
        backend.pieces  # noqa: B018  (its thread is done)
        prefill_tokens_s(backend, TEXT, PROMPT)  # warm, as llama-bench is
        for _ in range(ROUNDS):  # in turns, so that a machine that slows down slows both
            for side, samples in enumerate((ours(backend), theirs(model))):
                for name, values in zip(taken, samples, strict=True):
                    taken[name][side].extend(values)
    finally:
        backend.close()
    for name, (mine, other) in taken.items():
        # The best of all: whatever else a machine does only slows it down.
        ratio = max(mine) / max(other)
        middle = statistics.median(mine) / statistics.median(other)
        said = f"{name}: {max(mine):.1f} tokens/s, llama-bench {max(other):.1f}: {ratio:.3f}, of medians {middle:.3f}"
        print(said)  # noqa: T201  (whoever runs this wants to know)
        assert abs(ratio - 1) < 0.10, said
