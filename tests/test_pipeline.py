"""From documents to briefs without a model: what can be read gives a whole brief, or a reason, and the same again."""

import itertools
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from localsum.brief import Brief, Item, Quote, to_dict
from localsum.document import Document
from localsum.engine.scripted import ScriptedEngine
from localsum.engine.types import Branch, BranchDone, Event, Request, RequestDone, RequestFailed, TextDelta
from localsum.errors import InputError, UsageError
from localsum.pipeline import Failed, check_readable, choose_style, write_briefs
from localsum.readers import read_bytes, read_path
from localsum.schema import json_schema
from localsum.templates import load_template

ARTICLES = Path(__file__).parent / "data/articles"
CHAT = "{% for m in messages %}<turn>{{ m.role }}\n{{ m.content }}</turn>\n{% endfor %}<turn>model\n"
TEMPLATE = load_template()
VALIDATOR = Draft202012Validator(json_schema(TEMPLATE))
STYLES = {"extractive": None, "written": CHAT}


def article(name: str) -> Document:
    return read_path(ARTICLES / name)


def text(content: str) -> Document:
    return read_bytes(content.encode("utf-8"), path=None)


def outcomes_of(documents: list[Document], *, chat: str | None = None, **options) -> list[Brief | Failed]:
    engine = options.pop("engine", None) or ScriptedEngine(chat_template=chat)
    return list(write_briefs(documents, TEMPLATE, engine, model={"name": "scripted", "sha256": "00"}, **options))


def brief_of(document: Document, **options) -> Brief:
    (outcome,) = outcomes_of([document], **options)
    assert isinstance(outcome, Brief), outcome
    return outcome


def without_times(outcome: Brief | Failed) -> object:
    return replace(outcome, timing={}) if isinstance(outcome, Brief) else (outcome.document, outcome.error.message)


def prose(words: int, name: str = "Orrin") -> str:
    """About so many words of sentences in an invented language with English between, in parts with headings."""
    random = Random(words)
    syllables = ["ba", "do", "ki", "lu", "me", "na", "po", "ri", "su", "ta", "ve", "zo"]
    nouns = ["".join(random.choices(syllables, k=random.randint(2, 4))) for _ in range(1500)]
    parts: list[str] = []
    count = 0
    while count < words:
        if len(parts) % 40 == 0:
            parts.append(f"## The {random.choice(nouns)} of {random.choice(nouns)}")
        rows = []
        for _ in range(4):
            a, b, c, d, e, f = random.choices(nouns, k=6)
            did, link = random.choice(["bought", "tested", "sold"]), random.choice(["because", "while", "before"])
            rows.append(
                f"The {a} in {name} {did} {random.randint(2, 900)} {b} and {c} {link} every {d} had a {e} with {f}."
            )
        parts.append(" ".join(rows))
        count += len(parts[-1].split())
    return "\n\n".join(parts)


NEWS = article("news.md").text.split("\n\n")[1]
DOCUMENTS: dict[str, Callable[[], Document]] = {
    "an article": lambda: article("news.md"),
    "a transcript": lambda: article("transcript.txt"),
    "a list": lambda: article("list.md"),
    "German": lambda: article("german.txt"),
    "Chinese": lambda: article("chinese.txt"),
    "capitals": lambda: article("caps.txt"),
    "hostile": lambda: article("injection.md"),
    "5 words": lambda: text("Nothing happened in town today."),
    "20 words": lambda: text(" ".join(NEWS.split()[:20])),
    "60 words": lambda: text(" ".join(NEWS.split()[:60])),
    "one sentence of 3,000 words": lambda: text(prose(3000).replace(".", " and").replace("\n\n", " ").replace("#", "")),
    "3,000 times one letter": lambda: text("a " * 3000),
    "one word without an end": lambda: text("a" * 20_000),
    "numbers": lambda: text("1 2 3 4.5 6 7 8 % 9 0 10. " * 30),
    "code": lambda: read_bytes(b"```\nx = 1\nprint(x)\nfor i in range(3): pass\n```\n", path="code.md"),
    "headings": lambda: read_bytes(b"# One two three\n\n## Four five six\n\n### Seven eight\n", path="headings.md"),
    "a table": lambda: read_bytes(b"| a | b |\n|---|---|\n| one two | three four |\n| five | six |\n", path="table.md"),
    "questions": lambda: text("Who paid for it? Why did nobody ask? What happens when the model is wrong? " * 5),
    "30,000 words": lambda: text(prose(30_000)),
}


