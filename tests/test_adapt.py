"""What must hold of an adapted file: its layers are the base's plus the product, the rest is the base's bit for bit,
and it writes what llama.cpp writes with the adapter beside the base."""

from __future__ import annotations

import ctypes
import hashlib
import io
import os
from pathlib import Path

import llama_cpp.llama_cpp as lib
import numpy as np
import pytest
from numpy.typing import NDArray

from localsum import adapt, models
from localsum.engine.llama import LlamaBackend
from localsum.engine.scheduler import Slice
from localsum.engine.types import Segment
from localsum.errors import ModelError
from localsum.gguf import Header, Tensor, read_header
from localsum.gguf_write import encode, head
from localsum.models import RegistryEntry, find_model

WIDTH, HEIGHT, RANK = 256, 64, 4
TARGET = "blk.0.attn_q.weight"
KINDS = {
    "Q4_1": (3, 32, 20),
    "Q5_1": (7, 32, 24),
    "Q5_0": (6, 32, 22),
    "Q8_0": (8, 32, 34),
    "Q4_K": (12, 256, 144),
    "Q6_K": (14, 256, 210),
}


def gguf(path: Path, values: dict[str, str | float], tensors: dict[str, tuple[tuple[int, ...], int, bytes]]) -> Path:
    """A file with these tensors: shape, type and bytes by name."""
    rows = [Tensor(name, shape, kind, 0, len(data)) for name, (shape, kind, data) in tensors.items()]
    body = b"".join(data + bytes(-len(data) % 32) for _, _, data in tensors.values())
    path.write_bytes(head({key: encode(value) for key, value in values.items()}, rows) + body)
    return path


def model(folder: Path, kind: str, raw: bytes) -> Path:
    number, block, size = KINDS[kind]
    assert len(raw) == WIDTH * HEIGHT // block * size
    values: dict[str, str | float] = {"general.architecture": "gemma3", "general.name": "toy"}
    norm = np.ones(WIDTH, np.float32).tobytes()
    return gguf(
        folder / "base.gguf",
        values,
        {"blk.0.attn_norm.weight": ((WIDTH,), 0, norm), TARGET: ((WIDTH, HEIGHT), number, raw)},
    )


def adapter(folder: Path, a: NDArray[np.float16], b: NDArray[np.float16], target: str = TARGET, **more: str) -> Path:
    values: dict[str, str | float] = {
        "general.architecture": "gemma3",
        "general.type": "adapter",
        "adapter.type": "lora",
        "adapter.lora.alpha": 8.0,
        "tokenizer.chat_template": "{{ messages[0]['content'] }}",
        **more,
    }
    pair = {
        f"{target}.lora_a": ((a.shape[1], a.shape[0]), 1, a.tobytes()),
        f"{target}.lora_b": ((b.shape[1], b.shape[0]), 1, b.tobytes()),
    }
    return gguf(folder / "thin.gguf", values, pair)


