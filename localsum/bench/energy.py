"""Energy that the processor took, where the system counts it and lets us read it. Linux: RAPL in /sys/class/powercap.

macOS tells it to `powermetrics` alone, which wants a password, and localsum starts no programs; Windows not at all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_POWERCAP = Path("/sys/class/powercap")


@dataclass(frozen=True)
class Meter:
    """Counters of microjoules, one a package, that begin anew at `wraps`. `reason`: why there are none."""

    counters: tuple[Path, ...]
    wraps: tuple[int, ...]
    reason: str = ""

    def start(self) -> Callable[[], float | None]:
        """Begins to measure; the function that is returned gives the joules since, None where they cannot be had."""
        before = self._read()

        def joules() -> float | None:
            after = self._read()
            if before is None or after is None or not self.counters:
                return None
            spent = (
                now - then if now >= then else now - then + wrap
                for then, now, wrap in zip(before, after, self.wraps, strict=True)
            )
            return sum(spent) / 1e6

        return joules

    def _read(self) -> list[int] | None:
        try:
            return [_number(path) for path in self.counters]
        except (OSError, ValueError):
            return None


def find_meter(system: str, folder: Path = _POWERCAP) -> Meter:
    """The meter of this machine; `system` as `platform.system()` names it."""
    if system == "Darwin":
        return Meter((), (), "macOS tells energy to powermetrics alone, which wants a password")
    # Whole packages are named intel-rapl:0 (AMD's too); cores and memory in them intel-rapl:0:1.
    packages = [path for path in sorted(folder.glob("intel-rapl:*")) if path.name.count(":") == 1]
    if not packages:
        return Meter((), (), "this system has no counters of energy (RAPL)")
    counters = tuple(path / "energy_uj" for path in packages)
    try:
        for counter in counters:
            _number(counter)
        wraps = tuple(_number(path / "max_energy_range_uj") for path in packages)
    except PermissionError:
        return Meter((), (), f"only root may read the counters of energy: {counters[0]}")
    except (OSError, ValueError) as error:
        return Meter((), (), f"the counters of energy cannot be read: {error}"[:200])
    return Meter(counters, wraps)


def _number(path: Path) -> int:
    return int(path.read_text(encoding="ascii"))
