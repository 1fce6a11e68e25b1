"""What must hold of GGUF headers: a whole file is read, any other file is a ModelError and never worse."""

from __future__ import annotations

import ctypes
import os
import struct
import tempfile
from importlib.util import find_spec
from pathlib import Path

import pytest
from ggufs import ARCHITECTURE, make_gguf, pair, string
from hypothesis import given, settings
from hypothesis import strategies as st

from localsum import gguf
from localsum.errors import ModelError


def read(content: bytes) -> gguf.Header:
    handle, name = tempfile.mkstemp(suffix=".gguf")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        return gguf.read_header(Path(name))
    finally:
        os.unlink(name)


def test_a_whole_file_is_read():
    header = read(make_gguf())
    assert (header.version, len(header.tensors), header.architecture) == (3, 2, "toy")
    assert header.context_length == 2048
    assert header.chat_template == "{{ messages }}"
    assert header.array_lengths == {"tokenizer.ggml.tokens": 3, "tokenizer.ggml.scores": 3}
    assert header.metadata["toy.flag"] is True
    assert header.numbers == {"tokenizer.ggml.scores": (1.0, 2.0, 3.0)}
    assert [(each.shape, gguf.TYPES[each.kind][0], each.size) for each in header.tensors] == [
        ((32, 3), "F32", 384),
        ((64,), "Q4_0", 36),
    ]
    assert header.counts("context_length") == (2048,)
    assert header.counts("head_count") == header.counts("flag") == ()
    assert header.text_arrays == {"tokenizer.ggml.tokens"}
    assert read(make_gguf([ARCHITECTURE], version=2)).chat_template is None


def test_a_file_cut_off_anywhere_is_refused(tmp_path):
    path = tmp_path / "x.gguf"
    path.write_bytes(make_gguf())
    gguf.read_header(path)
    while length := path.stat().st_size:
        os.truncate(path, length - 1)
        with pytest.raises(ModelError):
            gguf.read_header(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "too short"),
        (b"<!DOCTYPE html>" * 9, "not a GGUF"),
        (make_gguf(version=1), "version 1"),
        (make_gguf(version=3 << 24), "big-endian"),
        (make_gguf(counts=(2**63, 2)), "damaged"),
        (make_gguf(counts=(2, 2**63)), "damaged"),
        (make_gguf(data=419), "is cut off"),
        (make_gguf([]), "names no architecture"),
        (make_gguf([pair("general.architecture", 4, struct.pack("<I", 1))]), "names no architecture"),
        (make_gguf(tensors=()), "no tensors"),
        (make_gguf([ARCHITECTURE, ARCHITECTURE]), "twice"),
        (make_gguf([pair("x", 13, b"")]), "unknown type 13"),
        (make_gguf([pair("x", 9, struct.pack("<IQ", 9, 1))]), "unknown type 9"),
        (make_gguf([pair("x", 9, struct.pack("<IQ", 8, 2**63))]), "ends too early"),
        (make_gguf([pair("x", 9, struct.pack("<IQQ", 8, 2, 2**64 - 1))]), "ends too early"),
        (make_gguf([pair("x", 9, struct.pack("<IQ", 10, 2**63))]), "ends too early"),
        (make_gguf([pair("x", 8, struct.pack("<Q", 2**64 - 1))]), "ends too early"),
        (make_gguf([pair("general.alignment", 4, struct.pack("<I", 0))]), "power of two"),
        (make_gguf([ARCHITECTURE, pair("general.type", 8, string("adapter"))]), "no model"),
        (make_gguf([ARCHITECTURE, pair("split.count", 2, struct.pack("<H", 3))]), "split"),
        (make_gguf(tensors=[(0, (2**32,) * 4, 0)]), "is cut off"),
        (make_gguf(tensors=[(0, (1,), 2**64 - 32)]), "is cut off"),
        (make_gguf(tensors=[(99, (1,), 2**64 - 32)]), "is cut off"),
        (make_gguf(tensors=[(0, (1,), 1)]), "begins where none can"),
        (make_gguf(names=("t", "t")), "two tensors of the same name"),
        (make_gguf(tensors=[(2, (33,), 0)]), "no whole blocks"),
        (make_gguf(tensors=[(0, (1,) * 5, 0)]), "5 dimensions"),
    ],
)
def test_what_is_wrong_is_said(content, message):
    with pytest.raises(ModelError, match=message) as caught:
        read(content)
    assert caught.value.hint


def test_a_header_over_the_limit_is_refused(monkeypatch):
    monkeypatch.setattr(gguf, "MAX_HEADER_BYTES", 4096)
    with pytest.raises(ModelError, match="more than 4096 bytes"):
        read(make_gguf([ARCHITECTURE, pair("x", 8, string("y" * 5000))]))


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=300))
def test_random_bytes_are_only_ever_refused(noise):
    for content in [noise, b"GGUF" + noise, b"GGUF\3\0\0\0" + noise]:
        with pytest.raises(ModelError):
            read(content)


@settings(deadline=None, max_examples=300)
@given(
    st.lists(st.tuples(st.integers(0, len(make_gguf()) - 1), st.binary(min_size=1, max_size=9)), min_size=1, max_size=4)
)
def test_a_damaged_file_is_read_or_refused(changes):
    content = bytearray(make_gguf())
    for position, replacement in changes:
        content[position : position + len(replacement)] = replacement
    try:
        header = read(bytes(content))
    except ModelError:
        return
    assert header.architecture
    assert header.context_length is None or header.context_length > 0


def test_block_sizes_are_those_of_llama_cpp():
    spec = find_spec("llama_cpp")
    folder = Path(spec.origin or "").parent / "lib" if spec else Path()
    files = [path for path in folder.glob("*ggml-base*") if path.suffix in {".so", ".dylib", ".dll"}] if spec else []
    if not files:
        pytest.skip("llama-cpp-python is not installed with a ggml-base library")
    ggml = ctypes.CDLL(str(files[0]))
    ggml.ggml_blck_size.restype = ctypes.c_int64
    ggml.ggml_type_size.restype = ctypes.c_size_t
    # 39 is the newest type in every version that pyproject.toml allows; asking for one too many would crash.
    library = {kind: (ggml.ggml_blck_size(kind), ggml.ggml_type_size(kind)) for kind in range(40)}
    ggml.ggml_type_name.restype = ctypes.c_char_p
    names = {kind: ggml.ggml_type_name(kind).decode().upper() for kind in library}
    assert {kind: (names[kind], *sizes) for kind, sizes in library.items() if sizes != (0, 0)} == {
        kind: row for kind, row in gguf.TYPES.items() if kind < 40
    }
