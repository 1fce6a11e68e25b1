"""Names in a text, and whether a source has them: people, firms, places, products with version numbers.

A name is known by its capitals, never by a list; the first word of a sentence is only perhaps one. Names are compared
by normal form: case, accents, possessives, dots and hyphens do not count, every letter does: "Anthrropic" is another.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from localsum.grounding.words import CHUNK, FUNCTION_WORDS, listed, normal


@dataclass(frozen=True, slots=True)
class Name:
    """`text[start:end]` is a name, `parts` the normal forms of its words.

    Not `sure`: the first word may owe its capital to its place. `version`: the last part is a number ("Gemma 4").
    """

    start: int
    end: int
    text: str
    parts: tuple[str, ...]
    sure: bool = True
    version: bool = False

    @property
    def calendar(self) -> bool:
        """Whether it names a month or a day of the week."""
        return not _CALENDAR.isdisjoint(self.parts)


_LOOK = 10  # characters looked back for the end of a sentence
_START = re.compile(r"(?:\A|[.!?:;…\n\r]|[\"“‘(\[•·])[\s\"“”‘’'(\[*_#>•·-]*\Z")
_VERSION = re.compile(r"\d+(?:\.\d+)*")
_NOT_VERSION = re.compile(
    r"[,.]?\d|[-\s]?(?:%|percent|per cent|thousand|million|billion|trillion|[-–]\d|years?|months?|days?)"
)
_ENDINGS = ("s", "ing", "ly", "ed", "ion", "ment", "ness", "ity", "ance", "ence", "ism")
_AFTER_NAME = re.compile(r"['’]s\b|,?\s(?:has|is|was|had|will|would|could|may|plans|says|said|\w{3,20}(?:ed|s))\b")
_MONTHS = listed("january february march april may june july august september october november december")
_CALENDAR = _MONTHS | listed("monday tuesday wednesday thursday friday saturday sunday")
_HYPHENS = re.compile(r"[-‐‑]")


def names_in(text: str) -> list[Name]:
    """The names of `text` in order of place. In a headline each capitalised word is one, sure only if spelled oddly."""
    chunks = list(CHUNK.finditer(text))
    headline = _is_headline(text, [chunk.group() for chunk in chunks])
    out: list[Name] = []
    run: list[re.Match[str]] = []
    for chunk in chunks:
        raw = chunk.group()
        joined = run and not headline and _joined(text, run[-1], chunk)
        version = joined and _is_version(text, run[-1], chunk)
        if run and not (joined and (version or _capital(raw))):
            out.append(_name(text, run, headline))
            run = []
        if version or _capital(raw):
            run.append(chunk)
    return [*out, _name(text, run, headline)] if run else out


def _joined(text: str, last: re.Match[str], chunk: re.Match[str]) -> bool:
    """Whether a chunk may go on with a name: one space before it, and no possessive."""
    return text[last.end() : chunk.start()] == " " and not last.group().endswith(("'s", "’s", "'"))


def _is_version(text: str, last: re.Match[str], chunk: re.Match[str]) -> bool:
    return (
        _VERSION.fullmatch(chunk.group()) is not None
        and normal(last.group()) not in _MONTHS
        and not _NOT_VERSION.match(text, chunk.end())
    )


def _capital(raw: str) -> bool:
    """Whether a chunk is written as names are. "I" and function words are not, "US" and "IT" are."""
    if raw.isupper() and len(raw) > 1 and not raw[0].isdigit():
        return True
    if len(raw) < 2 or normal(raw) in FUNCTION_WORDS:
        return False
    return raw[0].isupper() or _odd(raw)


def _odd(raw: str) -> bool:
    """Spelled as no common word is: capitals inside, or letters and digits; but "20-person" and "7B" are quantities."""
    if raw[0].isdigit():
        return len(raw) > 1 and raw[1].isupper() and raw[1] not in "BKMTX" and raw.isalnum()
    return any(c.isupper() for c in raw[1:]) or (raw[0].isupper() and any(c.isdigit() for c in raw))


def _is_headline(text: str, raws: list[str]) -> bool:
    """Whether most words have a capital for no other reason than that all have."""
    long = [raw for raw in raws if len(raw) > 3 and raw[0].isalpha() and normal(raw) not in FUNCTION_WORDS]
    capitals = sum(raw[0].isupper() for raw in long)
    return len(long) >= 4 and capitals >= 0.7 * len(long) and not text.rstrip("\"'”’) \n").endswith((".", ";"))


def _name(text: str, run: list[re.Match[str]], headline: bool) -> Name:
    first = run[0]
    start, end = first.start(), run[-1].end()
    initial = headline or _START.search(text[max(0, start - _LOOK) : start]) is not None
    sure = not initial or _odd(first.group()) or (not headline and _looks_like_name(text, first))
    parts = tuple(normal(_core(chunk.group())) for chunk in run)
    return Name(start, end, text[start:end], parts, sure, len(run) > 1 and run[-1].group()[0].isdigit())


def _core(raw: str) -> str:
    """A hyphened word without its common parts: "AI" of "AI-based"; whole if all are common."""
    parts = _HYPHENS.split(raw)
    return "-".join(part for part in parts if not part.islower()) or raw if len(parts) > 1 else raw


def _looks_like_name(text: str, chunk: re.Match[str]) -> bool:
    """Whether what follows makes a first word a name: a bare singular noun and its verb ("Nvidia has")."""
    raw = chunk.group()
    if raw.endswith(("'s", "’s")):
        return not raw[:-2].endswith(_ENDINGS)
    return not raw.endswith(_ENDINGS) and _AFTER_NAME.match(text, chunk.end()) is not None


# Names of several forms; peoples that the endings of _kin explain are left out.
_ALIASES = """us usa america american | uk britain british briton england | eu european | un | uae emirati | ai
 | france french | germany german | netherlands dutch holland | spain spanish spaniard | poland polish pole
 | sweden swedish swede | denmark danish dane | turkey turkish turk | ireland irish | scotland scottish scot
 | wales welsh | switzerland swiss | norway norwegian | greece greek | finland finnish | thailand thai
 | iceland icelandic | czech czechia | philippines filipino | peru peruvian | portugal portuguese
 | argentina argentine argentinian | afghanistan afghan | kazakhstan kazakh"""
_ALIAS = {word: i for i, group in enumerate(_ALIASES.split("|")) for word in group.split()}
_SPELLED = {
    ("united", "states"): "us",
    ("united", "kingdom"): "uk",
    ("great", "britain"): "uk",
    ("european", "union"): "eu",
    ("united", "nations"): "un",
    ("united", "arab", "emirates"): "uae",
    ("artificial", "intelligence"): "ai",
}
_PEOPLES = ("n", "an", "ian", "ese", "ish", "i")


class NameIndex:
    """The words of a source for the look-up of names. Built once, linear in the text."""

    def __init__(self, text: str) -> None:
        chunks = [chunk.group() for chunk in CHUNK.finditer(text)]
        norms = [normal(chunk) for chunk in chunks]
        capital = [_capital(chunk) for chunk in chunks]
        squashed = [_squash(norm) for norm in norms]
        self.capital_share = sum(capital) / max(1, len(capital))
        self.words = set(norms)
        self.words.update(part for norm in norms if not norm.isalnum() for part in re.split(r"[^\w.]|\.(?!\d)", norm))
        self.squashed = {*squashed, *(a + b for a, b in pairwise(squashed))}  # "OpenAI" and "Open AI" are one
        self.capitals = {norm for norm, is_capital in zip(norms, capital, strict=True) if is_capital}
        self.shouted = {norm for norm, chunk in zip(norms, chunks, strict=True) if chunk.isupper()}
        self.aliases = {_ALIAS[norm] for norm in norms if norm in _ALIAS}
        self.acronyms: set[str] = set()  # initials of capitalised phrases, and of others that occur more than once
        self.versions: set[str] = set()  # names with a number after them
        self.before: dict[str, set[str]] = {}  # capitalised word -> those right before it
        self.after: dict[str, set[str]] = {}
        self.alone: set[str] = set()  # capitalised, and none after it
        seen: set[str] = set()
        for i, norm in enumerate(norms):
            for length in (2, 3):
                alias = _SPELLED.get(tuple(norms[i : i + length]))
                if alias:
                    self.aliases.add(_ALIAS[alias])
            if capital[i]:
                self._note_name(i, norms, capital)
                if i + 1 < len(norms) and _VERSION.fullmatch(norms[i + 1]):
                    self.versions.add(norm)
            phrase = norms[i : i + 3]
            if len(phrase) == 3 and not FUNCTION_WORDS.intersection(phrase):
                key = " ".join(phrase)
                if key in seen:
                    self.acronyms.add("".join(word[0] for word in phrase))
                seen.add(key)

    def _note_name(self, i: int, norms: list[str], capital: list[bool]) -> None:
        """Note what the capitalised words from `i` on spell with their initials, and who stands beside whom."""
        initials = norms[i][:1]
        for j in range(i + 1, min(i + 6, len(norms))):
            if not capital[j]:
                break
            initials += norms[j][:1]
            self.acronyms.add(initials)
            if j < i + 3:
                self.after.setdefault(norms[i], set()).add(norms[j])
                self.before.setdefault(norms[j], set()).add(norms[i])
        if len(initials) == 1:
            self.alone.add(norms[i])

    def missing(self, name: Name) -> str:
        """What of `name` the source lacks, "" if nothing; a mix of two people's names counts as lacking."""
        parts = name.parts
        spelled = _SPELLED.get(parts[:2])
        if spelled and _ALIAS[spelled] in self.aliases:
            parts = parts[2:]
        if name.version and parts:
            if not self.has_version(name) and parts[-2] in self.versions:
                return " ".join(parts[-2:])
            parts = parts[:-1]
        if len(parts) > 2 and "".join(part[0] for part in parts) in self.shouted:
            return ""
        joined = [_squash(a) + _squash(b) in self.squashed for a, b in pairwise(parts)]  # "Open AI" of "OpenAI"
        for i, part in enumerate(parts):
            if (i or name.sure) and not self.has(part) and True not in joined[max(0, i - 1) : i + 1]:
                return part
        return next((f"{a} {b}" for a, b in pairwise(parts) if self._mixed(a, b)), "")

    def has(self, part: str) -> bool:
        """Whether the source has this one word of a name, in any of its forms."""
        if part in self.words or _squash(part) in self.squashed or _ALIAS.get(part, -1) in self.aliases:
            return True
        if part + "s" in self.words or (part.endswith("s") and part[:-1] in self.words):
            return True
        if not self.capitals.isdisjoint(_kin(part)):
            return True
        bare = part.removesuffix("s")
        if 2 <= len(bare) <= 6 and bare in self.acronyms:
            return True
        pieces = [piece for piece in re.split(r"[-‐‑&/]", part) if piece]
        return len(pieces) > 1 and all(self.has(piece) for piece in pieces)

    def has_version(self, name: Name) -> bool:
        """Whether the source has this name with this number."""
        return "".join(_squash(part) for part in name.parts[-2:]) in self.squashed

    def like(self, part: str) -> list[str]:
        """Capitalised words of the source that begin as `part` does."""
        return [word for word in self.capitals if word[:1] == part[:1]]

    def _mixed(self, first: str, last: str) -> bool:
        """Whether both words stand in names, but never together: "John Miller" of John Smith and Ann Miller."""
        after, before = self.after.get(first), self.before.get(last)
        if not after or not before or first in self.alone or last in after:
            return False
        return after.isdisjoint(before)


def _squash(norm: str) -> str:
    return re.sub(r"[^\w.]|(?<!\d)\.|\.(?!\d)", "", norm)


def _kin(word: str) -> set[str]:
    """Places whose people `word` may name, and peoples of the place it may name: "russian" and "russia"."""
    word = word.removesuffix("s")
    bases = [base for base in (word, word[:-1] if word[-1:] in "aeoy" else word) if len(base) > 3]
    out = {base + ending + plural for base in bases for ending in _PEOPLES for plural in ("", "s")}
    for ending in _PEOPLES:
        base = word.removesuffix(ending)
        if base != word and len(base) > 3:
            out.update(base + vowel for vowel in ("", "a", "e", "o", "y"))
    return out - {word}
