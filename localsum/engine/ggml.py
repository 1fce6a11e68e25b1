"""What of ggml is used beside llama.cpp's own functions: products of our own, and a look at a graph under way.

Takes the library that is handed in; knows neither models nor tokens.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

NODE = b"result_norm"  # what llama.cpp calls the last state, which is multiplied with the rows of all tokens
F32, F16 = 0, 1
_POINTER, _INT, _WIDE = ctypes.c_void_p, ctypes.c_int, ctypes.c_int64

Callback = ctypes.CFUNCTYPE(ctypes.c_bool, _POINTER, ctypes.c_bool, _POINTER)


class InitParams(ctypes.Structure):
    _fields_ = (("mem_size", ctypes.c_size_t), ("mem_buffer", _POINTER), ("no_alloc", ctypes.c_bool))


_FUNCTIONS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "ggml_init": (_POINTER, (InitParams,)),
    "ggml_free": (None, (_POINTER,)),
    "ggml_reset": (None, (_POINTER,)),
    "ggml_new_tensor_2d": (_POINTER, (_POINTER, _INT, _WIDE, _WIDE)),
    "ggml_view_2d": (_POINTER, (_POINTER, _POINTER, _WIDE, _WIDE, ctypes.c_size_t, ctypes.c_size_t)),
    "ggml_get_data": (_POINTER, (_POINTER,)),
    "ggml_cast": (_POINTER, (_POINTER, _POINTER, _INT)),
    "ggml_mul_mat": (_POINTER, (_POINTER, _POINTER, _POINTER)),
    "ggml_new_graph": (_POINTER, (_POINTER,)),
    "ggml_graph_overhead": (ctypes.c_size_t, ()),
    "ggml_build_forward_expand": (None, (_POINTER, _POINTER)),
    "ggml_graph_compute_with_ctx": (_INT, (_POINTER, _POINTER, _INT)),
    "ggml_get_name": (ctypes.c_char_p, (_POINTER,)),
    "ggml_nelements": (_WIDE, (_POINTER,)),
    "ggml_backend_tensor_get": (None, (_POINTER, _POINTER, ctypes.c_size_t, ctypes.c_size_t)),
}


class Ggml:
    """The functions above, with their types. Raises AttributeError where the library has one of them not."""

    def __init__(self, library: ctypes.CDLL) -> None:
        for name, (result, arguments) in _FUNCTIONS.items():
            address = ctypes.cast(getattr(library, name), _POINTER).value  # the bindings have prototypes of their own
            setattr(self, name.removeprefix("ggml_"), ctypes.CFUNCTYPE(result, *arguments)(address or 0))

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...  # noqa: ANN401


class Tap:
    """Reads the last state of a graph while llama.cpp computes it, and can end the graph there.

    llama.cpp asks `callback` before every node; most answers are no. The node is found by its name once, and by its
    address from then on.
    """

    def __init__(self, ggml: Ggml, width: int) -> None:
        """`width` is that of the model's states."""
        self._ggml = ggml
        self._width = width
        self._address: int | None = None
        self._rows = 0
        self._ends = False
        self.state: NDArray[np.float32] | None = None
        self.callback = Callback(self._look)

    def open(self, rows: int, *, ends: bool) -> None:
        """Until `close`, read a state of so many rows; then end the graph, or let it go on."""
        self._rows, self._ends, self.state = rows, ends, None

    def close(self) -> NDArray[np.float32] | None:
        """The state, shape (rows, width); None if it was not seen: then the graph was computed to its end."""
        state, self.state = self.state, None
        if self._rows and state is None:
            self._address = None  # it moved: look for its name again
        self._rows = 0
        return state

    def _look(self, node: int, is_question: bool, _data: int | None) -> bool:
        if is_question:
            if not self._rows:
                return False
            return node == self._address if self._address else self._ggml.get_name(node) == NODE
        if self._ggml.get_name(node) != NODE or self._ggml.nelements(node) != self._rows * self._width:
            return True
        self._address = node
        self.state = np.empty((self._rows, self._width), np.float32)
        self._ggml.backend_tensor_get(node, self.state.ctypes.data, 0, self.state.nbytes)
        return not self._ends
