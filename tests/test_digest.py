"""`localsum digest` from the command line to its forms: nothing lost, nothing twice, one bad input spoils nothing."""

import json
import random
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lxml.html
import pytest
from command_line import CHAT, Said, Stand
from jsonschema import Draft202012Validator

from localsum.digest import Digest, Evidence, Overview, Source, Story, Support
from localsum.document import Document
from localsum.engine.types import Branch, Request
from localsum.models import find_model
from localsum.readers import read
from localsum.render import render
from localsum.schema import digest_schema

ROWS = tomllib.loads((Path(__file__).parent / "data/stories.toml").read_text(encoding="utf-8"))["text"]
DEVELOP = [row for row in ROWS if row["half"] == "develop"]


def write(folder: Path, rows: list[dict[str, Any]]) -> list[str]:
    names = []
    for number, row in enumerate(rows):
        name = folder / f"{number:02}-{row['story']}.md"
        front = f"---\ntitle: {json.dumps(row['title'])}\ndate: {row['published']}\n---\n\n" if row["title"] else ""
        name.write_text(front + row["text"].strip() + "\n", encoding="utf-8")
        names.append(name.name)
    return names


@pytest.fixture
def news(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with the labelled texts in `news/`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "news").mkdir()
    write(tmp_path / "news", DEVELOP)
    return tmp_path


def digest_of(said: Said, *arguments: str) -> dict[str, Any]:
    code, out, err = said("digest", *arguments, "-f", "json")
    assert code == 0, err
    made: dict[str, Any] = json.loads(out)
    Draft202012Validator(digest_schema()).validate(made)
    return made


def without_timing(made: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in made.items() if key != "timing"}


def text_of(path: str) -> str:
    found = next(iter(read(Path(path))))
    assert isinstance(found, Document)
    return found.text


def test_the_schema_is_one_and_is_printed(said: Said) -> None:
    Draft202012Validator.check_schema(digest_schema())
    code, out, _ = said("schema", "--digest")
    assert (code, json.loads(out)) == (0, digest_schema())


def test_every_document_is_a_source_once_and_evidence_points_into_it(
    stand: type[Stand], said: Said, news: Path
) -> None:
    made = digest_of(said, "news")
    named = [source["path"] for story in made["stories"] for source in story["sources"]]
    assert sorted(named) == sorted(f"news/{path.name}" for path in (news / "news").iterdir())
    for story in made["stories"]:
        assert story["headline"]
        assert story["evidence"]
        for place in story["evidence"]:
            text = text_of(story["sources"][place["source"]]["path"])
            assert text[place["start"] : place["end"]] in " ".join(text.split()) or "\n" in text
            said_there = " ".join(text[place["start"] : place["end"]].split())
            assert said_there[1:] in story["text"]
    for place in made["overview"]["evidence"]:
        source = made["stories"][place["story"]]["sources"][place["source"]]
        assert text_of(source["path"])[place["start"] : place["end"]].strip()
    assert made["title"].startswith(f"{len(made['stories'])} stories from {len(named)} documents")
    assert made["model"]["name"] == "scripted"


def test_a_copy_is_folded_into_its_story_and_said_to_be_one(stand: type[Stand], said: Said, news: Path) -> None:
    made = digest_of(said, "news")
    story = next(each for each in made["stories"] if len(each["sources"]) == 3 and "takeover" in str(each["sources"]))
    assert [source["duplicate"] for source in story["sources"]] == [False, False, True]
    assert story["sources"][2]["path"] == "news/01-takeover.md"
    _, out, _ = said("digest", "news")
    assert "news/01-takeover.md · the same text" in out


def test_the_order_of_the_paths_does_not_matter(stand: type[Stand], said: Said, news: Path) -> None:
    names = sorted(f"news/{path.name}" for path in (news / "news").iterdir())
    wanted = without_timing(digest_of(said, *names))
    for seed in (1, 2):
        random.Random(seed).shuffle(names)
        assert without_timing(digest_of(said, *names)) == wanted


def test_a_bad_input_is_named_and_the_others_go_on(stand: type[Stand], said: Said, news: Path) -> None:
    good = digest_of(said, "news")
    (news / "news/zz-empty.md").write_text("")
    code, out, err = said("digest", "news", "-f", "json")
    assert code == 1
    made = json.loads(out)
    assert made["stories"] == good["stories"]
    assert any("zz-empty.md is empty" in warning for warning in made["warnings"])
    assert "1 of 23 documents failed" in err
    assert "zz-empty.md" in err


