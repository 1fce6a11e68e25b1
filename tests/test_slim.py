"""What must hold of slim models: kept rows bit for bit, texts of kept tokens split as before, no text lost, any text.

llama.cpp itself splits the texts, over toy vocabularies made here; toy models have weights at random.
"""

from __future__ import annotations

import ctypes
import math
import os
import random
import struct
from collections import Counter
from functools import cache
from itertools import pairwise
from pathlib import Path

import llama_cpp.llama_cpp as lib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localsum.engine.llama import LlamaBackend
from localsum.engine.types import Segment
from localsum.errors import ModelError
from localsum.gguf import Tensor, read_header
from localsum.gguf_write import decode, encode, head
from localsum.models import find_model
from localsum.slim import Source, read_source, write_slim
from localsum.vocabulary import Vocabulary, always, builder, choose, choose_for, is_of, ranking, written

TEXT = (
    "The harbor town of Lindvik has put a small language model on the computers of its library. The model writes "
    "summaries of council papers, and the librarians print what it writes. It runs on two laptops; no paper leaves "
    "the house. In May the council wants to see what it costs: 12,400 crowns for the laptops and 300 for paper. "
    "“We keep the paper next to it,” said the librarian, “and we read both.” A résumé of the year follows in June.\n"
)
WIDTH, ROWS = 32, 520
TYPES = {"F32": (0, 4 * WIDTH), "Q8_0": (8, 34), "Q4_0": (2, 18)}


# Toy vocabularies and models


def learn(words: Counter[tuple[str, ...]], count: int) -> list[tuple[str, str]]:
    """Merges by how often a pair occurs, as BPE learns them."""
    merges: list[tuple[str, str]] = []
    while len(merges) < count:
        pairs: Counter[tuple[str, str]] = Counter()
        for word, times in words.items():
            for pair in pairwise(word):
                pairs[pair] += times
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        words = Counter({merged(word, best): times for word, times in words.items()})
    return merges


def merged(word: tuple[str, ...], pair: tuple[str, str]) -> tuple[str, ...]:
    parts, at = [], 0
    while at < len(word):
        is_pair = word[at : at + 2] == pair
        parts.append("".join(pair) if is_pair else word[at])
        at += 2 if is_pair else 1
    return tuple(parts)


def byte_letters() -> list[str]:
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return [chr(byte) if byte in plain else chr(next(others)) for byte in range(256)]


@cache
def sentencepiece() -> dict[str, bytes]:
    words = Counter(tuple("▁" + word) for word in TEXT.split())
    letters = sorted({letter for word in words for letter in word} | set("xyzXYZäß"))
    pieces = list(dict.fromkeys("".join(pair) for pair in learn(words, 150)))
    special = ["<pad>", "</s>", "<s>", "<unk>", "<start_of_turn>", "<unused0>", "<unused1>"]
    user = ["\n", "\n\n"]
    by_byte = [f"<0x{byte:02X}>" for byte in range(256)]
    rest = [*pieces, *letters]
    fill = [f"<unused{number + 2}>" for number in range(ROWS - len([*special, *user, *by_byte, *rest]))]
    tokens = [*special, *user, *by_byte, *rest, *fill]
    kinds = [3, 3, 3, 2, 3, 3, 3] + [4] * 2 + [6] * 256 + [1] * len(rest) + [3] * len(fill)
    scores = [-1000.0] * 9 + [0.0] * 256 + [-float(rank) for rank in range(len(rest))] + [-1000.0] * len(fill)
    return {
        "tokenizer.ggml.model": encode("llama"),
        "tokenizer.ggml.tokens": encode([token.encode() for token in tokens]),
        "tokenizer.ggml.scores": encode(scores),
        "tokenizer.ggml.token_type": encode(kinds),
        "tokenizer.ggml.bos_token_id": encode(2),
        "tokenizer.ggml.eos_token_id": encode(1),
        "tokenizer.ggml.unknown_token_id": encode(3),
        "tokenizer.ggml.add_space_prefix": encode(False),
    }


