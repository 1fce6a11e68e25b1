"""Teach a small model to write briefs: low-rank adapters on all its linear layers, on a CPU, resumable.

    python tools/adapter/train.py PAIRS.jsonl --model FILE.gguf --out RUN --minutes 80

One step reads a prompt once and all its answers behind it, as the engine does: branches see the prompt and themselves,
not each other. Only answers count, each by the root of its length, so that lists do not drown lines. The head is cut to
the tokens that occur, as no other is ever right. Knows nothing of briefs: a pair is tokens, then tokens.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import torch
from torch import Tensor, nn

_MOST_TOKENS = 2_600  # of one pack
_KEEP_EACH_S = 300
_LINEAR = "q_proj k_proj v_proj o_proj gate_proj up_proj down_proj".split()  # noqa: SIM905


class Pack(NamedTuple):
    """A prefix and branches behind it: tokens, their positions, which branch each belongs to, and what to predict."""

    tokens: Tensor  # (n,)
    places: Tensor  # (n,)
    owner: Tensor  # (n,) 0 for the prefix, else the number of the branch
    at: Tensor  # (m,) where an answer's token is predicted
    target: Tensor  # (m,) that token
    weight: Tensor  # (m,)


class Lora(nn.Module):
    """A frozen linear layer with a product of two thin matrices added: y = Wx + scale * B(Ax)."""

    def __init__(self, base: nn.Linear, rank: int, alpha: float) -> None:
        super().__init__()
        self.base = base
        self.scale = alpha / rank
        self.a = nn.Parameter(torch.randn(rank, base.in_features) / math.sqrt(base.in_features))
        self.b = nn.Parameter(torch.zeros(base.out_features, rank))

    def forward(self, x: Tensor) -> Tensor:
        kind = x.dtype
        low = nn.functional.linear(x, self.a.to(kind))
        added: Tensor = self.base(x) + self.scale * nn.functional.linear(low, self.b.to(kind))
        return added


def packs(line: dict[str, Any], rng: random.Random) -> Iterator[Pack]:
    """A line of the pairs as packs of at most 2,600 tokens; branches in random order."""
    prefix: list[int] = line["prefix"]
    branches = list(line["branches"])
    rng.shuffle(branches)
    while branches:
        size, some = len(prefix), []
        while branches and (not some or size + len(branches[-1][0]) + len(branches[-1][1]) <= _MOST_TOKENS):
            some.append(branches.pop())
            size += len(some[-1][0]) + len(some[-1][1])
        tokens, places, owner = list(prefix), list(range(len(prefix))), [0] * len(prefix)
        at: list[int] = []
        target: list[int] = []
        weight: list[float] = []
        for number, (suffix, answer) in enumerate(some, 1):
            start = len(tokens) + len(suffix) - 1
            tokens += suffix + answer
            places += range(len(prefix), len(prefix) + len(suffix) + len(answer))
            owner += [number] * (len(suffix) + len(answer))
            at += range(start, start + len(answer))
            target += answer
            weight += [1 / math.sqrt(len(answer))] * len(answer)
        # The last token predicts nothing.
        yield Pack(
            torch.tensor(tokens[:-1]), torch.tensor(places[:-1]), torch.tensor(owner[:-1]), torch.tensor(at),
            torch.tensor(target), torch.tensor(weight),
        )  # fmt: skip


def masks(pack: Pack, window: int, kind: torch.dtype) -> dict[str, Tensor]:
    """What may be seen: the prefix and one's own branch, before oneself; in the sliding layers only the last places."""
    place, owner = pack.places, pack.owner
    seen = (place[None] <= place[:, None]) & ((owner[None] == 0) | (owner[None] == owner[:, None]))
    near = seen & (place[:, None] - place[None] < window)
    blind = torch.finfo(kind).min
    return {
        name: torch.zeros(which.shape, dtype=kind).masked_fill(~which, blind)[None, None]
        for name, which in (("full_attention", seen), ("sliding_attention", near))
    }


def load(path: Path, rank: int, kind: torch.dtype) -> tuple[nn.Module, int, dict[str, Lora]]:
    """The model's body with frozen weights, its window, and the adapters by name of their layer. Takes a minute."""
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(
        path.parent, gguf_file=path.name, dtype=torch.float32, attn_implementation="eager"
    )
    body = model.model.to(kind)
    body.requires_grad_(False)
    adapters = {}
    for number, layer in enumerate(body.layers):
        for block in (layer.self_attn, layer.mlp):
            for name in _LINEAR:
                if hasattr(block, name):
                    one = Lora(getattr(block, name), rank, 2.0 * rank)
                    setattr(block, name, one)
                    adapters[f"{number}.{name}"] = one
    return body, int(model.config.sliding_window), adapters


class Head(NamedTuple):
    """The rows of the tokens that occur, and where each token's row is among them."""

    rows: Tensor  # (k, width)
    place: Tensor  # (vocabulary,)


