"""Readers: a file or bytes in, a `Document` out. Knows files and their limits, nothing of models or briefs.

Formats are plain text and Markdown. The work is done in `decode` (bytes to clean text), `formats` (which format is
it?), `plain` and `markdown` (text to pieces), `transcript` (who speaks) and `pieces` (paragraphs, headings, the
document). They are imported on use: `import localsum.readers` costs next to nothing.
"""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING

from localsum.errors import InputError, UsageError

if TYPE_CHECKING:
    from localsum.document import Document

MAX_BYTES = 50_000_000
MAX_LINES = 1_000_000
FORMATS = ("text", "markdown")

_AGAIN = "check the name, then: localsum read FILE"
_SPLIT = "split it into single articles, then: localsum read FILE"


def read_path(path: Path, *, format_in: str | None = None) -> Document:
    """The document in a file. `format_in` ("text" or "markdown") overrules its name and content. Raises InputError."""
    name = shown(str(path))
    try:
        info = path.stat()
        if stat.S_ISDIR(info.st_mode):
            raise InputError(f"{name} is a folder", "name the files in it: localsum read FILE")
        if not stat.S_ISREG(info.st_mode):
            raise InputError(f"{name} is not a regular file", "pipe its content in: localsum read -")
        if info.st_size > MAX_BYTES:
            raise _too_large(name)
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise InputError(f"{name} does not exist", _AGAIN) from None
    except PermissionError:
        raise InputError(f"{name} may not be read by you", "allow it, then: localsum read FILE") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "its name cannot be used"
        raise InputError(f"{name} cannot be read: {reason}", _AGAIN) from None
    return read_bytes(data, path=str(path), format_in=format_in)


def read_bytes(data: bytes, *, path: str | None, format_in: str | None = None) -> Document:
    """The document in bytes; `path` is what the user calls them, None for standard input.

    Raises InputError where there is no text to read or it is no text at all, UsageError for an unknown `format_in`.
    """
    if format_in is not None and format_in not in FORMATS:
        raise UsageError(f"unknown input format: {shown(format_in)}", f"choose one of: {', '.join(FORMATS)}")
    name = "standard input" if path is None else shown(path)
    if len(data) > MAX_BYTES:
        raise _too_large(name)

    from localsum.readers.decode import decode
    from localsum.readers.formats import to_document

    text, warnings = decode(data, name)
    if text.count("\n") > MAX_LINES:
        raise InputError(f"{name} has more than {MAX_LINES:,} lines", _SPLIT)
    return to_document(text, path=None if path is None else name, format_in=format_in, warnings=warnings)


def shown(name: str) -> str:
    """A name that can be printed and stored: no control characters, no half of a surrogate pair."""
    return "".join(char if char.isprintable() else "\ufffd" for char in name)


def _too_large(name: str) -> InputError:
    return InputError(f"{name} is larger than {MAX_BYTES // 1_000_000} MB", _SPLIT)
