"""Templates: every mistake is named, whatever the file holds; every template that loads gives briefs of its schema."""

import json
import re
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from localsum.brief import Brief, to_dict
from localsum.engine.scripted import ScriptedEngine
from localsum.errors import TemplateError
from localsum.pipeline import write_briefs
from localsum.readers import read_path
from localsum.render import render
from localsum.schema import json_schema
from localsum.templates import (
    RESERVED,
    RESERVED_PARTS,
    Extract,
    Shape,
    Template,
    advice,
    load_template,
    read_template,
    template_names,
)
from localsum.templates.lines import line_of, lines_of

ROOT = Path(__file__).parents[1]
NEWS = Path(__file__).parent / "data/articles/news.md"
CHAT = "{% for m in messages %}<turn>{{ m.role }}\n{{ m.content }}</turn>\n{% endfor %}<turn>model\n"
LINE = '[[field]]\nname = "a"\nshape = "line"\n'


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str | bytes], Template]:
    path = tmp_path_factory.mktemp("templates") / "mine.toml"

    def write_and_load(content: str | bytes) -> Template:
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return load_template(str(path))

    return write_and_load


def brief_of(template: Template, *, chat: str | None = None, script: Any = None, article: Path = NEWS) -> Brief:
    engine = ScriptedEngine(script, chat_template=chat)
    (outcome,) = write_briefs([read_path(article)], template, engine, model={"name": "scripted", "sha256": "00"})
    assert isinstance(outcome, Brief), outcome
    return outcome


def complaints(brief: Brief, template: Template) -> list[str]:
    """What is wrong with the JSON of a brief by the schema of its template."""
    found = Draft202012Validator(json_schema(template)).iter_errors(to_dict(brief))
    return [f"{error.json_path}: {error.message[:300]}" for error in found]


# Mistakes