def test_a_document_that_the_engine_fails_is_named(
    stand: type[Stand], said: Said, news: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stand, "script", staticmethod(lambda request, _: "\x1b[31m" if "-11" in request.id else None))
    code, out, err = said("digest", "news", "-f", "json")
    assert (code, "1 of 22 documents failed" in err) == (1, True)
    assert sum(len(story["sources"]) for story in json.loads(out)["stories"]) == 21


@pytest.mark.parametrize("what", ["folder", "absent.md", "short.md"])
def test_nothing_to_digest_is_an_error_without_output(stand: type[Stand], said: Said, news: Path, what: str) -> None:
    (news / "folder").mkdir()
    (news / "short.md").write_text("Too few words.")
    (news / "old.md").write_text("old")
    code, out, err = said("digest", what, "-o", "old.md")
    assert (code, out) == (1, "")
    assert what in err
    assert err.rstrip().splitlines()[-1].lstrip().split(": ", 1)[1].startswith("localsum ")
    assert (news / "old.md").read_text() == "old"
    assert stand.made == []
    if what == "folder":
        assert "localsum digest folder --glob '*'" in err


def test_one_document_is_one_story(stand: type[Stand], said: Said, news: Path) -> None:
    made = digest_of(said, "news/00-takeover.md")
    assert made["title"].startswith("1 story from 1 document")
    assert made["stories"][0]["headline"] == DEVELOP[0]["title"]
    assert made["overview"]["text"]


