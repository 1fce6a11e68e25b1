"""The published schema and the JSON of a brief agree: what `to_dict` makes is valid, anything else is not."""

import copy
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import briefs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from localsum.brief import Brief, FieldResult, Figure, Grounding, Item, Mode, Quote, Value, Verdict, to_dict
from localsum.document import Document, Span
from localsum.schema import json_schema
from localsum.templates import Field, Shape, Template, load_template, template_names

EVERY_SHAPE = """
name = "every-shape"
description = "A field of each shape."
[[field]]
name = "headline"
shape = "line"
[[field]]
name = "abstract"
shape = "text"
ask = "Say it."
[[field]]
name = "risk"
shape = "choice"
options = ["low", "high"]
[[field]]
name = "pull_quote"
shape = "quote"
[[field]]
name = "sizes"
shape = "numbers"
count = [0, 2]
[[field]]
name = "people"
shape = "items"
of = "line"
[[field]]
name = "quotes"
shape = "items"
of = "quote"
count = [0, 1]
[[field]]
name = "claims"
shape = "items"
  [[field.part]]
  name = "text"
  shape = "text"
  [[field.part]]
  name = "kind"
  shape = "choice"
  options = ["fact", "view"]
[[field]]
name = "verdict"
shape = "record"
  [[field.part]]
  name = "text"
  shape = "line"
"""


@pytest.fixture(scope="module")
def every_shape(tmp_path_factory: pytest.TempPathFactory) -> Template:
    path = tmp_path_factory.mktemp("templates") / "every-shape.toml"
    path.write_text(EVERY_SHAPE, encoding="utf-8")
    return load_template(str(path))


# Briefs that fit a template

texts = st.text(max_size=12)
spans = st.tuples(st.integers(0, 99), st.integers(0, 99)).map(lambda pair: Span(min(pair), max(pair)))
groundings = st.builds(
    Grounding,
    st.sampled_from(get_args(Verdict)),
    st.lists(spans, max_size=2).map(tuple),
    st.lists(texts, max_size=2).map(tuple),
)
quotes = st.builds(
    Quote, st.text(min_size=1, max_size=9), st.integers(0, 99), st.integers(0, 99), st.one_of(st.none(), texts)
)
figures = st.builds(
    Figure, st.text(min_size=1), st.integers(0, 99), st.integers(0, 99), st.text(min_size=1), texts, texts, groundings
)


def one(shape: Shape, options: tuple[tuple[str, str], ...]) -> st.SearchStrategy[str]:
    return st.sampled_from([*(name for name, _ in options), ""]) if shape == "choice" else texts


def item(field: Field) -> st.SearchStrategy[Item]:
    parts = {part.name: one(part.shape, part.options) for part in field.parts} or {"text": one(field.of, field.options)}
    return st.builds(Item, st.fixed_dictionaries(parts), groundings)


def value(field: Field) -> st.SearchStrategy[Value]:
    if field.shape in ("line", "text", "choice"):
        return one(field.shape, field.options)
    entry = quotes if "quote" in (field.shape, field.of) else figures if field.shape == "numbers" else item(field)
    return st.lists(entry, max_size=field.count[1] if field.shape in ("items", "numbers") else 1).map(tuple)


def result(field: Field) -> st.SearchStrategy[FieldResult]:
    grounding = st.one_of(st.none(), groundings) if field.shape in ("line", "text", "choice") else st.none()
    return st.builds(FieldResult, st.just(field.name), value(field), st.sampled_from(get_args(Mode)), grounding)


def brief(template: Template) -> st.SearchStrategy[Brief]:
    maybe = st.one_of(st.none(), texts)
    document = st.builds(
        Document,
        st.text(st.characters(exclude_categories=["Cs"])),
        st.just(()),
        *(maybe, texts, maybe, maybe, maybe, maybe),
    )
    return st.builds(
        Brief,
        document,
        st.tuples(*map(result, template.fields)).map(lambda results: {each.name: each for each in results}),
        st.just({"name": "scripted", "sha256": ""}),
        st.just({"name": template.name, "sha256": template.sha256}),
        st.dictionaries(texts, st.floats(0, 1e6) | st.integers(0, 9**9), max_size=3),
        st.lists(texts, max_size=2).map(tuple),
        st.sampled_from([None, "de"]),
    )


@pytest.mark.parametrize("name", template_names())
def test_the_schema_of_a_shipped_template_is_itself_valid(name: str) -> None:
    Draft202012Validator.check_schema(json_schema(load_template(name)))


def test_the_schema_of_every_shape_is_itself_valid(every_shape: Template) -> None:
    Draft202012Validator.check_schema(json_schema(every_shape))


