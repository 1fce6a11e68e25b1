"""Which model suits a machine: the best that fits its memory and is fast enough. Pure functions of rows and a machine.

Which model writes best is not measured for each; the registry's figure for memory stands for it, and instruct models
stand before base models. Speeds are estimates from a few machines (DECISIONS.md) unless a model was tried here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from localsum.engine.fit import threads_for
from localsum.engine.machine import Machine
from localsum.models.rows import RegistryEntry

ARTICLE_TOKENS = 1500  # of a thousand words, to be read once
LONGEST_READ_S = 30.0  # nobody waits longer for one article
# Of the memory built in: the rest is the system's and the browser's. Metal gives a program about two thirds.
_SHARE = 0.7
# Tokens read per second times GB of the file, for each thread; of Metal for each fast core, since its GPUs grow with
# them. x86 is measured, the others follow figures of others for llama.cpp (DECISIONS.md), on the careful side.
_CPU_PACE = {"x86_64": 60.0, "AMD64": 60.0, "arm64": 40.0}
_OTHER_PACE = 10.0  # small ARM cores, as of a Raspberry Pi 5
_METAL_PACE = 80.0


@dataclass(frozen=True)
class Advice:
    """One model on one machine. `read_s` is an estimate for an article of a thousand words."""

    entry: RegistryEntry
    read_s: float
    is_measured: bool
    why_not: str  # "" if it suits


def pace_of(machine: Machine) -> float:
    """Tokens read per second times GB of the model file, expected of a machine."""
    if machine.is_apple:
        return _METAL_PACE * machine.fast
    return _CPU_PACE.get(machine.arch, _OTHER_PACE) * threads_for(machine)


def advise(rows: Sequence[RegistryEntry], machine: Machine, read_tokens_s: dict[str, float]) -> list[Advice]:
    """Each row that says its size, the best first, those that do not suit last. `read_tokens_s`: measured, by SHA-256.

    A file that was tried here tells how fast others are: what it read times its size is the machine's pace.
    """
    known = [row for row in rows if row.bytes]
    measured = [read_tokens_s[row.sha256] * row.bytes / 1e9 for row in known if row.sha256 in read_tokens_s]
    pace = min(measured, default=pace_of(machine))
    room_gb = machine.memory * _SHARE / 1e9
    found = []
    for row in known:
        tokens_s = read_tokens_s.get(row.sha256, pace / (row.bytes / 1e9))
        read_s = ARTICLE_TOKENS / max(tokens_s, 1e-9)
        why_not = ""
        if row.ram_gb > room_gb:
            why_not = f"needs {row.ram_gb:.1f} GB of memory, {room_gb:.1f} can be spared"
        elif read_s > LONGEST_READ_S:
            why_not = f"about {read_s:.0f} s to read an article"
        found.append(Advice(row, read_s, row.sha256 in read_tokens_s, why_not))
    # Python's sort is stable: of two that need the same, the registry's first stays first.
    return sorted(found, key=lambda one: (bool(one.why_not), one.entry.role != "instruct", -one.entry.ram_gb))
