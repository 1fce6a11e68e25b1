"""The figures of a document: numbers that say how much or how many, each with its unit and what it measures.

Every figure is a span of the document, and what it measures is a phrase of its sentence: patterns only, no model.
Dates, years, ordinals, ages, names ("Gemma 4") and numbers of lists, sections and phones are no figures.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from localsum.brief import Figure, Grounding
from localsum.document import Span
from localsum.grounding.names import names_in
from localsum.grounding.values import Value, hedge_before, numbers_in, same
from localsum.grounding.words import FUNCTION_WORDS, listed, normal
from localsum.writing.draft import UNTOLD
from localsum.writing.material import Material, Sentence
from localsum.writing.measured import GAP, measured

_NOT_FIGURES = frozenset({"date", "clock", "th", "s", "~", ":"})
_TIMES = listed("second minute hour day week month quarter year decade century")
_MONEY = re.compile(r"(?:US|AU|CA|HK|NZ|A|C|S)?\$\s?|[€£¥₹₩]\s?|\b(?:USD|EUR|GBP|JPY|CNY|INR)\s", re.IGNORECASE)
_COIN = re.compile(r"[-\s]?(?:(?:US\s)?dollars?|euros?|pounds?\ssterling|yen|yuan)\Z", re.IGNORECASE)
_PERCENT = re.compile(r"[-\s]?(?:%|percent(?:age\spoints?)?|per\scent|pct)", re.IGNORECASE)
_JOINT = re.compile(
    r"\s?[-–—]\s?|\sto\s|\s(?:out\s)?of\s(?:the\s|every\s|all\s)?|\sin\s(?:every\s)?"
    r"|[-\s](?:hours?|minutes?|years?|months?)\s(?:and\s)?"
)
_ATTACHED = re.compile(
    r"[-\s]?(?:[kMGTP]i?(?:Wh?|Hz|bps|B/s|B|FLOPS?)|[kKmcµn]m|k?g|mg|ms|°[CF]?|mph|km/h|TFLOPS|dB|V|W)(?![\w/])"
)
_WORD = re.compile(r"[-‐‑\s]([^\W\d_](?:[\w/]|['’.&-](?=\w))*)")
# Ages, and dates in other words: "34-year-old", "two years ago".
_OLD = re.compile(
    r"[-\s](?:second|minute|hour|day|week|month|year|decade|centurie?)s?[-\s](?:olds?|ago|earlier|later|before|after)\b",
    re.IGNORECASE,
)
_OF_SOME = re.compile(r"\sof\s(?:the|its|his|her|their|our|your|these|those|all)\b")
_SHARE = re.compile(r"\sof\b")
_AGE = re.compile(r",\s?(?=[,.;)])|,?\s(?:years? of age|years? old)\b", re.IGNORECASE)  # "Maria Koval, 34, said"
_AGED = re.compile(r"\b(?:aged?|age of|turned|turns)\s\Z", re.IGNORECASE)
# What a number only tells apart: "section 3", "Rule 12", "day 2", "No. 5".
_NUMBERED = re.compile(
    r"(?:\b(?:section|figure|fig|table|chapter|page|pages|step|part|no|nos|number|version|episode|issue|article|rule"
    r"|room|route|highway|flight|level|phase|day|week|grade|round|line|item|question|point|stage|tier|type|class"
    r"|lap|game|match|series|season|apollo|gate|line|track|slide|bill|act|unit|building|suite|floor|channel|area"
    r"|psalm|verse|volume|vol|appendix|theorem|lemma|equation|eq|algorithm|experiment|agenda item)\.?"
    r"|#|§|№)\s?\Z",
    re.IGNORECASE,
)
_IDENTIFIER = re.compile(r"[-/:._+@]\d|[-/]\Z")  # of telephone numbers, addresses, scores
_IRREGULAR = listed(
    """people children men women staff police bytes data percent cases teeth feet mice personnel crew cattle sheep
    aircraft media criteria species"""
)
_NOT_PLURAL = listed(
    """says has was is does goes means makes takes gets wants needs shows gives comes runs its his hers ours this us
    thus plus versus always perhaps across besides towards afterwards less minus various previous famous serious
    ago as yes indicates represents signals suggests includes remains becomes keeps helps allows works looks seems
    appears says reads holds leaves provides requires supports reaches beats points equals adds plays"""
)
_MOST_UNIT = 4  # words
_MOST_CHARS = 1_500  # of a sentence; a longer one is data
_SIZED = listed("models versions variants sizes checkpoints series fails wins")  # "the 70B models"
_EACH = re.compile(
    r"[-\s](?:per|an?|each|every)[-\s](?:second|minute|hour|day|night|week|month|quarter|year|person|head)\b"
)
_OR_MORE = re.compile(r"\s?\+|-plus\b")
_UNTOLD = 1.5  # what a figure loses that nothing says the meaning of
_LEAST_WORTH = 0.5
_MOST_BESIDE = 2  # figures of one sentence
_MOST_BARE = 2_100  # a number up to this without any unit says too little, or is a year


@dataclass(frozen=True, slots=True)
class Counted:
    """A figure found: `span` holds it with its unit and what limits it ("more than 900 jobs").

    `value` is "900", `unit` "jobs"; `measures` a phrase of the sentence, "" where none tells what is measured.
    """

    span: Span
    value: str
    unit: str
    measures: str
    number: Value
    sentence: Sentence


def figures(material: Material, *, most: int, words: int) -> list[Figure]:
    """The figures that matter most, in the document's order; each once, few of one sentence. `words` of a measure."""
    told = (one for sentence in material.sentences if sentence.is_usable for one in _of(sentence, material, words))
    worth = {figure: _worth(figure, material) for figure in told}
    ranked = sorted(
        (figure for figure in worth if worth[figure] > _LEAST_WORTH), key=lambda one: (-worth[one], one.span.start)
    )
    chosen: list[Counted] = []
    for figure in ranked:
        if len(chosen) == most:
            break
        beside = [other for other in chosen if other.sentence is figure.sentence]
        if len(beside) == _MOST_BESIDE or any(_phrase(figure, other) for other in beside):
            continue
        if not any(_repeats(figure, other) for other in chosen):
            chosen.append(figure)
    return [_shown(one, material) for one in sorted(chosen, key=lambda figure: figure.span.start)]


