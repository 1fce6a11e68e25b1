"""Titles and headings: which lines can stand, which of several is chosen, and phrases that are not cut from names."""

import pytest

from localsum.readers import read_bytes
from localsum.writing import headline, title
from localsum.writing.material import Material, gather

ARTICLE = """Corvane, a maker of pumps, said on Monday that it will let a small language model answer its service calls.
The model runs on a machine under the counter and has read 40,000 repair reports.

It is the third firm in Aldwick to do so. The works council wants a human to listen to every tenth call.
Corvane expects the model to answer half of all calls by June. Some people in the town like it. The language
model cost Corvane less than one van.
"""


def material() -> Material:
    return gather(read_bytes(ARTICLE.encode(), path="x.txt"))


@pytest.mark.parametrize(
    "line",
    [
        "Corvane lets a small model answer its service calls",
        "Pump maker's model answers half of all calls",
    ],
)
def test_lines_that_can_be_titles(line: str) -> None:
    assert title.stands(line)


@pytest.mark.parametrize(
    "line",
    [
        "If you were calling the pump maker",  # only half of a sentence
        "Now that the three leading labs agree",
        "It is the third firm to do so",  # points back
        "We are changing how calls are answered",
        'The model said "hello to the caller',  # cut off
        "Pumps, calls, models, repairs, reports, vans",  # words in a row
        "Will a model answer every call?",
        "Corvane cuts costs",  # too short to say who does what
    ],
)
def test_lines_that_cannot(line: str) -> None:
    assert not title.stands(line)


def test_of_several_lines_the_one_about_the_whole_is_chosen() -> None:
    source = material()
    first, other = source.sentences[0], source.sentences[5]
    about = title.Line("Corvane lets a language model answer its service calls", first, by_model=True)
    beside = title.Line("Some people in the town like a machine", other, by_model=True)
    assert title.best([beside, about], source) == title.best([about, beside], source) == about


def test_what_several_lines_agree_on_wins() -> None:
    source = material()
    first = source.sentences[0]
    odd = title.Line("Corvane service calls let pumps answer", first)
    lines = [
        title.Line("Corvane lets a small model answer its calls", first),
        title.Line("Corvane lets a model answer calls", first),
        odd,
    ]
    chosen = title.best(lines, source)
    assert chosen is not None
    assert chosen is not odd


def test_no_line_no_title() -> None:
    assert title.best([], material()) is None


def test_clauses_of_the_document_are_supported_by_their_sentence() -> None:
    source = material()
    found = title.clauses(source, 14)
    assert found
    for line in found:
        assert line.sentence in source.sentences
        assert not line.by_model
        assert len(line.text.split()) <= 14


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("The Harbour Light Trust pays for it.", "Harbour Light"),  # a longer name
        ("Johnson's Boston-based brother spoke.", "Johnson's Boston"),  # a compound
        ("They will run inference at home.", "Run inference"),  # a verb
        ("It happened two months earlier.", "Months earlier"),  # names no topic
        ("I think - yeah, it works.", "Think - yeah"),
    ],
)
def test_phrases_are_not_cut_from_something_longer(text: str, cut: str) -> None:
    stems = [
        "harbour",
        "light",
        "trust",
        "johnson",
        "boston",
        "run",
        "infer",
        "month",
        "earli",
        "think",
        "yeah",
        "brother",
    ]
    words = dict.fromkeys(stems, 1.0)
    assert headline.phrase([text], 6, words) != cut


def test_a_title_keeps_the_head_of_its_subject() -> None:
    said = "The port of Orrin closed on Monday after a crane fell into the basin."
    assert title.loses_its_head("Orrin closed on Monday after a crane fell", said)
    assert not title.loses_its_head("The port of Orrin closed on Monday", said)
    assert not title.loses_its_head("Orrin port closed on Monday", said)
    assert not title.loses_its_head("Crane fell into the basin", said)
    assert not title.loses_its_head("Teachers strike in Halm", "A group of teachers strike in Halm.")
    assert not title.loses_its_head("", said)
