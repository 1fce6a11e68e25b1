"""A brief as JSON, schema `localsum.brief/1`. Text is exact: what a terminal must not see is escaped, not dropped."""

from __future__ import annotations

import json
import re

from localsum.brief import Brief, to_dict

# JSON lets these stand in a string, but terminals obey them, line readers split at them, or UTF-8 has no form for them.
_RAW = re.compile("[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def to_json(brief: Brief, *, indent: int | None = 2, unicode: bool = True) -> str:
    """The brief as indented JSON, or on one line for None; ends in a newline."""
    return dumps(to_dict(brief), indent, unicode=unicode) + "\n"


def dumps(value: object, indent: int | None = 2, *, unicode: bool = True) -> str:
    """`value` as JSON, safe to print; `indent` None puts it on one line, `unicode` False escapes all but ASCII."""
    text = json.dumps(value, ensure_ascii=not unicode, indent=indent)
    return _RAW.sub(lambda match: f"\\u{ord(match[0]):04x}", text)  # outside strings JSON has none of them
