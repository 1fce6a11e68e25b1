"""What stands in a document beside its text: advertisements, appendices, and what a page has around an article.

Whole blocks, told by patterns; how much less they are worth is decided elsewhere.
"""

from __future__ import annotations

import bisect
import re
from itertools import pairwise

from localsum.document import Block, Document
from localsum.writing import cues

_MOST_ADVERT = 250  # words of a part that one sponsor's name makes an advertisement
_MOST_ANNOUNCED = 600  # words of one behind "And now a word from our sponsor."
_MOST_FURNITURE = 60  # words of a block that is none of the text
_OPENING = 8  # blocks among which a byline stands
_END = 0.6  # share of the blocks behind which it is told who wrote it
_I = re.IGNORECASE

_NAME = r"[A-Z][\w’'-]+(?:\s(?:[A-Z]\.|de|van|von|der|al|bin|du|la|le|[A-Z][\w’'-]+)){1,4}"
# "By Ingrid Maslow-Pettit and Theo Abernac, staff writers": names, and no sentence behind them.
_BYLINE = re.compile(
    rf"(?:By|From|Words by|Interview by)\s+{_NAME}(?:(?:,|,? and|\s?&)\s{_NAME})*"
    r"(?=\s*(?:$|[|·—–(]|(?i:staff|published|updated|posted|special to|in\s[A-Z]|for\s(?:the\s)?[A-Z])"
    r"|,?\s(?i:\w+ (?:writer|editor|reporter|correspondent|columnist)s?)\b"
    r"|(?:\w{3,9}day|\w{3,9}\.? \d{1,2}|\d{1,2} \w{3,9}),? ))"
)
_AROUND = re.compile(
    # above the text
    r"(?:first |last )?(?:published|posted|updated|modified)\b(?: by .{2,60}?)?(?: on| at|:)?\s(?:\w{3,9}day,?\s)?"
    r"(?:\d{1,2}[\s./:]|\d{4}-\d|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\w*\.?\s\d)"
    r"|(?:present|attendees|attending|in attendance|participants|apologies|absent)\s?:"
    r"|(?:auto-?generated |automatic )?transcript\b.{0,40}\b(?:edited|errors|generated)\b|for immediate release\b"
    r"|recorded (?:live|on|at|in)\b.{0,60}\d"
    # below it
    r"|©|\(c\) (?:19|20)\d\d|(?:read|watch|see|listen|hear) (?:more|next|also)\s?(?:[:–—-]|$)|(?:related|read next)\s?:"
    r"|most (?:viewed|read|popular|shared)\b(?=.{0,30}$)|more (?:on|from|about|in) .{1,60}:?$"
    r"|(?:get|receive) .{1,80}\b(?:inbox|newsletter|briefing)\b|sign up (?:for|to)\b|subscribe (?:to|for|now|today)\b"
    r"|support (?:(?:independent|our|quality|local|public) )+(?:journalism|work|newsroom|reporting)"
    r"|comments?(?: \(\d+\))? (?:are|is) (?:now )?closed|(?:do you )?have an opinion on\b"
    r"|if you (?:enjoyed|liked) (?:this|the)\b|(?:additional |further )?(?:reporting|editing) by\b"
    r"(?!.*\b(?:show|found|find|sa[iy]|suggest|reveal))"
    r"|(?:media|press|investor)(?: and \w+| relations)? (?:contact|inquir|enquir)"
    r"|(?:corrections?|clarification)\s?(?:[,:(–—]|$)|(?:an|this|the) (?:earlier|previous) version of this\b"
    r"|repl(?:ies|y) (?:go|come|to)\b|(?:write|e-?mail) (?:to )?us\b|drop us a line|filed under\b"
    r"|posted (?:by\b|in\s?:)|tags\s?:|next (?:week|month|time|episode|issue)\s?:",
    _I,
)
_ANYWHERE = re.compile(
    r"\((?:(?:file )?photo(?:graph)?|image|picture|illustration|graphic|credit)s?\s?[:/].{2,80}\)\W*$"
    r"|\breach (?:him|her|them|me) (?:at|on)\b|\b(?:are|is) produced by\b|\bleave us a (?:rating|review)\b"
    r"|\bcontains forward-looking statements\b|\bundertakes? no (?:obligation|duty) to\b|\ball rights reserved\b",
    _I,
)
_WRITER = re.compile(
    rf"{_NAME} (?:is|was|writes|covers|reports|works)\b(?=.{{0,120}}\b(?:columnist|reporter|correspondent|writer"
    r"|freelance|contribut\w+|editor|author of|journalist|covers|reports on|writes about)\b)"
)
_SPEAKS = re.compile(r"[“\"]|\b(?:said|says|told)\b")
_SEPARATED = re.compile(r"\s[›»·•|→]\s")
_LEADS = re.compile(r"(?:read|most|more|related|see|watch|also)\b.{0,60}$", _I)  # to a list of other texts


