"""What extraction chooses and refuses: tables of known traps, and invariants over whole documents. No model."""

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest

from localsum.document import Document
from localsum.engine.scripted import ScriptedEngine
from localsum.pipeline import write_briefs
from localsum.readers import read_bytes, read_path
from localsum.templates import load_template
from localsum.writing import cues, headline, select
from localsum.writing.choice import closest
from localsum.writing.desk import Desk
from localsum.writing.gate import refuse
from localsum.writing.material import Sentence, gather
from localsum.writing.said import is_said
from localsum.writing.shelf import Shelf, overlap
from localsum.writing.speech import sayings
from localsum.writing.topics import topics
from localsum.writing.wording import fluent

EXAMPLES = Path(__file__).parents[1] / "examples"


def document(text: str) -> Document:
    return read_bytes(text.encode(), path="x.md")


ARTICLE = """# Tarn Bank lets a small model read its letters

Tarn Bank said on Monday that it had moved 60 percent of its mail to a model that runs in its own
cellar. The move ended a contract of 4.2 million euros a year with a hosted service, and the bank
expects to save two thirds of it.

The model reads 12,000 letters a day and sorts them into 31 trays. In a test of 900 letters it put
11 into the wrong tray, three fewer than the hosted model, which could cut the number of complaints
next year. Clerks look at every tenth letter.

## A cellar full of fans

The bank bought eight machines for 96,000 euros and put them where the archive used to be. Cooling
them costs more than running them, said Petra Lindgaard, who is in charge of the building. “We heat
two floors with the letters of our customers,” she said. That means the bank will switch off one of
its boilers in April.

## Who reads the tenth letter

The works council asked for a rule and got one. A clerk must see every letter that closes an
account, and the bank should publish the number of letters that were put into a wrong tray. Other
banks should ask their suppliers for the same figure.

“A letter is a person who could not reach us in any other way,” said Ivo Marten, who speaks for the
council. The rule will be looked at again in a year, when the bank wants to move the rest of its
mail.
"""


@pytest.mark.parametrize(
    "text",
    [
        "Companies should ask their vendors for a fixed version.",
        "The fund must publish its evaluation at least 60 days before the release.",
        "Begin with one task that everybody does.",
        "Actionable insight: Begin allocating capital for your own machines.",
        "Do not view your supplier as a vendor.",
        "However, regulators need to act before the summer.",
        "Make sure that every vendor has signed.",
        "She urged hospitals to keep the recordings.",
    ],
)
def test_what_tells_somebody_to_act_is_a_directive(text: str) -> None:
    assert cues.is_directive(text)


@pytest.mark.parametrize(
    "text",
    [
        "The new model should be available in May.",
        "To grasp this figure, we must examine the market.",
        "They didn't need to fix anything.",
        "Should companies wait?",
        "I must admit that I was wrong.",
        "Someone felt the need to put that in.",
        "Never before has a chip sold so well.",
        "The price rose by 12 percent.",
        "It should be noted that prices rose.",
        "Since that day he has never forgotten to make sure that the lamp is out.",
        "Don't worry, nobody is going to take your slogan.",
        "Add a second motor to the front, and the car does it in four seconds.",
        "Consider the example of a bank with two branches.",
        "Fifty-one percent say that the mayor should be removed from office.",
        "The payment helps owners who need to borrow.",
        "Good notes give a clerk the context they need to answer.",
        "Test results show that the pump leaks.",
        "Stop hooks are praised by those who use them.",
        "Always is a strong word, but lamps will be sold for years.",
        "To some, a bell is a nuisance and must be silenced.",
        "Keep in mind that a part of the trouble is the bell.",
        "Critics question whether the bell should be moved to Orlen.",
        "We sell ringers the ropes they need to ring at night.",
        "Owners will only need to show a loss of 15 percent.",
        "In a ringing problem, an agent needs to name the next bell.",
        "The guild says that bells need to evolve.",
        "Some people argue that we must close the bridge, but it holds.",
        "I have heard that you should warm the engine first.",
        "Think of the pump as a heart with two chambers.",
        "Write your letters in the language of your choice!",
        "Here are the drawings and all the code you need to build one.",
        "We respect the work the auditor needs to do in winter.",
        "You can guess what the answer must be.",
        "Here, if I were the mayor, I would call on the firms to pay.",
        "It proposes a plan, which a planner must approve.",
    ],
)
def test_what_only_sounds_like_it_is_none(text: str) -> None:
    assert not cues.is_directive(text)


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("However, prices rose.", "Prices rose."),
        ("But the bank waited.", "The bank waited."),
        ("And so, in fact, it went.", "In fact, it went."),
        ("So long as it runs, we wait.", "So long as it runs, we wait."),
        ("First Bank of Tarn closed.", "First Bank of Tarn closed."),
        ("Android phones sell well.", "Android phones sell well."),
    ],
)
def test_connectives_are_taken_off_and_names_are_not(text: str, bare: str) -> None:
    assert cues.without_connective(text) == bare


