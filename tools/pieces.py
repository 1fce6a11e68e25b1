"""Writes models/pieces-en.txt: pieces of English text by how often a model expects them, the most expected first.

    python tools/pieces.py MODEL.gguf > models/pieces-en.txt

A sample of a few thousand words holds a few thousand pieces. So what is counted is not what stands in the sample but
what the model thought might stand there: at each place of the articles in examples/ (but the two that --max-loss is
measured on), twice, and of texts that it continues from tools/headlines.txt at random, once. Words of the field, in
tools/terms.txt, count once each way, with and without a space. All of these are CC0. Takes about ten minutes with the
embedded model on 2 cores. The list that ships was counted over 10,072 places of the articles and 40,320 that were
written, by an earlier form of this program that read windows of 1,000 tokens.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from localsum.commands.slim import UNSEEN
from localsum.engine.llama import LlamaBackend
from localsum.engine.machine import usable_cores
from localsum.engine.sampling import Logits
from localsum.engine.scheduler import Slice
from localsum.engine.types import Segment
from localsum.slim import read_source
from localsum.vocabulary import is_letter, is_of, written

ROOT = Path(__file__).resolve().parents[1]
BRANCHES = 24
WINDOW = 300  # tokens of a text that is read or written in one piece
PIECES = 65536


def likely(logits: Logits) -> NDArray[np.float64]:
    weights = np.exp(logits.astype(np.float64) - logits.max())
    return weights / weights.sum()


def expected(backend: LlamaBackend, texts: list[list[int]], steps: int, seed: int) -> NDArray[np.float64]:
    """The sum of what is expected after each token of `texts`, read beside each other, then written on for `steps`."""
    random, total = np.random.default_rng(seed), np.zeros(backend.vocabulary)
    ends = list(backend.ends)
    for place in range(max(map(len, texts)) + steps):
        slices = [
            (Slice(seq, place, 1, sample=True), [tokens[place]])
            for seq, tokens in enumerate(texts)
            if place < len(tokens)
        ]
        if not slices:
            break
        for seq, logits in backend.decode(slices).items():
            chances = likely(logits)
            total += chances
            tokens = texts[seq]
            if steps and len(tokens) == place + 1:
                chances[ends] = 0
                chances[chances < 1e-4] = 0
                tokens.append(int(random.choice(len(chances), p=chances / chances.sum())))
    backend.clear()
    return total


def main() -> int:
    parser = argparse.ArgumentParser(description="Pieces of English, the most expected first.")
    parser.add_argument("model", type=Path)
    parser.add_argument("--steps", type=int, default=480, help="tokens to write after each headline")
    options = parser.parse_args()
    backend = LlamaBackend(
        options.model,
        threads=usable_cores(),
        cells=BRANCHES * (WINDOW + 8),
        sequences=BRANCHES,
        kv="f16",
        shortlist=False,  # it is made of what this makes
    )

    def split(text: str) -> list[int]:
        return backend.tokenize((Segment(text),), first=True)

    total = np.zeros(backend.vocabulary)
    articles = [path for path in sorted((ROOT / "examples").glob("*.md")) if not path.name.endswith(".brief.md")]
    articles = [path for path in articles if path.name != "README.md" and f"examples/{path.name}" not in UNSEEN]
    windows = []
    for path in articles:
        tokens = split(path.read_text(encoding="utf-8"))
        windows += [tokens[at : at + WINDOW] for at in range(0, len(tokens), WINDOW)]
    headlines = (ROOT / "tools" / "headlines.txt").read_text(encoding="utf-8").splitlines()
    for at in range(0, len(windows), BRANCHES):
        total += 2 * expected(backend, windows[at : at + BRANCHES], 0, at)
        print(f"{at} of {len(windows)} windows read", file=sys.stderr)
    rounds = -(-options.steps // (WINDOW - 40))
    for number in range(rounds):
        for at in range(0, len(headlines), BRANCHES):
            texts = [split(f"{headline}\n\n") for headline in headlines[at : at + BRANCHES]]
            total += expected(backend, texts, WINDOW - 40, 1000 * number + at)
            print(f"{at} of {len(headlines)} headlines continued", file=sys.stderr)
    for term in (ROOT / "tools" / "terms.txt").read_text(encoding="utf-8").split():
        for form in (f" {term}", term):
            total[split(form)[1:]] += 1
    backend.close()
    vocabulary = read_source(options.model).vocabulary
    found = [(written(vocabulary, int(token)) or "") for token in np.argsort(-total)]
    found = [text for text in found if text and not is_letter(text) and is_of("en", text)]
    found = [text for text in found if not set("\r\n") & set(text)]
    sys.stdout.write("".join(f"{text}\n" for text in found[:PIECES]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