def _shown(one: Counted, material: Material) -> Figure:
    reason = "verbatim" if one.measures else UNTOLD
    grounding = Grounding("supported", (one.sentence.span,), (reason,))
    return Figure(material.text(one.span), *one.span, one.value, one.unit, one.measures, grounding)


def _phrase(figure: Counted, other: Counted) -> bool:
    """Whether two figures of a sentence have one measure, which tells both: "fell to … from 12 %"."""
    own, theirs = (set(each.measures.split()) - {GAP} for each in (figure, other))
    return len(own & theirs) > 0.6 * min(len(own), len(theirs))


def _worth(figure: Counted, material: Material) -> float:
    value = figure.number
    if value.unit in ("%", "x") or _is_money(value):
        kind = 2.0
    elif value.unit in _TIMES:
        kind = 0.4
    else:
        kind = 1.6 if abs(value.number) >= 1000 else 1.0 if abs(value.number) >= 20 else 0.4
    if not value.text[:1].isdigit() and not _MONEY.match(value.text) and value.number < 100:
        kind -= 0.8  # "two of them"
    return kind + 0.4 * material.salience(figure.sentence) - _UNTOLD * (not figure.measures)


def _is_money(value: Value) -> bool:
    return value.unit in ("$", "€", "£", "¥", "₹", "₩")


def _repeats(figure: Counted, other: Counted) -> bool:
    """Whether both say the same number of the same: with one unit, or in sentences that share words."""
    if not (same(figure.number, other.number) or same(other.number, figure.number)):
        return False
    return normal(figure.unit) == normal(other.unit) or len(figure.sentence.stems & other.sentence.stems) > 1


def _of(sentence: Sentence, material: Material, words: int) -> Iterator[Counted]:
    """The figures of a sentence."""
    start, end = sentence.span
    if end - start > _MOST_CHARS:
        return
    text = re.sub(r"\s", " ", material.document.text[start:end])
    named = [name for name in names_in(text) if any(part[:1].isdigit() for part in name.parts)]
    values = [
        value
        for value in numbers_in(text)
        if _counts(value, text) and not any(n.start <= value.start < n.end for n in named)
    ]
    found = []
    for group in _groups(values, text):
        if place := _with_unit(group, text):
            found.append((group, *place))
    for group, first, last, value, unit in found:
        others = [(a, b) for _, a, b, _, _ in found if a != first]
        measures = measured(text, Span(first, last), others, words)
        best = max(group, key=lambda one: bool(one.unit))
        yield Counted(Span(start + first, start + last), value, unit, measures, best, sentence)


