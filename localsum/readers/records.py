"""JSONL and CSV: each line or row a document, from the field that holds its text. Knows records; nothing of texts."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from localsum.readers.article import EMPTY_HINT, Draft, Part, Wanted, inner_draft
from localsum.readers.decode import UnreadableError, clean, raw_text
from localsum.readers.meta import meta_of

# What a field is called where the user does not say. The first that a record has is taken.
TEXT_FIELDS = ("text", "content", "body", "article", "articlebody", "article_body", "full_text", "document",
               "transcript", "content_text", "content_html", "html", "markdown", "description", "summary")  # fmt: skip
TITLE_FIELDS = ("title", "headline", "subject", "name")
ID_FIELDS = ("id", "_id", "guid", "key", "slug")
_BROKEN = "mend or remove it, then: localsum read FILE"


def parts(data: bytes, form: str, wanted: Wanted) -> Iterator[Part]:
    """A part for each record of "jsonl" or "csv"."""
    text, _ = raw_text(data)
    if not text.strip():
        raise UnreadableError("is empty", EMPTY_HINT)
    return _json_parts(text, wanted) if form == "jsonl" else _csv_parts(text, wanted)


def _json_parts(text: str, wanted: Wanted) -> Iterator[Part]:
    start = 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        line = text[start:end].strip()
        start = end + 1
        if line:
            yield partial(_json_draft, line, wanted)


def _json_draft(line: str, wanted: Wanted) -> Draft:
    try:
        record = json.loads(line)
    except RecursionError:
        raise UnreadableError("is JSON that is nested too deeply", _BROKEN) from None
    except ValueError as error:
        raise UnreadableError(f"is no JSON: {str(error)[:100]}", _BROKEN) from None
    if not isinstance(record, dict):
        raise UnreadableError("is no JSON object", "write one object with a text a line, then: localsum read FILE")
    return _draft(record, wanted)


def _csv_parts(text: str, wanted: Wanted) -> Iterator[Part]:
    head = text.split("\n", 1)[0]
    delimiter = max(",;\t|", key=head.count)
    old = csv.field_size_limit(len(text) + 1)  # a limit of the module, not of the reader
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        names = [name.strip() for name in next(rows, [])]
        for row in rows:
            if any(row):
                yield partial(_draft, dict(zip(names, row, strict=False)), wanted)
    except csv.Error as error:
        raise UnreadableError(f"is no CSV that can be read: {error}", _BROKEN) from None
    finally:
        csv.field_size_limit(old)


def _draft(record: Mapping[str, Any], wanted: Wanted) -> Draft:
    key = _field(record, wanted.text_field, TEXT_FIELDS)
    if key is None:
        names = clean(", ".join(str(name)[:40] for name in list(record)[:20]))[0].replace("\n", " ")
        missing = f"no field {wanted.text_field!r}" if wanted.text_field else "no field with a text"
        raise UnreadableError(
            f"has {missing}; it has: {names or 'none'}", "name it: localsum read FILE --text-field NAME"
        )
    value = record[key]
    if not isinstance(value, str) or not value.strip():
        raise UnreadableError(f"has no text in its field {key!r}", "name another: localsum read FILE --text-field NAME")
    draft = inner_draft(value)
    named = {str(name).lower(): entry for name, entry in record.items()}
    title = _field(record, wanted.title_field, TITLE_FIELDS)
    if title is not None:
        named["title"] = record[title]
    identity = _field(record, wanted.id_field, ID_FIELDS if wanted.id_field is None else ())
    own, inner = meta_of(named), draft.meta
    meta = type(own)(*(mine or theirs for mine, theirs in zip(_values(own), _values(inner), strict=True)))
    label = record[identity] if identity else None
    return Draft(draft.pieces, meta, draft.warnings, None, str(label) if isinstance(label, str | int) else None)


def _values(meta: Any) -> tuple[str | None, ...]:  # noqa: ANN401
    return (meta.title, meta.author, meta.published, meta.url, meta.language)


def _field(record: Mapping[str, Any], wanted: str | None, usual: tuple[str, ...]) -> str | None:
    """The key of a record that was named, or the first of the usual ones that it has, whatever their case."""
    if wanted is not None:
        return wanted if wanted in record else None
    lower = {str(name).lower(): name for name in reversed(list(record)) if record[name]}
    return next((lower[name] for name in usual if name in lower), None)
