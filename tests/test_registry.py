"""What must hold of models/registry.toml, and of the two models it knows that come as Python packages."""

from __future__ import annotations

import hashlib
import importlib.util
import re
import shutil
import time
import tomllib
from pathlib import Path

import pytest

from localsum import gguf, models
from localsum.models import find_model
from localsum.resources import resource


def test_registry_rows_have_their_form(tmp_path, monkeypatch):
    monkeypatch.setenv("LOCALSUM_MODELS", str(tmp_path))  # a registry of the user's own has other rows
    rows = models.registry()
    assert len(rows) >= 10
    for unique in ["name", "file", "sha256"]:
        assert len({getattr(row, unique) for row in rows}) == len(rows)
    for row in rows:
        assert re.fullmatch(r"[a-z0-9][a-z0-9-]*", row.name), row
        assert row.file.endswith(".gguf"), row
        assert Path(row.file).name == row.file
        assert row.role == ("instruct" if "-it" in row.name or row.base else "base")
        assert re.fullmatch(r"[0-9a-f]{64}", row.sha256), row
        assert row.bytes > 90_000_000
        assert row.confidence in {"checked", "A", "B", "unknown"}
        assert row.licence in {"Gemma Terms of Use", "Apache-2.0"}
        assert row.gated is False
        assert row.context % 8192 == 0
        assert row.bytes / 1e9 < row.ram_gb < 16
        assert set(row.sampling) <= {"temperature", "top_k", "top_p", "min_p"}
        assert [bool(row.repo), bool(row.parts), bool(row.base)].count(True) == 1
        assert bool(row.install) == (not row.repo)
        assert bool(row.base) == bool(row.adapter)
        assert not row.base or row.adapter_path.is_file()
        assert row.revision is None or re.fullmatch(r"[0-9a-f]{40}", row.revision)
    assert rows[0].name == "gemma-3-270m"
    assert {row.name: row.thinking_off for row in rows}["gemma-4-12b-it"] == "<|channel>thought\n<channel|>"
    assert [row.name for row in rows if row.repo and not row.revision] == ["gemma-3-1b-it"]


def test_the_registry_says_what_each_of_its_keys_means():
    text = resource("models/registry.toml").read_text(encoding="utf-8")
    head = text.partition("[[model]]\nname")[0]
    for row in tomllib.loads(text)["model"]:
        assert all(re.search(rf"^# .*\b{key}\b", head, re.MULTILINE) for key in row)


def test_the_extra_of_the_embedded_model_exists():
    path = resource("pyproject.toml")
    if not path.exists():
        pytest.skip("not a checkout")
    extras = tomllib.loads(path.read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    extra = re.fullmatch(r"pip install 'localsum\[(.+)\]'", models.registry()[0].install or "")
    assert extra
    assert extra[1] in extras


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty models folder, removed afterwards: pytest would keep three times 253 MB."""
    monkeypatch.setenv("LOCALSUM_MODELS", str(tmp_path / "models"))
    yield tmp_path / "models"
    shutil.rmtree(tmp_path / "models", ignore_errors=True)


@pytest.mark.model
@pytest.mark.parametrize("name", ["gemma-3-270m", "smollm2-135m-it"])
def test_the_real_package_models(name, folder):
    entry = next(entry for entry in models.registry() if entry.name == name)
    if not all(importlib.util.find_spec(part.partition("/")[0]) for part in entry.parts):
        pytest.skip(f"not installed: {entry.install}")
    model = find_model(name)
    with model.path.open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == entry.sha256 == model.sha256
    assert model.path.stat().st_size == entry.bytes
    begin_s = time.perf_counter()
    header = gguf.read_header(model.path)
    assert time.perf_counter() - begin_s < 0.5  # 0.02 s when measured alone
    assert header.context_length == entry.context
    assert (header.chat_template is not None) == (entry.role == "instruct")
    assert header.array_lengths["tokenizer.ggml.tokens"] > 40_000
    assert find_model(str(model.path)).entry == entry
