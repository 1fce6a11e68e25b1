"""HTML into pieces: whole pages, of which trafilatura finds the article, and fragments (mail, feeds) that are content.

Both end in one walk over elements. Nothing is fetched and no script is run; the parser resolves no entities but HTML's.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING, Any

from localsum.readers.article import Draft, Part, marked_draft
from localsum.readers.boilerplate import without_boilerplate
from localsum.readers.decode import UnreadableError, clean, decode
from localsum.readers.meta import Meta, meta_of
from localsum.readers.pieces import Piece
from localsum.readers.walk import is_hidden, walk

if TYPE_CHECKING:
    from lxml.html import HtmlElement

MAX_TAGS = 1_000_000  # of any HTML: 15 seconds and 500 MB
MAX_ELEMENTS = 30_000  # of a page in which the article is looked for: 5 seconds; of a larger one all is read
MAX_DEPTH = 250  # of its elements, likewise
_DECLARED = re.compile(
    rb"<meta[^>]{0,200}?charset\s{0,5}=\s{0,5}[\"']?([\w:-]{2,30})|<\?xml[^>]{0,60}encoding=[\"']([\w-]{2,30})", re.I
)
_DATA_ADDRESS = re.compile(r"data:[a-z]+/[\w.+-]{1,60};base64,[A-Za-z0-9+/=\s]+", re.IGNORECASE)
_NO_AUTHOR = re.compile(r"https?:|@|\d|^(?:admin|staff|editor|about|contact|team)$", re.IGNORECASE)


def parts(data: bytes) -> Iterator[Part]:
    """The one part of a page."""

    def part() -> Draft:
        declared = _DECLARED.search(data[:4096])
        encoding = (declared[1] or declared[2]).decode("ascii") if declared else None
        text, warnings = decode(data, encoding)
        return page_draft(text, warnings)

    yield part


def page_draft(text: str, warnings: list[str] | None = None) -> Draft:
    """The article of a page, with what the page says about it; where none is found, all text of the page."""
    tree = parsed(text)
    body, meta = _article(tree) if tree is not None else (None, Meta())
    pieces = without_boilerplate(walk(body)) if body is not None else []
    if not pieces and tree is not None:
        pieces = without_boilerplate(walk(tree))
    return marked_draft(pieces, meta, warnings or [])


def fragment_pieces(text: str) -> list[Piece]:
    """The pieces of HTML that is content as a whole."""
    tree = parsed(text)
    return [] if tree is None else without_boilerplate(walk(tree))


def parsed(text: str) -> HtmlElement | None:
    """The tree of an HTML text; None where there is none. The parser keeps 2,048 levels of depth.

    Raises UnreadableError where the tree would not fit into memory.
    """
    from lxml import etree
    from lxml import html as lxml_html

    text = _DATA_ADDRESS.sub("", clean(text)[0])
    if text.count("<") > MAX_TAGS:
        raise UnreadableError(f"has more than {MAX_TAGS:,} tags", "save its article alone, then: localsum read FILE")
    parser = lxml_html.HTMLParser(
        encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True, huge_tree=True
    )
    try:
        return lxml_html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (etree.LxmlError, ValueError, AssertionError):
        return None


def _article(tree: HtmlElement) -> tuple[Any, Meta]:
    """The element that holds the article, and the page's metadata; None where no article is found."""
    if not _can_be_searched(tree):
        return None, _meta_of_head(tree)
    for element in [element for element in tree.iter("*") if is_hidden(element)]:
        if element.getparent() is not None:
            element.drop_tree()
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # it tells its troubles with pages on stderr
    logging.getLogger("htmldate").setLevel(logging.CRITICAL)
    trafilatura = _trafilatura()
    try:
        found = trafilatura.bare_extraction(
            tree, favor_precision=True, include_comments=False, include_formatting=True, with_metadata=True
        )
    except Exception:  # a page that breaks the library is still a page
        found = None
    if found is None or isinstance(found, dict):
        return None, _meta_of_head(tree)
    author = None if found.author is None or _NO_AUTHOR.search(found.author) else found.author
    return found.body, meta_of(
        {
            "title": _title(found.title, tree),
            "author": author.replace("; ", ", ") if author else None,
            "published": found.date,
            "url": found.url,
            "language": tree.get("lang"),
        }
    )


def _can_be_searched(tree: HtmlElement) -> bool:
    """Whether a page has the size and depth of pages: the search takes time by the square of the depth."""
    from lxml import etree

    elements = depth = 0
    for event, _ in etree.iterwalk(tree, events=("start", "end")):
        depth += 1 if event == "start" else -1
        elements += event == "start"
        if elements > MAX_ELEMENTS or depth > MAX_DEPTH:
            return False
    return True


def _trafilatura() -> ModuleType:
    """The library, loaded without a socket: urllib3, which it loads for downloads, opens one to look for IPv6."""
    import socket

    had_ipv6, socket.has_ipv6 = socket.has_ipv6, False
    try:
        import trafilatura
    finally:
        socket.has_ipv6 = had_ipv6
    return trafilatura


def _title(title: str | None, tree: HtmlElement) -> str | None:
    """The title without the site's name before or behind it, where a heading or the page's card has it so."""
    heads = ["".join(head.itertext()) for head in tree.findall(".//h1")[:10]]
    cards = [str(meta.get("content")) for meta in tree.iter("meta") if meta.get("property") == "og:title"]
    shorter = [" ".join(text.split()) for text in [*heads, *cards[:3]]]
    return max(
        (text for text in shorter if title and text != title and text in title and " " in text), key=len, default=title
    )


def _meta_of_head(tree: HtmlElement) -> Meta:
    title = tree.find(".//title")
    return meta_of({"title": title.text if title is not None else None, "language": tree.get("lang")})
