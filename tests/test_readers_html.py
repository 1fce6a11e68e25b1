# ruff: noqa: E501  # pages, mails and feeds by hand
"""Readers, HTML: the article of a page and nothing around it, as the same blocks that Markdown has."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from reading import PROSE_TEXT, blocks, check, read

from localsum.readers import read as read_all
from localsum.readers.boilerplate import is_boilerplate

HTML_SET = Path(__file__).parents[2] / "shared" / "data" / "html"
LONG = "The company said in a statement on Monday that it had tried four other sites, and that none of them was dry."

PAGE = f"""<!DOCTYPE html>
<html lang="en-GB"><head><meta charset="utf-8"><title>Northwind opens a lab in Oslo | The Daily Example</title>
<meta property="og:title" content="Northwind opens a lab in Oslo | The Daily Example">
<meta name="author" content="Ana Ruiz"><meta property="article:published_time" content="2026-03-05T10:00:00Z">
<link rel="canonical" href="https://example.com/news/oslo"><style>p {{ color: red }}</style>
<script>document.write("scripted")</script></head>
<body><nav><ul><li><a href="/">Home</a></li><li><a href="/n">News</a></li></ul></nav>
<div id="cookie-banner" class="cookie"><p>We use cookies to improve your experience.</p><button>Accept</button></div>
<main><article><h1>Northwind opens a lab in Oslo</h1>
<p>{PROSE_TEXT} {LONG}</p>
<figure><img src="https://tracker.example/pixel.gif"><figcaption>A red door. Photo: Tom Hale / Example Images</figcaption></figure>
<p>Share this article</p>
<h2>What it <em>will</em> do</h2>
<p>It has <a href="https://example.com/aims?utm_source=x">three aims</a>, and a budget of <b>$12 million</b> a year. {LONG}</p>
<ul><li>Train small models under 1 billion parameters for laptops and for phones</li>
<li>Measure them with care, and write down what was measured on which day</li></ul>
<blockquote><p>“It works – finally,” wrote Ana Ruiz, who leads the laboratory in Oslo from this Monday on.</p></blockquote>
<table><tr><th>Model</th><th>Size</th></tr><tr><td>Pike</td><td>1B</td></tr><tr><td>Perch</td><td>270M</td></tr></table>
<p>{LONG} {PROSE_TEXT}</p>
<p>Read more: <a href="/other">Another laboratory closes</a></p>
</article></main>
<footer><p>© 2026 The Daily Example. All rights reserved.</p><a href="/u">Subscribe to our newsletter</a></footer>
</body></html>"""


def test_a_page_is_its_article_as_blocks():
    document = read(PAGE, "page.html")
    assert document.format == "html"
    assert (document.title, document.author, document.url, document.language) == (
        "Northwind opens a lab in Oslo",
        "Ana Ruiz",
        "https://example.com/news/oslo",
        "en-GB",
    )
    assert document.published == "2026-03-05"
    found = [row for row in blocks(document) if row != ("heading", document.title)]
    assert found == [
        ("paragraph", f"{PROSE_TEXT} {LONG}"),
        ("heading", "What it will do"),
        ("paragraph", f"It has three aims, and a budget of $12 million a year. {LONG}"),
        ("item", "Train small models under 1 billion parameters for laptops and for phones"),
        ("item", "Measure them with care, and write down what was measured on which day"),
        ("quote", "“It works – finally,” wrote Ana Ruiz, who leads the laboratory in Oslo from this Monday on."),
        ("table", "Model | Size"),
        ("table", "Pike | 1B"),
        ("table", "Perch | 270M"),
        ("paragraph", f"{LONG} {PROSE_TEXT}"),
    ]
    assert [block.level for block in document.blocks if block.kind == "heading"][-1] == 2
    assert "- Train" in document.text


def test_a_page_and_the_same_in_markdown_have_the_same_blocks():
    marked = f"""# Title of it

{PROSE_TEXT} {LONG}

## Second part

- One thing that is listed here
- Another thing that is listed here

> {LONG}

1. First of a number of things
2. Second of a number of things

{LONG} {PROSE_TEXT}
"""
    page = f"""<html><body><article><h1>Title of it</h1><p>{PROSE_TEXT} {LONG}</p><h2>Second part</h2>
