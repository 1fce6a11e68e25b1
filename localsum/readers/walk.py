"""A walk over the elements of HTML, or of trafilatura's form of it, into pieces. Knows elements; nothing of pages.

Tables of data become one piece a row; tables that only lay out a page are walked through. What is hidden, scripts,
forms, menus, pictures and their captions are left out.
"""

from __future__ import annotations

import re
from itertools import islice, pairwise
from typing import Any

from localsum.document import BlockKind
from localsum.readers.decode import clean
from localsum.readers.pieces import LEAD_PARTS, LONG_HEADING_WORDS, Line, Piece, paragraphs, written_width
from localsum.readers.transcript import NOBODY

MAX_CELL_WORDS = 30  # of a table of data; a longer cell is a text that was laid out
MENU_WORDS = 4  # of a link in a menu
MENU_LINKS = 3

_UNREAD = frozenset(
    """
    script style head template noscript svg math iframe object embed applet audio video canvas map select textarea
    button input option datalist dialog nav figcaption menu frameset
    """.split()  # noqa: SIM905  # a table to read
)
_BLOCKS = frozenset(
    """
    address article aside blockquote body caption center dd details div dl dt fieldset figure footer form h1 h2 h3 h4 h5
    h6 header hgroup hr html legend li main ol p pre section summary table tbody td tfoot th thead tr ul
    """.split()  # noqa: SIM905
)
# Trafilatura's names for the same things.
_SAME = {
    "item": "li",
    "list": "ul",
    "quote": "blockquote",
    "row": "tr",
    "cell": "td",
    "lb": "br",
    "code": "code",
    "ref": "a",
}
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|(?:max-height|font-size)\s*:\s*0(?:px)?\s*(?:;|!|$)",
    re.IGNORECASE,
)
_CAPTION = re.compile(
    r"(?:^|[\s_-])captions?(?:$|[\s_-])|photo-?credit|sr-only|visually-?hidden|screen-reader", re.IGNORECASE
)
_SPACE = re.compile(r"[ \t\n\r\f]+")


def walk(root: Any) -> list[Piece]:  # noqa: ANN401  # lxml has no types
    """The pieces of an element and all in it, in one pass: the time is linear in their number."""
    from lxml import etree

    walker = _Walk()
    events = etree.iterwalk(root, events=("start", "end"))
    for event, element in events:
        if not isinstance(element.tag, str):
            walker.text(element.tail if event == "end" and element is not root else None)
            continue
        if event == "start":
            if walker.start(element):
                events.skip_subtree()
            else:
                walker.text(element.text)
        else:
            walker.end(element)
            if element is not root:
                walker.text(element.tail)
    walker.flush()
    walker.end_menu()
    return walker.pieces


def name_of(element: Any) -> str:  # noqa: ANN401
    tag = str(element.tag).rpartition("}")[2].lower()
    if tag == "head" and element.get("rend"):
        return element.get("rend") if re.fullmatch("h[1-6]", element.get("rend")) else "h2"
    if tag == "hi":
        return "b" if element.get("rend") == "#b" else "i"
    if tag == "font" and element.get("size") in ("4", "5", "6", "7", "+1", "+2", "+3"):
        return "b"  # how headings were made once, and still are in mail
    if tag == "code" and "\n" in (element.text or ""):
        return "pre"
    return _SAME.get(tag, tag)


