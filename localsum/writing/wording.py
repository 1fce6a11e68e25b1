"""How a sentence of the document is put before a reader: its own words, less what only leads on or stutters.

Patterns only; which sentences are shown is decided elsewhere.
"""

from __future__ import annotations

import re

from localsum.writing import cues

_SPACED = re.compile(r"\s+([,.;:?!](?=\s|$))")


def opening(text: str) -> str:
    """A sentence shown without the one before it: without its connectives, and without "That means"."""
    text = cues.without_connective(text)
    if match := cues.EXPLICIT_CONSEQUENCE.match(text):
        text = text[match.end() : match.end() + 1].upper() + text[match.end() + 1 :]
    return text


def fluent(text: str) -> str:
    """Transcribed speech without "uh", "{vocalsound}" and "the the", other text without its reference marks."""
    text = cues.ADDRESS.sub("", cues.REFERENCE.sub("", text.lstrip("*†‡ ")))
    text = text[:1].upper() + text[1:]
    if not cues.FILLER.search(text) and not _SPACED.search(text):
        return text
    text = re.sub(r"\s+", " ", cues.FILLER.sub(" ", text)).strip(" ,")
    text = cues.STUTTER.sub(r"\1", _SPACED.sub(r"\1", text))
    text = cues.without_connective(text)
    return text[:1].upper() + text[1:]


def closed(text: str) -> str:
    """With a stop at the end, and a quotation that goes on in the source ended where the sentence ends."""
    text = text if text[-1:] in ".!?…”\"'’)]。！？" else text.rstrip(" ,;:–—-") + "."
    if cues.opens_quotation(text):
        text += "”" if "“" in text else '"'
    return text
