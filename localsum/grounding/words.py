"""Words of a text: tokens, stems, what is negated, repetition, unfinished sentences.

Knows nothing of documents or verdicts. All patterns are linear; a text of one endless word is one word.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

import snowballstemmer


def listed(words: str) -> frozenset[str]:
    """A set of words written as a text."""
    return frozenset(words.split())


# A chunk stands between spaces, without its outer punctuation: "U.S", "GPT-4.5", "brain-machine", "Anthropic's".
_SCRIPTS = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"  # written without spaces: every character is a word
CHUNK = re.compile(rf"[{_SCRIPTS}]|[^\W_{_SCRIPTS}]+(?:[-‐‑.'’&/][^\W_{_SCRIPTS}]+)*")
LETTER = re.compile(rf"[^\W_{_SCRIPTS}]")  # a character that joins its neighbours to one word
_PART = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_ACRONYM = re.compile(r"[^\W\d_](?:\.[^\W\d_])+")
_LONGEST = 40  # characters; longer "words" are data, and no stemmer has to read them

FUNCTION_WORDS = listed(
    """a about above across after again against all almost along already also although always am among an and another
    any anybody anyone anything are aren't around as at away back be became because become becomes been before
    behind being below beside besides between beyond both but by can can't cannot could couldn't did didn't do
    does doesn't doing don't done down during each either else enough etc even ever every everybody everyone
    everything except few for from further gave get gets getting give given gives go goes going gone got had
    hadn't has hasn't have haven't having he he'd he'll he's hence her here here's hers herself him himself
    his how how's however i i'd i'll i'm i've if in including indeed instead into is isn't it it's its itself
    just keep know least less let let's like likely made make makes making many may me meanwhile might mine
    more moreover most much must my myself namely near neither never nevertheless no nobody none nor not
    nothing now of off often on once one one's only onto or other others otherwise our ours ourselves out over
    own per perhaps quite rather really said same saw say saying says see seem seems seen several shall she
    she'd she'll she's should shouldn't since so some somebody someone something sometimes soon still such
    take taken takes than that that's the their theirs them themselves then there there's thereby therefore
    these they they'd they'll they're they've thing things this those though through throughout thus till to
    today together told too took toward towards under unless until up upon us use used uses using various very
    via was wasn't way we we'd we'll we're we've well were weren't what what's whatever when when's where
    where's whereas whether which while who who's whoever whole whom whose why will with within without won't
    would wouldn't yes yet you you'd you'll you're you've your yours yourself yourselves"""
)
_PLAIN = listed("not no never none nobody nothing neither nor cannot")
_LACK = listed(
    """without hardly barely scarcely lack lacks lacked lacking unable stop stops stopped prevent prevents prevented
    avoid avoids avoided except"""
)
_LACK_TO = listed("fail fails failed refuse refuses refused decline declines declined")  # with "to" after them
_BREAKS = listed("but although though while whereas because which who that if when")
NOT = 2  # strength of a negation right after a plain negator
_REACH = 4  # content stems a negator governs


class Word(NamedTuple):
    """One word of a text: its place, as written, its normal form, and its stem ("" if a function word)."""

    start: int
    end: int
    text: str
    norm: str
    stem: str


@lru_cache(maxsize=65536)
def normal(word: str) -> str:
    """Lower case without accents, possessive or the dots of an acronym: "U.S." and "US's" are "us"."""
    word = word[: 2 * _LONGEST]
    if not word.isascii():
        word = unicodedata.normalize("NFKD", word).replace("’", "'")
        word = "".join(c for c in word if not unicodedata.combining(c))
    word = word.casefold().removesuffix("'s").removesuffix("'")
    return word.replace(".", "") if _ACRONYM.fullmatch(word) else word


_stemmer = snowballstemmer.stemmer("english")


@lru_cache(maxsize=65536)
def stem(norm: str, english: bool = True) -> str:
    """The stem of a normal form; "" for a function word, a letter or a digit. Not English: the word itself."""
    if norm in FUNCTION_WORDS or (len(norm) == 1 and norm.isascii()):
        return ""
    if not english or len(norm) > _LONGEST or not norm.isalpha():
        return norm
    return str(_stemmer.stemWord(norm))


