"""Downloads of models from a Hugging Face hub: the one file that goes to the network, and imports huggingface_hub.

What is fetched goes to a `.partial` file, which the next attempt continues, and gets its name when its size and SHA-256
are those of the registry. Import this inside `guard.opened_to(hosts())`; it sends no telemetry, and a token only to
rows that are gated.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import sleep
from typing import TypeVar

# Read when the library is loaded. Xet is another protocol, with hosts of its own; implicit tokens go to everybody.
os.environ.update({"HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"})

from huggingface_hub import (
    close_session,
    get_hf_file_metadata,
    get_session,
    get_token,
    hf_hub_url,
    hf_raise_for_status,
)

from localsum import __version__
from localsum.errors import LocalsumError, ModelError
from localsum.folders import models_dir
from localsum.models import Model, resolve
from localsum.models.digests import locked, make_folder, remember, size_of
from localsum.models.hub import endpoint
from localsum.models.rows import RegistryEntry, keep_row, own_rows
from localsum.models.sound import check_file

T = TypeVar("T")
Tell = Callable[[int, int], None]  # bytes that are there, of how many

_TRIES = 5  # without a byte in between
_LONGEST_WAIT_S = 120.0
_TIMEOUT_S = 30.0  # without any answer
_SPARE_BYTES = 64 << 20  # left free on the disk
_SHA256 = re.compile(r"[0-9a-f]{64}")


class _OtherFileError(Exception):
    """Inside this file: what the hub has is not what the registry says."""


class _NoHubError(Exception):
    """Inside this file: whoever answers does not speak as a hub does."""


def pull(entry: RegistryEntry, tell: Tell = lambda _there, _all: None) -> Model:
    """The model of a row with a repository, downloaded if it is not there whole. Raises ModelError."""
    folder = models_dir()
    target = folder / Path(entry.file).name
    try:
        make_folder(folder)
        with locked(target.with_name(f"{target.name}.lock")):
            with suppress(ModelError):  # it is there, or another process was faster
                return resolve(entry)
            return resolve(_download(entry, target, tell))
    except LocalsumError:
        raise
    except Exception as error:
        raise _meaning(error, entry) from error
    finally:
        close_session()


def _download(entry: RegistryEntry, target: Path, tell: Tell) -> RegistryEntry:
    """Fetches the file of a row; returns the row with what is known of it now."""
    url = hf_hub_url(entry.repo or "", target.name, revision=entry.revision or "main", endpoint=endpoint())
    headers = {"user-agent": f"localsum/{__version__}", "accept-encoding": "identity"}
    token = get_token() if entry.gated else None
    if token:
        headers["authorization"] = f"Bearer {token}"
    found = _patiently(lambda: get_hf_file_metadata(url, token=False, headers=headers, timeout=_TIMEOUT_S))
    if found.commit_hash is None or found.etag is None:
        raise _NoHubError("it names neither commit nor content")
    tag = found.etag.lower()
    size = entry.bytes or found.size
    if not size:
        raise _OtherFileError("does not say how large the file is")
    if found.size not in (None, size):
        raise _OtherFileError(f"has a file of {found.size:,} bytes, not {size:,}")
    if entry.sha256 and _SHA256.fullmatch(tag) and tag != entry.sha256:
        raise _OtherFileError(f"has a file with the SHA-256 {tag}, not {entry.sha256}")

    key = hashlib.sha256((entry.sha256 or f"{url} {tag}").encode()).hexdigest()[:12]  # never go on with another file
    partial = target.with_name(f"{target.name}.{key}.partial")
    there = size_of(partial) or 0
    free = shutil.disk_usage(target.parent).free
    if free < size - there + _SPARE_BYTES:
        raise OSError(errno.ENOSPC, f"{(size - there) / 1e6:,.0f} MB are to come and {free / 1e6:,.0f} MB are free")
    _fetch(url, headers, partial, size, tell)

    with partial.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        os.fsync(file.fileno())  # else a power cut could leave the new name with old or no bytes
    if sha256 != (entry.sha256 or sha256):
        partial.unlink()
        raise _OtherFileError(f"sent a file with the SHA-256 {sha256}, not {entry.sha256}")
    if not entry.sha256:
        _check_new(partial)
    for stale in target.parent.glob(f"{target.name}.*.partial"):
        if stale != partial:
            stale.unlink()
    os.replace(partial, target)
    with suppress(OSError):
        remember(target, target.stat(), sha256)
    if entry.sha256:
        return entry
    known = {"bytes": size, "sha256": sha256, "revision": found.commit_hash}
    return keep_row({**own_rows().get(entry.name, {}), "name": entry.name, **known})


def _check_new(partial: Path) -> None:
    """A file that nobody has vouched for is looked into before it gets its name."""
    try:
        check_file(partial)
    except ModelError:
        partial.unlink()
        raise


def _fetch(url: str, headers: dict[str, str], partial: Path, size: int, tell: Tell) -> None:
    """Brings `partial` to `size` bytes, going on where it stands, over as many connections as it takes."""

    def rest() -> None:
        there = size_of(partial) or 0
        if there > size:
            partial.unlink()
            there = 0
        if there == size:
            return
        extra = {"range": f"bytes={there}-"} if there else {}
        with get_session().stream("GET", url, headers={**headers, **extra}, timeout=_TIMEOUT_S) as response:
            hf_raise_for_status(response)
            if url.startswith("https:") and response.url.scheme != "https":
                raise _OtherFileError("leads to an address that is not encrypted")
            if there and response.status_code != 206:  # a server that knows no ranges sends all of it
                there = 0
            elif there and not response.headers.get("content-range", "").startswith(f"bytes {there}-"):
                partial.unlink()
                raise _OtherFileError("sends another part of the file than was asked for")
            with open(partial, "ab" if there else "wb", opener=_private) as file:
                tell(there, size)
                for chunk in response.iter_bytes():  # as they come: what has arrived is never lost
                    there += len(chunk)
                    if there > size:
                        raise _OtherFileError(f"sends more than the {size:,} bytes of the file")
                    file.write(chunk)
                    file.flush()
                    tell(there, size)
        if there < size:
            raise EOFError(f"the connection ended after {there:,} of {size:,} bytes")

    try:
        _patiently(rest, progress=lambda: size_of(partial) or 0)
    except _OtherFileError:
        partial.unlink(missing_ok=True)
        raise


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _patiently(attempt: Callable[[], T], progress: Callable[[], int] = lambda: 0) -> T:
    """What `attempt` returns; tried again, after a while, as long as what is wrong may pass or something arrives."""
    tries, before = 0, progress()
    while True:
        try:
            return attempt()
        except Exception as error:
            now = progress()
            tries = 1 if now > before else tries + 1
            before = now
            if tries >= _TRIES or not _may_pass(error):
                raise
            sleep(_wait_s(error, tries))


def _status(error: BaseException) -> int:
    return int(getattr(getattr(error, "response", None), "status_code", 0))


def _kinds(error: BaseException) -> list[str]:
    return [kind.__name__ for kind in type(error).__mro__]


def _may_pass(error: BaseException) -> bool:
    if _status(error):
        return _status(error) in (408, 429, 500, 502, 503, 504)
    return bool({"TransportError", "EOFError"} & set(_kinds(error))) and "ConnectError" not in _kinds(error)


def _wait_s(error: BaseException, tries: int) -> float:
    """As long as the server asks for, within limits; else longer each time."""
    asked = getattr(getattr(error, "response", None), "headers", {}).get("retry-after", "")
    return min(float(asked), _LONGEST_WAIT_S) if asked.isdigit() else float(2 ** (tries - 1))


_PAGE = "https://huggingface.co/{repo}"
_TOKEN = (
    "accept the licence at " + _PAGE + ", make a token that may read at https://huggingface.co/settings/tokens,"
    " then: export HF_TOKEN=TOKEN; localsum models pull {name} (in a row of your own: gated = true)"
)
_LATER = "what has arrived is kept; go on with: localsum models pull {name}"
_OTHER = "see what is there now: " + _PAGE + "; another model: localsum models"
# What went wrong -> what it means, and what to do: a status, or the name of the exception's class or of one above it.
# Names, because the library changed the package of its HTTP client twice. The first that fits counts.
_MEANINGS: dict[int | str, tuple[str, str]] = {
    "GatedRepoError": ("{repo} is open only to accounts that have accepted its licence", _TOKEN),
    "RevisionNotFoundError": ("{repo} has no revision {revision} any more", _OTHER),
    "EntryNotFoundError": ("{repo} has no file {file} at revision {revision}", _OTHER),
    401: ("there is no repository {repo}, or it is not open to you", _TOKEN),
    403: ("{repo} is not open to you", _TOKEN),
    "RepositoryNotFoundError": ("there is no repository {repo}, or it is not open to you", _TOKEN),
    404: ("{repo} has no file {file} at revision {revision}", _OTHER),
    429: ("the hub is asked too much from this address", "wait some minutes; " + _LATER),
    "OfflineModeIsEnabled": ("HF_HUB_OFFLINE is set", "unset HF_HUB_OFFLINE; localsum models pull {name}"),
    "HfHubHTTPError": ("the hub answers with an error: {error}", _LATER),
    "ProxyError": ("the proxy does not let through: {error}", "look at HTTPS_PROXY; " + _LATER),
    "ConnectError": ("the hub cannot be reached: {error}", "is there a network? " + _LATER),
    "TimeoutException": ("the hub does not answer", _LATER),
    "TransportError": ("the connection broke again and again: {error}", _LATER),
    "EOFError": ("the connection broke again and again: {error}", _LATER),
    "_OtherFileError": ("{repo} {error}", "nothing of it is used; " + _OTHER),
    "_NoHubError": ("this is no Hugging Face hub: {error}", "look at HF_ENDPOINT"),
    "OSError": ("{name} cannot be kept in {folder}: {error}", "free some space, or: export LOCALSUM_MODELS=FOLDER"),
    "Exception": ("the download failed: {error}", _LATER),
}


def _meaning(error: Exception, entry: RegistryEntry) -> ModelError:
    kinds: list[int | str] = [_status(error), *_kinds(error)]
    said, hint = next(row for kind, row in _MEANINGS.items() if kind in kinds)
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    words = {
        "name": entry.name,
        "repo": entry.repo,
        "file": Path(entry.file).name,
        "revision": entry.revision or "main",
        "folder": models_dir(),
        "error": " ".join(reason.split())[:300],
    }
    return ModelError(f"{entry.name} was not downloaded: {said.format(**words)}", hint.format(**words))