@cache
def byte_level() -> dict[str, bytes]:
    letters = byte_letters()
    words = Counter(tuple(letters[byte] for byte in (" " + word).encode()) for word in TEXT.split())
    merges = learn(words, 200)
    pieces = list(dict.fromkeys("".join(pair) for pair in merges))
    special = ["<|im_start|>", "<|im_end|>"]
    plain = [*letters, *pieces]
    fill = [f"[PAD{number}]" for number in range(ROWS - len(special) - len(plain))]
    tokens = [*plain, *special, *fill]
    return {
        "tokenizer.ggml.model": encode("gpt2"),
        "tokenizer.ggml.pre": encode("gpt-2"),
        "tokenizer.ggml.tokens": encode([token.encode() for token in tokens]),
        "tokenizer.ggml.token_type": encode([1] * len(plain) + [3, 3] + [5] * len(fill)),
        "tokenizer.ggml.merges": encode([f"{left} {right}".encode() for left, right in merges]),
        "tokenizer.ggml.bos_token_id": encode(len(plain)),
        "tokenizer.ggml.eos_token_id": encode(len(plain) + 1),
        "tokenizer.ggml.add_bos_token": encode(False),
    }


@cache
def letters_and_merges() -> dict[str, bytes]:
    """As Gemma 4's: SentencePiece's letters and byte tokens, but a list of merges instead of scores."""
    values = dict(sentencepiece())
    words = Counter(tuple("▁" + word) for word in TEXT.split())
    merges = encode([f"{left} {right}".encode() for left, right in learn(words, 150)])
    del values["tokenizer.ggml.scores"]
    return values | {"tokenizer.ggml.model": encode("gemma4"), "tokenizer.ggml.merges": merges}


VOCABULARIES = {"sentencepiece": sentencepiece, "byte-level": byte_level, "gemma4": letters_and_merges}


def toy(
    folder: Path, vocabulary: str, kind: str = "F32", *, untied: bool = False, by_layer: bool = False, **more: bytes
) -> Path:
    """A llama of one layer with weights at random; `kind` is the type of its rows of tokens."""
    values = {
        "general.architecture": encode("llama"),
        "general.name": encode("Toy"),
        "llama.context_length": encode(256),
        "llama.embedding_length": encode(WIDTH),
        "llama.block_count": encode(1),
        "llama.feed_forward_length": encode(64),
        "llama.attention.head_count": encode(2),
        "llama.attention.layer_norm_rms_epsilon": encode(1e-5),
        "llama.vocab_size": encode(ROWS),
        **VOCABULARIES[vocabulary](),
        **more,
    }
    noise = np.random.default_rng(7)
    number, row = TYPES[kind]

    def table() -> bytes:
        if kind == "F32":
            return noise.standard_normal((ROWS, WIDTH), np.float32).tobytes()
        scales = noise.uniform(0.5, 1.5, ROWS).astype(np.float16) / (70 if kind == "Q8_0" else 5)
        return b"".join(scale.tobytes() + noise.bytes(row - 2) for scale in scales)

    tensors, data = [], []

    def add(name: str, shape: tuple[int, ...], kind: int, content: bytes) -> None:
        tensors.append(Tensor(name, shape, kind, 0, len(content)))
        data.append(content + bytes(-len(content) % 32))

    def matrix(name: str, *shape: int) -> None:
        add(name, shape, 0, (noise.standard_normal(math.prod(shape), np.float32) / 6).tobytes())

    add("token_embd.weight", (WIDTH, ROWS), number, table())
    if by_layer:
        add("per_layer_token_embd.weight", (WIDTH, ROWS), number, table())
    if untied:
        add("output.weight", (WIDTH, ROWS), number, table())
    for name in ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"):
        matrix(f"{name}.weight", WIDTH)
    for name in ("q", "k", "v", "output"):
        matrix(f"blk.0.attn_{name}.weight", WIDTH, WIDTH)
    matrix("blk.0.ffn_gate.weight", WIDTH, 64)
    matrix("blk.0.ffn_up.weight", WIDTH, 64)
    matrix("blk.0.ffn_down.weight", 64, WIDTH)
    path = folder / "toy.gguf"
    path.write_bytes(head(values, tensors) + b"".join(data))
    return path


