"""Readers: what comes in, however hostile, is a Document that keeps its promises, or an InputError with a hint."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localsum import readers
from localsum.document import Document
from localsum.errors import InputError, UsageError
from localsum.readers import read_bytes, read_path
from localsum.readers.meta import iso_date
from localsum.readers.transcript import read_turn
from localsum.sentences import PROSE, sentences

DEVELOPMENT = Path(__file__).parents[2] / "shared" / "data" / "docs.jsonl"
PROSE_TEXT = "Northwind opened a laboratory in Oslo on Monday. It has forty people, and it wants more of them by May."


def _read(text: str | bytes, path: str | None = None, format_in: str | None = None) -> Document:
    document = read_bytes(text if isinstance(text, bytes) else text.encode(), path=path, format_in=format_in)
    _check(document)
    return document


def _check(document: Document) -> None:
    text, at = document.text, 0
    for block in document.blocks:
        assert at <= block.start < block.end <= len(text)
        assert text[block.start : block.end] == text[block.start : block.end].strip()
        assert (block.level > 0) == (block.kind == "heading")
        at = block.end
    assert document.blocks
    assert "\r" not in text
    assert not any(char in text for char in "\x00\x1b\u200b\u202e\u00ad\u00a0\ufeff")
    held: dict[int, str] = {}
    last = 0
    for one in sentences(document):
        block = document.blocks[one.block]
        assert max(last, block.start) <= one.start < one.end <= block.end
        held[one.block] = held.get(one.block, "") + text[one.start : one.end]
        last = one.end
    for number, block in enumerate(document.blocks):
        if block.kind in PROSE:
            assert "".join(held[number].split()) == "".join(text[block.start : block.end].split())


def _blocks(document: Document) -> list[tuple[str, str]]:
    return [(block.kind, document.text[block.start : block.end]) for block in document.blocks]


def _spoken(document: Document) -> list[tuple[str | None, str]]:
    return [(block.speaker, document.text[block.start : block.end]) for block in document.blocks]


# --- files ---------------------------------------------------------------------------------------------------


def test_a_file_is_read_under_the_name_the_user_gave(tmp_path):
    file = tmp_path / "article.txt"
    file.write_text(PROSE_TEXT, "utf-8")
    document = read_path(file)
    assert (document.text, document.path, document.format, document.warnings) == (PROSE_TEXT, str(file), "text", ())


def _fails(match: str, *args, **options) -> InputError:
    with pytest.raises(InputError, match=match) as caught:
        read_path(*args, **options)
    assert caught.value.hint
    assert caught.value.message.isprintable()
    return caught.value


def test_files_that_cannot_be_read_say_so(tmp_path):
    _fails("does not exist", tmp_path / "missing.txt")
    _fails("is a folder", tmp_path)
    _fails("cannot be read", Path("a\0b"))
    _fails("cannot be read", tmp_path / ("x" * 5000))
    _fails("is not a regular file", Path(os.devnull))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_does_not_block(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert "localsum read -" in _fails("is not a regular file", tmp_path / "pipe").hint


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="whoever may read everything")
def test_a_file_without_permission(tmp_path):
    (tmp_path / "secret.txt").write_text(PROSE_TEXT)
    (tmp_path / "secret.txt").chmod(0)
    _fails("may not be read", tmp_path / "secret.txt")


def test_a_name_with_control_characters_is_shown_without_them(tmp_path):
    error = _fails("does not exist", tmp_path / "a\x1b[31mb\udcffc.txt")
    assert "\x1b" not in error.message


def test_a_large_file_is_refused_by_its_size_before_it_is_read(tmp_path, monkeypatch):
    file = tmp_path / "large.txt"
    with file.open("wb") as sparse:
        sparse.truncate(readers.MAX_BYTES + 1)
    monkeypatch.setattr(Path, "open", lambda *_, **__: pytest.fail("it was opened"))
    _fails("larger than 50 MB", file)


def test_large_bytes_are_refused():
    with pytest.raises(InputError, match="larger than 50 MB"):
        read_bytes(b"x" * (readers.MAX_BYTES + 1), path=None)
    with pytest.raises(InputError, match="lines"):
        read_bytes(b"x\n" * (readers.MAX_LINES + 1), path=None)


def test_an_unknown_format_is_a_usage_error():
    with pytest.raises(UsageError, match="unknown input format"):
        read_bytes(b"x", path=None, format_in="docx")


# --- bytes ---------------------------------------------------------------------------------------------------

SAID = "Ana Ruiz’s café said “It works – finally”, and the naïve price of €5 rose. Nobody was at all surprised."


@pytest.mark.parametrize(
    ("encoding", "warning"),
    [
        ("utf-8", None),
        ("utf-8-sig", None),
        ("utf-16", "read as utf-16"),
        ("utf-16-le", "read as utf-16"),
        ("utf-16-be", "read as utf-16"),
        ("utf-32", "read as utf-32"),
        ("cp1252", "read as windows-1252"),
    ],
)
def test_encodings_of_the_same_text(encoding, warning):
    document = _read(SAID.encode(encoding))
    assert document.text == SAID
    assert document.warnings == ((warning,) if warning else ())


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Das Gerät läuft schön und überraschend schnell. Größere Aufgaben müssen länger warten.", "latin-1"),
        ("Model działa na telefonie. Spółka ogłosiła wyniki, które są gorsze niż rok temu.", "cp1250"),
        ("Модель работает на телефоне. Сеть ей не нужна, сообщила компания.", "cp1251"),
        ("このモデルは携帯で動きます。ネットは要りません。", "shift_jis"),
        ("模型已经发布，它可以在手机上运行。公司公布了结果。", "gb18030"),
    ],
)
def test_older_encodings_are_guessed_and_told(text, encoding):
    document = _read(text.encode(encoding))
    assert document.text == text
    assert len(document.warnings) == 1
    assert document.warnings[0].startswith("read as ")


def test_utf8_with_broken_bytes_stays_utf8():
    document = _read((SAID * 20).encode().replace(b"works", b"wor\xffks", 1))
    assert document.text.count("\ufffd") == 1
    assert document.text.count("€") == 20
    assert document.warnings == ("1 broken character was replaced by \ufffd",)


def test_a_truncated_character_at_the_end_does_not_change_the_encoding():
    document = _read((SAID * 3 + "€").encode()[:-1])
    assert document.text.startswith(SAID)


@pytest.mark.parametrize(
    "data", [b"", b" \n\t\r\n ", b"\xef\xbb\xbf", "\u200b\u00a0\u2028".encode(), b"\xff\xfe", "\ufeff".encode("utf-32")]
)
def test_nothing_to_read(data):
    with pytest.raises(InputError, match="is empty"):
        read_bytes(data, path=None)


@pytest.mark.parametrize(
    "data",
    [
        b"\x7fELF\x02\x01\x01" + bytes(200),
        bytes(range(256)) * 4,
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(200)),
        b"plain words\x00\x00\x00 and zeros",
    ],
)
def test_binary_is_refused(data):
    with pytest.raises(InputError, match="is not text"):
        read_bytes(data, path="x.txt")


@pytest.mark.parametrize(
    ("data", "what"), [(b"%PDF-1.7\nwords", "PDF"), (b"PK\x03\x04words", "ZIP"), (b"{\\rtf1 words}", "RTF")]
)
def test_other_documents_are_named(data, what):
    with pytest.raises(InputError, match=what):
        read_bytes(data, path=None)


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ("plain words", "page.html"),
        ("<!DOCTYPE html>\n<html><body>words</body></html>", None),
        ("\n<!-- saved --><html lang=en>", "page.txt"),
        ("<p>word</p>" * 30, None),
        ("<?xml version='1.0'?>\n<rss version='2.0'></rss>", None),
        ("From: a@example.com", "news.eml"),
    ],
)
def test_pages_mails_and_feeds_are_not_read_yet(data, path):
    with pytest.raises(InputError, match="does not read yet") as caught:
        read_bytes(data.encode(), path=path)
    assert "Markdown" in caught.value.hint


def test_html_in_a_markdown_file_is_markdown():
    assert _read("<p>" + PROSE_TEXT + "</p>", "a.md").text == PROSE_TEXT


def test_line_ends_spaces_and_what_cannot_be_shown():
    text = "One\u00a0line.\r\nTwo\u2003lines.\rThree\u2028lines.\x0b\x0c Soft\u00adhyphen, \u202ebidi\u202c, bell\x07."
    document = _read(text + PROSE_TEXT * 3, format_in="text")
    assert document.text.startswith("One line.\n\nTwo lines.\n\nThree lines.\n\nSofthyphen, bidi, bell.")
    assert document.warnings == ("4 characters that cannot be shown were removed",)


def test_terminal_colours_go_whole():
    assert _read("\x1b[31mRed\x1b[0m words, \x1b[2Jseveral of them. " + PROSE_TEXT * 4).text.startswith(
        "Red words, several"
    )


def test_joiners_stay_where_a_script_needs_them():
    assert _read("می\u200cخواهم 👩\u200d🚀").text == "می\u200cخواهم 👩\u200d🚀"
    assert _read("pass\u200dword" + PROSE_TEXT).text == "password" + PROSE_TEXT


def test_entities_cannot_bring_back_what_was_removed():
    document = _read("# T\n\nA&nbsp;b &#x202e;c &#8203;d &#155;e &#0;f and some more words.", "a.md")
    assert _blocks(document)[1] == ("paragraph", "A b c d \ufffde \ufffdf and some more words.")


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
    document = _read(ARTICLE)
    assert document.title == "Northwind opens a lab in Oslo"
    kinds = [(block.kind, block.level) for block in document.blocks]
    assert kinds == [
        ("heading", 1), ("paragraph", 0), ("heading", 2), ("paragraph", 0), ("item", 0), ("item", 0), ("item", 0),
        ("heading", 2), ("paragraph", 0), ("quote", 0), ("heading", 3), ("paragraph", 0),
    ]  # fmt: skip
    texts = [text for _, text in _blocks(document)]
    assert texts[1].endswith("small models that run on laptops and state-of-the-art phones.")
    assert texts[5] == "Measure them on phones, and write down what was measured"
    assert texts[9] == "They wrote that nobody cared."
    assert "\n- Measure them" in document.text


def test_crlf_reads_like_lf():
    assert _read(ARTICLE.replace("\n", "\r\n")) == _read(ARTICLE)


LONG = (
    "This is a paragraph of a newsletter in which every paragraph is one line, whatever its length, and none is empty."
)


def test_one_paragraph_per_line():
    lines = ["Big news today", LONG + " " + LONG, "A short one.", LONG + " It ends here:", LONG]
    document = _read("\n".join(lines))
    assert [text for _, text in _blocks(document)] == lines
    assert document.title == lines[0]
    marked = _read("\n".join(lines).replace("newsletter", "**newsletter**"))
    assert (marked.format, marked.text) == ("markdown", document.text)


def test_lines_that_are_neither_wrapped_nor_paragraphs_stay_lines():
    document = _read("Northwind\n12 Harbor Road\nOslo\n\n" + PROSE_TEXT)
    assert _blocks(document)[0] == ("paragraph", "Northwind\n12 Harbor Road\nOslo")


def test_a_heading_right_above_its_wrapped_paragraph():
    body = "The company said that it would open a laboratory\nin Oslo, its first in northern Europe, and a small one."
    document = _read(f"{PROSE_TEXT}\n\nBackground\n{body}")
    assert _blocks(document)[1:] == [("heading", "Background"), ("paragraph", body.replace("\n", " "))]


def test_underlined_and_ruled_lines():
    document = _read(f"What we found\n-------------\n{PROSE_TEXT}\n\n* * *\n\n{PROSE_TEXT}", format_in="text")
    assert [kind for kind, _ in _blocks(document)] == ["heading", "paragraph", "paragraph"]
    assert "---" not in document.text
    assert "*" not in document.text


@pytest.mark.parametrize(
    "line", ["By Ana Ruiz", "CNN --", "Hello everyone,", "Price: $3", "It was late.", "See https://a.example"]
)
def test_lines_that_are_no_headings(line):
    assert _blocks(_read(f"{PROSE_TEXT}\n\n{line}\n\n{PROSE_TEXT}"))[1] == ("paragraph", line)


def test_a_numbered_list_with_blank_lines_is_a_list():
    document = _read("1. Use small models\n\n2. Measure them\n\n3. Publish")
    assert _blocks(document) == [("item", "Use small models"), ("item", "Measure them"), ("item", "Publish")]
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
    document = _read(MARKED, "pike.md")
    assert (document.title, document.author) == ("Pike 2: smaller", "Ana Ruiz, Tom Hale")
    assert (document.published, document.url) == ("2026-03-05", "https://example.com/pike")
    assert _blocks(document) == [
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


def test_markdown_is_told_by_its_content():
    assert _read(f"## News\n\n{PROSE_TEXT}").format == "markdown"
    assert _read(f"See [this](https://example.com). {PROSE_TEXT}", "a.txt").format == "markdown"
    assert _read(f"It is **very** cheap and **very** slow. {PROSE_TEXT}").format == "markdown"
    assert _read(f"- {PROSE_TEXT}\n- 5 * 4 = 20, #1, a_b, [1] and (2)").format == "text"
    assert _read(f"## News\n\n{PROSE_TEXT}", format_in="text").format == "text"


def test_the_first_heading_is_the_title():
    assert _read(f"# Pike\n\n{PROSE_TEXT}").title == "Pike"
    assert _read(f"## Section\n\n# Pike\n\n{PROSE_TEXT}").title == "Pike"
    assert _read(f"{PROSE_TEXT}\n\n# Pike\n\n{PROSE_TEXT}").title is None
    assert _read(f"**Pike is out**\n\n{PROSE_TEXT}", "a.md").title == "Pike is out"


def test_links_alone_on_a_line_are_headings():
    document = _read(f"{PROSE_TEXT}\n\n[Pike is out](https://example.com)\n\n{PROSE_TEXT}")
    assert _blocks(document)[1] == ("heading", "Pike is out")


def test_soft_wraps_become_spaces_and_a_long_address_does_not_hide_them():
    shown = "its new model runs on a phone, and that it needs no network for the work that most people do in a day."
    wrapped = (
        "The lab says that its [new model](https://example.com/a/very/long/address/that/nobody/would/ever/wrap/at/all/2026)\n"
        "runs on a phone, and that it needs no network for\nthe work that most people do in a day.\n"
    )
    assert _blocks(_read(wrapped)) == [("paragraph", f"The lab says that {shown}")]


def test_a_rule_below_a_paragraph_makes_no_heading_of_it():
    document = _read(f"{PROSE_TEXT}\n---\n{PROSE_TEXT}\n\nShort\n=====\n\n{PROSE_TEXT}", "a.md")
    assert [kind for kind, _ in _blocks(document)] == ["paragraph", "paragraph", "heading", "paragraph"]


def test_text_of_images_only_where_there_is_nothing_else():
    assert _read("![A chart of prices](x.png)").text == "A chart of prices"
    assert "chart" not in _read(f"![A chart of prices](x.png)\n\n{PROSE_TEXT}").text


@pytest.mark.parametrize(
    "text", ["# \n ---\n ![](x)\n", "***\n---\n", "<div></div>\n\n# ", "[](x)", "- \n- \n", "> \n", ". . .", "|||\n"]
)
def test_only_markup(text):
    for format_in in (None, "markdown", "text") if "(x)" not in text and "div" not in text else ("markdown",):
        with pytest.raises(InputError, match="readable text"):
            read_bytes(text.encode(), path=None, format_in=format_in)


def test_front_matter_that_is_none_or_broken():
    assert _read(f"---\n{PROSE_TEXT}\n---\n\n{PROSE_TEXT}", "a.md").text.count(PROSE_TEXT) == 2
    broken = _read(f"---\ntitle: Pike: it: breaks\nauthor: 'Ana\ndate: soon\n---\n{PROSE_TEXT}", "a.md")
    assert (broken.title, broken.author, broken.published, broken.text) == (
        "Pike: it: breaks",
        "Ana",
        "soon",
        PROSE_TEXT,
    )
    hostile = _read(f"---\ntitle: {'[' * 9000}\nurl: javascript:alert(1)\n---\n{PROSE_TEXT}", "a.md")
    assert (hostile.url, hostile.text) == (None, PROSE_TEXT)
    tagged = _read(f"---\ntitle: !!python/object/apply:os.system [x]\n---\n{PROSE_TEXT}", "a.md")
    assert PROSE_TEXT in tagged.text
    escape = _read(f'---\ntitle: "a\\u202eb\\ec"\n---\n{PROSE_TEXT}', "a.md")
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
    document = _read(text)
    assert _spoken(document) == [
        ("Ana Ruiz", "Welcome to the show, everyone."),
        ("Ana Ruiz", "It is a small show."),
        ("Tom Hale", "Thanks. Here is a list:"),
        ("Tom Hale", "One thing"),
        ("Ana Ruiz", "Note: that was all."),
    ]
    assert document.text.startswith("Ana Ruiz: Welcome")
    assert "Tom Hale:\n\nThanks" in document.text
    assert "Break" not in document.text


def test_turns_of_a_meeting_line_by_line():
    text = (
        "PhD F: So we start .\nProfessor B: Yeah .\nPhD F: Okay , the agenda is on the screen and it is a long one .\n"
        "Mr. Paul Ito (Harbor, GP): I have a question .\nProfessor B: Go ahead ."
    )
    assert _spoken(_read(text)) == [
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
    document = _read(text)
    assert _spoken(document) == [
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
    document = _read("\n".join(f"0:{number:02} {line}" for number, line in enumerate(lines)))
    assert document.text == " ".join(lines)


def test_questions_and_answers():
    document = _read("**Q:** Does it work?\n\n**A:** Yes.\n\n**Q:** Why?\n\n**A:** Nobody knows that.")
    assert [speaker for speaker, _ in _spoken(document)] == ["Q", "A", "Q", "A"]


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
    document = _read(text)
    assert {speaker for speaker, _ in _spoken(document)} == {None}


def test_a_turn_is_found_at_the_start_of_a_line_only():
    turn = read_turn("**Ana Ruiz:** Hello: all")
    assert turn is not None
    assert (turn.name, turn.rest, turn.bold) == ("Ana Ruiz", "Hello: all", True)
    assert read_turn("she said Ana Ruiz: hello") is None
    assert read_turn("https://example.com") is None


# --- anything ----------------------------------------------------------------------------------------------------

SNIPPETS = st.lists(
    st.sampled_from(
        ["# ", "## A\n", "\n", "\n\n", "> ", "- ", "1. ", "  ", "\t", "**", "*", "_", "`", "```\n", "[a](b)",
         "![a](b)", "[^1]",
         "[^1]: ", "|", "|-|\n", "---\n", "===\n", "<b>", "</p>", "<script>", "<!--", "-->", "&#0;", "&nbsp;",
         "\\", ":::\n",
         "Ana Ruiz: ", "**Ana Ruiz:** ", "Hi. ", "[00:01] ", "0:05", "word ", "Title Here\n",
         "A long line of words. ", "\r",
         "title: x\n", "{#a}", "\u200d", "\u202e", "\x1b[31m", "é", "你。", "$", "~~", "<br>", "  \n", "x" * 130]
    ),
    max_size=40,
).map("".join)  # fmt: skip


def _or_none(data: bytes, path: str | None = None, format_in: str | None = None) -> Document | None:
    """The document, or None where reading failed as it may: with an InputError that has a hint."""
    try:
        return read_bytes(data, path=path, format_in=format_in)
    except InputError as error:
        return None if error.hint else pytest.fail("an error without a hint")


@given(
    st.one_of(st.text(max_size=300), SNIPPETS),
    st.sampled_from([None, "text", "markdown"]),
    st.sampled_from([None, "a.md", "a"]),
)
@settings(deadline=None, max_examples=500)
def test_any_text_is_a_document_or_an_input_error(text, format_in, path):
    data = text.encode("utf-8", "surrogatepass")
    document = _or_none(data, path, format_in)
    if document is None:
        return
    _check(document)
    assert read_bytes(data, path=path, format_in=format_in) == document


@given(st.binary(max_size=400), st.sampled_from([None, "text", "markdown"]))
@settings(deadline=None, max_examples=300)
def test_any_bytes_are_a_document_or_an_input_error(data, format_in):
    document = _or_none(data, None, format_in)
    if document is not None:
        _check(document)


@pytest.mark.parametrize("unit", ["x", "(", " ", "\x00", "é", "*", "Ä. "])
def test_fifty_megabytes_of_one_character_in_bounded_time(unit):
    data = unit.encode() * (readers.MAX_BYTES // len(unit.encode()))
    if len(unit) > 1:
        data = data[: 3_000_000 // 4 * 4]
    start = time.perf_counter()
    document = _or_none(data)
    if document is not None:
        sentences(document)
    assert time.perf_counter() - start < 30  # measured: 3 s at most, on an idle core


@pytest.mark.parametrize("suffix", ["md", "txt"])
@pytest.mark.parametrize(
    "unit",
    ["[", "![", "*a", "**a ", "`", "``a`", "> ", ">", "- ", "-\n", "a\n", "# a\n", "<a ", "<!--", "&", "\\",
     "|a|b|\n", "_", "[^a",
     "[a]: b\n", "<script>", "](", "**A B:** Hi.\n\n", "A: ", "0:00 ", "A B C D: x\n", "![a](b)", "<p>a\n\n",
     "- a\n", "- - - a\n"],
)  # fmt: skip
def test_hostile_markup_takes_linear_time(unit, suffix):
    data = (unit * (60_000 // len(unit)) + "\nwords here.").encode()
    start = time.perf_counter()
    _or_none(data, f"x.{suffix}")
    assert time.perf_counter() - start < 15  # measured: 1 s at most


def test_a_long_markdown_file_is_read_as_text_and_says_so():
    document = _read(f"# Title\n\n{PROSE_TEXT}\n\n" * 10_000, "a.md")
    assert document.format == "text"
    assert document.warnings == ("too long to be read as Markdown: read as plain text",)


def test_a_very_long_paragraph_of_markdown_still_loses_its_links():
    document = _read(f"[Pike](https://example.com) is **out**. {PROSE_TEXT} " * 300, "a.md")
    assert document.format == "markdown"
    assert "http" not in document.text
    assert "*" not in document.text


@pytest.mark.skipif(not DEVELOPMENT.exists(), reason="the development documents are not here")
def test_the_development_documents_keep_the_promises():
    for line in DEVELOPMENT.read_text("utf-8").splitlines():
        entry = json.loads(line)
        document = _read(entry["text"])
        assert not document.warnings
        assert "](http" not in document.text
        assert 0.5 < document.words / entry["words"] < 1.2
        assert (entry["source"].split("/")[0] in ("changelog", "qmsum")) == any(b.speaker for b in document.blocks)


def test_importing_the_readers_is_cheap():
    code = "import sys, localsum.readers; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"yaml", "markdown_it", "charset_normalizer", "localsum.readers.markdown"} & set(loaded)
