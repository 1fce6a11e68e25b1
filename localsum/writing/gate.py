"""The gate between what a model wrote and what a brief may say: a reason to refuse, or None. No model, no template."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from localsum.grounding import Source, check
from localsum.grounding.check import VERBATIM
from localsum.grounding.names import Name, NameIndex, names_in
from localsum.grounding.source import Statement
from localsum.grounding.values import numbers_in, same
from localsum.grounding.words import content_stems, repeated_ngrams, words

_META = re.compile(
    r"\b(?:the|this|that) (?:article|text|author|passage|piece|post|story|newsletter|transcript|summary|brief)\b"
    r"|\b(?:the|this) (?:point|sentence|headline) (?:is|was|says|states|mentions|indicates|leads|that|\")"
    r"|^somebody (?:wrote|said)\b"  # how a refused text is shown to the model
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


def malformed(text: str, most_words: int) -> str | None:
    """Why the text is no plain text about its subject, or None; the source is not asked."""
    count = len(text.split())
    if not text or count > most_words:
        return "empty" if not text else f"longer than {most_words} words"
    if _RESIDUE.search(text) or _META.search(text):
        return "not plain text about the subject"
    if text.count('"') % 2 or text.count("“") != text.count("”") or text.count("(") != text.count(")"):
        return "cut off"
    return None


def refuse(
    text: str,
    source: str,
    *,
    least_shared: float,
    most_words: int,
    examples: Iterable[str] = (),
) -> str | None:
    """Why `text` may not be shown, or None. `source` is the part of the document it was written from."""
    if reason := malformed(text, most_words):
        return reason
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
    if reason := _repetition(text):
        return reason
    if leaked(text, examples):
        return "repeats an example of the prompt"
    return None


_AHEAD = re.compile(
    r"\b(?:will|won't|would|could|may|might|shall|expect\w*|likely|plan(?:s|ned|ning)?|set to|going to"
    r"|(?:is|are|was|were) (?:due |about )?to|due to be"
    r"|forecast\w*|predict\w*|hope[sd]?|next (?:week|month|year)|soon|intend\w*|aim\w*)\b",
    re.IGNORECASE,
)
_LOOK_BACK = 3  # sentences from a pronoun to its name
_PERSON = re.compile(r"\W*(?:he|she|they|his|her|their)\b", re.IGNORECASE)
_QUOTED = re.compile(r"[\"“][^\"“”]*[\"”]")
_OWN_VOICE = re.compile(r"\b(?:I(?!\.)|[Ww]e|us|[Oo]urs?|[Mm]y|me)\b")
_POINTS_BACK = re.compile(
    r"\W*(?:he|she|it|they|this|that|these|those|his|her|its|their|the|there|a|an)\b", re.IGNORECASE
)


class Least(NamedTuple):
    """Shares of a sentence's content stems: what the source must have, and what one place of it must.

    A place is the sentences that it rests on with their neighbours. Small models make claims of words that stand far
    apart.
    """

    shared: float
    near: float


def unfit(sentence: str, source: Source, least: Least, most_words: int) -> str | None:
    """Why a sentence of an instruct model may not be shown, or None: by its form, the source, and one place of it."""
    if reason := malformed(sentence, most_words):
        return reason
    if source.across:  # numbers are all that can be refused; the rules for words and voices are of one language
        found = check(sentence, source)
        return found.reasons[0] if found.verdict == "unsupported" else _repetition(sentence)
    if in_own_voice(sentence):
        return "speaks as if it were the author"
    statement = Statement(sentence, source.english)
    if not statement.stems:
        return "says nothing"
    for name in statement.names:
        if (name.sure or len(name.parts) > 1) and (missing := source.names.missing(name)):
            return f"name not in source: {missing}"
    if reason := _repetition(sentence):
        return reason
    found = check(sentence, source)
    if found.verdict == "unsupported":
        return found.reasons[0]
    if (shared := sum(stem in source.stems for stem in statement.stems) / len(statement.stems)) < least.shared:
        return f"few words in common with the source ({shared:.2f})"
    return None if found.reasons == (VERBATIM,) else _misplaced(statement, source, least.near)


def _repetition(text: str) -> str | None:
    return "repeats itself" if repeated_ngrams(text) > 0.05 else None


def _misplaced(statement: Statement, source: Source, least: float) -> str | None:
    """Why no one place of the source says this, or None."""
    chosen = source.evidence(statement)
    near = {i + step for i in chosen for step in (-1, 0, 1) if 0 <= i + step < len(source.sentences)}
    known = frozenset().union(*(source.sentences[i].stems for i in near))
    if (share := len(statement.stems & known) / len(statement.stems)) < least:
        return f"no one place of the source says it ({share:.2f})"
    if _AHEAD.search(statement.text) and not any(_AHEAD.search(source.sentences[i].text) for i in chosen[:2]):
        return "the source does not say what is to come"
    return _said_of_another(statement, chosen[0], source) if chosen else None


def _said_of_another(statement: Statement, best: int, source: Source) -> str | None:
    """A sentence that opens with one name where the sentence it rests on opens with another, and lacks this one.

    Where that one opens with "he" or "they", it is about whom the sentences before it open with.
    """
    mine = _subject(statement)
    if mine is None:
        return None
    theirs = None
    for at in range(best, max(-1, best - 1 - _LOOK_BACK), -1):
        if _mentions(source.sentences[at], mine):
            return None
        theirs = _subject(source.sentences[at])
        if theirs or not _PERSON.match(source.sentences[at].text):
            break
    if theirs is None or _mentions(statement, theirs):
        return None
    return f"the source says it of {theirs.text}, not of {mine.text}"


def in_own_voice(text: str) -> bool:
    """Whether the text says "I" or "we" outside quotation marks."""
    return _OWN_VOICE.search(_QUOTED.sub("", text)) is not None


def is_quotation(text: str) -> bool:
    """Whether most of the text stands between quotation marks."""
    return sum(len(match.group()) for match in _QUOTED.finditer(text)) > 0.5 * len(text)


def _mentions(statement: Statement, name: Name) -> bool:
    """Whether a part of the name occurs in the sentence, as a word or inside one."""
    text = statement.text.casefold()
    return any(part in text for part in name.parts)


def _subject(statement: Statement) -> Name | None:
    """The name that a sentence opens with, if it opens with one."""
    names = [name for name in statement.names if name.sure or len(name.parts) > 1]
    if not names or (names[0].start > 4 and _POINTS_BACK.match(statement.text)):
        return None
    return names[0] if statement.text[: names[0].start].count(" ") <= 2 else None
