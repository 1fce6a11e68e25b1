"""Readers, formats: plain text, Markdown and transcripts as blocks."""

from __future__ import annotations

import pytest
from reading import PROSE_TEXT, blocks, read, spoken

from localsum.errors import InputError
from localsum.readers import read_bytes
from localsum.readers.meta import iso_date
from localsum.readers.transcript import read_turn

# --- plain text ------------------------------------------------------------------------------------------------

ARTICLE = """Northwind opens a lab in Oslo

Northwind said on Monday that it would open a laboratory in Oslo, its first in
northern Europe, with about 40 people by the end of the year. The lab will work on
small models that run on laptops and state-of-the-
art phones.

What The Lab Will Do

The lab has three aims, and a budget of $12 million a year, the company said in a
statement on Monday morning.

- Train models under 1 billion parameters
- Measure them on phones, and write down what
  was measured
* Publish both

MARKET REACTION

Shares rose 3 % and then fell again. Analysts had expected a larger laboratory and
were not amused.

> They wrote that
> nobody cared.

2.1 Outlook

There is no outlook in this article, which ends here, after a rather long sentence.
"""


def test_plain_text_of_an_article():
    document = read(ARTICLE)
    assert document.title == "Northwind opens a lab in Oslo"
    kinds = [(block.kind, block.level) for block in document.blocks]
    assert kinds == [
        ("heading", 1), ("paragraph", 0), ("heading", 2), ("paragraph", 0), ("item", 0), ("item", 0), ("item", 0),
        ("heading", 2), ("paragraph", 0), ("quote", 0), ("heading", 3), ("paragraph", 0),
    ]  # fmt: skip
    texts = [text for _, text in blocks(document)]
    assert texts[1].endswith("small models that run on laptops and state-of-the-art phones.")
    assert texts[5] == "Measure them on phones, and write down what was measured"
    assert texts[9] == "They wrote that nobody cared."
    assert "\n- Measure them" in document.text


def test_crlf_reads_like_lf():
    assert read(ARTICLE.replace("\n", "\r\n")) == read(ARTICLE)


LONG = (
    "This is a paragraph of a newsletter in which every paragraph is one line, whatever its length, and none is empty."
)


def test_one_paragraph_per_line():
    lines = ["Big news today", LONG + " " + LONG, "A short one.", LONG + " It ends here:", LONG]
    document = read("\n".join(lines))
    assert [text for _, text in blocks(document)] == lines
    assert document.title == lines[0]
    marked = read("\n".join(lines).replace("newsletter", "**newsletter**"))
    assert (marked.format, marked.text) == ("markdown", document.text)


def test_lines_that_are_neither_wrapped_nor_paragraphs_stay_lines():
    document = read("Northwind\n12 Harbor Road\nOslo\n\n" + PROSE_TEXT)
    assert blocks(document)[0] == ("paragraph", "Northwind\n12 Harbor Road\nOslo")


def test_a_heading_right_above_its_wrapped_paragraph():
    body = "The company said that it would open a laboratory\nin Oslo, its first in northern Europe, and a small one."
    document = read(f"{PROSE_TEXT}\n\nBackground\n{body}")
    assert blocks(document)[1:] == [("heading", "Background"), ("paragraph", body.replace("\n", " "))]


def test_underlined_and_ruled_lines():
    document = read(f"What we found\n-------------\n{PROSE_TEXT}\n\n* * *\n\n{PROSE_TEXT}", format_in="text")
    assert [kind for kind, _ in blocks(document)] == ["heading", "paragraph", "paragraph"]
    assert "---" not in document.text
    assert "*" not in document.text
    assert document.parts == (2,)


@pytest.mark.parametrize(
    "line", ["By Ana Ruiz", "CNN --", "Hello everyone,", "Price: $3", "It was late.", "See https://a.example"]
)
def test_lines_that_are_no_headings(line):
    assert blocks(read(f"{PROSE_TEXT}\n\n{line}\n\n{PROSE_TEXT}"))[1] == ("paragraph", line)


def test_a_numbered_list_with_blank_lines_is_a_list():
    document = read("1. Use small models\n\n2. Measure them\n\n3. Publish")
    assert blocks(document) == [("item", "Use small models"), ("item", "Measure them"), ("item", "Publish")]
    assert document.text == "1. Use small models\n\n2. Measure them\n\n3. Publish"


# --- Markdown --------------------------------------------------------------------------------------------------

