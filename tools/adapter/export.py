"""Write a trained state as an adapter for llama.cpp.

python tools/adapter/export.py RUN/state.pt OUT.lora.gguf --sha256 OF_THE_MODEL
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from localsum import gguf_write
from localsum.gguf import Tensor

_NAMES = {
    "q_proj": "attn_q", "k_proj": "attn_k", "v_proj": "attn_v", "o_proj": "attn_output",
    "gate_proj": "ffn_gate", "up_proj": "ffn_up", "down_proj": "ffn_down",
}  # fmt: skip
_F16 = 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("state", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--sha256", default="", help="of the model that it is added to")
    parser.add_argument("--warning", default="", help="what stands under every brief that it writes")
    options = parser.parse_args()
    state = torch.load(options.state, weights_only=False)
    tensors, data = [], b""
    rank = 0
    for key, (a, b) in state["adapters"].items():
        number, _, name = key.partition(".")
        rank = a.shape[0]
        for letter, matrix in (("a", a), ("b", b)):
            rows = np.ascontiguousarray(matrix.detach().numpy().astype(np.float16))
            shape = (rows.shape[1], rows.shape[0])  # the first is the row
            title = f"blk.{number}.{_NAMES[name]}.weight.lora_{letter}"
            tensors.append(Tensor(title, shape, _F16, len(data), rows.nbytes))
            data += rows.tobytes() + bytes(-rows.nbytes % 32)
    values = {
        "general.architecture": "gemma3",
        "general.type": "adapter",
        "general.name": "localsum brief",
        "general.license": "gemma",
        "adapter.type": "lora",
        "adapter.lora.alpha": float(state["scale"] * rank),
        "localsum.warning": options.warning,
        "localsum.adapter.base_sha256": options.sha256,
        "tokenizer.chat_template": (Path(__file__).parent / "template.jinja").read_text(encoding="utf-8"),
    }
    head = gguf_write.head({key: gguf_write.encode(value) for key, value in values.items()}, tensors)
    options.out.write_bytes(head + data)


if __name__ == "__main__":
    main()