def _counts(value: Value, text: str) -> bool:
    """Whether a number says how much or how many."""
    before, after = text[max(0, value.start - 24) : value.start], text[value.end : value.end + 24]
    if value.unit in _NOT_FIGURES or _NUMBERED.search(before):
        return False
    if not any(map(str.isdigit, value.text)) and len(value.text.split()) == 1 and value.number >= 100:  # "per million"
        return False
    if value.unit == "x" and value.text[:1].isalpha() and " " not in value.text:  # "doubled", "twice"
        return False
    if _OLD.match(after) or _AGE.match(after) or _AGED.search(before):
        return False
    if not value.unit and value.text.isdigit() and len(value.text) == 4 and 1900 <= value.number <= 2100:
        return False
    if value.text[:1].isalpha() and after[:1] in ("-", "‐", "‑") and value.unit not in _TIMES:  # "four-time"
        return False
    return value.start > 0 or after[:1] not in tuple(".):")  # of a list


def _groups(values: list[Value], text: str) -> Iterator[list[Value]]:
    """Numbers that are one figure: "10-15 %", "3 of 100 cases", "from $4 million to $6 million"."""
    group: list[Value] = []
    for value in values:
        if group and (len(group) > 1 or not _JOINT.fullmatch(text[group[-1].end : value.start])):
            yield group
            group = []
        group.append(value)
    if group:
        yield group


def _with_unit(group: list[Value], text: str) -> tuple[int, int, str, str] | None:
    """Where the figure with its unit stands, its value and its unit; None for a number that counts nothing."""
    before = text[max(0, group[0].start - 2) : group[0].start]
    if _IDENTIFIER.match(text, group[-1].end) or (before[:1].isdigit() and before[1:] in tuple("-/:._+#@")):
        return None
    place = _with_noun(group, text)
    if place is None:
        return None
    end, value, unit = place
    each = _EACH.match(text, end)
    if each:
        end, unit = each.end(), f"{unit} {each.group().replace('-', ' ').strip()}".strip()
    return hedge_before(text, group[0]), end, value, unit


def _with_noun(group: list[Value], text: str) -> tuple[int, str, str] | None:
    """Where the unit ends, the value and the unit; None for a number that counts nothing."""
    last, end = group[-1], group[-1].end
    bare = text[group[0].start : end]
    if more := _OR_MORE.match(text, end):
        end = more.end()
    if any(_is_money(value) for value in group):
        sign = _MONEY.search(bare)
        coin = _COIN.search(bare)
        unit = (coin or sign).group() if coin or sign else ""  # type: ignore[union-attr]
        return end, _COIN.sub("", _MONEY.sub("", bare)).strip(" -"), unit.strip(" -")
    if any(value.unit == "%" for value in group):
        unit = _PERCENT.search(bare)
        if unit is None and not _SHARE.match(text, end):  # "half-time", "the first half"
            return None
        return end, _PERCENT.sub("", bare).strip(" -"), unit.group().strip(" -") if unit else ""
    if group[0].unit == "x" and last is not group[0]:  # "96 times out of 100"
        return end, bare, ""
    if last.unit == "x":
        number = re.sub(r"[-\s]?(?:x|×|fold|times)\Z", "", bare, flags=re.IGNORECASE)
        return end, number, bare[len(number) :].strip(" -")
    if match := _ATTACHED.match(text, end):
        return match.end(), bare, match.group().strip(" -")
    if text[end : end + 1].isalpha():  # "3D", "5G"
        return None
    if unit_end := _unit_end(text, end):
        unit = text[end:unit_end].strip(" -‐‑")
        if last.text[-1:] in "BMK" and unit.casefold() in _SIZED:
            return None
        if last.number < 2 and last.digits < 3 and not last.text[:1].isdigit():  # "one of the reasons"
            return None
        return unit_end, bare, unit
    if last.number >= 10 and last.text[:1].isdigit() and _OF_SOME.match(text, end):
        return end, bare, ""
    if abs(last.number) > _MOST_BARE and last.text[-1:] not in "BMKbmk":  # "Llama 70B" is a name
        return end, bare, ""
    return None


def _unit_end(text: str, end: int) -> int | None:
    """Where the noun that is counted ends: the first plural among the next words, or what is tied on ("9-watt")."""
    at, count = end, 0
    while count < _MOST_UNIT and (match := _WORD.match(text, at)):
        word = match[1]
        if text[match.start()] != " ":
            return match.end()
        if normal(word) in FUNCTION_WORDS or word.endswith(("'s", "’s", "ly", "ed")):
            return None
        at, count = match.end(), count + 1
        low = word.casefold()
        if low in _IRREGULAR or (low[-1:] == "s" and low[-2:] not in ("ss", "us", "is") and low not in _NOT_PLURAL):
            return at
    return None
