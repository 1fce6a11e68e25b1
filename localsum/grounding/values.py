"""Numbers of a text as values: "30 billion", "$30bn" and "30,000,000,000" are one. Knows no documents or verdicts.

Numbers that belong to a name ("GPT-4.5", "H100", "Gemma 4") are the business of `names`. What is ambiguous has several
readings: "5m" may be five metres or five million. All patterns are linear.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import isclose

from localsum.grounding.words import listed

Date = tuple[int | None, int | None, int | None]  # year, month, day


@dataclass(frozen=True, slots=True)
class Value:
    """A number as a text states it: `text[start:end]` means `number` of `unit`.

    `unit` is "%", a currency sign, "x" (times), "th" (ordinal), "s" (decade), ":" (ratio), "clock" (minutes of the
    day), "~" (vague: "millions"), "date", a unit of time ("year") or "" for a bare number; "half" is 50 %. `digits`
    counts the significant ones. `bound` is 1 after "at least", -1 after "at most"; `hedged` is true after "about".
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


def _count(words: str, values: Iterable[float]) -> dict[str, float]:
    return {word: float(value) for word, value in zip(words.split(), values, strict=True)}


_SMALL = _count(
    """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety""",
    (*range(20), *range(20, 100, 10)),
)
_SCALES = _count("dozen hundred thousand million billion trillion", (12, 1e2, 1e3, 1e6, 1e9, 1e12))
_SHORT = _count("k m mn b bn t tn trn", (1e3, 1e6, 1e6, 1e9, 1e9, 1e12, 1e12, 1e12))
_ORDINALS = _count("first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth", range(1, 13))
_PARTS = _count("half third quarter fifth tenth", (50, 100 / 3, 25, 20, 10))
_FACTORS = _count("doubl twice tripl quadrupl", (2, 2, 3, 4)) | {word + "fold": _SMALL[word] for word in _SMALL}
_MONTHS = _count("jan feb mar apr may jun jul aug sep oct nov dec", range(1, 13))
# Months and seconds are kept apart: how they relate varies.
_DURATIONS = (
    _count("second minute hour day week", (1, 60, 3600, 86400, 604800)),
    _count("month quarter year decade century", (1, 3, 12, 120, 1200)),
)
_COINS = {"$": "usd dollar", "€": "eur", "£": "gbp sterling", "¥": "jpy cny yen yuan", "₹": "inr", "₩": "krw"}

_MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_DAY = r"(?P<day>[0-3]?\d)(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>[12]\d{3})"
_DATES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?<![\w-]){_YEAR}-(?P<month>[01]\d)-(?P<day>[0-3]\d)(?!\d)",
        rf"\b{_MONTH}\s{{1,2}}{_DAY}\b(?!\s?%|[.,:]\d)(?:,?\s{{1,2}}{_YEAR}\b(?!,\d))?",
        rf"(?<![\w.,])(?:the\s)?{_DAY}(?:\sof)?\s{{1,2}}{_MONTH}(?:,?\s{{1,2}}{_YEAR}\b)?",
        rf"\b{_MONTH}(?:,|\sof)?\s{{1,2}}{_YEAR}\b",
    )
)
_CLOCK = re.compile(
    r"(?<![\w.,])(\d{1,2})(?:[:.]([0-5]\d))?\s?([ap])\.?m\b|(?<![\w.,:])([01]?\d|2[0-3]):([0-5]\d)(?![\w:])",
    re.IGNORECASE,
)
_NUMBER_WORD = "|".join([*_SMALL, *_SCALES])
_RATIO = re.compile(
    rf"(?<![\w.,:-])(\d{{1,6}}|{'|'.join(_SMALL)})(?::(?=\d)|[-\s]to[-\s](?=1\b|one\b))(\d{{1,6}}|one)(?![\w:])",
    re.IGNORECASE,
)
_DIGITS = re.compile(
    r"""(?<![\w.])(?P<money>(?:US|AU|CA|HK|NZ|A|C|S)?\$\s?|[€£¥₹₩]\s?|(?:USD|EUR|GBP|JPY|CNY|INR)\s)?
    (?<![\d.])(?P<number>\d{1,3}(?:,\d{3})++(?!\d)(?:\.\d++)?+|\d++(?:\.\d++)?+)(?!\.\d)
    (?:(?P<decade>s)\b|(?P<ordinal>st|nd|rd|th)\b|/(?P<below>[1-9]\d?)(?![\d/]))?
    (?P<plus>\+)?
    (?:[-\s]?(?P<scale>dozen|hundred|thousand|million|billion|trillion|mn|bn|tn|trn)s?\b|(?P<short>[kmbt])\b)?
    (?:[-\s]?(?P<percent>%|percent(?:age\spoints?)?\b|per\scent\b|pct\b)
      |(?P<times>\s?[x×](?!\w)|-?fold\b|\stimes\b)
      |[-\s](?P<coin>(?:US\s)?dollars?|euros?|pounds?\ssterling|yen|yuan)\b)?""",
    re.IGNORECASE | re.VERBOSE,
)
_SPELLED = re.compile(
    rf"""(?<![\w-])(?:(?P<head>(?:an?|half\sa)\s(?=(?:dozen|hundred|[mbtr]+illion|thousand)\b))?
    (?P<spelled>(?:{_NUMBER_WORD})\b(?:[-\s](?:{_NUMBER_WORD})\b|(?<=dred|sand|lion)\sand\s(?:{_NUMBER_WORD})\b)*+)
    (?:[-\s](?P<percent>percent(?:age\spoints?)?|per\scent|%)|(?P<times>\stimes\b)|\s(?P<coin>dollars?|euros?|yen|yuan)\b)?
    |(?P<ordinal>{"|".join(_ORDINALS)})\b(?![-\s]hand|\sof\sall)
    |(?P<vague>dozen|hundred|thousand|million|billion|trillion)s\b
    |(?:(?P<factor>doubl|tripl|quadrupl)(?:e[sd]?|ing)|(?P<word>twice|(?:{_NUMBER_WORD})fold))\b)""",
    re.IGNORECASE | re.VERBOSE,
)
_PART = re.compile(
    r"(?<![\w-])(?:(?P<count>an?|one|two|three|four)[-\s])?(?P<part>half|third|quarter|fifth|tenth)s?\b"
    r"(?!\sa\s(?:dozen|hundred|thousand|[mbtr]+illion))(?P<of>(?=\sof\b))?",
    re.IGNORECASE,
)
_ORDINAL_BEFORE = re.compile(r"\b(?:first|second|other|latter|later|better)\s\Z", re.IGNORECASE)
_LIMIT = re.compile(
    r"""(?:(?P<not>not\s)?\b(?:
     (?P<lower>at\sleast|more\sthan|over|above|exceed\w{0,4}|no\s(?:less|fewer)\sthan|minimum(?:\sof)?|upwards\sof|greater\sthan)
    |(?P<upper>at\smost|up\sto|less\sthan|fewer\sthan|under|below|no\smore\sthan|maximum(?:\sof)?|as\s(?:many|much)\sas)
    |about|around|roughly|approximately|some|circa|estimated|close\sto|approaching|nearly|almost)|[~≈])
    \s?(?:an?\s|the\s|US)?\s?\Z""",
    re.IGNORECASE | re.VERBOSE,
)
_LIMIT_AFTER = re.compile(r"\s(?:or|and)\s(?:(more|above|over|higher)|fewer|less|below|under)\b", re.IGNORECASE)
_TIME_AFTER = re.compile(
    r"[-\s](second|minute|hour|day|week|month|quarter|year|decade|centur(?:y|ie))s?\b", re.IGNORECASE
)
_HEAD = re.compile(r"([^\W_]*[^\W\d_])[-‐‑]\Z")
_LOOSE_HEADS = listed("mid pre post top sub non under over late early")
_BETWEEN = re.compile(r"\s?(?:[-–—]|to|and|or)\s?")
_SCALED = re.compile(r"(thousand|million|billion|trillion)", re.IGNORECASE)
_LOOK = 34  # characters looked back for "no more than"
_MOST_DIGITS = 30  # longer runs of digits are identifiers, not quantities


def numbers_in(text: str) -> list[Value]:
    """The values of `text` in order of place. Digits within words ("H100", "GPT-4") are none; "4" in "Gemma 4" is."""
    found: list[Value] = []
    rest = text
    for scan in (_dates, _clocks, _ratios, _digits, _parts, _spelled):
        new = scan(rest)
        found += new
        rest = _blank(rest, new)
    found.sort(key=lambda value: value.start)
    return _spread(text, [_context(text, value) for value in found])


def _blank(text: str, values: list[Value]) -> str:
    """`text` with what has been read made unreadable."""
    pieces, at = [], 0
    for value in values:
        pieces += [text[at : value.start], "\0" * (value.end - value.start)]
        at = value.end
    return "".join([*pieces, text[at:]]) if values else text


