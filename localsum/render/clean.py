"""Text from outside made safe to show: no control characters, no escape sequences, no bidirectional overrides.

Knows nothing of briefs. Everything that shows text of an article or a model on a terminal passes through `clean` or
`one_line`. The JSON form does not need them, it escapes instead.
"""

from __future__ import annotations

import re
import unicodedata

# Every alternative begins with ESC and none can run over another control character, so the search is linear.
_ESCAPE = re.compile(
    r"\x1b\[[0-?]*+[ -/]*+[@-~]?+"  # colours, cursor movement
    r"|\x1b[\]PX^_][^\x00-\x1f\x7f-\x9f]*+(?:\x07|\x1b\\)"  # titles, hyperlinks, device strings
    r"|\x1b[ -/]*+[0-~]?+"  # everything else, and a lone ESC
)
_LINE_END = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_LINE_END_CHARACTER = re.compile("[\r\x0b\x0c\x85\u2028\u2029]")
_HIDDEN = re.compile(
    "["
    "\x00-\x08\x0e-\x1f\x7f-\x9f"  # controls but tab and line ends
    "\xad\ufeff"  # soft hyphen and byte order mark: shown or not as the terminal likes
    "\u202a-\u202e\u2066-\u206f"  # bidirectional embeddings, overrides and isolates, old format controls
    "\ufff9-\ufffb\U000e0000-\U000e007f"  # annotations and tags, which hide text
    "]"
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_BLANKS = re.compile(r"[ \t\n]+")

# What ASCII says for the characters that prose needs; other letters lose their marks, the rest becomes "?".
_ASCII = str.maketrans(
    {
        **dict.fromkeys("“”„‟«»″", '"'),
        **dict.fromkeys("‘’‚‛‹›′", "'"),
        **dict.fromkeys("‐‑‒–−•·─", "-"),
        **dict.fromkeys("—―", "--"),
        "→": "->",
        "←": "<-",
        "×": "x",
        "÷": "/",
        "≈": "~",
        "≤": "<=",
        "≥": ">=",
        "€": "EUR",
        "£": "GBP",
        "ß": "ss",
        "æ": "ae",
        "Æ": "AE",
        "œ": "oe",
        "Œ": "OE",
        "ø": "o",
        "Ø": "O",
        "ł": "l",
        "Ł": "L",
    }
)


def clean(text: str) -> str:
    """`text` without control characters, terminal escape sequences and direction overrides.

    Tabs stay, all line ends become newlines, and lone surrogates U+FFFD: the result can always be encoded as UTF-8.
    """
    text = _LINE_END.sub("\n", _ESCAPE.sub("", text))
    return _SURROGATE.sub("\ufffd", _HIDDEN.sub("", text))


def visible(text: str) -> str:
    """`text` without control characters and direction overrides, for where nothing obeys escape sequences.

    Each character is treated by itself, so the parts of a text may be shown one by one.
    """
    return _SURROGATE.sub("\ufffd", _HIDDEN.sub("", _LINE_END_CHARACTER.sub("\n", text)))


def one_line(text: str) -> str:
    """`clean` text on one line, each run of blanks a single space; no-break spaces inside stay."""
    return _BLANKS.sub(" ", clean(text)).strip()


def to_ascii(text: str) -> str:
    """`text` in ASCII: typographic characters by their plain forms, accents dropped, "?" for what has no form."""
    if text.isascii():
        return text
    plain = unicodedata.normalize("NFKD", text.translate(_ASCII))
    kept = (c for c in plain if c.isascii() or unicodedata.category(c) not in ("Mn", "Me", "Cf"))
    return "".join(c if c.isascii() else "?" for c in kept)
