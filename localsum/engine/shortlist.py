"""The shortlist: logits of the tokens that an English text may well need, instead of all that a model knows.

Two thirds of a small model's step are its last product, with the rows of 262,144 tokens of every language. Here the
graph of llama.cpp is ended before it, and the product is made with the rows of common English tokens and of every
token that was read. All other logits are minus infinity. Of 10,083 tokens that were written with all rows 14 are not on
the list (DECISIONS.md). What continues a text in another language is written with all rows.

Knows tokens and rows; nothing of texts, batches or grammars.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from localsum.engine.ggml import F16, F32, Ggml, InitParams, Tap
from localsum.engine.sampling import Logits
from localsum.errors import EngineError, ModelError
from localsum.gguf import read_header
from localsum.resources import resource

_FOREIGN = 0.1  # of what a sequence has read: with more tokens than that outside the common ones, all rows are used
_FEW = 8  # rare tokens say nothing of a language
_COMMON = 32_768  # pieces: more do not fit the caches of processors beside the rest, and hardly any is ever missed
_READ = 8192  # rows for tokens that were read; the oldest give way
_CHUNK = 1024  # rows that are brought in at once: more take memory and no less time
_MOST_BYTES = 256 << 20
_TOLERANCE = 0.1  # of the range of logits: kernels differ by less, another formula by more


class Shortlist:
    """Ends the graphs of one context and makes their logits. `fill` may run in another thread; the rest may not."""

    def __init__(self, library: ctypes.CDLL, width: int, sequences: int) -> None:
        """`width` is that of the model's states. Raises AttributeError for a library that hides what is needed."""
        self._ggml = Ggml(library)
        self._tap = Tap(self._ggml, width)
        self.callback = self._tap.callback  # for the context to be made
        self._rows: Rows | None = None  # None until it is filled, and where it is of no use
        self._is_of_use = True  # as far as is known
        self._is_checked = False  # whether its logits have been held against the model's own
        self._unread: list[tuple[int, list[int]]] = []  # sequence and tokens, not looked at so far
        self._seen = np.zeros((sequences, 2), np.int64)  # of each sequence: tokens, and those that are not common

    def fill(self, path: Path, pieces: Sequence[bytes], ends: frozenset[int], *, threads: int) -> None:
        """Bring in the rows of the model file's common tokens. Does nothing where they cannot be used."""
        common = common_tokens(pieces, ends)
        try:
            if len(common) > len(pieces) / 2:
                raise ModelError("a list of most tokens saves nothing", "this is no fault of the model")
            self._rows = Rows(self._ggml, path, common, states=len(self._seen), threads=threads)
        except (ModelError, EngineError, OSError, ValueError):  # a model in several files, say
            self._is_of_use = False

    @property
    def size(self) -> int:
        """Tokens that can be written now; 0 for all."""
        return self._rows.used if self._rows else 0

    # What was read

    def note(self, seq: int, tokens: list[int]) -> None:
        if self._is_of_use:
            self._unread.append((seq, tokens))

    def fork(self, src: int, dst: int, tokens: int) -> None:
        """`dst` goes on from the first `tokens` of `src`, of which as large a part is rare, for all that is known."""
        self._look()
        self._seen[dst] = self._seen[src] * tokens // max(1, self._seen[src, 0])

    def cut(self, seq: int) -> None:
        self._seen[seq] = 0

    def clear(self) -> None:
        """As if nothing had been read."""
        self._unread.clear()
        self._seen[:] = 0
        if self._rows:
            self._rows.clear()

    def _look(self) -> None:
        if self._rows:
            for seq, tokens in self._unread:
                self._seen[seq] += len(tokens), self._rows.read(tokens)
            self._unread.clear()

    # A step

    def open(self, seqs: Iterable[int]) -> None:
        """What comes next is a decode that asks for these sequences' logits, in this order."""
        self._look()
        self._tap.close()  # the last decode may have failed
        asked = self._seen[list(seqs)]
        if self._rows and not self._unread and len(asked) and (asked[:, 1] <= _FOREIGN * asked[:, 0] + _FEW).all():
            self._tap.open(len(asked), ends=self._is_checked)

    def close(self, own: Callable[[], Logits]) -> list[Logits] | None:
        """After it: each sequence's logits, valid until the next step; None: the model's own are to be taken.

        The first time the graph was not ended, and the last row is held against the model's `own` logits.
        """
        state = self._tap.close()
        if state is None or self._rows is None:
            return None
        found = self._rows.product(state)
        if not self._is_checked:
            self._is_checked = True
            full, listed = own(), np.isfinite(found[-1])
            if not np.abs(found[-1][listed] - full[listed]).max() <= _TOLERANCE * np.ptp(full):
                self.free()  # something else is done to the logits of this model
                return None
        return found

    def free(self) -> None:
        """Give the memory back; from now on the model's own logits are taken."""
        if self._rows:
            self._rows.free()
        self._rows, self._is_of_use = None, False
        self._unread.clear()


