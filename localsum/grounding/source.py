"""A document prepared for checking: its sentences with their words, values and names, computed once.

Built in time linear in the text; looking a statement up costs the occurrences of its words. Knows nothing of verdicts.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from localsum.document import Block, Document, Span
from localsum.grounding.names import Name, NameIndex, names_in
from localsum.grounding.opposites import rivals
from localsum.grounding.values import Value, numbers_in, readings, same
from localsum.grounding.words import LETTER, Word, listed, negated, words
from localsum.sentences import split


@dataclass(frozen=True)
class Statement:
    """One sentence, of the document or of a text under test. The offsets of its parts count from its own start."""

    text: str
    english: bool = True

    @cached_property
    def words(self) -> list[Word]:
        return words(self.text, self.english)

    @cached_property
    def content(self) -> list[Word]:
        """The words that are not function words, in order."""
        return [word for word in self.words if word.stem]

    @cached_property
    def plain(self) -> list[Word]:
        """The content words outside of names and values."""
        spans = [(name.start, name.end) for name in self.names] + [(value.start, value.end) for value in self.values]
        return [word for word in self.content if not any(start <= word.start < end for start, end in spans)]

    @cached_property
    def stems(self) -> frozenset[str]:
        return frozenset(word.stem for word in self.content)

    @cached_property
    def forms(self) -> frozenset[str]:
        """Stems, and the normal forms of function words: what word lists are looked up in."""
        return frozenset(word.stem or word.norm for word in self.words)

    @cached_property
    def negated(self) -> dict[str, int]:
        return negated(self.words, self.text) if self.english else {}

    @cached_property
    def values(self) -> list[Value]:
        return numbers_in(self.text)

    @cached_property
    def names(self) -> list[Name]:
        return names_in(self.text)


_QUOTES = str.maketrans(
    {"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "\u00a0": " ", "‑": "-", "‐": "-"}
)
_SPACE = re.compile(r"\s+")
_SAMPLE = 400  # words looked at to tell the language
_LONGEST = 2000  # characters of a sentence
_CANDIDATES = 30  # sentences looked at for evidence


class Source:
    """A document ready for many checks. `spans` are its sentences in order; headings and table rows are some too."""

    @classmethod
    def of(cls, document: Document) -> Source:
        """The source of a document: what each block holds, cut into sentences."""
        blocks = document.blocks or (Block(0, len(document.text)),)
        spans = [
            Span(block.start + start, block.start + end)
            for block in blocks
            for start, end in sentence_spans(document.text[block.start : block.end])
        ]
        return cls(document, spans)

    def __init__(self, document: Document, spans: Sequence[Span]) -> None:
        text = document.text
        self.text = text
        self.spans = [Span(start, end) for start, end in spans]
        self.english = _is_english(text)
        self.across = ""  # the language of the texts to be checked, by its code, where it is another than the source's
        self.sentences = [Statement(text[start:end], self.english) for start, end in self.spans]
        self.names = NameIndex(text)
        self.capital_nouns = not self.english and self.names.capital_share > 0.2  # German: capitals make no name
        self.stems: dict[str, list[int]] = defaultdict(list)  # stem -> sentences, in order
        self.norms: set[str] = set()
        self._values: list[tuple[float, int, Value]] = []
        for i, sentence in enumerate(self.sentences):
            for stem in sentence.stems:
                self.stems[stem].append(i)
            self.norms.update(word.norm for word in sentence.words)
            self._values += [(each.number, i, each) for value in sentence.values for each in readings(value)]
        if document.published:
            self._values += [(each.number, -1, each) for each in numbers_in(document.published[:10])]
        self._values.sort(key=lambda entry: entry[0])
        self._numbers = [number for number, _, _ in self._values]
        self._dates = [entry for entry in self._values if entry[2].date]
        self._plain, self._places = _plain(text)
        self.kinds = {pair for norm in self.norms for pair in rivals(norm)}

    def weight(self, stem: str) -> float:
        """How telling a stem is: the rarer in the document, the more. One that the document lacks weighs most."""
        return math.log(1 + len(self.sentences) / max(1, len(self.stems.get(stem, ()))))

    @cached_property
    def anchors(self) -> dict[str, set[int]]:
        """What is the same in other languages and the sentences that hold it, -1 for the date of publication.

        Parts of names, numbers as they are written, and what they mean: `digits_of`, `value_of`.
        """
        anchors: dict[str, set[int]] = defaultdict(set)
        for i, sentence in enumerate(self.sentences):
            for key in (*(part for name in sentence.names for part in name.parts), *_WRITTEN.findall(sentence.text)):
                anchors[key].add(i)
        for number, i, value in self._values:
            anchors[digits_of(number)].add(i)
            anchors[value_of(number)].add(i)
            if value.unit == "clock":
                anchors[digits_of(number // 60)].add(i)
        return anchors

    @cached_property
    def _folded(self) -> str:
        return self._plain.casefold()

    def says(self, quoted: str) -> bool:
        """Whether the words of a quotation stand in the document, whatever the case and the punctuation at its ends."""
        return _SPACE.sub(" ", quoted.translate(_QUOTES)).strip(" \"',.;:!?-–—").casefold() in self._folded

    def find(self, text: str) -> Iterator[Span]:
        """Where `text` stands word for word, but for white space, quotation marks and the case of its first letter."""
        whole = _SPACE.sub(" ", text.translate(_QUOTES)).strip(" \"'")
        plain = whole.rstrip(".")
        other = plain[:1].swapcase() + plain[1:]
        for candidate in (whole, other + whole[len(plain) :], plain, other) if len(plain) > 1 else ():
            at = self._plain.find(candidate)
            while at >= 0:
                end = at + len(candidate)
                if not (_inside_word(self._plain, at) or _inside_word(self._plain, end)):
                    yield Span(self._place(at), self._place(end - 1) + 1)
                following = _NO_LETTER.search(self._plain, at + 1)
                at = self._plain.find(candidate, following.start()) if following else -1

    def rest_of_sentence(self, place: Span) -> str:
        """What stands before and after a part of the document in the sentences that it begins and ends in."""
        first = bisect_right(self.spans, (place.start, len(self.text) + 1)) - 1
        last = bisect_right(self.spans, (place.end - 1, len(self.text) + 1)) - 1
        head = self.text[self.spans[first].start : place.start] if first >= 0 else ""
        return head + " " + self.text[place.end : max(place.end, self.spans[last].end)] if last >= 0 else head

    def _place(self, at: int) -> int:
        """The offset into the document of an offset into the plain text."""
        plain, original = self._places[bisect_right(self._places, (at, math.inf)) - 1]
        return int(original + at - plain)

    def values_like(self, value: Value) -> list[tuple[int, Value]]:
        """The values of the document that support `value`, each with its sentence (-1: the date of publication)."""
        if value.date:
            found = [(i, known) for _, i, known in self._dates if same(value, known)]
            year = value.date[0]
            if year is None or any(known.date and known.date[0] for _, known in found) or self._has_number(year):
                return found
            return []
        wide = value.unit == "~"
        low = bisect_left(self._numbers, value.number * (1.0 if wide else 0.88))
        high = bisect_right(self._numbers, value.number * (1000.0 if wide else 1.12))
        return [(i, known) for _, i, known in self._values[low:high] if same(value, known)]

    def _has_number(self, number: float) -> bool:
        at = bisect_left(self._numbers, number)
        return at < len(self._numbers) and self._numbers[at] == number

    def evidence(self, statement: Statement, limit: int = 3) -> list[int]:
        """The sentences that best support `statement`, best first: by the telling words, names and values they share.

        A second and third come only if they add a sixth of all that is to be supported.
        """
        names = {part for name in statement.names for part in name.parts}
        weights = {word.stem: self.weight(word.stem) * (1.5 if word.norm in names else 1) for word in statement.content}
        shared: dict[int, set[str]] = defaultdict(set)
        for stem in weights:
            for i in self.stems.get(stem, ()):
                shared[i].add(stem)
        for value in statement.values:
            key = f"#{value.start}"
            places = {i for i, _ in self.values_like(value) if i >= 0}
            weights[key] = math.log(1 + len(self.sentences) / max(1, len(places)))
            for i in places:
                shared[i].add(key)

        def weigh(keys: set[str]) -> float:
            return math.fsum(weights[key] for key in keys)

        ranked = sorted(shared, key=lambda i: (-weigh(shared[i]), i))
        least = weigh(set(weights)) / 6
        chosen: list[int] = []
        covered: set[str] = set()
        for i in ranked[:_CANDIDATES]:
            if len(chosen) < limit and (not chosen or weigh(shared[i] - covered) > least):
                chosen.append(i)
                covered |= shared[i]
        return chosen


_WRITTEN = re.compile(r"\d+(?:[.,]\d+)*")


def value_of(number: float) -> str:
    """The key of a value."""
    return f"={number:.6g}"


def digits_of(number: float) -> str:
    """The significant digits down to a power of thousand: the same for 4, 4,000 and 4 billion."""
    size = abs(number)
    while 1000 <= size < float("inf"):
        size /= 1000
    while 0 < size < 1:
        size *= 1000
    return f"#{size:.6g}"


_NO_LETTER = re.compile(r"[\W_]")


def _inside_word(text: str, at: int) -> bool:
    return bool(LETTER.match(text[at - 1 : at]) and LETTER.match(text[at : at + 1]))


def sentence_spans(text: str) -> list[Span]:
    """The sentences of a text, those without an end cut between words, so that no rule meets an endless one."""
    spans: list[Span] = []
    for start, end in split(text):
        while end - start > _LONGEST:
            cut = text.rfind(" ", start + 1, start + _LONGEST)
            cut = cut if cut > 0 else start + _LONGEST
            spans.append(Span(start, cut))
            start = cut
        spans.append(Span(start, end))
    return spans


def _plain(text: str) -> tuple[str, list[tuple[int, int]]]:
    """`text` with straight quotes and single spaces, and from where on its offsets are which of `text`."""
    straight = text.translate(_QUOTES)
    pieces: list[str] = []
    places = [(0, 0)]
    at = length = 0
    for match in _SPACE.finditer(straight):
        if match.group() == " ":
            continue
        pieces += [straight[at : match.start()], " "]
        length += match.start() - at + 1
        at = match.end()
        places.append((length, at))
    pieces.append(straight[at:])
    return "".join(pieces), places


_COMMON = listed("the of and to a in is that for it on with as was are by this be from at an have has not")


def _is_english(text: str) -> bool:
    sample = [word.norm for word in words(text[: _SAMPLE * 6], english=False)][:_SAMPLE]
    return len(sample) < 20 or sum(word in _COMMON for word in sample) >= 0.12 * len(sample)
