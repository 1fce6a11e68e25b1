"""Measures of one brief: truth to the source, repetition, faults of form, extent.

Works on the JSON form of a brief (`localsum.brief/1`), its template and the text of its document. A measure is a pair
(part, whole), so that pooling briefs is adding pairs. Knows nothing of files, models or tables.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

from localsum.grounding.names import NameIndex, names_in
from localsum.grounding.values import numbers_in, readings, same
from localsum.grounding.words import content_stems
from localsum.sentences import split
from localsum.templates import Field, Template

Pair = tuple[float, float]  # part, whole

_FAULTS = {
    "no_end": "texts that do not end in . ! ? or …",
    "lower_start": "sentences that begin with a lower-case word",
    "unbalanced": "texts with a quotation mark or bracket that lacks its partner",
    "quote_fragment": "quotes with one of the three faults above",
    "markdown": "texts with left-over Markdown or HTML, an escape or a bare URL",
    "about": 'texts and lines that open like "The article discusses" or "Here is"',
    "dangling": "first texts that begin with a word that leans on what stood before: This, However",
    "dangling_later": "the same of texts that follow another text of their entry",
    "loop": "texts with the same six words in a row three times",
}
MEASURES = {
    "schema_valid": "briefs that satisfy the template's JSON schema",
    "quotes_verbatim": "quotes that are exactly the document's text[start:end]",
    "numbers_in_source": "numbers that the document has as values, in texts and lines",
    "names_in_source": "names that the document has, in texts and lines",
    "digits_in_source": "numbers in digits that the document has digit for digit (naive, shares no code with localsum)",
    "capitals_in_source": "capitalised words within sentences that the document has (naive, likewise)",
    "supported": "texts and entries whose checks said supported",
    "partial": "... partial",
    "unsupported": "... unsupported",
    "with_evidence": "texts and entries that point at evidence",
    "evidence_valid": "evidence spans that lie within the document",
    "copied_sentences": "sentences that stand in the document as they are",
    "double_pairs_within": "pairs of sentences of one field that share over 60 % of the content stems of the smaller",
    "double_pairs_between": "... of two fields",
    "double_pairs_quotes": "... of a text and a quote",
    "double_sentences": "sentences that so repeat an earlier one of the brief",
    "repeated_4grams": "runs of four words that occurred before in their field",
    **_FAULTS,
    "empty_with_reason": "fields without content that a warning of the brief names",
    "empty_without_reason": "fields without content that none names",
    "empty_parts": "empty texts within fields that have content",
    "over_word_limit": "texts, lines and quotes longer than the template allows",
    "count_outside": "lists with fewer or more entries than the template allows",
}

# -- The parts of a brief ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Piece:
    """One text of a brief: a whole field, one part of one entry of a list, or a quote.

    `first` is true if no other prose of the same entry stands before it; `support` is the object of the JSON form that
    holds `grounding`, `evidence` and `reasons` (of a quote: `start` and `end`).
    """

    field: str
    part: str  # "" for a field that has no parts
    entry: int
    text: str
    shape: str  # line, text, choice or quote
    limit: int  # words
    first: bool
    support: dict[str, Any]

    @property
    def name(self) -> str:
        return f"{self.field}.{self.part}" if self.part else self.field


def pieces(brief: dict[str, Any], template: Template) -> list[Piece]:
    """All texts of `brief` in the order of `template`, empty ones too. A field that the brief lacks has none."""
    return [piece for field in template.fields if field.name in brief for piece in _pieces(brief, field)]


def _pieces(brief: dict[str, Any], field: Field) -> Iterator[Piece]:
    value = brief[field.name]
    if isinstance(value, str):
        support = brief.get("support", {}).get(field.name, {})
        yield Piece(field.name, "", 0, value, field.shape, field.words, True, support)
        return
    shapes = {part.name: (part.shape, part.words) for part in field.parts}
    for at, entry in enumerate(value):
        if "measures" in entry:
            yield Piece(field.name, "measures", at, entry["measures"], "line", field.words, True, entry)
            continue
        if "start" in entry:
            yield Piece(field.name, "", at, entry["text"], "quote", field.words, True, entry)
            continue
        first = True
        for name, text in entry.items():
            if name in ("evidence", "grounding", "reasons"):
                continue
            shape, words = shapes.get(name, (field.of, field.words))
            yield Piece(field.name, name if field.parts else "", at, text, shape, words, first, entry)
            first = first and shape != "text"


def prose(all_pieces: Iterable[Piece]) -> list[Piece]:
    """The pieces that are sentences of the brief's own: no lines, choices or quotes, nothing empty."""
    return [piece for piece in all_pieces if piece.shape == "text" and piece.text.strip()]