@pytest.mark.parametrize(
    ("sentence", "line"),
    [
        (
            "Eleven makers of engines said on Monday that they will spend €480 million over four years on models.",
            "Eleven makers of engines will spend €480 million over four years on models",
        ),
        (
            "UK output contracted in April for the first time in three years, a survey has indicated, adding to fears.",
            "UK output contracted in April for the first time in three years",
        ),
        ("On Friday, the council of Orlen voted for the bill.", "The council of Orlen voted for the bill"),
        ("After the vote, he went home.", "After the vote, he went home"),
        ("Tarn Bank (founded in 1890) buys machines.", "Tarn Bank buys machines"),
        (
            "At 2:14 on a Friday last March, with nobody in the whole house but a cleaner, the bank paid a bill.",
            "",
        ),
    ],
)
def test_a_title_is_the_main_clause(sentence: str, line: str) -> None:
    assert headline.clause(sentence, 16, is_last_resort=False) == line


def test_a_clause_never_has_more_words_than_asked_for() -> None:
    for most in range(4, 12):
        assert (
            len(headline.clause("One two three four five six seven eight nine ten eleven twelve.", most).split())
            <= most
        )


@pytest.mark.parametrize(
    ("title", "is_one"),
    [
        ("Tarn Bank lets a small model read its letters", True),
        ("Changelog News 66", False),
        ("Issue 12", False),
        ("News", False),
        ("Nine ways to cook an egg at home", False),  # the text says nothing of it
        ("Tarn Bank lets a small model read its letters | The Daily Lantern", True),
    ],
)
def test_a_documents_own_title_must_say_something(title: str, is_one: bool) -> None:
    assert bool(headline.own_title(title, ARTICLE, 14)) is is_one


SOURCE = "Tarn Bank moved 60 percent of its mail to a model of 3 billion parameters. Petra Lindgaard runs the building."


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Tarn Bank moved 60 percent of its mail to a model", None),
        ("Tarn Bank moved 70 percent of its mail to a model", "number not in source"),
        ("The building of Petra Lindqvist has mail", "name not in source"),
        ("The article discusses the mail of Tarn Bank", "not plain text"),
        ("**Tarn Bank** moved its mail", "not plain text"),
        ("Summary: Tarn Bank moved its mail", "not plain text"),
        ("The building burned down during a concert of pianists", "few words in common"),
        ("Tarn Bank said “we moved the mail", "cut off"),
        ("", "empty"),
        ("Mail mail moved the mail to a model moved the mail to a model moved the mail to a model", "repeats itself"),
        ("It is of the and to", "says nothing"),
    ],
)
def test_the_gate_says_why(text: str, reason: str | None) -> None:
    found = refuse(text, SOURCE, least_shared=0.8, most_words=20)
    assert (found is None) if reason is None else (found or "").startswith(reason)


def test_what_was_shown_as_an_example_is_refused_and_what_was_said_is_known() -> None:
    text = "Tarn Bank moved 60 percent of its mail"
    assert refuse(text, SOURCE, least_shared=0.8, most_words=20, examples=["Oslo moved 60 percent of its mail away"])
    assert is_said(text, ["The bank of Tarn moved 60 percent of mail"])
    assert not is_said(text, ["The clerks of Tarn look at every tenth letter"])


def test_quotations_have_the_speaker_that_the_text_names() -> None:
    material = gather(document(ARTICLE))
    found = {material.text(saying.span): saying.speaker for saying in sayings(material, least_words=5, most_words=40)}
    assert found == {
        "We heat two floors with the letters of our customers": "Petra Lindgaard",
        "A letter is a person who could not reach us in any other way": "Ivo Marten",
    }


