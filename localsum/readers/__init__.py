"""Readers: a file or bytes in, `Document`s out. Knows files and their limits, nothing of models or briefs.

Most inputs hold one document; feeds, mailboxes, JSONL and CSV hold many. `decode` makes clean text of bytes, `formats`
tells the format, and one file reads each: `plain`, `markdown`, `html`, `feed`, `mail`, `pdf`, `records`, `subtitles`.
`article`, `pieces` and `transcript` make the document. All are imported on use: `import localsum.readers` costs next
to nothing. Nothing is fetched and nothing executed: addresses in an input are text.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from localsum.errors import InputError, UsageError

if TYPE_CHECKING:
    from localsum.document import Document
    from localsum.readers.article import Part, Wanted

MAX_BYTES = 50_000_000  # of a file, and of what is packed in it
MAX_LINES = 1_000_000
FORMATS = ("text", "markdown", "html", "feed", "mail", "mbox", "pdf", "jsonl", "csv", "subtitles")
MANY = frozenset({"feed", "mbox", "jsonl", "csv"})  # formats of many documents

_MOST = f"{MAX_BYTES // 1_000_000} MB"
_AGAIN = "check the name, then: localsum read FILE"
_SPLIT = "split it into smaller files, then: localsum read FILE"


def read(
    path: str | os.PathLike[str] | None,
    *,
    format_in: str | None = None,
    text_field: str | None = None,
    title_field: str | None = None,
    id_field: str | None = None,
) -> Iterator[Document | InputError]:
    """The documents in a file, or on standard input for None, one after another as they are asked for.

    What cannot be read comes as an InputError in its place: a file, or one of many documents in it, whose path then is
    the file's with "#" and its number, or what `id_field` says. `format_in` is one of FORMATS and overrules name and
    content; the fields are names of columns in CSV and keys in JSONL. Raises UsageError for an unknown `format_in`.
    """
    _check(format_in)
    return _read(None if path is None else Path(path), format_in, (text_field, title_field, id_field))


def read_path(path: str | os.PathLike[str], *, format_in: str | None = None) -> Document:
    """The only document of a file. Raises InputError, also where it holds several, and UsageError as `read`."""
    return _only(read(path, format_in=format_in), shown(os.fspath(path)))


def read_bytes(data: bytes, *, path: str | None, format_in: str | None = None) -> Document:
    """The only document in bytes; `path` is their name, None for standard input. Raises as `read_path`."""
    _check(format_in)
    return _only(_documents(data, path, format_in, (None, None, None)), _name(path))


def read_text(text: str, *, path: str | None = None, title: str | None = None) -> Document:
    """The document of a text that is at hand: plain, Markdown or HTML, as it looks.

    `path` is what to call it, `title` its title where the text itself does not say. Raises InputError where it holds no
    word, or is too long.
    """
    from localsum.readers.article import inner_draft, to_document
    from localsum.readers.decode import UnreadableError, clean, of_removed

    name = "the text" if path is None else shown(path)
    try:
        if len(text) > MAX_BYTES or text.count("\n") > MAX_LINES:
            raise UnreadableError(f"has more than {MAX_BYTES:,} characters, or {MAX_LINES:,} lines", "give its parts")
        text, removed = clean(text)
        draft = inner_draft(text)
        document = to_document(draft, path=path and name, form=draft.format or "html")
    except UnreadableError as error:
        raise InputError(f"{name} {error.reason}", error.hint) from None
    warnings = (*document.warnings, *of_removed(removed))
    return replace(document, title=document.title or title, warnings=warnings)


def shown(name: str) -> str:
    """A name that can be printed and stored: no control characters, no half of a surrogate pair."""
    return "".join(char if char.isprintable() else "\ufffd" for char in name)


Fields = tuple[str | None, str | None, str | None]


def _read(path: Path | None, format_in: str | None, fields: Fields) -> Iterator[Document | InputError]:
    try:
        data = sys.stdin.buffer.read(MAX_BYTES + 1) if path is None else _bytes(path)
    except InputError as error:
        yield error
    else:
        yield from _documents(data, None if path is None else str(path), format_in, fields)


def _bytes(path: Path) -> bytes:
    name = shown(str(path))
    try:
        info = path.stat()
        if stat.S_ISDIR(info.st_mode):
            raise InputError(f"{name} is a folder", "name the files in it: localsum read FILE")
        if not stat.S_ISREG(info.st_mode):
            raise InputError(f"{name} is not a regular file", "pipe its content in: localsum read -")
        if info.st_size > MAX_BYTES:
            raise InputError(f"{name} is larger than {_MOST}", _SPLIT)
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise InputError(f"{name} does not exist", _AGAIN) from None
    except PermissionError:
        raise InputError(f"{name} may not be read by you", "allow it, then: localsum read FILE") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "its name cannot be used"
        raise InputError(f"{name} cannot be read: {reason}", _AGAIN) from None


def _documents(data: bytes, path: str | None, format_in: str | None, fields: Fields) -> Iterator[Document | InputError]:
    from localsum.readers.article import Wanted, to_document
    from localsum.readers.decode import UnreadableError
    from localsum.readers.formats import detect

    name, number = _name(path), 0
    label = None if path is None else name
    try:
        data = _unpacked(data)
        if len(data) > MAX_BYTES:
            raise UnreadableError(f"is larger than {_MOST}", _SPLIT)
        if data.count(b"\n") > MAX_LINES:
            raise UnreadableError(f"has more than {MAX_LINES:,} lines", _SPLIT)
        suffix = PurePath(path.lower().removesuffix(".gz")).suffix if path else ""
        form = format_in or detect(data, suffix)
        for part in _parts(data, form, Wanted(*fields)):
            number += 1
            try:
                draft = part()
                if form in MANY:
                    label = f"{'-' if path is None else name}#{shown(draft.id or str(number))[:200]}"
                yield to_document(draft, path=label, form=form)
            except UnreadableError as error:
                yield InputError(f"{f'{name}, number {number},' if form in MANY else name} {error.reason}", error.hint)
    except UnreadableError as error:
        yield InputError(f"{name} {error.reason}", error.hint)


def _parts(data: bytes, form: str, wanted: Wanted) -> Iterator[Part]:
    """What reads each document of an input. The reader of the format is imported here, and no other."""
    if form in ("text", "markdown"):
        from localsum.readers.article import text_parts

        return text_parts(data, form)
    if form == "html":
        from localsum.readers import html

        return html.parts(data)
    if form == "feed":
        from localsum.readers import feed

        return feed.parts(data)
    if form in ("mail", "mbox"):
        from localsum.readers import mail

        return mail.parts(data, many=form == "mbox")
    if form == "pdf":
        from localsum.readers import pdf

        return pdf.parts(data)
    if form in ("jsonl", "csv"):
        from localsum.readers import records

        return records.parts(data, form, wanted)
    from localsum.readers import subtitles

    return subtitles.parts(data)


def _unpacked(data: bytes) -> bytes:
    """The content of gzip, never more than one byte over the limit; anything else as it is."""
    if not data.startswith(b"\x1f\x8b"):
        return data
    import gzip
    import io
    import zlib

    from localsum.readers.decode import UnreadableError

    hint = "pack it again, or unpack it yourself: gunzip FILE"
    try:
        inner = gzip.GzipFile(fileobj=io.BytesIO(data)).read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error):
        raise UnreadableError("is damaged: it cannot be unpacked", hint) from None
    if len(inner) > MAX_BYTES:
        raise UnreadableError(f"is larger than {_MOST} when unpacked", _SPLIT)
    if inner.startswith(b"\x1f\x8b"):
        raise UnreadableError("is packed twice", hint)
    return inner


def _only(found: Iterator[Document | InputError], name: str) -> Document:
    first = next(found, None) or InputError(f"{name} holds no document", _AGAIN)
    if isinstance(first, InputError):
        raise first
    if next(found, None) is not None:
        raise InputError(f"{name} holds more than one document", "read them all: localsum read FILE")
    return first


def _check(format_in: str | None) -> None:
    if format_in is not None and format_in not in FORMATS:
        raise UsageError(f"unknown input format: {shown(format_in)}", f"choose one of: {', '.join(FORMATS)}")


def _name(path: str | None) -> str:
    return "standard input" if path is None else shown(path)
