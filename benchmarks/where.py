"""Where a result comes from: machine, software, commit. Results begin with it."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SPIN = {"GOMP_SPINCOUNT": "5000"}  # for processes that are compared: the same for all; localsum sets it by itself


def where() -> dict[str, Any]:
    """As JSON. `load` is how many processes wanted a core in the minute before: other work makes figures noisy."""
    from localsum.bench import facts

    machine, software = facts.machine(), facts.software("", None)
    return {
        "date": datetime.now(UTC).isoformat(timespec="minutes"),
        "commit": _git("rev-parse", "--short", "HEAD") or "unknown",
        "changed": bool(_git("status", "--porcelain", "--untracked-files=no", "--", "localsum", "prompts")),
        "cpu": machine["cpu"],
        "instructions": machine["instructions"],
        "cores": machine["cores"],
        "memory_gb": round(float(machine["memory_bytes"] or 0) / 1e9, 1),
        "os": machine["os"],
        "python": software["python"],
        "llama_cpp_python": software["llama_cpp_python"],
        "llguidance": software["llguidance"],
        "load": machine["load_before"],
    }


def megabytes(maxrss: int) -> float:
    """Of `ru_maxrss`, which is bytes on macOS and units of 1,024 bytes elsewhere."""
    return maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, timeout=20)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def peak_mb() -> float:
    """The most memory that this process had so far, MB (10^6 bytes)."""
    from localsum.bench.facts import peak_rss_bytes

    return (peak_rss_bytes() or 0) / 1e6


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median and quartiles of samples."""
    ordered = sorted(values)
    low, middle, high = statistics.quantiles(ordered, n=4, method="inclusive") if len(ordered) > 1 else ordered * 3
    return {"median": middle, "low": low, "high": high, "samples": len(ordered)}


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