def words(text: str, english: bool = True) -> list[Word]:
    """All words of `text` in order, hyphenated ones in parts. Numbers are words too."""
    out: list[Word] = []
    for chunk in CHUNK.finditer(text):
        raw, start = chunk.group(), chunk.start()
        if raw.isalnum() or _ACRONYM.fullmatch(raw.removesuffix("'s").removesuffix("’s")):
            out.append(_word(raw, start, english))
        else:
            out += [_word(part.group(), start + part.start(), english) for part in _PART.finditer(raw)]
    return out


def _word(raw: str, start: int, english: bool) -> Word:
    norm = normal(raw)
    acronym = 2 <= len(raw) <= 4 and raw.isupper()  # "AWS" is no plural, "US" no pronoun
    return Word(start, start + len(raw), raw, norm, norm if acronym else stem(norm, english))


def content_stems(text: str, english: bool = True) -> set[str]:
    """The stems of all words of `text` that are not function words."""
    return {word.stem for word in words(text, english) if word.stem}


def stem_overlap(a: str, b: str) -> float:
    """Share of the content stems of the smaller text that the other has too; 0.0 if either has none."""
    left, right = content_stems(a), content_stems(b)
    return len(left & right) / min(len(left), len(right)) if left and right else 0.0


def negated(items: list[Word], text: str) -> dict[str, int]:
    """Content stems that `text` negates, with a strength: `NOT` next to a "not", 1 further on, 0 for "without".

    A negator reaches over the next few content words, up to punctuation or a word that opens another clause. "Not only"
    negates nothing, nor does a negator in a hyphened word ("never-before-seen"); "risk-free" negates its first part.
    """
    out: dict[str, int] = {}
    left, plain = 0, False
    end = 0
    for i, word in enumerate(items):
        following = items[i + 1].norm if i + 1 < len(items) else ""
        if left and (word.norm in _BREAKS or any(c in ",;:.!?()—–" for c in text[end : word.start])):
            left = 0
        end = word.end
        hyphen = text[end : end + 1] in ("-", "‑", "‐")
        negator = word.norm in _PLAIN or word.norm.endswith("n't")
        if negator or word.norm in _LACK or (word.norm in _LACK_TO and following == "to"):
            if not hyphen and following not in ("only", "just", "merely", "doubt"):
                left, plain = _REACH, negator
        elif left and word.stem:
            strength = 0 if not plain else NOT if left == _REACH else 1
            out[word.stem] = max(out.get(word.stem, 0), strength)
            left -= 1
        elif hyphen and following == "free" and word.stem:
            out.setdefault(word.stem, 0)
    return out


def repeated_ngrams(text: str, n: int = 4) -> float:
    """Share of the n-word runs of `text` that have occurred before in it; 0.0 for a text of fewer words."""
    norms = [word.norm for word in words(text)]
    runs = [tuple(norms[i : i + n]) for i in range(len(norms) - n + 1)]
    return 1 - len(set(runs)) / len(runs) if runs else 0.0


_CLOSERS = {")": "(", "]": "[", "}": "{", "”": "“", "»": "«"}
_DANGLING = listed("a an the of to and or but with for from by in on at as than that which who whose its their")


def is_unfinished(text: str) -> bool:
    """Whether `text` looks cut off: no final stop, an open bracket or quotation, or a last word that needs another."""
    body = text.rstrip()
    end = body.rstrip("\"'”’»)]")
    if not end.endswith((".", "!", "?", "。", "！", "？")) or end.endswith("...") or body.count('"') % 2:
        return True
    opened: list[str] = []
    for c in body:
        if c in "([{“«":
            opened.append(c)
        elif c in _CLOSERS and (not opened or opened.pop() != _CLOSERS[c]):
            return True
    last = words(end[-_LONGEST:])
    return bool(opened) or (bool(last) and last[-1].norm in _DANGLING)
