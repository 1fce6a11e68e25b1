"""A user's own models: named, found, checked and removed, and nothing of anybody else's is touched."""

from __future__ import annotations

import hashlib
import os
import sys
import tomllib
from pathlib import Path

import pytest
from command_line import Said
from ggufs import ARCHITECTURE, CHAT, METADATA, PAIRS, make_gguf, number, text
from hypothesis import given
from hypothesis import strategies as st

from localsum import models
from localsum.errors import ModelError, UsageError
from localsum.models import find_model, own, rows
from localsum.models.own import import_file
from localsum.probe import Tried

posix = pytest.mark.skipif(sys.platform == "win32", reason="modes and names of POSIX")
WHOLE = make_gguf()
SHA256 = hashlib.sha256(WHOLE).hexdigest()


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty models folder, no packages; no model chosen by the environment."""
    monkeypatch.setenv("LOCALSUM_MODELS", str(tmp_path / "models"))
    monkeypatch.delenv("LOCALSUM_MODEL", raising=False)
    monkeypatch.setattr(models.packages, "find_spec", lambda _: None)
    monkeypatch.setattr("localsum.probe.try_model", lambda _: Tried(1.0, 100.0, 50.0, 2, "CPU"))
    return tmp_path / "models"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "elsewhere" / "My Model.Q4_0.gguf"
    path.parent.mkdir()
    path.write_bytes(WHOLE)
    return path


def own_text(folder: Path, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "registry.toml").write_text(text, encoding="utf-8")


# Import


def test_an_imported_file_is_found_by_its_name_and_stays_where_it_is(file, folder):
    model = import_file(file)
    assert (model.name, model.path, model.sha256, model.bytes) == ("my-model.q4_0", file, SHA256, len(WHOLE))
    entry = models.registry()[-1]
    assert model.entry == entry
    assert (entry.role, entry.context, entry.confidence, entry.licence) == ("instruct", 2048, "checked", "not stated")
    assert find_model("my-model.q4_0") == find_model() == model
    assert [each.name for each in models.installed()] == ["my-model.q4_0"]
    assert file.read_bytes() == WHOLE
    assert sorted(path.name for path in folder.iterdir()) == ["registry.toml", "registry.toml.lock", "verified"]
    if sys.platform != "win32":
        assert (folder / "registry.toml").stat().st_mode & 0o777 == 0o600
    text_before = (folder / "registry.toml").read_text()
    assert import_file(file) == model
    assert (folder / "registry.toml").read_text() == text_before


def test_the_role_is_told_by_the_chat_template(file):
    file.write_bytes(make_gguf([pair for pair in PAIRS if pair != CHAT]))
    assert import_file(file).entry.role == "base"


def test_licence_and_memory_come_from_the_header(file):
    wide = {name: number(name, value) for name, value in (("toy.block_count", 1), ("toy.attention.key_length", 1024))}
    licence = text("general.license", "apache-2.0\n\x1b[31m")
    file.write_bytes(make_gguf([*(METADATA | wide).values(), licence]))
    entry = import_file(file).entry
    assert entry.licence == "apache-2.0 \x1b[31m"  # as it is; whoever shows it cleans it
    # A layer with one head of 1,024 + 16 values in f16 is 2,080 bytes a token, for 2,048 tokens; and what is beside.
    assert entry.ram_gb == round(
        (len(file.read_bytes()) + 2080 * 2048 + own.memory_bytes(own.check_file(file), 0, 0)) / 1e9, 1
    )


def test_a_file_in_the_models_folder_is_named_by_its_name_alone(folder):
    folder.mkdir()
    (folder / "mine.gguf").write_bytes(WHOLE)
    assert import_file(folder / "mine.gguf").entry.file == "mine.gguf"


def test_a_known_file_gets_the_row_of_the_registry(file, monkeypatch):
    known = {**rows._shipped()[3], "sha256": SHA256, "bytes": len(WHOLE)}
    monkeypatch.setattr(rows, "_shipped", lambda: (known,))
    model = import_file(file)
    assert model.name == known["name"]
    assert model.path == file
    assert (model.entry.licence, model.entry.context) == (known["licence"], known["context"])
    assert rows.own_rows() == {known["name"]: {"name": known["name"], "file": str(file)}}


@pytest.mark.parametrize("name", ["", "Big", "-x", ".x", "a b", "a/b", "x.gguf", "é", "a" * 81, "\x1b[31m", "a\n"])
def test_names_that_are_none(name, file, folder):
    with pytest.raises(UsageError, match="cannot be called"):
        import_file(file, name)
    assert not (folder / "registry.toml").exists()


def test_a_name_that_is_taken_stays_with_what_has_it(file, tmp_path):
    import_file(file, "mine")
    other = tmp_path / "other.gguf"
    other.write_bytes(make_gguf(data=500))
    for taken in ["mine", models.registry()[0].name]:
        with pytest.raises(UsageError, match="another model is called") as caught:
            import_file(other, taken)
        assert caught.value.hint.endswith(f"localsum models remove {taken}")
    assert find_model("mine").path == file
    assert import_file(file, "also").name == "also"
    # The same file moved: the same command says where it is now.
    moved = file.rename(tmp_path / "moved.gguf")
    with pytest.raises(ModelError, match="not installed") as caught:
        find_model("mine")
    assert caught.value.hint == "localsum models import PATH --name mine"
    import_file(moved, "mine")
    assert find_model("mine").path == moved


def test_what_is_no_model_leaves_no_row(file, folder):
    for content in [b"", b"text", WHOLE[:-1], make_gguf([ARCHITECTURE], tensors=())]:
        file.write_bytes(content)
        with pytest.raises(ModelError):
            import_file(file)
    with pytest.raises(ModelError):
        import_file(file.parent)
    assert not (folder / "registry.toml").exists()


def test_an_imported_file_that_changed_is_refused(file):
    import_file(file, "mine")
    file.write_bytes(make_gguf(data=500))
    with pytest.raises(ModelError, match="is not the mine of the registry"):
        find_model("mine")
    file.write_bytes(WHOLE[:-1] + b"x")
    os.utime(file, ns=(1, 1))
    with pytest.raises(ModelError, match="is not the mine of the registry"):
        find_model("mine")


# The user's own registry file


def test_own_rows_add_and_change_only_the_keys_they_give(folder):
    first = models.registry()[0]
    own_text(
        folder, f'[[model]]\nname = "{first.name}"\nram_gb = 2\n[[model]]\nname = "new"\nrole = "base"\nfile = "n"\n'
    )
    found = models.registry()
    assert found[0] == rows._entry({**rows._shipped()[0], "ram_gb": 2})
    assert (found[-1].name, found[-1].sha256, found[-1].confidence) == ("new", "", "unknown")
    assert not models.present(found[-1])  # no file is known to be it
    (folder / "n").write_bytes(b"")
    assert not models.present(found[-1])
    with pytest.raises(ModelError):
        find_model("new")


BAD = {
    "not TOML": "[[model]",
    "not UTF-8": "\udcff",
    "another table": "[models]\n",
    "another key": "[[model]]\nname = 'x'\nrole = 'base'\nfile = 'f'\nurl = 'x'\n",
    "no tables": "model = 3\n",
    "no name": "[[model]]\nrole = 'base'\n",
    "no file": "[[model]]\nname = 'x'\nrole = 'base'\n",
    "no role": "[[model]]\nname = 'x'\nfile = 'f'\n",
    "a bad name": "[[model]]\nname = '../x'\nrole = 'base'\nfile = 'f'\n",
    "a way out": "[[model]]\nname = 'x'\nrole = 'base'\nfile = '../f'\n",
    "a hidden file": "[[model]]\nname = 'x'\nrole = 'base'\nfile = '.f'\n",
    "a role": "[[model]]\nname = 'x'\nrole = 'poet'\nfile = 'f'\n",
    "a digest": "[[model]]\nname = 'x'\nrole = 'base'\nfile = 'f'\nsha256 = 'abc'\n",
    "a size": "[[model]]\nname = 'x'\nrole = 'base'\nfile = 'f'\nbytes = -1\n",
    "a truth": "[[model]]\nname = 'x'\nrole = 'base'\nfile = 'f'\nbytes = true\n",
    "a type": "[[model]]\nname = 'x'\nrole = 'base'\nfile = 3\n",
    "twice": "[[model]]\nname = 'x'\nrole = 'base'\nfile = 'f'\n" * 2,
    "too long": "#" * 1_000_001,
}


@pytest.mark.parametrize("what", BAD)
def test_a_file_that_is_no_registry_is_named_and_left_as_it_is(what, folder, file):
    own_text(folder, "")
    (folder / "registry.toml").write_bytes(BAD[what].encode("utf-8", "surrogateescape"))
    before = (folder / "registry.toml").read_bytes()
    for call in (models.registry, find_model, lambda: import_file(file), lambda: own.remove("x")):
        with pytest.raises(ModelError, match=r"registry\.toml is no registry of models") as caught:
            call()
        assert caught.value.hint.endswith("registry.toml")
        assert len(caught.value.message) < 500
    assert (folder / "registry.toml").read_bytes() == before


def test_what_a_user_wrote_stays(file, folder):
    own_text(
        folder,
        '# mine\n\n[[ model ]]  # the first\nname = "one"\nrole = "base"\nfile = "one.gguf"\n# end\n'
        '[model.sampling]\ntop_k = 3\n\n[[model]]\nname = "two"\nrole = "base"\nfile = "two.gguf"\n',
    )
    before = (folder / "registry.toml").read_text()
    import_file(file, "mine")
    assert (folder / "registry.toml").read_text().startswith(before.rstrip("\n"))
    assert list(rows.own_rows()) == ["one", "two", "mine"]
    own.remove("mine")
    assert (folder / "registry.toml").read_text().rstrip("\n") == before.rstrip("\n")
    own.remove("one")
    assert list(rows.own_rows()) == ["two"]
    assert (folder / "registry.toml").read_text().startswith("# mine\n")


def test_a_text_that_cannot_be_taken_apart_is_not_changed(folder, file):
    tricky = '[[model]]\nname = "one"\nrole = "base"\nfile = "f"\nlicence = """\n[[model]]\nname = "no"\n"""\n'
    own_text(folder, tricky)
    with pytest.raises(ModelError, match="cannot be changed"):
        import_file(file)
    assert (folder / "registry.toml").read_text() == tricky


@given(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
)
def test_any_text_comes_back_from_a_row(licence, name):
    row = {"name": "x", "role": "base", "file": "/" + name, "licence": licence, "sampling": {"top_p": 0.5}}
    text = "".join(f"{key} = {rows._toml(value)}\n" for key, value in row.items())
    assert tomllib.loads(text) == row


@posix
def test_a_file_whose_name_is_no_text_is_refused_not_misnamed(tmp_path, folder):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.gguf"))
    try:
        path.write_bytes(WHOLE)
    except OSError:
        pytest.skip("this file system has no such names")
    with pytest.raises(ModelError, match="cannot be changed"):
        import_file(path)
    assert models.registry()[-1].name == rows._shipped()[-1]["name"]


@posix
def test_a_folder_that_cannot_be_written(file, tmp_path, monkeypatch):
    (tmp_path / "plain").write_text("a file")
    monkeypatch.setenv("LOCALSUM_MODELS", str(tmp_path / "plain" / "models"))
    with pytest.raises(ModelError, match="cannot be written") as caught:
        import_file(file)
    assert caught.value.hint == "name another folder: export LOCALSUM_MODELS=FOLDER"


# Verify and remove


def test_verify_reads_the_bytes_again(file):
    import_file(file, "mine")
    assert own.verify("mine").path == file
    stat = file.stat()
    file.write_bytes(WHOLE[:-1] + b"x")
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))  # rot: neither size nor time tell of it
    assert find_model("mine").path == file
    with pytest.raises(ModelError, match="is not the mine of the registry"):
        own.verify("mine")
    with pytest.raises(ModelError, match="is not the mine of the registry"):
        find_model("mine")
    with pytest.raises(ModelError, match="No model is called"):
        own.verify("nobody")


def test_remove_takes_the_file_of_the_folder_and_no_other(file, folder):
    folder.mkdir()
    (folder / "in.gguf").write_bytes(WHOLE)
    import_file(folder / "in.gguf", "inside")
    import_file(file, "outside")
    assert own.remove("outside") == ["took outside out of your registry", f"the file stays: {file}"]
    assert file.read_bytes() == WHOLE
    assert own.remove("inside") == [f"removed {folder / 'in.gguf'}", "took inside out of your registry"]
    assert sorted(path.name for path in folder.iterdir()) == ["registry.toml", "registry.toml.lock", "verified"]
    assert [path for path in (folder / "verified").iterdir() if "in.gguf" in path.read_text()] == []
    with pytest.raises(ModelError, match="No model is called 'inside'"):
        own.remove("inside")
    with pytest.raises(ModelError, match="is not installed"):
        own.remove(models.registry()[1].name)


def test_remove_leaves_a_file_that_another_row_needs(folder, tmp_path):
    folder.mkdir()
    (folder / "in.gguf").write_bytes(WHOLE)
    import_file(folder / "in.gguf", "one")
    import_file(folder / "in.gguf", "two")
    assert own.remove("two")[-1] == f"the file stays, it is also that of one: {folder / 'in.gguf'}"
    assert find_model("one").path == folder / "in.gguf"
    # Another file of the same name, elsewhere: not the one in the folder.
    elsewhere = tmp_path / "in.gguf"
    elsewhere.write_bytes(make_gguf(data=500))
    import_file(elsewhere, "three")
    own.remove("three")
    assert find_model("one").path == folder / "in.gguf"


# The commands


def test_the_commands(file, folder, said: Said):
    assert said("models", "import", str(file), "--name", "mine")[:2] == (0, "mine\n")
    assert said("models", "path", "mine") == (0, f"{file}\n", "")
    assert said("models", "path") == (0, f"{file}\n", "")
    code, out, err = said("models")
    assert said("models", "list") == (code, out, err)
    first = out.splitlines()[0].split()  # in between is how fast it reads, as it did when it was imported
    assert (first[:5], first[-1]) == (["mine", "0", "MB", "not", "stated"], "installed")
    assert len(out.splitlines()) == len(models.registry())
    code, out, _ = said("models", "info", "mine", "--context", "1000")
    assert code == 0
    shown = dict(line.split(None, 1) for line in out.replace("chat template", "template").splitlines())
    assert shown["sha256"] == f"{SHA256} (checked)"
    assert shown["tensors"] == "F32 1 (0 MB), Q4_0 1 (0 MB)"
    assert shown["vocabulary"] == "3 tokens"
    assert shown["template"] == "14 characters: an instruct model"
    assert shown["memory"] == "0.2 GB at 1,000 tokens, at most"
    assert said("models", "verify") == (0, f"mine  whole  {SHA256}  {file}\n", "")
    file.write_bytes(WHOLE[:-1] + b"x")
    code, out, err = said("models", "verify", "mine", models.registry()[0].name)
    assert (code, out) == (3, "")
    assert "is not the mine of the registry" in err
    assert "gemma-3-270m is not installed" in err
    code, out, err = said("models", "remove", "mine")
    assert (code, out) == (0, "")
    assert err == f"took mine out of your registry\nthe file stays: {file}\n"
    assert said("models", "verify") == (0, "", "no model is installed; which there are: localsum models\n")


def test_nothing_of_a_hostile_header_reaches_the_terminal(file, said: Said):
    evil = "\x1b]0;owned\x07\x1b[31mred\u202e\n"
    file.write_bytes(make_gguf([*PAIRS, text("general.license", evil), text("general.name", evil)]))
    said("models", "import", str(file), "--name", "evil")
    for line in (["models"], ["models", "info", "evil"], ["models", "info", str(file)], ["models", "verify"]):
        code, out, err = said(*line)
        assert code == 0
        assert not set(out + err) & set("\x1b\x07\u202e")
