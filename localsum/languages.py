"""Languages that a brief can be written in: their codes, English names, and the letters beyond the Latin ones.

A table and its look-up; knows nothing of models or templates. These are the languages that the models of the registry
are said to know; a code of BCP 47 may name a region or a script besides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from localsum.errors import UsageError


@dataclass(frozen=True, slots=True)
class Language:
    """`tag` as BCP 47 writes it ("de", "pt-BR"), `name` in English, `script` as the inside of a character class."""

    tag: str
    name: str
    script: str = ""  # letters that are not Latin

    @property
    def code(self) -> str:
        """The language alone: "pt" of "pt-BR"."""
        return self.tag.partition("-")[0]


_NAMES = {
    "af": "Afrikaans",
    "ar": "Arabic",
    "be": "Belarusian",
    "bg": "Bulgarian",
    "bn": "Bengali",
    "ca": "Catalan",
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "en-GB": "British English",
    "es": "Spanish",
    "et": "Estonian",
    "eu": "Basque",
    "fa": "Persian",
    "fi": "Finnish",
    "fil": "Filipino",
    "fr": "French",
    "ga": "Irish",
    "gl": "Galician",
    "he": "Hebrew",
    "hi": "Hindi",
    "hr": "Croatian",
    "hu": "Hungarian",
    "hy": "Armenian",
    "id": "Indonesian",
    "is": "Icelandic",
    "it": "Italian",
    "ja": "Japanese",
    "ka": "Georgian",
    "kk": "Kazakh",
    "ko": "Korean",
    "lt": "Lithuanian",
    "lv": "Latvian",
    "mk": "Macedonian",
    "mr": "Marathi",
    "ms": "Malay",
    "nb": "Norwegian",
    "ne": "Nepali",
    "nl": "Dutch",
    "pl": "Polish",
    "pt": "Portuguese",
    "pt-BR": "Brazilian Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "sk": "Slovak",
    "sl": "Slovenian",
    "sq": "Albanian",
    "sr": "Serbian",
    "sv": "Swedish",
    "sw": "Swahili",
    "ta": "Tamil",
    "te": "Telugu",
    "th": "Thai",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "ur": "Urdu",
    "vi": "Vietnamese",
    "zh": "Chinese",
    "zh-Hant": "Traditional Chinese",
}
_SCRIPTS = {
    r"\p{Cyrillic}": "be bg kk mk ru sr uk",
    r"\p{Arabic}": "ar fa ur",
    r"\p{Devanagari}": "hi mr ne",
    r"\p{Han}": "zh",
    r"\p{Han}\p{Hiragana}\p{Katakana}": "ja",
    r"\p{Han}\p{Hangul}": "ko",
    r"\p{Thai}": "th",
}
_TAG = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,8}){0,3}")


def find_language(said: str) -> Language:
    """The language of a BCP 47 code or an English name, in any case. Raises UsageError."""
    wanted = said.strip().casefold().replace("_", "-")
    for tag, name in _NAMES.items():
        if wanted in (tag.casefold(), name.casefold()):
            return _language(tag, name)
    code, *rest = wanted.split("-")
    if code in _NAMES and _TAG.fullmatch(wanted):
        return _language("-".join([code, *map(_cased, rest)]), _NAMES[code])
    raise UsageError(
        f"{said[:40]!r} is no language known here; known are {', '.join(_NAMES.values())}",
        "name one in English or by its code: localsum brief PATH --language de",
    )


def _language(tag: str, name: str) -> Language:
    code = tag.partition("-")[0]
    return Language(tag, name, next((script for script, codes in _SCRIPTS.items() if code in codes.split()), ""))


def _cased(part: str) -> str:
    """A part of a tag as it is written: a script Latn, a region AT."""
    return part.title() if len(part) == 4 and part.isalpha() else part.upper() if len(part) == 2 else part
