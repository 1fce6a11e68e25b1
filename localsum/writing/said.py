"""Whether a text says again what was said before it, or leans on it. Texts only: no source, no fields."""

from __future__ import annotations

import re

from localsum.grounding.names import Name, names_in
from localsum.grounding.words import stem_overlap
from localsum.sentences import split
from localsum.writing import cues
from localsum.writing.shelf import runs_of

REPEATS = 0.6  # of stems with one sentence said before
_MOST_REPEATED = 0.12  # of a sentence's runs of four words
_UNSPACED = re.compile("[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]")
_POINTS_BACK = re.compile(r"(?:he|she|it|they|his|her|its|their|this|that|these|those)\b", re.IGNORECASE)


def points_back(text: str) -> bool:
    """Whether a text opens with what was spoken of before, or says "he" before it names anybody."""
    if _POINTS_BACK.match(text):
        return True
    found = cues.PRONOUN_SUBJECT.search(text)
    return found is not None and not any(name.start < found.start() for name in names_in(text) if _is_sure(name))


def _is_sure(name: Name) -> bool:
    return name.sure or len(name.parts) > 1


def is_said(sentence: str, said: list[str]) -> bool:
    """Whether a sentence says what another said: in other words, or in the same."""
    if any(stem_overlap(sentence, other) > REPEATS for other in said):
        return True
    runs = runs_of(sentence)
    old = frozenset().union(*map(runs_of, said))
    return len(runs & old) > max(1, _MOST_REPEATED * len(runs))


def length(text: str) -> int:
    """How many words a text has; where a script has no spaces, two letters are one."""
    return len(text.split()) + len(_UNSPACED.findall(text)) // 2


def joined(texts: list[str]) -> str:
    """Sentences as one text; after the full stops of Chinese and Japanese stands no space."""
    return re.sub("(?<=[。！？]) ", "", " ".join(texts))


def sentences(text: str) -> list[str]:
    return [text[span.start : span.end] for span in split(text)]
