"""The work that is measured: three articles that ship with localsum, and a brief whose every field is sampled.

The articles are examples (CC0) without title, headings and front matter, so that the model has to write some. The
`sampled` brief has a fixed number of tokens for each field: rounding differs from processor to processor, and with it
the words, but never the amount of work.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from localsum.document import Document
from localsum.engine.types import Branch, Request, Sampling, Segment
from localsum.readers import read_bytes
from localsum.resources import resource

_FILES = {
    "short": "examples/chip-lease.md",
    "medium": "examples/open-weights-fund.md",
    "long": "examples/agents-in-the-back-office.md",
}
# Tokens of each field; of those with a category, the category and its JSON included.
FIELDS = {
    "title": 16,
    "summary": 56,
    **dict.fromkeys(("section_1", "section_2", "section_3"), 48),
    "conclusion": 40,
    **dict.fromkeys(("insight_1", "insight_2", "insight_3"), 48),
    **dict.fromkeys(("action_1", "action_2"), 32),
    **dict.fromkeys(("quote_1", "quote_2"), 32),
}
_BETWEEN = json.dumps('", "text": "')  # what the grammar forces behind a category
_CATEGORIES = ("market", "technology", "policy", "security", "research", "products", "society")
_CUE = "\n\nBrief of this article as JSON:\n"
# No text of so few tokens has so many characters, so a field ends where its tokens do.
TEXT = r'T: /[^"\\\x00-\x1f\x7f]{2000,}/'


@dataclass(frozen=True)
class Article:
    name: str
    data: bytes

    def read(self) -> Document:
        return read_bytes(self.data, path=f"{self.name}.txt")

    @property
    def text(self) -> str:
        return self.data.decode("utf-8")

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


def articles() -> dict[str, Article]:
    """The articles by name, the shortest first."""
    found = {}
    for name, file in _FILES.items():
        body = resource(file).read_text(encoding="utf-8").split("---\n", 2)[2]
        lines = (line for line in body.splitlines() if not line.startswith("#"))
        text = "\n\n".join(filter(None, map(str.strip, "\n".join(lines).split("\n\n"))))
        found[name] = Article(name, f"{text}\n".encode())
    return found


def work_sha256() -> str:
    """Of all that decides how much work there is, beside model and articles."""
    parts = [FIELDS, _CATEGORIES, TEXT, _BETWEEN, _CUE]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def sampled_brief(article: Article, seed: int, *, id: str = "", temperature: float = 0.0) -> Request:  # noqa: A002
    """A request for a brief of the article's whole text, each field a branch with its own number of tokens."""
    sampling = Sampling(temperature=temperature, seed=seed)
    branches = []
    for name, tokens in FIELDS.items():
        if name.startswith("insight"):
            opening = f'{{"{name}": {{"category": "'
            choice = " | ".join(json.dumps(word) for word in _CATEGORIES)
            grammar = f"start: ({choice}) {_BETWEEN} T\n{TEXT}"
        else:
            opening, grammar = f'{{"{name}": "', f"start: T\n{TEXT}"
        branches.append(Branch(name, (Segment(opening),), grammar, tokens, sampling))
    prefix = f"Article:\n{article.text}{_CUE}"
    return Request(id or article.name, (Segment(prefix),), tuple(branches))
