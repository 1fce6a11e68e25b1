"""Grounding: values and names by table, one trap for each rule, and what holds of any text."""

import json
import random
import string
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

import checker

from localsum.document import Block, Document
from localsum.grounding import Finding, Source, check
from localsum.grounding.names import NameIndex, names_in
from localsum.grounding.source import Statement, sentence_spans
from localsum.grounding.values import numbers_in, readings, same
from localsum.grounding.words import (
    NOT,
    content_stems,
    is_unfinished,
    negated,
    repeated_ngrams,
    stem_overlap,
    words,
)

NEWS = (
    """Harbor Labs opens its pilot plant

Harbor Labs said on March 3, 2026 that it is not planning to sell its battery unit. The company has reached a $30
billion run rate, up from $9bn a year ago, and employs 1,487 people in the United States. Chief executive Ann Miller
founded it with John Smith in 2011.

Orion Motors sued Harbor Labs in a Delaware court over a suitable charging patent. The yellow prototype may reach
customers in 2027. Some users lost data during the first trial, which lasted at least 12 months. Revenue rose sharply,
while costs fell by 35 percent. "We want every truck to run for a week," Miller said. Critics were not convinced by the
direct comparison with Gemma 4 and GPT-4.5, two models of another kind. The fire killed two people and left 50 missing.
It is false that Tessera bought the plant. Sales staff at AWS praised the excellent design of the safe cooling system.
""".replace("\n\n", "¶")
    .replace("\n", " ")
    .replace("¶", "\n\n")
)


def source(text: str = NEWS, published: str | None = None) -> Source:
    return Source.of(Document(text, (), published=published))


@pytest.fixture(scope="module")
def news() -> Source:
    return source()


# ---- values

SAME = [
    ("30 billion", "30B"),
    ("30 billion dollars", "$30bn"),
    ("$30bn", "30,000,000,000"),
    ("$30 billion", "a 30-billion-dollar deal"),
    ("thirty billion", "30 billion"),
    ("half a million", "500,000"),
    ("2.5k", "2,500"),
    ("a ratio of 10:1", "ten to one"),
    ("10-to-1", "10:1"),
    ("35 %", "35 percent"),
    ("35%", "35 per cent"),
    ("half of them", "50 %"),
    ("two-thirds of users", "67 percent"),
    ("3/4 of them", "75 %"),
    ("March 3, 2026", "3 March 2026"),
    ("March 3rd, 2026", "2026-03-03"),
    ("Mar. 3, 2026", "March 3, 2026"),
    ("March 2026", "March 3, 2026"),
    ("in 2026", "on 3 March 2026"),
    ("two firms", "2 firms"),
    ("a dozen eggs", "12 eggs"),
    ("twenty-five people", "25 people"),
    ("one hundred and twenty", "120"),
    ("the third quarter", "the 3rd quarter"),
    ("15 percent", "10-15 %"),
    ("10 %", "between 10 and 15 %"),
    ("$3 million", "$3 to 5 million"),
    ("20 people", "a 20-person team"),
    ("tripled", "grew threefold"),
    ("3x", "three times"),
    ("the 1990s", "in the '90s"),
    ("12 months", "one year"),
    ("24 hours", "1 day"),
    ("10:30 p.m.", "22:30"),
    ("millions of users", "5 million users"),
    ("about 1.5 million", "1,487,000"),
    ("1.5 million", "1,487,000"),
    ("around 50 people", "49 people"),
    ("more than 30,000", "32,711"),
    ("5 million users", "5m users"),
]
DIFFERENT = [
    ("30 billion", "30 million"),
    ("$30", "€30"),
    ("0.35", "35 %"),
    ("35 %", "$35"),
    ("36 %", "35 %"),
    ("2025", "2026"),
    ("about 2024", "2026"),
    ("March 3, 2026", "March 4, 2026"),
    ("March 3", "March 2026"),
    ("March 3, 2025", "March 3, 2026"),
    ("10 days", "10 months"),
    ("6 weeks", "6 days"),
    ("two", "three"),
    ("10:1", "1:10"),
    ("1.7 million", "1,487,000"),
    ("more than 30,000", "29,000"),
    ("up to 30 %", "33 %"),
    ("dozens", "millions"),
    ("the 1980s", "the 1990s"),
]