def sentences(text: str) -> list[str]:
    return [text[span.start : span.end] for span in split(text)]


# -- Faults of form ---------------------------------------------------------------------------------------------------

_MARKDOWN = re.compile(
    r"\*\*|__|\]\(|`|\\[\\$*_#\[\]()~.!>`-]|https?://|www\.|</?[a-z|][^<>\s]{0,40}[^<>]{0,80}>|&(?:[a-z]{2,8}|#\d{1,6});"
    r"|^[ \t]{0,3}(?:#{1,6}\s|>|[-*+•]\s|\d{1,2}[.)]\s)",
    re.IGNORECASE | re.MULTILINE,
)
_SOURCE = r"(?:article|text|passage|document|piece|post|author|newsletter|transcript|summary|story|report|speaker)s?"
_TELLS = (
    r"(?:discuss|describ|explain|highlight|explor|present|outlin|mention|focus|provid|examin|cover|talk|argu|summari|emphasi"
    r"|stat|say|report|detail|introduc|conclud|suggest|list|is about|was written|deals with)"
)
_ABOUT = re.compile(
    rf"(?:in |according to )?(?:this|the) {_SOURCE}(?:,|(?:'s)? (?:also |then |further )?{_TELLS})"
    r"|here (?:is|are) |here's |sure[,!]|certainly[,!]|as an ai |in (?:summary|conclusion)[,:]|summary:",
    re.IGNORECASE,
)
_DANGLING = re.compile(
    r"[\"“‘'(]?(?:this|it|its|it's|they|their|them|he|his|she|her|that|these|those|such|but|and|so|or|however|therefore|thus"
    r"|also|moreover|furthermore|meanwhile|instead|yet|then|still)(?![\w’'-]*[\w-])",
    re.IGNORECASE,
)
_ENDS = re.compile(r"[.!?…。！？][\"”’»')\]]*\Z")
_PAIRS = (("“", "”"), ("«", "»"), ("(", ")"), ("[", "]"), ("{", "}"))


@dataclass(frozen=True, slots=True)
class Fault:
    kind: str  # a key of _FAULTS
    piece: Piece
    text: str  # the sentence or text that has it


def faults(all_pieces: Sequence[Piece]) -> list[Fault]:
    """All faults of form, each kind at most once per piece (`lower_start`: once per sentence)."""
    return [Fault(kind, piece, text) for piece in all_pieces for kind, text in _faults(piece)]


def _faults(piece: Piece) -> Iterator[tuple[str, str]]:
    text = piece.text.strip()
    if not text or piece.shape == "choice":
        return
    if _MARKDOWN.search(text):
        yield "markdown", text
    if any(count >= 3 for count in Counter(_ngrams(_words(text), 6)).values()):
        yield "loop", text
    if piece.shape == "quote":
        if not _ENDS.search(text) or _starts_lower(text) or is_unbalanced(text):
            yield "quote_fragment", text
    elif piece.shape == "text":
        if not _ENDS.search(text):
            yield "no_end", text
        for sentence in sentences(text):
            if _starts_lower(sentence):
                yield "lower_start", sentence
        if is_unbalanced(text):
            yield "unbalanced", text
        if _DANGLING.match(text):
            yield "dangling" if piece.first else "dangling_later", text
    if piece.shape in ("text", "line") and _ABOUT.match(text):
        yield "about", text


