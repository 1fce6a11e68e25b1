"""What this machine's processor really executes, and the CMake arguments that follow from it.

A compiler's -march=native believes CPUID. Some hypervisors report extensions (AMX above all) that they do not enable,
and a program that uses them dies with SIGILL. So `probe` executes each extension once, in a child process; `choose` is
a pure function of what was found. Standard library only. Builds and installs nothing.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

PROBE = Path(__file__).resolve().parent / "probe.c"

# x86 extensions that llama.cpp asks for by name or that a compiler uses by itself in its loops. The spelling is that of
# -mNAME; __NAME__ is the macro; PROBE_NAME is the program in probe.c ("-" and "." become "_").
AVX512_CORE = ("avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl")
AMX = ("amx-tile", "amx-int8", "amx-bf16")
EXTENSIONS = (
    *("sse4.2", "avx", "avx2", "fma", "f16c", "bmi", "bmi2", "gfni", "avxvnni", "avxvnniint8"),
    *AVX512_CORE,
    *("avx512vnni", "avx512vbmi", "avx512vbmi2", "avx512ifma", "avx512bitalg", "avx512vpopcntdq"),
    *("avx512bf16", "avx512fp16"),
    *AMX,
)
# llama.cpp's options where the build is not native, and the extensions that each takes for granted.
OPTIONS = {
    "GGML_SSE42": ("sse4.2",),
    "GGML_AVX": ("avx",),
    "GGML_AVX2": ("avx2",),
    "GGML_FMA": ("fma",),
    "GGML_F16C": ("f16c",),
    "GGML_BMI2": ("bmi2",),
    "GGML_AVX_VNNI": ("avxvnni",),
    "GGML_AVX512": AVX512_CORE,
    "GGML_AVX512_VBMI": (*AVX512_CORE, "avx512vbmi"),
    "GGML_AVX512_VNNI": (*AVX512_CORE, "avx512vnni"),
    "GGML_AVX512_BF16": (*AVX512_CORE, "avx512bf16"),
    "GGML_AMX_TILE": ("amx-tile",),
    "GGML_AMX_INT8": ("amx-tile", "amx-int8"),
    "GGML_AMX_BF16": ("amx-tile", "amx-bf16"),
}
CAUTIOUS = frozenset(("sse4.2", "avx", "avx2", "fma", "f16c", "bmi2"))


class SetupError(Exception):
    """What went wrong, and in `hint` what to type next."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True)
class Machine:
    """What the probes found. The sets hold names of EXTENSIONS and are empty on other processors than x86."""

    system: str  # "Linux", "Darwin" or "Windows"
    arch: str  # "x86_64", "arm64" or what platform.machine() says
    compiler: str | None  # first line of cc --version; None: no working C and C++ compiler
    installer: str = ""  # the command that would install one
    native: frozenset[str] = frozenset()  # what the compiler's -march=native turns on
    runs: frozenset[str] = frozenset()  # what executes on this machine
    off: frozenset[str] = frozenset()  # of native, not in runs: what -mno-NAME really turns off
    fingerprint: str = ""  # hash of all macros of the native build, to tell CPUs apart


@dataclass(frozen=True)
class Choice:
    cmake_args: tuple[str, ...]
    line: str  # for the user


def choose(machine: Machine) -> Choice:
    """The CMake arguments for a machine: native, less what does not execute. Raises SetupError without a compiler."""
    if machine.compiler is None:
        raise SetupError(
            "llama.cpp has to be compiled for this machine, and no working C and C++ compiler was found.",
            f"{machine.installer}\nThen run the same command again. Without a compiler: docs/install.md, "
            "'A published wheel'.",
        )
    if machine.arch != "x86_64":
        if (machine.system, machine.arch) == ("Darwin", "arm64"):
            return Choice(("-DGGML_NATIVE=ON", "-DGGML_METAL=ON"), "Apple Silicon: native, with Metal")
        return Choice(("-DGGML_NATIVE=ON",), f"{machine.arch}: native, llama.cpp's own build tests the extensions")
    broken = [name for name in EXTENSIONS if name in machine.native - machine.runs]
    left_out = f"; left out, reported but not executing here: {', '.join(broken)}" if broken else ""
    if not machine.native or not machine.off.issuperset(broken):
        return Choice(
            _explicit(machine.runs), f"x86-64: not native, {_level(machine.runs)}, by what executes{left_out}"
        )
    args = ["-DGGML_NATIVE=ON"]
    if broken:
        flags = " ".join(f"-mno-{name}" for name in broken)
        args += [f"-DCMAKE_C_FLAGS={flags}", f"-DCMAKE_CXX_FLAGS={flags}"]
    return Choice(tuple(args), f"x86-64: native, {_level(machine.native & machine.runs)}{left_out}")


def cautious(machine: Machine) -> Choice:
    """The build to fall back on: at most AVX2, nothing native."""
    if machine.arch != "x86_64":
        return Choice(("-DGGML_NATIVE=OFF",), f"{machine.arch}: not native, the processor family's baseline")
    runs = machine.runs & CAUTIOUS
    return Choice(_explicit(runs), f"x86-64: not native, {_level(runs)}")


