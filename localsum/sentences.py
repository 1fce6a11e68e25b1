"""Where sentences begin and end. Knows text and abbreviations; nothing of files, words' meaning or models.

Every candidate (a stop, its closing quotes, then white space) is judged by the word before it and the word after it.
Quotations and parentheses of up to `QUOTE_WORDS` words are never cut inside; a line break always ends a sentence
(readers have joined wrapped lines). Everything is one pass from left to right: time is linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from localsum.document import Document, Span

QUOTE_WORDS = 60  # a longer quotation is cut at its sentences
PROSE = frozenset({"paragraph", "item", "quote"})  # kinds of blocks that hold sentences


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Words with a stop, by what may follow. Titles, months and states count only with a capital ("Gen. Park", "next gen.").
_TITLES = _words(
    """mr mrs ms mx dr prof sen rep reps gov gen lt col sgt maj capt cmdr adm rev hon pres supt det mme mlle sr sra
    srta st mt ft fr hr dhr mevr dipl ing"""
)
_NEVER = _words(
    """vs v cf e.g eg i.e viz approx ca resp incl dept est z.b z d.h d u.a bzw vgl ggf evtl inkl sog bspw bijv nos"""
)
# These may end a sentence: they do when a usual first word of sentences follows.
_MAYBE = _words(
    """inc corp ltd co llc plc bros jr esq al ave blvd rd univ assn min sec hr hrs ft lb lbs oz pts pt eds fig figs eq
    eqs vol ch p pp ref refs usw uvm nr"""
)
_MAYBE_CAPITAL = _words("jan feb mar apr jun jul aug sept sep oct nov dec mon tue tues wed thu thur thurs fri sat sun")
# American states as agencies shorten them: after "Reno, Nev." a capital begins a sentence unless it is a title.
_STATES = _words(
    """ala ariz ark calif colo conn del fla ga ill ind kan ky la mass md mich minn miss mo mont neb nev okla ore pa
    tenn tex va vt wash wis wyo n.y n.j n.c s.c n.h n.m d.c"""
)
# Usual first words of sentences: after one of the words above they begin a new one.
_FIRST = _words(
    """the a an it its he she we they i you his her their our my your this that these those there here in on at by for
    from with without after before when while if as since until although though because but and or so yet however
    meanwhile still also then thus therefore moreover instead finally first second some many most more few no not
    none nobody everyone everybody each all both neither either one two three such what why how who where which
    under over during between among despite according shares is are was were will would can could should do does did
    has have let to of now today yesterday later earlier last next once even only another other others every nothing
    das die der es er sie wir ich im am bei mit nach vor zu auf für als wenn doch aber und ein eine einen sein ihr
    dies diese dieser auch noch nur so dann man seit damit"""
)
_CLOCK = _words("a.m p.m am pm")
_AFTER_CLOCK = _words(
    """monday tuesday wednesday thursday friday saturday sunday et est edt ct cst cdt mt mst mdt pt pst pdt gmt utc bst
    cet cest ist jst eastern central mountain pacific january february march april may june july august september
    october november december jan feb mar apr jun jul aug sept oct nov dec"""
)
# Before a German ordinal: "am 3. Oktober", "im 20. Jahrhundert".
_BEFORE_ORDINAL = _words("am der die das dem den des im zum zur vom beim ab bis seit jeder jede jedes")
_SAYING = re.compile(
    r"\S{1,30}(?: \S{1,30}){0,2}? (?:said|says|asked|asks|wrote|writes|replied|replies|added|adds|shouted|cried|told|"
    r"wondered|answered|exclaimed|joked|quipped|tweeted|posted)\b"
)

_STOPS = ".!?…‽؟।۔"
_WIDE = "。！？｡"  # these need no space after them
_EMOJI = "\u2600-\u27bf\u2b50\ufe0f\U0001f000-\U0001faff"
_CLOSERS = "\"'”’“‘»«›)]}*_」』）】》"
_CANDIDATE = re.compile(
    rf"(?<![{_STOPS}{_WIDE}])(?P<stop>[{_STOPS}{_WIDE}]++(?: \.(?!\w))*+)"
    rf"(?P<closers>(?:[{re.escape(_CLOSERS)}]|\[\d{{1,3}}\]| »(?!\w)| ?[{_EMOJI}])*+)"
)
_NEXT = re.compile(r"\s*+(?P<lead>[^\w\s]{0,6})(?P<word>[^\W_][^\s]{0,30})?")
_PRODUCT = re.compile(r"[a-z]{1,20}(?:[A-Z0-9]|\.[a-z])")  # iPhone, xAI, k8s, llama.cpp
_ACRONYM = re.compile(r"(?:[^\W\d_]{1,3}\.)+[^\W\d_]{1,3}")  # U.S  Ph.D  a.m
_ENUMERATOR = re.compile(r"[(\[]?(?:\d{1,3}|[^\W\d_]|[ivxIVX]{1,4})[.)\]]{1,2}")
_DELIMITER = re.compile(r"([\"'“”„‘’«»「」『』()（）\[\]])\1*+")
_PAIRS = {"」": "「", "』": "『", ")": "(", "）": "（", "]": "["}
_QUOTES = "\"'”’“‘»«」』"


@dataclass(frozen=True, slots=True)
class Sentence:
    """`document.text[start:end]`, inside `document.blocks[block]`, without surrounding white space."""

    start: int
    end: int
    block: int


def sentences(document: Document) -> list[Sentence]:
    """The sentences of paragraphs, list items and quotes, in order; headings, code and tables have none."""
    found = []
    for index, block in enumerate(document.blocks):
        if block.kind in PROSE:
            for span in split(document.text[block.start : block.end]):
                found.append(Sentence(block.start + span.start, block.start + span.end, index))
    return found


def split(text: str) -> list[Span]:
    """Spans of the sentences of any text, in order; all but white space is in one of them."""
    spans: list[Span] = []
    start = 0
    for line in text.split("\n"):
        if line:
            spans += [Span(start + a, start + b) for a, b in _line(line)]
        start += len(line) + 1
    return spans


def _line(line: str) -> list[tuple[int, int]]:
    """The sentences of one line; pieces without a letter or digit and bare enumerators join a neighbour."""
    pieces: list[tuple[int, int]] = []
    start = 0
    for cut in [*_cuts(line), len(line)]:
        piece = line[start:cut]
        a, b = start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())
        start = cut
        if a >= b:
            continue
        bare = re.search(r"\w", line[a:b]) is None
        if pieces and (bare or _incomplete(line[slice(*pieces[-1])], first=len(pieces) == 1)):
            pieces[-1] = (pieces[-1][0], b)
        else:
            pieces.append((a, b))
    return pieces


def _incomplete(piece: str, *, first: bool) -> bool:
    """Whether a piece cannot stand alone: "1." before its sentence, or opening marks only."""
    if len(piece) > 8:
        return False
    enumerator = _ENUMERATOR.fullmatch(piece) is not None and (first or piece[0].isdigit())
    return enumerator or (first and re.search(r"\w", piece) is None)


def _cuts(line: str) -> Iterator[int]:
    """Offsets at which a sentence ends, in order."""
    kept = iter(_kept_whole(line))
    whole = next(kept, None)
    for match in _CANDIDATE.finditer(line):
        end = match.end()
        while whole is not None and whole[1] <= end:
            whole = next(kept, None)
        if whole is not None and whole[0] < end:
            continue
        if _ends(line, match):
            yield end


def _kept_whole(line: str) -> list[tuple[int, int]]:
    """Quotations and parentheses short enough to be kept whole: disjoint (start, end), in order."""
    found: list[tuple[int, int]] = []
    opened: dict[str, list[int]] = {}
    for match in _DELIMITER.finditer(line):
        mark, at = match[1], match.start()
        before = line[at - 1] if at else " "
        after = line[match.end()] if match.end() < len(line) else " "
        opener = _opener(mark, before, after, opened)
        if opener is None:
            continue
        if opener == "":  # it opens; brackets nest, a second opening quote means that the first was never closed
            stack = opened.setdefault(mark, [])
            if mark not in "([（":
                stack.clear()
            if len(stack) < 8:
                stack.append(at)
        elif opened.get(opener):
            start = opened[opener].pop()
            if line.count(" ", start, at) < QUOTE_WORDS:
                found.append((start, match.end()))
    merged: list[tuple[int, int]] = []
    for start, end in sorted(found):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _opener(mark: str, before: str, after: str, opened: dict[str, list[int]]) -> str | None:
    """What a quotation mark or bracket does: "" it opens, a mark: it closes that one, None: nothing."""
    outside = not before.isalnum() and before not in ".,!?…;:%)"
    if mark in _PAIRS:
        return _PAIRS[mark]
    if mark in "([（「『„":
        return ""
    if mark == '"':
        if outside and not after.isspace():
            return ""
        return '"' if not before.isspace() else None
    if mark in "'’":  # also apostrophes: they close only next to punctuation
        if mark == "'" and outside and after.isalnum():
            return ""
        closes = not after.isalnum() and (before in ".,!?…" or after in ",.;:!?…")
        return ("'" if mark == "'" else "‘") if closes else None
    if mark == "”":
        return "“" if opened.get("“") else "„"
    if mark == "“":
        return "„" if opened.get("„") else ""
    if mark == "‘":
        return "" if outside else None
    other = "»" if mark == "«" else "«"
    return other if opened.get(other) else ""


def _ends(line: str, match: re.Match[str]) -> bool:
    """Whether a sentence ends at this candidate."""
    end, closers = match.end(), match["closers"]
    stop = match["stop"]
    if stop[-1] in _WIDE:  # 「…。」と goes on after its bracket; a stop, a comma or the end does not
        return not (closers and line[end : end + 1] in ("と", "，", "、", "。", "的"))
    if end < len(line) and not line[end].isspace():
        return False
    following = _NEXT.match(line, end)
    if following is None or following.end() == end:
        return True
    lead, word = following["lead"], following["word"] or ""
    if lead[-1:] in ("@", "#"):
        word = word.capitalize()  # a handle or hashtag begins a sentence like a name
    quoted = any(mark in _QUOTES for mark in closers)
    if lead and (lead[0] in ",;:.!?…" or (quoted and lead[0] in "–—-")):
        return False
    before = line[max(0, match.start() - 32) : match.start()]
    previous = before.rpartition(" ")[2].lstrip("\"'“‘„«»([{*_¿¡")
    if stop in ("!", "?", "!?", "?!") and closers and before[-1:] in "([":
        return False  # (!)
    if stop == ".":
        return _full_stop(before, previous, closers, lead, word)
    lower = word[:1].islower()
    if "." in stop or "…" in stop:  # an ellipsis
        return not lower and before[-1:] not in ("[", "(")
    if lower:
        return not (closers.strip("*_") or (stop == "!" and previous[:1].isupper()))
    return not (quoted and _SAYING.match(word + line[following.end() : following.end() + 90]))


def _full_stop(before: str, previous: str, closers: str, lead: str, word: str) -> bool:
    """Whether a single full stop ends a sentence, by the word before it (`previous`) and the one after (`word`)."""
    key, capital = previous.lower(), previous[:1].isupper() and not previous[1:].isupper()
    title = capital and key in _TITLES
    state = (capital or "." in key) and key in _STATES
    never = title or (key in _NEVER and not previous.isupper())
    acronym = _ACRONYM.fullmatch(previous) is not None or (len(previous) == 1 and previous.isalpha())
    maybe = key in _MAYBE or state or acronym or (capital and key in _MAYBE_CAPITAL)
    short = never or maybe or key in _CLOCK or key == "etc"
    if not word:
        return not (short and lead)
    inside = bool(closers.strip("*_"))
    if word[0].islower():
        if inside or short or key in _TITLES:
            return False
        return not previous or _PRODUCT.match(word) is not None or _plain(previous)
    if key == "no":  # No. 5, but also plain "no."
        return not word[0].isdigit()
    if not short:
        ordinal = previous.isdigit() and len(previous) <= 2 and before.split()[-2:-1]
        return not (ordinal and ordinal[0].lower() in _BEFORE_ORDINAL and _first(word) not in _FIRST)
    if inside:
        return any(mark in _QUOTES for mark in closers)
    if never or word[0].isdigit():
        return False
    if key in _CLOCK:
        return _first(word) not in _AFTER_CLOCK
    if state and before[: -len(previous)].endswith(", ") and _first(word) not in _TITLES:
        return True
    return key == "etc" or _first(word) in _FIRST


def _first(word: str) -> str:
    """A following word as the lists have it; an initial ("A." in "J. A. Wu") is none of them."""
    bare = re.match(r"[^\W\d_]+", word)
    return "" if bare is None or (bare.end() == 1 and word[1:2] == ".") else bare[0].lower()


def _plain(word: str) -> bool:
    """A lower-case word, perhaps with an apostrophe or a hyphen: no abbreviation, no name."""
    letters = re.sub(r"['’-]", "", word)
    return len(letters) > 1 and letters.isalpha() and letters.islower()
