"""ROUGE against what one counts by hand, and the baselines of the quality benchmark."""

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

import rouge


def test_rouge_is_what_one_counts_by_hand():
    scores = rouge.rouge("the cat sat on the mat", ["the cat lay on the mat"])
    assert scores == pytest.approx((5 / 6, 3 / 5, 5 / 6))


def test_rouge_clips_counts_and_keeps_order_for_the_longest_subsequence():
    assert rouge.rouge("the the the", ["the"]).r1 == pytest.approx(2 * 1 / 4)
    assert rouge.rouge("one two three", ["three two one"]) == pytest.approx((1.0, 0.0, 1 / 3))


def test_rouge_stems_longer_words_and_ignores_case_and_punctuation():
    assert rouge.tokens("Companies, funded: 3.5 GAS") == rouge.tokens("company funding 3 5 gas")


def test_each_score_is_the_best_over_references():
    alone = [rouge.rouge("a b c d", [reference]) for reference in ("a b x y", "d c b a")]
    both = rouge.rouge("a b c d", ["a b x y", "d c b a"])
    assert both == tuple(max(column) for column in zip(*alone, strict=True))


words = st.lists(st.sampled_from(["red", "green", "blue", "grey"]), max_size=9)


@given(words, words)
def test_rouge_is_symmetric_and_between_0_and_1(left, right):
    there, back = rouge.rouge(" ".join(left), [" ".join(right)]), rouge.rouge(" ".join(right), [" ".join(left)])
    assert there == back
    assert all(0 <= score <= 1 for score in there)
    assert there.rl <= there.r1 + 1e-12  # a common subsequence is a common bag of words
    if left:
        assert rouge.rouge(" ".join(left), [" ".join(left)]).rl == 1


# Baselines

STORY = [
    "Short one.",
    "The harbour of Ostrow will close its old container terminal in March.",
    "A heading without an end that goes on",
    "Rain fell on the hills for most of the week before.",
    "The harbour board said the container terminal at Ostrow lost money every year.",
    "A new container terminal opens beside the harbour of Ostrow next spring.",
]


def test_candidates_are_whole_sentences_and_all_there_is_if_there_are_none():
    assert rouge.candidates(STORY) == [STORY[1], *STORY[3:]]
    assert rouge.candidates(STORY[:1]) == STORY[:1]


@pytest.mark.parametrize("name", rouge.BASELINES)
def test_a_baseline_copies_sentences_in_order(name):
    summary = rouge.BASELINES[name](rouge.candidates(STORY))
    places = [summary.find(sentence) for sentence in STORY]
    taken = [sentence for sentence, place in zip(STORY, places, strict=True) if place >= 0]
    assert summary == " ".join(taken)
    assert taken
    assert rouge.BASELINES[name]([]) == ""
    assert rouge.BASELINES[name](["Only this."]) == "Only this."


def test_central_baselines_pass_over_what_is_beside_the_point():
    assert STORY[3] not in rouge.textrank(rouge.candidates(STORY), 2)
    assert STORY[3] not in rouge.extractive(rouge.candidates(STORY))


def test_the_extractive_baseline_keeps_to_its_limits():
    long = [f"Number {i} " + "of the harbour and the terminal " * 3 + "closes." for i in range(9)]
    assert [len(text.split()) for text in long] == [21] * 9
    assert len(rouge.extractive(long).split()) == 42  # a third would make 63
    short = [f"Number {i} of the report names the harbour." for i in range(9)]
    assert rouge.extractive(short).count("Number") == 3
    assert rouge.extractive(["word " * 60 + "end."]).endswith("end.")  # rather too long than empty


def test_summaries_follow_the_document_where_the_best_sentence_comes_later():
    story = [
        "Ferries leave for the islands at noon each day.",
        "The terminal of Ostrow harbour closes and the harbour board sells the terminal.",
        "The harbour board of Ostrow will close the terminal.",
    ]
    assert rouge.textrank(story, 2) == f"{story[1]} {story[2]}"
    closing = [f"Filler {name} is about itself only." for name in "ab"] + story[1:]
    for summary in (rouge.textrank(closing, 4), rouge.extractive(closing, most=4)):
        assert summary == " ".join(closing)
