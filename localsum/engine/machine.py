"""What this machine has: cores, memory, kind of processor. Looks, and decides nothing (fit.py does)."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

_UNKNOWN_BYTES = 4 << 30  # where the system does not tell
_CPU = Path("/sys/devices/system/cpu")


@dataclass(frozen=True, slots=True)
class Machine:
    """Sizes are in bytes. `cores` may be used by this process; `physical` of them are whole cores, `fast` of these are
    the fast kind where there are two kinds, else all."""

    system: str  # "Linux", "Darwin", "Windows"
    arch: str  # "x86_64", "arm64", "aarch64"
    cores: int
    physical: int
    fast: int
    memory: int
    free: int

    @property
    def is_apple(self) -> bool:
        """Apple Silicon: a GPU that shares the memory, and llama.cpp uses it."""
        return self.system == "Darwin" and self.arch == "arm64"


def this_machine() -> Machine:
    cores = usable_cores()
    physical = min(cores, _physical_cores() or cores)
    fast = min(physical, _fast_cores() or physical)
    return Machine(platform.system(), platform.machine(), cores, physical, fast, memory_bytes(), free_bytes())


def memory_bytes() -> int:
    """All that is built in, or that a container may have."""
    if sys.platform == "win32":
        return _windows_memory()[0]
    try:
        built_in = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        built_in = _UNKNOWN_BYTES
    limit = _number(Path("/sys/fs/cgroup/memory.max"))
    return min(built_in, limit) if limit else built_in


def free_bytes() -> int:
    """Memory that can be had without swapping; half of what is built in where the system tells no more."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        free = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
        return min([free, *_container_bytes()])
    except (OSError, ValueError, StopIteration):
        pass
    if sys.platform == "win32":
        return _windows_memory()[1]
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (AttributeError, OSError, ValueError):
        return _UNKNOWN_BYTES


def usable_cores() -> int:
    """Cores that this process may run on; a container may have a part of them only."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        return max(1, min(cores, -(-int(quota) // int(period))))
    except (OSError, ValueError):
        return cores


def _container_bytes() -> list[int]:
    """What is left of a container's own limit, if it has one."""
    limit, used = (_number(Path(f"/sys/fs/cgroup/memory.{name}")) for name in ("max", "current"))
    return [max(0, limit - used)] if limit and used is not None else []


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):  # "max": no limit
        return None


def _physical_cores() -> int:
    """Whole cores, each once however many threads it runs; 0 if the system does not tell."""
    if sys.platform == "darwin":
        return _sysctl("hw.physicalcpu")
    if not hasattr(os, "sched_getaffinity"):
        return 0
    try:
        names = (_CPU / f"cpu{core}/topology/thread_siblings_list" for core in os.sched_getaffinity(0))
        return len({name.read_text(encoding="ascii") for name in names})
    except OSError:
        return 0


def _fast_cores() -> int:
    """Cores of the fast kind, on processors that have two kinds and say so; else 0."""
    if sys.platform == "darwin":
        return _sysctl("hw.perflevel0.physicalcpu")
    try:
        speeds = [int((folder / "cpu_capacity").read_text(encoding="ascii")) for folder in _CPU.glob("cpu[0-9]*")]
    except (OSError, ValueError):  # only arm64 has it
        return 0
    return sum(speed == max(speeds) for speed in speeds)


def _sysctl(name: str) -> int:
    value, size = ctypes.c_int64(0), ctypes.c_size_t(8)
    try:
        failed = ctypes.CDLL(None).sysctlbyname(name.encode(), ctypes.byref(value), ctypes.byref(size), None, 0)
    except (OSError, AttributeError, TypeError):
        return 0
    return 0 if failed else int(value.value)


def _windows_memory() -> tuple[int, int]:
    """All and free, by GlobalMemoryStatusEx."""
    status = (ctypes.c_uint64 * 8)(64)  # its first word holds the size of the structure and the load
    try:
        if ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):  # type: ignore[attr-defined,unused-ignore]
            return int(status[1]), int(status[2])
    except (OSError, AttributeError):
        pass
    return _UNKNOWN_BYTES, _UNKNOWN_BYTES // 2
