"""Which format an input is in, by its content and its name. Knows the marks of formats; reads none of them."""

from __future__ import annotations

import json
import re

from localsum.readers.decode import decode
from localsum.readers.names import FORMAT_OF

SNIFFED = 100_000  # characters, or bytes, that the format is told from

_PREAMBLE = r"\s*+(?:<\?xml[^>]{0,200}>\s*+)?(?:<\?xml-stylesheet[^>]{0,300}>\s*+){0,5}(?:<!--[^>]{0,500}-->\s*+)?"
_HTML = re.compile(rf"{_PREAMBLE}<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_FEED = re.compile(rf"{_PREAMBLE}(?:<!doctype\s+rss[^>]{{0,300}}>\s*+)?<(?:rss|feed|rdf:RDF)\b", re.IGNORECASE)
_HTML_TAG = re.compile(r"</(?:p|div|a|li|span|h[1-6]|td|script|section|article)>", re.IGNORECASE)
_MANY_TAGS = 20  # closing tags within the first 20,000 characters
_MARKDOWN_SIGNS = re.compile(
    r"^(?:\#{1,6}[ ]\S|```|~~~|>[ ]\S|\|(?:[ ]?:?-{2,}))"  # headings, code, quotes, tables
    r"|!?\[[^\[\]\n]{0,300}\]\([^()\s]{1,500}\)"  # links and images
    r"|(?<!\S)\*\*[^\s*][^*\n]{0,300}\*\*",  # bold
    re.MULTILINE,
)
_SUBTITLES = re.compile(r"\s*+(?:WEBVTT(?:[ \t\n]|$)|\d{1,6}[ \t]*\n(?:\d{1,3}:)?\d\d:\d\d[.,]\d{1,3}[ \t]*-->)")
_MBOX = re.compile(r"From \S[^\n]{0,200}\d\d:\d\d[^\n]{0,60}\n[\w-]{1,60}:")
_HEADER = re.compile(r"([A-Za-z][A-Za-z0-9-]{1,60}):[ \t]?\S|[ \t]+\S")
_RECORD = re.compile(r"\{\s*\"[^\"\n]{1,200}\"\s*:")  # how a line of JSONL begins, where it is longer than what is seen
_MAIL_HEADERS = {"received", "return-path", "message-id", "delivered-to", "mime-version", "content-type", "x-mailer"}


def detect(data: bytes, suffix: str) -> str:
    """The format of an input: PDF and gzip by their first bytes, then by the name's suffix, then by what the text is.

    Raises UnreadableError where it is no text at all.
    """
    if data.startswith(b"%PDF-"):
        return "pdf"
    if named := FORMAT_OF.get(suffix):
        return named
    cut = data[:SNIFFED]
    if len(data) > len(cut):  # not to end inside a character
        cut = cut[: max(cut.rfind(b"\n"), cut.rfind(b" ")) + 1] or cut
    if found := _by_lines(cut.decode("utf-8", "replace").replace("\r\n", "\n")):
        return found
    text, _ = decode(cut)
    if _FEED.match(text[:4000]):
        return "feed"
    if _SUBTITLES.match(text[:4000]):
        return "subtitles"
    if is_html(text):
        return "html"
    return "markdown" if is_markdown(text) else "text"


def is_html(text: str) -> bool:
    """Whether a text is an HTML page or a part of one."""
    sample = text[:SNIFFED]
    if _HTML.match(sample[:4000]):
        return True
    return len(_HTML_TAG.findall(sample[:20_000])) >= _MANY_TAGS and not _is_certainly_markdown(sample)


def is_markdown(text: str) -> bool:
    """Whether a text has the signs of Markdown in it."""
    sample = text[:SNIFFED]
    return _is_certainly_markdown(sample) or len(_MARKDOWN_SIGNS.findall(sample)) > 1


def _is_certainly_markdown(sample: str) -> bool:
    front = re.match(r"\s*---\n[A-Za-z_-]{1,40}:", sample) is not None
    return front or any(sign[0] in "#[!`" for sign in _MARKDOWN_SIGNS.findall(sample))


def _by_lines(text: str) -> str | None:
    """ "mbox", "mail" or "jsonl", where the first lines are theirs."""
    if _MBOX.match(text):
        return "mbox"
    first = text.lstrip().split("\n", 1)[0]
    if first.startswith("{"):
        try:
            return "jsonl" if isinstance(json.loads(first), dict) else None
        except (ValueError, RecursionError):
            return "jsonl" if "\n" not in text and _RECORD.match(first) else None
    names: set[str] = set()
    for line in text.split("\n", 200)[:200]:
        header = _HEADER.match(line)
        if not header:
            return "mail" if not line.strip() and "from" in names and names & _MAIL_HEADERS else None
        if header[1]:
            names.add(header[1].lower())
    return None
