"""The writer for instruct models: forms of answers, what the gate refuses, what is asked once more. No model."""

from dataclasses import replace
from itertools import pairwise, permutations

import pytest

from localsum.brief import Brief, Item
from localsum.document import Document
from localsum.engine.scripted import ScriptedEngine
from localsum.engine.types import Branch, Request
from localsum.grounding import Source
from localsum.pipeline import write_briefs
from localsum.readers import read_bytes
from localsum.templates import Field, load_template
from localsum.writing import answers, judge
from localsum.writing.answers import is_written
from localsum.writing.desk import Desk
from localsum.writing.gate import unfit
from localsum.writing.written import _candidates

CHAT = "{% for m in messages %}<{{ m.role }}>{{ m.content }}</{{ m.role }}>{% endfor %}<assistant>"
TEMPLATE = load_template()
TEXT = Field("text", "text", words=60, sentences=(1, 3))

ARTICLE = """Mirko Salas, who ran the port of Dunmere for nine years, will leave on 14 June. The port's council
said so on Tuesday.

He had asked for cranes that unload without a driver. The dockers' union, led by Ana Brandt, went on
strike for 11 days in March because it feared for 340 jobs. The strike cost the port 2.6 million
euros, the council reported.

Shipping line Norvik moved two of its routes to Halden in April. Norvik paid 8 percent of the port's
fees last year. The council now has to find other customers, or raise the fees of those that stayed.

The council will name a successor by the end of May. Ana Brandt said that her members would meet the
new head of the port before they decide about another strike. "We want to be asked before the cranes
are bought," she said.

Halden unloads ships with driverless cranes since 2021. Its fees are a fifth lower, and it has hired
60 technicians.
"""


def document(text: str = ARTICLE) -> Document:
    return read_bytes(text.encode(), path="x.txt")


def brief_of(script: dict[str, str], text: str = ARTICLE, **options: int) -> Brief:
    engine = ScriptedEngine(script, chat_template=CHAT, **options)
    (outcome,) = write_briefs([document(text)], TEMPLATE, engine, model={})
    assert isinstance(outcome, Brief), outcome
    return outcome


# The forms of answers


@pytest.mark.parametrize("name", [f.name for f in TEMPLATE.fields if is_written(f)])
def test_an_answer_in_the_form_that_is_asked_for_is_allowed_and_read(name: str) -> None:
    """The grammar allows what the wording asks for, and reading gives back what was written."""
    each = TEMPLATE.field(name)
    said = "The council of Dunmere will name a successor by the end of May."
    parts = answers.together(each)
    form = answers.wording(each)
    if each.shape != "items":
        answer = said
    elif len(parts) > 1:
        answer = form[form.index("- ") :].replace("…", "The port of Dunmere", 1).replace("…", said)
    else:
        assert '"- "' in form
        answer = f"- {said}\n- {said}"
    brief_of({f"0.{name}": answer})  # a text that the grammar refuses fails the brief
    if each.shape == "items":
        for item in answers.parse_items(answer, each):
            assert item[answers.main_name(each)] == said
        assert len(answers.parse_items(answer, each)) == (1 if len(parts) > 1 else 2)
    elif each.shape == "text":
        assert answers.tidy(answer, each) == said


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("The article concludes that the port needs customers.", "The port needs customers."),
        ("The article ends by stating that the port needs customers.", "The port needs customers."),
        ("The text states the port needs customers.", "The port needs customers."),
        ("Summary: The port needs customers.", "The port needs customers."),
        ("**Summary:** The port needs customers.", "The port needs customers."),
        ("In conclusion, the port needs customers.", "The port needs customers."),
        ("2. The port needs customers.", "The port needs customers."),
        ("The port needs customers", "The port needs customers."),
        ("The port opened in 2012. She ran it.", "The port opened in 2012. She ran it."),
        ("She says that the article states that it is late.", "She says that the article states that it is late."),
        ("The port needs customers. It also needs", "The port needs customers."),
    ],
)
def test_what_small_models_put_before_an_answer_is_taken_off(answer: str, text: str) -> None:
    assert answers.tidy(answer, TEXT) == text


def test_passages_that_lie_evenly_apart_have_their_say_first() -> None:
    each = replace(TEMPLATE.field("key_insights"), count=(1, 4))
    texts = [f"- Passage number {n} says something of its own." for n in range(10)]
    source = Source.of(document())
    order = [item.parts["text"].split()[2] for item in _candidates(each, {each.name: texts}, [source] * 10, source)]
    assert order[:4] == ["0", "3", "6", "9"]
    assert sorted(order) == sorted(map(str, range(10)))


