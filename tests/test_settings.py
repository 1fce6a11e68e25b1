"""Settings: an option before a variable before the file before the default; a file that is none is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import CHAT, Said, Stand

from localsum.errors import UsageError
from localsum.settings import SETTINGS, read_settings, settings_path

NEWS = str(Path(__file__).parent / "data/articles/transcript.txt")


@pytest.fixture
def file(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("LOCALSUM_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.delenv("LOCALSUM_MODEL", raising=False)
    return tmp_path / "config.toml"


def test_the_file_is_in_the_users_config_folder(monkeypatch) -> None:
    monkeypatch.delenv("LOCALSUM_CONFIG")
    assert settings_path().is_absolute()
    assert settings_path().parts[-2:] == ("localsum", "config.toml")


def test_an_option_comes_before_a_variable_before_the_file(file, said: Said, stand: type[Stand], monkeypatch) -> None:
    def threads(*options: str) -> object:
        assert said("brief", NEWS, *options)[0] == 0
        return stand.made[-1].options["threads"]

    assert threads() is None
    file.write_text("threads = 3\n")
    assert threads() == 3
    monkeypatch.setenv("LOCALSUM_THREADS", "4")
    assert threads() == 4
    assert threads("--threads", "5") == 5


def test_every_setting_has_a_use(file, said: Said, stand: type[Stand], tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("LOCALSUM_STORE")
    store = tmp_path / "kept.sqlite3"
    template = 'name = "mine"\n[[field]]\nname = "headline"\nshape = "line"\nextract = "headline"\n'
    (tmp_path / "mine.toml").write_text(template)
    seen = []
    monkeypatch.setattr("localsum.models.find_model", lambda name=None: seen.append(name) or model)
    from localsum.models import Model

    model = Model("scripted", Path("/models/scripted.gguf"), "5c" * 32, 1, None)
    file.write_text(
        f'model = "some-model"\ntemplate = "{(tmp_path / "mine.toml").as_posix()}"\nlanguage = "german"\n'
        f'format = "json"\nthreads = 2\n'
        f'context = 2048\nbranches = 5\nbatch = 64\nkv = "q8_0"\nlayers = "packed"\nstore = "{store.as_posix()}"\n'
    )
    assert list(read_settings()) == list(SETTINGS)
    monkeypatch.setattr(stand, "chat", CHAT)
    layers = []
    monkeypatch.setattr("localsum.loading.file_to_load", lambda given, *asked: layers.append(asked[1]) or given.path)
    code, out, _ = said("brief", NEWS)
    assert code == 0
    assert '"headline"' in out
    assert '"language": "de"' in out
    assert layers == ["packed"]
    assert seen == ["some-model"]
    used = stand.made[-1].options
    assert [used[name] for name in ("threads", "cells", "sequences", "batch", "kv")] == [2, 2048, 6, 64, "q8_0"]
    assert store.exists()
    assert said("history")[0] == 0
    assert said("show", "1")[1] == out
    assert '"headline"' in said("schema")[1]


def test_the_language_of_briefs_is_none_of_slim_models(file, said: Said) -> None:
    file.write_text('language = "german"\n')
    code, _, err = said("models", "slim", "no-such-model")
    assert (code, "No model is called" in err) == (3, True)


def test_config_says_what_holds_and_why(file, said: Said, monkeypatch) -> None:
    monkeypatch.delenv("LOCALSUM_STORE")
    code, out, err = said("config")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == list(SETTINGS)
    assert out.count("(default)") == len(SETTINGS)
    assert f"{file}, which is not there yet" in err
    file.write_text('threads = 3\nmodel = "mine"\n')
    monkeypatch.setenv("LOCALSUM_MODEL", "other\x1b[31m")
    rows = {line.split()[0]: line.split(None, 1)[1] for line in said("config")[1].splitlines()}
    assert rows["threads"] == f"3  ({file})"
    assert rows["model"] == "other  (LOCALSUM_MODEL)"
    assert rows["format"].endswith("(default)")


BAD = {
    "not TOML": b"threads = ",
    "not UTF-8": b"\xff",
    "another name": b"colour = 'blue'",
    "a text for a number": b"threads = '3'",
    "a truth for a number": b"threads = true",
    "a number for a text": b"model = 3",
    "a table": b"[model]\nname = 'x'",
    "deep": b"model = " + b"[" * 50_000,
}


@pytest.mark.parametrize("what", BAD)
def test_a_file_that_holds_no_settings_is_named(what, file, said: Said) -> None:
    file.write_bytes(BAD[what])
    with pytest.raises(UsageError, match=r"config\.toml holds no settings"):
        read_settings()
    code, out, err = said("schema")
    assert (code, out) == (2, "")
    assert err.rstrip().endswith(f"remove it: {file}")
    assert said("brief", "--help")[0] == said("--version")[0] == 0


def test_a_value_that_an_option_would_refuse_is_refused(file, said: Said) -> None:
    file.write_text("threads = 0\n")
    code, _, err = said("brief", NEWS)
    assert code == 2
    assert "'--threads'" in err
    file.write_text('format = "pdf"\n')
    assert "'--format'" in said("brief", NEWS)[2]
