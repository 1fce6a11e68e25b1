"""A page is safe, whole and linked: parsed without a browser. What a browser makes of it: test_html_browser.py."""

import base64
import hashlib
import random
import re
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import get_args

import briefs
import lxml.html
import pytest
from command_line import Said
from hypothesis import example, given, settings
from hypothesis import strategies as st

from localsum.brief import Brief, FieldResult, Figure, Grounding, Item, Quote
from localsum.document import Block, BlockKind, Document, Span
from localsum.outputs import Folder
from localsum.render import render
from localsum.render.clean import clean, one_line, visible
from localsum.render.html import read_html_index, to_html_index
from localsum.render.index import Row, read_markdown_index, to_markdown_index
from localsum.render.outline import UNTOLD, Entry, Fact, Heading, NumberRow, Paragraph, Quotation, Remark, outline
from localsum.render.source import mark_source, number_evidence

MADE = {"full": briefs.full, "hostile": briefs.hostile, "other": briefs.other, "numbers": briefs.numbers}
# Every element and attribute that a page may have.
_ELEMENTS = (
    "html head meta title style body a main div section h1 h2 h3 h4 h5 h6 p span ol ul li dl dt dd figure blockquote "
    "figcaption footer article mark pre script table thead tbody tr th td"
)
_ATTRIBUTES = (
    "lang charset http-equiv content name class id href aria-label aria-labelledby tabindex dir rel "
    "data-evidence data-claims data-sign scope"
)
ELEMENTS, ATTRIBUTES = set(_ELEMENTS.split()), set(_ATTRIBUTES.split())
NASTY = [
    "<script>alert(1)</script>",
    "</style><script>alert(2)</script>",
    "</article></main><iframe src=https://evil.example>",
    "<img src=x onerror=alert(3)>",
    "\"' onmouseover=alert(4) x='",
    "<!-- <b>never closed",
    "&lt;b&gt; &amp; &#60;script&#62; &nope;",
    "]]> <![CDATA[ <?php ?> </mark></p>",
    "{{ 7 * 7 }} {% raw %} {# no #}",
    "مرحبا بالعالم، هذا خبر عن النماذج 3.5 GW",
    "pay \u202e0001\u202c \u2066euro\u2069 שלום",
    briefs.EMOJI,
    briefs.CJK,
    "tab\there \x1b[31mred\x1b[0m \x00 \ud800 \x9b2J",
    "javascript:alert(5)",
]
letters = st.text(st.characters(exclude_categories=["Cs", "Cn", "Co"]), max_size=20)
words = st.one_of(letters, st.sampled_from(NASTY))


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """A document of blocks of all kinds, with markers and odd gaps."""
    text, blocks = draw(st.sampled_from(["", "\n"])), []
    for _ in range(draw(st.integers(0, 6))):
        part = " ".join(draw(st.lists(words, min_size=1, max_size=4))).strip()
        marker = draw(st.sampled_from(["", "", "- ", "Ada Quint: "]))
        if part:
            start = len(text) + len(marker)
            kind = draw(st.sampled_from(get_args(BlockKind)))
            blocks.append(Block(start, start + len(part), kind, draw(st.integers(0, 7))))
        text += marker + part + draw(st.sampled_from(["\n\n", "\n", " "]))
    if draw(st.booleans()):
        blocks = []
    return Document(text, tuple(blocks))


@st.composite
def spans_in(draw: st.DrawFn, length: int) -> Span:
    return Span(*sorted((draw(st.integers(-2, length + 2)), draw(st.integers(-2, length + 2)))))