@cache
def written_once(name: str, style: str) -> Brief:
    return brief_of(DOCUMENTS[name](), chat=STYLES[style])


every_document = pytest.mark.parametrize("name", DOCUMENTS)
both_styles = pytest.mark.parametrize("style", STYLES)


# Every brief is whole


@every_document
@both_styles
def test_every_brief_is_valid_by_the_schema(name: str, style: str) -> None:
    brief = written_once(name, style)
    assert list(brief.fields) == [field.name for field in TEMPLATE.fields]
    assert [f"{error.json_path}: {error.message[:200]}" for error in VALIDATOR.iter_errors(to_dict(brief))] == []


@every_document
@both_styles
def test_every_field_says_something_or_why_not(name: str, style: str) -> None:
    brief = written_once(name, style)
    silent = []
    for field in TEMPLATE.fields:
        value = brief[field.name]
        reasons = [warning for warning in brief.warnings if warning.startswith(f"{field.name}:")]
        if not value and not reasons:
            silent.append(field.name)
        for item in value if not isinstance(value, str) else ():
            parts = item.parts if isinstance(item, Item) else {}
            silent += [f"{field.name}.{part}" for part, said in parts.items() if not said and not reasons]
    assert silent == []


@every_document
@both_styles
def test_quotes_are_verbatim_and_evidence_is_in_the_text(name: str, style: str) -> None:
    brief = written_once(name, style)
    source = brief.document.text
    for result in brief.fields.values():
        groundings = [result.grounding] if result.grounding else []
        for item in result.value if not isinstance(result.value, str) else ():
            if isinstance(item, Quote):
                assert source[item.start : item.end] == item.text
                assert item.text == item.text.strip() != ""
            else:
                groundings.append(item.grounding)
        for span in (span for grounding in groundings for span in grounding.evidence):
            assert 0 <= span.start < span.end <= len(source)
            assert source[span.start : span.end].strip()


@every_document
@both_styles
def test_no_part_is_longer_than_the_template_allows(name: str, style: str) -> None:
    brief = written_once(name, style)
    long = []
    for field in TEMPLATE.fields:
        value = brief[field.name]
        if isinstance(value, str):
            texts = [(field, value)]
        else:
            texts = [(field, item.text) for item in value if isinstance(item, Quote)]
            for item in value:
                if isinstance(item, Item):
                    texts += [(part, item.parts[part.name]) for part in field.parts if part.shape != "choice"]
            assert len(value) <= field.count[1]
        long += [
            f"{field.name}.{part.name}: {len(said.split())} of {part.words}"
            for part, said in texts
            if len(said.removesuffix(" …").split()) > part.words  # the mark of a cut is not a word
        ]
    assert long == []


@every_document
@both_styles
def test_the_same_document_gives_the_same_brief(name: str, style: str) -> None:
    again = brief_of(DOCUMENTS[name](), chat=STYLES[style])
    assert without_times(again) == without_times(written_once(name, style))


def test_the_brief_does_not_depend_on_the_order_of_sets() -> None:
    """Two processes that hash strings differently write the same."""
    program = (
        "import sys; from pathlib import Path; from localsum.brief import to_dict;"
        "from localsum.readers import read_path;"
        "from localsum.engine.scripted import ScriptedEngine; from localsum.pipeline import write_briefs;"
        "from localsum.templates import load_template\n"
        "for brief in write_briefs(map(read_path, map(Path, sys.argv[2:])), load_template(),"
        " ScriptedEngine(chat_template=sys.argv[1] or None), model={}):"
        "    print({**to_dict(brief), 'timing': 0})"
    )
    names = ["news.md", "transcript.txt", "german.txt"]
    for chat in STYLES.values():
        arguments = [sys.executable, "-c", program, chat or "", *(str(ARTICLES / name) for name in names)]
        first, second = (
            subprocess.run(
                arguments, capture_output=True, check=True, timeout=120, env={**os.environ, "PYTHONHASHSEED": seed}
            ).stdout
            for seed in ("1", "2")
        )
        assert first == second != b""


