"""SHA-256 of model files, remembered: hashing several GB takes as long as reading them.

`verified/` in the models folder holds one small JSON file per model file that was hashed: path, size, time of change,
SHA-256. Knows no registry. Also what it takes to write into the folder: owner-only modes, a lock, whole files.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from localsum.folders import models_dir

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

Write = Callable[[bytes], object]  # takes the next bytes of a file


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Waits for and holds an exclusive lock. The file stays: to remove it would let two processes hold "the" lock."""
    with open(path, "a", opener=private) as file:
        if sys.platform == "win32":
            file.seek(0)
            while True:
                try:
                    msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
                    break
                except OSError as error:  # gives up after ten seconds
                    if error.errno != errno.EDEADLK:
                        raise
        else:
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def make_folder(folder: Path) -> None:
    """Makes a folder that only its owner can enter; one that is there keeps its mode."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def private(path: str, flags: int) -> int:
    """Opener for files that only their owner may read."""
    return os.open(path, flags, 0o600)


def size_of(path: Path) -> int | None:
    """Bytes of a plain file; None if there is none."""
    try:
        return path.stat().st_size if path.is_file() else None
    except (OSError, ValueError):  # ValueError: a NUL in the name
        return None


def holds(path: Path, size: int, sha256: str) -> bool:
    """Whether the file is there, readable, and has this size and SHA-256."""
    try:
        return size_of(path) == size and digest(path) == sha256
    except OSError:
        return False


def digest(path: Path, *, afresh: bool = False) -> str:
    """SHA-256 of a file; from its sidecar while path, size and time of change are those recorded. Raises OSError."""
    stat = path.stat()
    if not afresh and (known := _remembered(path, stat)):
        return known
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    with suppress(OSError):  # a folder that cannot be written costs time at the next start, no more
        remember(path, stat, sha256)
    return sha256


def remember(path: Path, stat: os.stat_result, sha256: str) -> None:
    """Writes the sidecar of a file that was hashed. One cut off in the middle is no JSON and so counts as absent."""
    sidecar = _sidecar(path)
    make_folder(sidecar.parent.parent)
    make_folder(sidecar.parent)
    with open(sidecar, "w", encoding="utf-8", opener=private) as file:
        json.dump({**_seen(path, stat), "sha256": sha256}, file)


def is_as_remembered(path: Path) -> bool:
    """Whether the file is there, and has the size and time of change that its sidecar says."""
    try:
        return bool(_remembered(path, path.stat()))
    except OSError:
        return False


def _remembered(path: Path, stat: os.stat_result) -> str:
    """The SHA-256 of its sidecar; "" if there is none, or size or time of change differ."""
    known = _recorded(path)
    sha256 = str(known.get("sha256", ""))
    return sha256 if known == {**_seen(path, stat), "sha256": sha256} else ""


def forget(path: Path) -> None:
    """Removes the sidecar of a file, if there is one. Raises OSError."""
    _sidecar(path).unlink(missing_ok=True)


def _recorded(path: Path) -> dict[str, str | int]:
    try:
        known = json.loads(_sidecar(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _seen(path: Path, stat: os.stat_result) -> dict[str, str | int]:
    return {"path": str(path), "bytes": stat.st_size, "mtime_ns": stat.st_mtime_ns}


def _sidecar(path: Path) -> Path:
    key = hashlib.sha256(str(path).encode("utf-8", "surrogatepass")).hexdigest()
    return models_dir() / "verified" / f"{key[:32]}.json"


# Files of the models folder


def make_file(
    target: Path,
    size: int,
    fill: Callable[[Write], None],
    *,
    is_there: Callable[[], bool],
    check: Callable[[str], None] = lambda _: None,
) -> None:
    """Writes a file of `size` bytes, which appears whole or not at all, and remembers its SHA-256, which `check` may
    refuse by raising. Does nothing if another process `is_there` first. Raises OSError.

    One process at a time: the system frees the lock of a killed process, so whoever holds it knows every temporary
    file to be a dead one's, and the disk is asked for one copy only.
    """
    make_folder(target.parent)
    with locked(target.with_name(f"{target.name}.lock")):
        for stale in target.parent.glob(f"{target.name}.*.part"):
            stale.unlink(missing_ok=True)
        if is_there():
            return
        free = shutil.disk_usage(target.parent).free
        if free < size:
            raise OSError(errno.ENOSPC, f"{free / 1e6:.0f} MB are free")
        sha256 = _write(target, fill, check)
    with suppress(OSError):
        remember(target, target.stat(), sha256)


def _write(target: Path, fill: Callable[[Write], None], check: Callable[[str], None]) -> str:
    """Writes a new file beside `target`, checks the SHA-256 of what was written, then renames it."""
    handle, name = tempfile.mkstemp(prefix=f"{target.name}.", suffix=".part", dir=target.parent)  # mode 0600
    try:
        digest = hashlib.sha256()
        with os.fdopen(handle, "wb") as out:

            def write(block: bytes) -> None:
                digest.update(block)
                out.write(block)

            fill(write)
            out.flush()
            os.fsync(out.fileno())  # else a power cut could leave the new name with old or no bytes
        check(digest.hexdigest())
        os.replace(name, target)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(name)
    return digest.hexdigest()