@st.composite
def made_briefs(draw: st.DrawFn) -> Brief:
    document = draw(documents())
    some = st.lists(spans_in(len(document.text)), max_size=4).map(tuple)
    verdict = st.sampled_from(["supported", "partial", "unsupported"])
    grounding = st.builds(Grounding, verdict, some, st.lists(words, max_size=2).map(tuple))
    parts = st.fixed_dictionaries({"text": words, "category": words, "impact": words})
    quote = spans_in(len(document.text)).map(lambda s: Quote(document.text[max(0, s.start) : max(0, s.end)], *s, None))
    figure = st.builds(Figure, words, st.just(0), st.just(9), words, words, words, grounding)
    return briefs.brief_of(
        FieldResult("numbers", draw(st.lists(figure, max_size=3).map(tuple)), "mixed"),
        FieldResult("title", draw(words), "written", draw(grounding)),
        FieldResult("summary", draw(words), "written", draw(grounding), (draw(words),)),
        FieldResult("key_insights", draw(st.lists(st.builds(Item, parts, grounding), max_size=4).map(tuple)), "mixed"),
        FieldResult("quotes", draw(st.lists(quote, max_size=2).map(tuple)), "extractive"),
        document=document,
    )


def parsed(page: str) -> lxml.html.HtmlElement:
    return lxml.html.document_fromstring(page)


def squeezed(text: str) -> str:
    return "".join(text.split())


def text_of(element: lxml.html.HtmlElement) -> str:
    """What an element says, without the numbers of its evidence."""
    whole = lxml.html.fromstring(lxml.html.tostring(element, encoding="unicode", with_tail=False))
    for refs in whole.xpath('.//*[@class="refs"]'):
        refs.drop_tree()
    return str(whole.text_content())


def check_page(brief: Brief, page: str) -> None:
    """Everything that holds of the page of any brief."""
    tree = parsed(page)
    elements = [element for element in tree.iter() if isinstance(element.tag, str)]
    assert {element.tag for element in elements} <= ELEMENTS
    assert {name for element in elements for name in element.attrib} <= ATTRIBUTES
    assert not [node for node in tree.iter() if not isinstance(node.tag, str)]  # no comment, no instruction
    assert len(tree.xpath("//script")) == len(tree.xpath("//style")) == 1
    check_policy(page)
    page.encode("utf-8")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", page)

    ids = [element.get("id") for element in elements if element.get("id")]
    assert len(ids) == len(set(ids))
    inner = [element.get("href") for element in elements if (element.get("href") or "").startswith("#")]
    assert {href[1:] for href in inner} <= set(ids)
    for element in elements:  # what leads out is the address of the document, and a thing of the web
        if (href := element.get("href")) and not href.startswith("#"):
            assert href == brief.document.url
            assert href.startswith(("http://", "https://"))

    check_source(brief, tree)
    check_links(tree)
    (main,) = tree.xpath("//main")
    said = squeezed(text_of(main)).casefold()
    for text in texts(brief):
        assert squeezed(text).casefold() in said