def blocks(kind: str, seed: int) -> bytes:
    """Random rows: any bits, with scales that are small numbers."""
    _, block, size = KINDS[kind]
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, 256, (WIDTH * HEIGHT // block, size), dtype=np.uint8)
    for at in {"Q4_1": (0, 2), "Q5_1": (0, 2), "Q4_K": (0, 2), "Q6_K": (208,)}.get(kind, (0,)):
        rows[:, at : at + 2] = (rng.random((len(rows), 1)) * 0.1).astype(np.float16).view(np.uint8)
    return rows.tobytes()


def thin(seed: int = 1) -> tuple[NDArray[np.float16], NDArray[np.float16]]:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((RANK, WIDTH)).astype(np.float16), rng.standard_normal((HEIGHT, RANK)).astype(np.float16)


def numbers(path: Path, header: Header, name: str) -> NDArray[np.float32]:
    """A tensor's numbers, unpacked by llama.cpp's own code."""
    tensor = next(each for each in header.tensors if each.name == name)
    assert tensor.size is not None
    raw = path.read_bytes()[header.data_start + tensor.offset :][: tensor.size]
    return unpacked(tensor.kind, raw).reshape(tensor.shape[::-1])


def unpacked(kind: int, raw: bytes) -> NDArray[np.float32]:
    name = next(name for name, (number, _, _) in KINDS.items() if number == kind)
    _, block, size = KINDS[name]
    count = len(raw) // size * block
    function = getattr(ctypes.CDLL(ggml()), f"dequantize_row_q{name[1:]}")
    function.argtypes = [ctypes.c_char_p, ctypes.c_void_p, ctypes.c_int64]
    out = np.empty(count, np.float32)
    function(raw, out.ctypes.data, count)
    return out


def ggml() -> str:
    """The library with ggml's types, which lies beside llama.cpp's."""
    folder = Path(lib._lib._name).parent
    found = sorted(folder.glob("*ggml-base*")) or [Path(lib._lib._name)]
    return os.fspath(found[0])


def adapted(base: Path, thin_path: Path) -> tuple[Path, Header]:
    out = io.BytesIO()
    adapt.write_adapted(base, thin_path, out.write)
    path = base.with_name("adapted.gguf")
    path.write_bytes(out.getvalue())
    return path, read_header(path)


@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_is_the_base_plus_the_product(tmp_path: Path, kind: str) -> None:
    raw = blocks(kind, 0)
    a, b = thin()
    base = model(tmp_path, kind, raw)
    path, header = adapted(base, adapter(tmp_path, a, b))
    was = unpacked(KINDS[kind][0], raw).reshape(HEIGHT, WIDTH)
    wanted = was + 8.0 / RANK * (b.astype(np.float64) @ a.astype(np.float64))
    found = numbers(path, header, TARGET)
    step = np.abs(wanted).reshape(-1, 32).max(axis=1) / 127  # of Q8_0, in each block
    assert (np.abs(found - wanted).reshape(-1, 32).max(axis=1) <= step * 0.6 + 1e-5).all()


def test_everything_else_is_the_bases_bit_for_bit_and_the_template_the_adapters(tmp_path: Path) -> None:
    base = model(tmp_path, "Q5_0", blocks("Q5_0", 3))
    path, header = adapted(base, adapter(tmp_path, *thin()))
    assert [each.name for each in header.tensors] == [each.name for each in read_header(base).tensors]
    norm = header.tensors[0]
    assert path.read_bytes()[header.data_start + norm.offset :][: norm.size] == np.ones(WIDTH, np.float32).tobytes()
    assert header.chat_template == "{{ messages[0]['content'] }}"
    assert "Gemma Terms of Use" in str(header.text("localsum.adapter.notice"))


def test_a_product_of_nothing_changes_nothing_but_the_rounding(tmp_path: Path) -> None:
    a, b = thin()
    raw = adapt.pack(np.random.default_rng(0).standard_normal((HEIGHT, WIDTH)).astype(np.float32))
    base = model(tmp_path, "Q8_0", raw)
    path, header = adapted(base, adapter(tmp_path, a, np.zeros_like(b)))
    assert np.array_equal(numbers(path, header, TARGET), unpacked(8, raw).reshape(HEIGHT, WIDTH))


def test_an_adapter_of_another_model_is_refused_by_name(tmp_path: Path) -> None:
    base = model(tmp_path, "Q5_0", blocks("Q5_0", 0))
    a, b = thin()
    for thin_path in (
        adapter(tmp_path, a, b, "blk.7.attn_q.weight"),
        adapter(tmp_path, a[:, :128].copy(), b),
        adapter(tmp_path, a, b, **{"general.architecture": "llama"}),
        adapter(tmp_path, a, b, **{"adapter.type": "control"}),
    ):
        with pytest.raises(ModelError, match=r"thin\.gguf|adapter"):
            adapt.write_adapted(base, thin_path, io.BytesIO().write)
    with pytest.raises(ModelError, match="is no adapter"):
        adapt.write_adapted(base, base, io.BytesIO().write)


@pytest.mark.model
def test_the_adapted_file_writes_what_the_adapter_does_beside_the_base() -> None:
    model = find_model("gemma-3-270m-brief")
    assert model.entry is not None
    backend = LlamaBackend(find_model("gemma-3-270m").path, threads=2, cells=512, shortlist=False)
    merged = LlamaBackend(model.path, threads=2, cells=512, shortlist=False)
    text = "Kestrel Air said on Friday that it would let passengers rebook by voice. About 40 percent hang up."
    rows = []
    for each in (backend, merged):
        if each is backend:
            beside = lib.llama_adapter_lora_init(each._model, os.fsencode(model.entry.adapter_path))
            assert beside
            whole = (ctypes.c_float * 1)(1.0)
            one = (lib.llama_adapter_lora_p_ctypes * 1)(beside)
            assert lib.llama_set_adapters_lora(each._context, one, 1, whole) == 0
        tokens = each.tokenize((Segment(text),), first=True)
        logits = each.decode([(Slice(0, 0, len(tokens), sample=True), tokens)])[0].astype(np.float64)
        chances = np.exp(logits - logits.max())
        rows.append(chances / chances.sum())
        each.close()
    first, second = rows
    assert first.argmax() == second.argmax()
    assert float((first * np.log((first + 1e-12) / (second + 1e-12))).sum()) < 0.05


def rows_of(folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[RegistryEntry, RegistryEntry, bytes]:
    """A registry of a base and of what an adapter makes of it, with the base in the models folder."""
    base = model(folder, "Q5_0", blocks("Q5_0", 0))
    thin_path = adapter(folder, *thin())
    out = io.BytesIO()
    adapt.write_adapted(base, thin_path, out.write)
    made = out.getvalue()
    first = RegistryEntry(
        "toy", "base", base.name, base.stat().st_size, sha(base.read_bytes()), install="pip install x"
    )
    second = RegistryEntry("toy-brief", "instruct", "made.gguf", len(made), sha(made), base="toy", adapter="thin.gguf")
    monkeypatch.setenv("LOCALSUM_MODELS", str(folder))
    monkeypatch.setattr(models, "registry", lambda: (second, first))
    monkeypatch.setattr(RegistryEntry, "adapter_path", property(lambda entry: folder / entry.adapter))
    return first, second, made


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_a_model_with_an_adapter_is_made_when_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, second, made = rows_of(tmp_path, monkeypatch)
    assert models.find_model().name == "toy"
    assert models.how_to_get(second) == "localsum models verify toy-brief"
    assert not (tmp_path / "made.gguf").exists()  # it takes room, so never by the way
    assert models.find_model("toy-brief").path.read_bytes() == made
    assert models.present(second)


def test_without_its_base_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, _ = rows_of(tmp_path, monkeypatch)
    first.path.unlink()
    assert not models.present(second)
    with pytest.raises(ModelError, match="not installed"):
        models.find_model("toy-brief")


def test_another_adapter_does_not_pass_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows_of(tmp_path, monkeypatch)
    a, b = thin(7)
    adapter(tmp_path, a, b)
    with pytest.raises(ModelError, match=r"thin\.gguf") as caught:
        models.find_model("toy-brief")
    assert "--model toy" in caught.value.hint
    assert not (tmp_path / "made.gguf").exists()
