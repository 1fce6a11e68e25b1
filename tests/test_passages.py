"""Passages: together the whole text, none longer than the limit, cut between blocks where there are blocks."""

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localsum.document import Block, Document, Span
from localsum.engine.scripted import ScriptedEngine
from localsum.passages import passages
from localsum.readers import read_bytes

count = ScriptedEngine().count_tokens


def document_of(text: str) -> Document:
    """A document whose blocks are the lines of the text."""
    blocks, at = [], 0
    for line in text.split("\n"):
        if line:
            blocks.append(Block(at, at + len(line)))
        at += len(line) + 1
    return Document(text, tuple(blocks))


def check(document: Document, most: int, counter=count) -> list[Span]:
    found = passages(document, counter, most)
    assert found[0].start == 0
    assert found[-1].end == len(document.text)
    assert all(a.end == b.start for a, b in pairwise(found))
    assert all(counter(document.text[span.start : span.end]) <= most for span in found)
    assert len(found) == 1 or all(span.end > span.start for span in found)
    return found


texts = st.lists(st.text("ab .\n界é😀", max_size=60), max_size=20).map("".join)


@given(texts, st.integers(4, 60))
def test_they_cover_any_text_within_the_limit(text: str, most: int) -> None:
    check(document_of(text), most, lambda part: len(part.encode("utf-8")))  # at worst a token is a byte
    check(document_of(text), most)


@given(st.integers(1, 3000), st.integers(4, 500), st.sampled_from(["a", "a b ", "界", "word. ", "\n", "a\n"]))
def test_one_endless_block_is_cut_inside(length: int, most: int, piece: str) -> None:
    text = (piece * length)[:length]
    check(Document(text, (Block(0, len(text)),)), most)
    check(Document(text, ()), most)


def test_what_fits_is_one_passage() -> None:
    document = document_of("One two three.\nFour five six.")
    assert passages(document, count, count(document.text)) == [Span(0, len(document.text))]
    assert len(passages(document, count, count(document.text) - 1)) > 1
    assert passages(Document("", ()), count, 1) == [Span(0, 0)]


def test_cuts_are_between_blocks_and_lengths_about_equal() -> None:
    lines = [f"Line {n} says that the model of town {n} costs {n} euros. " * (1 + n % 3) for n in range(120)]
    document = document_of("\n".join(lines))
    starts = {block.start for block in document.blocks}
    found = check(document, 700)
    assert len(found) > 3
    assert all(span.start in starts for span in found)
    sizes = [span.end - span.start for span in found]
    assert min(sizes[:-1]) > max(sizes) / 2


def test_words_stay_whole_where_there_are_spaces() -> None:
    text = "incomprehensible " * 400
    found = check(Document(text, (Block(0, len(text)),)), 100)
    assert all(text[span.start : span.start + 5] == "incom" for span in found)


def test_a_dense_part_makes_them_smaller_not_longer() -> None:
    text = "plain words here " * 500 + "{}[]();" * 300 + " and words again" * 500
    check(Document(text, (Block(0, len(text)),)), 300)


@pytest.mark.parametrize("most", [1, 3])
def test_a_limit_that_nothing_meets_still_ends(most: int) -> None:
    found = passages(document_of("😀é one two"), lambda part: 4 * len(part), most)
    assert "".join("😀é one two"[span.start : span.end] for span in found) == "😀é one two"


def test_a_long_document_is_cut_in_time() -> None:
    """A megabyte of short lines, dense at the end: steps that do not grow would count it hundreds of times."""
    text = "\n".join(f"Town {n} bought a model." for n in range(35_000)) + "\n" + "+-" * 30_000
    started = time.perf_counter()
    assert len(check(document_of(text), 2_000)) > 50
    assert time.perf_counter() - started < 30


def test_a_real_reading_is_cut_at_its_paragraphs() -> None:
    text = "\n\n".join(f"Paragraph {n}. " + "The ferry left the harbour at noon. " * 12 for n in range(40))
    document = read_bytes(text.encode("utf-8"), path=None)
    starts = {block.start for block in document.blocks}
    assert all(span.start in starts for span in check(document, 1000))