def _explicit(runs: frozenset[str]) -> tuple[str, ...]:
    state = {option: runs.issuperset(needs) for option, needs in OPTIONS.items()}
    return ("-DGGML_NATIVE=OFF", *(f"-D{option}={'ON' if on else 'OFF'}" for option, on in state.items()))


def _level(names: frozenset[str]) -> str:
    if names.issuperset(AVX512_CORE):
        return "with AVX-512 and AMX" if names.issuperset(("amx-tile", "amx-int8")) else "with AVX-512"
    return next((f"with {name.upper()}" for name in ("avx2", "avx", "sse4.2") if name in names), "baseline")


def native_extensions(macros: str) -> frozenset[str]:
    """The EXTENSIONS that a compiler's macro dump (-dM -E) shows as enabled."""
    defined = set(re.findall(r"^#define (\w+)", macros, re.MULTILINE))
    return frozenset(name for name in EXTENSIONS if f"__{_identifier(name).upper()}__" in defined)


def _identifier(name: str) -> str:
    return name.replace("-", "_").replace(".", "_")


def probe() -> Machine:
    """Finds the compiler and executes each extension in a child process; takes about a second."""
    system = platform.system()
    arch = {"amd64": "x86_64", "aarch64": "arm64"}.get(platform.machine().lower(), platform.machine().lower())
    # In the environment's own folder if possible: a system's temporary folder may forbid execution.
    with tempfile.TemporaryDirectory(dir=sys.prefix if os.access(sys.prefix, os.W_OK) else None) as name:
        folder = Path(name)
        cc, cxx = compilers()
        if not (_works([*cc, "-x", "c"], folder) and _works([*cxx, "-x", "c++"], folder)):
            return Machine(system, arch, None, _installer(system))
        compiler = (_output([*cc, "--version"]).splitlines() or [" ".join(cc)])[0].strip()
        native = "-march=native" if arch == "x86_64" else "-mcpu=native"
        macros = _macros(cc, [native])
        fingerprint = hashlib.sha256(macros.encode()).hexdigest()
        if arch != "x86_64":
            return Machine(system, arch, compiler, fingerprint=fingerprint)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            results = pool.map(lambda name: executes(cc, name, folder), EXTENSIONS)
            runs = frozenset(name for name, works in zip(EXTENSIONS, results, strict=True) if works)
    enabled = native_extensions(macros)
    off = {name for name in enabled - runs if name not in _enabled(cc, [f"-mno-{name}", native], macros)}
    return Machine(system, arch, compiler, "", enabled, runs, frozenset(off), fingerprint)


def compilers() -> tuple[list[str], list[str]]:
    """The C and the C++ compiler that CMake is told to use: CC and CXX, else the first of the usual names."""
    found = []
    for variable, names in (("CC", ("cc", "gcc", "clang")), ("CXX", ("c++", "g++", "clang++"))):
        usual = next((name for name in names if shutil.which(name)), names[0])
        found.append(shlex.split(os.environ.get(variable, "")) or [usual])
    return found[0], found[1]


def executes(cc: Sequence[str], extension: str, folder: Path) -> bool:
    """Whether one instruction of the extension can be assembled and does not kill the process that executes it."""
    program = folder / _identifier(extension)
    macro = f"-DPROBE_{_identifier(extension)}"
    return _ends_well([*cc, macro, str(PROBE), "-o", str(program)]) and _ends_well([str(program)])


def _works(compile_command: Sequence[str], folder: Path) -> bool:
    """Whether a program that uses the language's library compiles, links and runs."""
    header, program = "vector" if "c++" in compile_command else "stdio.h", folder / "hello"
    source = f"#include <{header}>\nint main(void) {{ return 0; }}\n"
    return _ends_well([*compile_command, "-", "-o", str(program)], source) and _ends_well([str(program)])


def _ends_well(command: Sequence[str], text: str = "") -> bool:
    try:
        return subprocess.run(command, input=text, text=True, capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _output(command: Sequence[str]) -> str:
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, text=True, capture_output=True, timeout=60).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


def _macros(cc: Sequence[str], flags: Sequence[str]) -> str:
    return _output([*cc, *flags, "-dM", "-E", "-x", "c", os.devnull])


def _enabled(cc: Sequence[str], flags: Sequence[str], otherwise: str) -> frozenset[str]:
    """What the compiler turns on with these flags; if it rejects them, what the other macros say."""
    return native_extensions(_macros(cc, flags) or otherwise)


def _installer(system: str) -> str:
    if system == "Darwin":
        return "xcode-select --install"
    for tool, command in (
        ("apt-get", "sudo apt-get install gcc g++ cmake"),
        ("dnf", "sudo dnf install gcc gcc-c++ cmake"),
        ("zypper", "sudo zypper install gcc gcc-c++ cmake"),
        ("pacman", "sudo pacman -S gcc cmake"),
        ("apk", "sudo apk add build-base cmake linux-headers"),
    ):
        if shutil.which(tool):
            return command
    return "Install a C and C++ compiler (gcc with g++, or clang) and cmake."
