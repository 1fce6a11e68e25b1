"""`localsum prompts`: what ships is listed and shown, copies are templates, all mistakes told, trying shows all."""

import json
import os
import re
from pathlib import Path

import pytest
from command_line import CHAT, Said, Stand

from localsum.templates import load_template, read_template, template_names

ARTICLES = Path(__file__).parent / "data/articles"
NEWS = str(ARTICLES / "news.md")
BAD = '[[field]]\nname = "a"\nshape = "poem"\nwords = 0\n'


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


# list, show, new


def test_the_list_says_what_each_is(said: Said) -> None:
    code, out, err = said("prompts")
    assert code == 0
    assert (out, err) == said("prompts", "list")[1:]
    rows = dict(line.split(None, 1) for line in out.splitlines())
    assert rows == {name: load_template(name).description for name in template_names()}
    assert "localsum prompts new" in err


def test_those_of_a_folder_are_listed_by_their_path(here: Path, said: Said) -> None:
    (here / "mine").mkdir()
    (here / "mine/good.toml").write_text('description = "My\\u001b[31m own."\n[[field]]\nname = "a"\nshape = "line"\n')
    (here / "mine/bad.toml").write_text(BAD)
    code, out, err = said("prompts", "list", "mine")
    assert code == 0
    assert out.splitlines()[-1].split() == ["mine/good.toml", "My", "own."]
    assert "left out: mine/bad.toml, line 3" in err
    rows = json.loads(said("prompts", "list", "mine", "--json")[1])
    assert rows[-1] == {"name": "mine/good.toml", "description": "My\x1b[31m own.", "fields": ["a"]}
    assert [row["name"] for row in rows[:-1]] == template_names()


@pytest.mark.parametrize("name", template_names())
def test_a_template_is_shown_to_the_letter(name: str, said: Said) -> None:
    assert said("prompts", "show", name) == (0, read_template(name).text, "")


@pytest.mark.parametrize("source", template_names())
def test_a_copy_is_the_same_template_by_another_name(source: str, here: Path, said: Said) -> None:
    code, out, err = said("prompts", "new", "mine", "--from", source)
    assert (code, out) == (0, "")
    assert "localsum prompts check mine.toml" in err
    assert "localsum prompts try mine.toml FILE" in err
    made, old = load_template("mine.toml"), load_template(source)
    assert made.name == "mine"
    assert (made.fields, made.examples, made.instruction) == (old.fields, old.examples, old.instruction)
    assert (here / "mine.toml").stat().st_mode & 0o077 == 0 or os.name == "nt"
    assert said("prompts", "check", "mine.toml")[:2] == (0, "")


def test_a_copy_replaces_nothing_unless_it_is_told_to(here: Path, said: Said) -> None:
    (here / "mine.toml").write_text("precious")
    assert said("prompts", "new", "./mine.toml")[0] == 2
    assert (here / "mine.toml").read_text() == "precious"
    assert said("prompts", "new", "./mine.toml", "--force")[0] == 0
    assert load_template("mine.toml").name == "mine"
    assert sorted(path.name for path in here.iterdir()) == ["mine.toml"]


def test_a_copy_of_ones_own_keeps_what_is_in_it(here: Path, said: Said) -> None:
    for head in ("", "name = 'old' # mine\n", 'name = """\nold"""\n'):
        text = f'# a\n{head}[[field]]\nname = "name"\nshape = "line"\n'
        (here / "old.toml").write_text(text)
        assert said("prompts", "new", 'ne"w', "--from", "old.toml", "--force")[0] == 0
        assert load_template('ne"w.toml').name == ('ne"w' if '"""' not in head else "old")
        assert load_template('ne"w.toml').fields[0].name == "name"
        assert (here / 'ne"w.toml').read_text().count("\n") == text.count("\n")


# check


def test_check_tells_every_mistake_where_it_stands(here: Path, said: Said) -> None:
    (here / "bad.toml").write_text(BAD)
    code, out, err = said("prompts", "check", "bad.toml")
    assert code == 2
    assert [line.split(": ")[:3] for line in out.splitlines()] == [
        ["bad.toml:3", "mistake", "field 'a'"],
        ["bad.toml:4", "mistake", "field 'a'"],
    ]
    assert "2 mistakes" in err
    assert err.rstrip().endswith("localsum prompts check bad.toml")
    assert [row["line"] for row in json.loads(said("prompts", "check", "bad.toml", "--json")[1])] == [3, 4]


def test_advice_fails_nothing(here: Path, said: Said) -> None:
    (here / "mine.toml").write_text('[[field]]\nname = "a"\nshape = "text"\n')
    code, out, err = said("prompts", "check", "mine.toml")
    assert code == 0
    assert "mine.toml:2: advice: field 'a': no ask" in out
    assert "no mistakes" in err
    assert {row["kind"] for row in json.loads(said("prompts", "check", "mine.toml", "--json")[1])} == {"advice"}


def test_the_template_of_the_settings_is_none_of_an_argument(here: Path, said: Said, monkeypatch) -> None:
    (here / "config.toml").write_text('template = "digest"\n')
    monkeypatch.setenv("LOCALSUM_CONFIG", str(here / "config.toml"))
    assert "Missing argument 'NAME|PATH'" in said("prompts", "show")[2]