class Splitter:
    """llama.cpp's tokenizer for a file."""

    def __init__(self, path: Path) -> None:
        lib.llama_backend_init()
        lib.llama_log_set(SILENT, None)
        parameters = lib.llama_model_default_params()
        parameters.vocab_only = True
        self.model = lib.llama_model_load_from_file(os.fsencode(path), parameters)
        assert self.model
        self.vocab = lib.llama_model_get_vocab(self.model)
        source = decode(span(path, "tokenizer.ggml.tokens"))
        self.tokens = [token for token in source if isinstance(token, bytes)]

    def split(self, text: str) -> list[bytes]:
        return [self.tokens[token] for token in self.ids(text)]

    def ids(self, text: str) -> list[int]:
        data = text.encode()
        buffer = (lib.llama_token * (len(data) + 8))()
        count = lib.llama_tokenize(self.vocab, data, len(data), buffer, len(buffer), False, False)
        return list(buffer[:count])

    def join(self, ids: list[int]) -> bytes:
        buffer = ctypes.create_string_buffer(256)
        pieces = []
        for token in ids:
            size = lib.llama_token_to_piece(self.vocab, token, buffer, 256, 0, False)
            pieces.append(buffer.raw[:size])
        return b"".join(pieces)


SILENT = lib.llama_log_callback(lambda *_: None)


def span(path: Path, key: str) -> bytes:
    start, end = read_header(path).spans[key]
    return path.read_bytes()[start:end]


def slimmed(path: Path, keep: int, folder: Path | None = None) -> tuple[Source, list[int], Path]:
    source = read_source(path)
    kept = choose_for(source.vocabulary, "en", keep)
    target = (folder or path.parent) / "slim.gguf"
    write_slim(source, target, kept, {"source_sha256": "0" * 64})
    return source, kept, target


@pytest.fixture(scope="module", params=list(VOCABULARIES))
def pair(request, tmp_path_factory):
    """The same toy, full and slim."""
    path = toy(tmp_path_factory.mktemp("toy"), request.param)
    _, kept, target = slimmed(path, 384)
    assert len(kept) == 384
    return Splitter(path), Splitter(target)


# Texts

words = st.sampled_from([*TEXT.split(), "xyz", "ß", "é", "Lind", "papers,", "日本", "<unk>", "<0x41>", "🙂", "zebra"])
texts = st.one_of(st.text(), st.lists(words, max_size=12).map(" ".join), st.text("abcdehlmnorst ,.\n", max_size=60))


@given(text=texts)
@settings(deadline=None, max_examples=400)
def test_texts_of_kept_tokens_are_split_as_before(pair, text):
    full, slim = pair
    before = full.split(text)
    if set(before) <= set(slim.tokens):
        assert slim.split(text) == before


def test_there_are_such_texts_and_others(pair):
    full, slim = pair
    kept = [set(full.split(f" {word}")) <= set(slim.tokens) for word in TEXT.split()]
    assert 10 < sum(kept) < len(kept)


@given(text=texts)
@settings(deadline=None, max_examples=400)
def test_every_text_comes_back_byte_for_byte(pair, text):
    full, slim = pair
    text = text.replace("▁", "")  # SentencePiece writes a space so, the full model cannot tell them apart either
    assert slim.join(slim.ids(text)) == text.encode()
    assert full.join(full.ids(text)) == text.encode()


