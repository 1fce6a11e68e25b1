"""On which line of a TOML file each table and key stands. Python's reader keeps no places; this adds them.

For a text that `tomllib` has read already: only statements are told apart here, keys are left to it. Knows nothing of
templates. One pass, linear in the text.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

KeyPath = tuple[str | int, ...]  # keys, and places in arrays of tables: ("field", 0, "part", 2, "words")

_DEEPEST = 8  # keys of a path that are kept: a template has no more than five, and a text of dots has 100,000
_TOKEN = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}'  # strings, the long ones first: what is inside them is no sign
    r"|'''.*?'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'"
    r"|#[^\n]*"
    r"|[\[\]{}=\n]"
    r"|[^\"'#\[\]{}=\n]+",
    re.DOTALL,
)


def lines_of(text: str) -> dict[KeyPath, int]:
    """The line, from 1, of every table header and every key in front of a value; keys of inline tables have none."""
    lines: dict[KeyPath, int] = {}
    last: dict[KeyPath, int] = {}  # of arrays of tables, the number of the last table so far
    table: KeyPath = ()
    line = began = 1
    depth = 0
    key = statement = ""
    for match in _TOKEN.finditer(text.replace("\r\n", "\n") + "\n"):
        piece = match.group()
        if piece == "\n" and depth == 0:
            if statement.lstrip().startswith("["):
                table = _header(statement, last)
                for size in range(1, len(table) + 1):
                    lines.setdefault(table[:size], began)
            elif key:
                path = table
                for part in _keys(key + "= 0"):
                    path += (part,)
                    lines.setdefault(path, began)
            key = statement = ""
            line += 1
            began = line
            continue
        if piece in ("[", "{"):
            depth += 1
        elif piece in ("]", "}"):
            depth -= 1
        elif piece == "=" and depth == 0 and not key:
            key = statement
        if not piece.startswith("#"):
            statement += piece if not key else ""
        line += piece.count("\n")
    return lines


def line_of(path: KeyPath, lines: dict[KeyPath, int]) -> int | None:
    """The line of a key, else that of the nearest table around it; None for the file as a whole."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path)


def _header(statement: str, last: dict[KeyPath, int]) -> KeyPath:
    """The path of a table header; of an array of tables the next one, of what lies in it that in the last."""
    keys = _keys(statement)
    path: KeyPath = ()
    for number, key in enumerate(keys, 1):
        path += (key,)
        if number == len(keys) and statement.lstrip().startswith("[["):
            last[path] = last.get(path, -1) + 1
        if path in last:
            path += (last[path],)
    return path


def _keys(statement: str) -> list[str]:
    """The keys of a header, or in front of a value, as `tomllib` reads them."""
    try:
        found: Any = tomllib.loads(statement)
    except ValueError:  # no statement after all
        return []
    keys: list[str] = []
    while found and isinstance(found, dict | list) and len(keys) < _DEEPEST:
        if isinstance(found, dict):
            keys.append(next(iter(found)))
            found = found[keys[-1]]
        else:
            found = found[0]
    return keys
