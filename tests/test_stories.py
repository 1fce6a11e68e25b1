"""Stories of many documents: copies fold, one story told twice is one, others stay apart, the order changes nothing."""

import random
import tomllib
from collections.abc import Iterable
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest

from localsum.brief import Brief
from localsum.document import Document
from localsum.engine.scripted import ScriptedEngine
from localsum.pipeline import write_briefs
from localsum.readers import read_bytes
from localsum.stories import Telling, Told, edition, extracted, parts_of, stories_as_document, stories_of, written
from localsum.stories.alike import Likeness, profile
from localsum.stories.copies import fold
from localsum.stories.telling import is_weak, points_back
from localsum.templates import load_template
from localsum.writing.headline import clause

ROWS = tomllib.loads((Path(__file__).parent / "data/stories.toml").read_text(encoding="utf-8"))["text"]
MODEL = {"name": "scripted", "sha256": "5c" * 32}
FILLER = (
    "The harbour of Orrin was closed on Monday because of a storm that nobody had expected so late in spring. "
    "Forty ships waited outside, among them a ferry with 300 passengers. The captain of the port, Lene Varga, said "
    "that the gates would open on Tuesday if the wind fell below nine. Fishermen lost a day's catch worth 80,000."
)


def document(text: str, *, title: str = "", published: str = "", path: str = "news.txt") -> Document:
    read = read_bytes(text.strip().encode(), path=path, format_in="text")
    return replace(read, title=title or None, published=published or None)


def labelled(half: str | None = None) -> list[tuple[Document, dict]]:
    rows = [row for row in ROWS if half in (None, row["half"])]
    return [
        (document(row["text"], title=row["title"], published=row["published"], path=f"{n}.txt"), row)
        for n, row in enumerate(rows)
    ]


def told(documents: Iterable[Document]) -> list[Told]:
    parts = [part for each in documents for part in parts_of(each)]
    by_id = {id(part.document): part for part in parts}
    made = write_briefs([part.document for part in parts], load_template("digest"), ScriptedEngine(), model=MODEL)
    return [Told(brief, by_id[id(brief.document)]) for brief in made if isinstance(brief, Brief)]


def sources(tellings: Iterable[Telling]) -> list[list[tuple[str, bool]]]:
    return [[(source.document.path or "", source.duplicate) for source in each.story.sources] for each in tellings]


# The labelled texts


@pytest.mark.parametrize("half", ["develop", "held", None])
def test_the_stories_of_the_labelled_texts_are_found(half: str | None) -> None:
    rows = labelled(half)
    story = {one.path: row["story"] for one, row in rows}
    found = [[path for path, _ in each] for each in sources(stories_of(told(one for one, _ in rows)))]
    together = {pair for each in found for pair in combinations(sorted(each), 2)}
    wanted = {pair for pair in combinations(sorted(story), 2) if story[pair[0]] == story[pair[1]]}
    assert len(together & wanted) >= 0.95 * len(together)  # precision
    assert len(together & wanted) >= 0.9 * len(wanted)  # recall
    assert sorted(path for each in found for path in each) == sorted(story)


def test_the_labelled_copies_are_folded_and_named() -> None:
    rows = labelled()
    copies = {one.path for one, row in rows if row.get("copy")}
    assert len(copies) > 2
    assert {
        path for each in sources(stories_of(told(one for one, _ in rows))) for path, again in each if again
    } == copies


def test_the_order_of_the_inputs_changes_nothing() -> None:
    documents = [one for one, _ in labelled()]
    briefs = told(documents)
    tellings = stories_of(briefs)
    wanted = [each.story for each in tellings]
    for seed in range(5):
        random.Random(seed).shuffle(briefs)
        again = stories_of(briefs)
        assert [each.story for each in again] == wanted
        assert extracted(again) == extracted(tellings)


def test_every_span_of_a_digest_supports_it() -> None:
    tellings = stories_of(told(one for one, _ in labelled()))
    for telling in tellings:
        story = telling.story
        assert story.text
        assert story.headline
        assert story.support.verdict == "supported"
        said = [story.sources[n].document.text[start:end] for n, start, end in story.support.evidence]
        for line in telling.lines:
            assert any(line.text[1:].rstrip(".") in " ".join(text.split()) for text in said), line
    overview = extracted(tellings)
    assert (overview.mode, overview.reasons) == ("extractive", ("verbatim",))
    assert 3 <= overview.text.count(". ") + 1 <= 5
    assert len({number for number, _ in overview.evidence}) >= 3
    for number, (source, start, end) in overview.evidence:
        assert tellings[number].story.sources[source].document.text[start:end].strip()


# Copies