# The choice


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
def test_every_kept_token_can_be_built_from_kept_ones(tmp_path, vocabulary):
    source, kept, target = slimmed(toy(tmp_path, vocabulary), 384)
    build = builder(source.vocabulary)
    there = set(kept)
    for token in kept:
        text = written(source.vocabulary, token)
        if text is not None and len(text) > 1:
            path = build(token)
            assert path is not None
            assert set(path) <= there
    slim = Splitter(target)
    for token in kept:  # and llama.cpp does build it
        text = written(source.vocabulary, token)
        if text is not None and vocabulary != "byte-level":
            assert slim.split(text) == [source.vocabulary.tokens[token]]


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
def test_bytes_and_control_tokens_stay_and_placeholders_go(tmp_path, vocabulary):
    source, kept, _ = slimmed(toy(tmp_path, vocabulary), 320)
    tokens = {source.vocabulary.tokens[token] for token in kept}
    assert not [token for token in tokens if token.startswith((b"<unused", b"[PAD"))]
    if vocabulary != "byte-level":
        assert {b"<start_of_turn>", b"\n\n", *(f"<0x{byte:02X}>".encode() for byte in range(256))} <= tokens
    else:
        assert {b"<|im_start|>", *(letter.encode() for letter in byte_letters())} <= tokens


@given(keep=st.integers(1, 1000), seed=st.integers(0, 99))
@settings(deadline=None, max_examples=60)
def test_the_number_is_what_was_asked_for_and_round(keep, seed):
    values = sentencepiece()
    source = vocabulary_of(values)
    order = ranking(source, "en", [])
    random.Random(seed).shuffle(order)
    kept = choose(source, order, keep)
    needed = always(source)
    assert set(needed) <= set(kept)
    assert kept == sorted(set(kept))
    assert len(kept) % 64 == 0
    assert len(kept) <= max(keep, len(needed) + 63)
    assert len(kept) > min(keep, len(needed) + len(order)) - 64 - 7


def vocabulary_of(values):
    tokens, types, scores = (decode(values[f"tokenizer.ggml.{name}"]) for name in ("tokens", "token_type", "scores"))
    return Vocabulary("llama", tokens, types, scores, None, frozenset({1, 2, 3}))


def test_wanted_pieces_come_first():
    source = vocabulary_of(sentencepiece())
    plain = ranking(source, "en", [])
    late = plain[-1]
    text = written(source, late)
    assert text is not None
    assert ranking(source, "en", [text]).index(late) < plain.index(late)


def test_languages_differ_in_letters():
    assert is_of("en", " “naïve” – it’s 5 €")
    assert is_of("latin", "ścieżka")
    assert not is_of("en", "ścieżka")
    assert not is_of("latin", "мир")


# The file


@pytest.mark.parametrize("untied", [False, True])
@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("vocabulary", VOCABULARIES)
def test_kept_tokens_have_the_same_logits(tmp_path, vocabulary, kind, untied):
    path = toy(tmp_path, vocabulary, kind, untied=untied)
    _, kept, target = slimmed(path, 384)
    place = {token: number for number, token in enumerate(kept)}
    history = [token for token in kept if token > 280][:40]
    before = logits(path, history)
    after = logits(target, [place[token] for token in history])
    assert after.shape == (40, len(kept))
    assert np.abs(after - before[:, kept]).max() < 1e-4
    assert before.std() > 0.1, "the toy says something"


def logits(path: Path, tokens: list[int]) -> np.ndarray:
    from localsum.engine.scheduler import Slice

    backend = LlamaBackend(path, threads=1, cells=256, sequences=2)
    rows = [backend.decode([(Slice(0, at, 1, sample=True), [token])])[0].copy() for at, token in enumerate(tokens)]
    backend.close()
    return np.stack(rows)