class _Walk:
    """Where the walk is, what was read since the last block ended, and the pieces so far."""

    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self.unread: Any = None  # the element whose content is not read
        self.lists: list[int] = []  # of each open list the number of its last item; -1 where it has none
        self.marker = ""
        self.tight = False
        self.quotes = 0
        self.apart = 0  # how many bold elements and links are open
        self.links = 0  # of these, links
        self.menu: list[int] = []  # where the last pieces are that are short and nothing but a link
        self.heading = 0
        self.pre = 0
        self.row: list[str] | None = None  # of a table of data
        self.tables: list[bool] = []  # of each open table whether it holds data
        self.first_row = True
        self.lines: list[Line] = []
        self.parts: list[str] = []
        self.all_apart = self.all_links = True
        self.lead = ""  # the bold words that the line begins with

    def start(self, element: Any) -> bool:  # noqa: ANN401
        """Begin an element; True where nothing in it is to be read."""
        name = name_of(element)
        if name in _UNREAD or is_hidden(element):
            return True
        if name == "br":
            if self.lines and not "".join(self.parts).strip():
                self.flush()  # two breaks in a row end a paragraph
            else:
                self._line(hard=True)
            return False
        if name in ("b", "strong", "a"):
            self.apart += 1
            self.links += name == "a"
        if name not in _BLOCKS:
            return False
        if name in ("td", "th") and self.tables and self.tables[-1]:
            self._line(hard=False)
            return False
        if self.row is not None:  # a block inside a cell
            self.parts.append(" ")
            return False
        self.flush()
        if name in ("ul", "ol"):
            ordered = name == "ol" or element.get("rend") == "ol"
            self.lists.append(0 if ordered else -1)
        elif name == "li":
            if self.lists and self.lists[-1] >= 0:
                self.lists[-1] += 1
            number = self.lists[-1] if self.lists else -1
            self.marker = "  " * (len(self.lists) - 1) + (f"{number}. " if number > 0 else "- ")
        elif name == "blockquote":
            self.quotes += 1
        elif name == "pre":
            self.pre += 1
        elif name == "table":
            self.tables.append(_holds_data(element))
            self.first_row = True
        elif name == "tr" and self.tables and self.tables[-1]:
            self.row = []
        elif name[0] == "h" and name[1:].isdigit():
            self.heading = int(name[1:])
        return False

    def end(self, element: Any) -> None:  # noqa: ANN401
        name = name_of(element)
        if name in _UNREAD or is_hidden(element):
            return
        if name in ("b", "strong", "a"):
            self.apart -= 1
            self.links -= name == "a"
            if self.all_apart and name != "a" and len(self.parts) <= LEAD_PARTS:
                self.lead = self._read()
        if name not in _BLOCKS:
            return
        if self.row is not None and name not in ("tr", "td", "th"):
            return
        if name in ("td", "th") and self.row is not None:
            self._line(hard=False)
            self.row.append(" ".join(line.text for line in self.lines if line.text))
            self.lines = []
            return
        if name == "tr" and self.row is not None:
            cells, self.row = self.row, None
            if any(cells):
                self.pieces.append(Piece(" | ".join(cells).strip(" |"), "table", tight=not self.first_row))
                self.first_row = False
            return
        self.flush(is_caption=name == "caption")
        if name in ("ul", "ol") and self.lists:
            self.lists.pop()
            self.tight = self.tight and bool(self.lists)
        elif name == "li":
            self.marker = ""
        elif name == "blockquote":
            self.quotes -= 1
        elif name == "pre":
            self.pre -= 1
        elif name == "table" and self.tables:
            self.tables.pop()
        elif name[0] == "h" and name[1:].isdigit():
            self.heading = 0

    def text(self, text: str | None) -> None:
        if not text:
            return
        if text.strip():
            self.all_apart &= self.apart > 0
            self.all_links &= self.links > 0
        self.parts.append(text if self.pre else _SPACE.sub(" ", text))

    def _read(self) -> str:
        text = clean("".join(self.parts))[0]
        return text.strip("\n") if self.pre else _SPACE.sub(" ", text).strip()

    def _line(self, *, hard: bool) -> None:
        text, lead = self._read(), self.lead
        self.parts.clear()
        self.lead = ""
        if text:
            self.lines.append(Line(text, written_width(text), self.all_apart, hard, lead))
        self.all_apart = True

    def flush(self, *, is_caption: bool = False) -> None:
        """End the paragraph that was being read."""
        self._line(hard=False)
        lines, self.lines = self.lines, []
        is_link, self.all_links = self.all_links, True
        if not lines:
            return
        text = " ".join(line.text for line in lines)
        if is_link and not self.heading and len(text.split()) <= MENU_WORDS:
            self.menu.append(len(self.pieces))
        else:
            self.end_menu()
        if self.pre:
            self.pieces.append(Piece("\n".join(line.text for line in lines), "code"))
        elif is_caption:
            self.pieces.append(Piece(text, "table"))
        elif self.heading and not self.lists and len(text.split()) <= LONG_HEADING_WORDS:
            self.pieces.append(Piece(text, "heading", self.heading))
        else:
            self._prose(lines)

    def end_menu(self) -> None:
        """Take off the last pieces if they were a menu: several short links, one after another."""
        if len(self.menu) >= MENU_LINKS and self.menu[-1] - self.menu[0] == len(self.menu) - 1:
            del self.pieces[self.menu[0] :]
        self.menu = []

    def _prose(self, lines: list[Line]) -> None:
        kind: BlockKind = "quote" if self.quotes else "paragraph"
        for group in _groups(lines):
            listed = len(group) > 1 and all(line.apart for line in group)  # headlines, one to a line
            texts = [[line] for line in group] if listed else [group]
            for piece in (piece for part in texts for piece in paragraphs(part, NOBODY, keep_breaks=False)):
                if not piece.text.strip():
                    continue
                if self.lists or self.marker or listed:
                    marker, self.marker = self.marker or ("  " * len(self.lists) if self.lists else "- "), ""
                    self.pieces.append(Piece(piece.text, "item", marker=marker, tight=self.tight))
                    self.tight = True
                else:
                    apart = piece.apart or all(line.apart for line in group)
                    self.pieces.append(Piece(piece.text, kind, apart=apart, lead=piece.lead))
                    self.tight = False
            self.tight = self.tight and bool(self.lists)


def _groups(lines: list[Line]) -> list[list[Line]]:
    """The lines of a paragraph, parted where bold text or a link that has a line to itself begins or ends."""
    groups = [[lines[0]]]
    for line, following in pairwise(lines):
        if line.hard and line.apart != following.apart:
            groups.append([])
        groups[-1].append(following)
    return groups


def is_hidden(element: Any) -> bool:  # noqa: ANN401
    """Whether a browser shows nothing of an element, or only below a picture."""
    if element.tag in ("template", "figcaption"):
        return True
    attributes = element.attrib
    if not attributes:
        return False
    if "hidden" in attributes or attributes.get("aria-hidden") == "true":
        return True
    return bool(_HIDDEN.search(attributes.get("style", "")[:500]) or _CAPTION.search(attributes.get("class", "")[:300]))


def _holds_data(table: Any) -> bool:  # noqa: ANN401
    """Whether a table holds data: two rows and columns at least, no table inside, and short cells only."""
    if any(inner is not table for inner in islice(table.iter("table"), 2)):
        return False
    rows = cells = filled = 0
    for element in table.iter():
        name = name_of(element) if isinstance(element.tag, str) else ""
        if name in ("h1", "h2", "h3", "ul", "ol", "blockquote"):
            return False
        if name == "tr":
            rows += filled > 1
            filled = 0
        elif name in ("td", "th"):
            cells += 1
            words = len("".join(element.itertext()).split())
            filled += words > 0
            if words > MAX_CELL_WORDS:
                return False
    return rows + (filled > 1) >= 2