def test_what_is_republished_changed_or_cut_is_a_copy() -> None:
    cut = FILLER[: len(FILLER) // 2]
    changed = FILLER.replace("Forty ships", "Some forty ships").replace("Fishermen", "The fishermen")
    other = labelled()[0][0].text
    assert sorted(map(sorted, fold([cut, FILLER, other, changed, FILLER.upper()]))) == [[0, 1, 3, 4], [2]]


def test_a_boilerplate_makes_no_copies() -> None:
    notice = "This text may be printed by members of the association of island papers without a fee. " * 2
    texts = [f"{row['text']}\n\n{notice}" for row in ROWS if not row.get("copy")]
    assert all(len(group) == 1 for group in fold(texts))


def test_a_short_text_inside_a_long_one_is_a_copy_only_if_that_begins_with_it() -> None:
    first, second = ROWS[0]["text"], ROWS[6]["text"]
    around = "\n\n".join(row["text"] for row in ROWS[16:22])
    roundup = f"{first}\n\n{around}\n\n{second}"
    assert sorted(map(sorted, fold([first, second, roundup]))) == [[0, 2], [1]]


def test_any_number_of_copies_fold() -> None:
    texts = [f"{FILLER} Printed by paper number {n}." for n in range(150)]
    assert [len(group) for group in fold(texts)] == [150]


def test_texts_without_words_are_no_trouble() -> None:
    assert sorted(map(len, fold(["", "…", "one", "one", FILLER]))) == [1, 2, 2]


# The same story


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"published": "2026-03-01"}, {"published": "2026-03-20"}),
        ({"title": "The harbour runs on Heron 2"}, {"title": "The harbour runs on Heron 3"}),
    ],
)
def test_what_lies_far_apart_is_not_one_story(one: dict, other: dict) -> None:
    def likeness(first: dict, second: dict) -> float:
        wanted = [profile(each.get("title", "Harbour"), FILLER, each.get("published")) for each in (first, second)]
        return Likeness(wanted, ["a", "b"]).of(0, 1)

    assert likeness(one, one) > 0.9
    assert likeness(one, other) == 0.0
    assert likeness(one, {**other, **dict.fromkeys(one, "")}) > 0.8


def test_few_pairs_of_many_texts_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """2,000 texts on a hundred subjects: not two million comparisons."""
    compared = 0
    of = Likeness.of

    def counted(self: Likeness, i: int, j: int) -> float:
        nonlocal compared
        compared += 1
        return of(self, i, j)

    monkeypatch.setattr(Likeness, "of", counted)
    pick = random.Random(7)
    names = [
        f"{a}{b}" for a in ("Vor", "Tel", "Mas", "Quin", "Ols", "Ber") for b in ("ano", "ick", "umb", "eth", "ard")
    ]
    nouns = [word for row in ROWS for word in row["text"].split() if len(word) > 6 and word.isalpha()]
    profiles = [
        profile(
            "",
            " ".join(f"{pick.choice(names)} {pick.choice(names)} {pick.choice(nouns)}" for _ in range(30)),
            None,
        )
        for _ in range(2000)
    ]
    pairs = Likeness(profiles, [str(n) for n in range(2000)]).pairs()
    assert compared < 100_000
    assert len(pairs) <= compared


# Newsletters

LETTER = f"""# Morning

Good morning! Here is what happened while you slept.

## Storm closes harbour

{FILLER}

## Today's sponsor

This issue is sponsored by Velo, the bicycle that folds itself. Head over to velo.example for 20 percent off.

## Council buys software

{ROWS[6]["text"].strip()}

## Fractures unseen

{ROWS[9]["text"].strip()}

## Cheap model

{ROWS[12]["text"].strip()}
"""


def test_a_newsletter_is_told_story_by_story() -> None:
    whole = read_bytes(LETTER.encode(), path="letter.md")
    parts = parts_of(whole)
    assert [part.document.title for part in parts] == [
        *("Storm closes harbour", "Council buys software", "Fractures unseen", "Cheap model")
    ]
    for part in parts:
        assert whole.text[part.start : part.start + len(part.document.text)] == part.document.text
        for block in part.document.blocks:
            assert part.document.text[block.start : block.end].strip()
    tellings = stories_of(told([whole, labelled()[10][0]]))
    assert sources(tellings)[0] in (
        [("letter.md", False), ("10.txt", False)],
        [("10.txt", False), ("letter.md", False)],
    )
    for telling in tellings:
        for number, start, end in telling.story.support.evidence:
            text = " ".join(telling.story.sources[number].document.text[start:end].split())
            assert any(line.text[1:] in text for line in telling.lines)


def test_a_newsletter_that_tells_a_story_twice_is_one_source() -> None:
    again = ROWS[10]["text"].strip()
    whole = read_bytes(f"{LETTER}\n\n## 3 fractures\n\n{again}\n".encode(), path="letter.md")
    assert "3 fractures" in [part.document.title for part in parts_of(whole)]
    telling = next(each for each in stories_of(told([whole])) if len(each.tellers) == 2)
    assert [(source.document.path, source.duplicate) for source in telling.sources] == [("letter.md", False)]
    for number, start, end in telling.story.support.evidence:
        assert " ".join(telling.sources[number].document.text[start:end].split())[1:] in telling.story.text