<ul><li>One thing that is listed here<li>Another thing that is listed here</ul><blockquote>{LONG}</blockquote>
<ol><li>First of a number of things</li><li>Second of a number of things</li></ol><p>{LONG} {PROSE_TEXT}</p></article>"""
    html, markdown = read(page, "a.html"), read(marked, "a.md")
    assert html.text == markdown.text
    assert html.blocks == markdown.blocks
    assert html.title == markdown.title


def test_the_content_tells_a_page_whatever_its_name():
    for path in ("page.txt", "page", None):
        assert read(PAGE, path).format == "html"
    assert read("<p>" + PROSE_TEXT + "</p>" * 30, None, "html").text == PROSE_TEXT
    assert read(PAGE, "page.md").format == "markdown"  # the name that Markdown has is believed
    assert read(PAGE, "page.html", "text").format == "text"


def test_a_page_without_an_article_is_read_whole():
    document = read(f"<html><head><title>Small</title></head><body>{PROSE_TEXT}<br><br>Second of two.</body></html>")
    assert (document.title, document.text) == ("Small", f"{PROSE_TEXT}\n\nSecond of two.")


@pytest.mark.parametrize(
    "hidden",
    [
        "<p style='display: none'>{}</p>",
        "<div hidden><p>{}</p></div>",
        "<div aria-hidden=true>{}</div>",
        "<script>{}</script>",
        "<!-- {} -->",
        "<noscript>{}</noscript>",
        "<template><p>{}</p></template>",
        "<select><option>{}</option></select>",
        "<p class='wp-caption-text'>{}</p>",
        "<div style='max-height:0;overflow:hidden'>{}</div>",
    ],
)
def test_what_is_not_shown_is_not_read(hidden):
    document = read(f"<html><body><p>{PROSE_TEXT}</p>{hidden.format('Invisible words.')}<p>{LONG}</p>")
    assert document.text == f"{PROSE_TEXT}\n\n{LONG}"


def test_the_encoding_that_a_page_declares():
    page = f"<html><head><meta charset='windows-1251'></head><body><p>Модель работает. {PROSE_TEXT}</p></body></html>"
    assert read(page.encode("cp1251")).text == f"Модель работает. {PROSE_TEXT}"
    latin = page.replace("windows-1251", "ISO-8859-1").replace("Модель работает", "“Smart” café")
    assert read(latin.encode("cp1252")).text.startswith("“Smart” café.")
    wrong = page.replace("windows-1251", "iso-8859-1")
    assert read(wrong.encode()).text.startswith("Модель")  # UTF-8 that is valid is UTF-8
    for nonsense in ("base64", "rot13", "unicode_escape", "x" * 30, "undefined"):
        assert PROSE_TEXT in read(page.replace("windows-1251", nonsense).encode("cp1251")).text


def test_a_table_that_lays_out_a_page_is_no_table():
    cell = f"<td><p>{PROSE_TEXT} {LONG}</p></td>"
    document = read(f"<html><body><table><tr><td><table><tr>{cell}{cell}</tr></table></td></tr></table></body></html>")
    assert {kind for kind, _ in blocks(document)} == {"paragraph"}


def test_tags_that_are_never_closed_lose_no_text():
    document = read("<html><body>" + "".join(f"<div><b>Paragraph number {n} is here." for n in range(500)))
    assert len(document.blocks) == 500


def test_speakers_in_a_page():
    turns = "".join(
        f"<p><b>{name}:</b> [0{n}:00] {PROSE_TEXT}</p>" for n, name in enumerate(["Ana Ruiz", "Tom Hale"] * 2)
    )
    document = read(f"<html><body><article>{turns}</article></body></html>")
    assert [block.speaker for block in document.blocks] == ["Ana Ruiz", "Tom Hale"] * 2
    assert {text for _, text in blocks(document)} == {PROSE_TEXT}


@pytest.mark.parametrize(
    "text",
    [
        "Share this article", "Facebook | Twitter | Email", "Read more", "Read more »", "Continue reading →",
        "View this email in your browser", "Advertisement", "Story continues below advertisement",
        "Sign up for our daily newsletter", "Follow us on Twitter", "This site uses cookies to work better.",
        "Photo: Tom Hale / Example", "(Photo by Tom Hale)", "A red door in the snow. | Getty Images",
        "Related: Another laboratory closes", "© 2026 The Daily Example. All rights reserved.", "5 min read",
        "The post A title appeared first on The Daily Example.", "https://t.example/r?u=1", "* * *",
    ],
)  # fmt: skip
def test_what_serves_the_page_is_no_text(text):
    assert is_boilerplate(text)


@pytest.mark.parametrize(
    "text",
    [
        "Share prices fell on Monday.", "Read the contract, she said, before you sign it.", "More than half agreed.",
        "The site uses machine learning to find cookies that browsers keep without asking anyone for years, it said.",
        "Register now: the workshops begin in May.", "Photos of the door were shown in court.", "Follow the money.",
        "Reuters reported on Monday that it had.", "Get the model from its makers.", "Image generators are improving.",
        "Like many others, she left.", "Advertisement spending fell by a tenth.", "Copyright law is changing.",
        "Source code was published.", "X said it would appeal.", "Subscribe rates are falling.", PROSE_TEXT,
    ],
)  # fmt: skip
def test_what_only_sounds_like_it_is_text(text):
    assert not is_boilerplate(text)


@pytest.mark.skipif(not HTML_SET.exists(), reason="the development pages are not here")
def test_the_bodies_of_the_development_pages():
    sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
    try:
        from readers import word_f1
    finally:
        sys.path.pop(0)
    truth = json.loads((HTML_SET / "ground-truth.json").read_text("utf-8"))
    scores = []
    for name, row in truth.items():
        (document,) = read_all(HTML_SET / f"{name}.html.gz")
        check(document)
        scores.append(word_f1(document.text, row["articleBody"]))
    assert len(scores) == 60
    assert sum(scores) / len(scores) >= 0.96


def test_reading_markdown_loads_no_reader_of_other_formats(tmp_path):
    (tmp_path / "a.md").write_text(f"# Title\n\n{PROSE_TEXT}")
    code = (
        "import sys; from pathlib import Path; from localsum.readers import read_path; read_path(Path(sys.argv[1]));"
        "print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a.md")], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert "markdown_it" in loaded
    assert not {"trafilatura", "lxml", "feedparser", "pypdf", "email.parser", "csv", "localsum.readers.html"} & loaded
