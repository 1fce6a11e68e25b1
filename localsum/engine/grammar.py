"""Grammars of branches, as Lark text for llguidance. Pure string functions; they never look at a model.

The rule learned by measuring: a grammar must never force a model on when it wants to stop. So texts are bounded
above by a loose fuse only, and end at a newline (base models) or at the end of turn (instruct models).
"""

from __future__ import annotations

import json
from collections.abc import Iterable


def literal(text: str) -> str:
    """`text` as a Lark string: JSON, but Lark wants DEL escaped as well."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", r"\u007f")


def choice(options: Iterable[str], end: str = "") -> str:
    """Exactly one of `options`, then `end`. Once only one option is left, all its tokens are forced.

    Raises ValueError if there is no option: Lark would take that for the empty text.
    """
    if not (texts := [literal(option + end) for option in options]):
        raise ValueError("a choice needs an option")
    return "start: " + " | ".join(texts)


def line(max_chars: int, *, first: str = r"[\p{L}\p{N}“\"'‘(]", end: str = "\n") -> str:
    """One line of text, at most `max_chars` characters, then `end` (base models: the newline that ends the answer)."""
    tail = f" {literal(end)}" if end else ""
    return f"start: TEXT{tail}\nTEXT: /{first}[^\\n\\p{{C}}\\p{{Zl}}\\p{{Zp}}]{{0,{max_chars - 1}}}/"


def after_space(grammar: str) -> str:
    """The same grammar after one leading space, as a cue such as `Title:` wants it."""
    return grammar.replace("start: ", 'start: " " body\nbody: ', 1)
