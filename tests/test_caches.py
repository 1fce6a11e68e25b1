"""Models that other programs have downloaded are found by digest, taken in where they lie, and never changed."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest
from command_line import Said
from ggufs import make_gguf

from localsum import models
from localsum.models import caches, find_model, rows
from localsum.models.own import import_cached

FILES = {name: make_gguf(data=size) for name, size in {"hub": 420, "ollama": 500, "studio": 600, "other": 700}.items()}


def sha256(name: str) -> str:
    return hashlib.sha256(FILES[name]).hexdigest()


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch) -> Path:
    """A home folder with nothing in it, and a registry of three models."""
    for name in ("HF_HOME", "HF_HUB_CACHE", "XDG_CACHE_HOME", "OLLAMA_MODELS", "LOCALSUM_MODEL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("LOCALSUM_MODELS", str(tmp_path / "own"))
    known = [
        {"name": f"{name}-model", "role": "base", "file": f"{name}.gguf", "bytes": len(FILES[name])}
        | {"sha256": sha256(name), "repo": "some/where"}
        for name in ("hub", "ollama", "studio")
    ]
    monkeypatch.setattr(rows, "_shipped", lambda: tuple(known))
    return tmp_path


def put(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def fill_hub(home: Path, content: bytes) -> Path:
    folder = home / ".cache/huggingface/hub/models--some--where"
    blob = put(folder / "blobs" / hashlib.sha256(content).hexdigest(), content)
    link = folder / "snapshots/c0ffee/model.gguf"
    link.parent.mkdir(parents=True)
    try:
        link.symlink_to(os.path.relpath(blob, link.parent))
    except OSError:
        pytest.skip("no links here")
    return link


def fill_ollama(home: Path, content: bytes, name: str = "gemma3/1b") -> Path:
    folder = home / ".ollama/models"
    digest = hashlib.sha256(content).hexdigest()
    layers = [
        {"mediaType": "application/vnd.ollama.image.template", "digest": f"sha256:{'0' * 64}"},
        {"mediaType": "application/vnd.ollama.image.model", "digest": f"sha256:{digest}", "size": len(content)},
    ]
    manifest = {"schemaVersion": 2, "layers": layers}
    put(folder / "manifests/registry.ollama.ai/library" / name, json.dumps(manifest).encode())
    return put(folder / f"blobs/sha256-{digest}", content)


def fill_studio(home: Path, content: bytes, file: str = "some/where/model.gguf") -> Path:
    return put(home / ".lmstudio/models" / file, content)


def test_each_cache_is_found_and_used_where_it_lies(home) -> None:
    paths = [fill_hub(home, FILES["hub"]), fill_ollama(home, FILES["ollama"]), fill_studio(home, FILES["studio"])]
    before = {path: path.stat().st_mtime_ns for path in home.rglob("*") if path.is_file()}
    taken, others = import_cached()
    assert [(model.name, model.path) for model in taken] == list(
        zip(["hub-model", "ollama-model", "studio-model"], paths, strict=True)
    )
    assert others == []
    assert find_model("ollama-model").path == paths[1]
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert import_cached() == ([], []), "what is here is not taken in again"


def test_what_the_registry_does_not_know_is_only_named(home) -> None:
    fill_ollama(home, FILES["other"])
    fill_studio(home, b"no model at all", "some/where/mmproj.gguf")
    fill_studio(home, FILES["other"][:300], "some/where/cut.gguf")
    taken, others = import_cached()
    assert taken == []
    assert [(one.program, one.name, one.sha256) for one in others] == [("Ollama", "gemma3-1b", sha256("other"))]
    assert not (home / "own/registry.toml").exists()


def test_a_blob_that_is_not_what_its_name_says_is_not_taken(home) -> None:
    blob = fill_ollama(home, FILES["ollama"])
    blob.write_bytes(make_gguf(data=501))
    taken, others = import_cached()
    assert taken == []
    assert [one.path for one in others] == [blob]


def test_a_file_of_the_same_size_is_told_apart_by_its_bytes(home) -> None:
    same_size = FILES["studio"][:-1] + b"x"
    fill_studio(home, same_size)
    taken, others = import_cached()
    assert (taken, len(others)) == ([], 1)


@pytest.mark.parametrize(
    "manifest",
    [b"", b"[]", b"{", b"\xff", b'{"layers": 3}', b'{"layers": [{"mediaType": "x"}]}', b"[" * 100_000]
    + [json.dumps({"layers": [{"mediaType": "application/vnd.ollama.image.model", "digest": bad}]}).encode()
       for bad in ("sha256:../../../etc/passwd", "sha256:" + "0" * 64, 3, None)],
)  # fmt: skip
def test_manifests_that_are_none(manifest, home) -> None:
    put(home / ".ollama/models/manifests/registry.ollama.ai/library/odd/latest", manifest)
    assert caches.cached_models() == []


def test_folders_named_by_the_environment(home, monkeypatch) -> None:
    fill_hub(home, FILES["hub"])
    fill_ollama(home, FILES["ollama"])
    (home / ".cache/huggingface").rename(home / "hf")
    (home / ".ollama/models").rename(home / "om")
    assert caches.cached_models() == []
    monkeypatch.setenv("HF_HOME", str(home / "hf"))
    monkeypatch.setenv("OLLAMA_MODELS", str(home / "om"))
    assert [one.program for one in caches.cached_models()] == ["Hugging Face", "Ollama"]
    monkeypatch.setenv("HF_HUB_CACHE", str(home / "elsewhere"))
    assert [one.program for one in caches.cached_models()] == ["Ollama"]


def test_one_file_under_two_names_is_one(home) -> None:
    fill_ollama(home, FILES["ollama"])
    fill_ollama(home, FILES["ollama"], "gemma3/latest")
    assert [one.name for one in caches.cached_models()] == ["gemma3-1b"]


def test_the_command(home, said: Said) -> None:
    path = fill_studio(home, FILES["studio"])
    fill_studio(home, FILES["other"], "some/\x1b[31mother/it's.gguf")
    code, out, err = said("models", "import", "--scan")
    assert (code, out) == (0, f"studio-model  {path}\n")
    assert "1 taken in" in err
    assert "another one, of LM Studio, it's: localsum models import '" in err
    assert "\x1b" not in err
    assert said("models", "import", "--scan")[1] == ""
    for wrong in ("", "x --scan", "--scan --name x"):
        assert said("models", "import", *wrong.split())[0] == 2
    assert models.registry()[2].file == str(path)