@pytest.mark.parametrize(
    ("text", "speaker"),
    [
        ('"The number of letters is what matters," Petra Lindgaard said.', "Petra Lindgaard"),
        ('Petra Lindgaard, who runs the building, said: "The number of letters is what matters."', "Petra Lindgaard"),
        ('According to Lindgaard, "the number of letters is what matters to us".', None),  # no whole sentence
        ('"The number of letters is what matters." Ivo Marten said something else later.', None),
        ('"The number of letters is what matters," the bank said.', None),
        ('"The number of letters is what matters," said its chairman, Ivo Marten.', "Ivo Marten"),
        ('"The number of letters is what matters," said the head of the bank, Petra Lindgaard.', "Petra Lindgaard"),
        ('"The number of letters is what matters," said the bank, which Ivo Marten runs.', None),
        ('"The number of letters is what matters," said Ivo Marten. Expect more of that.', "Ivo Marten"),
        ('"The number of letters is what matters," said Dr. I. J. Marten. Expect more.', "Dr. I. J. Marten"),
        ('Ivo Marten runs the bank. "The number of letters is what matters," Marten said.', "Ivo Marten"),
        ('Ivo Marten met Ada Marten. "The number of letters is what matters," Marten said.', "Marten"),
    ],
)
def test_speakers(text: str, speaker: str | None) -> None:
    found = sayings(gather(document(text)), least_words=5, most_words=40)
    assert [saying.speaker for saying in found] in ([speaker], [] if speaker is None else [speaker])


def test_a_block_quotation_is_of_whom_the_line_before_names() -> None:
    text = "Ivo Marten, of the council:\n\n> We asked for one rule and we got one rule.\n\nThe council was pleased.\n"
    material = gather(document(text))
    quoted = next(s for s in material.sentences if "one rule" in s.text)
    assert quoted.speaker
    assert quoted.speaker.name == "Ivo Marten"


def test_what_follows_is_the_clause_or_the_sentence_that_says_so() -> None:
    material = gather(document(ARTICLE))
    by_start = {s.text[:20]: s for s in material.sentences}
    test = by_start["In a test of 900 let"]
    impact = select.consequence(material, (test,), Shelf(), words=40)
    assert impact is not None
    assert impact.text == "Could cut the number of complaints next year."
    heat = by_start["The bank bought eigh"]
    impact = select.consequence(material, (heat,), Shelf(), words=40)
    assert impact is None or impact.sentences[0].index > heat.index


def test_sentences_that_cannot_stand_alone_are_lowered() -> None:
    text = "Tarn Bank bought eight machines for its cellar. "
    lowered = [
        "However, it was not enough for them.",
        "This was what the council had asked for all along.",
        "Subscribe to our newsletter for more of this every week.",
        "Why did nobody think of this before they did it?",
        "“We heat two floors with the letters of our customers",
    ]
    best = gather(document(text)).sentences[0].standing
    for sentence in lowered:
        assert gather(document(text + sentence)).sentences[-1].standing < best


def test_topics_follow_headings_and_hold_every_sentence() -> None:
    material = gather(document(ARTICLE))
    found = topics(material, 6)
    assert [material.text(topic.heading) if topic.heading else None for topic in found][-2:] == [
        "A cellar full of fans",
        "Who reads the tenth letter",
    ]
    assert found[0].first == 0
    assert found[-1].last == len(material.sentences)
    assert all(before.last == after.first for before, after in pairwise(found))


def test_topics_without_headings_turn_where_the_words_do() -> None:
    chips = (
        "The chip has a new cache. The cache of the chip holds more weights. Weights move from memory to the chip. " * 3
    )
    court = (
        "The court heard a witness. The witness told the judge of a letter. A judge of the court read the letter. " * 3
    )
    material = gather(document(chips.strip() + "\n\n" + court.strip()))
    found = topics(material, 6)
    turn = next(s.index for s in material.sentences if "court" in s.text)
    assert turn in {topic.first for topic in found}


def test_the_choice_follows_the_words_of_the_options() -> None:
    material = gather(document(ARTICLE))
    options = (("Money", "euro cost save contract"), ("Heat", "boiler cool floor fan"), ("Sport", "goal match"))
    money = next(s for s in material.sentences if "4.2 million" in s.text)
    heat = next(s for s in material.sentences if "boilers" in s.text)
    assert closest(options, (money,), material)[0] == "Money"
    assert closest(options, (heat,), material)[0] == "Heat"


def test_no_sentence_serves_twice() -> None:
    desk = Desk(document(ARTICLE), load_template(), len)
    desk.fill()
    seen: list[str] = []
    for name in ("summary", "conclusion", "key_insights", "action_items", "sections"):
        for entry in desk.drafts[name].entries:
            seen += [text for part, text in entry.parts.items() if part not in ("heading", "category") and text]
    stems = [frozenset(gather(document(text)).sentences[0].stems) for text in seen]
    assert len(seen) == len(set(seen))
    for i, one in enumerate(stems):
        assert all(overlap(one, other) <= 0.6 for other in stems[i + 1 :])