def supports(stated: str, known: str) -> bool:
    (value, *_), said = numbers_in(stated), numbers_in(known)
    return any(same(value, reading) for other in said for reading in readings(other))


@pytest.mark.parametrize(("stated", "known"), SAME)
def test_values_that_are_the_same(stated, known):
    assert supports(stated, known)


@pytest.mark.parametrize(("stated", "known"), DIFFERENT)
def test_values_that_differ(stated, known):
    assert not supports(stated, known)


@pytest.mark.parametrize("text", ["GPT-4.5", "H100", "COVID-19", "v1.2.3", "Llama-3", "no number", "may be", "1" * 31])
def test_what_is_no_value(text):
    assert numbers_in(text) == []


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("at least 50", 1),
        ("no fewer than 50", 1),
        ("50 or more", 1),
        ("50+", 1),
        ("up to 50", -1),
        ("no more than 50", -1),
        ("not more than 50", -1),
        ("50 or less", -1),
        ("about 50", 0),
        ("50", 0),
    ],
)
def test_limits(text, bound):
    (value,) = numbers_in(text)
    assert value.bound == bound
    assert value.hedged == (text == "about 50")


def test_a_range_of_spelled_numbers_is_two_values():
    assert [value.number for value in numbers_in("between two and four million dollars")] == [2e6, 4e6]


# ---- names


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Yesterday Ann Miller met John Smith.", ["Yesterday Ann Miller", "John Smith"]),
        ("The engineers like it.", []),
        ("It runs Gemma 4 and GPT-4.5 on an iPhone.", ["Gemma 4", "GPT-4.5", "iPhone"]),
        ("He joined on March 3 with 20 people.", ["March"]),
        ("The U.S. and IT staff agreed.", ["U.S", "IT"]),
        ("Orion's Smith left.", ["Orion's", "Smith"]),
        ("an AI-based tool", ["AI-based"]),
    ],
)
def test_names_in(text, expected):
    assert [name.text for name in names_in(text)] == expected


def test_sure_names():
    assert [name.sure for name in names_in("Nvidia has won.")] == [True]
    assert [name.sure for name in names_in("Developers agreed.")] == [False]
    assert not any(name.sure for name in names_in("Startup Raises Money For Cheaper Batteries"))


PRESENT = [
    ("He works for harbor labs.", "He works for Harbor Labs."),
    ("The US agreed.", "He said the U.S. agreed."),
    ("The United States agreed.", "He said the US agreed."),
    ("Ask Miller's team.", "Ask Ann Miller."),
    ("He met Zoe Muller.", "He met Zoë Müller."),
    ("It is the Open AI lab.", "It is OpenAI."),
    ("It runs GPT4.", "It runs GPT-4."),
    ("The tool uses AWS.", "The tool uses Amazon Web Services."),
    ("It belongs to Amazon Web Services.", "It belongs to AWS."),
    ("The Russian embassy", "Moscow in Russia"),
    ("He is from Canada.", "He is Canadian."),
    ("The German firm", "The firm of Germany"),
    ("He sells TPUs.", "He sells a TPU."),
    ("He likes LLMs.", "We like large language models. He has large language models."),
    ("It is AI-based.", "It is AI."),
]
ABSENT = [
    ("It is Anthrropic.", "It is Anthropic."),
    ("It is Anthrop.", "It is Anthropic."),
    ("He met John Miller.", "He met John Smith and Ann Miller."),
    ("It runs Gemma 3.", "It runs Gemma 4 on 3 phones."),
    ("It runs GPT-4.", "It runs GPT-5."),
    ("The Austrian firm", "The firm of Australia"),
    ("He joined the IRA.", "He went to Iran."),
    ("He met John Smith.", "JS is a language."),
]