MISTAKES = [
    ("", "template", "needs at least one [[field]]"),
    ('field = "a"', "template", "needs at least one [[field]]"),
    ("field = [1]", "template", "needs at least one [[field]]"),
    ('[field]\nname = "a"', "template", "needs at least one [[field]]"),
    (f'colour = "red"\n{LINE}', "template", "unknown key 'colour'"),
    (f"name = 3\n{LINE}", "template", "'name' must be a string"),
    (f"instruction = ['x']\n{LINE}", "template", "'instruction' must be a string"),
    ('[[field]]\nshape = "line"', "field 1", "a name is lower-case letters"),
    ('[[field]]\nname = "Title"\nshape = "line"', "field 'Title'", "a name is lower-case letters"),
    ('[[field]]\nname = "1st"\nshape = "line"', "field '1st'", "a name is lower-case letters"),
    (f'[[field]]\nname = "{"a" * 41}"\nshape = "line"', "field 'aaaa", "a name is lower-case letters"),
    ('[[field]]\nname = "é"\nshape = "line"', "field 'é'", "a name is lower-case letters"),
    ('[[field]]\nname = "a"', "field 'a'", "'shape' must be one of line, text"),
    ('[[field]]\nname = "a"\nshape = "prose"', "field 'a'", "'shape' must be one of line, text"),
    ('[[field]]\nname = "a"\nshape = ["line"]', "field 'a'", "'shape' must be one of line, text"),
    (f'{LINE}extract = "best"', "field 'a'", "'extract' must be one of headline, not 'best'"),
    (f'{LINE}extract = "directives"', "field 'a'", "'extract' must be one of headline, not 'directives'"),
    ('[[field]]\nname = "a"\nshape = "items"\nof = "line"\nextract = "topics"', "field 'a'", "'topics' are items of"),
    (
        '[[field]]\nname = "a"\nshape = "record"\n[[field.part]]\nname = "b"\nshape = "line"\nextract = "insights"',
        "field 'a', part 'b'",
        "'extract' must be one of sentence, consequence, owner, not 'insights'",
    ),
    (f'{LINE}colour = "red"', "field 'a'", "unknown key 'colour'"),
    (f"{LINE}ask = 1", "field 'a'", "'ask' must be a string"),
    (f'{LINE}ask = ["a", "b"]', "field 'a'", "of a field of shape 'text' it can be a list"),
    (f"{LINE}cue = ['x']", "field 'a'", "'cue' must be a string"),
    (f"{LINE}words = 0", "field 'a'", "'words' must be a whole number from 1 to 1000, not 0"),
    (f"{LINE}words = 1001", "field 'a'", "'words' must be a whole number"),
    (f"{LINE}words = 1.5", "field 'a'", "'words' must be a whole number"),
    (f"{LINE}words = true", "field 'a'", "'words' must be a whole number"),
    (f'{LINE}words = "9"', "field 'a'", "'words' must be a whole number"),
    (f"{LINE}sentences = 2", "field 'a'", "'sentences' must be two whole numbers"),
    (f"{LINE}sentences = [1]", "field 'a'", "'sentences' must be two whole numbers"),
    (f"{LINE}sentences = [0, 2]", "field 'a'", "'sentences' must be two whole numbers"),
    (f"{LINE}sentences = [3, 2]", "field 'a'", "'sentences' must be two whole numbers"),
    (f"{LINE}sentences = [1, true]", "field 'a'", "'sentences' must be two whole numbers"),
    (f"{LINE}sentences = [1, 21]", "field 'a'", "'sentences' must be two whole numbers"),
    (f"{LINE}count = [1, 2]", "field 'a'", "'of' and 'count' belong to shape 'items', not 'line'"),
    (f'{LINE}of = "text"', "field 'a'", "'of' and 'count' belong to shape 'items', not 'line'"),
    (f'{LINE}match = "cost"', "field 'a'", "'match' must be a list of words"),
    (f"{LINE}match = [1]", "field 'a'", "'match' must be a list of words"),
    (f'{LINE}options = ["x", "y"]', "field 'a'", "'options' belong to shape 'choice'"),
    (f"{LINE}{LINE}", "template", "two fields are named 'a'"),
    (f'{LINE}part = "x"', "field 'a'", "parts are written as [[field.part]]"),
    (f'{LINE}[[field.part]]\nname = "b"\nshape = "line"', "field 'a'", "shape 'line' has no parts"),
    ('[[field]]\nname = "a"\nshape = "choice"', "field 'a'", "a choice needs at least two options"),
    ('[[field]]\nname = "a"\nshape = "choice"\noptions = ["x"]', "field 'a'", "a choice needs at least two options"),
    ('[[field]]\nname = "a"\nshape = "choice"\noptions = ["x", "x"]', "field 'a'", "a choice needs at least two"),
    ('[[field]]\nname = "a"\nshape = "choice"\noptions = ["x", 1]', "field 'a'", "a choice needs at least two options"),
    ('[[field]]\nname = "a"\nshape = "choice"\noptions = ["x", " "]', "field 'a'", "option ' ' must be a short line"),
    ('[[field]]\nname = "a"\nshape = "choice"\noptions = ["x", "y\\nz"]', "field 'a'", "must be a short line"),
    (f'[[field]]\nname = "a"\nshape = "choice"\noptions = ["x", "{"y" * 61}"]', "field 'a'", "must be a short line"),
    ('[[field]]\nname = "a"\nshape = "choice"\noptions = {x = "", y = 1}', "field 'a'", "option 'y' must be"),
    ('[[field]]\nname = "a"\nshape = "items"\ncount = [0, 0]', "field 'a'", "'count' must be two whole numbers"),
    ('[[field]]\nname = "a"\nshape = "items"\ncount = [1, 21]', "field 'a'", "'count' must be two whole numbers"),
    ('[[field]]\nname = "a"\nshape = "items"\ncount = [-1, 2]', "field 'a'", "'count' must be two whole numbers"),
    ('[[field]]\nname = "a"\nshape = "items"\nof = "items"', "field 'a'", "items cannot hold items"),
    ('[[field]]\nname = "a"\nshape = "items"\nof = "record"', "field 'a'", "a record needs [[field.part]]"),
    ('[[field]]\nname = "a"\nshape = "items"\nof = "choice"', "field 'a'", "a choice says nothing alone"),
    ('[[field]]\nname = "a"\nshape = "record"', "field 'a'", "a record needs [[field.part]]"),
    ('[[field]]\nname = "a"\nshape = "items"\nof = "numbers"', "field 'a'", "a list of numbers is a shape of its own"),
    ('[[field]]\nname = "a"\nshape = "numbers"\nof = "text"', "field 'a'", "'of' and 'count' belong to shape 'items'"),
    ('[[field]]\nname = "a"\nshape = "numbers"\nextract = "quotes"', "field 'a'", "'extract' must be one of figures"),
    ('[[field]]\nname = "a"\nshape = "items"\nextract = "speakers"', "field 'a'", "'speakers' are items of lines"),
    ('[[field]]\nname = "a"\nshape = "items"\nextract = "matching"', "field 'a'", "'matching' needs 'match'"),
    (
        '[[field]]\nname = "a"\nshape = "text"\nextract = "matching"\nmatch = [" "]',
        "field 'a'",
        "'matching' needs 'match'",
    ),
    (
        '[[field]]\nname = "a"\nshape = "record"\n[[field.part]]\nname = "b"\nshape = "text"\nextract = "owner"',
        "field 'a', part 'b'",
        "'owner' is a line: a name",
    ),
    (
        '[[field]]\nname = "a"\nshape = "record"\n[[field.part]]\nname = "b"\nshape = "numbers"',
        "field 'a', part 'b'",
        "a part cannot be of shape 'numbers'",
    ),
    ('[[field]]\nname = "a"\nshape = "record"\n[[field.part]]\nname = "b"', "field 'a', part 'b'", "'shape' must be"),
    (
        '[[field]]\nname = "a"\nshape = "record"\n[[field.part]]\nname = "b"\nshape = "quote"',
        "field 'a', part 'b'",
        "a part cannot be of shape 'quote'",
    ),
    (
        '[[field]]\nname = "a"\nshape = "record"' + '\n[[field.part]]\nname = "b"\nshape = "line"' * 2,
        "field 'a'",
        "two fields are named 'b'",
    ),
    (
        '[[field]]\nname = "a"\nshape = "record"\n[[field.part]]\nname = "b"\nshape = "line"\n'
        '[[field.part.part]]\nname = "c"\nshape = "line"',
        "field 'a', part 'b'",
        "shape 'line' has no parts",
    ),
    (f"{LINE}[example]\ntext = 'x'", "template", "examples are written as [[example]]"),
    (f"{LINE}[[example]]\ntext = 'x'", "example 1", "needs a text, and a table of answers"),
    (f"{LINE}[[example]]\ntext = 'x'\nmood = 'y'", "example 1", "unknown key 'mood'"),
    (f"{LINE}[[example]]\nanswers = {{a = 'b'}}", "example 1", "needs a text, and a table of answers"),
    (f"{LINE}[[example]]\ntext = 'x'\nanswers = {{'Title:' = 'b'}}", "example 1", "no field has the cue 'Title:'"),
    (f"{LINE}cue = 'T:'\n[[example]]\ntext = 'x'\nanswers = {{'T:' = ' '}}", "example 1", "must be a string"),
    *(
        (f'[[field]]\nname = "{name}"\nshape = "line"', f"field '{name}'", "this name is used by the brief itself")
        for name in RESERVED
    ),
    *(
        (
            f'[[field]]\nname = "a"\nshape = "record"\n[[field.part]]\nname = "{name}"\nshape = "line"',
            f"field 'a', part '{name}'",
            "every item has this key already",
        )
        for name in RESERVED_PARTS
    ),
]


