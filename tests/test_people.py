"""Transcripts: who speaks, who has to do what; and fields that only certain sentences may serve."""

from pathlib import Path

import pytest
from reading import read

from localsum.brief import Brief, Item
from localsum.document import Document
from localsum.engine.scripted import ScriptedEngine
from localsum.errors import TemplateError
from localsum.pipeline import write_briefs
from localsum.templates import Template, load_template
from localsum.writing import people
from localsum.writing.cues import matcher
from localsum.writing.matching import matches
from localsum.writing.material import gather

MEETING = """Ines Calloway: Morning, everybody. The assistant at the desk has answered questions for six weeks now.

Osman Treadwell: It made up a shelf number eleven times, and people walked to a shelf that does not exist.

Ines Calloway: So we agreed to keep the assistant until December, but only with numbers from the catalogue.

Osman Treadwell: I'll write to the supplier and ask for that before the end of the month.

Ines Calloway: Ruth, can you call the branch in Moorgate this week and explain why they have to wait?

Ruth Abernathy: If we decided to wait, the branch would have to know. I think that it should be green.

Ines Calloway: Motion to spend 900 pounds on the hole in the roof of the map room now.

Osman Treadwell: In favour.

Ruth Abernathy: In favour. The motion passes unanimously.
"""
CHAT = "{% for m in messages %}<turn>{{ m.role }}\n{{ m.content }}</turn>\n{% endfor %}<turn>model\n"


def meeting() -> Document:
    return read(MEETING, path="x.md")


def brief(document: Document, template: Template | str = "transcript", chat: str | None = None) -> Brief:
    template = load_template(template) if isinstance(template, str) else template
    engine = ScriptedEngine(chat_template=chat)
    (made,) = write_briefs([document], template, engine, model={"name": "scripted", "sha256": "00"})
    assert isinstance(made, Brief)
    return made


def items(made: Brief, name: str) -> list[dict[str, str]]:
    return [item.parts for item in made[name] if isinstance(item, Item)]


@pytest.mark.parametrize("chat", [None, CHAT], ids=["extractive", "written"])
def test_speakers_are_those_of_the_transcript_where_their_names_stand(chat: str | None) -> None:
    document = meeting()
    made = brief(document, chat=chat)
    assert [part["text"] for part in items(made, "speakers")] == ["Ines Calloway", "Osman Treadwell", "Ruth Abernathy"]
    for item in made["speakers"]:
        assert isinstance(item, Item)
        ((start, end),) = item.grounding.evidence
        assert document.text[start:end] == item.parts["text"]


def test_of_too_many_speakers_those_are_named_who_say_most() -> None:
    named, others = people.speakers(gather(meeting()), 2)
    assert [name for name, _ in named] == ["Ines Calloway", "Osman Treadwell"]
    assert others == 1


def test_an_article_has_no_speakers_decisions_or_tasks_and_says_so() -> None:
    made = brief(read("The harbour of Quill is blue. Its water comes from the river, and the river from the hills."))
    for name, why in (
        ("speakers", "the source names no speakers"),
        ("decisions", "the source says nothing of it"),
        ("action_items", "the source gives nobody anything to do"),
    ):
        assert made[name] == ()
        assert made.fields[name].mode == "empty"
        assert made.fields[name].warnings == (f"{name}: {why}",)


@pytest.mark.parametrize("chat", [None, CHAT], ids=["extractive", "written"])
def test_tasks_have_the_owner_that_the_source_names(chat: str | None) -> None:
    assert items(brief(meeting(), chat=chat), "action_items") == [
        {
            "text": "I'll write to the supplier and ask for that before the end of the month.",
            "owner": "Osman Treadwell",
        },
        {
            "text": "Ruth, can you call the branch in Moorgate this week and explain why they have to wait?",
            "owner": "Ruth Abernathy",
        },
    ]


def test_after_a_meeting_what_people_agree_to_do_is_in_any_brief() -> None:
    said, asked = (part["text"] for part in items(brief(meeting(), "brief"), "action_items"))
    assert said.endswith("Osman Treadwell: I'll write to the supplier and ask for that before the end of the month.")
    assert asked.startswith("Ines Calloway: Ruth, can you call the branch in Moorgate this week")


@pytest.mark.parametrize(
    ("sentence", "owner"),
    [
        ("Dana will send the tables to the council by Friday.", "Dana"),
        ("Action: Dana Ruiz to send the tables to the council.", "Dana Ruiz"),
        ("Could you send the tables to the council, Dana?", "Dana"),
        ("The council asked Dana Ruiz to send the tables.", "Dana Ruiz"),
        ("The harbour office should publish the tables by May.", "The harbour office"),
        ("We will send the tables to the council by Friday.", ""),
        ("Somebody has to send the tables to the council.", ""),
        ("It will rain on the harbour.", ""),
    ],
)
def test_owners(sentence: str, owner: str) -> None:
    material = gather(read(sentence, path="x.txt"))
    assert people.owner(material, material.sentences[0]) == owner


