"""Installs llama-cpp-python into the Python that runs this file, built for this machine and shown to run on it.

    python tools/setup_engine.py              build (or take the wheel built before) and install
    python tools/setup_engine.py --wheel W    install without a compiler: W is a wheel file, or the word "wheel" for the
                                              newest wheel that pip's indexes hold
    python tools/setup_engine.py --check      decode with the embedded model; rebuild with cautious flags if that dies
    python tools/setup_engine.py --flags      print the CMAKE_ARGS for this machine and do nothing

Standard library only, Python 3.11 or newer. What the machine executes is machine.py's business; of localsum this file
knows where its embedded model is found, no more.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import re
import shlex
import signal
import subprocess
import sys
import sysconfig
import tomllib
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from machine import Choice, Machine, SetupError, cautious, choose, compilers, probe

VERSION = "0.3.36"  # of llama-cpp-python: the one this project is tested with
HERE = Path(__file__).resolve().parent
RECORD = Path(sys.prefix) / "localsum-engine.json"  # what was built for this environment
LOG = Path(sys.prefix) / "localsum-engine.log"
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")
# The bindings load libllama alone; see only_llama.cmake.
LESS_TO_BUILD = (f"-DCMAKE_PROJECT_llama_cpp_INCLUDE={HERE / 'only_llama.cmake'}", "-DLLAVA_BUILD=OFF")

SELF_CHECK = """
import sys
import llama_cpp
llama_cpp.llama_backend_init()
print("version", llama_cpp.__version__)
if "decode" in sys.argv:
    from localsum.errors import ModelError
    from localsum.models import find_model
    try:
        path = find_model("gemma-3-270m").path
    except ModelError as error:
        sys.exit(print("not decoded:", error))
    # Flash attention as localsum has it on: its kernels use extensions that nothing else does.
    llama = llama_cpp.Llama(str(path), n_ctx=512, flash_attn=True, verbose=False)
    llama.create_completion("The laboratory released the weights of its model on Monday. " * 8, max_tokens=4)
    llama.close()
    print("decoded")
"""


@dataclass(frozen=True)
class Outcome:
    """How a self-check ended."""

    code: int  # of the child process; negative: minus the signal that killed it
    output: str

    @property
    def signal(self) -> str:
        """The name of the signal, "" without one."""
        return signal.Signals(-self.code).name if self.code < 0 else ""

    @property
    def version(self) -> str:
        """The version of llama-cpp-python, "" if it cannot be used."""
        found = re.search(r"^version (\S+)$", self.output, re.MULTILINE)
        return found.group(1) if found and not self.code else ""


def self_check(decode: bool = False) -> Outcome:
    """Imports llama_cpp in a child process and, if asked and the embedded model is there, decodes with it."""
    command = [sys.executable, "-u", "-c", SELF_CHECK, *(["decode"] if decode else [])]
    try:
        child = subprocess.run(command, stdin=subprocess.DEVNULL, text=True, capture_output=True, timeout=900)
    except subprocess.TimeoutExpired:
        return Outcome(1, "no answer within 15 minutes")
    return Outcome(child.returncode, child.stderr + child.stdout)


def demand(outcome: Outcome) -> str:
    """The version if the self-check ended well; raises SetupError otherwise."""
    if outcome.version:
        return outcome.version
    raise SetupError(
        f"{outcome.output[-2000:]}\nllama-cpp-python is installed but "
        + (f"dies with {outcome.signal} on this machine." if outcome.signal else "its self-check failed."),
        "Other ways to get it: docs/install.md. To start afresh: make clean",
    )


def key_of(machine: Machine, choice: Choice) -> str:
    """Names a build: equal keys mean interchangeable wheels."""
    python = (sysconfig.get_platform(), platform.libc_ver())
    parts = (VERSION, choice.cmake_args, LESS_TO_BUILD[1:], machine.compiler, machine.fingerprint, python)
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def kept_wheels() -> Path:
    """Where built wheels are kept for this user's next checkout."""
    if sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home()))
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "localsum" / "engine"


def get_wheel(machine: Machine, choice: Choice) -> Path:
    """The wheel of a build: the kept one, else a new one, which is then kept."""
    folder = kept_wheels() / key_of(machine, choice)
    for wheel in folder.glob("*.whl"):
        say(f"nothing to compile, this was built before: {folder}")
        return wheel
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        folder = Path(sys.prefix) / "localsum-engine"
    return build(choice, folder)


def build(choice: Choice, folder: Path) -> Path:
    """Compiles llama-cpp-python's sdist into a wheel in the folder; minutes. Raises SetupError with the log's end."""
    cc, cxx = compilers()
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    environment = {
        "CMAKE_BUILD_PARALLEL_LEVEL": str(cores),
        **os.environ,
        "CC": shlex.join(cc),
        "CXX": shlex.join(cxx),
        "CMAKE_ARGS": shlex.join((*choice.cmake_args, *LESS_TO_BUILD)),
        "SKBUILD_BUILD_TARGETS": "llama",
    }
    # Without pip's cache: it knows no flags and would hand out a wheel built with others.
    source = ("--no-cache-dir", "--no-deps", "--no-binary", "llama-cpp-python", f"llama-cpp-python=={VERSION}")
    say(f"compiling llama.cpp on {cores} cores, on two about four minutes; log: {LOG}")
    tail: deque[str] = deque(maxlen=25)
    with LOG.open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            (*PIP, "wheel", "--verbose", "--wheel-dir", str(folder), *source),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
        assert process.stdout is not None
        for line in process.stdout:
            log.write(line)
            tail.append(line[:300])
            if sys.stderr.isatty() and (step := re.match(r"\s*(\[[\d/% ]+\])", line)):
                print(f"\r  {step.group(1)} ", end="\r", file=sys.stderr, flush=True)
        process.wait()
    wheel = next(folder.glob("*.whl"), None)
    if process.returncode or wheel is None:
        raise SetupError(
            f"{''.join(tail)}\nllama.cpp did not build; the whole log: {LOG}", "Other ways to get it: docs/install.md"
        )
    return wheel


