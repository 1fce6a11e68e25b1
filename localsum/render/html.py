"""A brief as one HTML page: beside it its source, each claim and its evidence linked both ways. A digest as one.

The page loads nothing and may load nothing: its policy allows its own style and its own script, by their digests, and
nothing else. Without the script all can be read and followed; it only lights up what belongs together.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import groupby, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localsum.brief import Brief
from localsum.digest import Digest, Story
from localsum.document import Document, Span
from localsum.render import page_of_stories
from localsum.render.clean import one_line, visible
from localsum.render.index import Row
from localsum.render.outline import COLUMNS, UNTOLD, Block, Entry, Fact, Heading, NumberRow, Quotation, Remark, outline
from localsum.render.source import SourceBlock, mark_source, number_evidence

if TYPE_CHECKING:
    from jinja2 import Environment

_PAGE = Path(__file__).with_name("page")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,4}")
_LINK = re.compile(r"https?://[^\s/]+(?:/\S*)?")


@dataclass(frozen=True, slots=True)
class Claim:
    """A block of the brief, what to call it, and the numbers of its evidence."""

    id: str
    name: str
    block: Block
    evidence: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it; neighbours of one kind are together, for lists."""

    heading: Claim | None
    groups: list[tuple[str, list[Claim]]]


def to_html(brief: Brief) -> str:
    """The page of a brief, ending in a newline."""
    document = brief.document
    blocks = outline(brief)
    numbers = number_evidence((span for block in blocks for span in _evidence(block)), document)
    claims = list(_claims([block for block in blocks if not isinstance(block, Fact)], numbers))
    users: dict[int, list[Claim]] = {}
    for claim in claims:
        for number in claim.evidence:
            users.setdefault(number, []).append(claim)
    return page(
        "brief",
        title=next((block.text for block in blocks if isinstance(block, Heading)), one_line(document.path or "Brief")),
        sections=list(_sections(claims)),
        facts=[block for block in blocks if isinstance(block, Fact)],
        source=list(_in_lists(mark_source(document, numbers))),
        users=users,
        language=brief.language or _language(document),
        source_language=_language(document),
        link=_link(document),
        columns=COLUMNS,
        untold=UNTOLD,
    )


def _language(document: Document) -> str | None:
    return document.language if document.language and _LANGUAGE.fullmatch(document.language) else None


def digest_to_html(digest: Digest) -> str:
    """The page of a digest, without a script: stories with their sources and, folded away, what they rest on."""
    return page(
        "digest",
        title=one_line(digest.title),
        overview=one_line(digest.overview.text),
        overview_support=page_of_stories.what_checks_say(digest.overview),
        stories=[_story(story) for story in digest.stories],
        notes=page_of_stories.notes(digest),
        facts=[page_of_stories.made_by(digest)],
    )


def _story(story: Story) -> dict[str, Any]:
    documents = [source.document for source in story.sources]
    places = dict.fromkeys(story.support.evidence)
    return {
        "headline": one_line(story.headline) or "(no headline)",
        "text": one_line(story.text),
        "support": page_of_stories.what_checks_say(story.support),
        "sources": [
            (page_of_stories.source_line(source, story.headline), _link(source.document)) for source in story.sources
        ],
        "passages": [
            (one_line(documents[at].text[start:end]), one_line(documents[at].path or "standard input"))
            for at, start, end in places
        ],
    }


def to_html_index(rows: list[Row], failed: list[str]) -> str:
    """The index of a folder of pages, with a search over titles and categories."""
    return page("index", title="Briefs", rows=rows, failed=failed)


def read_html_index(text: str) -> Iterator[Row]:
    """The rows of an index that `to_html_index` made."""
    from lxml import etree, html

    try:
        tree = html.document_fromstring(text.encode(), parser=html.HTMLParser(encoding="utf-8"))
    except etree.ParserError:  # nothing is in it
        return
    for entry in tree.xpath("//ul[@id='list']/li[p/a]"):
        found = {
            name: [str(part.text_content()) for part in entry.xpath(path)]
            for name, path in (("title", "p/a"), ("source", "p/bdi"), ("published", "p/time"), ("category", "ul/li"))
        }
        first = {name: "".join(texts[:1]) for name, texts in found.items()}
        target = str(entry.xpath("string(p/a/@href)"))
        yield Row(target, first["title"], first["source"], first["published"], tuple(found["category"]))


def _evidence(block: Block) -> tuple[Span, ...]:
    if isinstance(block, Quotation):
        return (block.span,)
    return () if isinstance(block, Remark | Fact) else block.support.evidence


def _claims(blocks: list[Block], numbers: dict[Span, int]) -> Iterator[Claim]:
    under, place = "Summary", 0
    for count, block in enumerate(blocks, 1):
        evidence = tuple(sorted({numbers[span] for span in _evidence(block) if span in numbers}))
        if isinstance(block, Heading):
            yield Claim(f"c{count}", "Title" if block.level == 1 else block.text, block, evidence)
            under, place = block.text if block.level > 1 else under, 0
        else:
            place += 1
            is_one_of_many = isinstance(block, Entry | Quotation | NumberRow)
            yield Claim(f"c{count}", f"{under} {place}" if is_one_of_many else under, block, evidence)


def _sections(claims: list[Claim]) -> Iterator[Section]:
    """The claims cut at the headings."""
    starts = [at for at, claim in enumerate(claims) if isinstance(claim.block, Heading)]
    cuts = sorted({0, *starts, len(claims)})
    for start, end in pairwise(cuts):
        heading = claims[start] if start in starts else None
        body = claims[start + (heading is not None) : end]
        yield Section(heading, [(kind, list(group)) for kind, group in groupby(body, _kind)])


def _kind(claim: Claim) -> str:
    return type(claim.block).__name__


def _in_lists(blocks: Iterator[SourceBlock]) -> Iterator[dict[str, Any]]:
    """Each block of the source with its element, and whether a list opens before it or closes after it."""
    ready = list(blocks)
    kinds = ["", *(block.block.kind for block in ready), ""]
    for at, made in enumerate(ready, 1):
        kind, level = made.block.kind, made.block.level
        tags = {"heading": f"h{min(max(level, 1) + 2, 6)}", "item": "li", "quote": "blockquote", "code": "pre"}
        is_item = kind == "item"
        yield {
            "made": made,
            "kind": kind,
            "tag": tags.get(kind, "p"),
            "opens": is_item and kinds[at - 1] != "item",
            "closes": is_item and kinds[at + 1] != "item",
        }


def _link(document: Document) -> str | None:
    """The document's address where it is one of the web: nothing else may become a link."""
    url = one_line(document.url or "")
    return url if _LINK.fullmatch(url) else None


def page(name: str, **values: object) -> str:
    """A page by the template `page/NAME.html`: with our own style, its own script if it has one, and nothing else."""
    style, own = _PAGE.joinpath("page.css").read_text(encoding="utf-8"), _PAGE.joinpath(f"{name}.js")
    script = own.read_text(encoding="utf-8") if own.exists() else ""
    policy = f"default-src 'none'; style-src {_sha256(style)}; script-src {_sha256(script)}; base-uri 'none'"
    values |= {"style": style, "script": script, "policy": f"{policy}; form-action 'none'"}
    return _environment().get_template(f"{name}.html").render(**values) + "\n"


def _sha256(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(_PAGE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.filters["visible"] = visible
    return made