def test_all_but_the_vocabulary_is_the_same_bit_for_bit(tmp_path):
    ids = struct.pack("<IIQ2I", 9, 4, 2, 1, ROWS - 1)  # the second is a placeholder, but has a meaning here
    more = {"tokenizer.ggml.eos_token_ids": ids, "toy.flag": encode(True), "general.license": encode("mit")}
    path = toy(tmp_path, "sentencepiece", "Q8_0", untied=True, by_layer=True, **more)
    source, kept, target = slimmed(path, 384)
    before, after = read_header(path), read_header(target)
    data = {name: target.read_bytes() if name == "slim" else path.read_bytes() for name in ("full", "slim")}
    for old, new in zip(before.tensors, after.tensors, strict=True):
        assert (old.name, old.kind) == (new.name, new.kind)
        full = data["full"][before.data_start + old.offset :][: old.size]
        slim = data["slim"][after.data_start + new.offset :][: new.size]
        if old.name in ("token_embd.weight", "output.weight", "per_layer_token_embd.weight"):
            assert new.shape == (WIDTH, len(kept))
            row = 34
            assert slim == b"".join(full[row * token : row * (token + 1)] for token in kept)
        else:
            assert slim == full
    changed = {key for key in before.spans if span(path, key) != span(target, key)}
    assert changed == {
        "general.name",
        "llama.vocab_size",
        *(f"tokenizer.ggml.{name}" for name in ("tokens", "scores", "token_type", "eos_token_ids")),
    }
    assert decode(span(target, "tokenizer.ggml.eos_token_ids")) == [1, kept.index(ROWS - 1)]
    assert decode(span(target, "llama.vocab_size")) == len(kept)
    tokens = source.vocabulary.tokens
    assert decode(span(target, "tokenizer.ggml.tokens")) == [tokens[token] for token in kept]
    assert after.metadata["localsum.slim.of_tokens"] == ROWS
    assert "384 tokens" in str(after.metadata["localsum.slim.notice"])


def test_ids_of_the_metadata_follow_their_tokens(tmp_path):
    path = toy(tmp_path, "byte-level")
    source, _, target = slimmed(path, 320)
    tokens = decode(span(target, "tokenizer.ggml.tokens"))
    assert isinstance(tokens, list)
    end = decode(span(target, "tokenizer.ggml.eos_token_id"))
    assert isinstance(end, int)
    assert tokens[end] == b"<|im_end|>"
    assert end != source.vocabulary.tokens.index(b"<|im_end|>")


def test_the_notice_of_gemma_is_in_the_file(tmp_path):
    path = toy(tmp_path, "sentencepiece", **{"general.architecture": encode("gemma3")})
    _, _, target = slimmed(path, 384)
    notice = str(read_header(target).metadata["localsum.slim.notice"])
    assert "Modified by localsum" in notice
    assert "Gemma Terms of Use" in notice


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"tokenizer.ggml.model": encode("t5")}, "kind 't5'"),
        ({"tokenizer.ggml.scores": encode([1.0])}, "not complete"),
        ({"tokenizer.ggml.tokens": encode([1] * ROWS)}, "not complete"),
        ({"tokenizer.ggml.token_type": encode([b"1"] * ROWS)}, "not complete"),
        ({"localsum.slim.source_sha256": encode("0")}, "slim already"),
    ],
)
def test_what_cannot_be_slimmed_is_said(tmp_path, more, why):
    with pytest.raises(ModelError, match=why):
        read_source(toy(tmp_path, "sentencepiece", **more))


def test_strange_ids_and_endless_tokens_do_no_harm(tmp_path):
    tokens = decode(sentencepiece()["tokenizer.ggml.tokens"])
    assert isinstance(tokens, list)
    tokens[300] = b"ab" * 1_000_000
    odd = {"tokenizer.ggml.tokens": encode(tokens), "tokenizer.ggml.sep_token_id": encode("none")}
    source, kept, target = slimmed(toy(tmp_path, "sentencepiece", **odd), 384)
    assert source.vocabulary.tokens.index(tokens[300]) not in kept
    assert decode(span(target, "tokenizer.ggml.sep_token_id")) == "none"


def test_a_table_under_another_name_is_refused(tmp_path):
    path = toy(tmp_path, "sentencepiece")
    path.write_bytes(path.read_bytes().replace(b"token_embd.weight", b"token_foot.weight"))
    with pytest.raises(ModelError, match="token_foot"):
        read_source(path)


# The command


@pytest.fixture
def own(tmp_path, monkeypatch):
    monkeypatch.setenv("LOCALSUM_MODELS", str(tmp_path / "models"))
    return toy(tmp_path, "sentencepiece")