@both_styles
def test_a_long_document_takes_bounded_time(style: str) -> None:
    """30,000 words, in time that grows with their number: the limit is five times what it takes on two busy cores."""
    brief = written_once("30,000 words", style)
    assert brief.document.words >= 30_000
    assert brief.timing["total_s"] < 60
    assert len(brief["sections"]) > 1
    assert len(brief["key_insights"]) > 2


words = st.text("abcdeéßA1.,;:!?“”\"'()-–…\n界。 ", min_size=1, max_size=30)


@given(st.lists(words, min_size=1, max_size=40).map(" ".join), st.sampled_from(list(STYLES)))
@settings(max_examples=60, deadline=None)
def test_any_text_that_can_be_read_gives_a_brief(content: str, style: str) -> None:
    try:
        document = text(content)
    except InputError:
        return
    brief = brief_of(document, chat=STYLES[style])
    assert VALIDATOR.is_valid(to_dict(brief))
    for quote in brief["quotes"]:
        assert document.text[quote.start : quote.end] == quote.text


# Which writer


def test_base_models_extract_and_instruct_models_write() -> None:
    said = (
        "Harlow Ferries operates 22 ferries on nine routes and carries 6.4 million passengers a year."
        " It expects to save £1.9 million in the first year."
    )
    script = {"0.summary": said, "summary": said}
    base = brief_of(article("news.md"), engine=ScriptedEngine(script))
    instruct = brief_of(article("news.md"), engine=ScriptedEngine(script, chat_template=CHAT))
    assert base.fields["summary"].mode == "extractive"
    assert instruct.fields["summary"].mode == "written"
    assert instruct["summary"] == said != base["summary"]
    forced = brief_of(article("news.md"), engine=ScriptedEngine(script, chat_template=CHAT), style="extractive")
    assert forced["summary"] == base["summary"]


def test_what_a_model_says_about_itself_stands_under_what_it_writes() -> None:
    engine = ScriptedEngine(chat_template=CHAT)
    engine.info = replace(engine.info, warning="written by a model that invents" + "!" * 1000)
    warnings = brief_of(article("news.md"), engine=engine).warnings
    assert warnings[0].startswith("written by a model that invents")
    assert len(warnings[0]) <= 300
    extract = brief_of(article("news.md"), engine=engine, style="extractive")
    assert not any("invents" in warning for warning in extract.warnings)


def test_the_style_can_be_forced_where_the_model_can() -> None:
    base, instruct = ScriptedEngine(), ScriptedEngine(chat_template=CHAT)
    assert [choose_style(base, None), choose_style(base, "extractive")] == ["extractive", "extractive"]
    assert [choose_style(instruct, style) for style in (None, "extractive", "written")] == [
        "written",
        "extractive",
        "written",
    ]
    with pytest.raises(UsageError, match="base model without a chat template") as caught:
        choose_style(base, "written")
    assert "--model" in caught.value.hint
    with pytest.raises(UsageError):
        next(write_briefs([article("news.md")], TEMPLATE, base, model={}, style="written"))


INVENTED = {
    "0.title": "Zanthor Industries buys 900 ferries for $77 billion",
    "0.summary": "Zanthor Industries bought 900 ferries in Tokyo for $77 billion. Nobody was told.",
    "0.conclusion": "The article does not say.",
    "0.key_insights": "- Zanthor owns 900 ferries in Tokyo.",
    "0.sections": "- Heading: Zanthor in Tokyo\n  Body: Zanthor owns 900 ferries.",
    "more.key_insights.0.impact": "Shares rose 45 percent for Zanthor.",
    "0.action_items": "- Everyone should sell 55 shares at once.\n  Impact: It would earn 3 billion.",
}


def test_what_an_instruct_model_invents_is_not_in_the_brief() -> None:
    brief = brief_of(article("news.md"), engine=ScriptedEngine(INVENTED, chat_template=CHAT))
    shown = str([result.value for result in brief.fields.values()])
    for invented in ("Zanthor", "900", "Tokyo", "77 billion", "45 percent", "55 shares"):
        assert invented not in shown
    assert brief.fields["summary"].mode == "extractive"
    assert any("refused" in warning for warning in brief.warnings)


