"""From the text or the pieces of one article to its `Document`. Knows text, Markdown and HTML; no files.

A reader makes a `Draft`; one whose input holds many documents hands out a `Part` for each, so that a broken one is
found only when its turn comes and harms no other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from localsum.document import Document
from localsum.readers import markdown, plain
from localsum.readers.decode import UnreadableError, clean, decode
from localsum.readers.formats import is_html, is_markdown
from localsum.readers.meta import Meta, front_matter
from localsum.readers.pieces import Piece, assemble, with_headings, with_speakers, without_stamps
from localsum.readers.transcript import prepare

MAX_MARKDOWN = 1_000_000  # characters; a longer text is read as plain text, whatever its markup
NOTHING = Meta()  # what most texts say of themselves
EMPTY_HINT = "name a file with text in it: localsum read FILE"


class Wanted(NamedTuple):
    """What the user said of the input: the names of the columns of CSV and JSONL, None to find out."""

    text_field: str | None = None
    title_field: str | None = None
    id_field: str | None = None


_NO_PROSE = 6  # words
# What a text is, above its title.
_KINDS = re.compile(
    r"(?:for immediate release|(?:press|news|media) release|opinion|comment|analysis|exclusive|feature|interview)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Draft:
    """A document whose text is still in pieces. `id` is what its source calls it among others."""

    pieces: Sequence[Piece]
    meta: Meta = NOTHING
    warnings: Sequence[str] = ()
    format: str | None = None  # where it is not that of the whole input
    id: str | None = None


Part = Callable[[], Draft]


def to_document(draft: Draft, *, path: str | None, form: str) -> Document:
    """The document of a draft. Raises UnreadableError where only markup is in it."""
    body, blocks = assemble(draft.pieces)
    if not any(re.search(r"\w", body[block.start : block.end]) for block in blocks):
        raise UnreadableError("has no readable text", EMPTY_HINT)
    meta = draft.meta
    return Document(
        body,
        blocks,
        path,
        draft.format or form,
        meta.title or _title(draft.pieces),
        meta.author,
        meta.published,
        meta.url,
        meta.language,
        tuple(draft.warnings),
    )


def text_parts(data: bytes, form: str) -> Iterator[Part]:
    """The one part of a plain or Markdown text."""

    def part() -> Draft:
        text, warnings = decode(data)
        return text_draft(text, form, warnings)

    yield part


def text_draft(text: str, form: str, warnings: Sequence[str] = ()) -> Draft:
    """The draft of a clean text in the format "text" or "markdown"."""
    if form == "markdown" and len(text) > MAX_MARKDOWN:
        warnings = [*warnings, "too long to be read as Markdown: read as plain text"]
        form = "text"
    meta = Meta()
    if form == "markdown":
        meta, text = front_matter(text)
    text, speakers = prepare(text)
    pieces = markdown.parse(text, speakers) if form == "markdown" else plain.parse(text, speakers)
    pieces = with_headings(without_stamps(with_speakers(pieces, speakers)))
    return Draft(pieces, meta, warnings, form)


def marked_draft(pieces: Sequence[Piece], meta: Meta, warnings: Sequence[str] = ()) -> Draft:
    """The draft of pieces that were marked up (HTML): who speaks in them, and which are headings, is found here."""
    lines = [piece.text.replace("\n", " ") if piece.kind == "paragraph" else "" for piece in pieces]
    _, speakers = prepare("\n".join(lines))
    return Draft(with_headings(without_stamps(with_speakers(pieces, speakers))), meta, warnings)


def inner_draft(text: str) -> Draft:
    """The draft of a text that came inside another format: plain, Markdown or HTML, as it looks."""
    if is_html(text):
        from localsum.readers.html import page_draft

        return page_draft(text)
    text, _ = clean(text)
    return text_draft(text, "markdown" if is_markdown(text) else "text")


def with_title_as_text(draft: Draft) -> Draft:
    """The draft; of a mail or an entry of a feed that is nothing but its title, with that as its text."""
    if draft.meta.title and not any(re.search(r"\w", piece.text) for piece in draft.pieces):
        return Draft([Piece(draft.meta.title)], draft.meta, draft.warnings, draft.format, draft.id)
    return draft


def _title(pieces: Sequence[Piece]) -> str | None:
    """The highest heading above the first prose; a few words, such as those of a page's navigation, are none."""
    found: Piece | None = None
    for piece in pieces:
        if piece.kind != "heading":
            if found is None and len(piece.text.split()) <= _NO_PROSE and piece.text[-1:] not in ".!?…":
                continue
            break
        is_kind = _KINDS.fullmatch(piece.text.strip()) is not None
        if found is None or (piece.level < found.level and not is_kind) or _KINDS.fullmatch(found.text.strip()):
            found = piece
    return found.text[:300] if found else None
