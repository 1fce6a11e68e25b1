"""What the quality benchmark counts: known traps, each in a brief made by hand that is clean but for the trap."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

from metrics import MEASURES, faults, is_unbalanced, measure, pieces

from localsum.brief import Brief, FieldResult, Grounding, Item, Quote, to_dict
from localsum.document import Span
from localsum.readers import read_bytes
from localsum.templates import load_template

ARTICLE = """# Quillmark opens a second plant in Tarn

Quillmark said on Monday that it will open a second battery plant in Tarn, at a cost of $30bn. The plant will employ
1,200 people by 2031. 🔋 Output should double.

"We are short of cells, not of customers," said Odile Marrant, who runs the firm. Prices fell 21 percent last year,
which pushed two smaller makers out of the market. Towns near the site should ask for road money before work begins.
"""
DOCUMENT = read_bytes(ARTICLE.encode(), path="article.md")
QUOTE = "We are short of cells, not of customers,"

TEMPLATE = """
name = "small"
[[field]]
name = "title"
shape = "line"
words = 10
[[field]]
name = "summary"
shape = "text"
words = 40
[[field]]
name = "key_insights"
shape = "items"
count = [1, 3]
  [[field.part]]
  name = "text"
  shape = "text"
  words = 30
  [[field.part]]
  name = "category"
  shape = "choice"
  options = ["Market", "Policy"]
  [[field.part]]
  name = "impact"
  shape = "text"
  words = 20
