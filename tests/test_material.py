"""What extraction knows of a document: likeness of its parts, whose advertisement is whose, whom a sentence follows."""

import math
from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localsum.readers import read_bytes
from localsum.writing import aside, select
from localsum.writing.material import _likeness, gather
from localsum.writing.shelf import Shelf
from localsum.writing.topics import topics

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
    found = aside.adverts(document, [s.block for s in material.sentences], [s.text for s in material.sentences])
    assert sorted(document.text[document.blocks[n].start :][:12].split()[0] for n in found) == [
        "Buy",
        "Short",
        *["This"] * 3,
    ]


def adverts(text: str) -> list[str]:
    """First words of the blocks that advertise."""
    document = read_bytes(text.encode(), path="a.md")
    material = gather(document)
    found = aside.adverts(document, [s.block for s in material.sentences], [s.text for s in material.sentences])
    return [document.text[document.blocks[n].start :].split()[0] for n in sorted(found)]


def test_an_announced_advertisement_goes_on_to_the_next_ruled_line() -> None:
    text = [
        "First comes the news of Veldt.",
        "***",
        "It's now time for Sponsored News!",
        "## Keep warm",
        "Fernhill keeps models warm.",
        "Long " * 300,
        "***",
        "Second comes the weather.",
    ]
    assert adverts("\n\n".join(text)) == ["It's", "Keep", "Fernhill", "Long"]


def test_without_ruled_lines_it_stands_under_the_heading_that_follows() -> None:
    text = ["First.", "And now a word from our sponsor.", "## Keep warm", "Fernhill sells.", "## Weather", "It rains."]
    assert adverts("\n\n".join(text)) == ["And", "Keep", "Fernhill"]
    assert adverts("\n\n".join([*text[:2], "It rains. " * 100])) == ["And"]


STORIES = (
    (
        "The bridge at Veldt was closed for a week because its bolts had rusted.",
        "Ferries carry cars, lorries and the mail until welders finish their shift on Sunday evening.",
    ),
    (
        "A library in Orlen lends out saws, drills and a concrete mixer.",
        "Members book their tools by telephone and bring them back clean, sharp, oiled and in good time for others.",
    ),
    (
        "Fernhill's choir sang for nine hours to pay for a new roof.",
        "Tiles cost more than its treasurer had ever feared, and slate costs still more this winter.",
    ),
    (
        "Two foxes were seen in the car park of the Tarn hospital.",
        "Nurses named both animals after surgeons who sleep badly and complain about coffee, parking and paper forms.",
    ),
)


def test_ruled_lines_part_the_stories_of_a_letter() -> None:
    """Each has an opening of its own, and what greets before the first is not shown as one."""
    letter = ["Welcome, readers, to another week that was too long for everybody here."]
    letter += ["***\n\n" + "\n\n".join(story) for story in STORIES]
    material = gather(read_bytes("\n\n".join(letter).encode(), path="a.md"))
    assert [material.sentences[first].text for first, _ in material.stories] == [story[0] for story in STORIES]
    assert material.sentences[1].standing - material.sentences[0].standing > 0.7
    starts = {topic.first for topic in topics(material, 9)}
    assert starts - {0} <= {first for first, _ in material.stories}


def test_who_speaks_alone_reads_out_an_article() -> None:
    opinion = "**Ada Quint:**\n\nFor me the new bridge at Veldt is the best thing of the whole year.\n\n"
    alone = f"{opinion}**Break:**\n\n**Ada Quint:**\n\nI like it."
    both = f"{opinion}**Tom Hale:**\n\nSo do I, the bridge is fine."
    standing = [gather(read_bytes(text.encode(), path="a.md")).sentences[0].standing for text in (alone, both)]
    assert standing[0] < standing[1]


def test_each_sentence_is_asked_once_how_it_looks_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many claims stand around it: else long documents take forty times the time."""
    sentences = [
        f"The mayor of Veldt said that bridge {n} will open in spring of the year {1900 + n}." for n in range(60)
    ]
    material = gather(read_bytes(" ".join(sentences).encode(), path="a.txt"))
    asked = []
    monkeypatch.setattr(select, "says_what_follows", asked.append)
    for sentence in material.sentences:
        select.consequence(material, (sentence,), Shelf(), words=40)
    assert len(material.sentences) == 60
    assert len(asked) == len(set(asked)) == 59