def test_a_base_models_title_that_the_source_lacks_is_refused() -> None:
    untitled = text(article("news.md").text.split("\n\n", 1)[1])
    good = "Harlow Ferries replaces the rented planning service with a language model"
    made = {name: brief_of(untitled, engine=ScriptedEngine({"title": name})) for name in (good, INVENTED["0.title"])}
    assert made[good]["title"] == good
    assert made[good].fields["title"].mode == "written"
    assert "Zanthor" not in made[INVENTED["0.title"]]["title"]
    assert made[INVENTED["0.title"]]["title"]


@pytest.mark.parametrize("context", [1200, 2048, 4096])
def test_a_document_beyond_the_context_is_read_in_passages(context: int) -> None:
    said = "The town of Orrin bought and tested and sold."
    requests: list[Request] = []

    def script(request: Request, branch: Branch) -> str | None:
        if request not in requests:
            requests.append(request)
        return said if branch.id.endswith("summary") else None

    document = text(prose(6000))
    brief = brief_of(document, engine=ScriptedEngine(script, chat_template=CHAT, context_tokens=context))
    assert len(requests) > 2
    assert any(f"longer than the context of {context} tokens" in warning for warning in brief.warnings)
    assert VALIDATOR.is_valid(to_dict(brief))


# Runs of many documents


def test_the_order_of_documents_does_not_change_their_briefs() -> None:
    documents = [article(name) for name in ("news.md", "transcript.txt", "list.md", "german.txt")]
    for chat in STYLES.values():
        runs = [outcomes_of(order, chat=chat) for order in (documents, documents[::-1])]
        first, second = ({outcome.document.path: without_times(outcome) for outcome in run} for run in runs)
        assert first == second
        assert len(first) == len(documents)


def fail_for(mark: str) -> ScriptedEngine:
    """An engine that cannot write for documents with `mark` in their text."""

    def script(request: Request, branch: Branch) -> str | None:
        seen = "".join(part.text for part in (*request.prefix, *branch.suffix))
        return "\x00" if mark in seen else None

    return ScriptedEngine(script)


def test_one_failing_document_does_not_stop_the_others() -> None:
    documents = [article("news.md"), text(prose(300, "Grumblewick")), article("german.txt")]
    outcomes = outcomes_of(documents, engine=fail_for("Grumblewick"))
    assert [type(outcome) for outcome in outcomes] == [Brief, Failed, Brief]
    assert [outcome.document for outcome in outcomes] == documents
    failed = outcomes[1]
    assert isinstance(failed, Failed)
    assert failed.error.exit_code == 1
    assert failed.error.message


def test_a_document_that_does_not_fit_fails_alone() -> None:
    engine = ScriptedEngine(context_tokens=280)  # the examples of the template need more
    outcomes = outcomes_of(
        [text(prose(800)), text("A harbour bought a model on Monday. It paid nine euros.")], engine=engine
    )
    assert len(outcomes) == 2
    assert isinstance(outcomes[0], Failed)
    assert "context" in outcomes[0].error.message


def test_documents_are_read_one_by_one_and_briefs_come_as_they_are_done() -> None:
    pulled = 0

    def endless() -> Iterator[Document]:
        nonlocal pulled
        while True:
            pulled += 1
            yield replace(text(f"{NEWS} This was number {pulled}."), path=str(pulled))

    for chat in STYLES.values():
        pulled = 0
        briefs = write_briefs(endless(), TEMPLATE, ScriptedEngine(chat_template=chat), model={})
        taken = list(itertools.islice(briefs, 5))
        assert [brief.document.path for brief in taken] == ["1", "2", "3", "4", "5"]
        assert pulled <= 8, "reads far ahead of what is written"
        briefs.close()
        before = pulled
        assert list(briefs) == []
        assert pulled == before


def test_no_documents_no_briefs() -> None:
    assert outcomes_of([]) == []


def test_the_same_document_twice_is_two_briefs() -> None:
    document = article("news.md")
    first, second = outcomes_of([document, document])
    assert without_times(first) == without_times(second)


