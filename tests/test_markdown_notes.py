"""Markdown for notes: evidence as footnotes that a Markdown program finds, front matter that a YAML program reads."""

from collections.abc import Callable
from pathlib import Path

import briefs
import pytest
import yaml
from command_line import Said
from hypothesis import example, given, settings
from markdown_it import MarkdownIt
from mdit_py_plugins.footnote import footnote_plugin
from test_html import made_briefs, words
from test_render import anything, brief_with

from localsum.brief import Brief, FieldResult, Grounding, Item
from localsum.document import Document, Span
from localsum.readers import read
from localsum.render import render
from localsum.render.clean import one_line
from localsum.render.outline import UNTOLD, Entry, NumberRow, Paragraph, outline

NEWS = str(Path("examples/chip-lease.md").resolve())
LETTER = str(Path("examples/weekly-letter.md").resolve())
MADE = {"full": briefs.full, "hostile": briefs.hostile, "other": briefs.other}


def cited(brief: Brief) -> list[tuple[str, list[str]]]:
    """Each text that has footnotes with their texts, as a Markdown program reads them."""
    tokens = MarkdownIt("commonmark").enable("table").use(footnote_plugin).parse(render(brief, "md", footnotes=True))
    notes: dict[int, str] = {}
    place = None
    for token in tokens:
        if token.type == "footnote_open":
            place = token.meta["id"]
        elif token.type == "footnote_close":
            place = None
        elif token.type == "inline" and place is not None:
            assert {child.type for child in token.children} <= {"text"}
            notes[place] = token.content and "".join(child.content for child in token.children)
    found = []
    for token in tokens:
        children = (token.children or []) if token.type == "inline" else []
        assert {child.type for child in children} <= {"text", "em_open", "em_close", "footnote_ref"}
        if refs := [child.meta["id"] for child in children if child.type == "footnote_ref"]:
            text = "".join(child.content for child in children if child.type == "text")
            found.append((text, [notes[ref] for ref in refs]))
    assert len(set(notes.values())) == len(notes)
    assert set(notes.values()) == {note for _, refs in found for note in refs}
    return found


def wanted(brief: Brief) -> list[tuple[str, list[str]]]:
    """Each text with what it rests on, from the brief itself."""
    text = brief.document.text
    found = []
    for block in outline(brief):
        if isinstance(block, Paragraph | Entry | NumberRow):
            held = [one_line(text[max(0, span.start) : max(0, span.end)]) for span in block.support.evidence]
            if any(held):
                said = block.text
                if isinstance(block, NumberRow):  # a cell of a table: what the figure measures, and any doubt
                    said = (said or f"({UNTOLD})") + (f" ({block.support.note})" if block.support.note else "")
                found.append((said, [part for part in dict.fromkeys(held) if part]))
    return found


def same(one: list[tuple[str, list[str]]], other: list[tuple[str, list[str]]]) -> bool:
    def plain(pairs: list[tuple[str, list[str]]]) -> list[tuple[list[str], list[list[str]]]]:
        return [(text.split(), [note.split() for note in notes]) for text, notes in pairs]

    return plain(one) == plain(other)


@pytest.mark.parametrize("name", MADE)
def test_each_claim_has_its_evidence_as_footnotes(name: str) -> None:
    assert same(cited(MADE[name]()), wanted(MADE[name]()))
    assert len(wanted(briefs.full())) == 6


@settings(max_examples=150, deadline=None)
@given(made_briefs())
def test_any_evidence_is_a_footnote_as_it_is(brief: Brief) -> None:
    assert same(cited(brief), wanted(brief))


@settings(deadline=None)
@given(anything, anything)
@example("see [^1] or ^[this]", "[^1]: not mine")
@example("ends in [a]", "[a]")
def test_text_of_an_article_makes_no_footnote(text: str, note: str) -> None:
    item = Item({"text": f"A {text}"}, Grounding("supported", (Span(0, len(note) + 2),)))
    brief = briefs.brief_of(FieldResult("points", (item,), "written"), document=Document(f"B {note}", ()))
    assert same(cited(brief), [(one_line(f"A {text}"), [one_line(f"B {note}")])])


def test_without_the_options_nothing_changes() -> None:
    for made in MADE.values():
        plain = render(made(), "md")
        assert render(made(), "md", front_matter=True).endswith("---\n\n" + plain)
        assert "[^" not in plain.replace("\\[^", "")


@given(anything, anything, words)
@example("a: b", "- c", "yes")
@example("---", "...", "2026-02-03")
@example("{{x}}", "!!python/object:os.system", "*alias")
def test_front_matter_is_what_a_program_reads(title: str, url: str, category: str) -> None:
    document = Document("Text.", (), path="a\nb.md", title="other", url=url, author=title, published="2026-02-03")
    item = Item({"text": "x", "category": category}, Grounding("supported"))
    brief = briefs.brief_of(
        FieldResult("title", title, "written"), FieldResult("points", (item, item), "written"), document=document
    )
    text = render(brief, "md", front_matter=True)
    assert text.startswith("---\n")
    top, _, rest = text.removeprefix("---\n").partition("\n---\n\n")
    data = yaml.safe_load(top)
    assert rest == render(brief, "md")
    assert data["title"] == (one_line(title)[:200] or "a b.md")
    assert data.get("url", "") == one_line(url)
    assert data.get("categories", []) == ([one_line(category)[:80]] if one_line(category) else [])
    assert (data["published"], data["source"], data["template"]) == ("2026-02-03", "a b.md", "brief")


def test_localsum_reads_its_own_front_matter(tmp_path: Path) -> None:
    path = tmp_path / "note.md"
    path.write_text(render(briefs.full(), "md", front_matter=True, footnotes=True), encoding="utf-8")
    (document,) = read(path)
    assert isinstance(document, Document)
    assert document.title == briefs.full()["title"]
    assert (document.author, document.published) == ("localsum project", "2026-02-03")


def test_any_text_of_a_brief_may_have_footnotes_beside_it() -> None:
    brief = brief_with("[x] a", "b]")
    assert render(brief, "md") == render(brief, "md", footnotes=True)  # it has no evidence


def test_golden(golden: Callable[[str, str], None]) -> None:
    golden("render/full-notes.md", render(briefs.full(), "md", footnotes=True, front_matter=True))
    golden("render/hostile-notes.md", render(briefs.hostile(), "md", footnotes=True, front_matter=True))


# The command line


def test_the_options_ask_for_markdown_and_for_a_file_of_its_own(
    said: Said, stand: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCALSUM_STORE", str(tmp_path / "kept"))
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    code, out, _ = said("brief", NEWS, "--footnotes", "--front-matter", "--quiet")
    assert code == 0
    assert out.startswith("---\ntitle: ")
    assert "\n[^1]: " in out
    assert said("show", "1", "--footnotes", "--front-matter")[1] == out
    assert said("brief", NEWS, LETTER, "--footnotes", "-o", f"{tmp_path}/notes/")[0] == 0
    assert all("\n[^1]: " in file.read_text(encoding="utf-8") for file in (tmp_path / "notes").glob("*-*.md"))
    for line in (f"brief {NEWS} {LETTER} --footnotes", f"brief {NEWS} {LETTER} --front-matter -o {tmp_path}/a.md"):
        code, _, err = said(*line.split())
        assert (code, "--output DIR/" in err) == (2, True)
    for line in (f"brief {NEWS} --footnotes --format json", "show 1 --front-matter --open"):
        code, _, err = said(*line.split())
        assert (code, err.endswith("or: --format md\n")) == (2, True)
