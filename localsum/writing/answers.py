"""What an instruct model is asked for a field, the grammar of its answer, and how the answer is read.

Pure functions of fields and texts; they know neither documents nor what may be shown.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import zip_longest

from localsum.grounding.words import is_unfinished
from localsum.languages import Language
from localsum.sentences import split
from localsum.templates import Field
from localsum.writing import cues, headline
from localsum.writing.said import joined

_SPARE = 2  # items asked for beyond those shown
_MOST_READ = 2  # times the sentences of a text: some may be refused
# Scripts that a model may slip into; a text that has none of their letters is never answered with one.
_SCRIPTS = {
    r"\p{Han}": "[\u3400-\u9fff]",
    r"\p{Hiragana}\p{Katakana}": "[\u3040-\u30ff]",
    r"\p{Hangul}": "[\uac00-\ud7af]",
    r"\p{Cyrillic}": "[\u0400-\u04ff]",
    r"\p{Arabic}": "[\u0600-\u06ff]",
    r"\p{Thai}": "[\u0e00-\u0e7f]",
    r"\p{Devanagari}": "[\u0900-\u097f]",
}
_WRITER = r"(?:the|this) (?:article|author|text|report|piece|post|newsletter|transcript|passage|document|speaker|point)"
# What small models put before an answer: "The article concludes that", "Summary:", "**Technology**:".
_PREAMBLE = re.compile(
    r"\A(?:\s*[*_#`]{0,3}(?:text|heading|title|body|headline|summary|conclusion|answer|insight|action|impact|fact|point"
    r"|topic)s?(?: \d{1,2})?[*_`]{0,2}\s*:[*_`]{0,2}\s*)?"
    r"(?:\s*\d{1,2}[.)]\s+)?"
    r"(?:(?:in conclusion|in summary|overall|according to " + _WRITER + r"),?\s+)?"
    r"(?:" + _WRITER + r" (?:(?:also|further|then) )?(?:(?:(?:ends|concludes|closes|begins|starts) (?:by|with)"
    r" (?:stating|saying|mentioning|noting)|\w{3,12}s(?: out)?) that,?\s+"
    r"|(?:says|states|argues|concludes|suggests)\s+(?!on\b|about\b|with\b|by\b)))?",
    re.IGNORECASE,
)


def afterwards(each: Field) -> tuple[Field, ...]:
    """The parts that are asked for each item once it stands: those with an `ask`, of what an item is or leads to."""
    return tuple(p for p in each.parts[1:] if p.ask and (p.shape == "choice" or p.extract == "consequence"))


def together(each: Field) -> tuple[Field, ...]:
    """The parts that are written with the item. Whose it is to do is taken from its sentences."""
    later = afterwards(each)
    return tuple(part for part in each.parts if part not in later and part.extract != "owner")


def is_written(each: Field) -> bool:
    """Quotes and figures are chosen, never written; asked freely for actions, small models invent them."""
    is_found = each.extract in ("quotes", "figures", "speakers", "directives", "tasks")
    return bool(each.ask) and not is_found


def wordings(each: Field) -> list[Field]:
    """The field in each wording of what is asked, under names of their own."""
    others = [replace(each, name=f"{each.name}~{n}", ask=ask, also=()) for n, ask in enumerate(each.also, 1)]
    return [each, *others]


def as_items(each: Field) -> Field:
    """A record is asked for as a list of one."""
    return replace(each, shape="items", of="record", count=(1, 1)) if each.shape == "record" else each


def main_part(each: Field) -> Field:
    """The part of an item that makes its claim: its first text; of a field without parts, the field itself."""
    parts = together(each)
    return next((part for part in parts if part.shape == "text"), parts[0] if parts else each)


def main_name(each: Field) -> str:
    """The key of that part in an entry."""
    return main_part(each).name if each.parts else "text" if each.shape == "items" else each.name


def wording(each: Field) -> str:
    """What is asked, with the form of the answer said in words: the grammar must never be the first to tell."""
    if each.shape != "items":
        return each.ask
    parts = together(each)
    head = f"- {parts[0].label}: …" if _is_labelled(each) else "- …"
    lines = [head]
    for part in parts[1:]:
        options = f" (one of: {', '.join(option for option, _ in part.options)})" if part.options else ""
        lines.append(f"  {part.label}: …{options}")
    if len(lines) == 1:
        return f'{each.ask}\nWrite each on a line of its own that begins with "- ".'
    return f"{each.ask}\nWrite each in this form, with your own words for the dots:\n" + "\n".join(lines)


def _is_labelled(each: Field) -> bool:
    """Whether the first part carries its label: a heading without one becomes a sentence."""
    parts = together(each)
    return len(parts) > 1 and parts[0].shape == "line"


def foreign(text: str, language: Language | None = None) -> str:
    """The scripts that neither `text` nor the language has a letter of, as the inside of a character class."""
    own = language.script if language else ""
    return "".join(s for s, letters in _SCRIPTS.items() if not re.search(letters, text) and s not in own)


def grammar_of(each: Field, without: str = "") -> str:
    """Grammar of a field's answer. It ends where the model ends its turn; the bounds are a loose fuse.

    `without` are characters that the answer cannot hold, as the inside of a character class.
    """
    if each.shape == "choice":
        return "start: " + _options(each)
    if each.shape == "line":
        return f"start: TEXT\nTEXT: {_text(each.words * 9, without)}"
    if each.shape != "items":
        return f"start: TEXT\nTEXT: {_text(each.words * 12, without)}"
    parts = together(each) or (each,)
    head = f"- {parts[0].label}: " if _is_labelled(each) else "- "
    rules = [f"item: {json.dumps(head)} {_part(parts[0], 0)}"]
    terminals = []
    for number, part in enumerate(parts):
        if part.shape != "choice":
            terminals.append(f"T{number}: {_text(part.words * 12, without)}")
        if number:
            rules[0] += f" {json.dumps(f'{chr(10)}  {part.label}: ')} {_part(part, number)}"
    empty = ' | "none" | "None" | "None."' if each.count[0] == 0 else ""
    more = most_items(each) - 1
    rules.insert(0, f'start: item ("\\n" item){{0,{more}}}{empty}' if more else f"start: item{empty}")
    return "\n".join(rules + terminals)


def _text(most_chars: int, without: str) -> str:
    return rf"/[^\s\p{{C}}{without}-][^\n\p{{C}}{without}]{{5,{most_chars}}}/"


def most_items(each: Field) -> int:
    """More than will be shown: what repeats the summary is left out, and so is what the source does not say."""
    return each.count[1] + _SPARE if each.count[1] > 1 and len(together(each)) < 2 else each.count[1]


def _part(part: Field, number: int) -> str:
    return f"({_options(part)})" if part.shape == "choice" else f"T{number}"


def _options(part: Field) -> str:
    return " | ".join(json.dumps(option, ensure_ascii=False) for option, _ in part.options)


def most_tokens(each: Field) -> int:
    """The fuse of a field's branch: twice what its words take, for every item."""
    if each.shape == "items":
        parts = together(each) or (Field(each.name, each.of, words=each.words),)
        return sum(most_tokens(part) + 8 for part in parts) * most_items(each)
    return 12 if each.shape == "choice" else each.words * 2 + 8


