"""A brief or a digest as JSON. Text is exact: what a terminal must not see is escaped, not dropped."""

from __future__ import annotations

import json
import re

from localsum import brief, digest

# JSON lets these stand in a string, but terminals obey them, line readers split at them, or UTF-8 has no form for them.
_RAW = re.compile("[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def to_json(result: brief.Brief | digest.Digest, *, indent: int | None = 2) -> str:
    """The result as indented JSON, or on one line for None; ends in a newline."""
    made = brief.to_dict(result) if isinstance(result, brief.Brief) else digest.to_dict(result)
    return dumps(made, indent) + "\n"


def dumps(value: object, indent: int | None = 2) -> str:
    """`value` as JSON without ASCII-only escapes, safe to print; `indent` None puts it on one line."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return _RAW.sub(lambda match: f"\\u{ord(match[0]):04x}", text)  # outside strings JSON has none of them