def test_a_slim_model_is_known_by_its_name(own, said):
    code, out, notes = said("models", "slim", str(own), "--keep", "384", "--name", "toy-slim")
    assert (code, out) == (0, "toy-slim\n")
    assert "384 of 520 tokens" in notes
    found = find_model("toy-slim")
    assert found.path.parent == own.parent / "models"
    assert height(found.path) == 384
    assert said("models", "verify", "toy-slim")[0] == 0
    assert not list(found.path.parent.glob("*.part"))
    before = found.path.read_bytes()
    code, _, notes = said("models", "slim", str(own), "--keep", "320", "--name", "toy-slim")
    assert code == 2
    assert "localsum models remove toy-slim" in notes
    assert found.path.read_bytes() == before
    code, _, notes = said("models", "slim", "toy-slim")
    assert code == 3
    assert "slim already" in notes


def test_what_is_recommended_can_be_slimmed(own, said):
    assert "localsum models slim " in said("models", "recommend")[2]


def test_what_does_not_fit_is_wrong_usage(own, said):
    for options in (("--keep", "9", "--max-loss", "1"), ("--keep", "9999", "--name", "x y"), ("--language", "de")):
        assert said("models", "slim", str(own), *options)[0] == 2
    code, _, notes = said("models", "slim", str(own))
    assert code == 2
    assert "520 tokens" in notes
    assert not list(own.parent.glob("models/*.gguf"))


def test_a_loss_is_kept_to(own, said, monkeypatch):
    """The smallest size whose loss is under the limit; what the files lose is invented here."""
    from localsum.commands import slim as command

    monkeypatch.setattr(command, "_SIZES", (320, 384, 448))
    losses = {320: 1.05, 384: 1.02, 448: 1.01}
    monkeypatch.setattr(command, "_bits_per_byte", lambda path: losses.get(height(path), 1.0))
    assert said("models", "slim", str(own), "--max-loss", "3", "--name", "a")[0] == 0
    assert height(find_model("a").path) == 384
    assert said("models", "slim", str(own), "--max-loss", "6", "--name", "b")[0] == 0
    assert height(find_model("b").path) == 320
    assert not list(own.parent.glob("models/*/trial.gguf"))


def height(path: Path) -> int:
    return read_header(path).array_lengths["tokenizer.ggml.tokens"]


# The embedded model


@pytest.fixture(scope="module")
def gemma(tmp_path_factory):
    try:
        path = find_model("gemma-3-270m").path
    except ModelError as error:
        pytest.skip(f"{error.message} {error.hint}")
    _, kept, target = slimmed(path, 32768, tmp_path_factory.mktemp("slim"))
    assert len(kept) == 32768
    return path, target, kept


@pytest.mark.model
def test_the_embedded_model_says_the_same(gemma):
    path, target, kept = gemma
    full, slim = Splitter(path), Splitter(target)
    text = "The town has put a small model on the computers of its library, and the council wants to see what it costs."
    assert slim.split(text) == full.split(text)
    before, after = logits(path, [2, *full.ids(text)][:12]), logits(target, [2, *slim.ids(text)][:12])
    assert np.abs(after - before[:, kept]).max() < 1e-4


@pytest.mark.model
def test_any_text_comes_back_from_the_embedded_model(gemma):
    slim = Splitter(gemma[1])
    noise = random.Random(1)
    for length in range(0, 400, 3):
        text = "".join(chr(noise.choice([*range(1, 0x3000), *range(0x1F300, 0x1F700)])) for _ in range(length))
        text = text.replace("▁", "")
        assert slim.join(slim.ids(text)) == text.encode()


@pytest.mark.model
def test_surprise_is_that_of_the_logits(gemma):
    backend = LlamaBackend(gemma[1], threads=1, cells=64, sequences=4)
    tokens = backend.tokenize((Segment("The council wants to see"),), first=True)
    nats = backend.surprise(tokens)
    backend.close()
    rows = logits(gemma[1], tokens[:-1]).astype(np.float64)
    wanted = [math.log(np.exp(row).sum()) - row[token] for row, token in zip(rows, tokens[1:], strict=True)]
    assert nats == pytest.approx(wanted, abs=0.2)  # other batch shapes round differently