# What may be shown


def refused(sentence: str) -> str | None:
    return unfit(sentence, Source.of(document()), judge.ITEM, 60)


@pytest.mark.parametrize(
    "sentence",
    [
        "Mirko Salas will leave the port of Dunmere on 14 June after nine years.",
        "The dockers' union went on strike for 11 days in March because it feared for 340 jobs.",
        "Ana Brandt leads the dockers' union.",
        "Mirko Salas had asked for cranes that unload without a driver.",
        "Norvik, which paid 8 percent of the port's fees, moved two routes to Halden.",
        'Ana Brandt said: "We want to be asked before the cranes are bought."',
    ],
)
def test_what_one_place_of_the_source_says_passes(sentence: str) -> None:
    assert refused(sentence) is None


@pytest.mark.parametrize(
    "sentence",
    [
        "Ana Brandt, who ran the port of Dunmere for nine years, will leave on 14 June.",
        "Mirko Salas, who led the union, went on strike for 11 days in March.",
        "The technicians of Norvik fear that the new head will strike in June.",
        "This highlights the importance of good relations between ports and unions.",
        "The strike cost the port 3.6 million euros.",
        "Halden will hire Peter Hansson.",
        "We want to be asked before the cranes are bought.",
        "The article discusses the port of Dunmere.",
        "Somebody wrote that Mirko Salas will leave the port.",
        "The port of Dunmere has **new cranes** since 2021.",
        "Norvik is expected to move the routes to Halden.",
        "Mirko Salas will not leave the port of Dunmere on 14 June.",
    ],
)
def test_what_none_says_is_refused(sentence: str) -> None:
    assert refused(sentence) is not None


def kept(text: str, *said: str) -> tuple[str, str | None]:
    at = document()
    desk = Desk(at, TEMPLATE, len)
    return judge.kept(text, TEXT, Source.of(at), desk, list(said), judge.ITEM)


GOOD = "Mirko Salas will leave the port of Dunmere on 14 June."
BAD = "Ana Brandt bought 900 cranes in Tokyo."


def test_a_sentence_that_is_refused_leaves_the_others() -> None:
    assert kept(f"{GOOD} {BAD}") == (GOOD, None)
    assert kept(f"{BAD} {GOOD}") == (GOOD, None)
    text, reason = kept(f"{BAD} They fear for 340 jobs.")
    assert text == f"{BAD} They fear for 340 jobs."
    assert reason
    assert "source" in reason


def test_what_was_said_before_is_not_said_again() -> None:
    assert kept(GOOD, "The port of Dunmere loses Mirko Salas, who will leave on 14 June.")[1] == judge.SAID_BEFORE
    assert kept(GOOD, "Shipping line Norvik moved two of its routes.")[1] is None
    assert kept(f"{GOOD} {GOOD}") == (GOOD, None)


def test_sections_stand_in_the_order_of_the_article_whatever_the_model_says() -> None:
    bodies = [
        "Halden unloads ships with driverless cranes since 2021, and it has hired 60 technicians.",
        "Shipping line Norvik, which paid 8 percent of the fees, moved two of its routes to Halden.",
        "The dockers' union, led by Ana Brandt, feared for 340 jobs, as cranes unload without a driver.",
    ]
    answer = "\n".join(f"- Heading: {b.split()[0]} {b.split()[1]}\n  Body: {b}" for b in bodies)
    sections = brief_of({"0.sections": answer, "0.summary": RIGHT})["sections"]
    assert {item.parts["body"] for item in sections} >= set(bodies)
    places = [item.grounding.evidence[0].start for item in sections]
    assert all(a < b for a, b in pairwise(places))


def test_what_is_said_of_one_passage_rests_on_that_passage() -> None:
    """The same words in another passage do not count, and evidence points into the passage that was read."""
    filler = "\n\n".join(f"The clerk of room {n} counted {n} boxes of letters and went home." for n in range(400))
    text = f"{ARTICLE}\n\n{filler}\n\nThe harbour of Olm will buy 12 tugs in May, its council said."
    last = "The harbour of Olm will buy 12 tugs in May."

    def script(request: Request, branch: Branch) -> str | None:
        if branch.id.endswith(".key_insights"):
            return f"- {last}\n- {GOOD}" if "Olm" in request.prefix[1].text else f"- {last}"
        return None

    engine = ScriptedEngine(script, chat_template=CHAT, context_tokens=4096)
    (brief,) = write_briefs([document(text)], TEMPLATE, engine, model={})
    assert isinstance(brief, Brief)
    assert "passages" in str(brief.warnings)
    insights = {item.parts["text"]: item for item in brief["key_insights"] if isinstance(item, Item)}
    assert brief.document.text.index("The harbour of Olm") == insights[last].grounding.evidence[0].start
    assert GOOD not in insights


