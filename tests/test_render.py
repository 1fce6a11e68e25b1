"""Invariants of what is shown: nothing from outside acts, nothing is lost, lines fit. Golden files hold the looks."""

import json
import re
import subprocess
import sys
import unicodedata
from collections import Counter

import briefs
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from rich.cells import cell_len

from localsum.brief import Brief, FieldResult, Figure, Grounding, Item, Quote, to_dict
from localsum.document import Document
from localsum.errors import UsageError
from localsum.render import render
from localsum.render.as_json import dumps
from localsum.render.clean import clean, one_line, to_ascii
from localsum.render.markdown import escape
from localsum.render.outline import (
    COLUMNS,
    UNTOLD,
    Block,
    Entry,
    Fact,
    Heading,
    NumberRow,
    Paragraph,
    Quotation,
    Remark,
    in_ascii,
    outline,
)
from localsum.render.terminal import MEASURE, NARROWEST, wrap

MADE = {"full": briefs.full, "hostile": briefs.hostile, "other": briefs.other, "numbers": briefs.numbers}
STYLE = re.compile("\x1b\\[(?:[012]|3[13])m")
SUPPORTED = Grounding("supported")
ACTIVE = [  # what terminals and bidirectional layout obey
    *map(chr, range(0x20)),
    *map(chr, range(0x7F, 0xA0)),
    *"\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff",
]

syntax = st.text(st.sampled_from("#*_-+>`[]()!<&;|~=\\ .:19abX/\"'“”\n\t\u00a0é東"), max_size=40)
anything = st.one_of(syntax, st.text(max_size=40), st.sampled_from([briefs.ESCAPES, briefs.EMOJI, briefs.CJK]))


def brief_with(text: str, other: str) -> Brief:
    partly = Grounding("partial", (), (other,))
    return briefs.brief_of(
        FieldResult("title", text, "written", partly),
        FieldResult("summary", other, "written", partly, (text,)),
        FieldResult("sections", (Item({"heading": text, "body": other, "date": text}, partly),), "written"),
        FieldResult(
            "key_insights",
            (
                Item({"text": text, "category": other, "impact": text}, SUPPORTED),
                Item({"text": other, "category": text, "impact": ""}, partly),
            ),
            "written",
        ),
        FieldResult("plain", (Item({"text": text}, SUPPORTED), Item({"text": other}, SUPPORTED)), "written"),
        FieldResult("quotes", (Quote(text, 0, 9, other), Quote(other, 3, 99, None)), "extractive"),
        FieldResult(
            "numbers",
            (Figure(text, 0, 9, text, "", other, partly), Figure(other, 3, 99, other, text, "", SUPPORTED)),
            "mixed",
        ),
        document=Document("", (), path=text, title=other, author=text),
        warnings=(other, text),
    )


def shown(block: Block) -> list[str]:
    """The texts of a block, in order."""
    match block:
        case Heading(text) | Paragraph(text):
            return [text, *noted(block)]
        case Entry(text, _, category, lines):
            labelled = (f"{label}: {line}" for label, line in lines)
            return [text, *([category] if category else []), *labelled, *noted(block)]
        case Quotation(text, speaker):
            return [f"{text} — {speaker}" if speaker else text]
        case NumberRow(figure, text):
            return [figure, " ".join([text or f"({UNTOLD})", *noted(block)])]
        case Remark(text):
            return [f"({text})"]
        case Fact(label, text):
            return [f"{label}: {text}"]


def noted(block: Heading | Paragraph | Entry | NumberRow) -> list[str]:
    return [f"({block.support.note})"] if block.support.note else []


# Cleaning


@given(st.one_of(st.text(), st.text(st.sampled_from([*ACTIVE, *"[]0;m\\a \ud800"]))))
def test_clean_text_holds_nothing_that_a_terminal_obeys(text: str) -> None:
    cleaned = clean(text)
    assert not set(cleaned) & (set(ACTIVE) - {"\n", "\t"})
    assert clean(cleaned) == cleaned
    cleaned.encode("utf-8")
    assert not set(one_line(text)) & {"\n", "\t"}
    assert one_line(one_line(text)) == one_line(text)


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs", "M"])))
def test_cleaning_leaves_letters_marks_and_punctuation(text: str) -> None:
    assert clean(text) == text