def test_advertisements_are_not_chosen() -> None:
    advert = (
        "## A word from Fernhill\n\nFernhill keeps your models warm. This part is sponsored by Fernhill. Fernhill sells"
        " machines with eight fans, and all of them are quiet.\n\n## The end\n\nThe bank looks at its rule in a year."
    )
    desk = Desk(document(ARTICLE + "\n" + advert), load_template(), len)
    desk.fill()
    shown = " ".join(text for draft in desk.drafts.values() for entry in draft.entries for text in entry.parts.values())
    assert "keeps your models warm" not in shown
    assert "quiet" not in shown


def test_transcribed_speech_is_shown_without_its_fillers() -> None:
    assert fluent("Um so the remote {disfmarker} uh , needs a mm power button .") == "The remote needs a power button."
    assert fluent("The umbrella is an erratic thing.") == "The umbrella is an erratic thing."
    assert fluent("Mr. Chair, the the loans uh went out .") == "The loans went out."
    assert fluent("Loads fell by half (see Figure 2) in May [12, 13].") == "Loads fell by half in May."


@pytest.mark.parametrize(
    "dateline",
    [
        "ORLEN — ",
        "HALVØR (Lantern) — ",
        "ORLEN, Nov 3 (Lantern) - ",
        "ORLEN, 9 February - ",
        "ORLEN, 9 Feb. 2026 – ",
        "(Lantern) -- ",
        "PORT DUNMERE, Orlen (LNT) — ",
    ],
)
def test_a_dateline_is_no_part_of_what_is_said(dateline: str) -> None:
    document = read_bytes((dateline + ARTICLE).encode(), path="x.txt")
    first = gather(document).sentences[0]
    assert document.text[first.span.start : first.span.end] == first.text
    assert first.text == gather(read_bytes(ARTICLE.encode(), path="x.txt")).sentences[0].text


@pytest.mark.parametrize("opening", ["NASA — which pays for it — waits", "GPT-4 - the old one - was cheaper"])
def test_a_dash_in_a_sentence_is_no_dateline(opening: str) -> None:
    document = read_bytes(f"{opening} for a decision of the council in May.".encode(), path="x.txt")
    assert gather(document).sentences[0].text.startswith(opening)


def test_a_consequence_is_told_apart_from_a_claim_that_opens_with_its_circumstances() -> None:
    text = "In four cases the model sent out a crew that had worked 13 hours, which could cost the company its license."
    material = gather(read_bytes(text.encode(), path="x.txt"))
    found = select.consequence(material, material.sentences, Shelf(), words=40)
    assert found is not None
    assert found.text == "Could cost the company its license."


def test_advice_is_an_action_even_where_it_closes_the_text() -> None:
    advice = "Operators should keep a rule checker outside the model, the institute wrote in a report on Friday."
    desk = Desk(document(ARTICLE + "\n" + advice + "\n"), load_template(), len)
    desk.fill()
    assert advice in [entry.parts["text"] for entry in desk.drafts["action_items"].entries]


def test_advice_that_the_summary_holds_is_not_denied() -> None:
    text = (
        "Every hospital should audit its notes before it buys a scribe, the board wrote on Monday. Rain fell in Orlen."
    )
    desk = Desk(read_bytes(text.encode(), path="x.txt"), load_template(), len)
    desk.fill()
    assert "should audit" in desk.drafts["summary"].entries[0].parts["summary"]
    assert desk.drafts["action_items"].missing == ["what the source recommends is said above"]


def test_a_claim_is_not_left_hanging_where_its_consequence_is_cut_off() -> None:
    text = "In a time when large cars are growing in popularity everywhere, making a small one of wood may seem unwise."
    material = gather(read_bytes(text.encode(), path="x.txt"))
    assert select.consequence(material, material.sentences, Shelf(), words=40) is None


NEWSLETTER = """Hello and welcome. Our annual meeting is on the third of May and we would love to see you there
in the hall.

# Bakers

Flour costs a third more than in March. Millers blame the wet summer and the price of diesel for their ovens.
Twelve small bakeries in Ostrand have closed since spring, and their guild wants cheaper loans before winter
comes.

# Chips

Quillon sells a processor that needs no fan. It runs a language model of four billion parameters on nine
watts. Laptops with the processor arrive in October, from three makers, at prices near eight hundred euros
each.

# Trains

Night trains between Vell and Kastrup start again after eleven years. The operator bought forty sleeping cars
abroad. Tickets for the first journeys sold out within an afternoon, mostly to students and pensioners.

# Courts

Judges may no longer use chatbots to write verdicts, the council of magistrates decided. Drafts of letters
stay allowed. A lawyer had found invented precedents in a ruling about a garden fence.
"""


