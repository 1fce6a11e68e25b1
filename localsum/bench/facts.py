"""What a report says of where it was measured: software, machine, model; and what disturbed the measuring.

psutil knows how each system tells of memory, battery and heat. What a system does not tell is None.
"""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from localsum import __version__
from localsum.bench.report import Value
from localsum.engine.machine import this_machine
from localsum.gguf import read_header
from localsum.models import Model
from localsum.models.sizes import tensor_types

_CPU_INFO = Path("/proc/cpuinfo")
_CPU = Path("/sys/devices/system/cpu")
# Of what processors call their abilities, those that matrices of small numbers are made with.
_INSTRUCTIONS = (
    *("avx", "avx2", "fma", "f16c", "avx_vnni", "avx512f", "avx512bw", "avx512vbmi", "avx512_vnni", "avx512_bf16"),
    *("amx_tile", "amx_int8", "amx_bf16", "asimd", "asimddp", "i8mm", "bf16", "sve", "sve2", "sme"),
)
HOT_C = 90.0


def software(build: str, library: str | None) -> dict[str, Value]:
    """`build` and `library`: what llama.cpp says of itself."""
    return {
        "localsum": __version__,
        "python": platform.python_version(),
        "llama_cpp_python": _version("llama_cpp_python"),
        "llama_cpp": library,
        "llguidance": _version("llguidance"),
        "numpy": _version("numpy"),
        "build": build[:2000],
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def machine() -> dict[str, Value]:
    """As it is now; `others_share` is filled in by `run.Bench.report`."""
    here = this_machine()
    name, flags = _processor()
    load = None
    with suppress(OSError, AttributeError):
        load = round(os.getloadavg()[0], 2)
    return {
        "system": here.system,
        "os": _os_name(),
        "arch": here.arch,
        "cpu": name,
        "instructions": flags,
        "cores": here.cores,
        "physical": here.physical,
        "fast": here.fast,
        "memory_bytes": here.memory,
        "free_bytes": here.free,
        "power": _power(),
        "load_before": load,
        "others_share": None,
        "hottest_c": hottest_c(),
    }


def model(found: Model, tokens: Sequence[Sequence[int]]) -> dict[str, Value]:
    """`tokens`: of the articles, as this model splits them. Raises ModelError for a file without a header."""
    header = read_header(found.path)
    kinds = tensor_types(header)
    total = sum(size for _, size in kinds.values()) or 1
    return {
        "name": found.name[:200],
        "sha256": found.sha256,
        "bytes": found.bytes,
        "architecture": header.architecture[:200],
        "quantization": ", ".join(f"{kind} {100 * size / total:.0f} %" for kind, (_, size) in kinds.items() if size),
        "vocabulary": header.array_lengths.get("tokenizer.ggml.tokens", 0),
        "trained_context": header.context_length,
        "slim_of": _short(header.text("localsum.slim.source")),
        "slim_of_sha256": _short(header.text("localsum.slim.source_sha256")),
        "tokens_sha256": hashlib.sha256(repr([list(each) for each in tokens]).encode()).hexdigest(),
    }


def _short(text: str | None) -> str | None:
    return text[:200] if text else None


def _processor() -> tuple[str | None, str | None]:
    """Name and abilities."""
    if sys.platform == "win32":
        import winreg

        with suppress(OSError):
            place = r"HARDWARE\DESCRIPTION\System\CentralProcessor\0"
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, place) as key:
                return str(winreg.QueryValueEx(key, "ProcessorNameString")[0]).strip(), None
        return None, None
    if sys.platform == "darwin":
        return _sysctl_text("machdep.cpu.brand_string"), None
    said: dict[str, str] = {}
    with suppress(OSError):
        for line in _CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines():
            key, _, value = line.partition(":")
            said.setdefault(key.strip().lower(), value.strip())
    flags = set((said.get("flags") or said.get("features") or "").split())
    name = said.get("model name") or said.get("hardware") or said.get("cpu model")
    return (name or None), " ".join(each for each in _INSTRUCTIONS if each in flags) or None


def _sysctl_text(name: str) -> str | None:
    import ctypes

    buffer = ctypes.create_string_buffer(256)
    size = ctypes.c_size_t(256)
    try:
        failed = ctypes.CDLL(None).sysctlbyname(name.encode(), buffer, ctypes.byref(size), None, 0)
    except (OSError, AttributeError, TypeError):
        return None
    return None if failed else buffer.value.decode("utf-8", "replace") or None


def _os_name() -> str:
    if sys.platform == "linux":
        with suppress(OSError):
            return platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")[:200]
    if sys.platform == "darwin":
        return f"macOS {platform.mac_ver()[0]}"
    return f"{platform.system()} {platform.release()}"


def _power() -> str | None:
    """mains or battery; None where the system does not tell."""
    try:
        battery = psutil.sensors_battery()
    except (AttributeError, OSError, RuntimeError):
        return None
    if battery is not None and battery.power_plugged is not None:
        return "mains" if battery.power_plugged else "battery"
    return None


def hottest_c() -> float | None:
    """The hottest sensor, degrees Celsius."""
    try:
        rows = [each for sensors in psutil.sensors_temperatures().values() for each in sensors]
    except (AttributeError, OSError, RuntimeError):  # Linux alone has it
        return None
    return max((float(row.current) for row in rows if row.current), default=None)


# Memory of this process


def rss_bytes() -> int:
    return int(psutil.Process().memory_info().rss)


def peak_rss_bytes() -> int | None:
    """The most so far, or since `forget_peak` where that is possible."""
    with suppress(OSError, StopIteration, ValueError):
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak) * (1 if sys.platform == "darwin" else 1024)


def forget_peak() -> None:
    """Count the most memory from now on; Linux alone can."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


# What disturbs


def watch_others() -> Callable[[], float | None]:
    """Begins to watch; the function that is returned gives the share of all processor time that others took since."""
    busy_before, all_before, mine_before = _times()

    def share() -> float | None:
        busy, total, mine = (
            now - then for now, then in zip(_times(), (busy_before, all_before, mine_before), strict=True)
        )
        return min(1.0, max(0.0, (busy - mine) / total)) if total > 0 else None

    return share


def _times() -> tuple[float, float, float]:
    """Seconds: busy, all, and those of this process; the first two of all cores."""
    system, process = psutil.cpu_times(), psutil.Process().cpu_times()
    counted = sum(system) - getattr(system, "guest", 0.0) - getattr(system, "guest_nice", 0.0)  # are in user as well
    idle = system.idle + getattr(system, "iowait", 0.0)
    return counted - idle, counted, process.user + process.system


def throttled() -> int:
    """How often cores were slowed down for heat since the system started; 0 where it does not count."""
    total = 0
    for path in _CPU.glob("cpu[0-9]*/thermal_throttle/core_throttle_count"):
        with suppress(OSError, ValueError):
            total += int(path.read_text(encoding="ascii"))
    return total
