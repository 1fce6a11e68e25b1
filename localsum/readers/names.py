"""What the ending of a file's name says of its format. Loads nothing."""

from __future__ import annotations

FORMAT_OF = {
    ".md": "markdown", ".markdown": "markdown", ".mdown": "markdown", ".mkd": "markdown",
    ".html": "html", ".htm": "html", ".xhtml": "html", ".rss": "feed", ".atom": "feed", ".rdf": "feed",
    ".eml": "mail", ".mbox": "mbox", ".mbx": "mbox", ".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv",
    ".tsv": "csv", ".vtt": "subtitles", ".srt": "subtitles",
}  # fmt: skip
_BY_CONTENT = (".txt", ".text", ".xml", ".pdf")


def is_known(name: str) -> bool:
    """Whether a file in a folder is taken for an article by its name; any of them may be packed by gzip."""
    return name.lower().removesuffix(".gz").endswith((*FORMAT_OF, *_BY_CONTENT))