def test_each_of_several_stories_has_a_beginning_of_its_own() -> None:
    sentences = gather(document(NEWSLETTER)).sentences
    openings = [s for s in sentences if s.place == 0]
    assert [s.text.split()[0] for s in openings] == ["Flour", "Quillon", "Night", "Judges"]
    greeting = next(s for s in sentences if "annual meeting" in s.text)
    assert greeting.place > max(s.place for s in sentences if s is not greeting and s.place < 90)


def test_a_document_on_one_subject_has_one_beginning() -> None:
    places = [s.place for s in gather(document(ARTICLE)).sentences if s.is_usable]
    assert places == list(range(len(places)))


def test_what_stands_under_references_is_not_shown() -> None:
    text = (
        ARTICLE + "\n## Further reading\n\nTarn Bank explained its letter model and its cellar in a talk last year.\n"
    )
    assert not gather(document(text)).sentences[-1].is_usable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            'She said: "We heat two floors with letters. That is enough."',
            'She said: "We heat two floors with letters."',
        ),
        ("He wrote: “We read all of them. Nobody else does.”", "He wrote: “We read all of them.”"),
    ],
)
def test_a_quotation_that_goes_on_is_closed_where_it_is_cut(text: str, shown: str) -> None:
    opening = text[: text.index(".") + 1]
    (sentence, *_) = gather(document(opening + " " + "Another sentence stands here for company.")).sentences
    assert select.pick_of([sentence]).text == shown


@pytest.mark.parametrize(
    "text",
    [
        'That is enough for everybody here in the house," she said.',
        "The bank (which is old and rich moved its mail to the cellar.",
        "Letters, models, cellars, boilers, clerks, trays, fans and everything.",
        "(pictured) The cellar of the bank with its eight machines.",
        "View them as a partner for many years to come.",
    ],
)
def test_pieces_and_lists_are_lowered(text: str) -> None:
    (sentence, *_) = gather(document(text + " The bank moved its mail to a model in its own cellar.")).sentences
    assert sentence.standing <= -1.2


@pytest.mark.parametrize(
    ("behind", "is_impact"),
    [
        ("This could cost the bank its license in the north.", True),
        ("As a result, forty clerks lost their desks in the hall.", True),
        ("The move may save the town a million euros a year.", True),
        ("Ferries in Ostrand could lose their harbour in the spring.", False),  # looks ahead, at something else
        ("If it fails, the old rules apply and forty clerks lose their desks.", True),
        ("If all three did, the bank would lose forty clerks and a hall.", True),
        ("If the harbour freezes, the ferries of Ostrand stay at home.", False),
        ("This post by a clerk might help you to file your letters.", False),
        ("Another clerk warns that this could cost it the license.", False),
        ("This may already be the case in Orlen and in Ostrand.", False),
        ("A rule of the ministry could cost the bank its license.", False),
        ("Nobody knows it yet.\n\nThis could cost the bank its license in the north.", False),
    ],
)
def test_what_follows_is_said_right_behind_the_claim(behind: str, is_impact: bool) -> None:
    source = gather(document(f"Tarn Bank moved its letters to a model in the cellar. {behind}"))
    impact = select.consequence(source, source.sentences[:1], Shelf(), words=40)
    assert (impact is not None) == is_impact


def test_what_follows_must_be_about_the_same() -> None:
    unrelated = (
        "Tarn Bank moved its letters to a model in the cellar.\n\n"
        "The harbour of Ostrand could lose its ferry in May.\n\n"
        "Nobody knows why the museum closed on a Tuesday.\n"
    )
    source = gather(document(unrelated))
    assert select.consequence(source, source.sentences[:1], Shelf(), words=40) is None


def test_more_than_the_least_insights_only_of_what_stands_alone() -> None:
    pairs = (
        ("Aldwick bought machines for its archive in May.", "They were cheaper than the ones on lease before."),
        ("Berrow opened a school for pilots.", "It takes forty students from three countries each year."),
        ("Corvane closed its foundry on the river.", "This left more than ninety families without an income."),
        ("Dunmere tests buses that run on hydrogen.", "They stop less often than diesel engines in winter."),
    )
    text = "\n\n".join(f"The town of {first} {second}" for first, second in pairs)
    source = gather(document(text))
    shelf = Shelf()
    shelf.take(*(s for s in source.sentences if s.text.startswith("The town")))
    found = select.insights(source, topics(source, 6), shelf, least=2, most=6, words=45, impact_words=40, match=())
    assert len(found) == 2
    assert all(insight.pick.text.startswith(("They", "It", "This")) for insight in found)


def test_words_that_tell_no_options_apart_leave_the_choice_to_the_document() -> None:
    source = gather(document(ARTICLE + "\nNothing else was said on that day in the town.\n"))
    options = [("Mail", "letter tray clerk mail"), ("Boats", "harbour ferry")]
    assert closest(options, source.sentences[-1:], source) == ["Mail"]