@pytest.mark.parametrize(("text", "known"), PRESENT)
def test_names_the_source_has(text, known):
    index = NameIndex(known)
    assert [index.missing(name) for name in names_in(text) if name.sure] in ([""], [])


@pytest.mark.parametrize(("text", "known"), ABSENT)
def test_names_the_source_lacks(text, known):
    index = NameIndex(known)
    assert any(index.missing(name) for name in names_in(text))


# ---- words


def test_words_are_in_place_and_normal():
    text = "The U.S. firm’s brain-machine café doesn't stop."
    found = words(text)
    assert all(text[word.start : word.end] == word.text for word in found)
    assert [word.norm for word in found] == ["the", "us", "firm", "brain", "machine", "cafe", "doesn't", "stop"]
    assert [word.stem for word in found][:3] == ["", "us", "firm"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It is not safe.", {"safe": NOT}),
        ("It didn't sell the old plant.", {"sell": NOT, "old": 1, "plant": 1}),
        ("It is not only safe.", {}),
        ("A never-before-seen risk-free plan", {"risk": 0}),
        ("They failed to sell it.", {"sell": 0}),
        ("No sales, but profits.", {"sale": NOT}),
    ],
)
def test_negated(text, expected):
    assert negated(words(text), text) == expected


@pytest.mark.parametrize(
    ("text", "unfinished"),
    [
        ("It works.", False),
        ('He said "it works."', False),
        ("Does it work?", False),
        ("It works (well).", False),
        ("It works", True),
        ("It works and.", True),
        ("He said “it works.", True),
        ("It works (well.", True),
        ('"It works.', True),
        ("It works...", True),
        ("It works with the", True),
        ("", True),
    ],
)
def test_is_unfinished(text, unfinished):
    assert is_unfinished(text) is unfinished


def test_overlap_and_repetition():
    assert stem_overlap("The plant sells batteries.", "Batteries are sold; the plants sell them.") == 1.0
    assert stem_overlap("The plant", "A court") == 0.0
    assert stem_overlap("", "A court") == 0.0
    assert repeated_ngrams("one two three four five six") == 0.0
    assert repeated_ngrams("a b c d a b c d") == pytest.approx(0.2)
    assert repeated_ngrams("a b c") == 0.0


# ---- verdicts


@pytest.mark.parametrize(
    "text",
    [
        "Orion Motors sued Harbor Labs in a Delaware court over a suitable charging patent.",
        "Orion Motors sued   Harbor Labs\nin a Delaware court over a suitable charging patent",
        "“We want every truck to run for a week,” Miller said.",
        "revenue rose sharply, while costs fell by 35 percent.",
        "Some users lost data during the first trial. Revenue rose sharply, while costs fell by 35 percent.",
    ],
)
def test_verbatim(news, text):
    grounding = check(text, news)
    assert (grounding.verdict, grounding.reasons) == ("supported", ("verbatim",))
    said = " ".join(NEWS[span.start : span.end] for span in grounding.evidence)
    assert [word.norm for word in words(said)] == [word.norm for word in words(text)]


