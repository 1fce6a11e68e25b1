"""Pages in a headless Chromium: what lights up, the keyboard's way, and that nothing is asked for or complained of."""

import base64
from collections.abc import Iterator
from pathlib import Path

import briefs
import pytest
from browser import Browser, Page, browser_test
from test_html import NASTY, long_brief

from localsum.brief import Brief, FieldResult, Grounding, Item
from localsum.document import Document, Span
from localsum.render import render
from localsum.render.clean import one_line
from localsum.render.html import to_html_index
from localsum.render.index import Row

pytestmark = browser_test
LIT = "[...document.querySelectorAll('.lit')].map(e => e.id || e.dataset.evidence)"
FOCUS = "(e => e.getAttribute('href') || e.id)(document.activeElement)"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("browser")) as made:
        yield made


@pytest.fixture
def shown(browser: Browser, tmp_path: Path):
    """`shown(brief, width=390)`: its page, which may neither ask for anything nor complain."""
    pages: list[Page] = []

    def show(page: Brief | str, **how: object) -> Page:
        path = tmp_path / f"{len(pages)}.html"
        path.write_text(page if isinstance(page, str) else render(page, "html"), encoding="utf-8")
        pages.append(browser.open(path, **how))
        return pages[-1]

    yield show
    for page in pages:
        assert page.problems == []
        assert [url.split("/")[0] for url in page.requests] == ["file:"]


def evidence_is_visible(page: Page, selector: str) -> bool:
    _, top, _, bottom = page.box(selector)
    return top >= 0 and bottom <= page.value("innerHeight")


@pytest.fixture
def full() -> Brief:
    return briefs.full()


@pytest.fixture
def long() -> Brief:
    """Two claims about the beginning and the end of a text of many screens."""
    text = "\n\n".join(f"Paragraph {number} says this and that of number {number}." for number in range(300))

    def at(number: int) -> Grounding:
        start = text.index(f"Paragraph {number} ")
        return Grounding("supported", (Span(start, start + len(f"Paragraph {number}")),))

    items = tuple(Item({"text": f"Of {number}"}, at(number)) for number in (1, 298))
    return briefs.brief_of(FieldResult("points", items, "written"), document=Document(text, ()))


# Pointer


def test_pointing_at_a_claim_lights_its_evidence_and_at_evidence_its_claims(shown, full: Brief) -> None:
    page = shown(full)
    assert page.value(LIT) == []
    page.hover("#c2 p")
    page.wait_until(f"{LIT}.length > 0")
    assert page.value(LIT) == ["c2", "e1", "e6"]
    page.hover("#e6")  # the summary, a section and an insight rest on it
    page.wait_until(f"{LIT}[0] == 'c2' && {LIT}.length == 4")
    assert page.value(LIT) == ["c2", "c4", "c11", "e6"]
    page.hover("#source-heading")
    page.wait_until(f"{LIT}.length == 0")


def test_every_span_of_evidence_lights_up_with_exactly_its_text(shown, full: Brief) -> None:
    page = shown(full, height=4000)
    for claim in page.value("[...document.querySelectorAll('.claim')].map(e => e.id)"):
        page.hover(f"#{claim} :is(p, h1, blockquote)")
        page.wait_until(f"{LIT}[0] == '{claim}'")
        wanted = page.value(f"[...document.querySelectorAll('#{claim} .refs a')].map(a => a.hash.slice(1))")
        assert page.value(LIT) == [claim, *wanted]
        for mark in wanted:
            held = page.value(f"document.getElementById('{mark}').textContent")
            assert held in full.document.text
            colors = f"getComputedStyle(document.getElementById('{mark}')).backgroundColor"
            page.wait_until(f"{colors} == 'rgb(255, 233, 166)'")


def test_beside_each_other_the_other_column_scrolls_and_one_that_shows_it_stays(shown, long: Brief) -> None:
    page = shown(long)
    page.hover("#c3 p")
    page.wait_until(f"{LIT}.includes('e2')")
    assert evidence_is_visible(page, "#e2")
    there = page.value("source.scrollTop")
    assert there > 1000
    page.hover("#c2 p")
    page.wait_until(f"{LIT}.includes('e1')")
    assert evidence_is_visible(page, "#e1")
    page.hover("#e1")
    page.wait_until(f"{LIT}.includes('c2')")
    assert page.value("brief.scrollTop") == 0
    assert page.value("document.scrollingElement.scrollTop") == 0