def test_every_event_is_shown_and_every_seed_set() -> None:
    events: list[Event] = []
    seeds: set[int] = set()

    def script(request: Request, branch: Branch) -> str | None:
        seeds.add(branch.sampling.seed)
        return None

    outcomes_of([article("transcript.txt")], engine=ScriptedEngine(script), seed=7, on_event=events.append)
    assert {type(event) for event in events} == {TextDelta, BranchDone, RequestDone}
    assert seeds == {7}


def test_branches_have_names_of_their_own() -> None:
    for chat in STYLES.values():
        requests: list[Request] = []

        def script(request: Request, branch: Branch, seen: list[Request] = requests) -> str | None:
            seen += [request] if request not in seen else []
            return None

        outcomes_of([article("news.md"), article("list.md")], engine=ScriptedEngine(script, chat_template=chat))
        names = [request.id for request in requests]
        assert len(set(names)) == len(names) > 0
        for request in requests:
            ids = [branch.id for branch in request.branches]
            assert len(set(ids)) == len(ids)


def test_a_failed_request_among_several_fails_the_document_once() -> None:
    class Stubborn(ScriptedEngine):
        """Fails the second passage of every document."""

        def run(self, requests):
            for request in requests:
                if request.id.endswith(".1"):
                    yield RequestFailed(request.id, "no cells")
                else:
                    yield from super().run([request])

    engine = Stubborn(chat_template=CHAT, context_tokens=1200)
    (outcome,) = outcomes_of([text(prose(3000))], engine=engine)
    assert isinstance(outcome, Failed)
    assert outcome.error.message == f"{outcome.document.path or 'the text'}: no cells"


# What a brief says of itself


def test_a_brief_names_document_model_and_template() -> None:
    brief = brief_of(article("news.md"))
    assert brief.document.path == str(ARTICLES / "news.md")
    assert brief.model == {"name": "scripted", "sha256": "00"}
    assert brief.template == {"name": "brief", "sha256": TEMPLATE.sha256}
    assert brief.timing["prompt_tokens"] >= 0
    assert all(value >= 0 for value in brief.timing.values())


def test_what_the_reader_had_to_do_is_among_the_warnings() -> None:
    document = replace(article("news.md"), warnings=("12 characters could not be read",))
    assert "12 characters could not be read" in brief_of(document).warnings


@pytest.mark.parametrize("name", ["news.md", "transcript.txt", "german.txt", "caps.txt"])
def test_what_is_taken_from_the_source_is_at_its_evidence(name: str) -> None:
    """Every word of an extractive text stands in the spans that are given for it."""
    brief = brief_of(article(name))
    source = brief.document.text
    checked = 0
    for result in brief.fields.values():
        if result.mode != "extractive" or result.name in ("title", "quotes"):
            continue
        if isinstance(result.value, str):
            entries = [(result.value, result.grounding.evidence)]
        else:
            entries = [(item.parts.get("text") or item.parts["body"], item.grounding.evidence) for item in result.value]
        for said, evidence in entries:
            there = " ".join(source[span.start : span.end] for span in evidence)
            assert set(re.findall(r"\w+", said.lower())) <= set(re.findall(r"\w+", there.lower()))
            checked += 1
    assert checked > 3


@pytest.mark.parametrize("content", ["Too few.", "One two three four", "短い。"])
def test_too_little_text_is_refused_with_a_way_out(content: str) -> None:
    with pytest.raises(InputError, match=r"the text has fewer than 5 words") as caught:
        check_readable(text(content))
    assert caught.value.hint.endswith("localsum brief FILE")


def test_too_much_text_is_refused_with_a_way_out() -> None:
    with pytest.raises(InputError, match=r"more than 500,000 words") as caught:
        check_readable(Document("word " * 500_001, ()))
    assert caught.value.hint.endswith("localsum brief PART")


def test_scripts_without_spaces_are_not_too_short() -> None:
    assert check_readable(
        text(
            "港务局周一宣布，全市十二条渡轮航线的时刻表改由一个本地语言模型安排。这个模型只有四十亿个参数，不需要连接外网。"
        )
    )
    assert check_readable(text("Nothing happened in town today."))