def _dates(text: str) -> list[Value]:
    out: list[Value] = []
    for pattern in _DATES:
        new = [value for match in pattern.finditer(text) if (value := _date(match))]
        out += new
        text = _blank(text, new)
    return sorted(out, key=lambda value: value.start)


def _date(match: re.Match[str]) -> Value | None:
    parts = match.groupdict()
    name = parts["month"]
    month = int(name if name.isdigit() else _MONTHS[name[:3].casefold()])
    year, day = (int(parts[key]) if parts.get(key) else None for key in ("year", "day"))
    if not 1 <= month <= 12 or (day is not None and not 1 <= day <= 31):
        return None
    if name in ("may", "march", "mar") and not (day and year):  # in lower case more often verbs
        return None
    return Value(*match.span(), match.group(), float(year or 0), "date", date=(year, month, day))


def _clocks(text: str) -> list[Value]:
    out = []
    for match in _CLOCK.finditer(text):
        hour, minute, half, hour24, minute24 = match.groups()
        hours = int(hour) % 12 + 12 * (half in "pP") if half else int(hour24)
        out.append(Value(*match.span(), match.group(), hours * 60.0 + int(minute or minute24 or 0), "clock", 4))
    return out


def _ratios(text: str) -> list[Value]:
    out = []
    for match in _RATIO.finditer(text):
        left, right = (_SMALL[part.casefold()] if part.isalpha() else float(part) for part in match.groups())
        if right:
            out.append(Value(*match.span(), match.group(), left / right, ":", digits=6))
    return out


def _digits(text: str) -> list[Value]:
    out = []
    for match in _DIGITS.finditer(text):
        parts = match.groupdict()
        literal = parts["number"].replace(",", "")
        if len(literal) > _MOST_DIGITS or _in_name(text, match.start()):
            continue
        number, unit = float(literal), _unit(parts)
        short = parts["short"] or ""
        if short and (short not in "mbt" or parts["money"]):  # "5m" is five million after a currency sign only
            number *= _SHORT[short.casefold()]
        elif parts["scale"]:
            number *= (_SCALES | _SHORT)[parts["scale"].casefold()]
        elif parts["below"]:
            number, unit = 100 * number / int(parts["below"]), "%"
        elif parts["ordinal"]:
            unit = "th"
        elif parts["decade"]:
            number, unit = number + 1900 * (number < 100), "s"
        digits = 3 if parts["below"] else len(literal.replace(".", "").strip("0")) or 1
        out.append(Value(*match.span(), match.group(), number, unit, digits, bound=1 if parts["plus"] else 0))
    return out


def _in_name(text: str, start: int) -> bool:
    """Whether the digits at `start` follow a hyphen and a capitalised word: "GPT-4", but not "mid-20s" or "10-15"."""
    head = _HEAD.search(text[max(0, start - _LOOK) : start])
    return head is not None and any(c.isupper() for c in head[1]) and head[1].casefold() not in _LOOSE_HEADS


def _unit(parts: dict[str, str | None]) -> str:
    if parts["percent"]:
        return "%"
    if parts["times"]:
        return "x"
    money = (parts.get("money") or parts["coin"] or "").casefold()
    signs = (sign for sign, names in _COINS.items() if sign in money or any(name in money for name in names.split()))
    return next(signs, "") if money else ""


def _parts(text: str) -> list[Value]:
    out = []
    for match in _PART.finditer(text):
        count, part = (match["count"] or "").casefold(), match["part"].casefold()
        # "third" and "quarter" alone are ordinals and seasons; "the second half" is no share either.
        if part != "half" and (not count or (count in ("a", "an") and match["of"] is None)):
            continue
        if part == "half" and _ORDINAL_BEFORE.search(text[max(0, match.start() - 8) : match.start()]):
            continue
        number = _PARTS[part] * _SMALL.get(count, 1.0)
        out.append(Value(*match.span(), match.group(), number, "%", digits=2, hedged=True))
    return out


def _spelled(text: str) -> list[Value]:
    out = []
    for match in _SPELLED.finditer(text):
        place = (*match.span(), match.group())
        if match["spelled"]:
            number = _read(re.split(r"[-\s]+", match["spelled"].casefold()))
            halved = (match["head"] or "").casefold().startswith("half")
            out.append(Value(*place, number / 2 if halved else number, _unit(match.groupdict()), digits=2))
        elif match["ordinal"]:
            out.append(Value(*place, _ORDINALS[match["ordinal"].casefold()], "th"))
        elif match["vague"]:
            out.append(Value(*place, _SCALES[match["vague"].casefold()], "~"))
        else:
            factor = (match["factor"] or match["word"]).casefold()
            out.append(Value(*place, _FACTORS.get(factor) or _SCALES[factor.removesuffix("fold")], "x"))
    return out