def aside(document: Document, blocks: list[int], texts: list[str]) -> set[int]:
    """The numbers of blocks that are no part of the text. `blocks` and `texts` are of its sentences."""
    return adverts(document, blocks, texts) | _appendices(document) | _furniture(document)


def adverts(document: Document, blocks: list[int], texts: list[str]) -> set[int]:
    """Blocks that advertise: those that name a sponsor, and the rest of a short part, or of one that is announced.

    A part lies between headings and ruled lines. What is announced goes on to the next ruled line; without such lines
    it stands under the heading that follows at once.
    """
    found = {block for block, text in zip(blocks, texts, strict=True) if cues.SPONSOR.search(text)}
    headings = [number for number, block in enumerate(document.blocks) if block.kind == "heading"]
    count = len(document.blocks)
    edges = sorted({*headings, *document.parts, count})
    parts = [(a, b, _MOST_ADVERT) for a, b in pairwise(edges) if not found.isdisjoint(range(a, b))]
    ends, above = document.parts or tuple(headings), set(headings)
    begins: dict[int, int] = {}  # of each end the first that is announced before it, so that no two hold the same text
    for number, text in zip(blocks, texts, strict=True):
        if cues.ANNOUNCED.match(text) and (document.parts or number + 1 in above):
            at = bisect.bisect(ends, number if document.parts else number + 1)
            begins.setdefault(ends[at] if at < len(ends) else count, number)
    for heading, behind in pairwise(edges):
        block = document.blocks[heading]
        if block.kind == "heading" and cues.ANNOUNCED.match(document.text[block.start : block.end]):
            parts.append((heading, behind, _MOST_ANNOUNCED))
    for first, behind, most in parts + [(at, end, _MOST_ANNOUNCED) for end, at in begins.items()]:
        span = document.text[document.blocks[first].start : document.blocks[behind - 1].end]
        if len(span.split()) <= most:
            found.update(range(first, behind))
    return found


def _appendices(document: Document) -> set[int]:
    """Blocks under headings such as "References" or "Housekeeping": lists of links, notices, credits."""
    found: set[int] = set()
    is_aside = False
    for number, block in enumerate(document.blocks):
        if block.kind == "heading":
            is_aside = bool(cues.APPENDIX.match(document.text[block.start : block.end]))
        elif is_aside:
            found.add(number)
    return found


def _furniture(document: Document) -> set[int]:
    """Short blocks around the text: bylines, dates, captions, ways to go on, calls to subscribe, who wrote it.

    Of a line that leads to other texts also the list under it.
    """
    found: set[int] = set()
    leads_on = False
    for number, block in enumerate(document.blocks):
        text = document.text[block.start : block.end]
        if block.kind == "heading":
            leads_on = False
        elif leads_on and block.kind == "item":
            found.add(number)
        elif leads_on := block.speaker is None and _is_furniture(text, number, block, len(document.blocks)):
            found.add(number)
            leads_on = _LEADS.match(text) is not None
    return found


def _is_furniture(text: str, number: int, block: Block, count: int) -> bool:
    words = len(text.split())
    if words > _MOST_FURNITURE or block.kind in ("table", "code"):
        return False
    if number < _OPENING and _BYLINE.match(text):
        return True
    if number >= _END * count and _WRITER.match(text) and not _SPEAKS.search(text):
        return True
    parts = _SEPARATED.split(text)
    if len(parts) > 2 and all(len(part.split()) <= 6 for part in parts):
        return True
    return bool(_AROUND.match(text) or _ANYWHERE.search(text))
