"""What stands in pages, mails and feeds beside the text: sharing, subscribing, cookies, credits. Knows pieces only.

Rules look at short lines from their beginning to their end, so that a sentence about cookies stays.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from localsum.readers.pieces import Piece

MAX_WORDS = 40  # of what these rules may remove
MAX_CHARACTERS = 400
FOOTER_SHARE = 0.5  # a mail's footer is looked for behind this share of its text

_ACT = (
    r"(?:share|tweet|e-?mail|print|pin(?: it)?|like|save|comments?|reply|forward|bookmark|copy link|facebook|twitter|x|"
    r"linkedin|whatsapp|reddit|telegram|pinterest|flipboard|instagram|mastodon|bluesky|threads)"
)
_AGENCY = r"(?:Getty(?: Images)?|Reuters|AP(?: Photo)?|AFP|Shutterstock|Unsplash|EPA|Bloomberg|iStock|Alamy|dpa)"
_PICTURE = r"(?:photo(?:graph)?s?|image|picture|illustration|video|credits?|bild|foto)"
_RULES = (
    # sharing
    rf"{_ACT}(?:[\s,|/·•&]+(?:and |on |via |to |by )?(?:{_ACT}|this))*"
    r"(?: (?:article|story|post|page|link|issue|newsletter))?",
    r"(?:share|forward|e-?mail|send|print|save|like) (?:this|it)\b.{0,60}",
    r"follow(?: (?:us|me|@\w+))?(?: on\b.{0,60})?|skip to\b.{0,40}",
    r"follow .{1,100} on (?:facebook|twitter|instagram|x|linkedin|bluesky|threads)\b.{0,100}|have a tip\?.{0,150}",
    # going on elsewhere
    r"(?:read (?:more|also|next)|related|see also|also (?:read|see))\s?:.{1,200}",
    r"(?:read|see|view|show|load|learn|find out) (?:more|the (?:full|whole|rest|original)|full|on|all)\b.{0,60}",
    r"continue reading\b.{0,60}|keep reading|more|\[?link\]?|\[?comments\]?|permalink|via|source",
    r"(?:click|tap) (?:here|on|the|to)\b.{0,100}|.{0,80}[|·]\s*(?:read|view|see|continue)\b.{0,40}",
    r"(?:view|read|open|see) (?:this |it |the )?(?:(?:e-?mail|newsletter|message|post|issue) )?(?:in|on) "
    r"(?:your |a |the )?(?:web|browser|online|app)\b.{0,60}",
    r"(?:story |article )?continues? below.{0,40}|scroll (?:down|to continue)\b.{0,40}",
    r"(?:related|recommended|trending|popular|most (?:read|popular|viewed)|more (?:from|on|in|about)|"
    r"also (?:read|see|on)|"
    r"read (?:also|next)|see also|you (?:may|might) (?:also )?like|up next|don['’]t miss|mehr zum thema|"
    r"lesen sie auch)\b.{0,120}",
    r"(?:[\[(](?:link|\d{0,6}\s?comments?)[\])]\s*)+|submitted by .{1,60}|the post .{1,250} appeared first on .{1,100}",
    r"<?https?://\S+>?",
    # advertising and subscribing
    r"advertisement|advert|anzeige|werbung|publicité|publicidad|sponsored(?: (?:content|by\b.{0,60}))?|promoted|ad",
    r"[-=*~]{2,}\s?advert\w{0,12}\s?[-=*~]{2,}",
    r"(?:sign up|subscribe|register|log in|sign in|join now|get (?:our|the|your))\b"
    r"(?=.{0,120}(?:newsletters?|inbox|e-?mails?|account|alerts?)\b).{0,160}",
    r"subscribe|sign up|sign in|log in|login|register",
    # cookies
    r"(?:we|(?:this|our) (?:web)?site|our partners)\b.{0,60}\bcookies?\b.{0,300}",
    r"(?:accept|reject|manage) (?:all|cookies|preferences)\b.{0,40}",
    r"by (?:continuing|using|clicking)\b.{0,200}\b(?:cookies|terms|policy)\b.{0,100}",
    # credits
    rf"{_PICTURE}(?: credits?| courtesy)?(?: by| courtesy of|:| –| -)\s?.{{1,120}}",
    r"(?:photo|image|picture|illustration) (?:by|via|from|courtesy|:).{1,120}",
    rf".{{0,250}}[/|(©]\s{{0,2}}{_AGENCY}\b[^.]{{0,40}}",
    r"(?:all rights reserved|©|\(c\) |copyright\b)(?=.{0,120}(?:20|19)\d\d|.{0,80}rights reserved|\W*$).{0,200}",
    r"(?:additional )?(?:reporting|writing) by .{1,350}",
    r"(?:source|filed under|tags?|posted in|categories|topics)\s?:.{1,60}",
    r"\d{1,3}\s?-?min(?:ute)?s? read|(?:estimated )?reading time\b.{0,30}",
)
_WHOLE = re.compile(rf"[\[(]?(?:{'|'.join(_RULES)})[\])]?[\s.:!…»>→›|]*", re.IGNORECASE)
_LONG_ADDRESS = re.compile(r" ?\bhttps?://[^\s<>\"]{80,5000}")
_FOOTER = re.compile(
    r"unsubscribe|opt[ -]out|manage (?:your )?(?:e-?mail |newsletter )?(?:subscriptions?|preferences)|"
    r"(?:update|change|edit) (?:your )?(?:(?:e-?mail|newsletter|subscription|profile) ){0,2}"
    r"(?:preferences|subscriptions?|profile|address)|"
    r"(?:you(?:'re|’re| are| have)? (?:currently )?(?:receiv(?:ed|ing)|subscribed|getting) (?:this|to|it|our))|"
    r"to (?:be removed|stop receiving|cancel|leave (?:this|the) list)|why (?:did|am) i (?:get|getting|receiv)|"
    r"e-?mail address for your subscription|privacy (?:policy|statement)|"
    r"this (?:e-?mail|message|newsletter) was sent|abbestellen|abmelden",
    re.IGNORECASE,
)


def without_boilerplate(pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces without those, and without those lines of them, that only serve the page around the text.

    Long addresses go from the lines that stay.
    """
    kept: list[Piece] = []
    for piece in pieces:
        text = piece.text
        if piece.kind not in ("table", "code"):
            lines = [_LONG_ADDRESS.sub("", line).strip() for line in text.split("\n") if not is_boilerplate(line)]
            text = "\n".join(line for line in lines if line)
        if text:
            kept.append(piece if text == piece.text else replace(piece, text=text))
    return kept


def is_boilerplate(line: str) -> bool:
    """Whether a line is a call to share or subscribe, a cookie notice, a picture's credit or the like."""
    if not re.search(r"\w", line):
        return True
    short = len(line) <= MAX_CHARACTERS and len(line.split()) <= MAX_WORDS
    return short and _WHOLE.fullmatch(line.strip()) is not None


def without_footer(pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces of a mail without its footer, and without what is said elsewhere about unsubscribing."""
    whole = sum(len(piece.text) for piece in pieces)
    kept: list[Piece] = []
    seen = 0
    for piece in pieces:
        seen += len(piece.text)
        if piece.kind != "code" and len(piece.text.split()) <= 2 * MAX_WORDS and _FOOTER.search(piece.text):
            if seen > FOOTER_SHARE * whole:
                break
            continue
        kept.append(piece)
    while kept and kept[-1].kind == "heading":
        kept.pop()
    return kept