def head_of(body: nn.Module, lines: list[dict[str, Any]]) -> Head:
    used = {token for line in lines for token in line["prefix"]}
    used |= {token for line in lines for branch in line["branches"] for part in branch for token in part}
    table = body.embed_tokens.weight
    row = torch.tensor(sorted(used))
    place = torch.zeros(table.shape[0], dtype=torch.long)
    place[row] = torch.arange(len(row))
    return Head(table[row].detach(), place)


def loss_of(body: nn.Module, window: int, pack: Pack, head: Head, kind: torch.dtype) -> Tensor:
    """Weighted mean of the surprise at the answers' tokens."""
    hidden = body(
        input_ids=pack.tokens[None],
        position_ids=pack.places[None],
        attention_mask=masks(pack, window, kind),
        use_cache=False,
    ).last_hidden_state[0]
    logits = (hidden[pack.at] @ head.rows.T).float()
    each = nn.functional.cross_entropy(logits, head.place[pack.target], reduction="none")
    return (each * pack.weight).sum() / pack.weight.sum()


def options_of() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("pairs", type=Path)
    add("--model", type=Path, required=True)
    add("--out", type=Path, required=True, help="folder of the state, which a second run goes on from, and of the log")
    add("--minutes", type=float, default=80.0)
    add("--steps", type=int, default=0, help="end after so many, whatever the clock says")
    add("--rank", type=int, default=16)
    add("--rate", type=float, default=5e-4, help="of learning; falls along a cosine to a twentieth")
    add("--each", type=int, default=2, help="prompts a step")
    add("--held", type=int, default=32, help="one article of so many is held out, for the loss that is logged")
    add("--seed", type=int, default=0)
    add("--kind", choices=("float32", "bfloat16"), default="bfloat16")
    return parser.parse_args()


def main() -> None:
    options = options_of()
    torch.manual_seed(options.seed)
    rng = random.Random(options.seed)
    kind = getattr(torch, options.kind)
    body, window, adapters = load(options.model, options.rank, kind)
    every = [json.loads(line) for line in options.pairs.read_text(encoding="utf-8").splitlines()]
    apart = [line for line in every if crc32(line["id"].encode()) % options.held == 0]
    lines = [line for line in every if line not in apart]
    held = [pack for line in apart for pack in packs(line, random.Random(1))]
    head = head_of(body, every)
    print(f"{len(lines)} prompts, {len(head.rows)} tokens, held out {len(held)} packs", flush=True)

    parameters = [matrix for one in adapters.values() for matrix in (one.a, one.b)]
    optimizer = torch.optim.AdamW(parameters, lr=options.rate, weight_decay=0.0, betas=(0.9, 0.99))
    options.out.mkdir(parents=True, exist_ok=True)
    state_path = options.out / "state.pt"
    step, spent, order = 0, 0.0, list[int]()
    if state_path.is_file():
        state = torch.load(state_path, weights_only=False)
        for name, one in adapters.items():
            one.a.data, one.b.data = state["adapters"][name]
        optimizer.load_state_dict(state["optimizer"])
        rng.setstate(state["rng"])
        step, spent, order = state["step"], state["spent"], state["order"]

    began = last = kept = time.monotonic()

    def done() -> float:
        """Share of the training, by steps or by the clock."""
        return step / options.steps if options.steps else (spent + last - began) / 60 / options.minutes

    while (share := done()) < 1.0:
        rate = options.rate * min(1.0, (step + 1) / 10) * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * share)))
        for group in optimizer.param_groups:
            group["lr"] = rate
        total, tokens = 0.0, 0
        for _ in range(options.each):
            if not order:
                order = rng.sample(range(len(lines)), len(lines))
            mine = list(packs(lines[order.pop()], rng))
            for pack in mine:
                loss = loss_of(body, window, pack, head, kind) / options.each / len(mine)
                loss.backward()
                total += loss.item()
                tokens += len(pack.tokens)
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        step += 1
        now = time.monotonic()
        found = {"step": step, "loss": round(total, 4), "tokens": tokens, "s": round(now - last, 2), "rate": rate}
        last = now
        is_over = done() >= 1.0
        if step % 100 == 0 or is_over:
            with torch.no_grad():
                found["held"] = sum(loss_of(body, window, pack, head, kind).item() for pack in held) / max(1, len(held))
            print(found, flush=True)
        with (options.out / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({**found, "minutes": (spent + last - began) / 60}) + "\n")
        if now - kept > _KEEP_EACH_S or is_over:
            kept = now
            state = {
                "adapters": {name: (one.a.data, one.b.data) for name, one in adapters.items()},
                "scale": next(iter(adapters.values())).scale,
                "optimizer": optimizer.state_dict(),
                "rng": rng.getstate(),
                "step": step,
                "spent": spent + last - began,
                "order": order,
            }
            torch.save(state, state_path.with_suffix(".new"))
            state_path.with_suffix(".new").replace(state_path)


if __name__ == "__main__":
    main()