# Once more


WRONG = "Mirko Salas will leave the port on 15 June. The strike cost the port 9.6 million euros."
RIGHT = "Mirko Salas will leave the port on 14 June. The strike cost the port 2.6 million euros."


def test_of_several_wordings_the_answer_that_the_others_agree_with_is_shown() -> None:
    told = (
        "Mirko Salas will leave the port of Dunmere on 14 June after nine years. He asked for cranes without drivers."
    )
    other = "Mirko Salas, who ran the port of Dunmere for nine years, will leave on 14 June. He had asked for cranes."
    apart = "Halden unloads ships with driverless cranes since 2021. Norvik moved two of its routes to Halden in April."
    for answers_in_order in permutations((told, other, apart)):
        script = dict(zip(("0.summary", "0.summary~1", "0.summary~2"), answers_in_order, strict=True))
        summary = brief_of(script).fields["summary"]
        assert summary.mode == "written"
        assert summary.value in (told, other)


def test_a_wording_whose_answer_is_refused_has_no_say() -> None:
    invented = "Mirko Salas will leave the port of Dunmere for Rotterdam. He earned 900,000 euros there."
    good = "Norvik paid 8 percent of the port's fees last year. The council now has to find other customers."
    summary = brief_of({"0.summary": invented, "0.summary~1": good, "0.summary~2": invented})["summary"]
    assert "Rotterdam" not in str(summary)


def test_an_extract_that_two_unlike_answers_both_agree_with_is_shown() -> None:
    extract = str(brief_of({})["summary"])
    first, _, last = extract.partition(". ")
    one = f"{first}. Halden unloads ships with driverless cranes since 2021."
    other = f"Norvik paid 8 percent of the port's fees last year. {last}"
    assert {one, other}.isdisjoint({extract})
    summary = brief_of({"0.summary": one, "0.summary~1": other}).fields["summary"]
    assert (summary.mode, summary.value) == ("extractive", extract)


def test_a_refused_text_is_asked_for_once_more_with_the_reason() -> None:
    asked: list[str] = []

    def script(request: object, branch: object) -> str | None:
        suffix = "".join(segment.text for segment in branch.suffix)  # type: ignore[attr-defined]
        if branch.id == "0.summary":  # type: ignore[attr-defined]
            return WRONG
        if WRONG in suffix:
            asked.append(suffix)
            return RIGHT
        return None

    engine = ScriptedEngine(script, chat_template=CHAT)  # type: ignore[arg-type]
    (brief,) = write_briefs([document()], TEMPLATE, engine, model={})
    assert isinstance(brief, Brief)
    assert brief["summary"] == RIGHT
    assert brief.fields["summary"].mode == "written"
    assert len(asked) == 1
    assert "15 June" in asked[0].replace(WRONG, ""), "the reason is said"
    assert "2.6 million euros" in asked[0], "the sentences it rests on are shown"


def test_what_is_wrong_twice_is_replaced_by_the_sources_own_words() -> None:
    brief = brief_of({"0.summary": WRONG})
    assert brief.fields["summary"].mode == "extractive"
    assert "9.6" not in str(brief["summary"])
    assert any("refused" in warning for warning in brief.fields["summary"].warnings)


# What follows from an item


SHORT = "The council will name a successor of Mirko Salas by the end of May. He leaves the port on 14 June."


def insight(impact: str) -> Item:
    claim = "The strike of the dockers' union cost the port 2.6 million euros."
    found = brief_of({"0.summary": SHORT, "0.key_insights": f"- {claim}", "more.key_insights.0.impact": impact})[
        "key_insights"
    ][0]
    assert isinstance(found, Item)
    assert found.parts["text"] == claim
    return found


def test_an_impact_that_the_source_holds_is_shown() -> None:
    impact = "The dockers' union feared for 340 jobs."
    assert insight(impact).parts["impact"] == impact


@pytest.mark.parametrize("impact", ["Norvik will fire 900 dockers next year.", "The strike cost the port 2.6 million."])
def test_an_impact_that_is_invented_or_repeats_its_point_is_not(impact: str) -> None:
    assert insight(impact).parts["impact"] != impact