def test_a_file_gets_the_whole_and_keeps_the_old_where_it_fails(
    stand: type[Stand], said: Said, news: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = said("digest", "news", "-o", "morning.md")
    assert (code, out) == (0, "")
    written = (news / "morning.md").read_text(encoding="utf-8")
    assert written == said("digest", "news")[1]

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("localsum.render.render", fail)
    assert said("digest", "news", "-o", "morning.md")[0] == 130
    assert (news / "morning.md").read_text(encoding="utf-8") == written
    assert said("digest", "news", "-o", "news")[0] == 2


def test_few_stories_are_shown_if_few_are_wanted(stand: type[Stand], said: Said, news: Path) -> None:
    every = digest_of(said, "news")
    some = digest_of(said, "news", "--stories", "2")
    assert some["stories"] == every["stories"][:2]
    assert f"{len(every['stories']) - 2} more stories are left out" in some["warnings"][0]


def test_a_second_digest_needs_no_engine(stand: type[Stand], said: Said, news: Path) -> None:
    first = digest_of(said, "news", "--store", "kept.sqlite3")
    assert len(stand.made) == 1
    assert without_timing(digest_of(said, "news", "--store", "kept.sqlite3")) == without_timing(first)
    assert len(stand.made) == 1
    assert all(engine.is_closed for engine in stand.made)


def test_an_interrupted_digest_goes_on_where_it_was(
    stand: type[Stand], said: Said, news: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def script(request: Request, _: Branch) -> None:
        asked.append(request.id)
        if len(set(asked)) == 3 and not again:
            raise KeyboardInterrupt

    again: list[bool] = []
    monkeypatch.setattr(stand, "script", staticmethod(script))
    code, out, err = said("digest", "news", "--store", "kept.sqlite3")
    assert (code, out) == (130, "")
    assert "documents are done and kept" in err
    assert err.rstrip().endswith("go on with: localsum digest news --store kept.sqlite3")
    before = len(set(asked))
    again.append(True)
    asked.clear()
    made = digest_of(said, "news", "--store", "kept.sqlite3")
    assert sum(len(story["sources"]) for story in made["stories"]) == len(DEVELOP)
    assert made["timing"]["from_store"] > 0
    assert made["timing"]["written"] + made["timing"]["from_store"] == len(DEVELOP)
    assert before > 1


def test_an_instruct_model_writes_the_stories_and_the_overview(
    stand: type[Stand], said: Said, news: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def script(request: Request, branch: Branch) -> str:
        prompt = "".join(part.text for part in (*request.prefix, *branch.suffix))
        text = next((row["text"].strip() for row in DEVELOP if row["text"].strip()[:80] in prompt), "")
        if branch.id.endswith(".overview"):
            seen.append(prompt)
            sentences = [line for line in prompt.split("\n") if line.endswith(".") and len(line.split()) > 12]
            return " ".join(line.split(". ")[0].rstrip(".") + "." for line in sentences[:4])
        whole = text.split("\n\n")[0].replace("\n", " ")
        return " ".join(whole.split()[:9]) if branch.id.endswith(".title") else whole

    monkeypatch.setattr(stand, "script", staticmethod(script))
    monkeypatch.setattr(stand, "chat", CHAT)
    made = digest_of(said, "news", "--store", "kept.sqlite3")
    assert len(seen) == 1
    assert all(story["headline"] in seen[0] for story in made["stories"][:10])
    assert made["overview"]["mode"] == "written"
    assert {"written"} <= {story["mode"] for story in made["stories"]}
    assert made["overview"]["evidence"]
    assert len(stand.made) == 1  # one engine for both
    assert digest_of(said, "news", "--store", "kept.sqlite3")["overview"] == made["overview"]
    assert len(seen) == 1


def test_an_overview_that_is_refused_gives_way_to_the_stories_own_sentences(
    stand: type[Stand], said: Said, news: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def script(request: Request, branch: Branch) -> str:
        if branch.id.endswith(".overview"):
            return "Lord Ruthven of Kesh bought 77 elephants in Samarkand."
        prompt = "".join(part.text for part in (*request.prefix, *branch.suffix))
        text = next((row["text"].strip() for row in DEVELOP if row["text"].strip()[:80] in prompt), "None at all.")
        words = text.split("\n\n")[0].split()
        return " ".join(words[:9] if branch.id.endswith(".title") else words)

    monkeypatch.setattr(stand, "script", staticmethod(script))
    monkeypatch.setattr(stand, "chat", CHAT)
    made = digest_of(said, "news")
    assert "Ruthven" not in str(made)
    assert made["overview"]["mode"] in ("written", "mixed")  # the stories' sentences are the model's
    assert made["overview"]["evidence"]


def test_two_thousand_documents(stand: type[Stand], said: Said, news: Path) -> None:
    """As many as a feed reader keeps: all told, copies folded, within the time limit of a test run."""
    pick = random.Random(3)
    names = [
        a + b for a in ("Vor", "Tel", "Mas", "Quin", "Ols", "Ber", "Nar", "Hul") for b in ("ano", "ick", "umb", "eth")
    ]
    things = "ferry bridge tunnel school clinic mill brewery museum theatre harbour archive orchard".split()  # noqa: SIM905
    with (news / "many.jsonl").open("w") as file:
        for number in range(2000):
            who, where = pick.choice(names), pick.choice(names)
            thing, count = pick.choice(things), pick.randrange(100, 9999)
            text = (
                f"{who} {where} opened a {thing} in {pick.choice(names)} on Monday after {count} days of work. "
                f"The {thing} cost {count * 3} crowns, said {where} in {pick.choice(names)}. "
                f"Neighbours named {pick.choice(names)} and {pick.choice(names)} had waited {number} weeks for it."
            )
            row = {"id": f"n{number}", "title": f"{who} {where} opens a {thing} for {count * 3} crowns", "text": text}
            file.write(json.dumps(row) + "\n")
            if number % 100 == 0:
                file.write(json.dumps({**row, "id": f"again {number}"}) + "\n")
    made = digest_of(said, "many.jsonl", "--stories", "5000")
    sources = [source for story in made["stories"] for source in story["sources"]]
    assert len({source["path"] for source in sources}) == len(sources) == 2020
    assert sum(source["duplicate"] for source in sources) == 20
    assert len(made["stories"]) > 1900


# How it looks


def hand_made() -> Digest:
    """A story of two sources and a copy, one that is not fully supported, notes."""
    lamp = Document(
        "Velmora switched its cameras on Monday. It saves a lot.", (), path="lamp.md", title="Lamps that see"
    )
    other = Document(
        "The cameras of Velmora look for themselves.",
        *((), "feed.xml#7"),
        *("feed", "Cameras look for themselves", "Ada Quint", "2026-03-10T08:00:00+01:00", "https://news.example/7"),
    )
    again = Document("Velmora switched its cameras on Monday.", (), path=None)
    stories = (
        Story(
            "Lamps that see",
            "Velmora switched its cameras on Monday. The cameras of Velmora look for themselves.",
            "extractive",
            (Source(lamp), Source(other), Source(again, duplicate=True)),
            Support("supported", (Evidence(0, 0, 39), Evidence(1, 0, 43)), ("verbatim",)),
        ),
        Story(
            "Council waits",
            "The council waits for 12 months.",
            "written",
            (Source(other),),
            Support("partial", (Evidence(0, 0, 43),), ("few words in common with the source (0.50)",)),
        ),
    )
    overview = Overview(
        "Velmora switched its cameras on Monday.", "extractive", "supported", ((0, Evidence(0, 0, 39)),), ("verbatim",)
    )
    made = {"name": "gemma-3-270m", "sha256": "a5" * 32}
    return Digest(
        "2 stories from 3 documents",
        overview,
        stories,
        made,
        {"name": "digest", "sha256": "0c" * 32},
        {"total_s": 4.5, "written": 2, "from_store": 1, "failed": 1},
        ("b.md is empty",),
    )


def hostile() -> Digest:
    bad = "\x1b]0;gone\x07<script>alert(1)</script> [a](http://x)\r\n# *b* \u202e`c`"
    document = Document(bad, (), bad, "text", bad + "2", bad, bad, bad)
    support = Support("unsupported", (Evidence(0, 0, 3),), (bad,))
    story = Story(bad, bad, "written", (Source(document), Source(document, duplicate=True)), support)
    overview = Overview(bad, "written", "partial", ((0, Evidence(0, 0, 3)),), (bad,))
    model = {"name": bad, "sha256": "a5" * 32}
    return Digest(bad, overview, (story,), model, {**model, "sha256": "0c" * 32}, {"total_s": 1.0}, (bad, ""))


@pytest.mark.parametrize("name", ["digest", "digest-hostile"])
def test_golden(name: str, golden: Callable[[str, str], None]) -> None:
    made = hand_made() if name == "digest" else hostile()
    golden(f"render/{name}.md", render(made, "md"))
    golden(f"render/{name}.json", render(made, "json"))
    golden(f"render/{name}-80.txt", render(made, "terminal", width=80))
    golden(f"render/{name}-40-ascii.txt", render(made, "terminal", width=40, unicode=False))


def test_nothing_from_outside_acts() -> None:
    made = hostile()
    for text in (render(made, "terminal"), render(made, "md")):
        assert not set(text) & {"\x1b", "\x07", "\r", "\u202e"}
    lines = render(made, "md").splitlines()
    assert not [line for line in lines if "<script" in line and "\\<script" not in line]
    assert sum(line.startswith("#") for line in lines) == 3  # title, the story, notes
    printed = json.loads(render(made, "json"))
    Draft202012Validator(digest_schema()).validate(printed)
    assert printed["title"] == made.title
    assert json.loads(render(made, "jsonl")) == printed


# The page


def page_of(made: Digest) -> lxml.html.HtmlElement:
    return lxml.html.document_fromstring(render(made, "html"))


def test_a_page_holds_the_stories_their_sources_and_what_they_rest_on() -> None:
    made = hand_made()
    page = page_of(made)
    assert page.xpath("string(//h1)") == made.title
    assert page.xpath("string(//p[@class='overview'])") == made.overview.text
    assert len(page.xpath("//article")) == len(made.stories)
    for story, part in zip(made.stories, page.xpath("//article"), strict=True):
        assert part.xpath("string(h2)") == story.headline
        assert story.text in [p.text_content() for p in part.xpath("p")]
        texts = [story.sources[at].document.text[start:end] for at, start, end in story.support.evidence]
        assert [quoted.text_content() for quoted in part.xpath("details//blockquote")] == texts
        assert len(part.xpath("ul/li")) == len(story.sources)
    assert [link.get("href") for link in page.xpath("//a")] == ["https://news.example/7"] * 2
    assert page.xpath("//p[contains(@class, 'partial')]")  # the second story says why
    assert "b.md is empty" in page.xpath("string(//section)")


def test_a_page_runs_nothing_and_shows_what_is_hostile_as_text() -> None:
    page = page_of(hostile())
    policy = page.xpath("string(//meta[@http-equiv='Content-Security-Policy']/@content)")
    assert "default-src 'none'" in policy
    assert not page.xpath("//script | //a | //img | //iframe | //@onclick | //*[@src]")
    assert "<script>alert(1)</script>" in page.xpath("string(//h1)")
    assert not set(render(hostile(), "html")) & {"\x1b", "\x07", "\r", "\u202e"}
    ids = page.xpath("//@id")
    assert len(ids) == len(set(ids))


def test_a_page_in_ascii_says_the_same() -> None:
    made = hand_made()
    plain = render(made, "html", unicode=False)
    assert plain.isascii()
    assert lxml.html.document_fromstring(plain).text_content() == page_of(made).text_content()


# With the model


@pytest.mark.model
def test_the_embedded_model_makes_a_digest(said: Said, news: Path) -> None:
    find_model("gemma-3-270m")
    for path in sorted((news / "news").iterdir())[12:]:
        path.unlink()
    made = digest_of(said, "news", "--model", "gemma-3-270m", "--store", "kept.sqlite3")
    assert sum(len(story["sources"]) for story in made["stories"]) == 12
    assert sorted(len(story["sources"]) for story in made["stories"]) == [1, 1, 1, 2, 2, 2, 3]
    for story in made["stories"]:
        assert 3 <= len(story["headline"].split()) <= 20
        assert story["grounding"] == "supported"
    assert len(made["overview"]["evidence"]) >= 3
    again = digest_of(said, "news", "--model", "gemma-3-270m", "--store", "kept.sqlite3")
    assert again["stories"] == made["stories"]
    assert again["timing"]["from_store"] == 12
