"""What the quality benchmark counts: known traps, each in a brief made by hand that is clean but for the trap."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

import quality
import rouge
from metrics import MEASURES, faults, is_unbalanced, measure, pieces
from quality_report import Sample, Scored, System, as_json, choices, estimate, percent, report, table

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


# ROUGE


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
    many = [f"Number {i} of the report names the harbour and the terminal." for i in range(30)]
    assert len(rouge.extractive(many).split()) <= 50
    assert len(rouge.extractive(many, most=2).split("Number")) == 3


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
    assert measured(template)["over_word_limit"] == (0, 6)
    assert measured(template, impact="word " * 20 + "end.")["over_word_limit"] == (1, 6)
    assert measured(template)["count_outside"] == (0, 2)
    assert measured(template, items=4)["count_outside"] == (1, 2)


def test_every_measure_is_explained_and_no_part_exceeds_its_whole(template):
    figures = measured(template, items=4, quote="", text="the, the **the", impact="the, the **the")
    assert set(figures) | {"schema_valid"} == set(MEASURES)
    assert all(0 <= part <= whole for part, whole in figures.values())


# Pooling and tables


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)).map(lambda p: (min(p), max(p))), max_size=12))
def test_the_interval_holds_the_pooled_share(pairs):
    one = estimate(pairs, seed=1)
    if sum(whole for _, whole in pairs) == 0:
        assert percent(one) == "-"
    else:
        assert one.value == sum(part for part, _ in pairs) / sum(whole for _, whole in pairs)
        assert 0 <= one.low <= one.high <= 1
        assert one == estimate(pairs, seed=1)


def test_an_interval_is_narrow_where_documents_agree_and_wide_where_not():
    same, mixed = estimate([(1, 2)] * 20, 0), estimate([(0, 1), (1, 1)] * 10, 0)
    assert same.low == same.high == 0.5
    assert mixed.low < 0.4 < 0.6 < mixed.high


def test_columns_align():
    lines = table(["name", "figure"], [["a", "1"], ["longer", "22.5"]]).splitlines()
    assert lines == ["name    figure", "------  ------", "a            1", "longer    22.5"]


def scored(template, **changes):
    brief = brief_of(template, **changes)
    sample = Sample("one", "writer_summaries", DOCUMENT, ("Quillmark builds a second battery plant in Tarn.",))
    figures = measure(brief, template, DOCUMENT.text)
    return Scored(sample, brief, template, figures, rouge.rouge(brief["summary"], sample.references), 2.0)


def test_choices_list_what_was_never_taken(template):
    assert choices([scored(template)]) == {"key_insights.category": {"Market": 1, "Policy": 0}}


def test_the_report_names_every_system_and_its_json_holds_no_text_and_no_nan(template):
    one = scored(template, quote="")
    systems = [System("by-hand", "written", (one,)), System("other", "written", (scored(template),))]
    shown = report(systems, [one.sample], seed=0)
    assert "by-hand" in shown
    assert "Lead-2" in shown
    held = json.dumps(as_json(systems, [one.sample], seed=0), allow_nan=False)
    assert not any(CLEAN[name] in held for name in ("title", "summary", "text", "impact"))


def test_the_reading_aid_shows_faults_and_evidence_but_no_control_characters(template):
    one = scored(template, shift=2, text="Prices fell \x1b[31m21 percent last year")
    shown = quality.reading_aid(one, "by-hand")
    assert "NOT VERBATIM" in shown
    assert "! no_end" in shown
    assert "\x1b" not in shown
    sentence = "Quillmark said on Monday that it will open a second battery plant in Tarn, at a cost of $30bn."
    brief = brief_of(template)
    start = DOCUMENT.text.index("a second battery")
    brief["key_insights"][0]["evidence"] = [{"start": start, "end": start + 9}]
    shown = quality.reading_aid(replace(one, brief=brief), "by-hand")
    assert sentence in " ".join(shown.split())


# The command


@pytest.fixture
def folder(tmp_path):
    rows = [
        {"id": "one", "source": "writer_summaries", "text": ARTICLE, "reference_kind": "human", "references": ["A b."]},
        {"id": "two", "source": "other", "text": ARTICLE, "reference_kind": "not a human", "references": ["C d."]},
    ]
    (tmp_path / "docs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def shipped_brief(**changes):
    """A brief of the shipped template in which only the summary has content."""
    shipped = load_template()
    empty = {
        field.name: FieldResult(field.name, () if field.shape == "items" else "", "empty") for field in shipped.fields
    }
    empty["summary"] = FieldResult("summary", CLEAN["summary"], "written", Grounding("supported"))
    names = {"name": shipped.name, "sha256": shipped.sha256}
    model = {"name": "by-hand", "sha256": "0" * 64}
    return to_dict(Brief(DOCUMENT, empty, model, names, {"total_s": 1.5})) | changes


def test_briefs_from_a_file_are_measured(folder, capsys):
    lines = [{"id": name, "style": "written", **shipped_brief()} for name in ("one", "two", "of another set")]
    (folder / "briefs.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    out = folder / "figures.json"
    options = ["--data", str(folder), "--briefs", str(folder / "briefs.jsonl"), "--json", str(out), "--print", "1"]
    assert quality.main(options) == 0
    (row,) = json.loads(out.read_text())["rows"]
    assert (row["model"], row["style"], row["documents"], row["missing"]) == ("by-hand", "written", 2, 0)
    assert row["measures"]["schema_valid"]["value"] == 1
    assert row["seconds_per_document"]["mean_s"] == 1.5
    assert {entry["group"] for entry in json.loads(out.read_text())["rouge"]} == {
        "development news",
        "writer_summaries",
    }
    assert "## summary" in capsys.readouterr().out


def test_a_brief_against_the_schema_and_one_missing_are_told(folder, capsys):
    (folder / "briefs.jsonl").write_text(json.dumps({"id": "one", **shipped_brief(unheard="of")}) + "\n")
    out = folder / "figures.json"
    assert quality.main(["--data", str(folder), "--briefs", str(folder / "briefs.jsonl"), "--json", str(out)]) == 1
    assert "without a brief: by-hand default: 1" in capsys.readouterr().err
    assert json.loads(out.read_text())["rows"][0]["measures"]["schema_valid"]["value"] == 0


def test_a_brief_of_another_text_is_told(folder, capsys):
    line = {"id": "one", **shipped_brief()}
    line["source"] = {**line["source"], "sha256": "f" * 64}
    (folder / "briefs.jsonl").write_text(json.dumps(line) + "\n")
    options = ["--data", str(folder), "--sources", "writer", "--briefs", str(folder / "briefs.jsonl")]
    assert quality.main(options) == 0
    assert "one: the brief was written of another text" in capsys.readouterr().err


@pytest.mark.parametrize("options", [["--data", "nowhere"], ["--briefs", "nowhere.jsonl"], ["--sources", "unknown"]])
def test_options_that_fit_nothing_are_an_error(folder, capsys, options):
    assert quality.main(["--data", str(folder), *options]) == 2
    assert "--data" in capsys.readouterr().err