@pytest.mark.parametrize(
    "text",
    [
        "Harbor Labs employs 1,487 people in the U.S. and has a run rate of 30bn dollars.",
        "Harbor Labs, founded in 2011 by Miller and Smith, is not planning to sell its battery unit.",
        "Harbor Labs was sued by Orion Motors in Delaware.",
        "The prototype may reach customers in 2027.",
        "Costs fell 35 % while revenue rose sharply.",
        "The first trial lasted at least a year, 12 months.",
        "Two people were killed by the fire, and 50 are missing.",
    ],
)
def test_right_in_other_words(news, text):
    grounding = check(text, news)
    assert (grounding.verdict, grounding.reasons) == ("supported", ())
    assert 1 <= len(grounding.evidence) <= 3


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Costs fell by 45 percent while revenue rose.", "number not in source: 45 percent"),
        ("Harbor Labs reached a $9 million run rate.", "number not in source: $9 million"),
        ("Harbor Labs said on March 3, 2025 that it kept its battery unit.", "number not in source: March 3, 2025"),
        (
            "The Harbor Labs fire started in 2011 and 50 critics left, 35 percent of the court.",
            "number belongs to another",
        ),
        (
            "Harbor Labs employs 50 people in the United States.",
            "number belongs to another statement: 50 (source: 1,487)",
        ),
        ("The first trial lasted at most 12 months.", "limit reversed: 12"),
        ("The fire killed 50 people and left two missing.", "exchanged: 50 and two"),
        ("Harbbor Labs has reached a run rate of $30 billion.", "name not in source: Harbbor Labs"),
        ("Tesla has reached a $30 billion run rate.", "name not in source: Tesla"),
        ("John Miller founded Harbor Labs in 2011.", "name not in source: John Miller"),
        ("Critics made a comparison with Gemma 3.", "name not in source: Gemma 3"),
        ("AWS sued Harbor Labs in a Delaware court over a charging patent.", "name belongs to another statement"),
        ("Harbor Labs sued Orion Motors in a Delaware court.", "roles exchanged: labs and motors"),
        ("Orion Motors was sued by Harbor Labs in a Delaware court.", "roles exchanged: motors and labs"),
        ("They want every truck to run for a week, Smith said.", "said by another in the source: Smith"),
        ("Harbor Labs is planning to sell its battery unit.", "negated in source: planning"),
        ("Orion Motors did not sue Harbor Labs in a Delaware court.", "negated here, not in source: sue"),
        ("Revenue fell sharply last year.", "opposite in source: fell (source: rose)"),
        ("The patent is an unsuitable charging patent.", "opposite in source: unsuitable (source: suitable)"),
        ("Orion Motors sued over an ex-patent.", "not in source: ex-patent (source: patent)"),
        ("The green prototype may reach customers.", "not in source: green (source: yellow)"),
        ("Sales staff at AWS saw the mediocre design of the cooling system.", "judgement not in source: mediocre"),
        ("All users lost data during the trial.", "quantity differs: all users (source: some)"),
        ("The yellow prototype will reach customers.", "certainty differs: will reach (source: may reach)"),
        ('Miller said "we want every car to run for a year".', "quotation not in source: we want every car"),
    ],
)
def test_wrong(news, text, reason):
    grounding = check(text, news)
    assert grounding.verdict == "unsupported"
    assert any(said.startswith(reason) for said in grounding.reasons), grounding.reasons


def test_other_words_are_partial(news):
    grounding = check("Harbor enjoys splendid weather throughout endless summers.", news)
    assert grounding.verdict == "partial"
    assert grounding.reasons[0].startswith("few words in common with the source (0.")


def test_a_part_of_a_sentence_that_turns_it_is_not_verbatim(news):
    grounding = check("Tessera bought the plant.", news)
    assert grounding.verdict == "partial"
    assert grounding.reasons == ("taken out of a sentence that says more",)


def test_a_sentence_that_also_stands_alone_is_verbatim():
    text = "It is not true that Tessera bought the plant. A year later Orion sold out. Tessera bought the plant."
    grounding = check("Tessera bought the plant.", source(text))
    assert grounding.reasons == ("verbatim",)
    assert grounding.evidence == ((len(text) - 25, len(text)),)


def test_the_weakest_sentence_decides(news):
    grounding = check("Revenue rose sharply. Costs fell by 45 percent.", news)
    assert grounding.verdict == "unsupported"
    assert "verbatim" not in grounding.reasons
    assert len(grounding.evidence) >= 2