def test_a_check_obeys_nothing_that_the_file_says(here: Path, said: Said) -> None:
    (here / "bad.toml").write_text('"\\u001b[31m" = 1\n[[field]]\nname = "\\u0007"\nshape = "\u202epoem"\n')
    _, out, err = said("prompts", "check", "bad.toml")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e]", out + err)


# try


@pytest.mark.parametrize("chat", [None, CHAT], ids=["extractive", "written"])
def test_trying_shows_what_was_asked_and_what_became_of_it(chat, said: Said, stand: type[Stand], monkeypatch) -> None:
    monkeypatch.setattr(stand, "chat", chat)
    code, out, err = said("prompts", "try", "brief", NEWS, "--quiet")
    assert (code, err) == (0, "")
    template = load_template("brief")
    places = [out.index(f"\n{each.name}: ") for each in template.fields]
    assert places == sorted(places)
    assert "Prompt 1, read once for " in out
    if chat:
        assert "Write the opening paragraph of a news agency report" in out
        assert "summary~2, after prompt 1: " in out
        assert template.instruction[:40] in out
    else:
        assert "Headline: Orlen pays $14 million" in out
        assert "The model was not asked." in out
    assert "grammar\n  | start: " in out
    assert "\nverbatim, " in out
    assert re.search(r"\nsupported(: [^\n]*)? \(evidence: \d+ to \d+", out)


def test_the_json_of_a_trial_has_all(said: Said, stand: type[Stand], monkeypatch) -> None:
    monkeypatch.setattr(stand, "chat", CHAT)
    code, out, _ = said("prompts", "try", "headline", NEWS, "--quiet", "--json")
    assert code == 0
    found = json.loads(out)
    (reading, *_) = found["requests"]
    assert reading["prefix"][0] == {"text": "<turn>user\n", "special": True}
    assert Path(NEWS).read_text(encoding="utf-8")[-60:].strip() in reading["prefix"][1]["text"]
    assert {one["field"] for one in reading["branches"]} == {"title", "summary"}
    by_id = {one["id"]: one for one in reading["branches"]}
    engine = stand.made[-1]
    ask = by_id["0.title"]["suffix"][0]["text"]
    assert ask.endswith(load_template("headline").field("title").ask)
    assert by_id["0.title"]["suffix_tokens"] == sum(engine.count_tokens(s["text"]) for s in by_id["0.title"]["suffix"])
    assert reading["prefix_tokens"] == sum(engine.count_tokens(s["text"]) for s in reading["prefix"])
    assert found["brief"]["template"]["name"] == "headline"


@pytest.mark.model
def test_a_trial_by_the_real_model_counts_every_token(said: Said) -> None:
    code, out, _ = said("prompts", "try", "brief", NEWS, "--model", "gemma-3-270m", "--quiet", "--json")
    assert code == 0
    found = json.loads(out)
    (reading,) = found["requests"]
    assert "Orlen pays $14 million" in reading["prefix"][0]["text"]
    counts = [reading["prefix_tokens"], *(one["suffix_tokens"] for one in reading["branches"])]
    assert min(counts) > 0
    assert sum(counts) == found["brief"]["timing"]["prompt_tokens"]
    assert sum(one["sampled_tokens"] for one in reading["branches"]) == found["brief"]["timing"]["sampled_tokens"]
    headings = [one for one in reading["branches"] if one["field"] == "sections"]
    assert headings
    for one in headings:
        assert json.dumps(one["answer"][1:], ensure_ascii=False) in one["grammar"], "not one of the options"


def test_a_trial_shows_nothing_that_a_terminal_obeys(here: Path, said: Said, stand: type[Stand], monkeypatch) -> None:
    text = "The \x1b[31mregulator\u202e opened a case on Monday. It asked five firms for their records.\n" * 3
    (here / "hostile.md").write_text(text, encoding="utf-8")
    toml = '[[field]]\nname = "a"\nshape = "text"\nask = "Say\\u001b[2J it."\n[[field]]\nname = "b"\nshape = "quote"\n'
    (here / "mine.toml").write_text('instruction = "x\\u0007"\n' + toml)
    monkeypatch.setattr(stand, "chat", CHAT)
    code, out, err = said("prompts", "try", "mine.toml", "hostile.md")
    assert code == 0
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e]", out + err)
    assert "Say it." in out


def test_of_a_long_prompt_the_middle_is_left_out(here: Path, said: Said, stand: type[Stand], monkeypatch) -> None:
    sentences = [f"Depot number {n} of the ferry company closed for {n} days." for n in range(2, 200)]
    (here / "long.md").write_text(" ".join(sentences))
    monkeypatch.setattr(stand, "chat", CHAT)
    out = said("prompts", "try", "headline", "long.md", "--quiet")[1]
    assert sentences[0] in out
    assert sentences[100] not in out
    assert "characters, see --json …]" in out


def test_of_many_documents_the_first_is_tried(here: Path, said: Said, stand: type[Stand]) -> None:
    rows = [{"text": f"The harbour of {town} opened its new lock on Monday. It cost 4 million."} for town in "AB"]
    (here / "two.jsonl").write_text("\n".join(map(json.dumps, rows)))
    code, out, err = said("prompts", "try", "headline", "two.jsonl")
    assert code == 0
    assert "harbour of A" in out
    assert "harbour of B" not in out
    assert "the first is taken" in err
    assert stand.made[-1].is_closed
