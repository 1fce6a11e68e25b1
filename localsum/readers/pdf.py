"""The text layer of a PDF, by pypdf, which is an optional package. Knows pages and lines; nothing of paragraphs."""

from __future__ import annotations

import io
import logging
import re
from collections import Counter
from collections.abc import Iterable, Iterator

from localsum.readers.article import Draft, Part, text_draft
from localsum.readers.decode import UnreadableError, clean
from localsum.readers.meta import Meta, meta_of

MAX_PAGES = 2000
MAX_CHARACTERS = 20_000_000
_NO_TITLE = re.compile(r"untitled|microsoft word|\.(?:docx?|pdf|tex|indd|dvi|qxd)$|^\W*$", re.IGNORECASE)
_HEADING = re.compile(r"\d{1,2}(?:\.\d{1,2}){0,3}\.?\s+[^\W\d_a-z](?:[^.,;:]{1,70}[^.,;:])?")
_CONTENTS = re.compile(r"(?:\. ?){6,}\s{0,5}\w{0,6}\s*$")
_BROKEN_WORD = re.compile(r"\b([^\W\d_]{2,40})-\n([^\W\d_A-Z][^\W\d_]{0,40})")
_PAGE_NUMBER = re.compile(r"\W*(?:page|seite|p\.)?\W*\d{1,4}(?:\s*(?:/|of|von)\s*\d{1,4})?\W*", re.IGNORECASE)


def parts(data: bytes) -> Iterator[Part]:
    """The one part of a PDF. Raises UnreadableError without pypdf."""
    try:
        import pypdf
        from pypdf.errors import PyPdfError
    except ImportError:
        raise UnreadableError(
            "is a PDF, and the package that reads them is not installed", "pip install 'localsum[pdf]'"
        ) from None
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it tells its troubles with files on stderr

    def part() -> Draft:
        try:
            reader = pypdf.PdfReader(io.BytesIO(data))
            if reader.is_encrypted and not reader.decrypt(""):
                raise UnreadableError("is protected by a password", "save it without one, then: localsum read FILE")
            pages: list[list[str]] = []
            length = 0
            for page in reader.pages[:MAX_PAGES]:
                text = clean(page.extract_text())[0]
                length += len(text)
                pages.append(text.split("\n"))
                if length > MAX_CHARACTERS:
                    break
            meta = _meta(reader.metadata)
        except UnreadableError:
            raise
        except (PyPdfError, ValueError, TypeError, KeyError, IndexError, AttributeError, AssertionError, LookupError,
                ArithmeticError, RecursionError, OSError, NotImplementedError, ImportError) as error:  # fmt: skip
            raise UnreadableError(
                f"is a PDF that cannot be read: {type(error).__name__}",
                "print it to a new PDF, then: localsum read FILE",
            ) from None
        body = _body(line for lines in _without_margins(pages) for line in lines)
        if not re.search(r"\w", body):
            raise UnreadableError(
                "has no text layer (a scan?)", "run text recognition over it first, then: localsum read FILE"
            )
        draft = text_draft(body, "text")
        return Draft(draft.pieces, meta, draft.warnings)

    yield part


def _meta(info: object) -> Meta:
    values = {name: str(value)[:500] for name, value in (info.items() if isinstance(info, dict) else ())}
    title = values.get("/Title", "")
    stamp = re.match(r"D:(\d{4})(\d\d)(\d\d)", values.get("/CreationDate", ""))
    return meta_of(
        {
            "title": None if _NO_TITLE.search(title) else title,
            "author": values.get("/Author"),
            "published": "-".join(stamp.groups()) if stamp else None,
        }
    )


def _body(lines: Iterable[str]) -> str:
    """The lines as one text: numbered headings set apart, contents left out, words broken at a line's end joined."""
    text = "\n".join(
        f"\n{line.strip()}\n" if _HEADING.fullmatch(line.strip()) else line
        for line in lines
        if not _CONTENTS.search(line)
    )
    compounds = set(re.findall(r"[^\W\d_]+-[^\W\d_]+", text))

    def joined(match: re.Match[str]) -> str:
        hyphen = "-" if f"{match[1]}-{match[2]}" in compounds else ""
        return f"{match[1]}{hyphen}{match[2]}"

    return _BROKEN_WORD.sub(joined, text)


def _without_margins(pages: list[list[str]]) -> list[list[str]]:
    """The lines of the pages without page numbers, and without first and last lines that stand on most pages."""
    pages = [[line for line in page if line.strip()] for page in pages]
    counts = Counter(_shape(line) for page in pages for line in {*page[:2], *page[-2:]})
    often = {shape for shape, count in counts.items() if count >= 3 and count * 2 > len(pages)}
    kept: list[list[str]] = []
    for page in pages:
        last = len(page) - 1
        kept.append(
            [
                line
                for number, line in enumerate(page)
                if not (
                    (number < 2 or number > last - 2)
                    and (_shape(line) in often or (number in (0, last) and _PAGE_NUMBER.fullmatch(line[:40])))
                )
            ]
        )
    return kept


def _shape(line: str) -> str:
    return re.sub(r"\d+", "0", line.strip())[:100]
