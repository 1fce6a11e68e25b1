"""The shortlist: logits are the model's own, of common tokens and of those that were read; others have none."""

import struct
from collections.abc import Iterator
from pathlib import Path

import llama_cpp.llama_cpp as lib
import numpy as np
import pytest
from ggufs import make_gguf

from localsum.engine import shortlist as module
from localsum.engine.ggml import Ggml
from localsum.engine.llama import LlamaBackend, LlamaEngine
from localsum.engine.scheduler import Slice
from localsum.engine.shortlist import Rows, Shortlist, common_tokens
from localsum.engine.types import Segment
from localsum.errors import ModelError
from localsum.models import find_model

WIDTH, VOCABULARY = 32, 40


@pytest.fixture(scope="module")
def ggml() -> Ggml:
    lib.llama_backend_init()
    return Ggml(lib._lib)


def table(path: Path, kind: int = 0, name: str = "token_embd.weight") -> np.ndarray:
    """A file whose tokens have the rows that are returned, shape (VOCABULARY, WIDTH)."""
    rng = np.random.default_rng(0)
    rows = rng.integers(-127, 128, (VOCABULARY, WIDTH)).astype(np.float32) / 64
    rows[:, 0] = 127 / 64  # the largest of each block: Q8_0 then holds them exactly
    data = rows.tobytes()
    if kind == 8:
        scale = struct.pack("<e", 1 / 64)
        data = b"".join(scale + (row * 64).astype(np.int8).tobytes() for row in rows)
    empty = make_gguf(tensors=((kind, (WIDTH, VOCABULARY), 0),), names=(name,), data=0)
    path.write_bytes(empty + data)
    return rows


def make(ggml: Ggml, path: Path, common: list[int]) -> Rows:
    return Rows(ggml, path, np.array(common), states=3, threads=1)


@pytest.mark.parametrize("kind", [0, 8])
def test_logits_are_products_with_the_rows_of_what_is_listed(ggml: Ggml, tmp_path: Path, kind: int) -> None:
    rows = table(tmp_path / "m.gguf", kind)
    listed = make(ggml, tmp_path / "m.gguf", [3, 4, 20])
    states = np.random.default_rng(1).normal(size=(3, WIDTH)).astype(np.float32)
    assert listed.read([4, 7, 39, 7]) == 3  # all but 4 are rare
    for state, logits in zip(states, listed.product(states), strict=True):
        assert np.flatnonzero(np.isfinite(logits)).tolist() == [3, 4, 7, 20, 39]
        assert logits[[3, 4, 7, 20, 39]] == pytest.approx(rows[[3, 4, 7, 20, 39]] @ state, abs=0.02)
        assert (logits[[0, 1, 38]] == -np.inf).all()
    listed.free()


