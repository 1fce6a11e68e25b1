"""Feeds (RSS, Atom, RDF): each entry a document, its full content before its summary. Knows feeds, no HTML."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import partial
from typing import Any

from localsum.readers.article import Draft, Part, marked_draft, with_title_as_text
from localsum.readers.decode import UnreadableError, clean
from localsum.readers.html import fragment_pieces
from localsum.readers.meta import meta_of


def parts(data: bytes) -> Iterator[Part]:
    """A part for each entry, in the order of the feed. Raises UnreadableError where the data is no feed."""
    import feedparser

    # From memory: feedparser takes a string for an address. HTML is cleaned and relative addresses are left by us.
    try:
        found = feedparser.parse(io.BytesIO(data), sanitize_html=False, resolve_relative_uris=False)
    except Exception as error:  # it is written to raise nothing, but the parsers under it do
        raise UnreadableError(f"is no feed that can be read: {type(error).__name__}", _HINT) from None
    if not found.entries:
        reason = "has no entries" if found.get("version") else "is no feed"
        raise UnreadableError(reason, _HINT)
    language = found.feed.get("language")
    for entry in found.entries:
        yield partial(_draft, entry, language)


_HINT = "name a feed file (RSS, Atom or RDF): localsum read FILE"


def _draft(entry: Any, language: str | None) -> Draft:  # noqa: ANN401  # feedparser's dictionaries
    title = _plain(entry.get("title"))
    contents = [part.get("value") or "" for part in entry.get("content", [])]
    content = max([*contents, ""], key=len) or entry.get("summary") or ""
    meta = meta_of(
        {
            "title": title,
            "author": entry.get("author_detail", {}).get("name") or entry.get("author"),
            "published": entry.get("published") or entry.get("updated"),
            "url": entry.get("feedburner_origlink") or entry.get("link"),
            "language": next((part.get("language") for part in entry.get("content", [])), None) or language,
        }
    )
    return with_title_as_text(marked_draft(fragment_pieces(content), meta))


def _plain(title: str | None) -> str | None:
    """A title without the tags that some feeds put into it."""
    if title and ("<" in title or "&" in title):
        pieces = fragment_pieces(title[:2000])
        return " ".join(piece.text for piece in pieces) or clean(title)[0]
    return title
