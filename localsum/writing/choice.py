"""Which option of a choice sentences speak for, by the words the template gives each option. No model."""

from __future__ import annotations

import math
from collections.abc import Sequence

from localsum.grounding.words import stem
from localsum.writing.material import Material, Sentence

_NEIGHBOUR = 0.34  # weight of the sentences right before and after
_SAYS_LITTLE = 0.4  # below this the sentences do not tell the options apart, and the whole document decides
_CLOSE = 0.15  # options that score this near the best are a tie


def closest(options: Sequence[tuple[str, str]], about: Sequence[Sentence], material: Material) -> list[str]:
    """The best option and those that come close to it, in the template's order; at least one."""
    own = {s.index for s in about}
    near = {i + step for i in own for step in (-1, 1)}
    hints = {option: {stem(word) for word in f"{option} {words}".lower().split()} for option, words in options}
    scores = dict.fromkeys(hints, 0.0)
    for sentence in (material.sentences[i] for i in sorted(own | near) if 0 <= i < len(material.sentences)):
        for option, stems in hints.items():
            said = sum(rarity(word, material) for word in sentence.stems & stems)
            scores[option] += (1.0 if sentence.index in own else _NEIGHBOUR) * said
    if max(scores.values()) < _SAYS_LITTLE:
        scores = {option: _said(stems, material) for option, stems in hints.items()}
    best = max(scores.values())
    return [option for option in hints if scores[option] >= best - _CLOSE]


def _said(stems: set[str], material: Material) -> float:
    """How much of the whole document speaks of these."""
    return sum(material.spread[word] * rarity(word, material) for word in stems if word in material.spread)


def rarity(word: str, material: Material) -> float:
    """1 for a stem of one sentence, near 0 for one that is everywhere ("model" in an article on models)."""
    return 1.0 - math.log(material.spread[word] or 1) / math.log(max(2, len(material.sentences)))
