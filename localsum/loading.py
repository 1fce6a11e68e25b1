"""From a model to an engine: its file is tried if nobody vouches for it, unpacked where that is faster, and loaded."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from localsum.models import Model
from localsum.models.unpacked import Layers, file_to_load
from localsum.try_out import make_sure

if TYPE_CHECKING:
    from localsum.engine.llama import LlamaEngine


def load_engine(
    model: Model,
    *,
    layers: Layers | None = None,
    say: Callable[[str], object] = lambda _: None,
    **settings: Any,  # noqa: ANN401
) -> LlamaEngine:
    """The engine, which is the caller's to close; `say` is told what is going on. `settings` are LlamaEngine's.

    Raises ModelError.
    """
    if not model.is_vouched:
        say(f"trying {model.name} in a process of its own")
        make_sure(model)
    from localsum.engine.llama import LlamaEngine, plain_numbers

    path = file_to_load(model, plain_numbers(), layers, say)
    say(f"loading {model.name}")
    thinking_off = model.entry.thinking_off if model.entry else ""
    return LlamaEngine(path, name=model.name, thinking_off=thinking_off, **settings)