def test_escape_sequences_go_with_their_payload_and_leave_the_text() -> None:
    assert one_line("a\x1b[1;31mb\x1b]8;;https://evil.example\x1b\\c\x1b]0;t\x07d\x1b(Be\x1bPq#1\x1b\\f") == "abcdef"
    assert clean("a\r\nb\rc\u2028d\te") == "a\nb\nc\nd\te"
    assert one_line("1234\u202e4321\u202c 30\u00a0%") == "12344321 30\u00a0%"


@given(st.text())
def test_ascii_text_is_ascii_and_ascii_is_left_alone(text: str) -> None:
    assert to_ascii(text).isascii()
    assert to_ascii(to_ascii(text)) == to_ascii(text)


def test_ascii_forms_of_prose() -> None:
    assert to_ascii("“Café” – 5 × €30… Łódź’s → naïve") == '"Cafe" - 5 x EUR30... Lodz\'s -> naive'


@pytest.mark.parametrize(
    "unit", ["a", "\x1b", "\x1b[", "\x1b]", "\x9d", "[", "](", "_", "& ", "&#", " #", "~", "東", "\ufe0f"]
)
def test_a_long_run_of_anything_takes_linear_time(unit: str) -> None:
    # A quadratic step would need minutes here, not seconds.
    text = one_line(unit * (400_000 // len(unit)))
    escape(text)
    wrap(text, 40)


# Markdown


@settings(max_examples=300)
@given(anything, anything)
@example("# a", "#")
@example("> a", ">")
@example("-", "+")
@example("[a]: /b 'c'", "[^a]: b")
@example("---", "~~~")
@example("* * *", "```")
@example("![a](b)", "[a][b]")
@example("<!-- a", "&#65;")
@example("a | b", "--- | ---")
@example("1)", "123456789. a")
@example("**a**", "a ## #")
@example("===", "<a@b.example>")
@example("＊ ａ ＃", "＜ｂ＞［a］（b）｀")  # what becomes ASCII may become syntax
@example("– a", "───")
def test_markdown_shows_every_text_as_it_is(text: str, other: str) -> None:
    brief = brief_with(text, other)
    check_markdown(render(brief, "md"), outline(brief))
    in_plain = render(brief, "md", unicode=False)
    assert in_plain.isascii()
    check_markdown(in_plain, [in_ascii(block) for block in outline(brief)])


def check_markdown(made: str, blocks: list[Block]) -> None:
    """A Markdown program reads the texts of the blocks, and no markup but ours."""
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(made)
    inlines = [token for token in tokens if token.type == "inline"]
    kinds = {child.type for token in inlines for child in token.children or ()}
    assert kinds <= {"text", "em_open", "em_close"}
    assert {token.type.removesuffix("_open").removesuffix("_close") for token in tokens} <= {
        *("inline", "heading", "paragraph", "bullet_list", "ordered_list", "list_item", "blockquote", "hr"),
        *("table", "thead", "tbody", "tr", "th", "td"),
    }
    read = ["".join(child.content for child in token.children or ()) for token in inlines]
    dash = "--" if made.isascii() else "—"
    wanted: list[str] = []
    for before, block in zip([None, *blocks], blocks, strict=False):
        if isinstance(block, NumberRow) and not isinstance(before, NumberRow):
            wanted += COLUMNS
        wanted += [part.replace(" — ", f" {dash} ") for part in shown(block)]
    # A text may be empty in ASCII.
    assert [part.split() for part in read if part.split()] == [part.split() for part in wanted if part.split()]
    levels = [int(token.tag[1]) for token in tokens if token.type == "heading_open"]
    assert levels == [block.level for block in blocks if isinstance(block, Heading)]


@pytest.mark.parametrize(
    "prose",
    [
        "A 9-watt board costs $35 (or ~30 €), up 4.5 % - a first; AT&T & others paid 2 < 3.",
        "“It [the model] runs snake_case code,” she said. See https://example.org/a_b?c=d&e=f#g now!",
        "2024 was good. 3.5 GW; -5 % at #1 + more = fine; C# > C++.",
    ],
)
def test_prose_is_not_littered_with_backslashes(prose: str) -> None:
    assert escape(prose) == prose


# Terminal


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("unicode", [True, False])
def test_lines_fit_and_hold_no_controls(name: str, unicode: bool) -> None:
    brief = MADE[name]()
    for width in (NARROWEST, 21, 33, 40, 80, 120, 500):
        text = render(brief, "terminal", width=width, unicode=unicode)
        assert text.endswith("\n")
        assert max(map(cell_len, text.split("\n"))) <= min(width, MEASURE)
        assert not any(unicodedata.category(c) in ("Cc", "Cs") for c in text.replace("\n", ""))
        assert unicode or text.isascii()
        assert not any(line.endswith(" ") for line in text.split("\n"))


@settings(max_examples=100)
@example("1", "1111\xa0 111", 20)
@given(anything, anything, st.integers(NARROWEST, 100))
def test_colour_adds_styles_only_and_no_text_is_lost(text: str, other: str, width: int) -> None:
    brief = brief_with(text, other)
    plain = render(brief, "terminal", width=width)
    assert "\x1b" not in plain
    coloured = render(brief, "terminal", width=width, color=True)
    assert STYLE.sub("", coloured) == plain
    for line in coloured.split("\n"):
        found = STYLE.findall(line)
        assert not found or (len(found) == 2 and found[0] != found[1] == "\x1b[0m")
    squeezed = "".join(plain.split())
    for block in outline(brief):
        if isinstance(block, NumberRow):  # its lines stand beside each other
            assert Counter("".join("".join(shown(block)).split())) <= Counter(squeezed)
            continue
        for part in (block.text,) if isinstance(block, Quotation) else shown(block):
            assert "".join(part.split()) in squeezed


@settings(max_examples=300)
@given(st.one_of(anything, st.text(st.sampled_from("東。「」a é🚀\u200d\ufe0f👩🇪🇺\u0301—"))), st.integers(2, 30))
def test_wrapped_lines_fit_and_say_the_same(text: str, width: int) -> None:
    text = one_line(text)
    lines = wrap(text, width)
    assert max(map(cell_len, lines)) <= width
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_wrapping_breaks_at_spaces_and_between_wide_characters() -> None:
    assert wrap("one two three", 8) == ["one two", "three"]
    assert wrap("AI 東京都は、十一月", 10) == ["AI 東京都", "は、十一月"]
    assert wrap("東京都京は、十", 10) == ["東京都京", "は、十"]  # no comma at the start of a line
    assert wrap("abcdefgh", 3) == ["abc", "def", "gh"]
    assert wrap("", 10) == [""]


# JSON


@given(anything, anything)
def test_json_is_exact_and_safe_to_print(text: str, other: str) -> None:
    brief = brief_with(text, other)
    written = render(brief, "json")
    assert json.loads(written) == to_dict(brief)
    assert json.loads(render(brief, "json", unicode=False)) == to_dict(brief)
    assert render(brief, "json", unicode=False).isascii()
    assert not set(written) & (set(ACTIVE) - {"\n", "\ufeff"})
    written.encode("utf-8")
    assert len(dumps(to_dict(brief), indent=None).splitlines()) == 1


# What is shown


def test_marks_of_the_checks_and_warnings_are_in_every_readable_form() -> None:
    for form in ("md", "terminal"):
        text = " ".join(render(briefs.full(), form).split())
        assert "(not fully supported by the source: number not in source: 900)" in text
        assert "(not supported by the source: number not in source: 77 %;" in text
        assert text.count("no recommendation passed the checks") == 1  # with its field, not again in the notes
        assert "the article was read in 2 passages" in text


def test_quotes_come_with_their_offsets_and_without_doubled_marks() -> None:
    brief = briefs.full()
    text = render(brief, "terminal")
    for quote in brief["quotes"]:
        assert isinstance(quote, Quote)
        assert brief.document.text[quote.start : quote.end] == quote.text
        assert f"[{quote.start}–{quote.end}]" in text
    assert "““" not in text


def test_another_format_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="pdf"):
        render(briefs.full(), "pdf")  # type: ignore[arg-type]


def test_importing_render_loads_nothing_heavy() -> None:
    code = "import sys, localsum.render; print([m for m in ('rich', 'json', 'localsum.templates') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", MADE)
def test_golden(name: str, golden) -> None:
    brief = MADE[name]()
    golden(f"render/{name}.md", render(brief, "md"))
    golden(f"render/{name}.json", render(brief, "json"))
    for width in (40, 80, 120):
        golden(f"render/{name}-{width}.txt", render(brief, "terminal", width=width))
    for width in (40, 80):
        golden(f"render/{name}-{width}-ascii.txt", render(brief, "terminal", width=width, unicode=False))
    # ESC as a visible sign, so that a diff can be read.
    golden(f"render/{name}-80-color.txt", render(brief, "terminal", color=True).replace("\x1b", "␛"))