def test_half_a_sentence_is_no_quotation() -> None:
    text = (
        "“If we would not let a first-year clerk do it alone,” the report says, “we do not let the model do it either.”"
    )
    assert sayings(gather(document(text)), least_words=5, most_words=45) == []


def test_a_pronoun_follows_only_whom_the_sentence_before_names() -> None:
    text = (
        "Tarn Bank moved its letters to a small language model in the cellar on Monday morning.\n\n"
        "The old contract for hosted models cost far more than the cellar does. "
        "His advice on models to other banks is arithmetic, and the bank agrees.\n\n"
        "Petra Lindgaard heats the building with the warm air of the models. "
        "She expects to switch off one of the boilers of the bank in April.\n"
    )
    source = gather(document(text))
    his, she = source.sentences[2], source.sentences[4]
    chosen = select.central(source, Shelf(), most=3, words=60, at_most=60).sentences
    assert source.sentences[1] in chosen
    assert his not in chosen
    assert she not in chosen or source.sentences[3] in chosen


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*[!fE].md")), ids=lambda path: path.stem)
def test_every_heading_that_may_be_chosen_stands_in_the_text(path: Path) -> None:
    source = read_path(path)
    desk = Desk(source, load_template(), len)
    desk.fill()
    text = " ".join(source.text.split()).casefold()
    rules = [ask.rule for ask in desk.asks if ask.name.endswith(".heading")]
    offered = [json.loads(option).strip() for rule in rules for option in re.findall(r'"(?:[^"\\]|\\.)*"', rule)]
    shown = [entry.parts["heading"] for entry in desk.drafts["sections"].entries]
    assert shown
    for line in (*offered, *shown):
        assert line.casefold() in text
    assert len(set(offered)) == len(offered)


def test_a_call_for_more_asks_for_nothing() -> None:
    assert not cues.is_directive("The passengers' association welcomed the decision but called for more.")
    assert cues.is_directive("The passengers' association called for more clerks in refund offices.")
    assert cues.is_directive("The association called on the ministry to sign every refusal.")


def test_a_letter_of_several_stories_has_their_headings_and_under_each_its_own_words() -> None:
    letter = read_bytes((EXAMPLES / "weekly-letter.md").read_bytes(), path="weekly-letter.md")
    headings = [letter.text[block.start : block.end] for block in letter.blocks if block.kind == "heading"]
    assert "Insurers put a price on agents." in headings  # bold words that a paragraph begins with
    (brief,) = write_briefs([letter], load_template(), ScriptedEngine(), model={"name": "x", "sha256": ""})
    fields = brief.fields
    assert fields["title"].value == "Pennant slows its assistant down on purpose"
    sections = fields["sections"].value
    own = [item for item in sections if f"{item.parts['heading']}." in headings]
    assert len(own) >= 4
    for item in own:
        start = letter.text.index(f"{item.parts['heading']}.")
        following = min(
            (b.start for b in letter.blocks if b.kind == "heading" and b.start > start), default=len(letter.text)
        )
        assert all(start < span.start and span.end <= following for span in item.grounding.evidence), item.parts


def test_what_only_looks_like_a_consequence_is_none() -> None:
    follows = select.says_what_follows
    assert follows("The move could cut the flight to Asia by three hours.")
    assert follows("That means a third of the beds stay empty until the spring.")
    for text in (
        "The paper, posted in May of 2023, did not have any models trained with it.",
        "Their proposal is centred on seven actions that the pages are meant to satisfy.",
        "A longer term in prison would have followed from such a finding.",
        "As an exercise, let's estimate how many tokens the firm could make in a day.",
        "It makes me a little bit nervous that the doors could be left open.",
    ):
        assert not follows(text), text


@pytest.mark.parametrize(
    "text", ["Expect competitors to follow within the year.", "Set up by the ministry in 1941, the plant grew."]
)
def test_a_prediction_asks_nobody_for_anything(text: str) -> None:
    assert not cues.is_directive(text)


def test_advice_that_points_back_at_advice_stands_behind_it() -> None:
    text = (
        "The Sandholm ferry line will let its two smallest boats steer themselves out of port from May, it said. "
        "A captain stays on board and can take over with one lever. The system was made by Brindle Marine.\n\n"
        "The maritime authority must approve the plan by the end of March. "
        "It recommends that other lines wait for its report before they buy such systems. The trial lasted a year.\n"
    )
    desk = Desk(document(text), load_template(), len)
    desk.fill()
    items = [entry.parts["text"] for entry in desk.drafts["action_items"].entries]
    assert len(items) == 1
    assert items[0].startswith("The maritime authority must approve")
    assert "It recommends that other lines wait" in items[0]


