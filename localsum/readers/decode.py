"""Bytes to clean text: which encoding, what cannot be shown, which line ends. Knows nothing of formats.

Clean text holds only characters that a person can see, plain spaces, tabs and "\\n". Whatever had to be replaced or
removed is told in a sentence for `Document.warnings`.
"""

from __future__ import annotations

import codecs
import re

SAMPLE_BYTES = 64 * 1024  # what the encoding is guessed from
MOSTLY_BINARY = 0.005  # share of control characters above which a file is no text

_BOMS = (  # UTF-32 first: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_MAGIC = ((b"%PDF-", "a PDF"), (b"PK\x03\x04", "a ZIP, Word or EPUB file"), (b"{\\rtf", "an RTF file"))
# Guessed encodings; those of one family look alike to the guesser, so only the usual ones stand for election.
_ENCODINGS = [
    "cp1252",
    "cp1250",
    "cp1251",
    "koi8_r",
    "cp1253",
    "cp1254",
    "shift_jis",
    "euc_jp",
    "gb18030",
    "big5",
    "euc_kr",
]
_NAMES = {"cp1250": "windows-1250", "cp1251": "windows-1251", "cp1252": "windows-1252", "cp1253": "windows-1253",
          "cp1254": "windows-1254"}  # fmt: skip

_NOT_FROM_OUTSIDE = ("utf-7", "idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem")

_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_SPACES = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
# Colours and cursor moves of a terminal, and strings meant for it: titles, links.
_TERMINAL = re.compile(r"\x1b\[[0-9;?]{0,32}[ -/]{0,4}[@-~]|\x1b[\]PX^_][^\x00-\x1f\x7f-\x9f]{0,1000}(?:\x07|\x1b\\)")
_HIDDEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
)
# Joiners matter between letters of some scripts and inside emoji; next to Latin letters and spaces they only hide.
_JOINERS = re.compile("(?<![^\x00-\u024f\u2000-\u206f])[\u200c\u200d]+|[\u200c\u200d]+(?![^\x00-\u024f\u2000-\u206f])")
_BLANK_LINES = re.compile(r"\n(?:[ \t]*+\n){3,}+")


class UnreadableError(Exception):
    """Why there is no document: what is said after the name of the input, and what to do next."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


def decode(data: bytes, declared: str | None = None) -> tuple[str, list[str]]:
    """The clean text of a file and the warnings about it. Raises UnreadableError where there is no text to read.

    `declared` is the encoding that the data says it has; UTF-8 that is valid is believed more.
    """
    text, warnings = raw_text(data, declared)
    text, removed = clean(text)
    if not text or text.isspace():
        raise UnreadableError("is empty", "name a file with text in it: localsum read FILE")
    return text, [*warnings, *of_removed(removed)]


def of_removed(characters: int) -> list[str]:
    """The warning about characters that `clean` removed, if it did."""
    if not characters:
        return []
    were = "character that cannot be shown was" if characters == 1 else "characters that cannot be shown were"
    return [f"{characters} {were} removed"]


def raw_text(data: bytes, declared: str | None = None) -> tuple[str, list[str]]:
    """The text of a file as it is written, for formats in which line ends mean something. Raises as `decode`."""
    for magic, what in _MAGIC:
        if data.startswith(magic):
            raise UnreadableError(f"is {what}, not text", "save it as plain text or Markdown, then: localsum read FILE")
    text, warnings = _to_text(data, declared)
    controls = 0 if _is_plain(text) else len(re.findall("[\x00-\x08\x0e-\x1a\x7f]", text))
    if controls > MOSTLY_BINARY * len(text):
        raise UnreadableError(
            "is not text (it holds control characters)",
            "name one of the formats that are read: localsum read FILE",
        )
    return text, warnings


def clean(text: str) -> tuple[str, int]:
    """Clean text, and how many characters were removed because they cannot be shown."""
    if _is_plain(text):
        return _BLANK_LINES.sub("\n\n\n", text), 0
    text, escapes = _TERMINAL.subn("", text)
    text = _LINE_ENDS.sub("\n", text)
    text = _SPACES.sub(" ", text)
    text, hidden = _HIDDEN.subn("", text)
    text, joiners = _JOINERS.subn("", text)
    return _BLANK_LINES.sub("\n\n\n", text), escapes + hidden + joiners


def _is_plain(text: str) -> bool:
    """Whether there is nothing to clean but blank lines: a quick look at the usual case."""
    return text.replace("\n", "").replace("\t", "").isprintable()


def _to_text(data: bytes, declared: str | None) -> tuple[str, list[str]]:
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _counted(
                data[len(mark) :].decode(encoding, "replace"), [] if encoding == "utf-8" else [encoding[:6]]
            )
    wide = _utf16_without_mark(data)
    if wide:
        return _counted(data.decode(wide, "replace"), ["utf-16"])
    codec = _known(declared)
    try:
        return data.decode("iso-2022-jp" if codec == "iso2022_jp" else "utf-8"), []
    except UnicodeDecodeError:
        text = data.decode("utf-8", "replace")
    if codec not in (None, "utf-8", "iso2022_jp"):
        return _counted(data.decode(codec or "", "replace"), [])
    beyond_ascii = len(re.findall("[^\x00-\x7f]", text))
    if text.count("\ufffd") * 10 <= beyond_ascii:  # UTF-8 with a few broken bytes
        return _counted(text, [])
    encoding = _guess(data)
    return _counted(data.decode(encoding, "replace"), [_NAMES.get(encoding, encoding)])


def _known(declared: str | None) -> str | None:
    """The codec of a declared encoding, if it is one of text; what says Latin-1 or ASCII is Windows-1252."""
    try:
        info = codecs.lookup((declared or "").strip())
    except (LookupError, ValueError):
        return None
    if not info._is_text_encoding or info.name in _NOT_FROM_OUTSIDE:  # base64, rot13 and the like
        return None
    return "cp1252" if info.name in ("iso8859-1", "ascii") else info.name


def _counted(text: str, read_as: list[str]) -> tuple[str, list[str]]:
    warnings = [f"read as {name}" for name in read_as]
    broken = text.count("\ufffd")
    if broken:
        warnings.append(f"{broken} broken {'character was' if broken == 1 else 'characters were'} replaced by \ufffd")
    return text, warnings


def _utf16_without_mark(data: bytes) -> str | None:
    """UTF-16 of mostly Latin text has a zero in every other byte."""
    sample = data[:4096]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    half = len(sample) / 2
    if len(data) % 2 == 0 and half >= 8:
        if odd > 0.6 * half and even < 0.05 * half:
            return "utf-16-le"
        if even > 0.6 * half and odd < 0.05 * half:
            return "utf-16-be"
    return None


def _guess(data: bytes) -> str:
    """The likeliest encoding that is not UTF-8, from a sample around the bytes that ASCII lacks."""
    from charset_normalizer import from_bytes

    high = re.search(rb"[\x80-\xff]", data)
    start = high.start() if high else 0
    sample = data[start : start + SAMPLE_BYTES]
    if len(data) > start + SAMPLE_BYTES:  # not to end inside a character
        sample = sample[: max(sample.rfind(b" "), sample.rfind(b"\n")) + 1] or sample
    matches = from_bytes(sample, cp_isolation=_ENCODINGS)
    best = matches.best()
    if best is None:
        return "cp1252"
    for match in matches:  # between equals, the usual one
        equal = match.chaos <= best.chaos and match.coherence >= best.coherence
        if equal and "cp1252" in match.could_be_from_charset:
            return "cp1252"
    return best.encoding