def pip_install(*arguments: str) -> None:
    """Runs pip install with its output on stderr. Raises SetupError."""
    command = (*PIP, "install", "--quiet", *arguments)
    if subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr).returncode:
        raise SetupError(f"This failed, see above: {shlex.join(command)}", "All ways to install: docs/install.md")


def install(machine: Machine, choice: Choice, key: str) -> None:
    """Installs one build over whatever is there and writes the record."""
    say(choice.line)
    wheel = get_wheel(machine, choice)
    try:
        pip_install("--no-deps", "--force-reinstall", str(wheel))
        pip_install(str(wheel))  # what it depends on, where missing
    except SetupError:
        wheel.unlink(missing_ok=True)  # a damaged kept wheel must not stand in the way of the next try
        raise
    RECORD.write_text(json.dumps({"key": key, "version": VERSION, **asdict(choice)}), encoding="utf-8")


def install_first_that_runs(machine: Machine, choices: Sequence[Choice], key: str, decode: bool = False) -> Outcome:
    """Installs and checks one choice after another until one is not killed by a signal; the last one's outcome."""
    for choice in choices:
        install(machine, choice, key)
        outcome = self_check(decode)
        if not outcome.signal:
            break
        say(f"this build dies with {outcome.signal} here")
    return outcome


def wanted() -> tuple[Machine, tuple[Choice, Choice]]:
    """The machine and what to build: the best choice, then the one to fall back on.

    CMAKE_ARGS of the environment comes after our own arguments in both, and so wins.
    """
    machine, given = probe(), os.environ.get("CMAKE_ARGS", "")
    best, fallback = choose(machine), cautious(machine)
    if given:
        best, fallback = _with(best, given), _with(fallback, given)
    return machine, (best, fallback)


def _with(choice: Choice, given: str) -> Choice:
    return Choice((*choice.cmake_args, *shlex.split(given)), f"{choice.line}; then CMAKE_ARGS: {given}")


def recorded() -> Mapping[str, object]:
    """What `install` recorded; empty without a readable record."""
    try:
        record = json.loads(RECORD.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def oldest() -> str:
    """The oldest version of llama-cpp-python that pyproject.toml allows."""
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = re.search(r"llama-cpp-python>=([\d.]+)", "\n".join(project["dependencies"]))
    assert found
    return found.group(1)


def numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)]


def set_up() -> None:
    """Builds and installs, unless what is installed runs and is what would be built or the user's own."""
    there, record = self_check(), recorded()
    usable = bool(there.version) and numbers(there.version) >= numbers(oldest())
    if usable and record.get("version") != there.version:
        say(f"llama-cpp-python {there.version} is installed and stays as it is")
        return
    machine, choices = wanted()
    key = key_of(machine, choices[0])
    if usable and record.get("key") == key:
        say(f"{record.get('line')} (already built)")
        return
    demand(install_first_that_runs(machine, choices, key))


def set_up_from_wheel(wheel: str) -> None:
    """Installs a wheel that others built."""
    newest = (f"llama-cpp-python>={oldest()}", "--only-binary", "llama-cpp-python")
    pip_install(*(newest if wheel == "wheel" else (wheel,)))
    RECORD.unlink(missing_ok=True)
    say(f"llama-cpp-python {demand(self_check())} from a wheel, nothing compiled")


def check() -> None:
    """Decodes with the embedded model. A build of ours that dies is replaced by the cautious one."""
    outcome = self_check(decode=True)
    if outcome.signal and recorded():
        say(f"this build dies with {outcome.signal} at its first words")
        machine, (best, fallback) = wanted()
        outcome = install_first_that_runs(machine, [fallback], key_of(machine, best), decode=True)
    demand(outcome)
    say("self-check: " + outcome.output.strip().splitlines()[-1])


def say(line: str) -> None:
    print(f"engine: {line}", file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Install llama-cpp-python, built for this machine.")
    parser.add_argument("--wheel", default="", metavar="W", help='a wheel file, or "wheel": the newest one published')
    parser.add_argument("--check", action="store_true", help="decode with the embedded model")
    parser.add_argument("--flags", action="store_true", help="print CMAKE_ARGS for this machine and do nothing")
    options = parser.parse_args(arguments)
    try:
        if options.flags:
            choice = choose(probe())
            say(choice.line)
            print(shlex.join(choice.cmake_args))
        elif options.check:
            check()
        elif options.wheel:
            set_up_from_wheel(options.wheel)
        else:
            set_up()
    except SetupError as error:
        print(f"{error}\n  {error.hint}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
