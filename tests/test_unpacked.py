"""What must hold of unpacked files: they say what the packed one says, all that is not slow is there bit for bit, and
whatever goes wrong with them costs speed, never a brief."""

from __future__ import annotations

import errno
import io
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from test_adapt import HEIGHT, KINDS, TARGET, WIDTH, blocks, gguf, unpacked

from localsum.engine.fit import plain_for
from localsum.errors import ModelError
from localsum.gguf import read_header
from localsum.models import Model, RegistryEntry, digests, find_model, own
from localsum.models import unpacked as files
from localsum.models.digests import digest
from localsum.unpack import MARK, growth, write_unpacked

SLOW = ("Q4_1", "Q5_0", "Q5_1", "Q8_0")
NORM = np.ones(WIDTH, np.float32).tobytes()


def packed(path: Path, kind: str = "Q5_0", name: str = TARGET) -> Path:
    raw = blocks(kind, 0)
    tensors = {"blk.0.attn_norm.weight": ((WIDTH,), 0, NORM), name: ((WIDTH, HEIGHT), KINDS[kind][0], raw)}
    return gguf(path, {"general.architecture": "gemma3", "general.name": "toy"}, tensors)


def tensor(path: Path, name: str) -> tuple[int, bytes]:
    header = read_header(path)
    found = next(each for each in header.tensors if each.name == name)
    return found.kind, path.read_bytes()[header.data_start + found.offset :][: found.size]


def written(source: Path, kind: str) -> Path:
    out = io.BytesIO()
    write_unpacked(source, kind, out.write)  # type: ignore[arg-type]
    path = source.with_name(f"{kind}.gguf")
    path.write_bytes(out.getvalue())
    assert path.stat().st_size == source.stat().st_size + growth(read_header(source)) + extra(path, source)
    return path


def extra(path: Path, source: Path) -> int:
    """What the head has grown by: one more key."""
    return read_header(path).data_start - read_header(source).data_start


@pytest.mark.parametrize("kind", SLOW)
def test_numbers_are_the_nearest_to_what_llama_cpp_unpacks(tmp_path: Path, kind: str) -> None:
    wanted = unpacked(KINDS[kind][0], blocks(kind, 0))
    source = packed(tmp_path / "toy.gguf", kind)
    number, raw = tensor(written(source, "f16"), TARGET)
    assert number == 1
    assert np.array_equal(np.frombuffer(raw, np.float16), wanted.astype(np.float16))
    number, raw = tensor(written(source, "bf16"), TARGET)
    assert number == 30
    found = (np.frombuffer(raw, np.uint16).astype(np.uint32) << 16).view(np.float32)
    assert (np.abs(found - wanted) <= np.abs(wanted) * 2.0**-8).all()  # eight bits of mantissa, rounded


