"""Blocks as lines for a terminal: wrapped, calm, and plain text unless colour is wanted.

Headings stand at the left edge and what belongs to them two columns in, so the form holds without bold type.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import takewhile, zip_longest

from rich.cells import get_character_cell_size

from localsum.brief import Verdict
from localsum.render.clean import to_ascii
from localsum.render.outline import (
    UNTOLD,
    Block,
    Entry,
    Fact,
    Heading,
    NumberRow,
    Paragraph,
    Quotation,
    Remark,
    in_ascii,
)

MEASURE = 88  # columns; longer lines are hard to read, however wide the window
NARROWEST = 20  # columns; below this, lines are longer than the window
_BOLD, _DIM, _RED, _YELLOW, _RESET = "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[33m", "\x1b[0m"
_STYLE: dict[Verdict, str] = {"supported": "", "partial": _YELLOW, "unsupported": _RED}  # of what the checks say
_VARIATION, _JOINER = "\ufe0f", "\u200d"
# Characters of wide scripts that may not begin or end a line.
_NOT_FIRST = frozenset(",.;:!?)]}%、。，．・：；？！）］｝〉》」』】〕”’…ー々")
_NOT_LAST = frozenset("([{（［｛〈《「『【〔“‘")

# A paragraph of a block: text, style, what stands before its first line, and before the others.
_Part = tuple[str, str, str, str]


def to_terminal(blocks: Iterable[Block], *, width: int, color: bool, unicode: bool) -> str:
    """The blocks in lines of at most `width` columns, ending in a newline. ANSI codes only if `color`."""
    width = max(NARROWEST, min(width, MEASURE))
    show = str if unicode else to_ascii
    lines: list[str] = []
    previous: Block | None = None
    indent = ""
    column = 0
    ready = [block if unicode else in_ascii(block) for block in blocks]
    for at, block in enumerate(ready):
        if previous is not None and _gap(previous, block):
            lines.append("")
        if isinstance(block, Heading | Fact):
            indent = ""
        if isinstance(block, NumberRow):
            if not isinstance(previous, NumberRow):
                column = _column(takewhile(lambda one: isinstance(one, NumberRow), ready[at:]), width - len(indent))
            lines += [indent + line for line in _row(block, column, width - len(indent), color=color)]
        for text, style, first, rest in _parts(block):
            first, rest = show(indent + first), indent + rest
            wrapped = wrap(show(text), width - max(cells(first), len(rest)))
            for number, line in enumerate(wrapped):
                styled = f"{style}{line}{_RESET}" if color and style else line
                lines.append((rest if number else first) + styled)
        if isinstance(block, Heading) and block.level > 1:
            indent = "  "
        previous = block
    return "\n".join(lines) + "\n"


def _gap(previous: Block, block: Block) -> bool:
    """Whether an empty line goes between the two."""
    match previous, block:
        case Heading(level=level), _:
            return level == 1
        case (Fact(), Fact()) | (NumberRow(), NumberRow()):
            return False
        case Entry(), Entry():
            return not (previous.short and block.short)
    return True


def _parts(block: Block) -> Iterator[_Part]:
    match block:
        case Heading(text, _, support):
            yield text, _BOLD, "", ""
            if support.note:
                yield "", "", "", ""
                yield f"({support.note})", _STYLE[support.verdict], "", ""
        case Paragraph(text, support):
            yield text, "", "", ""
            if support.note:
                yield f"({support.note})", _STYLE[support.verdict], "", ""
        case Remark(text):
            yield f"({text})", _DIM, "", ""
        case Entry(text, number, category, lines, support):
            marker = "• " if number is None else f"{number}. "
            rest = " " * len(marker)
            yield text, "", marker, rest
            if category:
                yield category, _DIM, rest, rest
            for label, line in lines:
                yield f"{label}: {line}", "", rest, rest
            if support.note:
                yield f"({support.note})", _STYLE[support.verdict], rest, rest
        case Quotation(text, speaker, (start, end)):
            yield text, "", "", " "
            yield f"{'— ' if speaker else ''}{speaker} [{start}–{end}]".lstrip(), _DIM, " ", " "
        case Fact(label, text):
            yield f"{label}: {text}", _DIM, "", "  "


def _column(rows: Iterable[Block], width: int) -> int:
    """Columns of the figures of a table: the widest, but not more than two fifths of the width."""
    return min(max(cells(row.figure) for row in rows if isinstance(row, NumberRow)), width * 2 // 5)


def _row(row: NumberRow, column: int, width: int, *, color: bool) -> Iterator[str]:
    """The lines of a row: the figure on the left, beside it what it measures and what the checks say."""
    room = width - column - 2
    right = [(line, "" if row.text else _DIM) for line in wrap(row.text or f"({UNTOLD})", room)]
    if row.support.note:
        right += [(line, _STYLE[row.support.verdict]) for line in wrap(f"({row.support.note})", room)]
    for figure, (line, style) in zip_longest(wrap(row.figure, column), right, fillvalue=("", "")):
        shown = figure if isinstance(figure, str) else ""
        line = line.rstrip()  # of other spaces too, with colour and without
        styled = f"{style}{line}{_RESET}" if color and style and line else line
        yield f"{shown}{' ' * (column + 2 - cells(shown))}{styled}".rstrip()


def cells(text: str) -> int:
    """Columns that clean text takes; never less than a terminal uses, for it counts joined emoji one by one."""
    if text.isascii():
        return len(text)
    return sum(map(get_character_cell_size, text)) + text.count(_VARIATION)


def wrap(text: str, width: int) -> list[str]:
    """Clean text of one line in lines of at most `width` columns, broken at spaces and between wide characters."""
    lines: list[str] = []
    line, used = "", 0
    for word in text.split(" "):
        space = " "
        for piece in _pieces(word):
            size = cells(piece)
            if line and used + len(space) + size > width:
                lines.append(line)
                line, used = "", 0
            if size > width:
                *whole, piece = _chop(piece, width)
                lines.extend(whole)
                size = cells(piece)
            if line:
                line, used = line + space, used + len(space)
            line, used = line + piece, used + size
            space = ""
    return [*lines, line] if line or not lines else lines


def _pieces(word: str) -> Iterator[str]:
    """The word cut where a line may break inside it: beside a wide character, or after a dash."""
    if word.isascii():
        yield word
        return
    start, before = 0, ""
    for at, char in enumerate(word):
        beside = get_character_cell_size(char) == 2 or (before and get_character_cell_size(before) == 2)
        may = (beside and char not in _NOT_FIRST and before not in _NOT_LAST and before != _JOINER) or (
            before == "—" and char.isalnum()
        )
        if at > start and may and get_character_cell_size(char):
            yield word[start:at]
            start = at
        before = char
    yield word[start:]


def _chop(piece: str, width: int) -> list[str]:
    """A piece wider than a line, cut hard; combining marks stay with their letter."""
    chopped, start, used = [], 0, 0
    for at, char in enumerate(piece):
        size = 1 if char == _VARIATION else get_character_cell_size(char)
        if used + size > width:
            chopped.append(piece[start:at])
            start, used = at, 0
        used += size
    return [*chopped, piece[start:]]
