"""Which files a list of paths means: files, folders, patterns. Opens none of the files and knows nothing of documents.

In folders, hidden files and folders are left out, files without a name the readers know too, unless a pattern asks for
them. Folders that are links are not entered, so there are no loops; a file is taken once, whatever paths lead to it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from localsum.errors import InputError, UsageError
from localsum.readers import shown
from localsum.readers.names import is_known

MOST_FILES = 100_000  # of one run
MOST_SEEN = 1_000_000  # looked at in folders, taken or not


@dataclass(slots=True)
class Inputs:
    """What was found, in the order of the paths and, within a folder, of the names."""

    files: list[Path | None] = field(default_factory=list)  # None: standard input
    failed: list[InputError] = field(default_factory=list)  # folders that cannot be read, or hold nothing
    unknown: int = 0  # files left out because no reader knows such names
    closed: int = 0  # folders left out because nobody said `--recursive`


def find_inputs(
    paths: list[str],
    *,
    recursive: bool = False,
    pattern: str | None = None,
    without: Path | None = None,
    command: str = "brief",
) -> Inputs:
    """The files that `paths` mean. `without` is a folder to stay out of: the one that briefs are written to.

    `pattern` is a shell pattern for names in folders; with a slash in it, for paths below them. What is named itself is
    always taken. `command` is what hints tell to type. Raises UsageError for more than MOST_FILES files.
    """
    found = Inputs()
    known: set[str] = set()
    stay_out = os.path.realpath(without) if without else None
    for name in paths:
        if name == "-":
            _take(found, known, None)
        elif not os.path.isdir(name):
            _take(found, known, Path(name))
        else:
            failed, closed, is_empty = len(found.failed), found.closed, True
            for path in files_in(Path(name), found, recursive=recursive, pattern=pattern, stay_out=stay_out):
                is_empty = False
                _take(found, known, path)
            if is_empty and len(found.failed) == failed:
                more = "--recursive" if found.closed > closed else "--glob '*'"
                hint = f"look further: localsum {command} {shown(name)} {more}"
                found.failed.append(InputError(f"{shown(name)} holds no file to read", hint))
    return found


def _take(found: Inputs, known: set[str], path: Path | None) -> None:
    real = "-" if path is None else os.path.realpath(path)
    if real in known:
        return
    if len(found.files) >= MOST_FILES:
        raise UsageError(
            f"more than {MOST_FILES:,} files", "take them in parts: localsum brief FOLDER --glob 'a*' --output DIR"
        )
    known.add(real)
    found.files.append(path)


def files_in(
    folder: Path, found: Inputs, *, recursive: bool = False, pattern: str | None = None, stay_out: str | None = None
) -> Iterator[Path]:
    """The files of one folder as `find_inputs` takes them; `found` counts those left out. `stay_out` is a real path."""

    def unreadable(error: OSError) -> None:
        message = f"{shown(str(error.filename))} cannot be read: {error.strerror}"
        found.failed.append(InputError(message, "allow it, then: localsum brief PATH"))

    seen = 0
    for here, folders, names in os.walk(folder, onerror=unreadable):
        visible = [name for name in sorted(folders) if not name.startswith(".")]
        folders[:] = []
        for name in visible:
            path = os.path.join(here, name)
            if os.path.islink(path) or os.path.realpath(path) == stay_out:
                continue
            if recursive:
                folders.append(name)
            else:
                found.closed += 1
        seen += len(names) + len(visible)
        if seen > MOST_SEEN:
            raise UsageError(f"{shown(str(folder))} holds too much", "name a folder in it: localsum brief FOLDER")
        for name in sorted(names):
            path = os.path.join(here, name)
            if name.startswith(".") or not os.path.isfile(path):
                continue
            if pattern is not None:
                below = Path(path).relative_to(folder).as_posix() if "/" in pattern else name
                if fnmatchcase(below, pattern):
                    yield Path(path)
            elif is_known(name):
                yield Path(path)
            else:
                found.unknown += 1
