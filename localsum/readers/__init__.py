"""Readers: a file or bytes in, a `Document` out. Knows files and formats, nothing of models or briefs.

Formats: plain text and Markdown, told apart by the file's name, else by its content. What a reader may do to a text, and
what it must not, is in decode (bytes), pieces (paragraphs and headings), transcript (speakers), plain and markdown.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from localsum.document import Document
from localsum.errors import InputError, UsageError

if TYPE_CHECKING:
    from localsum.readers.pieces import Piece

MAX_BYTES = 50_000_000
MAX_MARKDOWN = 1_000_000  # characters; a longer text is read as plain text, whatever its markup
MAX_LINES = 1_000_000
FORMATS = ("text", "markdown")

_MARKDOWN_NAMES = (".md", ".markdown", ".mdown", ".mkd")
_UNREAD_NAMES = {".html": "an HTML page", ".htm": "an HTML page", ".xhtml": "an HTML page", ".eml": "a mail",
                 ".rss": "a feed", ".atom": "a feed"}  # fmt: skip
_SNIFFED = 100_000  # characters that the format is told from
_HTML = re.compile(
    r"\s*+(?:<\?xml[^>]{0,200}>\s*+)?(?:<!--[^>]{0,500}-->\s*+)?<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE
)
_FEED = re.compile(r"\s*+(?:<\?xml[^>]{0,200}>\s*+)?<(?:rss|feed|rdf:RDF)\b", re.IGNORECASE)
_HTML_TAG = re.compile(r"</(?:p|div|a|li|span|h[1-6]|td|script|section|article)>", re.IGNORECASE)
_MARKDOWN_SIGNS = re.compile(
    r"^(?:\#{1,6}[ ]\S|```|~~~|>[ ]\S|\|(?:[ ]?:?-{2,}))"  # headings, code, quotes, tables
    r"|\[[^\[\]\n]{1,300}\]\([^()\s]{1,500}\)"  # links
    r"|(?<!\S)\*\*[^\s*][^*\n]{0,300}\*\*",
    re.MULTILINE,
)
_SPLIT = "split it into single articles, then: localsum read FILE"
_SAVE = "save the article as plain text or Markdown, then: localsum read FILE"


def read_path(path: Path, *, format_in: str | None = None) -> Document:
    """The document in a file. `format_in` ("text", "markdown") overrules the name. Raises InputError."""
    shown = _shown(str(path))
    try:
        info = path.stat()
        if stat.S_ISDIR(info.st_mode):
            raise InputError(f"{shown} is a folder", "name the files in it: localsum read FILE")
        if not stat.S_ISREG(info.st_mode):
            raise InputError(f"{shown} is no regular file", "pipe its content in: localsum read -")
        if info.st_size > MAX_BYTES:
            raise _too_large(shown)
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise InputError(f"{shown} does not exist", "check the name, then: localsum read FILE") from None
    except PermissionError:
        raise InputError(f"{shown} may not be read by you", f"allow it: chmod u+r {shown}") from None
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise InputError(f"{shown} cannot be read: {reason}", "check the name, then: localsum read FILE") from None
    return read_bytes(data, path=str(path), format_in=format_in)


def read_bytes(data: bytes, *, path: str | None, format_in: str | None = None) -> Document:
    """The document in bytes; `path` is what the user calls them, None for standard input. Raises InputError."""
    if format_in is not None and format_in not in FORMATS:
        raise UsageError(f"unknown input format: {_shown(format_in)}", f"choose one of {', '.join(FORMATS)}")
    name = "standard input" if path is None else _shown(path)
    if len(data) > MAX_BYTES:
        raise _too_large(name)

    from localsum.readers.decode import decode

    text, warnings = decode(data, name)
    if text.count("\n") > MAX_LINES:
        raise InputError(f"{name} has more than {MAX_LINES:,} lines", _SPLIT)
    suffix = Path(path).suffix.lower() if path else ""
    form = format_in or _format(text, suffix, name)
    if form == "markdown" and len(text) > MAX_MARKDOWN:
        warnings.append("too long to be read as Markdown: read as plain text")
        form = "text"
    return _document(text, form, _shown(path) if path is not None else None, name, warnings)


def _document(text: str, form: str, path: str | None, name: str, warnings: list[str]) -> Document:
    from localsum.readers import markdown, plain
    from localsum.readers.meta import Meta, front_matter
    from localsum.readers.pieces import assemble, with_headings, with_speakers
    from localsum.readers.transcript import prepare

    meta = Meta()
    if form == "markdown":
        meta, text = front_matter(text)
    text, speakers = prepare(text)
    pieces = (markdown if form == "markdown" else plain).parse(text, speakers)
    pieces = with_headings(with_speakers(pieces, speakers))
    clean_text, blocks = assemble(pieces)
    if not any(clean_text[block.start : block.end].strip("-_=*#~.·• \n") for block in blocks):
        raise InputError(f"{name} has no readable text", "name a file with text in it: localsum read FILE")
    title = meta.title or _title(pieces)
    return Document(clean_text, blocks, path, form, title, meta.author, meta.published, meta.url, tuple(warnings))


def _title(pieces: Sequence[Piece]) -> str | None:
    """The highest heading above the first prose."""
    found = None
    for piece in pieces:
        if piece.kind != "heading":
            break
        if found is None or piece.level < found.level:
            found = piece
    return found.text[:300] if found else None


def _format(text: str, suffix: str, name: str) -> str:
    what = _UNREAD_NAMES.get(suffix)
    if what is None and _FEED.match(text[:2000]):
        what = "a feed"
    if what is None and (_HTML.match(text[:4000]) or len(_HTML_TAG.findall(text[:20_000])) >= 20):
        what = "an HTML page"
    if suffix in _MARKDOWN_NAMES:
        return "markdown"
    if what is not None:
        raise InputError(f"{name} is {what}, which localsum does not read yet", _SAVE)
    sample = text[:_SNIFFED]
    signs = _MARKDOWN_SIGNS.findall(sample)
    strong = any(sign[:1] in ("#", "[", "`") for sign in signs)
    front = sample.lstrip().startswith("---\n") and re.match(r"\s*---\n[A-Za-z_-]{1,40}:", sample)
    return "markdown" if strong or front or len(signs) >= 2 else "text"


def _too_large(name: str) -> InputError:
    return InputError(f"{name} is larger than {MAX_BYTES // 1_000_000} MB", _SPLIT)


def _shown(path: str) -> str:
    """A name that can be printed and stored: no control characters, no half of a surrogate pair."""
    return "".join(char if char.isprintable() else "\ufffd" for char in path)