def common_tokens(pieces: Sequence[bytes], ends: frozenset[int]) -> NDArray[np.int64]:
    """Ids of tokens that any English text may need: ends, bytes and letters, and the most useful pieces.

    Two orders are multiplied, as for slim files: how often pieces are wanted (models/pieces-en.txt), and the order in
    which the vocabulary was made, often needed first.
    """
    wanted = resource("models/pieces-en.txt").read_bytes().split(b"\n")
    place = {piece: number for number, piece in enumerate(wanted) if piece}
    unknown = 2 * len(place)
    always, others, keys = [*ends], list[int](), list[int]()
    for token, piece in enumerate(pieces):
        if len(piece) == 1 or (len(piece) < 4 and _is_letter(piece.decode("utf-8", "replace"))):
            always.append(token)
        elif piece in place or (piece and piece.isascii()):
            keys.append((place.get(piece, unknown) + 1000) * (len(others) + 1000))
            others.append(token)
    best = np.argsort(keys, kind="stable")[:_COMMON]
    return np.union1d(always, np.array(others, np.int64)[best])


def _is_letter(text: str) -> bool:
    """Of Latin scripts, or a sign: a dash, a quotation mark, a currency."""
    return len(text) == 1 and (text < "\u0250" or "\u2000" <= text < "\u2200")