MARKED = """---
title: "Pike 2: smaller"
author: [Ana Ruiz, {name: Tom Hale}]
date: March 5, 2026
url: https://example.com/pike
---

# Pike 2 {#pike .x}

Pike 2 costs **\\$20 billion** to [train](https://example.com/a_(b)), says *Ana*.[^1] It is
`small` &amp; fast.[1](#fn1){.footnote-ref} New <span style="x">price</span><!-- hidden -->:\\
none<script>alert("x")</script>.

[![alt](chart.png)](https://example.com)

> Quoted text that
> goes on.
>
> Second.

| Model | Size |
|---|---|
| Pike | 1B |
| **Perch** | |

1. One
2. Two
   - Nested

   more of two
3. ![only an image](x)
4. [x] Done

```python
x = 1  # **not bold**
```

::: {.note}
**Big news**

The text after the bold line is longer than that.
:::

<script>alert(1)</script>

<div><p>Words in HTML.</p><style>p {}</style><p>Others &lt;here&gt;.</p></div>

[^1]: The text of the footnote.
"""


def test_markdown_of_an_article():
    document = read(MARKED, "pike.md")
    assert (document.title, document.author) == ("Pike 2: smaller", "Ana Ruiz, Tom Hale")
    assert (document.published, document.url) == ("2026-03-05", "https://example.com/pike")
    assert blocks(document) == [
        ("heading", "Pike 2"),
        ("paragraph", "Pike 2 costs $20 billion to train, says Ana. It is small & fast. New price:\nnone."),
        ("quote", "Quoted text that goes on."),
        ("quote", "Second."),
        ("table", "Model | Size"),
        ("table", "Pike | 1B"),
        ("table", "Perch"),
        ("item", "One"),
        ("item", "Two"),
        ("item", "Nested"),
        ("item", "more of two"),
        ("item", "Done"),
        ("code", "x = 1  # **not bold**"),
        ("heading", "Big news"),
        ("paragraph", "The text after the bold line is longer than that."),
        ("paragraph", "Words in HTML."),
        ("paragraph", "Others <here>."),
        ("paragraph", "The text of the footnote."),
    ]
    assert "\n\n1. One\n2. Two\n  - Nested\n  more of two\n4. Done\n\nx = 1" in document.text
    assert "Model | Size\nPike | 1B\nPerch\n\n" in document.text


STORIES = [
    ("A museum turns down $3 million.", "The Ostrava-Hill Collection refused an offer for scans of its drawings."),
    ("Insurers put a price on agents!", "Harbor & Vane now asks about software agents in its renewal form."),
    ("A school stops paying:", "After two years the Marrow Valley schools ended their contract for software."),
]


@pytest.mark.parametrize("form", ["md", "html"])
def test_bold_words_that_paragraphs_begin_with_are_headings(form: str):
    """Only where several do, and only if they end as a heading may: bold names and labels stay in their sentence."""

    def written(pairs: list[tuple[str, str]]) -> str:
        if form == "md":
            return "\n\n".join(f"**{bold}** {text}" for bold, text in pairs)
        page = "".join(f"<p><strong>{bold}</strong> {text}</p>" for bold, text in pairs)
        return f"<html><body><article>{page}</article></body></html>"

    found = blocks(read(written(STORIES), f"a.{form}"))
    assert found == [block for bold, text in STORIES for block in (("heading", bold), ("paragraph", text))]
    for others in (
        STORIES[:2],
        [("Harbor & Vane", text) for _, text in STORIES],
        [("Note:", text) for _, text in STORIES],
        [(bold, "It refused.") for bold, _ in STORIES],
    ):
        kinds = {kind for kind, _ in blocks(read(written(others), f"a.{form}"))}
        assert kinds == {"paragraph"}, others


def test_markdown_is_told_by_its_content():
    assert read(f"## News\n\n{PROSE_TEXT}").format == "markdown"
    assert read(f"See [this](https://example.com). {PROSE_TEXT}", "a.txt").format == "markdown"
    assert read(f"It is **very** cheap and **very** slow. {PROSE_TEXT}").format == "markdown"
    assert read(f"- {PROSE_TEXT}\n- 5 * 4 = 20, #1, a_b, [1] and (2)").format == "text"
    assert read(f"## News\n\n{PROSE_TEXT}", format_in="text").format == "text"


def test_the_first_heading_is_the_title():
    assert read(f"# Pike\n\n{PROSE_TEXT}").title == "Pike"
    assert read(f"## Section\n\n# Pike\n\n{PROSE_TEXT}").title == "Pike"
    assert read(f"{PROSE_TEXT}\n\n# Pike\n\n{PROSE_TEXT}").title is None
    assert read(f"**Pike is out**\n\n{PROSE_TEXT}", "a.md").title == "Pike is out"


