"""The quality benchmark: pooling over documents, tables, the reading aid and the command, on briefs made by hand."""

import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

import quality
from quality_report import NEWS, System, as_json, choices, estimate, field_rows, percent, report, table

from localsum.brief import Brief, FieldResult, Grounding, Item, Quote, to_dict
from localsum.document import Span
from localsum.readers import read_bytes
from localsum.templates import load_template

SECOND = "The line will carry 40 trains a day from 2029."
ARTICLE = f"""# A tunnel for Veldt

The town of Veldt will dig a tunnel under its river, the council said on Friday. {SECOND}

"We have waited since my grandmother was a girl," said Ansel Broek, the mayor. The ferry stops running in spring.
"""
DOCUMENT = read_bytes(ARTICLE.encode(), path="one.md")
QUOTE = "We have waited since my grandmother was a girl,"
SUMMARY = "Veldt will dig a tunnel under its river for 40 trains a day."
INSIGHT = "From 2029 trains replace the ferry of Veldt."


def brief_of(shift=0, insight=INSIGHT, insights=1):
    """The JSON form of a brief by the shipped template: a summary, insights and one quote, `shift` off its place."""
    template = load_template()
    fields = {f.name: FieldResult(f.name, () if f.shape == "items" else "", "empty") for f in template.fields}
    at = DOCUMENT.text.index("carry 40")
    sure = Grounding("supported", (Span(at, at + 8),), ("by hand",))
    parts = {
        part.name: part.options[0][0] if part.options else insight for part in template.field("key_insights").parts
    }
    start = DOCUMENT.text.index(QUOTE) + shift
    fields["summary"] = FieldResult("summary", SUMMARY, "written", sure)
    fields["key_insights"] = FieldResult("key_insights", (Item(parts, sure),) * insights, "written")
    fields["quotes"] = FieldResult("quotes", (Quote(QUOTE, start, start + len(QUOTE), "Ansel Broek"),), "extractive")
    names = {"name": template.name, "sha256": template.sha256}
    model = {"name": "by-hand", "sha256": "0" * 64}
    return to_dict(Brief(DOCUMENT, fields, model, names, {"total_s": 1.5}, ("title: nothing to say",)))


# Pooling and tables


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)).map(sorted).map(tuple), max_size=12))
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
    assert 0.2 < mixed.low < 0.4 < 0.6 < mixed.high < 0.8


def test_columns_align():
    lines = table(["name", "figure"], [["a", "1"], ["longer", "22.5"]]).splitlines()
    assert lines == ["name    figure", "------  ------", "a            1", "longer    22.5"]


# Briefs in files


