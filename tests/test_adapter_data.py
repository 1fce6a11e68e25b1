"""What the adapter is taught: the articles and their briefs, and the pairs made of them. No model."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest

from localsum.templates import load_template

ROOT = Path(__file__).resolve().parents[1]
ARTICLES = ROOT / "tools" / "adapter" / "articles"
DEVELOPMENT = ROOT.parent / "shared" / "data" / "docs.jsonl"


@pytest.fixture(scope="module")
def data() -> ModuleType:
    spec = importlib.util.spec_from_file_location("adapter_data", ROOT / "tools" / "adapter" / "data.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def golds(data: ModuleType) -> list:
    return [gold for path in sorted(ARTICLES.glob("*.txt")) for gold in data.parse(path.read_text(encoding="utf-8"))]


def test_every_brief_fits_the_template_and_has_the_numbers_of_its_article(golds: list) -> None:
    template = load_template()
    part = next(part for part in template.field("key_insights").parts if part.shape == "choice")
    categories = {option for option, _ in part.options}
    assert len(golds) == len({gold.id for gold in golds}) == 480
    for gold in golds:
        assert {item.category for item in gold.insights} <= categories, gold.id
        assert len(gold.title.split()) <= template.field("title").words
        assert all(len(text.split()) <= template.field("summary").words for text in gold.summaries), gold.id
        said = " ".join([gold.title, *gold.summaries, gold.conclusion, *(item.text for item in gold.insights)])
        numbers = set(re.findall(r"\d[\d,.]*\d|\d", said))
        assert all(number in gold.text for number in numbers), (gold.id, numbers)


@pytest.mark.skipif(not DEVELOPMENT.is_file(), reason="the development set is not here")
def test_no_article_shares_eight_words_with_the_development_set(data: ModuleType, golds: list) -> None:
    apart = data.runs(json.loads(line)["text"] for line in DEVELOPMENT.read_text(encoding="utf-8").splitlines())
    assert not [gold.id for gold in golds if data.runs([gold.text]) & apart]


def test_no_article_shares_eight_words_with_the_examples(data: ModuleType, golds: list) -> None:
    apart = data.runs(path.read_text(encoding="utf-8") for path in (ROOT / "examples").glob("*.md"))
    assert not [gold.id for gold in golds if data.runs([gold.text]) & apart]


def test_pairs_are_what_the_engine_asks_and_allows(data: ModuleType, golds: list) -> None:
    """The scripted engine refuses an answer that the branch's grammar does not allow."""
    for gold in golds[::80]:
        pairs = data.recorded(gold)
        assert all(pair.prefix[0].special and pair.answer.strip() for pair in pairs)
        assert {"title", "summary", "sections", "conclusion", "key_insights"} <= {pair.kind for pair in pairs}
        assert [gold.title] == [pair.answer for pair in pairs if pair.kind == "title"]