def test_links_alone_on_a_line_are_headings():
    document = read(f"{PROSE_TEXT}\n\n[Pike is out](https://example.com)\n\n{PROSE_TEXT}")
    assert blocks(document)[1] == ("heading", "Pike is out")


def test_soft_wraps_become_spaces_and_a_long_address_does_not_hide_them():
    shown = "its new model runs on a phone, and that it needs no network for the work that most people do in a day."
    wrapped = (
        "The lab says that its [new model](https://example.com/a/very/long/address/that/nobody/would/ever/wrap/at/all/2026)\n"
        "runs on a phone, and that it needs no network for\nthe work that most people do in a day.\n"
    )
    assert blocks(read(wrapped)) == [("paragraph", f"The lab says that {shown}")]


def test_a_rule_below_a_paragraph_makes_no_heading_of_it():
    document = read(f"{PROSE_TEXT}\n---\n{PROSE_TEXT}\n\nShort\n=====\n\n{PROSE_TEXT}", "a.md")
    assert [kind for kind, _ in blocks(document)] == ["paragraph", "paragraph", "heading", "paragraph"]


def test_text_of_images_only_where_there_is_nothing_else():
    assert read("![A chart of prices](x.png)").text == "A chart of prices"
    assert "chart" not in read(f"![A chart of prices](x.png)\n\n{PROSE_TEXT}").text


@pytest.mark.parametrize(
    "text", ["# \n ---\n ![](x)\n", "***\n---\n", "<div></div>\n\n# ", "[](x)", "- \n- \n", "> \n", ". . .", "|||\n"]
)
def test_only_markup(text):
    for format_in in (None, "markdown", "text") if "(x)" not in text and "div" not in text else ("markdown",):
        with pytest.raises(InputError, match="readable text"):
            read_bytes(text.encode(), path=None, format_in=format_in)


def test_front_matter_that_is_none_or_broken():
    assert read(f"---\n{PROSE_TEXT}\n---\n\n{PROSE_TEXT}", "a.md").text.count(PROSE_TEXT) == 2
    broken = read(f"---\ntitle: Pike: it: breaks\nauthor: 'Ana\ndate: soon\n---\n{PROSE_TEXT}", "a.md")
    assert (broken.title, broken.author, broken.published, broken.text) == (
        "Pike: it: breaks",
        "Ana",
        "soon",
        PROSE_TEXT,
    )
    hostile = read(f"---\ntitle: {'[' * 9000}\nurl: javascript:alert(1)\n---\n{PROSE_TEXT}", "a.md")
    assert (hostile.url, hostile.text) == (None, PROSE_TEXT)
    tagged = read(f"---\ntitle: !!python/object/apply:os.system [x]\n---\n{PROSE_TEXT}", "a.md")
    assert PROSE_TEXT in tagged.text
    escape = read(f'---\ntitle: "a\\u202eb\\ec"\n---\n{PROSE_TEXT}', "a.md")
    assert escape.title == "abc"


@pytest.mark.parametrize(
    ("written", "iso"),
    [
        ("2026-03-05", "2026-03-05"),
        ("2026-03-05T10:00:00Z", "2026-03-05T10:00:00+00:00"),
        ("Mar 5, 2026", "2026-03-05"),
        ("5 March 2026", "2026-03-05"),
        ("5.3.2026", "2026-03-05"),
        ("Thu, 05 Mar 2026 10:00:00 +0100", "2026-03-05T10:00:00+01:00"),
        ("last week", "last week"),
    ],
)
def test_dates(written, iso):
    assert iso_date(written) == iso


# --- transcripts -----------------------------------------------------------------------------------------------


def test_turns_of_a_podcast():
    text = """**Ana Ruiz:** Welcome to the show, everyone.

It is a small show.

**Tom Hale:**

Thanks. Here is a list:

- One thing

**Break:**

**Ana Ruiz:** Note: that was all."""
    document = read(text)
    assert spoken(document) == [
        ("Ana Ruiz", "Welcome to the show, everyone."),
        ("Ana Ruiz", "It is a small show."),
        ("Tom Hale", "Thanks. Here is a list:"),
        ("Tom Hale", "One thing"),
        ("Ana Ruiz", "Note: that was all."),
    ]
    assert document.text.startswith("Ana Ruiz: Welcome")
    assert "Tom Hale:\n\nThanks" in document.text
    assert "Break" not in document.text
    assert document.parts == (4,)
    assert document.blocks[4].speaker == "Ana Ruiz"


def test_a_link_alone_is_a_heading_even_if_its_address_has_a_space():
    document = read(
        f"{PROSE_TEXT}\n\n[Veldt opens its bridge](https://a.example/the bridge)\n\n{PROSE_TEXT}", format_in="markdown"
    )
    assert blocks(document)[1] == ("heading", "Veldt opens its bridge")


