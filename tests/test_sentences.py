"""The sentence splitter: hand-made cases, and what holds for any text."""

from __future__ import annotations

import time
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localsum.document import Block, Document
from localsum.sentences import QUOTE_WORDS, sentences, split

CASES = tomllib.loads((Path(__file__).parent / "data" / "sentences.toml").read_text("utf-8"))["case"]
SHAPES = st.text(st.sampled_from(list(" \n\t.!?…。\"'“”‘’„«»「」()[]*-–—:,;1234567890aAbBéßИ你🚀@#$")), max_size=200)
WORDS = st.lists(
    st.sampled_from(
        ["The", "it", "U.S.", "Mr.", "Inc.", "4.", "v2.1.", "e.g.", '"', "“It", "works.”", "(no.)", "said", "...",
         "…", "xAI",
         "J.", "a.m.", "?!", "End.", "end.", "\n", "»", "« ", "[3]", "3.", "am"]
    ),
    max_size=60,
).map(" ".join)  # fmt: skip


def _parts(text: str) -> list[str]:
    return [text[span.start : span.end] for span in split(text)]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_hand_made_case(case):
    assert _parts(case.get("join", " ").join(case["sentences"])) == case["sentences"]


def test_there_are_enough_cases_and_each_has_its_own_name():
    assert len(CASES) >= 60
    assert len({case["name"] for case in CASES}) == len(CASES)


@pytest.mark.parametrize(
    "parts",
    [
        ["One more rep.", "Then he left."],
        ["The shop on 5th st. near the park is shut."],
        ["This is the next gen.", "Northwind will sell it in May."],
        ["She studies modern art.", "Museums love her."],
        ["It was lit by the sun.", "Panels did the rest."],
        ["Ruiz lives in Reno, Nev.", "Hale, her partner, does not."],
        ["It was shown in Reno, Nev. Gov. Ito was there."],
        ["It cost too much . . . and then it broke.", "Nobody paid."],
        ["1. Plug it in.", "2. Wait for the light."],
        ["The post is gone.", "@anaruiz says OPD did it.", "@hale agrees."],
    ],
)
def test_cases_found_while_reading_real_documents(parts):
    assert _parts(" ".join(parts)) == parts


def test_a_quotation_is_whole_up_to_its_limit_and_cut_beyond_it():
    short = "“" + " ".join(["We ship it."] * 4) + "” was all that Ruiz said."
    long = "“" + " ".join(["We ship it."] * QUOTE_WORDS) + "” was all that Ruiz said."
    assert len(_parts(short)) == 1
    assert len(_parts(long)) == QUOTE_WORDS


def test_a_line_break_always_ends_a_sentence():
    assert _parts("one\ntwo, three\n\nfour") == ["one", "two, three", "four"]


def test_nothing_has_no_sentences():
    assert split("") == split(" \n\t ") == []


def _check(text: str) -> None:
    spans = split(text)
    at = 0
    for span in spans:
        assert at <= span.start < span.end <= len(text)
        assert not text[at : span.start].strip()
        assert text[span.start : span.end] == text[span.start : span.end].strip()
        at = span.end
    assert not text[at:].strip()
    assert spans == split(text)


@given(st.one_of(st.text(max_size=300), SHAPES, WORDS))
@settings(deadline=None, max_examples=400)
def test_spans_are_in_order_stripped_and_hold_everything_but_white_space(text):
    _check(text)


@given(st.one_of(SHAPES, WORDS))
@settings(deadline=None, max_examples=200)
def test_sentences_of_a_document_lie_in_their_blocks(text):
    head, body = "A heading. It has stops.", text.strip()
    block = Block(len(head) + 2, len(head) + 2 + len(body), "quote")
    blocks = (Block(0, len(head), "heading", 1), *([block] if body else []))
    document = Document(f"{head}\n\n{body}", blocks)
    found = sentences(document)
    assert all(sentence.block == 1 and block.start <= sentence.start < sentence.end <= block.end for sentence in found)
    assert [document.text[one.start : one.end] for one in found] == _parts(body)


def test_headings_code_and_tables_have_no_sentences():
    text = "No. One.\n\nx = 1. y = 2.\n\na. | b.\n\nYes. Two."
    starts = (0, 10, 25, 34)
    kinds = ("heading", "code", "table", "item")
    blocks = tuple(Block(start, start + 8, kind) for start, kind in zip(starts, kinds, strict=True))
    assert [sentence.block for sentence in sentences(Document(text, blocks))] == [3, 3]


@pytest.mark.parametrize(
    "unit",
    ["x", ".", " ", '"', "(", ". ", "a. ", ".)", ". .", '(" a. B', ". 🚀", "[1]", ' "a', ".[1", "。", "。a", "A.",
     "\n", ". »",
     " »", "'a", "’ ", "?!", "!”", "1. ", "Mr. ", "“"],
)  # fmt: skip
def test_hostile_text_takes_linear_time(unit):
    text = unit * (500_000 // len(unit))
    start = time.perf_counter()
    split(text)
    assert time.perf_counter() - start < 10  # measured: 1 s at most; anything quadratic would take hours