def tidy(text: str, each: Field) -> str:
    """A text in whole sentences, of which more are read than will be shown; an unfinished last one is dropped."""
    if each.shape == "choice":
        return text.strip() if text.strip() in dict(each.options) else ""
    text = re.sub(r"\s+", " ", text).strip()
    text = _PREAMBLE.sub("", text).strip("*_#` ")
    text = text[:1].upper() + text[1:]
    if each.shape == "line":
        first = next(iter(split(text)), None)
        return headline.clause(text[first.start : first.end] if first else "", each.words, is_last_resort=False)
    text = cues.without_connective(text)
    kept: list[str] = []
    for span in split(text)[: _MOST_READ * each.sentences[1]]:
        sentence = text[span.start : span.end]
        if is_unfinished(sentence) and not is_unfinished(sentence + ".") and span.end == len(text) and not kept:
            sentence += "."  # a list of facts often leaves the stops away
        if is_unfinished(sentence):
            break
        kept.append(sentence)
    return joined(kept)


def parse_items(text: str, each: Field) -> list[dict[str, str]]:
    """The items of a list answer, each with the parts written with it; an item that was cut off is left out."""
    items = []
    parts = together(each)
    for block in re.split(r"(?:^|\n)- ", text):
        if not block.strip() or block.strip().rstrip(".").lower() == "none":
            continue
        if not each.parts:
            items.append({"text": tidy(block, each)})
            continue
        found = {}
        rest = block.removeprefix(f"{parts[0].label}: ") if _is_labelled(each) else block
        for part, following in zip_longest(parts, parts[1:]):
            mark = f"\n  {following.label}: " if following else "\x00"
            body, _, rest = rest.partition(mark)
            found[part.name] = body.strip() if part.shape == "choice" else tidy(body, part)
        if found[main_name(each)]:
            items.append(found)
    return items
