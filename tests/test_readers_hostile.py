"""Readers, anything: hostile input is a Document that keeps its promises or an InputError, in linear time."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reading import PROSE_TEXT, check, or_none, read

from localsum import readers
from localsum.readers import read_bytes
from localsum.sentences import sentences

DEVELOPMENT = Path(__file__).parents[2] / "shared" / "data" / "docs.jsonl"

SNIPPETS = st.lists(
    st.sampled_from(
        ["# ", "## A\n", "\n", "\n\n", "> ", "- ", "1. ", "  ", "\t", "**", "*", "_", "`", "```\n", "[a](b)",
         "![a](b)", "[^1]",
         "[^1]: ", "|", "|-|\n", "---\n", "===\n", "<b>", "</p>", "<script>", "<!--", "-->", "&#0;", "&nbsp;",
         "\\", ":::\n",
         "Ana Ruiz: ", "**Ana Ruiz:** ", "Hi. ", "[00:01] ", "0:05", "word ", "Title Here\n",
         "A long line of words. ", "\r",
         "title: x\n", "{#a}", "\u200d", "\u202e", "\x1b[31m", "é", "你。", "$", "~~", "<br>", "  \n", "x" * 130]
    ),
    max_size=40,
).map("".join)  # fmt: skip


@given(
    st.one_of(st.text(max_size=300), SNIPPETS),
    st.sampled_from([None, "text", "markdown"]),
    st.sampled_from([None, "a.md", "a"]),
)
@settings(deadline=None, max_examples=500)
def test_any_text_is_a_document_or_an_input_error(text, format_in, path):
    data = text.encode("utf-8", "surrogatepass")
    document = or_none(data, path, format_in)
    if document is None:
        return
    check(document)
    assert read_bytes(data, path=path, format_in=format_in) == document


@given(st.binary(max_size=400), st.sampled_from([None, "text", "markdown"]))
@settings(deadline=None, max_examples=300)
def test_any_bytes_are_a_document_or_an_input_error(data, format_in):
    document = or_none(data, None, format_in)
    if document is not None:
        check(document)


@pytest.mark.parametrize("unit", ["x", "(", " ", "\x00", "é", "*", "Ä. "])
def test_fifty_megabytes_of_one_character_in_bounded_time(unit):
    data = unit.encode() * (readers.MAX_BYTES // len(unit.encode()))
    if len(unit) > 1:
        data = data[: 3_000_000 // 4 * 4]
    start = time.perf_counter()
    document = or_none(data)
    if document is not None:
        sentences(document)
    assert time.perf_counter() - start < 30  # measured: 3 s at most, on an idle core


@pytest.mark.parametrize("suffix", ["md", "txt"])
@pytest.mark.parametrize(
    "unit",
    ["[", "![", "*a", "**a ", "`", "``a`", "> ", ">", "- ", "-\n", "a\n", "# a\n", "<a ", "<!--", "&", "\\",
     "|a|b|\n", "_", "[^a",
     "[a]: b\n", "<script>", "](", "**A B:** Hi.\n\n", "A: ", "0:00 ", "A B C D: x\n", "![a](b)", "<p>a\n\n",
     "- a\n", "- - - a\n"],
)  # fmt: skip
def test_hostile_markup_takes_linear_time(unit, suffix):
    data = (unit * (60_000 // len(unit)) + "\nwords here.").encode()
    start = time.perf_counter()
    or_none(data, f"x.{suffix}")
    assert time.perf_counter() - start < 15  # measured: 1 s at most


def test_a_long_markdown_file_is_read_as_text_and_says_so():
    document = read(f"# Title\n\n{PROSE_TEXT}\n\n" * 10_000, "a.md")
    assert document.format == "text"
    assert document.warnings == ("too long to be read as Markdown: read as plain text",)


def test_a_very_long_paragraph_of_markdown_still_loses_its_links():
    document = read(f"[Pike](https://example.com) is **out**. {PROSE_TEXT} " * 300, "a.md")
    assert document.format == "markdown"
    assert "http" not in document.text
    assert "*" not in document.text


@pytest.mark.skipif(not DEVELOPMENT.exists(), reason="the development documents are not here")
def test_the_development_documents_keep_the_promises():
    for line in DEVELOPMENT.read_text("utf-8").splitlines():
        entry = json.loads(line)
        document = read(entry["text"])
        assert not document.warnings
        assert "](http" not in document.text
        assert 0.5 < document.words / entry["words"] < 1.2
        assert (entry["source"].split("/")[0] in ("changelog", "qmsum")) == any(b.speaker for b in document.blocks)