def _starts_lower(sentence: str) -> bool:
    """Whether the first word is in lower case throughout: "iPhone" and "xAI" may begin a sentence."""
    word = re.match(r"\W{0,4}(\w+)", sentence)
    return word is not None and word[1][0].islower() and not any(c.isupper() for c in word[1])


def is_unbalanced(text: str) -> bool:
    """Whether straight double quotation marks are odd, or a bracket or curly quotation mark lacks its partner."""
    return text.count('"') % 2 == 1 or any(text.count(left) != text.count(right) for left, right in _PAIRS)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+(?:['’]\w+)*", text.casefold())


def _ngrams(tokens: Sequence[str], n: int) -> list[tuple[str, ...]]:
    return [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]


# -- Repetition -------------------------------------------------------------------------------------------------------

_SAME = 0.6  # share of the smaller sentence's content stems
_FEWEST = 3  # a sentence of fewer content stems repeats another by chance


def repetition(all_pieces: Sequence[Piece]) -> dict[str, Pair]:
    """Shares of pairs of sentences that say much the same, and of 4-grams that occurred before in their field."""
    own = [
        (p.field, stems)
        for p in prose(all_pieces)
        for s in sentences(p.text)
        if len(stems := content_stems(s)) >= _FEWEST
    ]
    quoted = [stems for p in all_pieces if p.shape == "quote" and len(stems := content_stems(p.text)) >= _FEWEST]
    within: list[bool] = []
    between: list[bool] = []
    doubled: set[int] = set()
    for (_, (field, stems)), (j, (other, others)) in combinations(enumerate(own), 2):
        alike = _alike(stems, others)
        (within if field == other else between).append(alike)
        if alike:
            doubled.add(j)
    against = [_alike(stems, others) for (_, stems), others in product(own, quoted)]
    grams: Counter[tuple[str, tuple[str, ...]]] = Counter()
    for piece in all_pieces:
        if piece.shape != "choice":
            grams.update((piece.field, gram) for gram in _ngrams(_words(piece.text), 4))
    return {
        "double_pairs_within": (sum(within), len(within)),
        "double_pairs_between": (sum(between), len(between)),
        "double_pairs_quotes": (sum(against), len(against)),
        "double_sentences": (len(doubled), len(own)),
        "repeated_4grams": (grams.total() - len(grams), grams.total()),
    }


def _alike(a: set[str], b: set[str]) -> bool:
    return len(a & b) > _SAME * min(len(a), len(b))


# -- Truth to the source ----------------------------------------------------------------------------------------------


def truth(brief: dict[str, Any], all_pieces: Sequence[Piece], text: str) -> dict[str, Pair]:
    """Quotes, numbers, capitalised words and verdicts against the document's `text`."""
    quotes = [p for p in all_pieces if p.shape == "quote"]
    told = [p for p in all_pieces if p.shape in ("text", "line") and p.text.strip()]
    verbatim = [text[q.support["start"] : q.support["end"]] == q.text != "" for q in quotes]
    stated = [v for p in told for v in numbers_in(p.text) if v.text.casefold() != "one"]  # more often a pronoun
    values = [reading for value in numbers_in(text) for reading in readings(value)]
    names, index = [name for p in told for name in names_in(p.text)], NameIndex(text)
    digits, known_digits = [d for p in told for d in _digits(p.text)], set(_digits(text))
    capitals = [c for p in prose(told) for c in _capitals(p.text)]
    known = {_bare(word) for word in _words(text)}
    supports = {id(p.support): p.support for p in told if "grounding" in p.support}.values()
    verdicts = Counter(support["grounding"] for support in supports)
    spans = [span for support in supports for span in support["evidence"]]
    flat = _flat(text)
    own = [s for p in prose(all_pieces) for s in sentences(p.text)]
    return {
        "quotes_verbatim": (sum(verbatim), len(verbatim)),
        "numbers_in_source": (sum(any(same(value, known) for known in values) for value in stated), len(stated)),
        "names_in_source": (sum(not index.missing(name) for name in names), len(names)),
        "digits_in_source": (sum(d in known_digits for d in digits), len(digits)),
        "capitals_in_source": (sum(c in known for c in capitals), len(capitals)),
        **{verdict: (verdicts[verdict], verdicts.total()) for verdict in ("supported", "partial", "unsupported")},
        "with_evidence": (sum(bool(support["evidence"]) for support in supports), len(supports)),
        "evidence_valid": (sum(0 <= s["start"] < s["end"] <= len(text) for s in spans), len(spans)),
        "copied_sentences": (sum(_flat(s) in flat for s in own), len(own)),
    }


def _flat(text: str) -> str:
    """Without case, line breaks and the last punctuation: what an extract may change without being written."""
    return " ".join(text.casefold().split()).rstrip(".!?…")


def _digits(text: str) -> list[str]:
    """Numbers written in digits, without separators of thousands: "$30,000" is "30000"."""
    return [number.replace(",", "") for number in re.findall(r"\d+(?:,\d{3})*(?:\.\d+)?", text)]


def _capitals(text: str) -> list[str]:
    """Words with a capital letter that do not begin a sentence, in lower case: what a name is to a rule of one line."""
    found = []
    for sentence in sentences(text):
        for match in list(re.finditer(r"\w+(?:['’]\w+)*", sentence))[1:]:
            if match.group() != match.group().lower():
                found.append(_bare(match.group().casefold()))
    return found


def _bare(word: str) -> str:
    return word.removesuffix("'s").removesuffix("’s")


# -- Extent -----------------------------------------------------------------------------------------------------------


def extent(brief: dict[str, Any], all_pieces: Sequence[Piece], template: Template) -> dict[str, Pair]:
    """Empty fields with and without a reason in the warnings, texts over their limit, lists too short or too long."""
    empty = [f for f in template.fields if not any(p.field == f.name and p.text.strip() for p in all_pieces)]
    reasons = [warning.casefold() for warning in brief.get("warnings", [])]
    told = [f for f in empty if any(f.name in reason or f.label.casefold() in reason for reason in reasons)]
    lists = [f for f in template.fields if f.shape == "items" and f not in empty]
    outside = [f for f in lists if not f.count[0] <= len(brief[f.name]) <= f.count[1]]
    full = {f.name for f in template.fields} - {f.name for f in empty}
    parts = [p for p in all_pieces if p.field in full]
    limited = [p for p in parts if p.shape != "choice"]
    fields = len(template.fields)
    return {
        "empty_with_reason": (len(told), fields),
        "empty_without_reason": (len(empty) - len(told), fields),
        "empty_parts": (sum(not p.text.strip() for p in parts), len(parts)),
        "over_word_limit": (sum(len(p.text.split()) > p.limit for p in limited), len(limited)),
        "count_outside": (len(outside), len(lists)),
    }


def measure(brief: dict[str, Any], template: Template, text: str) -> dict[str, Pair]:
    """All measures of one brief as (part, whole). `text` is `document.text`, into which the brief's offsets point."""
    all_pieces = pieces(brief, template)
    own, quotes = prose(all_pieces), [p for p in all_pieces if p.shape == "quote"]
    wholes = {
        "lower_start": sum(len(sentences(p.text)) for p in own),
        "quote_fragment": len(quotes),
        "markdown": len([p for p in all_pieces if p.shape != "choice"]),
        "about": len([p for p in all_pieces if p.shape in ("text", "line")]),
        "loop": len([p for p in all_pieces if p.shape != "choice"]),
        "dangling": sum(p.first for p in own),
        "dangling_later": sum(not p.first for p in own),
    }
    found = Counter(fault.kind for fault in faults(all_pieces))
    return {
        **truth(brief, all_pieces, text),
        **repetition(all_pieces),
        **{kind: (found[kind], wholes.get(kind, len(own))) for kind in _FAULTS},
        **extent(brief, all_pieces, template),
    }