def test_ties_go_to_the_even_number(tmp_path: Path) -> None:
    # 257 and 259 lie between two numbers of bf16 each: 256 and 258, 258 and 260.
    rows = np.zeros((HEIGHT * WIDTH // 32, 34), np.uint8)
    rows[:, :2] = np.full((len(rows), 1), 1.0, np.float16).view(np.uint8)
    rows[:, 2:4] = [127, 0]
    rows[0, :2] = np.array([257 / 127], np.float16).view(np.uint8)
    source = gguf(
        tmp_path / "toy.gguf", {"general.architecture": "gemma3"}, {TARGET: ((WIDTH, HEIGHT), 8, rows.tobytes())}
    )
    exact = unpacked(8, rows.tobytes())
    found = (np.frombuffer(tensor(written(source, "bf16"), TARGET)[1], np.uint16).astype(np.uint32) << 16).view(
        np.float32
    )
    low = (exact.view(np.uint32) & 0xFFFF0000).view(np.float32)
    high = ((exact.view(np.uint32) & 0xFFFF0000) + 0x10000).view(np.float32)
    is_nearest = np.abs(found - exact) == np.minimum(np.abs(low - exact), np.abs(high - exact))
    assert is_nearest.all()


@pytest.mark.parametrize("kind", ["Q4_K", "Q6_K"])
def test_what_is_fast_packed_stays(tmp_path: Path, kind: str) -> None:
    source = packed(tmp_path / "toy.gguf", kind)
    assert growth(read_header(source)) == 0
    assert tensor(written(source, "bf16"), TARGET) == tensor(source, TARGET)


def test_the_rows_of_tokens_and_all_else_stay_bit_for_bit(tmp_path: Path) -> None:
    source = packed(tmp_path / "toy.gguf", "Q8_0", "token_embd.weight")
    path = written(source, "bf16")
    for name in ("token_embd.weight", "blk.0.attn_norm.weight"):
        assert tensor(path, name) == tensor(source, name)
    before, after = read_header(source).metadata, read_header(path).metadata
    assert after == {**before, MARK: "bf16"}


def test_a_type_that_is_not_known_is_left_alone(tmp_path: Path) -> None:
    raw = blocks("Q5_0", 0)
    tensors = {TARGET: ((WIDTH, HEIGHT), 6, raw), "blk.0.ffn_up.weight": ((WIDTH, HEIGHT), 99, raw)}
    assert growth(read_header(gguf(tmp_path / "toy.gguf", {"general.architecture": "gemma3"}, tensors))) == 0


# Which file is loaded


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Model:
    monkeypatch.setenv("LOCALSUM_MODELS", str(tmp_path / "models"))
    path = packed(tmp_path / "toy.gguf")
    entry = RegistryEntry("toy", "base", str(path))
    return Model("toy", path, digest(path), path.stat().st_size, entry)


def test_it_is_made_once_and_used_from_then_on(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    first = files.file_to_load(model, "bf16", say=said.append)
    assert first == files.unpacked_path(model, "bf16")
    assert tensor(first, TARGET)[0] == 30
    assert said == ["unpacking the layers of toy for this processor, once"]
    assert [path.name for path in first.parent.iterdir() if path.suffix == ".part"] == []
    if sys.platform != "win32":
        assert first.stat().st_mode & 0o777 == 0o600
    monkeypatch.setattr(files, "make_file", lambda *_, **__: pytest.fail("made again"))
    assert files.file_to_load(model, "bf16") == first
    with pytest.raises(pytest.fail.Exception):
        files.file_to_load(model, "f16")  # numbers for another processor are another file


@pytest.mark.parametrize("harm", [lambda path: path.write_bytes(path.read_bytes()[:-40]), lambda path: path.unlink()])
def test_a_file_that_changed_is_made_again(model: Model, harm: Callable[[Path], object]) -> None:
    path = files.file_to_load(model, "bf16")
    whole = path.read_bytes()
    harm(path)
    assert files.file_to_load(model, "bf16") == path
    assert path.read_bytes() == whole


def test_who_is_asked_decides(model: Model) -> None:
    def choice(plain: str | None, layers: str | None, given: Model = model) -> str | None:
        return files.wants_unpacked(given, plain, layers)  # type: ignore[arg-type]

    assert choice("bf16", None) == "bf16"
    assert choice("bf16", "packed") is None
    assert choice(None, None) is None  # a processor for which nothing is known
    assert choice(None, "unpacked") == "f16"
    by_path = Model("toy", model.path, model.sha256, model.bytes, None)
    assert choice("bf16", None, by_path) is None  # nobody would remove what was made of it
    assert choice("bf16", "unpacked", by_path) == "bf16"


def test_large_models_are_left_as_they_are(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_GROWTH", growth(read_header(model.path)))
    assert files.wants_unpacked(model, "bf16", None) == "bf16"
    monkeypatch.setattr(files, "MOST_GROWTH", growth(read_header(model.path)) - 1)
    assert files.wants_unpacked(model, "bf16", None) is None
    assert files.wants_unpacked(model, "bf16", "unpacked") == "bf16"


def test_a_full_disk_costs_speed_and_nothing_else(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(model.path.parent)
    monkeypatch.setattr(digests.shutil, "disk_usage", lambda _: usage._replace(free=1000))
    assert files.file_to_load(model, "bf16") == model.path
    with pytest.raises(ModelError, match="cannot be written") as caught:
        files.file_to_load(model, "bf16", "unpacked")
    assert caught.value.hint == "free some space, or: export LOCALSUM_LAYERS=packed"


def test_a_write_that_fails_leaves_no_half_file(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(digests.os, "fsync", fail)
    assert files.file_to_load(model, "bf16") == model.path
    assert [path.suffix for path in (files.models_dir() / "unpacked").iterdir()] == [".lock"]


def test_it_goes_with_the_model(model: Model) -> None:
    path, other = files.file_to_load(model, "bf16"), files.file_to_load(model, "f16")
    assert sorted(files.drop_unpacked(model.sha256)) == sorted([path, other])
    assert not path.exists()
    assert not other.exists()
    assert files.drop_unpacked(model.sha256) == []
    assert files.drop_unpacked("") == []


def test_models_remove_takes_it_along(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    path = files.file_to_load(model, "bf16")
    entry = RegistryEntry("toy", "base", str(model.path), model.bytes, model.sha256)
    monkeypatch.setattr(own, "row_of", lambda _: entry)
    assert f"removed {path}" in own.remove("toy")
    assert not path.exists()
    assert model.path.exists()  # it lies elsewhere, and is the user's


def test_what_llama_cpp_says_of_itself_decides_the_numbers() -> None:
    def built(*names: str) -> str:
        return "CPU : SSE3 = 1 | " + " | ".join(f"{name} = 1" for name in names) + " | AVX_VNNI = 0 | "

    x86 = ("AVX2", "F16C", "FMA", "LLAMAFILE")
    assert plain_for(built(*x86)) == "f16"
    assert plain_for(built(*x86, "AVX512", "AVX512_BF16")) == "bf16"
    assert plain_for(built(*x86) + "AVX512_BF16 = 0 | ") == "f16"
    assert plain_for(built("AVX2", "F16C", "FMA")) is None
    assert plain_for(built("NEON", "DOTPROD", "LLAMAFILE")) is None
    assert plain_for("") is None


# The embedded model


@pytest.mark.model
@pytest.mark.parametrize("kind", ["bf16", "f16"])
def test_the_embedded_model_says_the_same(kind: str, tmp_path: Path) -> None:
    from test_slim import Splitter, logits

    source = find_model("gemma-3-270m").path
    path = tmp_path / "unpacked.gguf"
    with path.open("wb") as out:
        write_unpacked(source, kind, out.write)  # type: ignore[arg-type]
    kinds = {each.name: each.kind for each in read_header(path).tensors}
    assert kinds["blk.0.attn_q.weight"] == {"f16": 1, "bf16": 30}[kind]
    assert (kinds["blk.0.ffn_down.weight"], kinds["token_embd.weight"]) == (14, 8)
    tokens = [2, *Splitter(source).ids("The town has put a small model on the computers of its library, and it")]
    before, after = logits(source, tokens), logits(path, tokens)
    # Not to the bit: packed products round what they multiply to 8 bits.
    one, other = (rows - np.log(np.exp(rows).sum(axis=1, keepdims=True)) for rows in (before, after))
    assert (np.exp(one) * (one - other)).sum(axis=1).mean() < 0.02
    assert (before.argmax(axis=1) == after.argmax(axis=1)).mean() > 0.8


@pytest.mark.model
def test_the_engine_says_which_layers_it_runs_with(tmp_path: Path) -> None:
    from localsum.loading import load_engine

    for layers, said in (("packed", {"packed"}), ("unpacked", {"bf16", "f16"})):
        with load_engine(find_model("gemma-3-270m"), layers=layers, cells=256, sequences=2, threads=1) as engine:  # type: ignore[arg-type]
            assert engine.info.settings["layers"] in said
