"""Which format a clean text is in, and from there to the `Document`. Knows formats; nothing of files or bytes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePath

from localsum.document import Document
from localsum.errors import InputError
from localsum.readers import markdown, plain
from localsum.readers.meta import Meta, front_matter
from localsum.readers.pieces import Piece, assemble, with_headings, with_speakers
from localsum.readers.transcript import prepare

MAX_MARKDOWN = 1_000_000  # characters; a longer text is read as plain text, whatever its markup
SNIFFED = 100_000  # characters that the format is told from

_MARKDOWN_NAMES = (".md", ".markdown", ".mdown", ".mkd")
_UNREAD_NAMES = {
    ".html": "an HTML page", ".htm": "an HTML page", ".xhtml": "an HTML page", ".eml": "a mail", ".rss": "a feed",
    ".atom": "a feed",
}  # fmt: skip
_PREAMBLE = r"\s*+(?:<\?xml[^>]{0,200}>\s*+)?(?:<!--[^>]{0,500}-->\s*+)?"
_HTML = re.compile(rf"{_PREAMBLE}<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_FEED = re.compile(rf"{_PREAMBLE}<(?:rss|feed|rdf:RDF)\b", re.IGNORECASE)
_HTML_TAG = re.compile(r"</(?:p|div|a|li|span|h[1-6]|td|script|section|article)>", re.IGNORECASE)
_MANY_TAGS = 20  # closing tags within the first 20,000 characters
_MARKDOWN_SIGNS = re.compile(
    r"^(?:\#{1,6}[ ]\S|```|~~~|>[ ]\S|\|(?:[ ]?:?-{2,}))"  # headings, code, quotes, tables
    r"|!?\[[^\[\]\n]{0,300}\]\([^()\s]{1,500}\)"  # links and images
    r"|(?<!\S)\*\*[^\s*][^*\n]{0,300}\*\*",  # bold
    re.MULTILINE,
)


def to_document(text: str, *, path: str | None, format_in: str | None, warnings: list[str]) -> Document:
    """The document of a clean text. Raises InputError where only markup is in it, or a format not read yet."""
    name = path or "standard input"
    form = format_in or _format(text, PurePath(path or "").suffix.lower(), name)
    if form == "markdown" and len(text) > MAX_MARKDOWN:
        warnings = [*warnings, "too long to be read as Markdown: read as plain text"]
        form = "text"
    meta = Meta()
    if form == "markdown":
        meta, text = front_matter(text)
    text, speakers = prepare(text)
    pieces = markdown.parse(text, speakers) if form == "markdown" else plain.parse(text, speakers)
    pieces = with_headings(with_speakers(pieces, speakers))
    body, blocks = assemble(pieces)
    if not any(re.search(r"\w", body[block.start : block.end]) for block in blocks):
        raise InputError(f"{name} has no readable text", "name a file with text in it: localsum read FILE")
    title = meta.title or _title(pieces)
    return Document(body, blocks, path, form, title, meta.author, meta.published, meta.url, tuple(warnings))


def _title(pieces: Sequence[Piece]) -> str | None:
    """The highest heading above the first prose."""
    found: Piece | None = None
    for piece in pieces:
        if piece.kind != "heading":
            break
        if found is None or piece.level < found.level:
            found = piece
    return found.text[:300] if found else None


def _format(text: str, suffix: str, name: str) -> str:
    """ "text" or "markdown", by the file's name, else by the signs of Markdown in the text."""
    if suffix in _MARKDOWN_NAMES:
        return "markdown"
    sample = text[:SNIFFED]
    signs = _MARKDOWN_SIGNS.findall(sample)
    certain = any(sign[0] in "#[!`" for sign in signs) or re.match(r"\s*---\n[A-Za-z_-]{1,40}:", sample) is not None
    unread = _UNREAD_NAMES.get(suffix)
    if unread is None and _FEED.match(sample[:4000]):
        unread = "a feed"
    tagged = not certain and len(_HTML_TAG.findall(sample[:20_000])) >= _MANY_TAGS
    if unread is None and (tagged or _HTML.match(sample[:4000])):
        unread = "an HTML page"
    if unread is not None:
        hint = "save the article as plain text or Markdown, then: localsum read FILE"
        raise InputError(f"{name} is {unread}, which localsum does not read yet", hint)
    return "markdown" if certain or len(signs) > 1 else "text"
