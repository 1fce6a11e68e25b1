"""What an instruct model is asked for a field, the grammar of its answer, and how the answer is read.

Pure functions of fields and texts; they know neither documents nor what may be shown.
"""

from __future__ import annotations

import json
import re
from itertools import zip_longest

from localsum.grounding.words import is_unfinished
from localsum.sentences import split
from localsum.templates import Field
from localsum.writing import headline

_TEXT = r"/[^\s\p{C}-][^\n\p{C}]{5,%d}/"
_WRITER = r"(?:the|this) (?:article|author|text|report|piece|post|newsletter|transcript|passage|document|speaker)"
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
    """The parts that are written with the item."""
    later = afterwards(each)
    return tuple(part for part in each.parts if part not in later)


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


def grammar_of(each: Field) -> str:
    """Grammar of a field's answer. It ends where the model ends its turn; the bounds are a loose fuse."""
    if each.shape == "choice":
        return "start: " + _options(each)
    if each.shape == "line":
        return "start: TEXT\nTEXT: " + _TEXT % (each.words * 9)
    if each.shape != "items":
        return "start: TEXT\nTEXT: " + _TEXT % (each.words * 12)
    parts = together(each) or (each,)
    head = f"- {parts[0].label}: " if _is_labelled(each) else "- "
    rules = [f"item: {json.dumps(head)} {_part(parts[0], 0)}"]
    terminals = []
    for number, part in enumerate(parts):
        if part.shape != "choice":
            terminals.append(f"T{number}: " + _TEXT % (part.words * 12))
        if number:
            rules[0] += f" {json.dumps(f'{chr(10)}  {part.label}: ')} {_part(part, number)}"
    empty = ' | "none" | "None" | "None."' if each.count[0] == 0 else ""
    more = each.count[1] - 1
    rules.insert(0, f'start: item ("\\n" item){{0,{more}}}{empty}' if more else f"start: item{empty}")
    return "\n".join(rules + terminals)


def _part(part: Field, number: int) -> str:
    return f"({_options(part)})" if part.shape == "choice" else f"T{number}"


def _options(part: Field) -> str:
    return " | ".join(json.dumps(option, ensure_ascii=False) for option, _ in part.options)


def most_tokens(each: Field) -> int:
    """The fuse of a field's branch: twice what its words take, for every item."""
    if each.shape == "items":
        parts = together(each) or (Field(each.name, each.of, words=each.words),)
        return sum(most_tokens(part) + 8 for part in parts) * each.count[1]
    return 12 if each.shape == "choice" else each.words * 2 + 8


def tidy(text: str, each: Field) -> str:
    """A text cut to its limits in whole sentences; an unfinished last sentence is dropped."""
    if each.shape == "choice":
        return text.strip() if text.strip() in dict(each.options) else ""
    text = re.sub(r"\s+", " ", text).strip()
    text = _PREAMBLE.sub("", text).strip("*_#` ")
    text = text[:1].upper() + text[1:]
    if each.shape == "line":
        return headline.clause(text, each.words, is_last_resort=False)
    kept: list[str] = []
    for span in split(text)[: each.sentences[1]]:
        sentence = text[span.start : span.end]
        if is_unfinished(sentence) and not is_unfinished(sentence + ".") and span.end == len(text) and not kept:
            sentence += "."  # a list of facts often leaves the stops away
        if is_unfinished(sentence) or sum(len(one.split()) for one in [*kept, sentence]) > each.words:
            break
        kept.append(sentence)
    return " ".join(kept)


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
