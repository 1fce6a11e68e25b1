"""Markdown into pieces, its markup resolved, with the front matter as metadata. Knows nothing of files.

Links become their text; images, HTML tags, comments, scripts and footnote marks go. Besides CommonMark: tables,
strikethrough, and the fenced divs and `{#id .class}` attributes of Pandoc, which are dropped.
"""

from __future__ import annotations

import html
import re
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from localsum.readers.decode import clean
from localsum.readers.pieces import LEAD_PARTS, LONG_HEADING_WORDS, Line, Piece, paragraphs, written_width
from localsum.readers.transcript import Speakers

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

MAX_INLINE = 20_000  # characters of one paragraph; the parser is quadratic on hostile ones

_ATTRIBUTE = r"(?:[#.][^\s{}\"]++|[\w:-]++=(?:\"(?:[^\"\\]++|\\.)*+\"|[^\s{}\"]++))"
_ATTRIBUTES = rf"\{{\s*+{_ATTRIBUTE}(?:\s++{_ATTRIBUTE})*+\s*+\}}"  # Pandoc's {#id .class key="value"}
_FENCED_DIV = re.compile(rf"^[ \t>]*+:{{3,}}+[ \t]*+(?:{_ATTRIBUTES}|[^\n]*+)", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(rf"\[([^\[\]\n]{{0,300}})\]{_ATTRIBUTES}", re.DOTALL)
_DATA_IMAGE = re.compile(r"!\[[^\[\]\n]{0,300}\]\(data:[^()\s]*+\)")
_AFTER_LINK = re.compile(
    rf"(?<=\)){_ATTRIBUTES}|(?:^|(?<![ \t])[ \t]++){_ATTRIBUTES}(?=[ \t]*+$)", re.MULTILINE | re.DOTALL
)
_FOOTNOTE_TEXT = re.compile(r"^ {0,3}\[\^[^\]\s]{1,40}\]:[ \t]*", re.MULTILINE)
_FOOTNOTE_MARK = re.compile(r"\[\^[^\]\s]{1,40}\]")
# Emphasis that CommonMark does not see as such.
_LEFT_OVER = re.compile(r"(?<!\w)\*\*|\*\*(?!\w)|\*(?=[.,;:!?]\*)|(?<=\*[.,;:!?])\*")
# A link that the parser did not see as one, often for a space in its address.
_LINK = re.compile(r"!?\[([^\[\]\n]{0,300})\]\((?:[^()\s]{0,500}|https?:[^()\n]{0,500})\)")
_TAG = re.compile(r"</?([a-zA-Z][\w-]{0,30})(?:\s[^<>]{0,2000}|/)?>")
_UNSHOWN = ("script", "style", "template", "noscript", "svg", "iframe", "object", "head", "textarea")
_INLINE_TAGS = frozenset(
    """
a abbr b bdi bdo cite code data del dfn em font i ins kbd label mark q s samp small span strong sub sup time u var wbr
""".split()  # noqa: SIM905  # a table to read
)


def parse(text: str, speakers: Speakers) -> list[Piece]:
    """The pieces of a clean Markdown text without its front matter."""
    text = _DATA_IMAGE.sub("", _FENCED_DIV.sub("", text))
    text = _SPAN.sub(r"\1", _SPAN.sub(r"\1", text))  # twice: they nest
    text = _AFTER_LINK.sub("", text)
    text = _FOOTNOTE_TEXT.sub("\n", text)
    walk = _Walk(speakers)
    is_parted = False
    for token in _parser().parse(text, {}):
        count = len(walk.pieces)
        walk.token(token)
        is_parted |= token.type == "hr"
        if is_parted and len(walk.pieces) > count:
            walk.pieces[count] = replace(walk.pieces[count], parted=True)
            is_parted = False
    return walk.pieces or [Piece(alt) for alt in walk.alts]


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    # Indented paragraphs are more common in articles than indented code. Inline text is parsed in `_inline`.
    return parser.disable(["code", "inline"])


class _Walk:
    """Where in the document the walk over the parser's tokens is, and the pieces so far."""

    def __init__(self, speakers: Speakers) -> None:
        self.pieces: list[Piece] = []
        self.alts: list[str] = []
        self.speakers = speakers
        self.quotes = 0
        self.lists = 0
        self.marker = ""  # of the list item whose first paragraph is still to come
        self.tight = False  # whether an item of this list was already seen
        self.heading: Token | None = None
        self.row: list[str] | None = None
        self.first_row = True

    def token(self, token: Token) -> None:
        kind = token.type
        if kind in ("blockquote_open", "blockquote_close"):
            self.quotes += token.nesting
        elif kind in ("bullet_list_open", "ordered_list_open", "bullet_list_close", "ordered_list_close"):
            self.lists += token.nesting
            self.tight = self.tight and self.lists > 0
        elif kind == "list_item_open":
            mark = f"{token.info}. " if token.info else "- "
            self.marker = "  " * (self.lists - 1) + mark
        elif kind == "list_item_close":
            self.marker = ""
        elif kind == "heading_open":
            self.heading = token
        elif kind == "heading_close":
            self.heading = None
        elif kind == "table_open":
            self.first_row = True
        elif kind == "tr_open":
            self.row = []
        elif kind == "tr_close":
            cells, self.row = self.row or [], None
            if any(cells):
                self.pieces.append(Piece(" | ".join(cells).strip(" |"), "table", tight=not self.first_row))
                self.first_row = False
        elif kind == "inline":
            self._inline(token)
        elif kind in ("fence", "code_block"):
            self.pieces.append(Piece(clean(token.content)[0].strip("\n"), "code"))
        elif kind == "html_block":
            text = html.unescape(without_tags(token.content))
            for part in re.split(r"\n\s*\n", clean(text)[0]):
                self._add([Line(line, written_width(line)) for line in part.split("\n")])

    def _inline(self, token: Token) -> None:
        lines, alts = _inline(token.content)
        self.alts += alts
        text = " ".join(line.text.strip() for line in lines).strip()
        if self.row is not None:
            self.row.append(text)
        elif self.heading is not None:
            level = int(self.heading.tag[1:])
            words = len(text.split())
            # A ruled line right below a paragraph makes a heading of it, which is seldom meant.
            ruled = self.heading.markup in ("-", "=") and (words > 12 or text.endswith((".", ":")))
            if not ruled and words <= LONG_HEADING_WORDS:
                self.pieces.append(Piece(text, "heading", level))
            else:
                self._add(lines)
        else:
            self._add(lines)

    def _add(self, lines: list[Line]) -> None:
        for piece in paragraphs(lines, self.speakers, keep_breaks=False):
            if not piece.text.strip():
                continue
            if self.lists:
                marker, self.marker = self.marker or "  " * self.lists, ""
                text = re.sub(r"^\[[ xX]\] ", "", piece.text)
                self.pieces.append(Piece(text, "item", marker=marker, tight=self.tight))
                self.tight = True
            else:
                self.pieces.append(replace(piece, kind="quote") if self.quotes else piece)


def _inline(content: str) -> tuple[list[Line], list[str]]:
    """The lines of a paragraph with its markup resolved, and the alternative texts of its images."""
    written = [written_width(line) for line in content.split("\n")]
    if len(content) > MAX_INLINE:
        plain = _LINK.sub(r"\1", content).replace("**", "")
        return [Line(clean(line)[0], written_width(line)) for line in plain.split("\n")], []
    tokens: list[Token] = []
    _parser().inline.parse(content, _parser(), {}, tokens)
    alts: list[str] = []
    lines: list[Line] = []
    parts: list[str] = []
    apart, all_apart = 0, True  # inside bold text or a link
    link: tuple[int, str] | None = None  # where in `parts` the link's text begins, and its address
    unshown = ""  # the tag inside of which nothing is shown

    lead = ""  # the bold words that the line begins with

    def read() -> str:
        text = _LINK.sub(r"\1", _FOOTNOTE_MARK.sub("", clean("".join(parts))[0]))
        return re.sub(r"[ \t]+", " ", _LEFT_OVER.sub("", text)).strip()

    def close(hard: bool) -> None:
        nonlocal all_apart, link, lead
        text = read()
        all_apart |= _LINK.fullmatch("".join(parts).strip()) is not None  # the parser saw no link
        width = written[len(lines)] if len(lines) < len(written) else len(text)
        lines.append(Line(text, width, bool(text) and all_apart, hard, lead))
        parts.clear()
        lead = ""
        all_apart, link = True, (0, link[1]) if link else None

    for token in tokens:
        kind = token.type
        if kind == "html_inline":
            tag = _TAG.match(token.content)
            name = tag[1].lower() if tag else ""
            if unshown:
                unshown = "" if name == unshown and token.content.startswith("</") else unshown
            elif name in _UNSHOWN and not token.content.startswith("</"):
                unshown = name
            elif name == "br":
                close(hard=True)
        elif unshown:
            continue
        elif kind in ("text", "text_special", "code_inline"):
            text = token.content
            if text.strip() and not apart:
                all_apart = False
            parts.append(text)
        elif kind == "image":
            alts += [token.content] if token.content.strip() else []
        elif kind in ("softbreak", "hardbreak"):
            close(hard=kind == "hardbreak")
        elif kind in ("strong_open", "strong_close"):
            apart += token.nesting
            if all_apart and token.nesting < 0 and len(parts) <= LEAD_PARTS:
                lead = read()
        elif kind == "link_open":
            link = (len(parts), str(token.attrGet("href") or ""))
            apart += 1
        elif kind == "link_close" and link is not None:
            apart -= 1
            if link[1].startswith("#") and re.fullmatch(r"\W{0,3}\d{1,4}\W{0,3}", "".join(parts[link[0] :])):
                del parts[link[0] :]  # a footnote mark
            link = None
    close(hard=False)
    return lines, alts


def without_tags(source: str) -> str:
    """HTML as text: tags, comments, scripts and styles gone, blocks on lines of their own, entities unresolved."""
    out: list[str] = []
    at = 0
    while (opening := source.find("<", at)) >= 0:
        out.append(source[at:opening])
        at = opening + 1
        if source.startswith("<!--", opening):
            at = source.find("-->", opening + 4) + 3
        elif tag := _TAG.match(source, opening):
            name = tag[1].lower()
            at = tag.end()
            if name in _UNSHOWN and source[opening + 1] != "/":
                closing = re.compile(rf"</{name}\b[^>]{{0,100}}>", re.IGNORECASE).search(source, at)
                at = closing.end() if closing else 2
            out.append("" if name in _INLINE_TAGS else "\n")
        else:
            out.append("<")
        if at <= opening:  # never closed: the rest is not shown
            return "".join(out)
    return "".join([*out, source[at:]])
