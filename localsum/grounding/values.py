"""Numbers of a text as values: "30 billion", "$30bn" and "30,000,000,000" are one. Knows nothing of documents or verdicts.

Model names with digits ("GPT-4.5", "H100", "Gemma 4") are names, not values. What is ambiguous has several readings:
"5m" may be five metres or five million. All patterns are linear.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from math import floor, log10

Date = tuple[int | None, int | None, int | None]  # year, month, day


@dataclass(frozen=True, slots=True)
class Value:
    """A number as a text states it: `text[start:end]` means `number` `unit`s.

    `unit` is "%", "$" and the like, "x" (times), "th" (ordinal), "s" (decade), ":" (ratio), "clock" (minutes of the day), a unit of time
    ("year"), "~" (vague: "millions"), "date", or "" for a bare number; "half" is 50 %.
    `bound` is +1 after "at least", -1 after "at most"; `digits` is how many significant digits are given.
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


_SMALL = dict(
    zip(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
        " seventeen eighteen nineteen".split(),
        range(20),
        strict=True,
    )
)
_TENS = dict(zip("twenty thirty forty fifty sixty seventy eighty ninety".split(), range(20, 100, 10), strict=True))
_SCALES = {"dozen": 12.0, "hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
_SHORT = {"k": 1e3, "m": 1e6, "mn": 1e6, "b": 1e9, "bn": 1e9, "t": 1e12, "tn": 1e12, "trn": 1e12}
_ORDINALS = dict(
    zip(
        "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split(), range(1, 13), strict=True
    )
)
_FRACTIONS = {"half": 50.0, "third": 100 / 3, "thirds": 100 / 3, "quarter": 25.0, "quarters": 25.0, "fifth": 20.0, "fifths": 20.0}
_TIMES = {"double": 2, "doubled": 2, "doubles": 2, "doubling": 2, "twice": 2, "twofold": 2, "triple": 3, "tripled": 3, "triples": 3,
          "tripling": 3, "threefold": 3, "quadruple": 4, "quadrupled": 4, "quadrupling": 4, "fourfold": 4, "fivefold": 5, "tenfold": 10}  # fmt: skip
_MONTHS = {name[:3]: i for i, name in enumerate("january february march april may june july august september october november december".split(), 1)}  # fmt: skip
_TIME = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0, "week": 604800.0}
_YEARLY = {"month": 1.0, "quarter": 3.0, "year": 12.0, "decade": 120.0, "century": 1200.0}

_MONTH = (
    r"(?:(?:jan|febr)(?:uary)?|feb|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\b"
)
_DIGITS = r"(?:\d{1,3}(?:,\d{3})++(?!\d)(?:\.\d++)?+|\d++(?:\.\d++)?+)"
_MONEY = r"(?:(?:US|AU|CA|HK|NZ|A|C|S)?\$|[€£¥₹₩]|(?:USD|EUR|GBP|JPY|CNY|INR)\s?)"
_WORD = "|".join([*_SMALL, *_TENS, *_SCALES])
_UNIT_AFTER = r"(?:seconds?|minutes?|hours?|days?|weeks?|months?|quarters?|years?|decades?|centur(?:y|ies))\b"
_VALUE = re.compile(
    rf"""(?<![\w])(?:
      (?P<iso>\d{{4}}-\d{{2}}-\d{{2}}\b)
    | (?P<mdy>(?P<mon1>{_MONTH})\.?\s{{1,2}}(?P<day1>\d{{1,2}})(?:st|nd|rd|th)?\b(?![.,]?\d|\s?%)(?:,?\s{{1,2}}(?P<year1>[12]\d{{3}})\b)?)
    | (?P<dmy>(?P<day2>\d{{1,2}})(?:st|nd|rd|th)?(?:\s+of)?\s{{1,2}}(?P<mon2>{_MONTH})(?:\.?,?\s{{1,2}}(?P<year2>[12]\d{{3}})\b)?)
    | (?P<my>(?P<mon3>{_MONTH})\.?,?\s{{1,2}}(?P<year3>[12]\d{{3}})\b)
    | (?P<clock>(?P<hour>\d{{1,2}})(?:[:.](?P<min>[0-5]\d))?\s?(?P<half>[ap])\.?m\b | (?P<hour2>[01]?\d|2[0-3]):(?P<min2>[0-5]\d)\b)
    | (?P<ratio>(?P<left>\d{{1,6}})(?::|\sto\s|-to-)(?P<right>\d{{1,6}})(?<=[:0-9].)(?<=\b1|:.|..))(?!)
    | (?P<decade>(?:1[5-9]|20)\d0s\b)
    | (?P<digits>(?P<money>{_MONEY})?(?P<number>{_DIGITS})(?!\.\d)
        (?P<plus>\+)?(?:[-\s]?(?P<scale>thousand|million|billion|trillion|mn|bn|tn|trn)s?\b | (?P<short>[kmbtKMBT])\b)?
        (?:(?P<percent>[-\s]?(?:%|percent\b|per\scent\b|pct\b|percentage\spoints?\b))
         | (?P<times>\s?[x×](?!\w)|[-\s]?fold\b|\stimes\b) | (?P<th>st|nd|rd|th)\b
         | (?P<coin>[-\s](?:US\s)?(?:dollars?|euros?|pounds?\ssterling|yen|yuan)\b))?+)
    )""",
    re.IGNORECASE | re.VERBOSE,
)