@pytest.mark.parametrize("text", ["", " \n", "...", "—"])
def test_nothing_said(news, text):
    assert check(text, news).verdict == "unsupported"


def test_the_date_of_publication_counts():
    text = "On Tuesday, 3 March, the lab opened its second plant in Oslo."
    assert check("The lab opened its second Oslo plant on 3 March 2026.", source(text)).verdict == "unsupported"
    assert (
        check("The lab opened its second Oslo plant on 3 March 2026.", source(text, "2026-03-04")).verdict
        == "supported"
    )


def test_blocks_are_sentences_of_their_own():
    text = "Harbor Labs opens a plant\n\nIt employs 20 people."
    document = Document(text, (Block(0, 25, "heading"), Block(27, len(text))))
    assert [text[start:end] for start, end in Source.of(document).spans] == [
        "Harbor Labs opens a plant",
        "It employs 20 people.",
    ]


GERMAN = """Die Firma Nordwind hat am Dienstag in Hamburg ein neues Werk eröffnet und will dort zwölf Lastwagen am Tag
bauen. Der Umsatz stieg um 35 Prozent, wie der Vorstand der Zeitung sagte. Die Kosten blieben nach Angaben der
Buchhaltung stabil, und die Mitarbeiter bekommen im Sommer mehr Geld für ihre Arbeit an den Wochenenden.""".replace(
    "\n", " "
)


def test_other_languages_get_the_rules_that_need_no_english():
    german = source(GERMAN)
    assert not german.english
    assert check("Nordwind eröffnet ein Werk in Hamburg für Lastwagen.", german).verdict == "supported"
    assert check("Der Umsatz stieg um 45 % im Werk in Hamburg.", german).reasons[0] == "number not in source: 45 %"
    assert check("Nordwinnd eröffnet ein Werk in Hamburg.", german).reasons[0].startswith("name not in source")


def test_one_more_rule(news):
    text = "The prototype may reach customers in 2027."

    def doubt(case):
        assert case.evidence
        return [Finding("unlikely after its evidence", hard=False)]

    assert check(text, news, also=doubt).verdict == "partial"
    assert check(text, news).verdict == "supported"


# ---- what holds of any text

ANY = st.text(max_size=300)
PIECES = st.lists(
    st.sampled_from(
        [
            *NEWS.split(),
            "not",
            "5 %",
            "$3m",
            "March",
            "2026",
            "“",
            '"',
            "half",
            "a",
            "-",
            "U.S.",
            "漢字",
            "ſ",
            "²",
            "\0",
        ]
    ),
    max_size=60,
).map(" ".join)


@given(ANY | PIECES, ANY | PIECES)
@settings(max_examples=300, deadline=None)
def test_never_raises_and_evidence_lies_in_the_document(document, text):
    prepared = source(document)
    grounding = check(text, prepared)
    assert grounding.verdict in ("supported", "partial", "unsupported")
    assert all(0 <= start < end <= len(document) for start, end in grounding.evidence)
    assert len(grounding.evidence) <= 3 * max(1, len(sentence_spans(text)))
    assert (grounding.reasons == ()) <= (grounding.verdict == "supported")
    assert check(text, prepared) == grounding, "a check leaves no trace"


@given(ANY | PIECES)
@settings(max_examples=200, deadline=None)
def test_parts_are_slices_of_the_text(text):
    for part in (*numbers_in(text), *names_in(text), *words(text)):
        assert text[part.start : part.end] == part.text
    assert 0.0 <= repeated_ngrams(text) <= 1.0
    assert stem_overlap(text, text) == (1.0 if content_stems(text) else 0.0)
    assert isinstance(is_unfinished(text), bool)


@given(PIECES)
@settings(max_examples=200, deadline=None)
def test_a_number_supports_itself(text):
    assert all(same(value, value) for value in numbers_in(text))