@given(st.data())
@settings(max_examples=50)
def test_every_brief_of_a_template_is_valid(every_shape: Template, data: st.DataObject) -> None:
    for template in (load_template(), every_shape):
        made = to_dict(data.draw(brief(template)))
        schema = json_schema(template)
        Draft202012Validator(schema).validate(made)
        assert list(schema["properties"]) == schema["required"] == list(made)
        assert list(schema["properties"]["mode"]["properties"]) == list(made["mode"])


def changes(value: Any, schema: dict[str, Any], root: dict[str, Any], where: str = "") -> Iterator[tuple[str, Any]]:
    """Each way to spoil `value` in one place, by what its schema says: names for people, and the spoilt value."""
    schema = {**root["$defs"][schema["$ref"].rsplit("/", 1)[1]], **schema} if "$ref" in schema else schema
    yield f"{where}: of another type", {"not": ["what", "was", "meant"]}
    if "pattern" in schema or "const" in schema or "enum" in schema:
        yield f"{where}: another text", "no such thing"
    if isinstance(value, dict):
        if schema["additionalProperties"] is False:
            yield f"{where}: one key more", {**value, "extra": "x"}
        for key, part in value.items():
            if key in schema.get("required", ()):
                yield f"{where}/{key}: left out", {other: value[other] for other in value if other != key}
            below = schema["properties"][key] if "properties" in schema else schema["additionalProperties"]
            for name, spoilt in changes(part, below, root, f"{where}/{key}"):
                yield name, {**value, key: spoilt}
    elif isinstance(value, list):
        if "maxItems" in schema and value:
            yield f"{where}: too many", [value[0]] * (schema["maxItems"] + 1)
        for number, part in enumerate(value):
            for name, spoilt in changes(part, schema["items"], root, f"{where}/{number}"):
                yield name, [*value[:number], spoilt, *value[number + 1 :]]
    elif isinstance(value, int | float):
        yield f"{where}: below nothing", -1


def test_a_brief_spoilt_anywhere_is_invalid() -> None:
    schema = json_schema(load_template())
    made = to_dict(briefs.full())
    validator = Draft202012Validator(schema)
    validator.validate(made)
    spoilt = list(changes(made, schema, schema))
    assert len(spoilt) > 200
    accepted = [where for where, value in spoilt if validator.is_valid(value)]
    assert accepted == []


def test_figures_spoilt_anywhere_are_invalid(tmp_path: Path) -> None:
    path = tmp_path / "sizes.toml"
    names = ("title", "numbers", "more_numbers", "prices")
    path.write_text(
        '[[field]]\nname = "title"\nshape = "line"\n'
        + "".join(f'[[field]]\nname = "{name}"\nshape = "numbers"\n' for name in names[1:])
    )
    schema = json_schema(load_template(str(path)))
    made = to_dict(replace(briefs.numbers(), template={"name": "sizes", "sha256": "0" * 64}))
    validator = Draft202012Validator(schema)
    validator.validate(made)
    spoilt = list(changes(made["numbers"], schema["properties"]["numbers"], schema))
    assert len(spoilt) > 40
    assert [where for where, value in spoilt if validator.is_valid({**made, "numbers": value})] == []


@pytest.mark.parametrize("place", ["summary", "quotes", "key_insights"])
def test_null_is_no_value_of_a_field(place: str) -> None:
    made = copy.deepcopy(to_dict(briefs.full()))
    made[place] = None
    assert not Draft202012Validator(json_schema(load_template())).is_valid(made)


def test_a_field_that_the_template_lacks_is_invalid(every_shape: Template) -> None:
    assert not Draft202012Validator(json_schema(every_shape)).is_valid(to_dict(briefs.full()))


def test_choices_are_the_options_or_empty(every_shape: Template) -> None:
    properties = json_schema(every_shape)["properties"]
    assert properties["risk"]["enum"] == ["low", "high", ""]
    assert properties["claims"]["items"]["properties"]["kind"]["enum"] == ["fact", "view", ""]


def test_every_property_says_what_it_is(every_shape: Template) -> None:
    def undocumented(schema: Any, where: str) -> Iterator[str]:
        if isinstance(schema, list):
            for number, part in enumerate(schema):
                yield from undocumented(part, f"{where}/{number}")
        if isinstance(schema, dict):
            for name, part in schema.get("properties", {}).items() if "type" in schema else ():
                if not part.get("description"):
                    yield f"{where}/{name}"
            for name, part in schema.items():
                yield from undocumented(part, f"{where}/{name}")

    for template in (load_template(), every_shape):
        assert list(undocumented(json_schema(template), "")) == []


def test_the_schema_file_needs_nothing_from_elsewhere(every_shape: Template) -> None:
    text = str(json_schema(every_shape))
    assert str(Path.cwd()) not in text
    assert text.count("https://") == 1  # the draft's own name