@pytest.mark.parametrize("chat", [None, CHAT], ids=["extractive", "written"])
def test_decisions_are_what_was_decided_and_nothing_else(chat: str | None) -> None:
    assert [part["text"] for part in items(brief(meeting(), chat=chat), "decisions")] == [
        "We agreed to keep the assistant until December, but only with numbers from the catalogue.",
        "Motion to spend 900 pounds on the hole in the roof of the map room now. The motion passes unanimously.",
    ]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("We agreed to wait.", 1),
        ("We also agreed to wait.", 1),
        ("We have not agreed to wait.", 0),
        ("We never agreed to wait.", 0),
        ("If we agreed to wait, it would rain.", 0),
        ("Have we agreed to wait?", 0),
        ("They disagreed to wait.", 0),
        ("We agreed to wait, and the motion passes.", 2),
    ],
)
def test_a_match_counts_unless_it_is_denied_asked_or_supposed(text: str, count: int) -> None:
    assert matches(text, matcher(("agreed to", "motion passes"))) == count


def test_a_model_is_believed_only_where_the_source_speaks_of_it(tmp_path) -> None:
    path = tmp_path / "risks.toml"
    path.write_text(
        '[[field]]\nname = "risks"\nshape = "items"\ncount = [0, 3]\nextract = "matching"\nmatch = ["flood"]\n'
        'ask = "Risks:"\n'
    )
    text = (
        "The harbour of Quill was sold to a builder of ships on Monday. "
        "The builder hired forty people from the town of Quill. "
        "A flood could reach the lower basin of the harbour in autumn."
    )
    answer = (
        "- The builder hired forty people from the town of Quill.\n"
        "- In a flood the builder hired forty people from the town of Quill.\n"
        "- A flood could reach the lower basin in autumn."
    )
    engine = ScriptedEngine({"0.risks": answer}, chat_template=CHAT)
    (made,) = write_briefs([read(text)], load_template(str(path)), engine, model={"name": "scripted", "sha256": "00"})
    assert isinstance(made, Brief)
    assert [part["text"] for part in items(made, "risks")] == ["A flood could reach the lower basin in autumn."]


def test_what_a_model_writes_has_the_owner_that_its_sentences_name(tmp_path) -> None:
    path = tmp_path / "owned.toml"
    path.write_text(
        '[[field]]\nname = "promises"\nshape = "items"\nask = "Promises:"\n'
        '[[field.part]]\nname = "text"\nshape = "text"\n'
        '[[field.part]]\nname = "who"\nshape = "line"\nextract = "owner"\n'
    )
    text = (
        "The harbour of Quill was sold to a builder of ships on Monday. "
        "Dana Ruiz will send the tables of the harbour to the council by Friday. "
        "The builder hired forty people from the town of Quill."
    )
    answer = "- The tables of the harbour go to the council by Friday."
    engine = ScriptedEngine({"0.promises": answer}, chat_template=CHAT)
    (made,) = write_briefs([read(text)], load_template(str(path)), engine, model={"name": "scripted", "sha256": "00"})
    assert isinstance(made, Brief)
    assert {"text": "The tables of the harbour go to the council by Friday.", "who": "Dana Ruiz"} in items(
        made, "promises"
    )


MENTIONED = MEETING + "\nRuth Abernathy: Osman Treadwell said that the council decided to buy a new roof in May.\n"


def test_whose_a_task_is_has_not_been_said_by_that() -> None:
    """A name, a heading or a category claims nothing, so a decision that holds it is not said before."""
    told = "Osman Treadwell said that the council decided to buy a new roof in May."
    engine = ScriptedEngine({"0.decisions": f"- {told}"}, chat_template=CHAT)
    document = read(MENTIONED, path="x.md")
    (made,) = write_briefs([document], load_template("transcript"), engine, model={})
    assert isinstance(made, Brief)
    assert "Osman Treadwell" in [part["owner"] for part in items(made, "action_items")]
    assert told in [part["text"] for part in items(made, "decisions")], made.warnings


def test_limits_are_those_of_the_part_that_makes_the_claim(tmp_path: Path) -> None:
    path = tmp_path / "tasks.toml"
    path.write_text(
        """[[field]]
name = "todo"
shape = "items"
extract = "tasks"
[[field.part]]
name = "owner"
shape = "line"
words = 6
extract = "owner"
[[field.part]]
name = "text"
shape = "text"
words = 45
"""
    )
    assert [part["owner"] for part in items(brief(meeting(), load_template(str(path))), "todo")] == [
        "Osman Treadwell",
        "Ruth Abernathy",
    ]


def test_a_record_of_nothing_but_what_is_said_of_others_is_a_mistake(tmp_path: Path) -> None:
    path = tmp_path / "empty.toml"
    path.write_text(
        """[[field]]
name = "todo"
shape = "items"
ask = "Who?"
[[field.part]]
name = "who"
shape = "line"
extract = "owner"
"""
    )
    with pytest.raises(TemplateError, match="needs a text or a line of its own"):
        load_template(str(path))