@pytest.mark.parametrize(
    ("before", "speaker"),
    [
        ("Its chairwoman, Siri Bakke, wants more: the city should publish every wish.", "Siri Bakke"),
        ("Its chairwoman, Siri Bakke, wants more than Arne Lund does.", None),  # two women or men
        ("This could free four inspectors, said its director, Hanne Roth.", "Hanne Roth"),
        ("Its harbour, Port Ellis, wants more.", None),
        ("Its chairwoman, Bakke, wants more.", None),
    ],
)
def test_whom_she_said_means(before: str, speaker: str | None) -> None:
    text = f"{before} “A rota is your whole life in a small table,” she said. The city waits for the report."
    (found,) = sayings(gather(document(text)), least_words=4, most_words=40)
    assert found.speaker == speaker


@pytest.mark.parametrize(
    ("text", "is_lowered"),
    [
        ("A good example of this shift is the bank in Tarn, which sells its cellar.", True),
        ("Remarkably, eleven of those have been fights for a title in the north.", True),
        ("Four boats, a small ferry, crews that know the river.", True),
        ("Two brothers are working on the same thing in their barn in Orlen.", True),
        ("The government was asked twice about the bridge at Veldt and its bolts.", False),
        ("The bank of Tarn said on Monday that it will sell its old cellar.", False),
        ("A bridge at Veldt is closed this week because its bolts have rusted away.", False),
    ],
)
def test_what_points_back_inside_a_sentence_is_lowered(text: str, is_lowered: bool) -> None:
    *_, last = gather(document("The bank moved its mail to a model in its own cellar. " + text)).sentences
    assert (last.standing <= -0.8) == is_lowered


def test_what_is_only_called_the_appeal_is_lowered_a_little() -> None:
    text = "The appeal was brought by four clubs of the northern coast in May."
    bare, named = (gather(document(each)).sentences[0] for each in (text, text.replace("The appeal", "An appeal")))
    assert bare.standing < named.standing


TALK = """**Ada Brook:** We tried the new reader in four schools, and it halved the time that marking takes.

**Ben Carr:** The council pays 40,000 crowns a year for it, which is less than one teacher costs.

**Ada Brook:** The head of the school at Lund called it "the best thing we ever bought" in March.
"""


def test_in_a_conversation_it_is_told_who_says_what() -> None:
    ours, theirs, quoted = gather(document(TALK)).sentences
    text = gather(document(TALK)).document.text

    def shown(*sentences: Sentence) -> str:
        return select.named(select.pick_of(sentences), 60).text

    assert shown(ours).startswith("Ada Brook: We tried the new reader")
    assert shown(theirs).startswith("Ben Carr: The council pays")
    assert shown(quoted).startswith("Ada Brook: The head of the school")
    assert shown(ours, theirs).startswith("Ada Brook: We tried")
    assert " takes. Ben Carr: The council pays" in shown(ours, theirs)
    assert shown(ours, quoted).count("Ada Brook: ") == 1  # as nobody else speaks in between
    assert select.named(select.pick_of([ours]), 15).text.startswith("We tried")  # there is no room
    evidence = select.named(select.pick_of([ours, theirs]), 60).evidence
    assert [text[span.start : span.end][:10] for span in evidence] == [
        "Ada Brook",
        "We tried t",
        "Ben Carr",
        "The counci",
    ]


def test_of_a_block_quotation_whoever_says_we_is_named() -> None:
    text = "Ivo Marten, of the council:\n\n> We asked for one rule. The rule came in May.\n\nThe council was pleased.\n"
    first, second, last = gather(document(text)).sentences[1:]
    assert select.named(select.pick_of([first]), 60).text == "Ivo Marten: We asked for one rule."
    assert select.named(select.pick_of([second]), 60).text == "The rule came in May."
    assert select.named(select.pick_of([last]), 60).text == "The council was pleased."


