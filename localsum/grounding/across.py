"""What can be checked of a text in another language than its source: numbers and quotations, and names as far as told.

Words cannot be compared, so nothing here is ever fully supported; numbers are compared by their digits, since the
words for millions differ. Evidence are the sentences of the source that hold the same numbers and names.
"""

from __future__ import annotations

import re
from collections import defaultdict

from localsum.document import Span
from localsum.grounding.case import Case, Finding
from localsum.grounding.facts import quotations
from localsum.grounding.source import Source, Statement, digits_of, value_of
from localsum.grounding.words import normal

_NOUNS = ("de", "lb")  # languages whose nouns have capitals, so that these tell no names
# Letters that a number is no part of a word beside; in scripts without spaces every number stands beside some.
_BESIDE = r"0-9A-Za-z_\u00c0-\u0dff\u0f00-\u1fff"
_GROUPS, _PLAIN = r"\d{1,3}(?:[ .,'’\u00a0\u202f]\d{3}){1,5}", r"\d{1,15}"
_NUMBER = re.compile(rf"(?<![{_BESIDE}.,])(?:{_GROUPS}|{_PLAIN})(?:[.,]\d{{1,9}})?(?![{_BESIDE}])")
_LATIN = re.compile(r"[\x00-\u024f\u1e00-\u1eff’‐‑–]+")
_WORD = re.compile(r"\w{2,40}(?:-\w{1,40}){0,3}")
_MOST = 3  # sentences of evidence
_REACH = 24  # characters after a number in which its scale stands
# Words of East Asia, and two that most languages of Latin and Cyrillic letters have; "billion" means one or another.
_SCALES = (
    (1e8, re.compile("[亿億억]")),
    (1e4, re.compile("[万萬만]")),
    (
        1e9,
        re.compile(
            r"\s?(?:mil\s(?:millones|milh)|mill?i[aá]rd|mil[jy]ar|mrd|mld|bilh|милл?иард|мільярд)", re.IGNORECASE
        ),
    ),
    (1e6, re.compile(r"\s?(?:mill?i[oóò]|miljo|milyon|milh|mln|mio\b|миллион|мільйон)", re.IGNORECASE)),
)


def findings(sentence: str, source: Source) -> tuple[list[Finding], list[Span]]:
    """All that is wrong with one sentence, and the spans of its evidence, best first. Each is partial at least."""
    statement = Statement(sentence, english=False)
    found = []
    shared: dict[int, float] = defaultdict(float)
    for match in _NUMBER.finditer(sentence):
        number = match.group()
        places = {i for key in _keys(number, sentence[match.end() :][:_REACH]) for i in source.anchors.get(key, ())}
        if not places:
            found.append(Finding(f"number not in source: {number}"))
        for i in places:
            shared[i] += 1 / len(places)
    tells_names = source.across not in _NOUNS
    for name in statement.names if tells_names else ():
        if (name.sure or len(name.parts) > 1) and _LATIN.fullmatch(name.text) and source.names.missing(name):
            found.append(Finding(f"name not in the source as it is spelled here: {name.text}", hard=False))
    capitals = (match.group() for match in _WORD.finditer(sentence) if match.group() != match.group().lower())
    for part in dict.fromkeys(normal(word) for word in capitals):
        places = source.anchors.get(part, set())
        for i in places:
            shared[i] += 1 / len(places)
    found = list(dict.fromkeys(found))
    found += quotations(Case(statement, source, ()))
    checked = "only numbers and names were" if tells_names else "only numbers were"
    found.append(Finding(f"in another language than the source: {checked} checked", hard=False))
    best = sorted((i for i in shared if i >= 0), key=lambda i: (-shared[i], i))[:_MOST]
    return found, [source.spans[i] for i in best]


def _keys(number: str, after: str) -> set[str]:
    """What a number may mean, a comma or a stop dividing thousands or beginning the decimals.

    Before a word for millions or thousands of them that is the value; else its digits, and how it is written.
    """
    plain = re.sub(r"[ '’\u00a0\u202f]", "", number)
    scale = next((size for size, words in _SCALES if words.match(after)), None)
    keys = set() if scale else {number}
    for thousands, decimal in ((",", "."), (".", ",")):
        meant = plain.replace(thousands, "").replace(decimal, ".")
        if meant.count(".") <= 1:
            keys.add(value_of(float(meant) * scale) if scale else digits_of(float(meant)))
    return keys
