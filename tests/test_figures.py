"""Figures: always spans of the document; which numbers count, their units, and what says what they measure."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reading import read

from localsum.brief import Brief, Figure
from localsum.engine.scripted import ScriptedEngine
from localsum.engine.types import Branch, Request
from localsum.pipeline import write_briefs
from localsum.templates import load_template
from localsum.writing.figures import figures
from localsum.writing.material import gather

CHAT = "{% for m in messages %}<turn>{{ m.role }}\n{{ m.content }}</turn>\n{% endfor %}<turn>model\n"


def found(text: str, most: int = 20, words: int = 16) -> list[Figure]:
    document = read(text, path="x.txt")
    made = figures(gather(document), most=most, words=words)
    for figure in made:
        assert document.text[figure.start : figure.end] == figure.text
        ((start, end),) = figure.grounding.evidence
        assert start <= figure.start < figure.end <= end
        assert figure.value
        assert "".join(figure.value.split()) in "".join(figure.text.split()) or "to" in figure.text
        sentence = " ".join(document.text[start:end].split())
        for piece in figure.measures.split(" … "):  # every phrase is the sentence's
            assert piece.strip("… ") in sentence
        assert len(figure.measures.replace("…", " ").split()) <= words
    assert [figure.start for figure in made] == sorted(figure.start for figure in made)
    return made


def told(text: str) -> list[tuple[str, str, str]]:
    return [(figure.value, figure.unit, figure.measures) for figure in found(text)]


ORLEN = "The city of Orlen will pay 14 million dollars to replace the software that sends its ambulances."


@pytest.mark.parametrize(
    ("sentence", "value", "unit", "measures"),
    [
        (
            ORLEN,
            "14 million",
            "dollars",
            "The city of Orlen will pay … to replace the software that sends its ambulances",
        ),
        ("Tarn Systems paid $14.5 million for the depot.", "14.5 million", "$", "Tarn Systems paid … for the depot"),
        ("The minister said on Friday that revenue rose 35 % in March.", "35", "%", "revenue rose … in March"),
        (
            "About 40 percent of callers hang up before they reach a person.",
            "40",
            "percent",
            "of callers hang up",
        ),
        (
            "The union fears for more than 900 jobs at the harbour.",
            "900",
            "jobs",
            "The union fears for … at the harbour",
        ),
        (
            "Calls were lost in 3 of 100 cases during the trial.",
            "3 of 100",
            "cases",
            "Calls were lost in … during the trial",
        ),
        (
            "The council of Velmora cut its cloud bill from €410,000 to €96,000 a year.",
            "410,000 to 96,000",
            "€ a year",
            "The council of Velmora cut its cloud bill from …",
        ),
        ("They will spend €480 million on new models.", "480 million", "€", "spend … on new models"),
        ("The plant in Quill draws 480 MW from the grid.", "480", "MW", "The plant in Quill draws … from the grid"),
        (
            "An overwhelming 70 percent of the people in Quill want the bridge.",
            "70",
            "percent",
            "of the people in Quill want the bridge",
        ),
        (
            "Kestrel sells a $6.99-a-month service to the ports.",
            "6.99",
            "$ a month",
            "Kestrel sells a … service to the ports",
        ),
        ("Quill gives 15 percent to evaluation.", "15", "percent", "Quill gives … to evaluation"),
        ("The new pumps use 10-15 % less current.", "10-15", "%", "The new pumps use … less current"),
    ],
)
def test_a_figure_has_a_value_a_unit_and_what_it_measures(sentence: str, value: str, unit: str, measures: str) -> None:
    assert told(sentence) == [(value, unit, measures)]


def test_what_limits_a_number_is_in_its_span() -> None:
    (figure,) = found("The union fears for more than 900 jobs at the harbour.")
    assert figure.text == "more than 900 jobs"


@pytest.mark.parametrize(
    "sentence",
    [
        "The vote on the harbour is on March 14, 2027, at 9:30 in Quill.",
        "The harbour of Quill was built in 1904 and again in the 1960s.",
        "Dana Ruiz, 34, runs the harbour office and its archive.",
        "A 34-year-old runs the harbour office and its archive.",
        "Gemma 4 and Llama 3 were tried at the harbour office.",
        "Call the harbour office on 020-7946-0958 for the tables.",
        "Section 12 of the contract and page 40 speak of the harbour.",
        "The harbour burned ten years ago and was rebuilt by the town.",
        "One of the reasons for the vote is the price of the harbour.",
        "Nobody knew who would pay for the harbour and its third basin.",
    ],
)
def test_dates_ages_names_and_numbers_of_things_are_no_figures(sentence: str) -> None:
    assert found(sentence) == []


def test_eleven_european_firms_are_no_money() -> None:
    assert "€" not in str(told("Eleven European firms will build the harbour together."))
    assert all(unit != "Euro" for _, unit, _ in told("Eleven European firms will build the harbour together."))


def test_a_repeated_figure_is_shown_once() -> None:
    text = f"{ORLEN} The council of Orlen approved the 14 million dollars for the new software on Monday."
    assert [value for value, _, _ in told(text)] == ["14 million"]


def test_a_phrase_that_points_back_is_not_shown() -> None:
    (figure,) = found("It is worth at least $90 million, said the mayor of Quill.")
    assert figure.measures == ""
    assert figure.grounding.reasons == ("no phrase of the source says what is measured",)


def test_what_another_figure_measures_is_not_this_ones() -> None:
    text = "The firm cut costs at its plants by 30 percent and doubled the output of pumps to 4,000 units."
    assert told(text) == [
        ("30", "percent", "The firm cut costs at its plants by …"),
        ("4,000", "units", "doubled the output of pumps to …"),
    ]


def test_money_and_shares_come_before_small_counts() -> None:
    text = f"Three people and two dogs waited for the mayor at the gate of the harbour. {ORLEN}"
    assert [figure.unit for figure in found(text, most=1)] == ["dollars"]


@given(st.text(st.sampled_from("0123456789 $€%.,-–kMB tofinmillionpercent\"“”()'s\n"), max_size=200))
@settings(max_examples=300, deadline=None)
def test_any_text_gives_spans_of_it(text: str) -> None:
    if text.strip():
        found(f"The town pays. {text}") if text.split() else None


@pytest.mark.parametrize("unit", ["14 million and ", "14,", "$9;", "9-", "8 of ", "7% to "])
def test_a_long_run_of_numbers_takes_linear_time(unit: str) -> None:
    found("The town pays " + unit * 30_000 + "no more.")  # a quadratic step would need minutes


def brief_of(script: Any, text: str = ORLEN + " The supplier disputes the figure.") -> Brief:
    engine = ScriptedEngine(script, chat_template=CHAT)
    model = {"name": "scripted", "sha256": "00"}
    (outcome,) = write_briefs([read(text, path="x.txt")], load_template("executive"), engine, model=model)
    assert isinstance(outcome, Brief)
    return outcome


@pytest.mark.parametrize(
    ("answer", "measures"),
    [
        ("price of the software that sends its ambulances", "price of the software that sends its ambulances"),
        ("amount", ""),
        ("a bridge over the river", ""),  # of nothing: the source's phrase stays
        ("price that the supplier disputes", ""),  # of another sentence
        ("14 million dollars", ""),
    ],
)
def test_an_instruct_models_phrase_passes_the_gate_or_the_sources_stays(answer: str, measures: str) -> None:
    def script(request: Request, branch: Branch) -> str | None:
        return answer if ".numbers." in branch.id else None

    brief = brief_of(script)
    (figure,) = brief["numbers"]
    assert isinstance(figure, Figure)
    own = "The city of Orlen will pay … to replace the software that sends its ambulances"
    assert figure.measures == (measures or own)
    assert brief.fields["numbers"].mode == ("mixed" if measures else "extractive")