def test_a_click_keeps_it_lit_and_leads_there_and_back(shown, long: Brief) -> None:
    page = shown(long)
    page.click("#c3 p")
    page.wait_until("location.hash == '#e2'")
    assert evidence_is_visible(page, "#e2")
    page.hover("#source-heading, .measure")
    page.wait_until(f"{LIT}.join() == 'c3,e2'")
    page.click("#e2")
    page.wait_until("location.hash == '#c3'")
    page.value("history.back()")
    page.wait_until("location.hash == '#e2'")
    assert page.value(LIT) == ["c3", "e2"]


def test_on_a_phone_a_tap_leads_to_the_evidence_and_the_foot_of_the_window_back(shown, long: Brief) -> None:
    page = shown(long, width=390, height=844)
    page.tap("#c3 p")
    page.wait_until("location.hash == '#e2'")
    page.wait_until(f"{LIT}.join() == 'c3,e2'")
    assert evidence_is_visible(page, "#e2")
    assert evidence_is_visible(page, "#return")
    page.tap("#return")
    page.wait_until("location.hash == '#c3'")
    assert evidence_is_visible(page, "#c3")
    page.tap("#c3 .refs a")  # the number itself is a link
    page.wait_until("location.hash == '#e2'")
    page.tap("#e2 .back")
    page.wait_until("location.hash == '#c3'")


def test_on_a_phone_nothing_is_wider_than_the_window(shown) -> None:
    for made in (briefs.full(), briefs.hostile(), briefs.other(), briefs.numbers()):
        page = shown(made, width=320, height=600)
        assert page.value("document.scrollingElement.scrollWidth") == 320
        assert page.value("getComputedStyle(source).overflowY") == "visible"


# Keyboard