@pytest.mark.parametrize(("toml", "where", "reason"), MISTAKES)
def test_a_mistake_names_file_field_and_reason(load, toml: str, where: str, reason: str) -> None:
    with pytest.raises(TemplateError) as caught:
        load(toml)
    place, found, why = caught.value.message.split(": ", 2)
    file, _, line = place.partition(", line ")
    assert file.endswith("mine.toml")
    assert toml.count("\n") >= int(line or 1) - 1
    assert found.startswith(where)
    assert reason in why
    assert caught.value.hint == f"mend it; every mistake at once: localsum prompts check {file}"
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"name = ", "not valid TOML"),
        (b"\xff\xfe", "not valid TOML"),
        (b"a = " + b"[" * 50_000, "not valid TOML"),
        (b"a = " + b"1" * 5_000, "not valid TOML"),
        (b"#" * (256 * 1024 + 1), "larger than 256 KiB"),
    ],
)
def test_a_file_that_is_no_toml_is_a_template_error(load, content: bytes, reason: str) -> None:
    with pytest.raises(TemplateError, match=reason):
        load(content)


@pytest.mark.parametrize("name", ["nothing", "..", ".", "br\x00ief", "Brief", "br*ef", "../prompts/brief"])
def test_an_unknown_name_lists_the_known(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TemplateError) as caught:
        load_template(name)
    if "/" not in name:
        assert "there are: brief" in caught.value.message
    assert "--template" in caught.value.hint


