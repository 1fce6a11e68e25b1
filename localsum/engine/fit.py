"""What an engine may take of this machine: threads, context, the type of the KV cache. Knows no model, only sizes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

MOST_CELLS = 8192  # several articles of any usual length at once; more costs memory and buys no speed
LEAST_CELLS = 1024  # a short article and its questions; less is not worth starting with
_Q8_0 = 8.5 / 16  # bits of a value, against those of f16
_SHARE = 0.5  # of the free memory, for the cache: the rest is for the system and for what other programs take next
_UNKNOWN_BYTES = 4 << 30  # where the system does not tell


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


def free_bytes() -> int:
    """Memory that can be had without swapping; half of what is built in where the system tells no more."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        free = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
        return min([free, *_container_bytes()])
    except (OSError, ValueError, StopIteration):
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (AttributeError, OSError, ValueError):
        return _UNKNOWN_BYTES


def _container_bytes() -> list[int]:
    """What is left of a container's own limit, if it has one."""
    folder = Path("/sys/fs/cgroup")
    try:
        limit = int((folder / "memory.max").read_text(encoding="ascii"))
        return [max(0, limit - int((folder / "memory.current").read_text(encoding="ascii")))]
    except (OSError, ValueError):  # "max": no limit
        return []


def usable_cores() -> int:
    """Cores that this process may run on; a container may have a part of them only."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        return max(1, min(cores, -(-int(quota) // int(period))))
    except (OSError, ValueError):
        return cores
