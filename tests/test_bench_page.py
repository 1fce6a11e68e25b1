"""The page of a report: stands alone, follows light and dark, fits a phone, and believes no report."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import benches
import lxml.html
import pytest
from browser import Browser, browser_test
from test_html import NASTY

from localsum.bench.page import to_html
from localsum.bench.svg import latency, stages, throughput
from localsum.bench.tables import heading, tables


def nasty() -> list:
    made = benches.full()
    rows = tuple(replace(row, case=NASTY[at % len(NASTY)]) for at, row in enumerate(made.rows))
    named = {**made.model, "name": NASTY[1]}
    return [replace(made, name=NASTY[0], rows=(*made.rows, *rows), warnings=tuple(NASTY), model=named)]


def test_the_page_says_what_the_report_says() -> None:
    made = benches.full()
    tree = lxml.html.document_fromstring(to_html([made]))
    text = " ".join(tree.text_content().split())
    for table in tables(made):
        assert table.title in text
        for row in table.rows:
            assert all(" ".join(cell.split()) in text for cell in row)
    assert heading(made) in tree.findtext(".//title")
    assert "score 10.5 articles/min" in text
    assert [plot.get("aria-label") for plot in tree.xpath("//svg")] == [
        "Decode tokens a second over branches",
        "Seconds a brief",
        "Where the time goes, as shares",
    ]


def test_plots_have_a_mark_for_each_sample_and_a_bar_for_each_stage() -> None:
    made = benches.full()
    assert throughput(made).count("<circle") == 8
    assert latency(made).count("<circle") == 6
    assert latency(made).count("<rect") == 2
    widths = [float(width) for width in re.findall(r'width="([\d.]+)" height="20"', stages(made))]
    assert len(widths) == 16
    assert sum(widths[:8]) == pytest.approx(sum(widths[8:]), abs=0.1)
    empty = benches.report()
    assert (throughput(empty), latency(empty), stages(empty)) == ("", "", "")
    assert "<svg" not in to_html([empty])


def test_no_text_of_a_report_becomes_markup() -> None:
    tree = lxml.html.document_fromstring(to_html(nasty()))
    assert not tree.xpath("//script | //iframe | //img | //b | //object | //@onerror | //@onmouseover | //@style")
    assert set(tree.xpath("//@class")) <= {
        *("measure bench", "score", "remark", "note partial", "wide", "plot", "grid", "axis", "s1 line"),
        *(f"s{number}" for number in range(1, 9)),
    }


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("browser")) as made:
        yield made


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1280, 390, 320])
class TestInABrowser:
    pytestmark = browser_test

    def test_it_stands_alone_and_fits(self, browser: Browser, tmp_path: Path, width: int, dark: bool) -> None:
        path = tmp_path / "page.html"
        for made in ([benches.full(), benches.full()], nasty()):
            path.write_text(to_html(made), encoding="utf-8")
            page = browser.open(path, width=width, height=800, dark=dark)
            assert page.problems == []
            assert [url.split("/")[0] for url in page.requests] == ["file:"]
            assert page.value("document.scrollingElement.scrollWidth") <= width
            assert page.value("document.querySelectorAll('svg.plot').length") >= 3
            ink = page.value("getComputedStyle(document.querySelector('.plot text')).fill")
            assert ink == ("rgb(227, 225, 218)" if dark else "rgb(32, 32, 29)")
            boxes = "[...document.querySelectorAll('.wide')].map(e => e.getBoundingClientRect().right)"
            assert all(200 < found <= width for found in page.value(boxes))
            assert page.value("document.querySelector('svg.plot').getBoundingClientRect().width") >= 500
            assert page.value("getComputedStyle(document.querySelector('.plot .s5')).fill") == "rgb(192, 82, 122)"
