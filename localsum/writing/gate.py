"""The gate between what a model wrote and what a brief may say: a reason to refuse, or None. No model, no template."""

from __future__ import annotations

import re
from collections.abc import Iterable

from localsum.grounding.names import NameIndex, names_in
from localsum.grounding.values import numbers_in, same
from localsum.grounding.words import content_stems, repeated_ngrams, stem_overlap, words

_META = re.compile(
    r"\b(?:the|this|that) (?:article|text|author|passage|piece|post|story|newsletter|transcript|summary|brief)\b"
    r"|^(?:summary|headline|topic|title|note|answer)\s*:",
    re.IGNORECASE,
)
_RESIDUE = re.compile(r"\*\*|__|`|\]\(|^\s*#|^\s*[-*•]\s|<[a-z/]|https?:|�")


def leaked(text: str, examples: Iterable[str], size: int = 4) -> bool:
    """Whether the text shares a run of `size` words with an example it was shown."""
    own = _runs(text, size)
    return bool(own) and any(own & _runs(example, size) for example in examples)


def _runs(text: str, size: int) -> set[tuple[str, ...]]:
    norms = [word.norm for word in words(text)]
    return {tuple(norms[i : i + size]) for i in range(len(norms) - size + 1)}


def refuse(
    text: str,
    source: str,
    *,
    least_shared: float,
    most_words: int,
    examples: Iterable[str] = (),
    earlier: Iterable[str] = (),
) -> str | None:
    """Why `text` may not be shown, or None. `source` is the part of the document it was written from."""
    count = len(text.split())
    if not text or count > most_words:
        return "empty" if not text else f"longer than {most_words} words"
    if _RESIDUE.search(text) or _META.search(text):
        return "not plain text about the subject"
    if text.count('"') % 2 or text.count("“") != text.count("”") or text.count("(") != text.count(")"):
        return "cut off"
    known = numbers_in(source)
    for value in numbers_in(text):
        if not any(same(value, other) for other in known):
            return f"number not in source: {text[value.start : value.end]}"
    index = NameIndex(source)
    for name in names_in(text):
        # A single capitalised word at the head may be any word; whether the source has it is asked of its stem below.
        if (name.sure or len(name.parts) > 1) and (missing := index.missing(name)):
            return f"name not in source: {missing}"
    stems = content_stems(text)
    if not stems:
        return "says nothing"
    if (shared := len(stems & content_stems(source)) / len(stems)) < least_shared:
        return f"few words in common with the source ({shared:.2f})"
    if repeated_ngrams(text) > 0.05:
        return "repeats itself"
    if leaked(text, examples):
        return "repeats an example of the prompt"
    if any(stem_overlap(text, other) > 0.6 for other in earlier):
        return "repeats another part"
    return None