class Rows:
    """Rows of the common tokens and of those that were read, and the product of states with them."""

    def __init__(self, ggml: Ggml, path: Path, common: NDArray[np.int64], *, states: int, threads: int) -> None:
        """Room for products with so many `states` at once. Raises ModelError for a file whose rows cannot be used."""
        self._ggml = ggml
        self._threads = threads
        header = read_header(path)
        tables = {tensor.name: tensor for tensor in header.tensors}
        table = tables.get("output.weight") or tables.get("token_embd.weight")
        if table is None or table.size is None or len(table.shape) != 2 or "output.bias" in tables:
            raise ModelError(f"{path.name} has no plain table of tokens", "see what it has: localsum models info NAME")
        self._width, self._vocabulary = table.shape
        self._kind = table.kind
        bytes_of_row = table.size // self._vocabulary
        # Mapped anew for each use: what was looked at would stay in memory a second time, beside llama.cpp's own.
        self._table = partial(
            np.memmap, path, np.uint8, "r", header.data_start + table.offset, (self._vocabulary, bytes_of_row)
        )
        self._ids = np.concatenate([common, np.full(_READ, -1)])  # token of each row
        self._place = np.full(self._vocabulary, -1)  # row of each token
        self._common = len(common)
        self.used = self._common
        self._next = 0
        self._out: list[Logits] = []
        rows_bytes = len(self._ids) * self._width * 2
        if rows_bytes > _MOST_BYTES:
            raise ModelError("the rows of common tokens need too much memory", "this is no fault of the file")
        self._memory = ggml.init(InitParams(rows_bytes + 4096, None, False))
        self._rows = ggml.new_tensor_2d(self._memory, F16, self._width, len(self._ids))
        room = states * (self._width * 2 + len(self._ids)) * 4 + _CHUNK * (bytes_of_row + 6 * self._width)
        self._scratch = ggml.init(InitParams(room + 2 * ggml.graph_overhead() + (1 << 20), None, False))
        try:
            for at in range(0, self._common, _CHUNK):
                self._load(common[at : at + _CHUNK], at)
        except BaseException:
            self.free()
            raise

    def _load(self, tokens: NDArray[np.int64], at: int) -> None:
        """Put the tokens' rows where the row `at` begins, whatever their type is, as halves of floats."""
        ggml, count = self._ggml, len(tokens)
        ggml.reset(self._scratch)
        raw = ggml.new_tensor_2d(self._scratch, self._kind, self._width, count)
        rows = np.array(self._table()[tokens])
        ctypes.memmove(ggml.get_data(raw), rows.ctypes.data, rows.nbytes)
        made = ggml.cast(self._scratch, ggml.cast(self._scratch, raw, F32), F16)
        self._compute(made)
        bytes_of_row = self._width * 2
        ctypes.memmove(ggml.get_data(self._rows) + at * bytes_of_row, ggml.get_data(made), count * bytes_of_row)
        self._ids[at : at + count] = tokens
        self._place[tokens] = np.arange(at, at + count)

    def _compute(self, result: int) -> None:
        graph = self._ggml.new_graph(self._scratch)
        self._ggml.build_forward_expand(graph, result)
        status = self._ggml.graph_compute_with_ctx(self._scratch, graph, self._threads)
        if status != 0:
            raise EngineError(f"ggml failed with status {status}", "please report this")

    def read(self, tokens: Sequence[int]) -> int:
        """Tokens that were read, and may now be written. How many of them are not common."""
        read = np.asarray(tokens)
        places = self._place[read]
        rare = (places < 0) | (places >= self._common)
        new = np.unique(read[places < 0])
        for at in range(0, len(new), _CHUNK):
            self._add(new[at : at + _CHUNK])
        return int(rare.sum())

    def _add(self, tokens: NDArray[np.int64]) -> None:
        if self._next + len(tokens) > _READ:
            self._next = 0  # the oldest give way
        at = self._common + self._next
        old = self._ids[at : at + len(tokens)]
        self._forget(old[old >= 0])
        self._load(tokens, at)
        self._next += len(tokens)
        self.used = max(self.used, at + len(tokens))

    def _forget(self, tokens: NDArray[np.int64]) -> None:
        self._place[tokens] = -1
        for out in self._out:
            out[tokens] = -np.inf

    def clear(self) -> None:
        """As if nothing had been read."""
        old = self._ids[self._common : self.used]
        self._forget(old[old >= 0])
        self._ids[self._common :] = -1
        self.used, self._next = self._common, 0

    def product(self, state: NDArray[np.float32]) -> list[Logits]:
        """For each row of `state`, shape (states, width), logits of shape (vocabulary,), valid until the next call."""
        ggml, count, used = self._ggml, len(state), self.used
        ggml.reset(self._scratch)
        given = ggml.new_tensor_2d(self._scratch, F32, self._width, count)
        ctypes.memmove(ggml.get_data(given), state.ctypes.data, state.nbytes)
        rows = ggml.view_2d(self._scratch, self._rows, self._width, used, self._width * 2, 0)
        product = ggml.mul_mat(self._scratch, rows, given)
        self._compute(product)
        made = np.ctypeslib.as_array(ctypes.cast(ggml.get_data(product), ctypes.POINTER(ctypes.c_float)), (count, used))
        while len(self._out) < count:
            self._out.append(np.full(self._vocabulary, -np.inf, np.float32))
        ids = self._ids[:used]
        for out, row in zip(self._out, made, strict=False):
            out[ids] = row
        return self._out[:count]

    def free(self) -> None:
        self._ggml.free(self._memory)
        self._ggml.free(self._scratch)
