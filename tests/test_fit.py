"""What is taken of the machine: never more than it has, never less than is of use."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localsum.engine import fit, machine
from localsum.engine.fit import LEAST_CELLS, MOST_CELLS, fit_cache

GIB = 1 << 30


@given(st.integers(-GIB, 64 * GIB), st.integers(1, 1 << 20), st.integers(256, 1 << 18))
def test_the_cache_fits_or_is_the_least(free: int, cell_bytes: int, context: int) -> None:
    found = fit_cache(free, cell_bytes, context)
    assert 0 < found.cells <= min(MOST_CELLS, context)
    size = found.cells * cell_bytes * (1 if found.kv == "f16" else 8.5 / 16)
    assert size <= max(0, free) / 2 + cell_bytes or found.cells == min(LEAST_CELLS, context)


def test_less_exact_values_come_before_a_smaller_cache() -> None:
    cell = 16 * 1024
    whole = MOST_CELLS * cell
    assert fit_cache(2 * whole, cell, 32768) == fit.Fit(8192, "f16")
    assert fit_cache(2 * whole - 2, cell, 32768) == fit.Fit(8192, "q8_0")
    assert fit_cache(whole // 2, cell, 32768) == fit.Fit(3840, "q8_0")
    assert fit_cache(0, cell, 32768) == fit.Fit(1024, "q8_0")
    assert fit_cache(64 * GIB, cell, 512) == fit.Fit(512, "f16")


FILES = {
    "/proc/meminfo": "MemTotal:  16000 kB\nMemFree: 10 kB\nMemAvailable:    8000 kB\n",
    "/sys/fs/cgroup/memory.max": "3000000\n",
    "/sys/fs/cgroup/memory.current": "1000000\n",
    "/sys/fs/cgroup/cpu.max": "150000 100000\n",
}


@pytest.mark.parametrize(
    ("files", "free"),
    [
        (FILES, 2_000_000),
        (FILES | {"/sys/fs/cgroup/memory.max": "max\n"}, 8_192_000),
        ({"/proc/meminfo": FILES["/proc/meminfo"]}, 8_192_000),
    ],
)
def test_a_container_has_its_own_limit(files: dict[str, str], free: int, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(files, monkeypatch)
    assert machine.free_bytes() == free


@pytest.mark.parametrize(("quota", "cores"), [("150000 100000", 2), ("50000 100000", 1), ("max 100000", 8)])
def test_a_container_may_have_a_part_of_the_cores(quota: str, cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend({"/sys/fs/cgroup/cpu.max": quota}, monkeypatch)
    monkeypatch.setattr("os.sched_getaffinity", lambda _pid: set(range(8)), raising=False)
    assert machine.usable_cores() == cores


def test_a_system_that_tells_nothing_is_taken_for_a_small_one(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend({}, monkeypatch)
    monkeypatch.delattr("os.sysconf", raising=False)
    assert machine.free_bytes() == 4 * GIB
    monkeypatch.delattr("os.sched_getaffinity", raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: None)
    assert machine.usable_cores() == 1


def pretend(files: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    def read_text(path: Path, encoding: str) -> str:
        if path.as_posix() not in files:
            raise FileNotFoundError(path)
        return files[path.as_posix()]

    monkeypatch.setattr(Path, "read_text", read_text)