@pytest.mark.parametrize(
    ("text", "speaker"),
    [
        ("“It is ours and stays ours,” said Ana Ruiz. “We never thought of selling it.”", "Ana Ruiz"),
        ("“It is ours and stays ours,” said Ana Ruiz, who runs it, after 1 a.m. “We never thought of it.”", "Ana Ruiz"),
        ("“It is ours and stays ours,” said Ana Ruiz. It rained. “We never thought of selling it.”", None),
        ("“It is ours and stays ours,” said Ana Ruiz.\n\n“We never thought of selling it.”", None),
        ("“It is ours and stays ours?”\n\nBo Lind said he did not know.", None),
        ("“It is ours and stays ours?” Bo Lind said. It rained.", "Bo Lind"),
        ("Bo Lind at Easter College thinks not. “It is ours and stays ours,” he told us.", "Bo Lind"),
        ("Dame Ana Ruiz, who ran it once, put it well. “It is ours and stays ours,” she told me.", "Dame Ana Ruiz"),
        ("Ana Ruiz, who taught at Tromdal University, was glad. “It is ours and stays ours,” she said.", "Ana Ruiz"),
        ("And Ana Ruiz, who ran it, said no. “It is ours and stays ours,” she told me.", "Ana Ruiz"),
        ("Ana Ruiz, who ran it, met Bo Lind. “It is ours and stays ours,” she told me.", None),
        (
            "Bo Lind, of the firm Low Meridian, which holds a tenth of it, said no. Ana Ruiz, who has built tools for "
            "small law firms with a staff of six since the spring, said yes. “It is ours and stays ours,” she said.",
            "Ana Ruiz",
        ),
    ],
)
def test_whose_a_quotation_is_that_goes_on(text: str, speaker: str | None) -> None:
    *_, last = sayings(gather(document(text)), least_words=4, most_words=40)
    assert last.speaker == speaker


FURNITURE = (
    "By Ingrid Maslow and Theo Abernac",
    "By Ingrid Maslow and Theo Abernac Staff writers, The Ledger Published March 11, 2026, 6:04 a.m.",
    "Posted by Marisol Tannahill on 2 March 2026 · Filed under: work",
    "The entrance of the hospital, where the system was in use. (Photo: Dov Hallgren / The Ledger)",
    "Present: Noor Haddad (product), Ben Szymanski (engineering), Karin Moe (legal)",
    "Home › Health › Technology",
    "Get the Ledger’s morning briefing in your inbox. Subscribe for $1 a week »",
    "© 2026 Calder Ledger Media Co. All rights reserved.",
    "READ NEXT: State groundwater map: how does your county compare?",
    "Correction, March 11: An earlier version of this article gave the value as $18.1 million.",
    "Support independent journalism from as little as £2 a month.",
    "Additional reporting by Nell Varga",
    "Most viewed",
)
TEXT = (
    "By Monday the bank had moved its mail, and nobody had complained so far.",
    "By Ingrid Maslow’s own count, the hospital lost forty calls in three weeks.",
    "Present rules let a bank keep such letters for ten years, the regulator said.",
    "The photo of the entrance was taken in May, when the system was not yet in use.",
    "Support for the plan fell from 60 to 41 percent within a week of the vote.",
    "Updated models reached 80 percent in the tests of May 2026, the lab said on Friday.",
    "Published in 2019 as a warning, the first study of the letters had been forgotten.",
    "Posted in the window of the bank, the notice asked 40 customers to come back in May.",
    "Corrections to the plan cost 40,000 crowns, and most of them came too late.",
)


def test_numbered_chapters_are_no_stories_of_their_own() -> None:
    assert len(gather(document(NEWSLETTER)).stories) == 4
    assert gather(document(NEWSLETTER.replace("\n# ", "\n# Week of the "))).stories == ()


def test_what_stands_around_an_article_is_never_shown() -> None:
    body = [f"The town of Orlen voted for plan number {n}, which costs {n} million crowns a year." for n in range(9)]
    for line in FURNITURE:
        found = gather(document("# Orlen votes\n\n" + "\n\n".join([line, *body]))).sentences
        assert [s.text for s in found if s.is_usable] == body, line
    mara = "Mara Venn is the author of the study, and she said that the town should wait for its second part."
    last = gather(document("# Orlen votes\n\n" + "\n\n".join([*body, mara]))).sentences[-1]
    assert last.is_usable
    who = mara.partition(",")[0] + " and writes about towns for The Ledger."
    assert not gather(document("# Orlen votes\n\n" + "\n\n".join([*body, who]))).sentences[-1].is_usable
    for line in TEXT:
        found = gather(document("# Orlen votes\n\n" + "\n\n".join([line, *body]))).sentences
        assert found[0].is_usable, line


def test_a_text_of_one_writer_names_nobody() -> None:
    (only,) = gather(document("We tried the new reader in four schools, and it halved the time of marking.")).sentences
    assert select.named(select.pick_of([only]), 60).text.startswith("We tried")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("I tried it.", True),
        ("Then we tried it.", True),
        ("It is ours.", True),
        ("The US tried it.", False),
        ("IT firms tried it.", False),
        ("She said “we tried it” twice.", False),
        ('She said "I did", and we laughed.', True),
    ],
)
def test_who_speaks_of_himself(text: str, says: bool) -> None:
    assert cues.says_i(text) is says
