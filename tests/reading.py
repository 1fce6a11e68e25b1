"""How the tests of the readers read: every document that comes out is checked for what documents promise."""

from __future__ import annotations

import pytest

from localsum.document import Document
from localsum.errors import InputError
from localsum.readers import read_bytes
from localsum.sentences import PROSE, sentences

PROSE_TEXT = "Northwind opened a laboratory in Oslo on Monday. It has forty people, and it wants more of them by May."


def read(text: str | bytes, path: str | None = None, format_in: str | None = None) -> Document:
    document = read_bytes(text if isinstance(text, bytes) else text.encode(), path=path, format_in=format_in)
    check(document)
    return document


def check(document: Document) -> None:
    text, at = document.text, 0
    for block in document.blocks:
        assert at <= block.start < block.end <= len(text)
        assert text[block.start : block.end] == text[block.start : block.end].strip()
        assert (block.level > 0) == (block.kind == "heading")
        at = block.end
    assert document.blocks
    assert "\r" not in text
    assert not any(char in text for char in "\x00\x1b\u200b\u202e\u00ad\u00a0\ufeff")
    held: dict[int, str] = {}
    last = 0
    for one in sentences(document):
        block = document.blocks[one.block]
        assert max(last, block.start) <= one.start < one.end <= block.end
        held[one.block] = held.get(one.block, "") + text[one.start : one.end]
        last = one.end
    for number, block in enumerate(document.blocks):
        if block.kind in PROSE:
            assert "".join(held[number].split()) == "".join(text[block.start : block.end].split())


def blocks(document: Document) -> list[tuple[str, str]]:
    return [(block.kind, document.text[block.start : block.end]) for block in document.blocks]


def spoken(document: Document) -> list[tuple[str | None, str]]:
    return [(block.speaker, document.text[block.start : block.end]) for block in document.blocks]


def or_none(data: bytes, path: str | None = None, format_in: str | None = None) -> Document | None:
    """The document, or None where reading failed as it may: with an InputError that has a hint."""
    try:
        return read_bytes(data, path=path, format_in=format_in)
    except InputError as error:
        return None if error.hint else pytest.fail("an error without a hint")
