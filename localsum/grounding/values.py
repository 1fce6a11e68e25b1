"""Numbers of a text as values: "30 billion", "$30bn" and "30,000,000,000" are one. Knows nothing of documents or verdicts.

Numbers that belong to a name ("GPT-4.5", "H100", "Gemma 4") are the business of `names`. What is ambiguous has several
readings: "5m" may be five metres or five million. All patterns are linear.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from math import isclose

Date = tuple[int | None, int | None, int | None]  # year, month, day


@dataclass(frozen=True, slots=True)
class Value:
    """A number as a text states it: `text[start:end]` means `number` of `unit`.

    `unit` is "%", a currency sign, "x" (times), "th" (ordinal), "s" (decade), ":" (ratio), "clock" (minutes of the day), "~" (vague:
    "millions"), "date", a unit of time ("year") or "" for a bare number; "half" is 50 %. `digits` counts the significant ones.
    `bound` is 1 after "at least", -1 after "at most"; `hedged` after "about".
    """

    start: int
    end: int
    text: str
    number: float
    unit: str = ""
    digits: int = 1
    bound: int = 0
    hedged: bool = False
    date: Date | None = None


def _count(words: str, values: Iterator[float] | range) -> dict[str, float]:
    return {word: float(value) for word, value in zip(words.split(), values, strict=True)}


_SMALL = _count(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen",
    range(20),
) | _count("twenty thirty forty fifty sixty seventy eighty ninety", range(20, 100, 10))
_SCALES = {"dozen": 12.0, "hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
_SHORT = {"k": 1e3, "m": 1e6, "mn": 1e6, "b": 1e9, "bn": 1e9, "t": 1e12, "tn": 1e12, "trn": 1e12}
_ORDINALS = _count("first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth", range(1, 13))
_PARTS = {"half": 50.0, "halves": 50.0, "third": 100 / 3, "quarter": 25.0, "fifth": 20.0, "tenth": 10.0}
_TIMES = {"double": 2.0, "doubl": 2.0, "twice": 2.0, "triple": 3.0, "tripl": 3.0, "quadrupl": 4.0} | {
    word + "fold": number for word, number in _SMALL.items()
}
_MONTHS = _count("jan feb mar apr may jun jul aug sep oct nov dec", range(1, 13))
# The longest unit of each kind of time in terms of the shorter; months and seconds are kept apart, their ratio varies.
_SECONDS = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0, "week": 604800.0}
_MONTHLY = {"month": 1.0, "quarter": 3.0, "year": 12.0, "decade": 120.0, "century": 1200.0}

_MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_DAY = r"(?P<day>[0-3]?\d)(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>[12]\d{3})"
_DATES = [
    re.compile(r"(?<![\w-])(?P<year>[12]\d{3})-(?P<month>[01]\d)-(?P<day>[0-3]\d)(?!\d)"),
    re.compile(rf"\b{_MONTH}\s{{1,2}}{_DAY}\b(?!\s?%|[.,:]\d)(?:,?\s{{1,2}}{_YEAR}\b(?!,\d))?", re.IGNORECASE),
    re.compile(rf"(?<![\w.,])(?:the\s)?{_DAY}(?:\sof)?\s{{1,2}}{_MONTH}(?:,?\s{{1,2}}{_YEAR}\b)?", re.IGNORECASE),
    re.compile(rf"\b{_MONTH}(?:,|\sof)?\s{{1,2}}{_YEAR}\b", re.IGNORECASE),
]
_CLOCK = re.compile(
    r"(?<![\w.,])(\d{1,2})(?:[:.]([0-5]\d))?\s?([ap])\.?m\b|(?<![\w.,:])([01]?\d|2[0-3]):([0-5]\d)(?![\w:])", re.I
)
_RATIO = re.compile(r"(?<![\w.,:])(\d{1,6})(?::|[-\s]to[-\s](?=1\b))(\d{1,6})(?![\w:])")
_DIGITS = re.compile(
    r"""(?<![\w.])(?P<money>(?:US|AU|CA|HK|NZ|A|C|S)?\$\s?|[€£¥₹₩]\s?|(?:USD|EUR|GBP|JPY|CNY|INR)\s)?
    (?<![\d.])(?P<number>\d{1,3}(?:,\d{3})++(?!\d)(?:\.\d++)?+|\d++(?:\.\d++)?+)
    (?:(?P<decade>s)\b|(?P<ordinal>st|nd|rd|th)\b)?
    (?P<plus>\+)?
    (?:[-\s]?(?P<scale>dozen|hundred|thousand|million|billion|trillion|mn|bn|tn|trn)s?\b|(?P<short>[kmbt])\b)?
    (?:[-\s]?(?P<percent>%|percent(?:age\spoints?)?\b|per\scent\b|pct\b)
      |(?P<times>\s?[x×](?!\w)|-?fold\b|\stimes\b)
      |[-\s](?P<coin>(?:US\s)?dollars?|euros?|pounds?\ssterling|yen|yuan)\b)?""",
    re.IGNORECASE | re.VERBOSE,
)
_NUMBER_WORD = "|".join([*_SMALL, *_SCALES])
_SPELLED = re.compile(
    rf"""(?<![\w-])(?:(?:(?:an?|half\sa)\s(?=(?:dozen|hundred|[mbtr]+illion|thousand)\b))?
    (?P<spelled>(?:{_NUMBER_WORD})\b(?:[-\s](?:{_NUMBER_WORD})\b|(?<=dred|sand|lion)\sand\s(?:{_NUMBER_WORD})\b)*+)
    (?:[-\s](?P<percent>percent(?:age\spoints?)?|per\scent|%)|(?P<times>\stimes\b)|\s(?P<coin>dollars?|euros?|yen|yuan))?
    |(?P<ordinal>{"|".join(_ORDINALS)})\b(?![-\s]hand|\sof\sall)
    |(?P<vague>dozens|hundreds|thousands|millions|billions|trillions)\b
    |(?P<factor>(?:doubl|tripl|quadrupl)(?:e[sd]?|ing)|twice|(?:{_NUMBER_WORD})fold)\b)""",
    re.IGNORECASE | re.VERBOSE,
)
_PART = re.compile(
    r"(?<![\w-])(?:(?P<count>an?|one|two|three|four)[-\s])?(?P<part>half|third|quarter|fifth|tenth)s?\b(?=(?P<of>\sof\b)?)",
    re.I,
)
_LOWER = (
    r"at\sleast|more\sthan|over|above|exceed\w{0,4}|no\s(?:less|fewer)\sthan|minimum(?:\sof)?|upwards\sof|greater\sthan"
)
_UPPER = r"at\smost|up\sto|less\sthan|fewer\sthan|under|below|no\smore\sthan|maximum(?:\sof)?|nearly|almost|as\smany\sas|as\smuch\sas"
_BOUND = re.compile(
    rf"(?:(?P<not>not\s|no\s)?(?:\b(?P<lower>{_LOWER})|\b(?P<upper>{_UPPER})|(?P<about>\b(?:about|around|roughly|approximately|some|circa"
    r"|estimated|close\sto|approaching|near)|[~≈]))\s?(?:an?\s|the\s|US)?\s?)\Z",
    re.IGNORECASE,
)
_BOUND_AFTER = re.compile(r"\s(?:or|and)\s(?:(more|above|over|higher)|(fewer|less|below|under))\b", re.IGNORECASE)
_TIME_AFTER = re.compile(
    r"[-\s](second|minute|hour|day|week|month|quarter|year|decade|centur(?:y|ie))s?\b", re.IGNORECASE
)
_LOOK = 34  # characters looked back for "no more than"
_MOST_DIGITS = 30  # longer runs of digits are identifiers, not quantities


def numbers_in(text: str) -> list[Value]:
    """The values of `text` in order of place. Digits within words ("H100", "GPT-4") are none; the 4 of "Gemma 4" is one here."""
    found: list[Value] = []
    rest = text
    for scan in _SCANS:
        new = list(scan(rest))
        if new:
            found += new
            rest = _blank(rest, new)
    found.sort(key=lambda value: value.start)
    return _spread(text, [_context(text, value) for value in found])


def _blank(text: str, values: list[Value]) -> str:
    pieces, at = [], 0
    for value in values:
        pieces += [text[at : value.start], "\0" * (value.end - value.start)]
        at = value.end
    return "".join([*pieces, text[at:]])


def _dates(pattern: re.Pattern[str], text: str) -> Iterator[Value]:
    for match in pattern.finditer(text):
        parts = match.groupdict()
        name = parts["month"]
        month = int(name) if name.isdigit() else int(_MONTHS[name[:3].casefold()])
        year, day = (int(parts[key]) if parts.get(key) else None for key in ("year", "day"))
        if not 1 <= month <= 12 or (day is not None and not 1 <= day <= 31):
            continue
        if name in ("may", "march", "mar") and not (day and year):  # in lower case more often verbs
            continue
        yield Value(*match.span(), match.group(), float(year or 0), "date", date=(year, month, day))


def _clocks(text: str) -> Iterator[Value]:
    for match in _CLOCK.finditer(text):
        hour, minute, half, hour24, minute24 = match.groups()
        if half:
            hour24 = int(hour) % 12 + (12 if half in "pP" else 0)
        minutes = int(hour24) * 60 + int(minute24 or minute or 0)
        yield Value(*match.span(), match.group(), float(minutes), "clock", digits=4)


def _ratios(text: str) -> Iterator[Value]:
    for match in _RATIO.finditer(text):
        left, right = (float(part) for part in match.groups())
        if right:
            yield Value(*match.span(), match.group(), left / right, ":", digits=6)


def _digits(text: str) -> Iterator[Value]:
    for match in _DIGITS.finditer(text):
        parts = match.groupdict()
        literal = parts["number"].replace(",", "")
        if len(literal) > _MOST_DIGITS or _in_name(text, match.start()):
            continue
        number = float(literal)
        short = parts["short"] or ""
        # "5m" is five million after a currency sign only; "7B", "20k" and "3T" are always scaled.
        if short and (short not in "mbt" or parts["money"]):
            number *= _SHORT[short.casefold()]
        elif parts["scale"]:
            number *= _SCALES.get(parts["scale"].casefold(), 0) or _SHORT[parts["scale"].casefold()]
        unit = _unit(parts)
        if parts["ordinal"]:
            unit = "th"
        elif parts["decade"]:
            unit = "s"
            number += 1900 if number < 100 else 0
        significant = len(literal.replace(".", "").strip("0")) or 1
        yield Value(*match.span(), match.group(), number, unit, significant, bound=1 if parts["plus"] else 0)


def _in_name(text: str, start: int) -> bool:
    """Whether the digits at `start` follow a hyphen and a capitalised word: "GPT-4" but not "mid-20s" or "10-15"."""
    head = _HEAD.search(text[max(0, start - _LOOK) : start])
    return head is not None and any(c.isupper() for c in head[1]) and head[1].casefold() not in _LOOSE


_HEAD = re.compile(r"([^\W_]*[^\W\d_])[-‐‑]\Z")
_LOOSE = frozenset("mid pre post top sub non under over late early".split())


def _unit(parts: dict[str, str | None]) -> str:
    if parts["percent"]:
        return "%"
    if parts["times"]:
        return "x"
    money = (parts.get("money") or parts["coin"] or "").strip().casefold()
    for sign, names in _COINS.items():
        if money and (sign in money or any(name in money for name in names)):
            return sign
    return ""


_COINS = {
    "$": ("usd", "dollar"),
    "€": ("eur",),
    "£": ("gbp", "sterling"),
    "¥": ("jpy", "cny", "yen", "yuan"),
    "₹": ("inr",),
    "₩": ("krw",),
}


def _parts(text: str) -> Iterator[Value]:
    for match in _PART.finditer(text):
        count, part = (match["count"] or "").casefold(), match["part"].casefold()
        # "third" and "quarter" alone are ordinals and seasons; "the second half" is no share either.
        if part != "half" and (not count or (count in ("a", "an") and match["of"] is None)):
            continue
        if part == "half" and re.search(
            r"\b(?:first|second|other|latter|later|better)\s\Z", text[max(0, match.start() - 8) : match.start()]
        ):
            continue
        times = _SMALL.get(count, 1.0)
        yield Value(*match.span(), match.group(), _PARTS[part] * times, "%", digits=2, hedged=True)


def _spelled(text: str) -> Iterator[Value]:
    for match in _SPELLED.finditer(text):
        raw = match.group().casefold()
        if match["spelled"]:
            number = _read(re.split(r"[-\s]+", match["spelled"].casefold())) / (2 if raw.startswith("half a") else 1)
            yield Value(*match.span(), match.group(), number, _unit(match.groupdict()), digits=2)
        elif match["ordinal"]:
            yield Value(*match.span(), match.group(), _ORDINALS[raw], "th")
        elif match["vague"]:
            yield Value(*match.span(), match.group(), _SCALES[raw[:-1]], "~")
        else:
            key = next(key for key in sorted(_TIMES, key=len, reverse=True) if raw.startswith(key))
            yield Value(*match.span(), match.group(), _TIMES[key], "x")


def _read(words: list[str]) -> float:
    """The number spelled: "two hundred and five thousand" is 205,000."""
    total = group = 0.0
    for word in words:
        if word == "and":
            continue
        if word in _SMALL:
            group += _SMALL[word]
        elif word == "hundred":
            group = (group or 1) * 100
        else:
            total += (group or 1) * _SCALES[word]
            group = 0.0
    return total + group


def _context(text: str, value: Value) -> Value:
    """`value` with the bound or hedge before it and the unit of time after it."""
    before = _BOUND.search(text[max(0, value.start - _LOOK) : value.start])
    after = _BOUND_AFTER.match(text, value.end)
    bound, hedged = value.bound, value.hedged
    if before and before["about"]:
        hedged = True
    elif before:
        bound = (1 if before["lower"] else -1) * (-1 if before["not"] else 1)
    elif after:
        bound = 1 if after[1] else -1
    unit = value.unit
    time = _TIME_AFTER.match(text, value.end) if not unit else None
    if time:
        unit = "century" if time[1][0] in "cC" else time[1].casefold()
    return replace(value, bound=bound, hedged=hedged, unit=unit)


_BETWEEN = re.compile(r"\s?(?:[-–—]|to|and|or)\s?")


_SCALED = re.compile(r"(thousand|million|billion|trillion)", re.IGNORECASE)


def _spread(text: str, values: list[Value]) -> list[Value]:
    """Give the first number of a range what the last one says: "10-15 %" is 10 % and 15 %."""
    for i in range(len(values) - 1):
        left, right = values[i], values[i + 1]
        scale = _SCALED.search(right.text)
        if scale and left.number < 1000 and right.start - left.end <= 5 and not _SCALED.search(left.text):
            if _BETWEEN.fullmatch(text, left.end, right.start):
                left = replace(left, number=left.number * _SCALES[scale[1].casefold()])
                values[i] = left
        if left.unit or not right.unit or right.unit in ("date", "th", ":", "clock", "~", "s"):
            continue
        if right.start - left.end <= 5 and _BETWEEN.fullmatch(text, left.end, right.start):
            values[i] = replace(left, unit=right.unit)
    return values


def readings(value: Value) -> list[Value]:
    """All that `value` may mean, itself first: other units of time, "5m" as five million, the year and the day of a date."""
    out = [value]
    for table in (_SECONDS, _MONTHLY):
        if value.unit in table:
            base = value.number * table[value.unit]
            out += [replace(value, number=base / size, unit=unit) for unit, size in table.items() if unit != value.unit]
    if not value.unit and value.text[-1:] in "mbt":
        out.append(replace(value, number=value.number * _SHORT[value.text[-1]]))
    if value.date and value.date[0]:
        out.append(replace(value, number=float(value.date[0]), unit="", date=None))
    if value.date and value.date[2]:
        out.append(replace(value, number=float(value.date[2]), unit="", date=None))
    return out


def same(stated: Value, known: Value) -> bool:
    """Whether a source that says `known` supports a text that says `stated`, alike or rounded."""
    if stated.date and known.date:
        return all(a is None or b is None or a == b for a, b in zip(stated.date, known.date, strict=True)) and not (
            stated.date[2] and not known.date[2]
        )
    if stated.unit != known.unit and stated.unit and known.unit:
        return False
    if stated.date or known.date:
        return False
    if isclose(stated.number, known.number, rel_tol=1e-9):
        return True
    if stated.unit == "~":
        return False
    return _rounded(stated, known)


def _rounded(stated: Value, known: Value) -> bool:
    """Rounding counts to the digits given and by 1 % at most; by 5 % after "about", by 10 % on the right side of "over"."""
    if not stated.number or not known.number:
        return False
    plain = (
        stated.unit in ("", "th", "s", "clock") and stated.number < 10_000 and not stated.hedged and not stated.bound
    )
    if plain or stated.unit in ("th", "s", "clock", ":"):
        return False
    off = known.number / stated.number - 1
    if stated.hedged:
        return abs(off) <= 0.05
    if stated.bound:
        return 0 <= off * stated.bound <= 0.1
    return abs(off) <= 0.01 and isclose(float(f"{known.number:.{stated.digits - 1}e}"), stated.number, rel_tol=1e-9)


_SCANS = (*(partial(_dates, pattern) for pattern in _DATES), _clocks, _ratios, _digits, _parts, _spelled)
