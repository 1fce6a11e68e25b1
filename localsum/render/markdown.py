"""Blocks as Markdown (CommonMark). Text from outside stays text: it cannot make a link, a list, a heading or HTML."""

from __future__ import annotations

import re
from collections.abc import Iterable

from localsum.render.outline import Block, Entry, Fact, Heading, Paragraph, Quotation

# Only what would have a meaning where it stands, so that prose keeps its hyphens, brackets and underscores.
_MEANING = re.compile(
    r"[\\`*|]"
    r"|(?<![^\W_])_|_(?![^\W_])"  # not inside a word
    r"|<(?=[^ ])"  # a tag or an address
    r"|&(?=[#\w]{1,40};)"  # an entity
    r"|(?<=[^ ])~"  # the end of a strike-through, and a fence
    r"|\](?=[(\[:])|\[(?=\[)|^\[(?=[ xX]\])"  # a link or its definition, a wiki link, a task
    r"|^>|^[-+](?=[ -]|$)|^#(?=#{0,5}(?: |$))"  # a block quote, list or rule, heading
    r"|(?<= )#(?=#*$)"  # the closing marks of a heading
)
_NUMBER = re.compile(r"^(\d{1,9})([.)])(?= |$)")


def to_markdown(blocks: Iterable[Block]) -> str:
    """The blocks as a Markdown document, ending in a newline."""
    text = ""
    previous: Block | None = None
    for block in blocks:
        if isinstance(block, Fact) and not isinstance(previous, Fact):
            text += "\n---\n"
        if previous is not None:
            tight = isinstance(block, Entry) and block.short and isinstance(previous, Entry) and previous.short
            text += "" if tight else "\n"
        text += _block(block) + "\n"
        previous = block
    return text


def escape(text: str) -> str:
    """One line of outside text so that Markdown shows it as it is, wherever a line may begin."""
    return _NUMBER.sub(r"\1\\\2", _MEANING.sub(r"\\\g<0>", text))


def _block(block: Block) -> str:
    match block:
        case Heading(text, level):
            return f"{'#' * level} {escape(text)}"
        case Paragraph(text, note):
            return escape(text) + (f"\n\n{escape(note)}" if note else "")
        case Entry(text, number, category, lines):
            marker = "- " if number is None else f"{number}. "
            category_line = [f"*{escape(category)}*"] if category else []
            paragraphs = [escape(text), *category_line, *(escape(line) for line in lines)]
            return marker + f"\n\n{' ' * len(marker)}".join(paragraphs)
        case Quotation(text, speaker):
            return f"> {escape(text)}" + (f" — {escape(speaker)}" if speaker else "")
        case Fact(label, text):
            return f"{label}: {escape(text)}"
