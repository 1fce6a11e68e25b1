"""Trying model files before they are used: each that nobody vouches for, once, in a process of its own (probe.py)."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from localsum.models import Model


def make_sure(model: Model) -> None:
    """That a file which no registry of ours vouches for does not crash llama.cpp; tried once. Raises ModelError."""
    from localsum.models.tried import recall
    from localsum.probe import llama_version

    if model.is_vouched:
        return
    known = recall(model.sha256)
    if known is None or known.get("llama") != llama_version():
        try_out(model)


def try_out(model: Model) -> dict[str, Any]:
    """Runs the model in a process of its own and remembers how that went. Raises ModelError."""
    from localsum.models.tried import remember
    from localsum.probe import llama_version, try_model

    how = {**asdict(try_model(model.path)), "llama": llama_version()}
    remember(model.sha256, how)
    return how