def check_policy(page: str) -> None:
    """The policy forbids all but this style and this script."""
    (policy,) = parsed(page).xpath('//meta[@http-equiv="Content-Security-Policy"]/@content')
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    for name in ("style", "script"):
        (inside,) = re.findall(rf"<{name}>(.*?)</{name}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert rules[f"{name}-src"] == f"'sha256-{digest}'"
        assert not re.search(r"url\(|@import|https?:|fetch|innerHTML|eval|import\(", inside)
    assert set(rules) == {"default-src", "style-src", "script-src", "base-uri", "form-action"}
    assert page.index("Content-Security-Policy") < page.index("<style>")


def texts(brief: Brief) -> list[str]:
    """What the brief says, in its own words."""
    said: list[str] = []
    for block in outline(brief):
        match block:
            case Entry(text, _, category, lines, support):
                said += [text, category, *(part for line in lines for part in line), support.note]
            case Heading(text, _, support) | Paragraph(text, support):
                said += [text, support.note]
            case Quotation(text, speaker):
                said += [text, speaker]
            case NumberRow(figure, text, support):
                said += [figure, text or UNTOLD, support.note]
            case Remark(text):
                said.append(text)
            case Fact(label, text):
                said += [label, text]
    return said


def check_source(brief: Brief, tree: lxml.html.HtmlElement) -> None:
    """The source is there to the letter, and the marks of each span hold its text."""
    text = brief.document.text
    (article,) = tree.xpath('//article[@id="text"]')
    assert str(article.text_content()).rstrip() == visible(text).rstrip()
    numbers = number_evidence([span for claim in outline(brief) for span in evidence(claim)], brief.document)
    blocks = [made.block for made in mark_source(brief.document, numbers)]
    for span, number in numbers.items():
        pieces = article.xpath(f'.//mark[@data-evidence="{number}"]')
        held = "".join(str(piece.text_content()) for piece in pieces)
        cut = Span(max(0, span.start), max(0, min(len(text), span.end)))
        assert squeezed(held) == squeezed(visible(text[cut.start : cut.end]))
        if any(block.start <= cut.start and cut.end <= block.end for block in blocks):
            assert held == visible(text[cut.start : cut.end])
        assert [piece.get("id") for piece in pieces] == [f"e{number}", *[None] * (len(pieces) - 1)]
    assert len(article.xpath(".//mark[@id]")) == len(set(numbers.values()))


def evidence(block: object) -> tuple[Span, ...]:
    if isinstance(block, Quotation):
        return (block.span,)
    return block.support.evidence if isinstance(block, Heading | Paragraph | Entry | NumberRow) else ()


def check_links(tree: lxml.html.HtmlElement) -> None:
    """Each claim leads to its evidence, and each evidence to all of its claims and no others."""
    there = {
        (claim.get("id"), link.get("href")[2:])
        for claim in tree.xpath('//*[contains(concat(" ", @class, " "), " claim ")]')
        for link in claim.xpath('.//span[@class="refs"]/a')
    }
    back = {
        (link.get("href")[1:], mark.get("data-evidence"))
        for mark in tree.xpath("//mark[@id]")
        for link in mark.xpath('./a[@class="back"]')
    }
    assert there == back
    for mark in tree.xpath("//mark"):
        claims = {claim for claim, number in there if number == mark.get("data-evidence")}
        assert set(mark.get("data-claims").split()) == claims
    for link in tree.xpath('//a[@class="back" or starts-with(@href, "#e")]'):
        assert link.get("aria-label")


@pytest.mark.parametrize("name", MADE)
def test_a_page_is_safe_whole_and_linked(name: str) -> None:
    brief = MADE[name]()
    check_page(brief, render(brief, "html"))


def test_figures_are_a_table_whose_rows_are_claims() -> None:
    (first, second) = parsed(render(briefs.numbers(), "html")).xpath("//main//table")
    assert first.xpath("./thead//th[@scope='col']/text()") == ["Figure", "What it measures"]
    rows = first.xpath("./tbody/tr[contains(@class, 'claim')]")
    assert [row.xpath("string(th[@scope='row'])") for row in rows][1:] == ["1,260 posts", "9-watt", "40 seconds"]
    assert all(row.xpath("./td/span[@class='refs']/a") for row in rows)
    assert rows[1].xpath("string(.//p[@class='note partial'])").startswith("Not fully supported")
    assert UNTOLD[1:] in rows[3].xpath("string(td)")
    assert len(second.xpath("./tbody/tr")) == 1


@pytest.mark.parametrize("name", MADE)
def test_a_page_in_ascii_says_the_same(name: str) -> None:
    brief = MADE[name]()
    page = render(brief, "html", unicode=False)
    assert page.isascii()
    check_page(brief, page)


@settings(max_examples=150, deadline=None)
@given(made_briefs())
def test_any_brief_makes_such_a_page(brief: Brief) -> None:
    check_page(brief, render(brief, "html"))


def spread(*spans: tuple[int, int], text: str = "abcdefghij", blocks: tuple[Block, ...] = ()) -> str:
    """The marks of a text as brackets: `[1 …]`, `[1' …]` where a span goes on."""
    document = Document(text, blocks)

    def shown(nodes: tuple[object, ...]) -> str:
        return "".join(
            node if isinstance(node, str) else f"[{node.number}{'' if node.is_first else chr(39)} {shown(node.nodes)}]"  # type: ignore[attr-defined]
            for node in nodes
        )

    made = mark_source(document, number_evidence([Span(*span) for span in spans], document))
    return "|".join(f"{shown(each.lead)}{shown(each.nodes)}" for each in made)


def test_marks_nest_cross_and_go_on_in_the_next_block() -> None:
    assert spread((2, 4)) == "ab[1 cd]efghij"
    assert spread((2, 8), (3, 5)) == "ab[1 c[2 de]fgh]ij"
    assert spread((2, 5), (3, 8)) == "ab[1 c[2 de]][2' fgh]ij"
    assert spread((0, 10), (0, 10), (0, 4)) == "[1 [2 abcd]efghij]"
    assert spread((2, 4), (4, 6)) == "ab[1 cd][2 ef]ghij"
    assert spread((3, 3), (-5, 2), (8, 99), (50, 60), (-3, -1), (5, 4)) == "[1 ab]cdefgh[2 ij]"
    two = (Block(2, 5), Block(7, 10))
    assert spread((3, 9), text="- abc\n\ndef", blocks=two) == "- a[1 bc]|[1' de]f"
    assert spread((0, 4), text="- abc\n\ndef", blocks=two) == "[1 - ][1' ab]c|def"
    assert spread((4, 8), (5, 7), text="- abc\n\ndef", blocks=two) == "- ab[1 c]|[1' d]ef"  # a gap alone is no evidence
    assert spread((7, 8), text="- abc\n\ndef", blocks=two[:1]) == "- abc|[1 d]ef"  # the text of no block


def test_a_text_without_blocks_is_shown_in_paragraphs() -> None:
    document = Document("  One,\nstill one.\n\n\n Two. \n", ())
    assert [document.text[made.block.start : made.block.end] for made in mark_source(document, {})] == [
        "One,\nstill one.",
        "Two.",
    ]


def test_blocks_become_headings_lists_and_paragraphs() -> None:
    kinds = (("heading", 1), ("paragraph", 0), ("item", 0), ("item", 0), ("quote", 0), ("item", 0), ("code", 0))
    blocks = tuple(Block(at * 3, at * 3 + 2, kind, level) for at, (kind, level) in enumerate(kinds))
    document = Document("\n".join(["aa"] * len(kinds)), blocks, language="pt-BR")
    (article,) = parsed(render(briefs.brief_of(document=document), "html")).xpath("//article")
    assert [element.tag for element in article] == ["h3", "p", "ul", "blockquote", "ul", "pre"]
    assert [len(element) for element in article.xpath("./ul")] == [2, 1]
    assert article.get("lang") == "pt-BR"


@pytest.mark.parametrize("language", ["x y", 'en" onclick="', "a", "", "e" * 40])
def test_a_language_that_is_none_is_left_out(language: str) -> None:
    tree = parsed(render(briefs.brief_of(document=Document("Text.", (), language=language)), "html"))
    assert tree.xpath("//@lang") == ["en", "en"]  # of the page, and of its footer


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", " file:///etc/passwd", "https://", "//evil.example", "http:x"]
)
def test_what_is_no_address_of_the_web_is_no_link(url: str) -> None:
    page = render(briefs.brief_of(document=Document("Text.", (), url=url)), "html")
    assert {href[0] for href in parsed(page).xpath("//@href")} == {"#"}