def _read(words: list[str]) -> float:
    """The number spelled: "two hundred and five thousand" is 205,000."""
    total = group = 0.0
    for word in words:
        if word in _SMALL:
            group += _SMALL[word]
        elif word == "hundred":
            group = (group or 1) * 100
        elif word != "and":
            total += (group or 1) * _SCALES[word]
            group = 0.0
    return total + group


def _context(text: str, value: Value) -> Value:
    """`value` with the limit or hedge around it and the unit of time after it."""
    before = _LIMIT.search(text[max(0, value.start - _LOOK) : value.start])
    after = _LIMIT_AFTER.match(text, value.end)
    time = None if value.unit else _TIME_AFTER.match(text, value.end)
    if not (before or after or time):
        return value
    bound, hedged, unit = value.bound, value.hedged, value.unit
    if before and (before["lower"] or before["upper"]):
        bound = (1 if before["lower"] else -1) * (-1 if before["not"] else 1)
    elif after:
        bound = 1 if after[1] else -1
    elif before:
        hedged = True
    if time:
        unit = "century" if time[1][0] in "cC" else time[1].casefold()
    return replace(value, bound=bound, hedged=hedged, unit=unit)


def hedge_before(text: str, value: Value) -> int:
    """Where "more than" or "about" before a value begins; the value's own start if there is none."""
    look = max(0, value.start - _LOOK)
    before = _LIMIT.search(text[look : value.start])
    return look + before.start() if before else value.start


def _spread(text: str, values: list[Value]) -> list[Value]:
    """Give the first number of a range what the last one says: "10-15 %" is 10 % and 15 %."""
    for i in range(len(values) - 1):
        left, right = values[i], values[i + 1]
        if right.start - left.end > 5 or not _BETWEEN.fullmatch(text, left.end, right.start):
            continue
        scale = _SCALED.search(right.text)
        if scale and left.number < 1000 and not _SCALED.search(left.text):
            left = replace(left, number=left.number * _SCALES[scale[1].casefold()])
        if not left.unit and right.unit not in ("date", "th", ":", "clock", "~", "s"):
            left = replace(left, unit=right.unit)
        values[i] = left
    return values


def readings(value: Value) -> list[Value]:
    """All that `value` may mean, itself first: in other units of time, "5m" as five million, year and day of a date."""
    out = [value]
    for table in _DURATIONS:
        if value.unit in table:
            base = value.number * table[value.unit]
            out += [replace(value, number=base / size, unit=unit) for unit, size in table.items() if unit != value.unit]
    if not value.unit and value.text[-1:] in ("m", "b", "t"):
        out.append(replace(value, number=value.number * _SHORT[value.text[-1]]))
    year, _, day = value.date or (None, None, None)
    return out + [replace(value, number=float(part), unit="", date=None) for part in (year, day) if part]


def same(stated: Value, known: Value) -> bool:
    """Whether a source that says `known` supports a text that says `stated`, alike or rounded.

    A date may leave out what the other has, but for the day: "March 3" does not follow from "March".
    """
    if stated.date and known.date:
        parts = zip(stated.date, known.date, strict=True)
        return all(a == b or a is None or b is None for a, b in parts) and not (stated.date[2] and not known.date[2])
    if stated.date or known.date:
        return False
    if stated.unit == "~":
        return known.unit in ("", "~", *_COINS) and stated.number <= known.number < 1000 * stated.number
    if stated.unit != known.unit and stated.unit and known.unit:
        return False
    return isclose(stated.number, known.number, rel_tol=1e-9) or _rounded(stated, known)


def _rounded(stated: Value, known: Value) -> bool:
    """Rounding counts by 1 % and to the digits given; by 5 % after "about", by 10 % on the right side of "over".

    Years have to be equal, and so has any bare number below 10,000 that is not hedged.
    """
    if not stated.number or not known.number or stated.unit in ("th", "s", "clock", ":"):
        return False
    if not stated.unit and stated.digits >= 3 and 1500 <= stated.number <= 2100:
        return False
    off = known.number / stated.number - 1
    if stated.bound:
        return 0 <= off * stated.bound <= 0.1
    if stated.hedged:
        return abs(off) <= 0.05
    if not stated.unit and stated.number < 10_000:
        return False
    return abs(off) <= 0.01 and isclose(float(f"{known.number:.{stated.digits - 1}e}"), stated.number, rel_tol=1e-9)
