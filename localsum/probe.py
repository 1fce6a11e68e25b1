"""Tries a model file in a process of its own, so that a crash of llama.cpp is a message and not the end of ours.

A file that nobody vouches for, or a build for another processor, may kill the process that decodes with it. The child
loads the file, reads some text and writes some tokens, and says in JSON how fast that was. What passed is remembered
beside the file's SHA-256, for this version of llama-cpp-python.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from localsum.errors import LocalsumError, ModelError
from localsum.guard import sealed, starting

_TEXT = "The town council voted on Monday to lend the old mill to a cooperative of weavers for ten years. "
_READ_TOKENS, _WRITE_TOKENS = 384, 24
_TIMEOUT_S = 300.0
_LONGEST_ANSWER = 10_000


@dataclass(frozen=True)
class Tried:
    """How a model ran: tokens per second, and seconds. All of one branch, right after loading."""

    load_s: float
    read_tokens_s: float
    write_tokens_s: float
    threads: int
    system: str  # what llama.cpp was built for


def llama_version() -> str:
    try:
        return version("llama_cpp_python")
    except PackageNotFoundError:
        return "unknown"


def try_model(path: Path) -> Tried:
    """Runs the file in a child process. Raises ModelError if it does not load, or kills the child."""
    command = [sys.executable, "-m", "localsum.probe", str(path)]
    try:
        with starting(sys.executable):
            done = subprocess.run(command, capture_output=True, timeout=_TIMEOUT_S, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        raise _unusable(path, f"it was still not done after {_TIMEOUT_S:.0f} seconds") from None
    except OSError as error:
        raise _unusable(path, f"no process could be started to try it: {error}") from None
    if done.returncode < 0 or done.returncode > 128:
        raise _unusable(path, f"llama.cpp was killed by it ({_signal(done.returncode)})", done.returncode)
    try:
        said = json.loads(done.stdout[-_LONGEST_ANSWER:])
        if "error" in said:
            raise ModelError(str(said["error"]), str(said["hint"]))
        return Tried(**said)
    except (ValueError, TypeError, KeyError):
        last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise _unusable(path, last[0][:300] if last else f"exit code {done.returncode}") from None


def _signal(code: int) -> str:
    number = -code if code < 0 else code - 128
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"exit code {code}"


def _unusable(path: Path, reason: str, code: int = 0) -> ModelError:
    if code in (-4, 132):  # an instruction that this processor does not have: the build's fault, not the file's
        hint = "build llama.cpp for this processor: docs/install.md, or in a checkout: make clean brief"
    else:
        hint = "use another model; all: localsum models"
    return ModelError(f"{str(path)!r} cannot be used: {reason}", hint)


def _child(path: Path) -> dict[str, object]:
    """Loads, reads, writes. Knows the engine's backend, since what is tried is decoding and nothing else."""
    from localsum.engine.fit import threads_for
    from localsum.engine.llama import LlamaBackend, system_info
    from localsum.engine.machine import this_machine
    from localsum.engine.scheduler import Slice
    from localsum.engine.types import Segment

    threads = threads_for(this_machine())
    begun_s = time.perf_counter()
    backend = LlamaBackend(path, threads=threads, cells=1024)
    load_s = time.perf_counter() - begun_s
    try:
        backend.pieces  # noqa: B018  (waits for the token table, which would be built beside what is timed)
        tokens = (backend.tokenize((Segment(_TEXT),), first=True) * _READ_TOKENS)[: _READ_TOKENS + 1]
        backend.decode([(Slice(0, 0, 1, False), tokens[:1])])  # the first touches every page and starts the threads
        begun_s = time.perf_counter()
        logits = backend.decode([(Slice(0, 1, _READ_TOKENS, True), tokens[1:])])[0]
        read_s = time.perf_counter() - begun_s
        begun_s = time.perf_counter()
        for at in range(_WRITE_TOKENS):
            logits = backend.decode([(Slice(0, 1 + _READ_TOKENS + at, 1, True), [int(logits.argmax())])])[0]
        write_s = time.perf_counter() - begun_s
    finally:
        backend.close()
    tried = Tried(load_s, _READ_TOKENS / read_s, _WRITE_TOKENS / write_s, threads, system_info())
    return {name: round(value, 3) if isinstance(value, float) else value for name, value in asdict(tried).items()}


def main() -> None:
    with sealed():
        try:
            said = _child(Path(sys.argv[1]))
        except LocalsumError as error:
            said = {"error": error.message, "hint": error.hint}
    print(json.dumps(said))  # noqa: T201  (this process's answer)


if __name__ == "__main__":
    main()