@pytest.fixture
def folder(tmp_path):
    rows = [
        {"id": "one", "source": "writer_summaries", "text": ARTICLE, "reference_kind": "human", "references": ["A b."]},
        {"id": "two", "source": "other", "text": ARTICLE, "reference_kind": "not a human", "references": ["C d."]},
    ]
    (tmp_path / "docs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


@pytest.fixture
def run(folder):
    """Run the command on these lines of briefs; returns its exit code and the figures it wrote."""

    def call(lines, *options):
        briefs, out = folder / "briefs.jsonl", folder / "figures.json"
        briefs.write_text("".join(json.dumps(line) + "\n" for line in lines))
        code = quality.main(["--data", str(folder), "--briefs", str(briefs), "--json", str(out), *options])
        return code, json.loads(out.read_text())

    return call


def test_briefs_from_a_file_are_measured(run, capsys):
    lines = [{"id": name, "style": "written", **brief_of()} for name in ("one", "two", "of another set")]
    code, figures = run(lines, "--print", "1")
    assert code == 0
    (row,) = figures["rows"]
    assert (row["model"], row["style"], row["documents"], row["missing"]) == ("by-hand", "written", 2, 0)
    assert row["measures"]["schema_valid"]["value"] == row["measures"]["quotes_verbatim"]["value"] == 1
    assert row["seconds_per_document"]["mean_s"] == 1.5
    assert {entry["group"] for entry in figures["rouge"]} == {NEWS, "writer_summaries"}
    shown = capsys.readouterr().out
    assert "## summary" in shown
    assert "Lead-2" in shown


def test_models_and_styles_get_a_row_each(run):
    other = brief_of()
    other["model"]["name"] = "another"
    _, figures = run(
        [{"id": "one", **brief_of()}, {"id": "one", "style": "written", **brief_of()}, {"id": "one", **other}]
    )
    rows = [(row["model"], row["style"]) for row in figures["rows"]]
    assert rows == [("by-hand", "default"), ("by-hand", "written"), ("another", "default")]


def test_a_brief_against_the_schema_and_one_missing_are_told(run, capsys):
    code, figures = run([{"id": "one", **brief_of(), "unheard": "of"}])
    assert code == 1
    assert "without a brief: by-hand default: 1" in capsys.readouterr().err
    assert figures["rows"][0]["measures"]["schema_valid"]["value"] == 0


def test_a_brief_of_another_text_is_told(run, capsys):
    line = {"id": "one", **brief_of()}
    line["source"]["sha256"] = "f" * 64
    assert run([line], "--sources", "writer")[0] == 0
    assert "one: the brief was written of another text" in capsys.readouterr().err


def test_the_json_holds_no_text_and_no_nan(run):
    _, figures = run([{"id": name, **brief_of()} for name in ("one", "two")])
    held = json.dumps(figures, allow_nan=False)
    assert not any(text in held for text in (SUMMARY, INSIGHT, QUOTE, SECOND))
    assert figures["rows"][0]["measures"]["partial"]["value"] == 0
    assert figures["rows"][0]["measures"]["dangling"]["whole"] > 0


def test_limit_draws_by_seed(run, capsys):
    lines = [{"id": name, **brief_of()} for name in ("one", "two")]
    drawn = {run(lines, "--limit", "1", "--seed", str(seed))[1]["rouge"] == [] for seed in range(8)}
    assert drawn == {True, False}  # only "one" has references by people
    assert run(lines, "--limit", "1", "--seed", "3") == run(lines, "--limit", "1", "--seed", "3")


@pytest.mark.parametrize("options", [["--data", "nowhere"], ["--briefs", "nowhere.jsonl"], ["--sources", "unknown"]])
def test_options_that_fit_nothing_are_an_error(folder, capsys, options):
    assert quality.main(["--data", str(folder), *options]) == 2
    assert "--data" in capsys.readouterr().err


# What is shown


def scored(folder, **changes):
    return quality.score({"id": "one", **brief_of(**changes)}, quality.load(folder)[0])


def test_choices_list_what_was_never_taken(folder):
    (counts,) = choices([scored(folder)]).values()
    options = next(part.options for part in load_template().field("key_insights").parts if part.options)
    assert counts == {name: int(i == 0) for i, (name, _) in enumerate(options)}


def test_entries_are_counted_per_brief(folder):
    briefs = tuple(scored(folder, insights=number) for number in (1, 3))
    rows = {row["text"]: row for row in field_rows(System("by-hand", "written", briefs))}
    insights, title = rows["key_insights.text"], rows["title"]
    assert (insights["entries_min"], insights["entries_mean"], insights["entries_max"]) == (1, 2, 3)
    assert insights["words_mean"] == insights["words_max"] == len(INSIGHT.split())
    assert (title["briefs_with"], title["words_max"]) == (0, 0)


def test_the_report_shows_every_system(folder):
    systems = [System(name, "written", (scored(folder),)) for name in ("first", "second")]
    shown = report(systems, quality.load(folder), seed=0)
    assert shown.count("first written") == shown.count("second written") > 3
    assert as_json(systems, quality.load(folder), seed=0)["rows"][0]["missing"] == 1


def test_the_reading_aid_shows_faults_and_evidence_but_no_control_characters(folder):
    shown = quality.reading_aid(scored(folder, shift=2, insight="Trains \x1b[31mcome from 2029"), "by-hand")
    assert "NOT VERBATIM" in shown
    assert "! no_end" in shown
    assert "! quote_fragment" in shown
    assert "\x1b" not in shown
    assert shown.count(f"· {SECOND}") == 2  # under the summary, and once under the three texts of the insight


def test_references_that_no_person_wrote_are_none(folder):
    assert [len(sample.references) for sample in quality.load(folder)] == [1, 0]
