"""Names in a text, and whether a source has them: people, firms, places, products with version numbers.

A name is known by its capitals, never by a list; the first word of a sentence is only perhaps a name. Names are compared by
normal form: case, accents, possessive, dots and hyphens do not count, every letter does ("Anthrropic" is not "Anthropic").
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from localsum.grounding.words import CHUNK, FUNCTION_WORDS, normal


@dataclass(frozen=True, slots=True)
class Name:
    """`text[start:end]` is a name, `parts` the normal forms of its words.

    Not `sure`: the first word has its capital perhaps from its place only. `version`: the last part is a number ("Gemma 4").
    """

    start: int
    end: int
    text: str
    parts: tuple[str, ...]
    sure: bool = True
    version: bool = False


_LOOK = 10  # characters looked back for the end of a sentence
_START = re.compile(r"(?:\A|[.!?:;…\n\r]|[\"“‘(\[•·])[\s\"“”‘’'(\[*_#>•·-]*\Z")
_VERSION = re.compile(r"\d+(?:\.\d+)*")
_NOT_VERSION = re.compile(
    r"[,.]?\d|[-\s]?(?:%|percent|per cent|thousand|million|billion|trillion|[-–]\d|years?|months?|days?)"
)
_ENDINGS = ("s", "ing", "ly", "ed", "ion", "ment", "ness", "ity", "ance", "ence", "ism")
_AFTER_NAME = re.compile(r"['’]s\b|,?\s(?:has|is|was|had|will|would|could|may|plans|says|said|\w{3,20}(?:ed|s))\b")
_MONTHS = frozenset("january february march april may june july august september october november december".split())


def names_in(text: str) -> list[Name]:
    """The names of `text` in order of place. Where most words have capitals (headlines), only odd ones ("iPhone") are sure."""
    chunks = list(CHUNK.finditer(text))
    titled = _titled([chunk.group() for chunk in chunks])
    out: list[Name] = []
    run: list[re.Match[str]] = []
    for chunk in chunks:
        raw = chunk.group()
        joined = (
            bool(run) and text[run[-1].end() : chunk.start()] == " " and not run[-1].group().endswith(("'s", "’s", "'"))
        )
        version = (
            joined
            and _VERSION.fullmatch(raw) is not None
            and normal(run[-1].group()) not in _MONTHS
            and not _NOT_VERSION.match(text, chunk.end())
        )
        if run and not (joined and (version or _capital(raw))):
            out += _name(text, run, titled)
            run = []
        if version or _capital(raw):
            run.append(chunk)
    return out + _name(text, run, titled)


def _capital(raw: str) -> bool:
    """A capital first, or one inside ("iPhone", "eBay", "8GB" is none); "I" and function words are never names, "US" and "IT" are."""
    if raw.isupper() and len(raw) > 1 and not raw[0].isdigit():
        return True
    if normal(raw) in FUNCTION_WORDS or len(raw) < 2:
        return False
    return raw[0].isupper() or _odd(raw)


def _odd(raw: str) -> bool:
    """Spelled as no common word is: inner capitals, or letters and digits mixed, unless it is a quantity ("20-person", "7B")."""
    if raw[0].isdigit():
        return len(raw) > 1 and raw[1].isupper() and raw[1] not in "BKMTX" and raw.isalnum()
    return any(c.isupper() for c in raw[1:]) or (raw[0].isupper() and any(c.isdigit() for c in raw))


def _titled(raws: list[str]) -> bool:
    long = [raw for raw in raws if len(raw) > 3 and raw[0].isalpha() and normal(raw) not in FUNCTION_WORDS]
    return len(long) >= 4 and sum(raw[0].isupper() for raw in long) >= 0.7 * len(long)


def _name(text: str, run: list[re.Match[str]], titled: bool) -> list[Name]:
    if not run:
        return []
    first, last = run[0].group(), run[-1].group()
    version = len(run) > 1 and last[0].isdigit()
    initial = titled or _START.search(text[max(0, run[0].start() - _LOOK) : run[0].start()]) is not None
    sure = not initial or _odd(first) or _looks_like_name(text, run[0])
    span = run[0].start(), run[-1].end()
    return [
        Name(*span, text[slice(*span)], tuple(normal(chunk.group()) for chunk in run), sure and not titled, version)
    ]


def _looks_like_name(text: str, chunk: re.Match[str]) -> bool:
    """Whether a word that opens a sentence is a name by what follows: a bare singular noun before a verb is ("Nvidia has")."""
    raw = chunk.group()
    if raw.endswith(("'s", "’s")):
        return not raw[:-2].endswith(_ENDINGS)
    return not raw.endswith(_ENDINGS) and _AFTER_NAME.match(text, chunk.end()) is not None


# Names that have several forms. The demonyms are those that the endings below do not explain.
_ALIASES = """us usa america american | uk britain british briton england | eu european | un | uae emirati | france french | germany german
 | netherlands dutch holland | spain spanish spaniard | poland polish pole | sweden swedish swede | denmark danish dane | turkey turkish
 turk | ireland irish | scotland scottish scot | wales welsh | switzerland swiss | norway norwegian | greece greek | finland finnish
 | thailand thai | iceland icelandic | czech czechia | philippines filipino | peru peruvian | portugal portuguese | argentina argentine
 argentinian | afghanistan afghan | kazakhstan kazakh | new-zealand kiwi"""
_ALIAS = {word: i for i, group in enumerate(_ALIASES.split("|")) for word in group.split()}
_SPELLED = {("united", "states"): "us", ("united", "kingdom"): "uk", ("european", "union"): "eu", ("united", "nations"): "un",
            ("great", "britain"): "uk", ("united", "arab", "emirates"): "uae"}  # fmt: skip
_DEMONYMS = ("n", "an", "ian", "ese", "ish", "i")


class NameIndex:
    """The names and words of a source, for exact look-up. Built once, linear in the text."""

    def __init__(self, text: str) -> None:
        chunks = [chunk.group() for chunk in CHUNK.finditer(text)]
        norms = [normal(chunk) for chunk in chunks]
        self.words: set[str] = set(norms)
        self.squashed: set[str] = set()
        self.acronyms: set[str] = set()
        self.aliases: set[int] = set()
        self.versions: dict[str, set[str]] = {}
        self.before: dict[str, set[str]] = {}  # capitalised words standing before, after
        self.after: dict[str, set[str]] = {}
        self.alone: set[str] = set()  # capitalised, with no capitalised word after it
        capitals = [_capital(chunk) for chunk in chunks]
        squashed = [_squash(norm) for norm in norms]
        for i, norm in enumerate(norms):
            if not norm.isalnum():
                self.words.update(part for part in re.split(r"[^\w.]|\.(?!\d)", norm) if part)
            self.squashed.add(squashed[i])
            if i + 1 < len(norms):
                self.squashed.add(squashed[i] + squashed[i + 1])
                if _VERSION.fullmatch(norms[i + 1]) and capitals[i]:
                    self.versions.setdefault(norm, set()).add(norms[i + 1])
            if norm in _ALIAS:
                self.aliases.add(_ALIAS[norm])
            for length in (2, 3):
                alias = _SPELLED.get(tuple(norms[i : i + length]))
                if alias:
                    self.aliases.add(_ALIAS[alias])
            self._note_run(i, norms, capitals)
        self.capitals = {norm for norm, capital in zip(norms, capitals, strict=True) if capital}

    def _note_run(self, i: int, norms: list[str], capitals: list[bool]) -> None:
        """Acronyms that words i.. spell, and who stands beside whom."""
        initials = ""
        for j in range(i, min(i + 6, len(norms))):
            initials += norms[j][:1]
            if (j - i >= 1 and all(capitals[i : j + 1])) or j - i >= 2:
                self.acronyms.add(initials)
        if not capitals[i]:
            return
        partners = {norms[j] for j in range(i + 1, min(i + 3, len(norms))) if all(capitals[i : j + 1])}
        if not partners:
            self.alone.add(norms[i])
        for partner in partners:
            self.after.setdefault(norms[i], set()).add(partner)
            self.before.setdefault(partner, set()).add(norms[i])

    def missing(self, name: Name) -> str:
        """What of `name` the source lacks, in normal form; "" if it has all. A mix of two people's names counts as lacking."""
        parts = name.parts
        if tuple(parts[:2]) in _SPELLED and _ALIAS[_SPELLED[tuple(parts[:2])]] in self.aliases:
            parts = parts[2:]
        if name.version:
            head, number = parts[-2:]
            if _squash(head) + number not in self.squashed and head in self.versions:
                return f"{head} {number}"
            parts = parts[:-1]
        spelled = "".join(part[0] for part in parts)
        if len(parts) > 1 and spelled in self.words:
            return ""
        for i, part in enumerate(parts):
            if (i or name.sure) and not self.has(part):
                return part
        for a, b in zip(parts, parts[1:], strict=False):
            if self.mixed(a, b):
                return f"{a} {b}"
        return ""

    def has(self, part: str) -> bool:
        """Whether the source has this one word of a name, in any of its forms."""
        if part in self.words or _squash(part) in self.squashed or _ALIAS.get(part, -1) in self.aliases:
            return True
        if part + "s" in self.words or (part.endswith("s") and part[:-1] in self.words):
            return True
        plain = part.removesuffix("s")
        if 2 <= len(plain) <= 5 and plain in self.acronyms:
            return True
        if any(form in self.capitals for form in _kin(part)):
            return True
        pieces = [piece for piece in re.split(r"[-‐‑&/]", part) if piece]
        return len(pieces) > 1 and all(self.has(piece) for piece in pieces)

    def has_version(self, name: Name) -> bool:
        """Whether the source has this name with this number."""
        return "".join(_squash(part) for part in name.parts[-2:]) in self.squashed

    def like(self, part: str) -> list[str]:
        """Capitalised words of the source that begin as `part` does."""
        return [word for word in self.capitals if word[:1] == part[:1]]

    def mixed(self, first: str, last: str) -> bool:
        """Both words stand in names of the source, but never together: "John Miller" of John Smith and Ann Miller."""
        after, before = self.after.get(first), self.before.get(last)
        if not after or not before or first in self.alone or last in after:
            return False
        return not (after & before)


def _squash(norm: str) -> str:
    return re.sub(r"[^\w.]|(?<!\d)\.|\.(?!\d)", "", norm)


def _kin(word: str) -> set[str]:
    """The places whose people `word` may name, and the peoples of the place it may name: "russian" and "russia"."""
    word = word.removesuffix("s")
    stump = word[:-1] if word[-1:] in "aeoy" else word
    out = {
        base + ending for base in (word, stump) for ending in (*_DEMONYMS, "ns", "ans", "ians", "is") if len(base) > 2
    }
    for ending in _DEMONYMS:
        base = word.removesuffix(ending)
        if base != word and len(base) > 2:
            out.update(base + vowel for vowel in ("", "a", "e", "o", "y"))
    return out - {word}
