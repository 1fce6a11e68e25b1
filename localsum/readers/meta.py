"""What a document says of itself: title, author, date, address; from front matter or named values. Knows no text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from localsum.readers.decode import clean

MAX_FRONT_MATTER = 20_000  # characters
_FRONT_MATTER = re.compile(r"\s*---[ \t]*\n(?P<yaml>.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|$)", re.DOTALL)
_PAIR = re.compile(r"([A-Za-z_-]{1,40})[ \t]*:[ \t]+(\S[^\n]*)")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,3}")
_DATE_FORMATS = ("%B %d, %Y", "%b %d, %Y", "%d %B %Y", "%d %b %Y", "%B %d %Y", "%Y/%m/%d", "%d.%m.%Y", "%a, %d %b %Y")


@dataclass(frozen=True, slots=True)
class Meta:
    """What a document says of itself; the fields are those of `Document`."""

    title: str | None = None
    author: str | None = None
    published: str | None = None
    url: str | None = None
    language: str | None = None  # as the source says: "en", "pt-BR"


def meta_of(values: dict[str, Any]) -> Meta:
    """The metadata among named values of any kind, as front matter, mail, feeds and pages have them."""
    url = _first(values, "url", "link", "canonical_url", "canonical", "source")
    date = _first(values, "published", "date", "pubdate", "published_at", "created")
    language = _first(values, "language", "lang")
    return Meta(
        title=_line(values.get("title")),
        author=_first(values, "author", "authors", "by", "byline"),
        published=iso_date(date) if date else None,
        url=url if url and url.startswith(("http://", "https://")) else None,
        language=language if language and _LANGUAGE.fullmatch(language) else None,
    )


def front_matter(text: str) -> tuple[Meta, str]:
    """The metadata at the top of a Markdown text, and the text after it; the whole text where there is none."""
    match = _FRONT_MATTER.match(text[:MAX_FRONT_MATTER])
    if match is None:
        return Meta(), text
    values = _values(match["yaml"])
    if not values:
        return Meta(), text
    return meta_of(values), text[match.end() :]


def _first(values: dict[str, Any], *keys: str) -> str | None:
    return next((line for key in keys if (line := _line(values.get(key)))), None)


def _values(source: str) -> dict[str, Any]:
    """The front matter as a mapping with lower-case keys; empty when it is something else between two ruled lines."""
    import yaml

    try:
        loaded = yaml.load(source, Loader=yaml.BaseLoader)  # noqa: S506  # strings, lists and mappings only
    except (yaml.YAMLError, RecursionError, ValueError):
        lines = [line for line in source.split("\n") if line.strip()]
        pairs = [_PAIR.match(line) for line in lines]
        if sum(pair is not None for pair in pairs) * 2 < len(lines):
            return {}
        return {pair[1].lower(): pair[2].strip("\"' ") for pair in pairs if pair}
    return {str(key).lower(): value for key, value in loaded.items()} if isinstance(loaded, dict) else {}


def _line(value: object) -> str | None:
    """A value as one short line of clean text; of a list its members, of a mapping its name."""
    if isinstance(value, list):
        members = [member for entry in value[:20] if (member := _line(entry) if not isinstance(entry, list) else None)]
        return ", ".join(members)[:300] or None
    if isinstance(value, dict):
        value = value.get("name")
    if not isinstance(value, str):
        return None
    return re.sub(r"\s+", " ", clean(value[:2000])[0]).strip()[:300] or None


def iso_date(text: str) -> str:
    """A date as ISO 8601 where it is one that can be read, as it stands otherwise."""
    text = text.strip()
    try:
        moment = datetime.fromisoformat(text)
        return moment.date().isoformat() if len(text) <= 10 else moment.isoformat()
    except ValueError:
        pass
    for pattern in _DATE_FORMATS:
        try:
            return datetime.strptime(text.replace("Sept.", "Sep").replace(".,", ","), pattern).date().isoformat()
        except ValueError:
            continue
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(text).isoformat()
    except (ValueError, TypeError, IndexError):
        return text[:100]
