"""llama.cpp behind the engine protocol, by the low-level bindings of llama-cpp-python, which only this file imports."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

# GNU OpenMP's threads spin at every barrier before they sleep, by default for so long that one other busy program makes
# decoding ten times slower. A short spin costs nothing on an idle machine (DECISIONS.md). Read when the library loads.
os.environ.setdefault("GOMP_SPINCOUNT", "5000")

import llama_cpp.llama_cpp as lib
import numpy as np
from llguidance import LLTokenizer
from numpy.typing import NDArray

from localsum.engine.fit import LEAST_CELLS, fit_cache, plain_for, threads_for
from localsum.engine.guide import Guide, Guides
from localsum.engine.loop import Run
from localsum.engine.machine import free_bytes, this_machine
from localsum.engine.sampling import Logits
from localsum.engine.scheduler import Slice
from localsum.engine.shortlist import Shortlist
from localsum.engine.table import token_table
from localsum.engine.types import Counts, Event, ModelInfo, Prompt, Request, Segment
from localsum.errors import EngineError, ModelError

_KV_TYPES = {"f16": lib.GGML_TYPE_F16, "q8_0": lib.GGML_TYPE_Q8_0}
_OVERLAP = 0  # branches that may still run when the reading of the next document begins (DECISIONS.md)
_log_lines: list[str] = []


@lib.llama_log_callback  # type: ignore[untyped-decorator]
def _keep_log(_level: int, text: bytes, _data: ctypes.c_void_p) -> None:
    """llama.cpp is chatty on stderr; its last lines are kept for error messages instead."""
    _log_lines.append(text.decode("utf-8", "replace").strip())
    del _log_lines[:-20]


def _last_log() -> str:
    lines = [line for line in _log_lines if "error" in line.lower() or "failed" in line.lower()]
    return lines[-1] if lines else "no reason given"


def system_info() -> str:
    """What llama.cpp was built for: instruction sets, backends."""
    info: bytes = lib.llama_print_system_info()
    return info.decode("utf-8", "replace").strip(" |\n")


def library_version() -> str | None:
    """Version of ggml and the commit it was built from, where the library says."""
    said = []
    for function in ("ggml_version", "ggml_commit"):
        if (call := getattr(lib._lib, function, None)) is not None:
            call.restype = ctypes.c_char_p
            said.append((call() or b"").decode("utf-8", "replace"))
    return " ".join(said) or None


def plain_numbers() -> Literal["bf16", "f16"] | None:
    """Numbers of 16 bits that this build multiplies faster than many packed ones; None where that is not known."""
    return None if lib.llama_supports_gpu_offload() else plain_for(system_info())


class LlamaBackend:
    """A model, its context and vocabulary. Not safe for use by several threads at once."""

    def __init__(
        self,
        path: Path,
        *,
        threads: int,
        cells: int | None = None,
        kv: Literal["f16", "q8_0"] | None = None,
        sequences: int = 24,
        batch: int = 512,
        shortlist: bool = True,
    ) -> None:
        """`cells` and `kv` None: what fits the memory that is free; if that was too much after all, half of it.

        With `shortlist` logits are those of likely tokens only, where that is faster (shortlist.py).
        """
        _log_lines.clear()
        lib.llama_log_set(_keep_log, None)
        lib.llama_backend_init()
        parameters = lib.llama_model_default_params()
        self._model = lib.llama_model_load_from_file(os.fsencode(path), parameters)
        if not self._model:
            raise ModelError(
                f"llama.cpp cannot load {path.name}: {_last_log()}",
                "check the file with: localsum models, or name another with --model PATH",
            )
        self._vocab = lib.llama_model_get_vocab(self._model)
        self.context_tokens = int(lib.llama_model_n_ctx_train(self._model))
        fit = fit_cache(free_bytes() - path.stat().st_size, self._cell_bytes(), self.context_tokens)
        self.cells = min(cells or fit.cells, self.context_tokens)
        self.kv = kv or fit.kv
        self.sequences = sequences
        self.batch = batch
        settings = lib.llama_context_default_params()
        settings.n_seq_max = sequences
        settings.n_threads = settings.n_threads_batch = threads
        settings.type_k = settings.type_v = _KV_TYPES[self.kv]
        settings.kv_unified = True
        settings.flash_attn_type = 1
        settings.n_outputs_max = sequences  # logits of 262,144 floats each: one row a branch, not one a token
        settings.no_perf = True
        self.shortlist = self._make_shortlist() if shortlist else None
        if self.shortlist:
            settings.cb_eval = ctypes.cast(self.shortlist.callback, type(settings.cb_eval))
        self._context = self._make_context(settings)
        while not self._context and not cells and self.cells > LEAST_CELLS:
            self.cells, self.batch = max(LEAST_CELLS, self.cells // 2), max(64, self.batch // 2)
            self._context = self._make_context(settings)
        if not self._context:
            lib.llama_model_free(self._model)
            raise ModelError(
                f"no memory for a context of {self.cells} tokens: {_last_log()}",
                "try: localsum brief --context 4096 FILE",
            )
        self._memory = lib.llama_get_memory(self._context)
        self._batch = lib.llama_batch_init(self.batch, 0, 1)
        self.vocabulary = int(lib.llama_vocab_n_tokens(self._vocab))
        self._pieces: list[bytes] = []
        self._ends: frozenset[int] = frozenset()
        self._path, self._threads = path, threads
        self._is_closing = False
        self._guides = Guides(self._token_table, self.vocabulary)

    def _make_context(self, settings: lib.llama_context_params) -> int | None:
        settings.n_ctx = self.cells
        settings.n_batch = settings.n_ubatch = self.batch
        context: int | None = lib.llama_init_from_model(self._model, settings)
        return context

    def _make_shortlist(self) -> Shortlist | None:
        """Where the product with all tokens is a large part of a step, on the CPU, and rows keep their order."""
        model = self._model
        width = int(lib.llama_model_n_embd(model))
        is_large = width * lib.llama_vocab_n_tokens(self._vocab) >= 0.1 * lib.llama_model_n_params(model)
        if not is_large or lib.llama_supports_gpu_offload():
            return None
        if lib.llama_model_is_recurrent(model) or lib.llama_model_is_hybrid(model):
            return None
        try:
            return Shortlist(lib._lib, width, self.sequences)
        except AttributeError:
            return None

    def _cell_bytes(self) -> int:
        """Of one token in the KV cache, all layers, in f16."""
        model = self._model
        family = self.metadata("general.architecture")
        head = lib.llama_model_n_embd(model) // max(1, lib.llama_model_n_head(model))
        sizes = [self.metadata(f"{family}.attention.{name}_length") or head for name in ("key", "value")]
        return int(lib.llama_model_n_layer(model) * lib.llama_model_n_head_kv(model) * sum(map(int, sizes)) * 2)

    # Vocabulary

    @property
    def pieces(self) -> list[bytes]:
        """The bytes of each token; control tokens have none."""
        self._guides.wait()
        return self._pieces

    @property
    def ends(self) -> frozenset[int]:
        """Tokens that end a turn or a text."""
        self._guides.wait()
        return self._ends

    def _token_table(self) -> LLTokenizer:
        """In a thread of its own, see guide.py."""
        self._pieces, self._ends, tokenizer = token_table(lib._lib, self._vocab, self.vocabulary)
        if self.shortlist and not self._is_closing:
            self.shortlist.fill(self._path, self._pieces, self._ends, threads=self._threads)
        return tokenizer

    def tokenize(self, prompt: Prompt, *, first: bool) -> list[int]:
        """Token ids; the model's begin-of-text token in front if it wants one and this is the `first` part."""
        tokens: list[int] = []
        for segment in prompt:
            tokens += self._tokenize(segment)
        bos = int(lib.llama_vocab_bos(self._vocab))
        if first and lib.llama_vocab_get_add_bos(self._vocab) and tokens[:1] != [bos]:
            tokens.insert(0, bos)
        return tokens

    def _tokenize(self, segment: Segment) -> list[int]:
        self._check_open()
        data = segment.text.encode("utf-8", "replace")
        room = len(data) + 8
        while True:
            buffer = (lib.llama_token * room)()
            count = lib.llama_tokenize(self._vocab, data, len(data), buffer, room, False, segment.special)
            if count >= 0:
                return list(buffer[:count])
            room = -count

    # Cache and decode

    def decode(self, slices: list[tuple[Slice, list[int]]]) -> dict[int, Logits]:
        asked = [part.seq for part, _ in slices if part.sample]
        if (shortlist := self.shortlist) is None:
            rows = self._decode(slices)
            return {seq: self._logits(row) for seq, row in zip(asked, rows, strict=True)}
        for part, tokens in slices:
            shortlist.note(part.seq, tokens)
        shortlist.open(asked)
        rows = self._decode(slices)
        logits = shortlist.close(lambda: self._logits(rows[-1])) or [self._logits(row) for row in rows]
        return dict(zip(asked, logits, strict=True))

    def _decode(self, slices: list[tuple[Slice, list[int]]]) -> list[int]:
        """Decode, and say which rows of the batch have logits."""
        self._check_open()
        batch = self._batch
        rows = []
        index = 0
        for part, tokens in slices:
            for offset, token in enumerate(tokens):
                batch.token[index] = token
                batch.pos[index] = part.start + offset
                batch.n_seq_id[index] = 1
                batch.seq_id[index][0] = part.seq
                batch.logits[index] = False
                index += 1
            if part.sample:
                batch.logits[index - 1] = True
                rows.append(index - 1)
        batch.n_tokens = index
        status = lib.llama_decode(self._context, batch)
        if status == 1:
            raise EngineError("the KV cache has no room left")
        if status != 0:
            raise EngineError(f"llama_decode failed with status {status}: {_last_log()}", "please report this")
        return rows

    def surprise(self, tokens: Sequence[int]) -> NDArray[np.float64]:
        """Of each token after the first: nats that it costs, given those before it. Shape (len(tokens) - 1,).

        The cache must be empty and have a cell for each token; it is empty afterwards.
        """
        found: list[NDArray[np.float64]] = []
        for start in range(0, len(tokens) - 1, self.sequences):
            part = tokens[start : start + self.sequences]
            self._decode([(Slice(0, start + offset, 1, sample=True), [token]) for offset, token in enumerate(part)])
            after = tokens[start + 1 : start + 1 + len(part)]
            for row, token in enumerate(after):
                logits = self._logits(row).astype(np.float64)
                top = logits.max()
                found.append(np.log(np.exp(logits - top).sum()) + top - logits[token])
        self.cut(0, 0)
        return np.array(found)

    def _logits(self, row: int) -> Logits:
        """A view: valid until the next decode."""
        return np.ctypeslib.as_array(lib.llama_get_logits_ith(self._context, row), shape=(self.vocabulary,))

    def fork(self, src: int, dst: int, tokens: int) -> bool:
        """Share the first `tokens` cells of `src` with the empty `dst`. False if the cache no longer has them all.

        Layers with a sliding window may have given away cells that lie before the window of the last token, which does
        no harm until somebody continues from further up. (Models with a recurrent state have but one place to go on
        from; they say that their first position is their last.)
        """
        self._check_open()
        window = lib.llama_model_n_swa(self._model)
        needed_from = max(0, tokens - window) if window else 0
        is_whole = lib.llama_memory_seq_pos_max(self._memory, src) + 1 == tokens
        if not is_whole and lib.llama_memory_seq_pos_min(self._memory, src) > needed_from:
            return False
        lib.llama_memory_seq_cp(self._memory, src, dst, 0, tokens)
        if self.shortlist:
            self.shortlist.fork(src, dst, tokens)
        return True

    def cut(self, seq: int, tokens: int) -> None:
        """Free the cells of `seq` behind its first `tokens`."""
        if self._context:
            lib.llama_memory_seq_rm(self._memory, seq, tokens, -1)
        if self.shortlist and not tokens:
            self.shortlist.cut(seq)

    def clear(self) -> None:
        """Free every cell, so that what comes next finds the cache as if it were new."""
        self._check_open()
        lib.llama_memory_clear(self._memory, False)
        if self.shortlist:
            self.shortlist.clear()

    def used_sequences(self) -> list[int]:
        """Sequences that hold cells; empty when nothing runs."""
        self._check_open()
        return [seq for seq in range(self.sequences) if lib.llama_memory_seq_pos_max(self._memory, seq) >= 0]

    def guide(self, grammar: str) -> Guide:
        self._check_open()
        return self._guides(grammar)

    # Metadata

    def metadata(self, key: str) -> str | None:
        size = 1 << 16
        buffer = ctypes.create_string_buffer(size)
        length = lib.llama_model_meta_val_str(self._model, key.encode(), buffer, size)
        return buffer.value.decode("utf-8", "replace") if length >= 0 else None

    def chat_template(self) -> str | None:
        template = lib.llama_model_chat_template(self._model, None)
        return template.decode("utf-8", "replace") if template else None

    def token_text(self, token: int) -> str:
        text = lib.llama_vocab_get_text(self._vocab, token) if token >= 0 else None
        return text.decode("utf-8", "replace") if text else ""

    def special_tokens(self) -> tuple[str, str]:
        """Begin and end of text, as chat templates name them."""
        return self.token_text(lib.llama_vocab_bos(self._vocab)), self.token_text(lib.llama_vocab_eos(self._vocab))

    def _check_open(self) -> None:
        if not self._context:
            raise EngineError("the engine is closed")

    def close(self) -> None:
        self._is_closing = True
        self._guides.wait()
        if self._context:
            lib.llama_batch_free(self._batch)
            lib.llama_free(self._context)
            lib.llama_model_free(self._model)
            self._context = None
            if self.shortlist:
                self.shortlist.free()


