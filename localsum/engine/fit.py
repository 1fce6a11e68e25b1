"""What an engine may take of a machine: threads, context, types of the KV cache and of layers. Knows no model, only
sizes and what llama.cpp says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from localsum.engine.machine import Machine

MOST_CELLS = 8192  # several articles of any usual length at once; more costs memory and buys no speed
LEAST_CELLS = 1024  # a short article and its questions; less is not worth starting with
_Q8_0 = 8.5 / 16  # bits of a value, against those of f16
_SHARE = 0.5  # of the free memory, for the cache: the rest is for the system and for what other programs take next
_FEW_CORES = 4


@dataclass(frozen=True, slots=True)
class Fit:
    """A KV cache: tokens it holds, and the type of its values."""

    cells: int
    kv: Literal["f16", "q8_0"]


def fit_cache(free_bytes: int, cell_bytes: int, context_tokens: int) -> Fit:
    """The largest cache of use that fits: first less exact values, then fewer cells, never under the least.

    `cell_bytes` is what a token takes in f16, `context_tokens` the most that the model was trained on.
    """
    wanted = min(MOST_CELLS, context_tokens)
    room = int(free_bytes * _SHARE)
    if wanted * cell_bytes <= room:
        return Fit(wanted, "f16")
    fitting = int(room / (cell_bytes * _Q8_0)) // 256 * 256
    return Fit(max(min(wanted, fitting), min(LEAST_CELLS, wanted)), "q8_0")


def plain_for(built_for: str) -> Literal["bf16", "f16"] | None:
    """Numbers of 16 bits that llama.cpp multiplies faster than what it has no kernel of its own for: on x86, where
    that was measured, and with its faster products only. `built_for` is how it describes itself.
    """
    parts = (part.split(":")[-1].partition("=") for part in built_for.split("|"))  # "CPU : AVX = 1 | AVX2 = 1 | "
    has = {name.strip() for name, _, value in parts if value.strip() == "1"}
    if not {"LLAMAFILE", "AVX2", "F16C", "FMA"} <= has:
        return None
    return "bf16" if "AVX512_BF16" in has else "f16"


def threads_for(machine: Machine) -> int:
    """Threads that llama.cpp computes with: whole cores, and fast ones only where there are two kinds.

    A second thread on a core brings little and waits at every barrier; where there are few cores, little counts.
    """
    return max(1, machine.cores if machine.cores <= _FEW_CORES else machine.fast)