[[field]]
name = "quotes"
shape = "items"
of = "quote"
count = [1, 2]
words = 30
"""
CLEAN = {
    "title": "Quillmark opens a plant in Tarn",
    "summary": "Quillmark will build a second battery plant for 30 billion dollars.",
    "text": "Prices fell 21 percent last year.",
    "impact": "Two smaller makers left the market.",
    "quote": QUOTE,
}


@pytest.fixture
def template(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(TEMPLATE)
    return load_template(str(path))


def brief_of(template, **changes):
    """The JSON form of a brief without a fault, but for `changes` of its texts."""
    said = {**CLEAN, **changes}
    start = DOCUMENT.text.index(QUOTE) + said.get("shift", 0)
    sure = Grounding("supported", (Span(0, 10),), ("checked",))
    item = Item({"text": said["text"], "category": "Market", "impact": said["impact"]}, sure)
    quote = Quote(said["quote"], start, start + len(QUOTE), "Odile Marrant")
    fields = {
        "title": FieldResult("title", said["title"], "written", sure),
        "summary": FieldResult("summary", said["summary"], "written", sure),
        "key_insights": FieldResult("key_insights", (item,) * said.get("items", 1), "written"),
        "quotes": FieldResult("quotes", (quote,) if said["quote"] else (), "extractive"),
    }
    names = {"name": template.name, "sha256": template.sha256}
    model = {"name": "by-hand", "sha256": "0" * 64}
    return to_dict(Brief(DOCUMENT, fields, model, names, {"total_s": 1.5}, tuple(said.get("warnings", ()))))


def measured(template, **changes):
    return measure(brief_of(template, **changes), template, DOCUMENT.text)


def found(template, **changes):
    return {fault.kind for fault in faults(pieces(brief_of(template, **changes), template))}


# Faults of form


def test_a_clean_brief_has_no_fault(template):
    assert found(template) == {"quote_fragment"}  # the quote ends in the comma of its source
    assert found(template, quote="") == set()


@pytest.mark.parametrize(
    "text",
    [
        "iPhone sales rose.",
        "xAI raised money in Tarn.",
        "Italy and Heathrow agreed.",
        "So-called agents failed.",
        "Thatcher and Sheffield agreed.",
        'Marrant said: "We are short of cells."',
        "The plant (in Tarn) opens.",
        "The article of faith in Tarn is growth.",
        "Sales rose 5 * 3 percent.",
        "Is 3 < 5 & 7 > 5?",
        "Work on the site began — and stopped…",
        "The report card of Tarn improved.",
    ],
)
def test_good_texts_have_no_fault(template, text):
    assert found(template, quote="", summary=text) == set()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("The plant will cost", "no_end"),
        ("The plant will cost,", "no_end"),
        ("Costs rise. and the plant will open.", "lower_start"),
        ("the plant will open.", "lower_start"),
        ('Marrant said: "We are short.', "unbalanced"),
        ("The plant (in Tarn opens.", "unbalanced"),
        ("“The plant opens.", "unbalanced"),
        ("The **plant** opens.", "markdown"),
        ("The [plant](x) opens.", "markdown"),
        ("# Plant opens.", "markdown"),
        ("- Plant opens.", "markdown"),
        ("1. Plant opens.", "markdown"),
        ("Run `make` now.", "markdown"),
        ("It cost \\$30bn.", "markdown"),
        ("See https://example.org now.", "markdown"),
        ("Tarn<br>opens.", "markdown"),
        ("Tarn &amp; co open.", "markdown"),
        ("Tarn opens.<end_of_turn>.", "markdown"),
        ("Tarn opens.<|im_end|>.", "markdown"),
        ("The article discusses a plant.", "about"),
        ("This article also explores a plant.", "about"),
        ("The author argues for a plant.", "about"),
        ("In this article, a plant opens.", "about"),
        ("According to the article, a plant opens.", "about"),
        ("Here is a summary of the plant.", "about"),
        ("Sure! A plant opens.", "about"),
        ("This raises costs.", "dangling"),
        ("However, costs rise.", "dangling"),
        ("It's a plant.", "dangling"),
        ("“But costs rise,” he said.", "dangling"),
        ("And so it goes.", "dangling"),
        ("A plant opens in the city now. " * 3, "loop"),
    ],
)
def test_a_trap_is_found(template, text, kind):
    assert kind in found(template, quote="", summary=text)


def test_a_later_text_of_an_entry_may_lean_on_the_first_but_is_counted_apart(template):
    assert found(template, quote="", impact="This pushes makers out.") == {"dangling_later"}
    assert found(template, quote="", text="This pushes makers out.") == {"dangling"}


def test_lines_are_no_sentences(template):
    assert found(template, quote="", title="iron, tin and copper in Tarn") == set()
    assert found(template, quote="", title="The article discusses Tarn") == {"about"}


def test_unbalanced_counts_each_kind_of_mark():
    assert is_unbalanced('one " mark')
    assert is_unbalanced("”")
    assert not is_unbalanced("(a) [b] {c} “d” «e» \"f\" it's 5'")


# Truth


def test_quotes_must_be_the_text_at_their_offsets(template):
    assert DOCUMENT.text.index("🔋") < DOCUMENT.text.index(QUOTE)  # bytes or UTF-16 units would be off
    assert measured(template)["quotes_verbatim"] == (1, 1)
    assert measured(template, shift=1)["quotes_verbatim"] == (0, 1)
    assert measured(template, quote=QUOTE.replace("cells", "sales"))["quotes_verbatim"] == (0, 1)
    assert measured(template, quote="")["quotes_verbatim"] == (0, 0)


def test_numbers_count_as_values_and_naively_as_digits(template):
    assert measured(template)["numbers_in_source"] == (4, 4)  # "30 billion dollars" is "$30bn"; "second", "Two"
    wrong = measured(template, text="Prices fell 12 percent last year.")
    assert wrong["numbers_in_source"] == (3, 4)
    assert wrong["digits_in_source"] == (1, 2)
    spelled = measured(template, summary="It needs 1200 people.", text="Prices fell.")
    assert spelled["digits_in_source"] == (1, 1)


def test_names_must_match_by_every_letter(template):
    wrong = measured(template, text="The smaller rivals of Quillmarrk and Odile Marrant left that market.")
    right = measured(template, text="The smaller rivals of Quillmark and Odile Marrant left that market.")
    assert right["names_in_source"][0] == right["names_in_source"][1]
    assert wrong["names_in_source"] == (right["names_in_source"][0] - 1, right["names_in_source"][1])
    assert wrong["capitals_in_source"] == (right["capitals_in_source"][0] - 1, right["capitals_in_source"][1])


def test_verdicts_are_counted_once_per_entry(template):
    figures = measured(template)
    assert figures["supported"] == (3, 3)  # title, summary, one insight of three parts
    assert figures["with_evidence"] == figures["evidence_valid"] == (3, 3)
    brief = brief_of(template)
    brief["support"]["summary"].update(grounding="unsupported", evidence=[{"start": 5, "end": 5}])
    brief["key_insights"][0].update(grounding="partial", evidence=[])
    figures = measure(brief, template, DOCUMENT.text)
    assert [figures[verdict] for verdict in ("supported", "partial", "unsupported")] == [(1, 3)] * 3
    assert figures["with_evidence"] == (2, 3)
    assert figures["evidence_valid"] == (1, 2)


def test_a_copied_sentence_may_differ_in_white_space_and_its_end(template):
    figures = measured(template, summary="The plant will employ 1,200 people by 2031.", text="Plants grow.")
    assert figures["copied_sentences"] == (1, 3)


# Repetition


def test_doubles_within_and_between_fields_and_against_quotes(template):
    none = measured(template)
    assert none["double_pairs_within"] == (0, 1)  # text and impact of the one insight
    assert none["double_pairs_between"] == (0, 2)
    within = measured(template, impact="Last year prices fell by 21 percent in Tarn.")
    assert within["double_pairs_within"] == (1, 1)
    assert within["double_sentences"] == (1, 3)
    between = measured(template, text="A second battery plant will be built by Quillmark.")
    assert between["double_pairs_between"] == (1, 2)
    quoted = measured(template, impact="Cells are short, not customers.")
    assert quoted["double_pairs_quotes"] == (1, 3)


def test_sentences_too_short_to_repeat_anything_do_not_count(template):
    assert measured(template, text="Tarn.", impact="In Tarn.")["double_pairs_within"] == (0, 0)


def test_repeated_runs_are_counted_within_a_field_only(template):
    assert measured(template)["repeated_4grams"][0] == 0
    twice = measured(template, text="One two three four five.", impact="One two three four six.")
    assert twice["repeated_4grams"][0] == 1
    across = measured(template, summary="One two three four five.", impact="One two three four six.")
    assert across["repeated_4grams"][0] == 0


# Extent


def test_empty_fields_need_a_reason_in_the_warnings(template):
    assert measured(template, quote="")["empty_without_reason"] == (1, 4)
    told = measured(template, quote="", warnings=["quotes: the source quotes nobody"])
    assert (told["empty_with_reason"], told["empty_without_reason"]) == ((1, 4), (0, 4))
    other = measured(template, quote="", warnings=["summary: shortened"])
    assert other["empty_without_reason"] == (1, 4)


def test_an_empty_text_in_a_field_with_content_is_an_empty_part(template):
    figures = measured(template, impact="")
    assert figures["empty_parts"] == (1, 6)
    assert figures["empty_without_reason"] == (0, 4)


def test_a_missing_field_is_empty_without_a_reason(template):
    brief = brief_of(template)
    del brief["summary"]
    assert measure(brief, template, DOCUMENT.text)["empty_without_reason"] == (1, 4)


def test_limits_are_the_templates(template):
    assert measured(template)["over_word_limit"] == (0, 5)
    assert measured(template, impact="word " * 19 + "end.")["over_word_limit"] == (0, 5)
    assert measured(template, impact="word " * 20 + "end.")["over_word_limit"] == (1, 5)
    assert measured(template)["count_outside"] == (0, 2)
    assert measured(template, items=4)["count_outside"] == (1, 2)


def test_every_measure_is_explained_and_no_part_exceeds_its_whole(template):
    figures = measured(template, items=4, quote="", text="the, the **the", impact="the, the **the")
    assert set(figures) | {"schema_valid"} == set(MEASURES)
    assert all(0 <= part <= whole for part, whole in figures.values())
