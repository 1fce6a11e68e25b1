"""Reports: JSON that its schema describes and that comes back whole; nothing of a bad file is believed."""

import csv
import io
import json
import math
import random
import re
from dataclasses import replace
from pathlib import Path

import benches
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from localsum.bench import tables
from localsum.bench.metrics import METRICS
from localsum.bench.report import (
    SECTIONS,
    Report,
    Row,
    from_dict,
    json_schema,
    read_report,
    score,
    score_formula,
    to_dict,
)
from localsum.errors import InputError

VALID = Draft202012Validator(json_schema())
BY_TYPE = {
    "string": st.text(max_size=20),
    "integer": st.integers(-(2**53), 2**53),
    "number": st.floats(allow_nan=False, allow_infinity=False),
    "null": st.none(),
}
numbers = st.floats(-1e18, 1e18)


def sections(keys: dict[str, tuple[str, ...]]) -> st.SearchStrategy[dict[str, object]]:
    return st.fixed_dictionaries({key: st.one_of(*(BY_TYPE[kind] for kind in kinds)) for key, kinds in keys.items()})


rows = st.builds(
    Row,
    st.sampled_from([*METRICS, "unheard_of"]),
    st.text(max_size=30),
    st.sampled_from(["s", "µs", ""]),
    st.sampled_from(["higher", "lower", "neither"]),
    st.lists(numbers, max_size=5).map(tuple),
    st.text(max_size=20),
)
reports = st.builds(
    replace,
    st.just(benches.full()),
    name=st.text(max_size=20),
    rows=st.lists(rows, max_size=6).map(tuple),
    warnings=st.lists(st.text(max_size=20), max_size=3).map(tuple),
    **{name: sections(keys) for name, keys in SECTIONS.items()},
)


@given(reports)
def test_a_report_satisfies_its_schema_and_comes_back_whole(made: Report) -> None:
    text = json.dumps(to_dict(made))
    VALID.validate(json.loads(text))
    assert from_dict(json.loads(text)) == made


@given(reports)
def test_every_form_takes_every_report_and_shows_no_control_character(made: Report) -> None:
    forms = [tables.as_table(made), tables.as_markdown(made), tables.as_csv([made])]
    for form in forms:
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", form)
    lines = tables.as_jsonl(made).splitlines()
    assert [json.loads(line)["metric"] for line in lines if line] == [row.metric for row in made.rows]
    found = list(csv.DictReader(io.StringIO(forms[2])))
    assert len(found) == len(made.rows)
    for cell, row in zip(found, made.rows, strict=True):
        assert tuple(map(float, cell["values"].lstrip("'").split())) == row.values


WRONG = {
    "no object": lambda found: [],
    "another schema": lambda found: {**found, "schema": "localsum.bench/2"},
    "no schema": lambda found: {key: value for key, value in found.items() if key != "schema"},
    "a section is missing": lambda found: {key: value for key, value in found.items() if key != "machine"},
    "a key is missing": lambda found: {**found, "model": {"name": "x"}},
    "a key too many": lambda found: {**found, "machine": {**found["machine"], "user": "x"}},
    "a text for a number": lambda found: {**found, "machine": {**found["machine"], "cores": "2"}},
    "a truth for a number": lambda found: {**found, "machine": {**found["machine"], "cores": True}},
    "a text that never ends": lambda found: {**found, "machine": {**found["machine"], "cpu": "x" * 5000}},
    "rows are an object": lambda found: {**found, "rows": {}},
    "a row is a number": lambda found: {**found, "rows": [3]},
    "a sample is a text": lambda found: {**found, "rows": [{**found["rows"][0], "values": ["1"]}]},
    "a sample is not finite": lambda found: {**found, "rows": [{**found["rows"][0], "values": [math.nan]}]},
    "a sample is beyond measure": lambda found: {**found, "rows": [{**found["rows"][0], "values": [1e300]}]},
    "a sample is endless": lambda found: {**found, "rows": [{**found["rows"][0], "values": [10**400]}]},
    "a number is not finite": lambda found: {**found, "settings": {**found["settings"], "seconds": math.inf}},
    "a number is endless": lambda found: {**found, "settings": {**found["settings"], "seconds": 10**400}},
    "nobody knows what is better": lambda found: {**found, "rows": [{**found["rows"][0], "better": "faster"}]},
    "too many rows": lambda found: {**found, "rows": found["rows"][:1] * 3000},
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_no_report_is_refused_with_a_reason(what: str, tmp_path: Path) -> None:
    found = WRONG[what](to_dict(benches.full()))
    path = tmp_path / "report.json"
    path.write_text(json.dumps(found))
    with pytest.raises(InputError, match=r"is no report: \S") as caught:
        read_report(path)
    assert caught.value.hint.endswith("localsum bench list")


@pytest.mark.parametrize("data", [b"", b"\xff", b"[" * 100_000, b"{", b"null", b'{"schema": "localsum.bench/1"}'])
def test_what_is_no_json_is_refused(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(data)
    with pytest.raises(InputError):
        read_report(tmp_path / "x.json")
    with pytest.raises(InputError):
        read_report(tmp_path / "absent.json")


def test_the_score_is_what_its_formula_says() -> None:
    made = benches.full()
    assert score(made) == pytest.approx(math.sqrt(21 * 5.25))
    assert score_formula(made).endswith("extractive, stream 21.00 and sampled, stream 5.25")
    assert to_dict(made)["score"]["value"] == score(made)
    nothing = benches.report()
    assert score(nothing) is None
    assert "no score" in tables.as_table(nothing)
    assert score(benches.report(benches.row("articles_per_min", "x", 0))) is None


@given(st.lists(numbers, min_size=1, max_size=40), st.sampled_from([0.5, 0.95, 0.99]))
def test_percentiles_are_where_they_belong(values: list[float], share: float) -> None:
    row = benches.row("brief_s", "", *values)
    found = row.percentile(share)
    assert found is not None
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9
    assert min(values) <= found <= max(values)
    random.Random(0).shuffle(values)
    assert benches.row("brief_s", "", *values).percentile(share) == found


def test_figures_have_three_digits_that_count() -> None:
    said = {0: "0", 0.123456: "0.123", 1.23456: "1.23", 12.3456: "12.3", 123.456: "123", 1234.5: "1,234", None: "–"}
    assert {value: tables.figure(value) for value in said} == said


def test_the_table_has_every_row_that_it_shows_and_why_others_are_missing() -> None:
    made = benches.full()
    text = tables.as_table(made)
    assert "score 10.5 articles/min" in text
    assert re.search(r"extractive, short, alone +2.10 +2.40 +2.40 +2.00 +2.40 +3\n", text)
    assert "no counters of energy" in tables.as_markdown(made)
    hostile = replace(made, name="x|y\x1b[31m", warnings=("<b>|</b>",))
    assert "\\<b\\>\\|\\</b\\>" in tables.as_markdown(hostile)
    assert "\x1b" not in tables.as_table(hostile)


def test_no_cell_of_a_csv_is_a_formula() -> None:
    made = replace(benches.report(), name="=1+1", rows=(benches.row("load_s", "@x", 1.0),))
    (found,) = csv.DictReader(io.StringIO(tables.as_csv([made])))
    assert found["report"] == "'=1+1"
    assert found["case"] == "'@x"