def test_the_oldest_of_what_was_read_give_way(ggml: Ggml, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_READ", 4)
    monkeypatch.setattr(module, "_CHUNK", 2)
    rows = table(tmp_path / "m.gguf")
    listed = make(ggml, tmp_path / "m.gguf", [0])
    state = np.ones((1, WIDTH), np.float32)
    seen = []
    for tokens in ([10, 11], [12], [13, 14], [10]):
        listed.read(tokens)
        (logits,) = listed.product(state)
        there = np.flatnonzero(np.isfinite(logits))
        assert logits[there] == pytest.approx(rows[there].sum(axis=1), abs=0.05)
        assert {0, *tokens} <= {*there.tolist()}
        assert len(there) <= 5
        seen.append(there.tolist())
    assert seen == [[0, 10, 11], [0, 10, 11, 12], [0, 12, 13, 14], [0, 10, 13, 14]]
    listed.clear()
    assert np.flatnonzero(np.isfinite(listed.product(state)[0])).tolist() == [0]
    listed.free()


@pytest.mark.parametrize(("kind", "name"), [(0, "blk.0.attn_q.weight"), (99, "token_embd.weight")])
def test_a_file_without_a_plain_table_has_no_shortlist(ggml: Ggml, tmp_path: Path, kind: int, name: str) -> None:
    table(tmp_path / "m.gguf", kind, name)
    with pytest.raises(ModelError):
        make(ggml, tmp_path / "m.gguf", [0])
    shortlist = Shortlist(lib._lib, WIDTH, 2)
    monkey = [b"a", *[b"\xe4\xb8\xad\xe6\x96\x87"] * (VOCABULARY - 1)]
    shortlist.note(0, [1])
    shortlist.fill(tmp_path / "m.gguf", monkey, frozenset({2}), threads=1)
    assert shortlist.size == 0
    for _ in range(3):
        shortlist.note(0, [1, 2, 3])
    assert len(shortlist._unread) <= 1, "nothing is gathered for a list that is never made"


def test_common_are_ends_bytes_letters_and_english() -> None:
    pieces = [b"", b" the", b"\x80", "é".encode(), "—".encode(), "中".encode(), "中文".encode(), b" zyzzyva", b""]
    assert common_tokens(pieces, frozenset({8})).tolist() == [1, 2, 3, 4, 7, 8]


def test_of_more_pieces_than_there_is_room_for_the_most_useful_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_COMMON", 2)
    assert common_tokens([b" zyzzyva", b" the", b" of", b" xylem", b"x"], frozenset()).tolist() == [1, 2, 4]


# With the real model


@pytest.fixture(scope="module")
def engine() -> Iterator[LlamaEngine]:
    try:
        model = find_model("gemma-3-270m")
    except ModelError as error:
        pytest.skip(f"{error.message} {error.hint}")
    with LlamaEngine(model.path, cells=512, sequences=4, batch=256, threads=1) as engine:
        engine.backend.pieces  # noqa: B018  (waits for the shortlist)
        yield engine


@pytest.fixture
def backend(engine: LlamaEngine) -> Iterator[LlamaBackend]:
    engine.backend.clear()
    yield engine.backend
    engine.backend.clear()


def after(backend: LlamaBackend, *texts: str) -> list[np.ndarray]:
    """Logits after each text, all decoded together."""
    tokens = [backend.tokenize((Segment(text),), first=True) for text in texts]
    work = [(Slice(seq, 0, len(each), sample=True), each) for seq, each in enumerate(tokens)]
    made = [logits.copy() for logits in backend.decode(work).values()]
    for seq in range(len(texts)):
        backend.cut(seq, 0)
    return made


ENGLISH = "The harbor town of Lindvik has put a language model on the computers of its library. It runs on two"
CHINESE = "林德维克港口小镇在图书馆的电脑上安装了一个语言模型。该模型运行在两台笔记本电脑上,撰写议会文件的简短摘要。"


@pytest.mark.model
def test_listed_logits_are_those_of_the_whole_product(backend: LlamaBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [ENGLISH, "Town, town, town, town,", ENGLISH.split(". ")[0] + "."]
    after(backend, ENGLISH)  # the first step of a model is done both ways
    listed = after(backend, *texts)
    monkeypatch.setattr(backend, "shortlist", None)
    whole = after(backend, *texts)
    for short, full in zip(listed, whole, strict=True):
        there = np.isfinite(short)
        assert np.isfinite(full).all()
        assert 30_000 < there.sum() < 45_000
        assert short[there] == pytest.approx(full[there], abs=0.02 * float(np.ptp(full)))
        assert short.argmax() == full.argmax()


@pytest.mark.model
def test_what_was_read_can_be_written(backend: LlamaBackend) -> None:
    rare = backend.tokenize((Segment(f"{ENGLISH} 林"),), first=False)[-1]
    after(backend, ENGLISH)
    assert not np.isfinite(after(backend, ENGLISH)[0][rare])
    assert np.isfinite(after(backend, f"{ENGLISH} 林")[0][rare])
    backend.clear()
    assert not np.isfinite(after(backend, ENGLISH)[0][rare])


@pytest.mark.model
def test_other_languages_are_continued_with_all_tokens(backend: LlamaBackend) -> None:
    after(backend, ENGLISH)
    assert np.isfinite(after(backend, CHINESE)[0]).all()
    assert not np.isfinite(after(backend, ENGLISH)[0]).all()
    tokens = backend.tokenize((Segment(CHINESE),), first=True)
    backend.decode([(Slice(0, 0, len(tokens), sample=False), tokens)])
    backend.fork(0, 1, len(tokens))  # and so are their branches
    assert np.isfinite(backend.decode([(Slice(1, len(tokens), 1, sample=True), tokens[1:2])])[1]).all()


def test_what_is_handed_on_counts_for_as_much_as_was_read(tmp_path: Path) -> None:
    """In a stream each prefix may begin with a part of the one before: the counts must not add up."""
    table(tmp_path / "m.gguf")
    shortlist = Shortlist(lib._lib, WIDTH, 4)
    pieces = [b"a", b"b", *[b"\xe4\xb8\xad\xe6\x96\x87"] * (VOCABULARY - 2)]
    shortlist.fill(tmp_path / "m.gguf", pieces, frozenset(), threads=1)
    for seq in range(3):
        shortlist.note(seq, [0, 1] * 300)  # common
        shortlist.fork(seq, seq + 1, 300)
    assert shortlist._seen[3].tolist() == [300, 0]
    shortlist.note(3, [5, 6] * 300)
    shortlist._look()
    assert shortlist._seen[3].tolist() == [900, 600]
    shortlist.fork(3, 0, 450)
    assert shortlist._seen[0].tolist() == [450, 300]
    shortlist.free()


@pytest.mark.model
def test_a_model_whose_logits_are_something_else_keeps_them(backend: LlamaBackend) -> None:
    found = find_model("gemma-3-270m")
    with LlamaEngine(found.path, cells=256, sequences=2, batch=128, threads=1) as engine:
        engine.backend.pieces  # noqa: B018
        shortlist = engine.backend.shortlist
        assert shortlist
        assert shortlist.size
        rows = shortlist._rows
        assert rows
        whole = rows.product
        rows.product = lambda state: [logits * 0.5 for logits in whole(state)]  # type: ignore[method-assign]
        for _ in range(2):
            assert np.isfinite(after(engine.backend, ENGLISH)[0]).all()
        assert shortlist.size == 0


@pytest.mark.model
def test_no_shortlist_on_request(engine: LlamaEngine) -> None:
    with LlamaEngine(find_model("gemma-3-270m").path, cells=256, sequences=2, threads=1, shortlist=False) as other:
        assert other.backend.shortlist is None
        assert np.isfinite(after(other.backend, ENGLISH)[0]).all()
