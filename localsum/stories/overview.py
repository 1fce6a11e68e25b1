"""The paragraph on top of a digest: of the sources' own words, or by an instruct model from the finished stories.

What a model writes is a brief of one document, which holds the stories; so it is asked, checked and kept as any brief.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from localsum.brief import Brief, Mode
from localsum.digest import Evidence, Overview
from localsum.document import Block, Document, Span
from localsum.grounding import check
from localsum.grounding.names import names_in
from localsum.grounding.words import content_stems, stem_overlap
from localsum.stories.telling import Telling, is_plain, standing
from localsum.writing import headline
from localsum.writing.title import stands

FIELD = "overview"  # of the template `overview`
MOST_STORIES = 10  # that a model reads
_SENTENCES = 4
_FEWEST = 3
_WORDS = 110
_LONGEST = 32  # words of a sentence
_LEAST_WORDS = 7
_SHORTER = 3  # words that a clause must save, else it is the sentence again
_STANDING = -0.4
_SAID = 0.6  # overlap above which a sentence says what another says,
_SAME = 0.95  # and above which it does so in the same words
_PLURAL = re.compile(r"\b(?:they|them)\b", re.IGNORECASE)  # nobody knows who
_LEAST_SHARED = 3  # content words with the story's headline and first sentence


class _Sentence(NamedTuple):
    """One of the overview: its places in the sources of its story, how it came about, and what the checks say."""

    text: str
    evidence: tuple[Evidence, ...]
    mode: Mode
    reasons: tuple[str, ...]


def extracted(tellings: Sequence[Telling]) -> Overview:
    """A sentence on each of the first stories, none that the digest says again below, where there are others."""
    chosen: list[tuple[int, _Sentence]] = []
    rounds = 1 if len(tellings) >= _FEWEST else _FEWEST
    for _ in range(rounds):
        for number, telling in enumerate(tellings):
            if len(chosen) == _SENTENCES:
                break
            said = [one.text for _, one in chosen]
            room = _WORDS - sum(len(text.split()) for text in said)
            for one in _ways(telling):
                if len(one.text.split()) <= room and all(stem_overlap(one.text, text) <= _SAID for text in said):
                    chosen.append((number, one))
                    break
    if not chosen:
        return Overview("", "empty", "supported")
    modes = {one.mode for _, one in chosen}
    return Overview(
        " ".join(one.text for _, one in chosen),
        modes.pop() if len(modes) == 1 else "mixed",
        "supported",
        tuple((number, span) for number, one in chosen for span in one.evidence),
        tuple(dict.fromkeys(reason for _, one in chosen for reason in one.reasons)),
    )


def _ways(telling: Telling) -> Iterator[_Sentence]:
    """Sentences that tell the story in short, with their evidence, the best first.

    The story's first, cut to its main clause; that of another source; one that the story does not use; and where there
    is none of these, its first once more.
    """
    said = [line.text for line in telling.lines]
    clauses = [(line, headline.clause(line.text, _LONGEST, is_last_resort=False)) for line in telling.lines[:1]]
    clauses = [(line, text) for line, text in clauses if len(text.split()) >= _LEAST_WORDS and stands(text)]
    for line, text in clauses:
        if len(text.split()) + _SHORTER <= len(line.text.split()):
            yield from _traced(telling, line.teller, text + ".")
    others = [
        (number, place, text)
        for number, one in enumerate(telling.tellers)
        for place, text in enumerate(one.sentences)
        if is_plain(text)
        and standing(text) > _STANDING
        and not _PLURAL.search(text)
        and _LEAST_WORDS <= len(text.split()) <= _LONGEST
    ]
    about = content_stems(" ".join([telling.headline, *said[:1]]))
    others = [each for each in others if each[1] <= 1 and len(content_stems(each[2]) & about) >= _LEAST_SHARED]
    for number, place, text in others:
        if number and not place and all(stem_overlap(text, one) < _SAME for one in said):
            yield from _traced(telling, number, text)
    for number, _, text in others:
        if _names(text) and all(stem_overlap(text, one) <= _SAID for one in said):
            yield from _traced(telling, number, text)
    for line, text in clauses:
        yield from _traced(telling, line.teller, text + ".")


def _traced(telling: Telling, teller: int, text: str) -> Iterator[_Sentence]:
    """The text with its place in the source, if that says it."""
    one = telling.tellers[teller]
    found = check(text, one.checked)
    if found.verdict == "supported" and found.evidence:
        evidence = tuple(telling.evidence(teller, span) for span in found.evidence)
        yield _Sentence(text, evidence, one.mode, found.reasons)


def _names(text: str) -> set[str]:
    return {part for name in names_in(text) if name.sure and not name.calendar for part in name.parts}


# By a model


def stories_as_document(tellings: Sequence[Telling]) -> Document:
    """The first stories as a document that a brief can be written of: headlines, and under each what is told."""
    text, blocks = "", []
    for telling in tellings[:MOST_STORIES]:
        for kind, part in (("heading", telling.story.headline), ("paragraph", telling.story.text)):
            part = " ".join(part.split())
            if part:
                start = len(text)
                blocks.append(Block(start, start + len(part), kind, 2 if kind == "heading" else 0))  # type: ignore[arg-type]
                text += part + "\n\n"
    count = len(tellings)
    return Document(text.rstrip("\n"), tuple(blocks), path=f"digest of {count:,} stor{'y' if count == 1 else 'ies'}")


def written(brief: Brief, tellings: Sequence[Telling]) -> Overview | None:
    """The overview that a brief of `stories_as_document` holds; None where the model's was refused.

    Its evidence is that of the stories which it rests on.
    """
    result = brief.fields[FIELD]
    if result.mode != "written" or result.grounding is None:
        return None
    evidence: dict[tuple[int, Evidence], None] = {}
    for number, span in enumerate(_places(brief.document)):
        if any(span.start < each.end and each.start < span.end for each in result.grounding.evidence):
            evidence |= dict.fromkeys((number, each) for each in tellings[number].story.support.evidence)
    return Overview(str(result.value), "written", result.grounding.verdict, tuple(evidence), result.grounding.reasons)


def _places(document: Document) -> list[Span]:
    """Where each story stands in the document of stories."""
    places: list[Span] = []
    for block in document.blocks:
        if block.kind == "heading" or not places:
            places.append(Span(block.start, block.end))
        else:
            places[-1] = Span(places[-1].start, block.end)
    return places