def test_every_sentence_of_a_document_supports_itself(news):
    for start, end in news.spans:
        grounding = check(NEWS[start:end], news)
        assert (grounding.verdict, grounding.reasons) == ("supported", ("verbatim",))
        ((first, last),) = grounding.evidence
        assert NEWS[start:end].strip('"') == NEWS[first:last].strip('"')


def test_order_of_sentences_does_not_change_the_verdict(news):
    sentences = ["Revenue fell sharply.", "Costs fell by 35 percent.", "All users lost data.", "Smith met Miller."]
    expected = check(" ".join(sentences), news)
    for seed in range(5):
        random.Random(seed).shuffle(sentences)
        grounding = check(" ".join(sentences), news)
        assert grounding.verdict == expected.verdict
        assert set(grounding.reasons) == set(expected.reasons)
        assert set(grounding.evidence) == set(expected.evidence)


def test_statements_count_from_their_own_start():
    statement = Statement("Ann Miller has 20 people.")
    assert [name.text for name in statement.names] == ["Ann Miller"]
    assert [word.text for word in statement.plain] == ["people"]


@pytest.mark.parametrize(
    "unit", ["a", "A ", "Ab ", "1 ", "1.", "1,", '"', "not ", "a-", "U.S.", "漢", "\n", "half a ", "$"]
)
def test_time_is_linear(unit):
    """Four times the text may take four times as long; the bound leaves room for a busy machine, not for a square."""

    def seconds(size: int) -> float:
        text = unit * (size // len(unit))
        began = time.perf_counter()
        prepared = source(text)
        check("The plant of Orion Motors did not grow by 7 percent.", prepared)
        check(text[:3000], prepared)
        return time.perf_counter() - began

    assert min(seconds(40_000), seconds(40_000)) < 10 * max(seconds(10_000), 0.01)


# ---- the benchmark


def test_the_benchmark_says_what_it_needs_and_writes_its_figures(tmp_path, capsys):
    assert checker.main(["--data", str(tmp_path), "--set", "made"]) == 2
    assert "--data" in capsys.readouterr().err
    row = {
        "id": "1",
        "source": "writer/1",
        "text": NEWS,
        "references": ["Revenue rose sharply.", "All users lost data."],
    }
    (tmp_path / "docs.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    figures = tmp_path / "figures.json"
    assert checker.main(["--data", str(tmp_path), "--set", "made", "references", "--json", str(figures)]) == 0
    result = json.loads(figures.read_text(encoding="utf-8"))
    assert result["references"]["parts"]["all"]["specificity"]["value"] == 0.5
    assert result["references"]["parts"]["all"]["recall"]["value"] is None
    made = result["made"]["kinds"]
    assert made["name misspelt"]["wrong_flagged"] == made["name misspelt"]["wrong"] > 0


# ---- on the development data

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.mark.skipif(not (DATA / "docs.jsonl").is_file(), reason="development data not beside the checkout")
def test_real_documents_support_themselves_and_not_a_changed_name():
    rng = random.Random(3)
    with (DATA / "docs.jsonl").open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    for row in rows[::6]:
        prepared = Source.of(Document(row["text"], ()))
        for start, end in rng.sample(prepared.spans, 5):
            sentence = row["text"][start:end]
            assert check(sentence, prepared).verdict != "unsupported" or not words(sentence)
        odd = "".join(rng.choices(string.ascii_lowercase, k=9)).capitalize()
        assert check(f"Yesterday a spokesman of {odd} spoke.", prepared).verdict == "unsupported"


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("Veldrum sells chips in Oslo.", "unsupported"),  # at the head of a sentence any word has a capital
        ("Veldrin sells chips in Oslo.", "supported"),
        ("Workers sell chips in Oslo.", "supported"),
    ],
)
def test_a_name_that_ends_otherwise_is_another_also_at_the_head_of_a_sentence(text: str, verdict: str) -> None:
    known = source("Veldrin sells chips in Oslo. Its 300 workers sell chips.")
    assert check(text, known).verdict == verdict