def test_what_the_checks_found_is_plain_to_see() -> None:
    tree = parsed(render(briefs.full(), "html"))
    notes = {
        note.getparent().get("id"): (note.get("class"), str(note.text_content()))
        for note in tree.xpath('//*[contains(@class, "note")]')
    }
    assert [kind for kind, _ in notes.values()] == ["note partial", "note partial", "note unsupported"]
    assert [text for _, text in notes.values()] == [
        "Not fully supported by the source: number not in source: 900",
        "Not fully supported by the source: name not in source: Passers",
        "Not supported by the source: number not in source: 77 %; no sentence of the source is near",
    ]
    assert "No action items: no recommendation passed the checks" in str(tree.text_content())


@given(st.text())
@example("a\r\nb\x1b[1mc\u2028d\x00\ud800")
def test_parts_of_a_text_are_shown_as_the_whole_is(text: str) -> None:
    assert "".join(map(visible, text)) == visible(text)
    visible(text).encode("utf-8")
    if "\x1b" not in text and "\r" not in text:
        assert visible(text) == clean(text)


# Contrast: every colour of text on every ground that it stands on, WCAG 2.2 AA


def schemes() -> list[dict[str, str]]:
    page = render(briefs.other(), "html")
    light, dark, printed = re.findall(r":root \{([^}]*)\}", page)
    found = [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", scheme)) for scheme in (light, dark, printed)]
    return [found[0], found[1], found[2]]


def luminance(color: str) -> float:
    digits = color[1:] if len(color) == 7 else "".join(2 * digit for digit in color[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1, 2], ids=["light", "dark", "print"])
def test_text_has_enough_contrast(scheme: int) -> None:
    colors = schemes()[scheme]
    for ink in ("ink", "soft", "link", "partial", "unsupported"):
        for ground in ("paper", "panel", "lit"):
            high, low = sorted((luminance(colors[ink]), luminance(colors[ground])), reverse=True)
            assert (high + 0.05) / (low + 0.05) >= 4.5, f"{ink} on {ground}"


# The index


def test_an_index_is_safe_and_has_titles_and_categories() -> None:
    rows = [
        Row(f"{number}.html", text, text, text, (text, "Policy")) for number, text in enumerate(map(visible, NASTY))
    ]
    page = to_html_index(rows, [f"{visible(text)} failed" for text in NASTY])
    tree = parsed(page)
    check_policy(page)
    tags = {element.tag for element in tree.iter()}
    assert tags <= ELEMENTS | {"search", "label", "input", "bdi", "time"}
    assert len(tree.xpath("//script")) == len(tree.xpath("//style")) == 1
    assert tree.xpath("//ul[@id='list']/li/p/a/@href") == [row.target for row in rows]
    assert [str(a.text_content()) for a in tree.xpath("//ul[@id='list']/li/p/a")] == [row.title for row in rows]
    assert len(tree.xpath("//li[@class='category']")) == 2 * len(rows)
    assert len(tree.xpath("//section[@aria-labelledby='failed']//li")) == len(NASTY)
    assert "None." in to_html_index([], [])


texts_of_rows = st.one_of(words, st.text(st.sampled_from("[]()*_#\\`<>&;:. a1-é東"), max_size=30)).map(one_line)


@given(
    st.lists(
        st.builds(
            Row,
            st.from_regex(r"[a-z0-9-]{1,20}\.html", fullmatch=True),
            *3 * [texts_of_rows],
            st.lists(texts_of_rows.filter(bool), max_size=3).map(tuple),
        ),
        max_size=4,
    )
)
def test_an_index_can_be_read_again(rows: list[Row]) -> None:
    failed = ["- [a](b.html): c", "<a href=x>"]
    assert list(read_html_index(to_html_index(rows, failed))) == rows
    again = list(read_markdown_index(to_markdown_index(rows, failed[1:])))
    assert again == [
        replace(row, title=row.title.replace("[", "(").replace("]", ")"), published="", categories=()) for row in rows
    ]


@pytest.mark.parametrize("text", ["", "nothing", "<ul id=list><li><p><a>", "- [](): "])
def test_what_is_no_index_has_no_rows_that_are_files(text: str, tmp_path: Path) -> None:
    for form in ("html", "md"):
        (tmp_path / f"index.{form}").write_text(text, encoding="utf-8")
        folder = Folder(tmp_path, form, str, goes_on=True)
        folder.close([])
        assert "None." in folder.index.read_text(encoding="utf-8")


def test_an_index_goes_on(tmp_path: Path) -> None:
    for title in ("First", "Second"):
        document = Document("A text of its own.", (), path=f"{title}.md")
        folder = Folder(tmp_path, "html", partial(render, format="html"), goes_on=True)
        folder.expect(document)
        folder.put(briefs.brief_of(FieldResult("title", title, "written"), document=document))
        folder.close([])
    tree = parsed((tmp_path / "index.html").read_text(encoding="utf-8"))
    assert [str(a.text_content()) for a in tree.xpath("//ul[@id='list']//a")] == ["First", "Second"]


# The command line

NEWS = "examples/chip-lease.md"


def test_a_folder_of_pages_has_an_index(said: Said, stand: object, tmp_path: Path) -> None:
    code, out, err = said("brief", NEWS, "examples/weekly-letter.md", "-f", "html", "-o", f"{tmp_path}/pages/")
    assert (code, out) == (0, "")
    assert f"all of them: {tmp_path}/pages/index.html" in err
    index = parsed((tmp_path / "pages/index.html").read_text(encoding="utf-8"))
    targets = index.xpath("//ul[@id='list']//a/@href")
    assert sorted(targets) == sorted(file.name for file in (tmp_path / "pages").glob("*-*.html"))
    assert len(targets) == 2
    for target in targets:
        (title,) = parsed((tmp_path / "pages" / target).read_text(encoding="utf-8")).xpath("//h1")
        assert text_of(title).strip() in str(index.text_content())


@pytest.mark.parametrize("to", [(), ("--output", "all.html")])
def test_a_page_holds_one_brief(
    to: tuple[str, ...], said: Said, stand: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [str(Path(name).resolve()) for name in (NEWS, "examples/weekly-letter.md")]
    monkeypatch.chdir(tmp_path)
    code, _, err = said("brief", *paths, "--format", "html", *to)
    assert code == 2
    assert "localsum brief PATH... --output DIR/" in err
    assert not (tmp_path / "all.html").exists()


def test_a_kept_brief_makes_the_same_page(said: Said, stand: object, tmp_path: Path) -> None:
    store = ("--store", str(tmp_path / "kept"))
    first = said("brief", "examples/weekly-letter.md", "-f", "html", *store)[1]
    assert said("show", "1", "-f", "html", *store)[1] == first
    assert parsed(first).xpath("//article/h4")


def random_marks(seed: int, length: int) -> list[Span]:
    draw = random.Random(seed)
    starts = [draw.randrange(length) for _ in range(120)]
    return [Span(start, start + draw.randrange(1, 400)) for start in starts]


def test_a_source_of_30000_words_is_marked_exactly() -> None:
    brief = long_brief()
    page = render(brief, "html")
    check_page(brief, page)
    assert brief.document.words >= 30_000
    assert len(page) < 2 * len(brief.document.text)


def long_brief() -> Brief:
    paragraphs = [" ".join(f"word{number % 97}" for number in range(start, start + 75)) for start in range(400)]
    text = "\n\n".join(paragraphs)
    blocks, at = [], 0
    for paragraph in paragraphs:
        blocks.append(Block(at, at + len(paragraph)))
        at += len(paragraph) + 2
    items = tuple(
        Item({"text": f"Point {number}", "category": "Policy"}, Grounding("supported", (span,)))
        for number, span in enumerate(random_marks(7, len(text)))
    )
    return briefs.brief_of(FieldResult("key_insights", items, "written"), document=Document(text, tuple(blocks)))


def test_a_watch_makes_pages_in_a_folder_only(said: Said, tmp_path: Path) -> None:
    code, _, err = said("watch", str(tmp_path), "--format", "html")
    assert (code, err.endswith("name a folder: --output briefs/\n")) == (2, True)