class LlamaEngine:
    """The engine. Loads the model at once; close it, or use it as a context manager, to free memory.

    `cells` is the KV cache in tokens, shared by all that runs at once, and `kv` the type of its values: both chosen by
    the free memory unless given. `threads` None are the usable whole cores. `sequences` bounds the branches beside each
    other. With `reproducible` a request gives the same text whatever is written beside it: each has the cache for
    itself.
    """

    def __init__(
        self,
        path: Path,
        *,
        name: str = "",
        thinking_off: str = "",
        cells: int | None = None,
        kv: Literal["f16", "q8_0"] | None = None,
        sequences: int = 24,
        batch: int = 512,
        threads: int | None = None,
        reproducible: bool = False,
        shortlist: bool = True,
    ) -> None:
        threads = threads or threads_for(this_machine())
        self._is_reproducible = reproducible
        self._is_running = False
        self.backend = LlamaBackend(
            path, cells=cells, kv=kv, sequences=sequences, batch=batch, threads=threads, shortlist=shortlist
        )
        bos, eos = self.backend.special_tokens()
        self.totals = Counts()
        self.info = ModelInfo(
            name=name or path.stem,
            context_tokens=self.backend.cells,
            chat_template=self.backend.chat_template(),
            bos=bos,
            eos=eos,
            warning=self.backend.metadata("localsum.warning") or "",
            thinking_off=thinking_off,
            settings={
                "threads": threads,
                "cells": self.backend.cells,
                "kv": self.backend.kv,
                "layers": self.backend.metadata("localsum.layers") or "packed",
                "sequences": sequences,
                "batch": self.backend.batch,
            },
        )

    def count_tokens(self, text: str) -> int:
        return len(self.backend.tokenize((Segment(text),), first=False))

    def run(self, requests: Iterable[Request]) -> Iterator[Event]:
        """Write all branches of all requests; see types.Event. Close the iterator to cancel. One run at a time."""
        if self._is_running:  # both would use the same sequence ids
            raise EngineError("the engine is still running", "read the other iterator to its end, or close it")
        self._is_running = True
        try:
            yield from Run(
                self.backend,
                requests,
                overlap=_OVERLAP,
                totals=self.totals,
                reproducible=self._is_reproducible,
            )
        finally:
            self._is_running = False

    def close(self) -> None:
        """Free all memory. What still runs fails by name when its iterator is read on."""
        self.backend.close()

    def __enter__(self) -> LlamaEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
