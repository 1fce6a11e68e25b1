"""Blocks as Markdown (CommonMark). Text from outside stays text: it cannot make a link, a list, a heading or HTML."""

from __future__ import annotations

import re
from collections.abc import Iterable

from localsum.render.clean import one_line, to_ascii
from localsum.render.outline import (
    COLUMNS,
    UNTOLD,
    Block,
    Entry,
    Fact,
    Heading,
    NumberRow,
    Paragraph,
    Quotation,
    Remark,
    Support,
    in_ascii,
)

# Only what would have a meaning where it stands, so that prose keeps its hyphens, brackets and underscores.
_MEANING = re.compile(
    r"[\\`*|]"
    r"|(?<![^\W_])_|_(?![^\W_])"  # not inside a word
    r"|<(?=[^ ])"  # a tag or an address
    r"|&(?=[#\w]{1,40};)"  # an entity
    r"|(?<=[^ ])~"  # the end of a strike-through, and a fence
    r"|\](?=[(\[:])|\[(?=[\[^])|\^(?=\[)|^\[(?=[ xX]\])"  # a link or its definition, a wiki link, a footnote, a task
    r"|^>|^[-+](?=[ -]|$)|^#(?=#{0,5}(?: |$))"  # a block quote, list or rule, heading
    r"|(?<= )#(?=#*$)"  # the closing marks of a heading
)
_NUMBER = re.compile(r"^(\d{1,9})([.)])(?= |$)")


def to_markdown(blocks: Iterable[Block], source: str | None = None, *, unicode: bool = True) -> str:
    """The blocks as a Markdown document, ending in a newline; `unicode` False: in ASCII.

    With `source`, the text that their spans point into, what each claim rests on is in footnotes, numbered as they
    come. A heading gets none, since others make its name of it, and a quotation needs none.
    """
    text = ""
    previous: Block | None = None
    numbers: dict[str, int] = {}  # of the texts of evidence
    for block in blocks if unicode else map(in_ascii, blocks):
        if isinstance(block, Fact) and not isinstance(previous, Fact):
            text += "\n---\n"
        if previous is not None:
            tight = isinstance(block, Entry) and block.short and isinstance(previous, Entry) and previous.short
            text += "" if tight or (isinstance(block, NumberRow) and isinstance(previous, NumberRow)) else "\n"
        if isinstance(block, NumberRow) and not isinstance(previous, NumberRow):
            text += f"| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}\n"
        shown = _block(block, "" if source is None else _references(block, source, numbers)) + "\n"
        text += shown if unicode else to_ascii(shown)  # the dash before a speaker
        previous = block
    if source is not None and numbers:
        show = str if unicode else to_ascii
        notes = (f"[^{number}]: {escape(show(evidence))}\n" for evidence, number in numbers.items())
        text += "\n" + "\n".join(notes)
    return text


def escape(text: str) -> str:
    """One line of outside text so that Markdown shows it as it is, wherever a line may begin."""
    return _NUMBER.sub(r"\1\\\2", _MEANING.sub(r"\\\g<0>", text))


def _references(block: Block, source: str, numbers: dict[str, int]) -> str:
    """The marks of a block's footnotes; evidence that was not mentioned before gets the next number."""
    if not isinstance(block, Paragraph | Entry | NumberRow):
        return ""
    held = (one_line(source[max(0, span.start) : max(0, span.end)]) for span in block.support.evidence)
    return "".join(f"[^{numbers.setdefault(text, len(numbers) + 1)}]" for text in dict.fromkeys(held) if text)


def _block(block: Block, references: str) -> str:
    match block:
        case Heading(text, level, support):
            return f"{'#' * level} {escape(text)}" + "".join(f"\n\n{line}" for line in _note(support))
        case Paragraph(text, support):
            return "\n\n".join([_cited(text, references), *_note(support)])
        case Entry(text, number, category, lines, support):
            marker = "- " if number is None else f"{number}. "
            category_line = [f"*{escape(category)}*"] if category else []
            labelled = (escape(f"{label}: {line}") for label, line in lines)
            paragraphs = [_cited(text, references), *category_line, *labelled, *_note(support)]
            return marker + f"\n\n{' ' * len(marker)}".join(paragraphs)
        case Quotation(text, speaker):
            return f"> {escape(text)}" + (f" — {escape(speaker)}" if speaker else "")
        case NumberRow(figure, text, support):
            told = [_cited(text, references) if text else f"({UNTOLD}){references}", *_note(support)]
            return f"| {escape(figure)} | {' '.join(told)} |"
        case Remark(text):
            return escape(f"({text})")
        case Fact(label, text):
            return f"{label}: {escape(text)}"


def _cited(text: str, references: str) -> str:
    shown = escape(text)
    if references and shown.endswith(("]", "^")):  # with the mark it would be a link or a note of its own
        shown = f"{shown[:-1]}\\{shown[-1]}"
    return shown + references


def _note(support: Support) -> list[str]:
    return [escape(f"({support.note})")] if support.note else []
