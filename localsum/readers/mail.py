"""Mail, one message or a mailbox of them: subject, sender, date, and the HTML or the text part. Knows no newsletter.

HTML is preferred: its headings and links are marked, where text parts write addresses out. Attachments are not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import parseaddr
from functools import partial

from localsum.readers.article import EMPTY_HINT, Draft, Part, marked_draft, text_draft, with_title_as_text
from localsum.readers.boilerplate import without_boilerplate, without_footer
from localsum.readers.decode import UnreadableError, clean, decode
from localsum.readers.html import fragment_pieces
from localsum.readers.meta import Meta, meta_of

MAX_PARTS = 1000  # of one message that are looked at
LEAST_SHARE = 0.5  # of the words of the text part that the HTML part must have

_SEPARATOR = re.compile(rb"^From \S[^\n]{0,300}\d\d:\d\d[^\n]{0,100}\n", re.MULTILINE)
_ADDRESS = r"<?\[?\(?\bhttps?://[^\s<>()\[\]]{1,2000}\)?\]?>?"
_ADDRESS_LINE = re.compile(rf"^[^\w\n]{{0,10}}(?:[\w ]{{1,40}}: {{0,3}})?{_ADDRESS}[^\w\n]{{0,10}}$", re.MULTILINE)
_ADDRESS_ASIDE = re.compile(
    r" ?(?:\(https?://[^\s()]{1,2000}\)|<https?://[^\s<>]{1,2000}>|\[https?://[^\s\[\]]{1,2000}\])"
)
_LONG_ADDRESS = re.compile(r"\bhttps?://[^\s<>\"]{80,2000}")
_SIGNATURE = re.compile(r"^-- ?\n", re.MULTILINE)


def parts(data: bytes, *, many: bool) -> Iterator[Part]:
    """The part of a message, or one for each message of a mailbox."""
    if not many:
        yield partial(_draft, data)
        return
    starts = [match.start() for match in _SEPARATOR.finditer(data) if _begins(data, match.start())]
    if not starts:
        raise UnreadableError("is no mailbox", "name one message or a mailbox: localsum read FILE")
    for start, end in zip(starts, [*starts[1:], len(data)], strict=True):
        yield partial(_message, data, start, end)


def _begins(data: bytes, start: int) -> bool:
    """Whether a line that separates messages does: it is the first, or an empty one is before it."""
    return start == 0 or data[max(0, start - 3) : start].replace(b"\r", b"").endswith(b"\n\n")


def _message(data: bytes, start: int, end: int) -> Draft:
    return _draft(re.sub(rb"^>(>{0,20}From )", rb"\1", data[start:end], flags=re.MULTILINE))


def _draft(data: bytes) -> Draft:
    hint = "save the message again, as plain text for instance, then: localsum read FILE"
    try:
        message = message_from_bytes(data, policy=policy.compat32)
        html, text = _bodies(message)
    except (RecursionError, MessageError, LookupError, ValueError, TypeError, AttributeError) as error:
        raise UnreadableError(f"is a message that cannot be read: {type(error).__name__}", hint) from None
    meta = _meta(message)
    pieces = without_footer(fragment_pieces(html)) if html else []
    words = sum(len(piece.text.split()) for piece in pieces)
    if text and words < LEAST_SHARE * len(text.split()):
        draft = text_draft(_without_addresses(text), "text")
        found = without_footer(without_boilerplate(draft.pieces))
        if sum(len(piece.text.split()) for piece in found) > words:
            return with_title_as_text(Draft(found, meta))
    if not pieces and not meta.title:
        raise UnreadableError("has no readable text", EMPTY_HINT)
    return with_title_as_text(marked_draft(pieces, meta))


def _bodies(message: Message) -> tuple[str, str]:
    """The HTML and the plain text of a message, each that of all its parts that are no attachments."""
    html: list[str] = []
    text: list[str] = []
    for number, part in enumerate(message.walk()):
        if number >= MAX_PARTS:
            break
        kind = part.get_content_type()
        if part.is_multipart() or part.get_content_disposition() == "attachment" or not kind.startswith("text/"):
            continue
        payload = part.get_payload(decode=True)
        if not isinstance(payload, bytes) or not payload.strip():
            continue
        try:
            body, _ = decode(payload, part.get_content_charset())
        except UnreadableError:
            continue
        if kind == "text/html":
            html.append(body)
        elif kind == "text/plain":
            text.append(body)
    return "\n".join(html), "\n\n".join(text)


def _meta(message: Message) -> Meta:
    sender = _header(message, "From")
    name, address = parseaddr(sender or "")
    return meta_of(
        {
            "title": _header(message, "Subject"),
            "author": name or address or sender,
            "published": _header(message, "Date"),
            "language": _header(message, "Content-Language"),
        }
    )


def _header(message: Message, name: str) -> str | None:
    """A header as text, its encoded words decoded; broken ones as they stand."""
    raw = message.get(name)
    if raw is None:
        return None
    value = re.sub(r"\s+", " ", str(raw)[:5000])
    try:
        return str(make_header(decode_header(value)))
    except (ValueError, LookupError, MessageError):
        return clean(value)[0]


def _without_addresses(text: str) -> str:
    """A plain text without its signature, and without addresses that stand alone, aside or are long."""
    text = _SIGNATURE.split(text, maxsplit=1)[0] if _SIGNATURE.search(text, len(text) // 2) else text
    return _LONG_ADDRESS.sub("", _ADDRESS_ASIDE.sub("", _ADDRESS_LINE.sub("", text)))
