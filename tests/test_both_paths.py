"""The two ways of prompting, with real models: a base model by cue, an instruct model by its own chat template."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import Said
from jsonschema import Draft202012Validator

from localsum.errors import ModelError
from localsum.models import find_model
from localsum.schema import json_schema
from localsum.templates import load_template

TEMPLATE = """
name = "short"
description = "Title, summary and quotes."
instruction = "Summarize the following article. Use only its own facts, names and numbers."

[[field]]
name = "title"
shape = "line"
words = 14
extract = "headline"
cue = "Headline:"
ask = "Headline of at most 12 words that says who did what:"

[[field]]
name = "summary"
shape = "text"
sentences = [1, 2]
words = 50
extract = "central"
cue = "Summary:"
ask = "Summary of the article in two sentences:"

[[field]]
name = "quotes"
shape = "items"
of = "quote"
count = [0, 2]
words = 45
extract = "quotes"
cue = "The most telling sentence of the article:"
ask = "Copy the most telling sentence of the article, word for word."

[[example]]
text = "The town of Hessom will close its only cinema in June. The owner found no buyer in two years of looking."
[example.answers]
"Headline:" = "Hessom's only cinema closes in June after no buyer is found"
"""
ARTICLE = """The harbour town of Veldrin lent its old customs house to a company that repairs ship engines on Monday.
The council voted for it by eleven votes to four. The lease runs for twelve years and costs 900 euros a month.

"We looked for a hall with a crane for two years," said Marta Oyelaran, who leads the company. "Now we have one."

The company wants to hire thirty people until the summer. The harbour office will move into the town hall in May.
"""


@pytest.mark.model
@pytest.mark.parametrize(("name", "has_chat"), [("gemma-3-270m", False), ("smollm2-135m-it", True)])
def test_a_real_model_writes_a_brief(name: str, has_chat: bool, tmp_path: Path, said: Said) -> None:
    try:
        model = find_model(name)
    except ModelError as error:
        pytest.skip(f"{error.message} {error.hint}")
    (tmp_path / "short.toml").write_text(TEMPLATE, encoding="utf-8")
    (tmp_path / "veldrin.md").write_text(ARTICLE, encoding="utf-8")
    line = ["brief", str(tmp_path / "veldrin.md"), "--template", str(tmp_path / "short.toml"), "--model", name]
    code, out, err = said(*line, "--format", "json", "--no-store", "--context", "2048")
    assert code == 0, err
    brief = json.loads(out)
    schema = json_schema(load_template(str(tmp_path / "short.toml")))
    assert list(Draft202012Validator(schema).iter_errors(brief)) == []
    assert brief["model"] == {"name": name, "sha256": model.sha256}
    assert brief["title"]
    assert brief["summary"]
    assert all(quote["text"] in ARTICLE for quote in brief["quotes"])
    # Both are really asked: the base model for a few lines that continue, the other for whole answers in its turns.
    sampled = brief["timing"]["sampled_tokens"]
    assert sampled > 20 if has_chat else sampled > 0
    assert has_chat or "written" not in brief["mode"].values()