@pytest.mark.parametrize("name", ["absent.toml", "./absent", "folder.toml", "nul\x00.toml", "~nobody-at-all/x.toml"])
def test_a_path_to_nothing_is_a_template_error(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(TemplateError):
        load_template(name)


def test_a_name_may_be_a_path(load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "short.toml").write_text(LINE)
    monkeypatch.chdir(tmp_path)
    by_path = load_template("./short.toml")
    assert by_path == load_template("short.toml") == load_template(str(tmp_path / "short.toml"))
    assert by_path.name == "short"
    assert by_path.sha256 != load("# another\n" + LINE).sha256


# All mistakes at once, each on its line

MANY = """colour = "red"
name = "bad"
[[field]]
name = "Title"
shape = "line"
words = 0
sentences = [3,
  2]
[[field]]
name = "mood"
shape = "poem"
cue = "Mood:"
[[field]] # [[not]] = "a header"
name = "it"
shape = "items"
extract = "topic"
ask = '''
[[field]]
words = 0'''
count = [0, 99]
 [[field.part]]
 name = "evidence"
 shape = "quote"
 [[field.part]]
 name = "it"
 shape = "choice"
  [field.part.options]
  good = "x"
  "b\\nad" = "y"
[[example]]
text = "x"
[example.answers]
"Mood:" = "x"
"Bar:" = ""
"""
MISTAKES_OF_MANY = {
    (1, "template", "unknown key 'colour'"),
    (4, "field 'Title'", "a name is lower-case letters"),
    (6, "field 'Title'", "'words' must be"),
    (7, "field 'Title'", "'sentences' must be"),
    (11, "field 'mood'", "'shape' must be"),
    (13, "field 'it'", "a record needs a text or a line"),
    (16, "field 'it'", "'extract' must be"),
    (20, "field 'it'", "'count' must be"),
    (22, "field 'it', part 'evidence'", "every item has this key"),
    (23, "field 'it', part 'evidence'", "a part cannot be of shape 'quote'"),
    (29, "field 'it', part 'it'", "option 'b\\nad' must be a short line"),
    (34, "example 1", "no field has the cue 'Bar:'"),
    (34, "example 1", "the answer to 'Bar:' must be a string"),
}


def test_every_mistake_is_found_on_its_line(load, tmp_path: Path) -> None:
    path = tmp_path / "many.toml"
    for ends in ("\n", "\r\n"):
        path.write_bytes(MANY.replace("\n", ends).encode())
        checked = read_template(str(path))
        assert checked.template is None
        found = {(one.line, one.where, one.reason) for one in checked.mistakes}
        assert len(found) == len(MISTAKES_OF_MANY)
        for line, where, reason in MISTAKES_OF_MANY:
            assert any((line, where) == one[:2] and reason in one[2] for one in found), (line, where, reason)


@pytest.mark.parametrize(
    ("toml", "line"), [('a = "x\n', 1), ("a = 1\n\nb = \n", 3), ('a = """\n\n', 3), ("a = 1\na = 2\n", 2)]
)
def test_a_mistake_of_syntax_has_its_line(toml: str, line: int, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(toml)
    (mistake,) = read_template(str(tmp_path / "mine.toml")).mistakes
    assert mistake.line == line


keys = st.sampled_from(["a", "b", '"c d"', "'e.f'", "a.b", "g"])
values = st.recursive(
    st.sampled_from(['"x"', "'#'", '"""\n[[a]]\n"""', "'''\nb = 1\\'''", '"\\""', "1", '"""a\\""""', '"[" # ]']),
    lambda inner: st.lists(inner.filter(lambda v: "# ]" not in v), max_size=3).map(
        lambda v: f"[{', '.join(v)},\n]" if v else "[]"
    ),
    max_leaves=3,
)
statements = st.one_of(
    st.tuples(keys, values).map(" = ".join),
    keys.map("[{}]".format),
    keys.map("[[{}]] # x".format),
    st.sampled_from(["", "# a = 1", "   "]),
)


def test_of_endless_paths_only_the_beginning_is_kept() -> None:
    text = "\n".join(f"[{'.'.join(['a'] * 400)}]\n{'.'.join(['b'] * 400)} = {number}" for number in range(1))
    lines = lines_of(text)
    assert max(map(len, lines)) <= 16
    assert line_of(("a",) * 400, lines) == 1


@given(st.lists(statements, max_size=12))
@settings(max_examples=300, deadline=None)
def test_lines_of_keys_are_where_they_stand(parts: list[str]) -> None:
    text = "\n".join(parts)
    try:
        table = tomllib.loads(text)
    except ValueError:
        return
    lines, rows = lines_of(text), text.split("\n")

    def walk(value: Any, path: tuple[str | int, ...]) -> None:
        assert path in lines, f"no line of {path} in {text!r}"
        word = [key for key in path if isinstance(key, str)][-1]
        assert word in rows[lines[path] - 1]
        for key, inner in value.items() if isinstance(value, dict) else ():
            walk(inner, (*path, key))
        if isinstance(value, list) and (*path, 0) in lines:  # an array of tables
            for number, inner in enumerate(value):
                walk(inner, (*path, number))

    for key, value in table.items():
        walk(value, (key,))
    assert line_of(("no", "such"), lines) is None


# No mistakes, and yet hardly meant

ADVICE = [
    (f"instruction = 'x'\n{LINE}ask = 'x'", 3, "no cue: base models are not asked"),
    (f"{LINE}ask = 'x'\ncue = 'T:'", 5, "no example answers 'T:'"),
    (f"{LINE}", 2, "no ask: instruct models are not asked"),
    (f"{LINE}ask = 'x'", None, "no instruction"),
    (f"{LINE}", None, "no description"),
    (f"{LINE}sentences = [1, 2]", 4, "'sentences' has no effect on shape 'line'"),
    (f"{LINE}match = ['x']", 4, "'match' has no effect on shape 'line'"),
    ('name = "x"\n[[field]]\nname = "a"\nshape = "text"\ncue = "A:"', 5, "'cue' has no effect on shape 'text'"),
    ('[[field]]\nname = "a"\nshape = "text"\nwords = 9\nsentences = [2, 3]', 4, "9 words are few for 2 sentences"),
    ('[[field]]\nname = "a"\nshape = "choice"\noptions = ["x", "y"]', 4, "no words that speak for the options"),
]


@pytest.mark.parametrize(("toml", "line", "reason"), ADVICE)
def test_advice_is_no_mistake(toml: str, line: int | None, reason: str, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(toml)
    checked = read_template(str(tmp_path / "mine.toml"))
    assert checked.template is not None
    assert [one.line for one in advice(checked) if reason in one.reason] == [line]


@pytest.mark.parametrize("name", template_names())
def test_there_is_nothing_to_advise_on_shipped_templates(name: str) -> None:
    assert advice(read_template(name)) == []


# Whatever a file holds, it is a template or a TemplateError

texts = st.text(st.characters(codec="utf-8", exclude_characters="\x7f", exclude_categories=["Cc", "Cs"]), max_size=8)
anything = st.recursive(
    st.booleans() | st.integers(-9, 2**40) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


def mostly(good: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.integers(0, 9).flatmap(lambda number: anything if number == 0 else good)


pairs = st.lists(st.integers(0, 6), min_size=2, max_size=2)
names = st.sampled_from(["a", "b", "title", "long_name_2", "source", "grounding"])
options = st.lists(texts, min_size=2, max_size=4) | st.dictionaries(texts, texts, min_size=2, max_size=4)


def rows(parts: st.SearchStrategy[Any] | None) -> st.SearchStrategy[dict[str, Any]]:
    optional = {
        "ask": texts,
        "cue": st.sampled_from(["T:", "U:"]),
        "extract": st.sampled_from(get_args(Extract)),
        "words": st.integers(0, 1001),
        "sentences": pairs,
        "count": pairs,
        "of": st.sampled_from(get_args(Shape)),
        "options": options,
        "match": st.lists(texts, max_size=2),
        "colour": texts,
    }
    if parts is not None:
        optional["part"] = st.lists(parts, max_size=2)
    return st.fixed_dictionaries(
        {"name": mostly(names), "shape": mostly(st.sampled_from(get_args(Shape)))},
        optional={key: mostly(value) for key, value in optional.items()},
    )


examples = st.fixed_dictionaries(
    {"text": mostly(texts), "answers": mostly(st.dictionaries(st.sampled_from(["T:", "U:"]), texts, max_size=2))}
)
tables = st.fixed_dictionaries(
    {"field": mostly(st.lists(rows(rows(None)), min_size=1, max_size=3))},
    optional={"name": mostly(texts), "instruction": mostly(texts), "example": mostly(st.lists(examples, max_size=2))},
)


def toml(value: Any) -> str:
    """A value as TOML in one line; strings are as in JSON."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{toml(str(key))} = {toml(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return repr(value) if isinstance(value, float) else json.dumps(value, ensure_ascii=False)


@given(tables)
@settings(max_examples=300, deadline=None)
def test_any_table_is_a_template_or_a_template_error(load, table: dict[str, Any]) -> None:
    try:
        template = load("".join(f"{key} = {toml(value)}\n" for key, value in table.items()))
    except TemplateError as error:
        complaint = error
    else:
        complaint = None
    if complaint:
        assert re.search(r"mine\.toml(, line \d+)?: ", complaint.message)
        assert "not valid TOML" not in complaint.message
        assert complaint.hint
    else:
        assert [field.name for field in template.fields] == [row["name"] for row in table["field"]]
        Draft202012Validator.check_schema(json_schema(template))


# What loads can be written

SHAPES = {
    "a line": 'shape = "line"',
    "a text": 'shape = "text"',
    "a choice": 'shape = "choice"\noptions = ["dry", "warm"]',
    "a quote": 'shape = "quote"',
    "items of text": 'shape = "items"',
    "items of line": 'shape = "items"\nof = "line"',
    "items of quote": 'shape = "items"\nof = "quote"',
    "numbers": 'shape = "numbers"',
}
_PARTS = """
  [[field.part]]
  name = "gist"
  shape = "line"
  [[field.part]]
  name = "mood"
  shape = "choice"
  options = ["dry", "warm"]
  [[field.part]]
  name = "body"
  shape = "text"
  [[field.part]]
  name = "effect"
  shape = "text"
  extract = "consequence"
  [[field.part]]
  name = "who"
  shape = "line"
  extract = "owner"
"""
SHAPES["items of record"] = f'shape = "items"{_PARTS}'
SHAPES["items of a line and a text"] = """shape = "items"
  [[field.part]]
  name = "heading"
  shape = "line"
  [[field.part]]
  name = "body"
  shape = "text"
"""
SHAPES["a record"] = f'shape = "record"{_PARTS}'


@pytest.mark.parametrize("chat", [None, CHAT], ids=["extractive", "written"])
@pytest.mark.parametrize("extract", get_args(Extract))
@pytest.mark.parametrize("shape", SHAPES)
def test_what_loads_gives_a_brief_of_its_schema(load, shape: str, extract: str, chat: str | None) -> None:
    """Every shape with every extract: a template that is refused is fine, one that loads must work."""
    toml = (
        f'[[field]]\nname = "it"\nask = "Say it."\ncue = "It:"\nextract = "{extract}"\nmatch = ["a"]\n{SHAPES[shape]}'
    )
    try:
        template = load(toml)
    except TemplateError:
        return
    brief = brief_of(template, chat=chat)
    assert not complaints(brief, template)
    assert brief["it"] or brief.warnings, "empty, and no word why"


def test_some_combination_of_every_shape_and_extract_loads(load) -> None:
    """So that the test above cannot pass by refusing everything."""
    loaded = set()
    for name, shape in SHAPES.items():
        for extract in get_args(Extract):
            try:
                load(f'[[field]]\nname = "it"\nextract = "{extract}"\nmatch = ["a"]\n{shape}')
            except TemplateError:
                continue
            loaded |= {name, extract}
    missing = {*SHAPES, *get_args(Extract)} - loaded - {"sentence", "consequence", "owner"}
    assert not missing


@pytest.mark.parametrize("chat", [None, CHAT], ids=["extractive", "written"])
def test_fields_without_ask_and_cue_are_taken_from_the_source(load, chat: str | None) -> None:
    template = load('[[field]]\nname = "gist"\nshape = "text"\n[[field]]\nname = "said"\nshape = "quote"')
    brief = brief_of(template, chat=chat)
    assert brief.fields["gist"].mode == "extractive"
    assert str(brief["gist"])[:40] in brief.document.text
    assert not complaints(brief, template)


def test_an_instruct_model_may_be_asked_for_a_quote_only(load) -> None:
    template = load('[[field]]\nname = "said"\nshape = "items"\nof = "quote"\ncount = [1, 2]\nask = "Copy it."')
    brief = brief_of(template, chat=CHAT)
    assert brief["said"]
    assert not complaints(brief, template)


MINE = """
description = "Fields that the default brief lacks."
instruction = "Read this. {fields}"
[[field]]
name = "kicker"
shape = "line"
ask = "Write a kicker."
words = 9
[[field]]
name = "gist"
shape = "text"
ask = "Say it in two sentences."
sentences = [1, 2]
words = 50
[[field]]
name = "mood"
shape = "choice"
ask = "Is it dry or warm?"
options = { dry = "cost price contract pound", warm = "love family" }
[[field]]
name = "said"
shape = "quote"
[[field]]
name = "money"
shape = "items"
count = [1, 2]
match = ["cost", "contract"]
words = 45
ask = "What costs what?"
[[field]]
name = "claims"
shape = "items"
ask = "List claims."
count = [1, 2]
  [[field.part]]
  name = "claim"
  shape = "text"
  words = 45
  [[field.part]]
  name = "kind"
  shape = "choice"
  options = ["fact", "view"]
[[field]]
name = "verdict"
shape = "record"
ask = "Judge."
  [[field.part]]
  name = "judgement"
  shape = "text"
  [[field.part]]
  name = "mood"
  shape = "choice"
  options = ["dry", "warm"]
"""


@pytest.mark.parametrize("chat", [None, CHAT], ids=["extractive", "written"])
def test_a_template_of_ones_own_decides_what_a_brief_holds(load, chat: str | None) -> None:
    template = load(MINE)
    brief = brief_of(template, chat=chat)
    names = ["kicker", "gist", "mood", "said", "money", "claims", "verdict"]
    assert list(brief.fields) == names
    assert [name for name in to_dict(brief) if name in names] == names
    assert not complaints(brief, template)
    for name in names:
        assert brief[name], f"{name} is empty"
    assert len(brief["money"]) <= 2
    assert len(brief["verdict"]) == 1
    assert set(brief["verdict"][0].parts) == {"judgement", "mood"}
    assert set(brief["claims"][0].parts) == {"claim", "kind"}
    assert brief["mood"] == "dry"


def test_match_prefers_sentences_with_its_words(load) -> None:
    row = '[[field]]\nname = "it"\nshape = "items"\ncount = [1, 2]\nwords = 60\n'
    plain, asked = load(row), load(row + 'match = ["insur", "underwriter"]')

    def found(template: Template) -> str:
        return " ".join(item.parts["text"] for item in brief_of(template)["it"])

    assert "Insurance" not in found(plain)
    assert "Insurance" in found(asked)


@pytest.mark.parametrize("chat", [None, CHAT], ids=["extractive", "written"])
@pytest.mark.parametrize("shape", ["record", "items"])
def test_records_keep_the_words_of_a_line_short(load, shape: str, chat: str | None) -> None:
    toml = f'[[field]]\nname = "it"\nshape = "{shape}"\nask = "Say."\n'
    toml += '[[field.part]]\nname = "gist"\nshape = "line"\nwords = 8\n[[field.part]]\nname = "body"\nshape = "text"'
    for item in brief_of(load(toml), chat=chat)["it"]:
        assert 0 < len(item.parts["gist"].split()) <= 8
        assert item.parts["gist"] != item.parts["body"]


# What an instruct model answers arrives in its field

ANSWERS = {
    "gist": "The company operates 22 ferries on nine routes and carries 6.4 million passengers a year.",
    "mood": "warm",
    "claims": "- Each computer costs £3,100 and draws 140 watts.\n  Kind: fact",
    "verdict": "- Each computer costs £3,100 and draws 140 watts.\n  Mood: warm",
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_arrives_in_its_field(load, name: str) -> None:
    brief = brief_of(load(MINE), chat=CHAT, script={f"0.{name}": ANSWERS[name]})
    value = brief[name]
    found = value if isinstance(value, str) else list(value[0].parts.values())
    wanted = ANSWERS[name] if isinstance(value, str) else re.split(r"^- |\n  \w+: ", ANSWERS[name])[1:]
    assert found == wanted
    assert brief.fields[name].mode in ("written", "mixed")


# What is shipped, and what is documented


@pytest.mark.parametrize("name", template_names())
def test_every_shipped_template_loads_and_writes(name: str) -> None:
    template = load_template(name)
    assert template.name == name
    assert template.description
    for chat in (None, CHAT):
        brief = brief_of(template, chat=chat)
        assert not complaints(brief, template)
        assert list(brief.fields) == [field.name for field in template.fields]


def test_shipped_templates_ask_every_kind_of_model() -> None:
    assert "brief" in template_names()
    for name in template_names():
        template = load_template(name)
        assert template.instruction
        assert all(field.ask or field.extract in ("speakers", "tasks") for field in template.fields)


@pytest.mark.parametrize(
    ("name", "example"),
    [("executive", "open-weights-fund"), ("research", "study-reading-aloud"), ("transcript", "meeting-library-desk")],
)
def test_what_the_other_shipped_templates_make_of_an_example(
    name: str, example: str, golden: Callable[[str, str], None]
) -> None:
    """By the document's own words alone: a model adds titles, headings and, if it takes instructions, its own texts."""
    template = load_template(name)
    brief = brief_of(template, article=ROOT / f"examples/{example}.md")
    assert not complaints(brief, template)
    shown = replace(brief, document=replace(brief.document, path=f"{example}.md"))
    golden(f"templates/{name}.md", render(shown, "md", footnotes=True))
    golden(f"templates/{name}-40.txt", render(shown, "terminal", width=40))


@pytest.mark.parametrize("name", template_names())
@pytest.mark.parametrize("chat", [None, CHAT], ids=["extractive", "written"])
def test_every_shipped_template_fits_any_kind_of_document(name: str, chat: str | None) -> None:
    template = load_template(name)
    for example in ("chip-lease", "study-reading-aloud", "meeting-library-desk", "weekly-letter"):
        brief = brief_of(template, chat=chat, article=ROOT / f"examples/{example}.md")
        assert not complaints(brief, template)
        for field in brief.fields.values():  # empty only with a reason
            assert field.value or field.warnings


def test_the_example_of_the_documentation_works(load) -> None:
    text = (ROOT / "prompts/README.md").read_text(encoding="utf-8")
    (toml,) = re.findall(r"^```toml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    template = load(toml)
    assert template.name == "risks"
    assert template.examples
    for chat in (None, CHAT):
        brief = brief_of(template, chat=chat)
        assert not complaints(brief, template)
        assert all(brief.fields[field.name].value for field in template.fields)


def test_the_documentation_names_every_key_shape_and_extract() -> None:
    text = (ROOT / "prompts/README.md").read_text(encoding="utf-8")
    keys = {"name", "description", "instruction", "ask", "cue", "words", "sentences", "count", "of", "options", "match"}
    wanted = {*keys, "shape", "extract", *get_args(Shape), *get_args(Extract), *RESERVED, *RESERVED_PARTS}
    assert sorted(word for word in wanted if f"`{word}`" not in text) == []