def test_ruled_lines_part_a_document():
    document = read(f"# Title\n\n***\n\n{PROSE_TEXT}\n\n* * *\n\n---\n\n- One\n- Two\n\n***", format_in="markdown")
    assert document.parts == (1, 2)


def test_turns_of_a_meeting_line_by_line():
    text = (
        "PhD F: So we start .\nProfessor B: Yeah .\nPhD F: Okay , the agenda is on the screen and it is a long one .\n"
        "Mr. Paul Ito (Harbor, GP): I have a question .\nProfessor B: Go ahead ."
    )
    assert spoken(read(text)) == [
        ("PhD F", "So we start ."),
        ("Professor B", "Yeah ."),
        ("PhD F", "Okay , the agenda is on the screen and it is a long one ."),
        ("Mr. Paul Ito", "I have a question ."),
        ("Professor B", "Go ahead ."),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "[00:00:01] Ana Ruiz: Hello to all.\n[00:00:04] Tom Hale: Hello, Ana.\n[00:01:09] Ana Ruiz: And goodbye.",
        "Ana Ruiz  0:05\nHello to all.\n\nTom Hale  0:15\nHello, Ana.\n\nAna Ruiz  1:02:33\nAnd goodbye.",
        "Ana Ruiz (00:00:01): Hello to all.\n\nTom Hale (00:00:05): Hello, Ana.\n\nAna Ruiz (00:00:07): And goodbye.",
        "Ana Ruiz: Hello to all.\nTom Hale: Hello, Ana.\nAna Ruiz: [00:10] And goodbye.".replace("[00:10] ", ""),
    ],
)
def test_time_stamps_go(text):
    document = read(text)
    assert spoken(document) == [
        ("Ana Ruiz", "Hello to all."),
        ("Tom Hale", "Hello, Ana."),
        ("Ana Ruiz", "And goodbye."),
    ]
    assert "0" not in document.text


def test_a_transcript_of_a_video_without_names():
    lines = [
        "hello and welcome",
        "today we talk about models",
        "and why they are small",
        "let us begin",
        "with the first",
    ]
    document = read("\n".join(f"0:{number:02} {line}" for number, line in enumerate(lines)))
    assert document.text == " ".join(lines)


def test_questions_and_answers():
    document = read("**Q:** Does it work?\n\n**A:** Yes.\n\n**Q:** Why?\n\n**A:** Nobody knows that.")
    assert [speaker for speaker, _ in spoken(document)] == ["Q", "A", "Q", "A"]


@pytest.mark.parametrize(
    "text",
    [
        f"Note: the price is going up.\n\nPrice: $3\n\n{PROSE_TEXT}\n\nUpdate: yes.\n\nPrice: $4\n\nNote: we joked.",
        f"**Why it matters:** {PROSE_TEXT}\n\n**The bottom line:** it is late.\n\n**Why it matters:** it is early.",
        f"**Speed:** 40 tokens\n\n**Memory:** 2 GB\n\n{PROSE_TEXT}\n\n**Speed:** 50 tokens\n\n**Memory:** 3 GB",
        f"LONDON: {PROSE_TEXT}\n\nThe firm said: {PROSE_TEXT}",
        f"{PROSE_TEXT}\n\nRuiz: {PROSE_TEXT}",
        f"{PROSE_TEXT}\n\n**Availability:** {PROSE_TEXT}\n\n**Performance:** {PROSE_TEXT}",
    ],
)
def test_colons_of_an_article_are_no_speakers(text):
    document = read(text)
    assert {speaker for speaker, _ in spoken(document)} == {None}


def test_a_turn_is_found_at_the_start_of_a_line_only():
    turn = read_turn("**Ana Ruiz:** Hello: all")
    assert turn is not None
    assert (turn.name, turn.rest, turn.bold) == ("Ana Ruiz", "Hello: all", True)
    assert read_turn("she said Ana Ruiz: hello") is None
    assert read_turn("https://example.com") is None


def test_somebody_without_a_name_speaks_in_a_transcript():
    text = "\n\n".join(
        f"**{who}:** We have looked at the bridge for a long time, and it holds."
        for who in ("Ana Ruiz", "Tom Hale", "Audience member", "Ana Ruiz")
    )
    assert [name for name, _ in spoken(read(text))] == ["Ana Ruiz", "Tom Hale", "Audience member", "Ana Ruiz"]
    assert all(
        name is None for name, _ in spoken(read("**Key point:** It holds.\n\n**Audience member:** It does not."))
    )
