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
    """`tag` is as BCP 47 writes it ("de", "pt-BR"), `name` in English, `wish` asks a model for an answer in it.

    `script` are its letters as the inside of a character class, of the scripts that a model may slip into by mistake.
    """

    tag: str
    name: str
    wish: str
    script: str = ""

    @property
    def code(self) -> str:
        """The language alone: "pt" of "pt-BR"."""
        return self.tag.partition("-")[0]


# English name, and the wish for an answer in that language, in it where we can say so: small models follow that.
_KNOWN = {
    "af": ("Afrikaans", "Antwoord in Afrikaans."),
    "ar": ("Arabic", "أجب باللغة العربية."),
    "be": ("Belarusian", "Answer in Belarusian."),
    "bg": ("Bulgarian", "Отговори на български."),
    "bn": ("Bengali", "বাংলায় উত্তর দাও।"),
    "ca": ("Catalan", "Respon en català."),
    "cs": ("Czech", "Odpověz česky."),
    "da": ("Danish", "Svar på dansk."),
    "de": ("German", "Antworte auf Deutsch."),
    "el": ("Greek", "Απάντησε στα ελληνικά."),
    "en": ("English", "Answer in English."),
    "en-GB": ("British English", "Answer in British English."),
    "es": ("Spanish", "Responde en español."),
    "et": ("Estonian", "Vasta eesti keeles."),
    "eu": ("Basque", "Answer in Basque."),
    "fa": ("Persian", "به فارسی پاسخ بده."),
    "fi": ("Finnish", "Vastaa suomeksi."),
    "fil": ("Filipino", "Answer in Filipino."),
    "fr": ("French", "Réponds en français."),
    "ga": ("Irish", "Answer in Irish."),
    "gl": ("Galician", "Answer in Galician."),
    "he": ("Hebrew", "ענה בעברית."),
    "hi": ("Hindi", "हिंदी में उत्तर दें।"),
    "hr": ("Croatian", "Odgovori na hrvatskom."),
    "hu": ("Hungarian", "Válaszolj magyarul."),
    "hy": ("Armenian", "Answer in Armenian."),
    "id": ("Indonesian", "Jawab dalam bahasa Indonesia."),
    "is": ("Icelandic", "Answer in Icelandic."),
    "it": ("Italian", "Rispondi in italiano."),
    "ja": ("Japanese", "日本語で答えてください。"),
    "ka": ("Georgian", "Answer in Georgian."),
    "kk": ("Kazakh", "Answer in Kazakh."),
    "ko": ("Korean", "한국어로 답해 주세요."),
    "lt": ("Lithuanian", "Atsakyk lietuviškai."),
    "lv": ("Latvian", "Atbildi latviešu valodā."),
    "mk": ("Macedonian", "Answer in Macedonian."),
    "mr": ("Marathi", "Answer in Marathi."),
    "ms": ("Malay", "Jawab dalam bahasa Melayu."),
    "nb": ("Norwegian", "Svar på norsk."),
    "ne": ("Nepali", "Answer in Nepali."),
    "nl": ("Dutch", "Antwoord in het Nederlands."),
    "pl": ("Polish", "Odpowiedz po polsku."),
    "pt": ("Portuguese", "Responde em português."),
    "pt-BR": ("Brazilian Portuguese", "Responda em português do Brasil."),
    "ro": ("Romanian", "Răspunde în română."),
    "ru": ("Russian", "Отвечай на русском языке."),
    "sk": ("Slovak", "Odpovedz po slovensky."),
    "sl": ("Slovenian", "Odgovori v slovenščini."),
    "sq": ("Albanian", "Answer in Albanian."),
    "sr": ("Serbian", "Answer in Serbian."),
    "sv": ("Swedish", "Svara på svenska."),
    "sw": ("Swahili", "Answer in Swahili."),
    "ta": ("Tamil", "Answer in Tamil."),
    "te": ("Telugu", "Answer in Telugu."),
    "th": ("Thai", "ตอบเป็นภาษาไทย"),
    "tr": ("Turkish", "Türkçe yanıt ver."),
    "uk": ("Ukrainian", "Відповідай українською мовою."),
    "ur": ("Urdu", "Answer in Urdu."),
    "vi": ("Vietnamese", "Hãy trả lời bằng tiếng Việt."),
    "zh": ("Chinese", "请用中文回答。"),
    "zh-Hant": ("Traditional Chinese", "請用繁體中文回答。"),
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
    for tag, (name, _) in _KNOWN.items():
        if wanted in (tag.casefold(), name.casefold()):
            return _language(tag, tag)
    code, *rest = wanted.split("-")
    if code in _KNOWN and _TAG.fullmatch(wanted):
        is_traditional = code == "zh" and not {"hant", "tw", "hk", "mo"}.isdisjoint(rest)
        return _language("-".join([code, *map(_cased, rest)]), "zh-Hant" if is_traditional else code)
    raise UsageError(
        f"{said[:40]!r} is no language known here; known are {', '.join(name for name, _ in _KNOWN.values())}",
        "name one in English or by its code: localsum brief PATH --language de",
    )


def _language(tag: str, known: str) -> Language:
    code = tag.partition("-")[0]
    return Language(
        tag, *_KNOWN[known], next((script for script, codes in _SCRIPTS.items() if code in codes.split()), "")
    )


def _cased(part: str) -> str:
    """A part of a tag as it is written: a script Latn, a region AT."""
    return part.title() if len(part) == 4 and part.isalpha() else part.upper() if len(part) == 2 else part