def test_an_article_is_one_part() -> None:
    whole = document(FILLER)
    assert [part.document for part in parts_of(whole)] == [whole]


# What is told


def test_a_second_source_adds_a_fact() -> None:
    first = document(
        "Basalt Cloud failed for six hours on Wednesday. The cloud of Basalt was down because a certificate had "
        "expired. Customers of the cloud were cross about the failure of Basalt.",
        path="a.txt",
        title="Basalt Cloud fails for six hours",
    )
    second = document(
        "Basalt Cloud failed on Wednesday because of a certificate that had expired. A group of shops led by "
        "Runa Falk puts the damage that Basalt did at 30 million. Basalt Cloud is sorry for the six hours of failure.",
        path="b.txt",
        title="Basalt Cloud fails on Wednesday",
    )
    (telling,) = stories_of(told([first, second]))
    assert len(telling.story.text.split(". ")) == 2
    assert "30 million" in telling.story.text
    assert {evidence.source for evidence in telling.story.support.evidence} == {0, 1}


def test_more_sources_come_first_then_newer_ones() -> None:
    rows = labelled("develop")
    ranked = sources(stories_of(told(one for one, _ in rows)))
    assert len(ranked[0]) > 1
    assert max(map(len, ranked)) == len(ranked[0])
    old = next(n for n, each in enumerate(ranked) if any(path == "15.txt" for path, _ in each))  # a year older
    assert old >= len(ranked) - 3


@pytest.mark.parametrize(
    ("line", "sentence", "weak"),
    [
        ("Storm closes the harbour of Orrin", "The harbour of Orrin was closed by a storm on Monday.", False),
        ("The move could cost the harbour a million", "The harbour of Orrin was closed on Monday.", True),
        ("Fishermen complain about their lost catch", "The harbour of Orrin was closed on Monday.", True),
        (
            "Captain Varga dies in death of gates",
            "Captain Varga spoke of the death of a sailor forty years ago at the pier behind the old iron gates.",
            True,
        ),
    ],
)
def test_weak_headlines(line: str, sentence: str, *, weak: bool) -> None:
    assert is_weak(line, sentence) is weak


@pytest.mark.parametrize(
    ("sentence", "points"),
    [
        ("He said that the gates would open.", True),
        ("Now that his trial has ended, the harbour is quiet.", True),
        ("Lene Varga said that her port was full.", False),
        ("People who lost their boats were paid.", False),
    ],
)
def test_pointing_back(sentence: str, *, points: bool) -> None:
    assert points_back(sentence) is points


# The overview


def test_a_model_writes_the_overview_from_the_stories_and_its_evidence_is_theirs() -> None:
    tellings = stories_of(told(one for one, _ in labelled("develop")))
    page = stories_as_document(tellings)
    for telling in tellings[:10]:
        assert " ".join(telling.story.text.split()) in page.text
    first, second = tellings[0].lines[0].text, tellings[1].lines[0].text
    chat = "{% for m in messages %}{{ m.content }}{% endfor %}"

    def overview(text: str) -> Brief:
        engine = ScriptedEngine(lambda *_: text, chat_template=chat, check=False)
        (made,) = write_briefs([page], load_template("overview"), engine, model=MODEL)
        assert isinstance(made, Brief)
        return made

    third = tellings[2].lines[0].text
    found = written(overview(f"{first} {second} {third}"), tellings)
    assert found is not None
    assert (found.mode, found.text) == ("written", f"{first} {second} {third}")
    assert {0, 1, 2} <= {number for number, _ in found.evidence}
    for number, each in found.evidence:
        assert each in tellings[number].story.support.evidence
    assert written(overview("Lord Ruthven of Kesh bought 77 elephants in Samarkand."), tellings) is None


def test_the_edition_counts_and_says_what_is_left_out() -> None:
    tellings = stories_of(told(one for one, _ in labelled("develop")))
    made = edition(
        *(tellings, extracted(tellings)), most=3, model=MODEL, template=MODEL, timing={}, warnings=["b.md is empty"]
    )
    assert made.title == f"{len(tellings)} stories from 22 documents, 6 February 2025 to 13 March 2026"
    assert len(made.stories) == 3
    assert made.warnings == (
        *("b.md is empty", f"{len(tellings) - 3} more stories are left out; for all: --stories {len(tellings)}"),
    )


def test_headlines_are_never_empty() -> None:
    assert clause("", 5) == ""
    (telling,) = stories_of(told([document("word " * 30)]))
    assert telling.story.headline