def test_the_keyboard_goes_from_claim_to_evidence_and_back(shown, long: Brief) -> None:
    page = shown(long)
    page.press("Tab")
    assert page.value(FOCUS) == "#source"
    assert evidence_is_visible(page, ".skip")
    page.press("Tab")
    assert page.value(FOCUS) == "brief"  # so that the arrow keys scroll it
    for number in (1, 2):
        page.press("Tab")
        assert page.value(FOCUS) == f"#e{number}"
        assert page.value(LIT) == [f"c{number + 1}", f"e{number}"]
        assert evidence_is_visible(page, f"#e{number}")
        assert page.value("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.press("Enter")
    page.wait_until("location.hash == '#e2'")
    page.press("Tab")  # goes on from the evidence
    assert page.value(FOCUS) == "#c3"
    assert page.value(LIT) == ["c3", "e2"]
    page.press("Enter")
    page.wait_until("location.hash == '#c3'")
    page.press("Tab")
    assert page.value(FOCUS) == "#e2"


def test_every_link_can_be_reached_by_the_keyboard(shown, full: Brief) -> None:
    page = shown(full)
    links = page.value("[...document.querySelectorAll('a')].filter(a => a.checkVisibility()).length")
    seen = []
    for _ in range(links + 3):
        page.press("Tab")
        seen.append(page.value("[...document.querySelectorAll('a')].indexOf(document.activeElement)"))
    assert sorted(set(seen) - {-1}) == list(range(links))


# Without the script, in print, for a screen reader


def test_without_the_script_links_lead_there_and_back_and_the_target_is_marked(shown, long: Brief) -> None:
    page = shown(long, script=False)
    assert not page.value("document.documentElement.classList.contains('live')")
    page.click("#c3 .refs a")
    page.wait_until("location.hash == '#e2'")
    assert evidence_is_visible(page, "#e2")
    page.wait_until("getComputedStyle(e2).backgroundColor == 'rgb(255, 233, 166)'")
    page.click("#e2 .back")
    page.wait_until("location.hash == '#c3'")
    page.wait_until("getComputedStyle(c3).backgroundColor == 'rgb(255, 233, 166)'")


def test_print_has_the_brief_and_all_of_the_source(shown, long: Brief, tmp_path: Path) -> None:
    from pypdf import PdfReader

    page = shown(long, dark=True)
    (tmp_path / "page.pdf").write_bytes(base64.b64decode(page.print()))
    pages = [sheet.extract_text() for sheet in PdfReader(tmp_path / "page.pdf").pages]
    assert "Points" in pages[0]
    assert "Paragraph 1 says" not in pages[0]  # the source begins a sheet of its own
    whole = " ".join(" ".join(pages).split())
    assert all(f"of number {number}." in whole for number in range(300))
    assert "Back to the brief" not in whole


def test_a_screen_reader_finds_landmarks_headings_and_names(shown, full: Brief) -> None:
    page = shown(full)
    nodes = page.ask("Accessibility.getFullAXTree")["nodes"]
    found = {
        (node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if not node.get("ignored")
    }
    assert {("main", "Brief"), ("region", "Source"), ("region", "Key insights"), ("link", "Evidence 3")} <= found
    assert ("link", "Evidence 6, back to: Key insights 2") in found
    assert ("link", "Skip to the source") in found
    headings = {name for role, name in found if role == "heading"}
    assert {"Key insights", "Action items", "Quotes", "Source"} <= headings
    assert not [role for role, name in found if role == "link" and not name.strip()]


# Hostile articles


def test_hostile_articles_do_nothing(shown) -> None:
    text = "\n\n".join([*NASTY, "\n".join(NASTY)])
    whole = Grounding("unsupported", (Span(3, len(text) - 5), Span(40, 90)), tuple(NASTY))
    items = tuple(Item({"text": text, "category": text, "impact": text}, whole) for text in NASTY)
    brief = briefs.brief_of(
        FieldResult("title", " ".join(NASTY), "written", whole),
        FieldResult("key_insights", items, "written", None, tuple(NASTY)),
        document=Document(text, (), path=NASTY[0], title=NASTY[4], url="javascript:alert(1)", language='"><script>'),
    )
    page = shown(brief)
    assert page.value("document.querySelectorAll('script, iframe, img, b, object').length") == 1
    assert page.value("document.querySelectorAll('.claim').length") == 1 + len(NASTY)
    assert one_line(NASTY[0]) in page.value("document.title")
    page.hover(".claim p")
    page.wait_until(f"{LIT}.length > 1")


def test_what_would_get_into_a_page_is_stopped_by_its_policy(browser: Browser, full: Brief, tmp_path: Path) -> None:
    """Were the escaping broken: nothing runs, nothing is asked for. And these tests would see it."""
    ways = (
        "<script>hacked = 1</script><img src='https://evil.example/a.png' onerror='hacked = 2'>"
        "<style>body { color: red }</style><link rel=stylesheet href='https://evil.example/a.css'>"
        "<iframe src='https://evil.example/'></iframe><p style='color: red'>"
    )
    (tmp_path / "page.html").write_text(render(full, "html").replace("<footer", f"{ways}<footer"), encoding="utf-8")
    page = browser.open(tmp_path / "page.html")
    assert page.value("typeof hacked") == "undefined"
    assert page.value("getComputedStyle(document.body).color") == "rgb(32, 32, 29)"
    assert len([problem for problem in page.problems if "Content Security Policy" in problem]) >= 6
    assert page.blocked == [url for url in page.requests if url.startswith("http")] != []


def test_right_to_left_text_runs_from_the_right(shown) -> None:
    arabic = NASTY[9]
    item = Item({"text": arabic, "impact": arabic}, Grounding("supported", (Span(0, 5),)))
    page = shown(briefs.brief_of(FieldResult("points", (item,), "written"), document=Document(arabic, ())))
    for selector in ("li.claim p", "#text p", "li.claim dd"):
        assert page.value(f"getComputedStyle(document.querySelector('{selector}')).direction") == "rtl"
    assert page.value("getComputedStyle(document.querySelector('h2')).direction") == "ltr"


def test_a_source_of_30000_words_answers_at_once(shown) -> None:
    page = shown(long_brief())
    assert page.value("document.querySelectorAll('mark').length") >= 120
    page.value("document.querySelector('#c121 .refs a').focus()")
    page.wait_until(f"{LIT}.includes('c121')")
    number = page.value("document.querySelector('#c121 .refs a').hash")
    assert evidence_is_visible(page, f"{number} .back")


# The index


def test_the_index_finds_by_title_and_category_whatever_case_and_accents(shown) -> None:
    rows = [
        Row("a.html", "Café robots win", "a.md", "2026-01-02", ("Policy",)),
        Row("b.html", "Chips <b>grow</b>", "b.md", "", ("Tech Economics", "Market")),
        Row("c.html", "Energy for data centers", "c.md", "", ()),
    ]
    page = shown(to_html_index(rows, ["x.md has too few words"]))
    there = "[...document.querySelectorAll('#list > li')].filter(e => e.checkVisibility())"
    visible = f"{there}.map(e => e.querySelector('a').getAttribute('href'))"
    assert page.value(visible) == ["a.html", "b.html", "c.html"]
    for words, wanted in (("CAFE", "a"), ("market grow", "b"), ("policy market", ""), ("e", "abc"), ("b.md", "")):
        page.value("words.select()")
        page.type(words)
        page.wait_until(f"{visible}.join() == '{','.join(f'{name}.html' for name in wanted)}'")
        assert page.value("found.textContent") == f"{len(wanted)} of 3"


def test_without_the_script_the_index_shows_no_search(shown) -> None:
    page = shown(to_html_index([Row("a.html", "A", "a", "", ())], []), script=False)
    assert not page.value("document.querySelector('search').checkVisibility()")
    assert page.value("document.querySelector('a').checkVisibility()")
