"""The set-up: what is built for which machine, what the probes find here, and when nothing is compiled."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import machine  # noqa: E402
import setup_engine  # noqa: E402
from machine import AMX, AVX512_CORE, EXTENSIONS, OPTIONS, Choice, Machine, SetupError, cautious, choose  # noqa: E402

ALL = frozenset(EXTENSIONS)
AVX2 = frozenset(("sse4.2", "avx", "avx2", "fma", "f16c", "bmi", "bmi2"))
AVX512 = AVX2 | {*AVX512_CORE, "avx512vnni"}
GCC = "gcc 12.2.0"


@pytest.fixture(scope="module")
def here() -> Machine:
    """What the probes find on the machine that runs the tests."""
    found = machine.probe()
    if found.compiler is None or found.arch != "x86_64":
        pytest.skip("needs a C and C++ compiler on x86-64")
    return found


def x86(native: frozenset[str], runs: frozenset[str], off: frozenset[str] = ALL) -> Machine:
    return Machine("Linux", "x86_64", GCC, native=native, runs=runs, off=off)


def flags(*names: str) -> list[str]:
    joined = " ".join(f"-mno-{name}" for name in names)
    return [f"-DCMAKE_C_FLAGS={joined}", f"-DCMAKE_CXX_FLAGS={joined}"]


def c_flags(choice: Choice) -> list[str]:
    option = "-DCMAKE_C_FLAGS="
    return [flag for each in choice.cmake_args if each.startswith(option) for flag in each[len(option) :].split()]


@pytest.mark.parametrize(
    ("found", "arguments", "says"),
    [
        pytest.param(x86(ALL, ALL), [], "AVX-512 and AMX", id="all works"),
        pytest.param(x86(AVX512 | set(AMX), AVX512), flags(*AMX), "AVX-512; left out", id="AMX reported, not enabled"),
        pytest.param(x86(AVX512, AVX512), [], "native, with AVX-512", id="AVX-512"),
        pytest.param(x86(AVX512, AVX2), flags(*AVX512_CORE, "avx512vnni"), "with AVX2; left out", id="AVX-512 broken"),
        pytest.param(x86(AVX2, AVX2 | set(AMX)), [], "native, with AVX2", id="the compiler does not know of AMX"),
        pytest.param(x86(frozenset({"avx"}), frozenset({"avx"})), [], "native, with AVX", id="old processor"),
        pytest.param(Machine("Linux", "arm64", GCC), [], "arm64: native", id="arm64 Linux"),
        pytest.param(Machine("Linux", "riscv64", GCC), [], "riscv64: native", id="another processor"),
        pytest.param(Machine("Darwin", "arm64", "Apple clang"), ["-DGGML_METAL=ON"], "with Metal", id="Apple Silicon"),
    ],
)
def test_native_less_what_does_not_execute(found: Machine, arguments: list[str], says: str) -> None:
    choice = choose(found)
    assert list(choice.cmake_args) == ["-DGGML_NATIVE=ON", *arguments]
    assert says in choice.line
    assert "\n" not in choice.line


@pytest.mark.parametrize(
    ("found", "on"),
    [
        pytest.param(
            x86(AVX512 | set(AMX), AVX512, off=frozenset()),
            {"SSE42", "AVX", "AVX2", "FMA", "F16C", "BMI2", "AVX512", "AVX512_VNNI"},
            id="the compiler has no switch for it",
        ),
        pytest.param(
            x86(frozenset(), AVX2), {"SSE42", "AVX", "AVX2", "FMA", "F16C", "BMI2"}, id="the compiler knows no native"
        ),
        pytest.param(x86(frozenset(), frozenset()), set(), id="nothing executes"),
    ],
)
def test_named_extensions_where_native_cannot_be_tamed(found: Machine, on: set[str]) -> None:
    arguments = choose(found).cmake_args
    assert "-DGGML_NATIVE=OFF" in arguments
    assert {option for option in OPTIONS if f"-D{option}=ON" in arguments} == {f"GGML_{name}" for name in on}
    assert {option for option in OPTIONS if f"-D{option}=OFF" in arguments} == OPTIONS.keys() - {
        f"GGML_{name}" for name in on
    }


@given(*[st.frozensets(st.sampled_from(EXTENSIONS))] * 3)
def test_nothing_that_does_not_execute_is_built_in(
    native: frozenset[str], runs: frozenset[str], off: frozenset[str]
) -> None:
    found = x86(native, runs, off)
    for choice in (choose(found), cautious(found)):
        if "-DGGML_NATIVE=ON" in choice.cmake_args:
            switched_off = {flag.removeprefix("-mno-") for flag in c_flags(choice)}
            assert native - switched_off <= runs
            assert switched_off <= native - runs
        else:
            for option, needs in OPTIONS.items():
                assert f"-D{option}=ON" not in choice.cmake_args or runs.issuperset(needs)


@pytest.mark.parametrize("found", [x86(ALL, ALL), Machine("Linux", "arm64", GCC), Machine("Darwin", "arm64", "clang")])
def test_the_cautious_build_is_another_one_and_not_native(found: Machine) -> None:
    assert "-DGGML_NATIVE=OFF" in cautious(found).cmake_args
    assert not any("AVX512" in argument and "=ON" in argument for argument in cautious(found).cmake_args)


@pytest.mark.parametrize("system", ["Linux", "Darwin"])
def test_without_a_compiler_the_error_names_what_to_install(system: str) -> None:
    with pytest.raises(SetupError, match="no working C and C") as caught:
        choose(Machine(system, "arm64", None, "do-install a-compiler"))
    assert "do-install a-compiler" in caught.value.hint
    assert "docs/install.md" in caught.value.hint


def test_a_compiler_that_cannot_compile_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "false")
    assert machine.probe().compiler is None
    monkeypatch.setenv("CC", "no-such-compiler")
    assert machine.probe().compiler is None


def test_macros_name_the_extensions() -> None:
    dump = "#define __SSE4_2__ 1\n#define __AVX512VNNI__ 1\n#define __AMX_INT8__ 1\n#define X __AVX2__\n"
    assert machine.native_extensions(dump) == {"sse4.2", "avx512vnni", "amx-int8"}


def test_every_extension_has_a_program_of_its_own(here: Machine) -> None:
    # One that probe.c does not know would compile to the empty program, and so always "run".
    cc, _ = machine.compilers()
    empty = subprocess.run([*cc, "-S", "-o", "-", str(machine.PROBE)], capture_output=True, check=True).stdout
    for name in EXTENSIONS:
        macro = f"-DPROBE_{name.replace('-', '_').replace('.', '_')}"
        assembly = subprocess.run([*cc, macro, "-S", "-o", "-", str(machine.PROBE)], capture_output=True, check=True)
        assert assembly.stdout != empty, name


def test_the_probe_agrees_with_a_kernel_that_lists_what_it_enabled(here: Machine) -> None:
    listing = Path("/proc/cpuinfo")
    if not listing.exists():
        pytest.skip("no /proc/cpuinfo")
    kernel = set(listing.read_text().split())
    spelled = {"sse4.2": "sse4_2", "avx512vnni": "avx512_vnni", "avx512vbmi2": "avx512_vbmi2", "avxvnni": "avx_vnni"}
    for name in ("sse4.2", "avx", "avx2", "fma", "f16c", "bmi2", *AVX512_CORE, "avx512vnni", "avx512vbmi2", "avxvnni"):
        if spelled.get(name, name) not in kernel:
            assert name not in here.runs or name in ("avx512vbmi2", "avxvnni"), (
                name
            )  # older kernels do not list these two
        else:
            assert name in here.runs, name


def test_a_compiler_that_believes_in_more_is_held_to_what_executes(
    here: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cc, _ = machine.compilers()
    liar = tmp_path / "cc"
    liar.write_text(
        '#!/bin/sh\nfor a; do shift; [ "$a" = -march=native ] && a=-march=sapphirerapids; set -- "$@" "$a"; done\n'
        f'exec {" ".join(cc)} "$@"\n'
    )
    liar.chmod(0o755)
    monkeypatch.setenv("CC", str(liar))
    found = machine.probe()
    if "amx-int8" not in found.native:
        pytest.skip("this compiler does not know a processor with AMX")
    broken = found.native - found.runs
    assert broken <= found.off  # it has a switch for each
    assert found.runs == here.runs
    command = [str(liar), *c_flags(choose(found)), "-march=native", "-dM", "-E", "-x", "c"]
    dump = subprocess.run([*command, os.devnull], capture_output=True, text=True, check=True).stdout
    left = machine.native_extensions(dump)
    assert not left & broken
    assert left <= found.runs


def outcomes(monkeypatch: pytest.MonkeyPatch, *results: setup_engine.Outcome) -> list[Choice]:
    """Lets self-checks end so, one after the other; returns the list of what gets installed meanwhile."""
    installed: list[Choice] = []
    left = list(results)
    monkeypatch.setattr(setup_engine, "self_check", lambda decode=False: left.pop(0))
    monkeypatch.setattr(setup_engine, "install", lambda machine, choice, key: installed.append(choice))
    monkeypatch.setattr(setup_engine, "probe", lambda: x86(AVX512, AVX512))
    return installed


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "record.json"
    monkeypatch.setattr(setup_engine, "RECORD", path)
    monkeypatch.delenv("CMAKE_ARGS", raising=False)
    return path


ABSENT = setup_engine.Outcome(1, "ModuleNotFoundError: No module named 'llama_cpp'")
WELL = setup_engine.Outcome(0, f"version {setup_engine.VERSION}\ndecoded")
KILLED = setup_engine.Outcome(-4, f"version {setup_engine.VERSION}")


def test_a_build_that_dies_is_replaced_by_the_cautious_one(
    record: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    installed = outcomes(monkeypatch, ABSENT, KILLED, WELL)
    assert setup_engine.main([]) == 0
    best, fallback = setup_engine.wanted()[1]
    assert installed == [best, fallback]
    assert "dies with SIGILL" in capsys.readouterr().err


def test_a_build_that_dies_at_the_first_words_too(record: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record.write_text(json.dumps({"version": setup_engine.VERSION, "key": "k"}))
    installed = outcomes(monkeypatch, KILLED, WELL)
    assert setup_engine.main(["--check"]) == 0
    assert installed == [cautious(x86(AVX512, AVX512))]


def test_two_deaths_are_an_error_with_a_way_out(
    record: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    outcomes(monkeypatch, ABSENT, KILLED, KILLED)
    assert setup_engine.main([]) == 1
    error = capsys.readouterr().err
    assert "dies with SIGILL on this machine" in error
    assert "docs/install.md" in error


def test_a_wheel_of_the_user_stays(
    record: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert outcomes(monkeypatch, replace(WELL, output="version 0.3.99")) == []
    assert setup_engine.main([]) == 0
    assert "0.3.99 is installed and stays" in capsys.readouterr().err


def test_a_wheel_older_than_the_project_allows_does_not_stay(record: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = outcomes(monkeypatch, replace(WELL, output="version 0.2.9"), WELL)
    assert setup_engine.main([]) == 0
    assert installed == [choose(x86(AVX512, AVX512))]


def test_a_build_of_ours_stays_while_flags_and_machine_are_the_same(
    record: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = x86(AVX512, AVX512)
    key = setup_engine.key_of(found, choose(found))
    record.write_text(json.dumps({"version": setup_engine.VERSION, "key": key, "line": "as before"}))
    assert outcomes(monkeypatch, WELL) == []
    assert setup_engine.main([]) == 0
    monkeypatch.setenv("CMAKE_ARGS", "-DGGML_OPENMP=OFF")
    installed = outcomes(monkeypatch, WELL, WELL)
    assert setup_engine.main([]) == 0
    assert [choice.cmake_args for choice in installed] == [("-DGGML_NATIVE=ON", "-DGGML_OPENMP=OFF")]


@pytest.mark.parametrize("broken", ["", "{", "[]"])
def test_a_damaged_record_counts_as_none(record: Path, broken: str) -> None:
    record.write_text(broken)
    assert setup_engine.recorded() == {}


def test_builds_that_differ_have_different_keys() -> None:
    one = x86(AVX512, AVX512)
    machines = [one, replace(one, compiler="gcc 13"), replace(one, fingerprint="another processor")]
    keys = {setup_engine.key_of(each, choice) for each in machines for choice in (choose(one), cautious(one))}
    assert len(keys) == 6


def test_a_kept_wheel_is_used_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup_engine, "kept_wheels", lambda: tmp_path)
    built: list[Choice] = []

    def build(choice: Choice, folder: Path) -> Path:
        built.append(choice)
        wheel = folder / "llama_cpp_python-1-py3-none-any.whl"
        wheel.write_bytes(b"wheel")
        return wheel

    monkeypatch.setattr(setup_engine, "build", build)
    one = x86(AVX512, AVX512)
    first = setup_engine.get_wheel(one, choose(one))
    assert setup_engine.get_wheel(one, choose(one)) == first
    assert setup_engine.get_wheel(one, cautious(one)) != first
    assert built == [choose(one), cautious(one)]


def test_the_self_check_tells_signals_from_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup_engine, "SELF_CHECK", "print('version 1.2.3'); import os; os.kill(os.getpid(), 4)")
    if os.name == "posix":
        assert setup_engine.self_check().signal == "SIGILL"
        assert setup_engine.self_check().version == ""
    monkeypatch.setattr(setup_engine, "SELF_CHECK", "print('version 1.2.3'); 1 / 0")
    assert setup_engine.self_check().signal == ""
    assert setup_engine.self_check().version == ""
    with pytest.raises(SetupError, match="ZeroDivisionError"):
        setup_engine.demand(setup_engine.self_check())
    monkeypatch.setattr(setup_engine, "SELF_CHECK", "print('version 1.2.3')")
    assert setup_engine.demand(setup_engine.self_check()) == "1.2.3"


@pytest.mark.model
def test_the_installed_engine_decodes() -> None:
    outcome = setup_engine.self_check(decode=True)
    assert outcome.version, outcome.output
    assert outcome.output.strip().endswith("\ndecoded")


def test_the_version_that_is_built_is_one_that_the_project_allows() -> None:
    assert setup_engine.numbers(setup_engine.VERSION) >= setup_engine.numbers(setup_engine.oldest())
