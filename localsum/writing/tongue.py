"""Briefs in another language than their source: what is asked, whether it was done, and what the brief says of it.

What can be checked then is grounding's business (grounding/across.py).
"""

from __future__ import annotations

from dataclasses import replace

from localsum.brief import FieldResult, Figure, Quote
from localsum.document import Document
from localsum.grounding import Source
from localsum.grounding.words import words
from localsum.languages import Language
from localsum.templates import Field, Template

_LEAST_COMMON = 0.3  # of the small words of a text with its source, if they are of one language: see DECISIONS.md
_TELLING = 4  # such words, at least, tell that a text is in the source's language,
_LONG = 24  # and so many characters that it is in another


def in_language(template: Template, language: Language) -> Template:
    """The template with every wish for text in that language; what is chosen or copied stays as it is."""
    return replace(
        template,
        instruction=f"{template.instruction} The reader understands only {language.name}.".strip(),
        fields=tuple(_field_in(each, language) for each in template.fields),
    )


def _field_in(each: Field, language: Language) -> Field:
    if each.shape in ("choice", "quote", "numbers") or each.of == "quote":
        return each
    return replace(
        each,
        ask=each.ask and f"{each.ask}\n{language.wish}",
        also=tuple(f"{ask}\n{language.wish}" for ask in each.also),
        parts=tuple(_field_in(part, language) for part in each.parts),
    )


def is_across(texts: dict[str, list[str]], document: Document, source: Source, language: Language) -> bool:
    """Whether a model's answers, by field, are in another language than the source: any of them, or where the source's
    language is not known, all in all."""
    own = _language_of(document, source)
    if own == language.code:
        return False
    answered = [text for row in texts.values() for text in row]
    return any(len(t) >= _LONG and is_other(t, source) for t in (answered if own else [" ".join(answered)]))


def is_other(text: str, source: Source) -> bool:
    """Whether a text is in another language than the source: few of its words without a capital are the source's."""
    share, size = _common(text, source)
    return size > 0 and share < _LEAST_COMMON


def is_own(text: str, source: Source) -> bool:
    """Whether a text is in the source's language, and long enough to tell."""
    share, size = _common(text, source)
    return size >= _TELLING and share >= _LEAST_COMMON


def _common(text: str, source: Source) -> tuple[float, int]:
    """How many of the words without a capital the source has, as a share, and how many there are."""
    small = [word for word in words(text, english=False) if word.norm.isalpha() and not text[word.start].isupper()]
    return sum(word.norm in source.norms for word in small) / max(1, len(small)), len(small)


def _language_of(document: Document, source: Source) -> str:
    """The code of the source's language, "" if it is not known."""
    code = (document.language or "").partition("-")[0].lower()
    return "en" if source.english else "" if code == "en" else code


def told(
    results: dict[str, FieldResult], document: Document, source: Source, language: Language
) -> dict[str, FieldResult]:
    """The fields, with a warning where one is not, or only in part, in the language that was asked for."""
    own = _language_of(document, source)
    is_ignored = not source.across and own not in ("", language.code)
    out = dict(results)
    for name, each in results.items():
        if each.mode == "empty" or _holds(each, Quote):
            continue  # quotes are to be in the source's language
        if is_ignored:
            note = f"{name}: in the source's language, not in {language.name}"
        elif source.across and (each.mode == "extractive" or _holds(each, Figure)):
            note = f"{name}: in the source's own words, not in {language.name}"
        elif source.across and each.mode == "mixed":
            note = f"{name}: some of it in the source's own words, not in {language.name}"
        else:
            continue
        out[name] = replace(each, warnings=(*each.warnings, note))
    return out


def _holds(each: FieldResult, kind: type) -> bool:
    return isinstance(each.value, tuple) and isinstance(each.value[0], kind)
