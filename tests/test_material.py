"""What extraction knows of a document: likeness of its parts, whose advertisement is whose, whom a sentence follows."""

import math
from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localsum.readers import read_bytes
from localsum.writing import select
from localsum.writing.material import _adverts, _likeness, gather
from localsum.writing.shelf import Shelf

part = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 9), min_size=1).map(Counter)


@given(st.lists(part, min_size=2, max_size=9))
def test_likeness_is_the_mean_cosine_of_all_pairs(parts: list[Counter[str]]) -> None:
    def cosine(a: Counter[str], b: Counter[str]) -> float:
        return sum(n * b[stem] for stem, n in a.items()) / math.sqrt(
            sum(n * n for n in a.values()) * sum(n * n for n in b.values())
        )

    pairs = [cosine(a, b) for a, b in combinations(parts, 2)]
    assert _likeness(parts) == pytest.approx(sum(pairs) / len(pairs), abs=1e-9)


def test_a_sponsor_makes_an_advertisement_of_its_short_part_only() -> None:
    advert = "This issue is brought to you by Tarn Systems."
    text = "\n\n".join(
        [advert, "Before any heading.", "## Short", advert, "Buy now.", "## Long", advert, "Word " * 300, "## Other"]
    )
    document = read_bytes((text + "\n\nNothing here.").encode(), path="a.md")
    material = gather(document)
    found = _adverts(document, [s.block for s in material.sentences], [s.text for s in material.sentences])
    assert sorted(document.text[document.blocks[n].start :][:12].split()[0] for n in found) == [
        "Buy",
        "Short",
        *["This"] * 3,
    ]


def test_each_sentence_is_asked_once_how_it_looks_ahead() -> None:
    """However many claims stand around it: else long documents take forty times the time."""
    sentences = [
        f"The mayor of Veldt said that bridge {n} will open in spring of the year {1900 + n}." for n in range(60)
    ]
    material = gather(read_bytes(" ".join(sentences).encode(), path="a.txt"))
    select._outlook.cache_clear()
    for sentence in material.sentences:
        select.consequence(material, (sentence,), Shelf(), words=40)
    assert select._outlook.cache_info().misses == len(material.sentences) == 60
