"""Where a document turns from one topic to the next: by its own headings, else by its words. Knows no fields.

A topic is a run of sentences. Without headings, a boundary may fall only between blocks, and falls where the words
before and after have least in common (TextTiling's depth score over windows of sentences).
"""

from __future__ import annotations

import heapq
import math
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

from localsum.document import Block, Span
from localsum.writing.material import Material, Sentence

_WINDOW = 7  # sentences compared on each side of a possible turn
_WORDS_PER_TOPIC = 170
_LEAST_WORDS = 45  # a topic shorter than this joins a neighbour


@dataclass(frozen=True, slots=True)
class Topic:
    """Sentences `first` to `last` (not included) of the material; `heading` is the document's own, where it has one,
    and `under` are the sentences that stand under it, also of a topic that others have joined.
    """

    first: int
    last: int
    heading: Span | None = None
    under: tuple[int, int] | None = None


def topics(material: Material, most: int) -> list[Topic]:
    """At least one topic, at most `most`, in order; together they hold every sentence."""
    found = _by_headings(material)
    if len(found) < 2:
        found = _by_words(material, most)
    return _merge(material, found, most)


def _by_headings(material: Material) -> list[Topic]:
    blocks = material.document.blocks
    headings = [i for i, block in enumerate(blocks) if block.kind == "heading" and not _is_title(material, block)]
    starts = [0]
    names: list[Span | None] = [None]
    homes = [s.block for s in material.sentences]
    # A ruled line ends what stands under a heading where each part is a story.
    rules = {part - 1 for part in material.document.parts if material.stories and part not in headings}
    for number in sorted({*headings, *rules}):
        first = bisect_right(homes, number)
        if first == len(homes):
            continue
        if number in rules:
            if first != starts[-1]:
                starts.append(first)
                names.append(None)
            continue
        span = Span(blocks[number].start, blocks[number].end)
        if first == starts[-1]:
            names[-1] = span  # a heading right under another, or at the very beginning: the nearer one counts
        else:
            starts.append(first)
            names.append(span)
    ends = [*starts[1:], len(material.sentences)]
    found = zip(starts, ends, names, strict=True)
    return [Topic(a, b, name, (a, b) if name else None) for a, b, name in found if b > a]


def _is_title(material: Material, block: Block) -> bool:
    return block.start == 0 and (material.document.title or "") == material.text(Span(block.start, block.end))


def _by_words(material: Material, most: int) -> list[Topic]:
    sentences = material.sentences
    total = sum(s.words for s in sentences)
    wanted = min(most, max(2, round(total / _WORDS_PER_TOPIC)))
    possible = [s.index for a, s in pairwise(sentences) if a.block != s.block]
    depths = _depths(sentences, possible)
    chosen: list[int] = []
    for place in sorted(possible, key=lambda i: (-depths[i], i)):
        edges = sorted([0, *chosen, place, len(sentences)])
        at = edges.index(place)
        if min(_size(sentences, edges[at - 1], place), _size(sentences, place, edges[at + 1])) >= _LEAST_WORDS:
            chosen.append(place)
        if len(chosen) == wanted - 1:
            break
    edges = [0, *sorted(chosen), len(sentences)]
    return [Topic(a, b) for a, b in pairwise(edges) if b > a]


def _depths(sentences: tuple[Sentence, ...], places: list[int]) -> dict[int, float]:
    """How deep the likeness of what is before and after falls at each place, against the peaks on both sides."""
    likeness = [_cosine(sentences[max(0, i - _WINDOW) : i], sentences[i : i + _WINDOW]) for i in places]
    depths = {}
    for at, place in enumerate(places):
        left = max(likeness[max(0, at - 4) : at + 1])
        right = max(likeness[at : at + 5])
        depths[place] = left + right - 2 * likeness[at]
    return depths


def _cosine(before: tuple[Sentence, ...], after: tuple[Sentence, ...]) -> float:
    a = Counter(stem for s in before for stem in s.stems)
    b = Counter(stem for s in after for stem in s.stems)
    norm = math.sqrt(sum(n * n for n in a.values()) * sum(n * n for n in b.values()))
    return sum(n * b[stem] for stem, n in a.items()) / norm if norm else 0.0


def _size(sentences: tuple[Sentence, ...], first: int, last: int) -> int:
    return sum(s.words for s in sentences[first:last])


def _merge(material: Material, found: list[Topic], most: int) -> list[Topic]:
    """Join the smallest topic to a neighbour until none is too small and there are at most `most`."""
    kept: dict[int, Topic] = dict(enumerate(found))
    sizes = [_size(material.sentences, topic.first, topic.last) for topic in found]
    before, after = [i - 1 for i in kept], [i + 1 for i in kept]  # neighbours
    smallest = sorted((size, i) for i, size in enumerate(sizes))  # a heap; what has been joined since is passed over
    while len(kept) > 1:
        size, small = smallest[0]
        if small not in kept or size != sizes[small]:
            heapq.heappop(smallest)
            continue
        if len(kept) <= most and size >= _LEAST_WORDS:
            break
        a, b = before[small], after[small]
        a, b = (small, b) if a < 0 or (b < len(found) and sizes[b] <= sizes[a]) else (a, small)
        larger = kept[a] if sizes[a] >= sizes[b] else kept[b]
        kept[a] = Topic(kept[a].first, kept.pop(b).last, larger.heading, larger.under)
        sizes[a] += sizes[b]
        heapq.heappush(smallest, (sizes[a], a))
        after[a] = after[b]
        if after[b] < len(found):
            before[after[b]] = a
    return list(kept.values())
