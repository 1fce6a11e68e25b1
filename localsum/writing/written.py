"""The writing writer, for instruct models: each field is written freely from the whole article, then checked.

What the gate refuses is replaced by the extractive writer's text for it, or dropped. Evidence is attached afterwards.
A document that does not fit the context is written in passages: lists from each, single texts from their summaries.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import zip_longest

from localsum import chat
from localsum.brief import FieldResult
from localsum.document import Document
from localsum.engine.types import Branch, Engine, Request
from localsum.grounding import Source, check
from localsum.grounding.words import is_unfinished, stem_overlap
from localsum.passages import passages
from localsum.sentences import split
from localsum.templates import Field, Template
from localsum.writing import headline, select
from localsum.writing.draft import Ask, Draft, Entry, Writer, finish
from localsum.writing.extractive import Desk
from localsum.writing.gate import refuse

LEAST_SHARED_TEXT = 0.85  # share of content stems that the source must have: of a summary,
LEAST_SHARED_ITEM = 0.6  # and of an item of a list, which may conclude something
_RESERVE = 300  # tokens kept for what is asked after the article
# What small models put before an answer: "The article concludes that", "Summary:".
_PREAMBLE = re.compile(
    r"(?:\s*(?:text|heading|title|body|headline|summary|conclusion|answer|insight|action)\s*:\s*)?"
    r"(?:in conclusion,\s+)?"
    r"(?:(?:the|this) (?:article|author|text|report|piece) (?:also )?(?:concludes|states|says|argues|notes|reports"
    r"|suggests|recommends|highlights|explains|expects|predicts|mentions)(?: that)?,?\s+)?",
    re.IGNORECASE,
)
_LEAST_ANSWER = 4  # words of a title or text
_LEAST_PASSAGE = 256  # tokens; a context too small for it fails by name
_TEXT = r"/[^\s\p{C}-][^\n\p{C}]{5,%d}/"


def write(document: Document, template: Template, key: str, engine: Engine) -> Writer:
    """The writer of one document; `key` names its requests."""
    desk = Desk(document, template, engine.count_tokens)
    desk.fill()
    fields = [_as_items(each) for each in template.fields if _is_written(each)]
    quotes = [ask for ask in desk.asks if ask.field.shape == "quote" or ask.field.of == "quote"]
    instruction = template.instruction.replace("{fields}", ", ".join(each.label.lower() for each in template.fields))
    fuse = engine.info.context_tokens // 3  # tokens of one answer, at most
    room = engine.info.context_tokens - engine.count_tokens(instruction) - fuse - _RESERVE
    spans = passages(document, engine.count_tokens, max(_LEAST_PASSAGE, room))
    parts = [document.text[span.start : span.end] for span in spans]

    def request(name: str, text: str, wanted: list[Field], chosen: list[Ask]) -> tuple[Request, ...]:
        """One reading of `text`, and a branch for each field and each quote to be chosen; none if nothing is asked."""
        asks = [_wording(each) for each in wanted] + [ask.field.ask for ask in chosen]
        prefix, suffixes = chat.conversation(engine.info, instruction, text, asks)
        rules = [(each.name, grammar_of(each), most_tokens(each)) for each in wanted]
        rules += [(ask.name, ask.rule, ask.most_tokens) for ask in chosen]
        branches = tuple(
            Branch(f"{name}.{branch}", suffix, rule, min(most, fuse))
            for (branch, rule, most), suffix in zip(rules, suffixes, strict=True)
        )
        return (Request(f"{key}.{name}", prefix, branches),) if branches else ()

    is_whole = len(parts) == 1
    wanted = [each for each in fields if is_whole or each.shape in ("items", "text")]
    requests = [
        one for n, part in enumerate(parts) for one in request(str(n), part, wanted, quotes if is_whole else [])
    ]
    answers = (yield tuple(requests)) if requests else {}
    texts = {each.name: [answers.get(f"{n}.{each.name}", "") for n in range(len(parts))] for each in fields}
    if not is_whole:
        # Single texts are written once more, from what was written of each passage.
        digest = "\n\n".join(text for each in fields if each.shape == "text" for text in texts[each.name])
        single = [each for each in fields if each.shape != "items"]
        again = request("all", digest[: 2 * max(_LEAST_PASSAGE, room)], single, [])
        whole = (yield again) if again else {}
        texts |= {each.name: [whole.get(f"all.{each.name}", "")] for each in single}
    for ask in quotes:
        ask.use(answers.get(f"0.{ask.name}", ""))
    return _finished(desk, texts, len(parts), engine.info.context_tokens)


def _finished(desk: Desk, texts: dict[str, list[str]], passages: int, context: int) -> dict[str, FieldResult]:
    """The fields, from the model's texts where they pass the checks, else from the extractive drafts."""
    document = desk.material.document
    source = Source.of(document)
    said: list[str] = []
    results = {}
    for each in desk.template.fields:
        draft = desk.drafts[each.name]
        if each.name in texts:
            draft = _accept(_as_items(each), texts[each.name], desk, source, said)
        results[each.name] = finish(each, draft, source)
    if passages > 1:
        first = results[desk.template.fields[0].name]
        note = f"longer than the context of {context} tokens: read in {passages} passages"
        results[first.name] = replace(first, warnings=(*first.warnings, note))
    return results


def _is_written(each: Field) -> bool:
    """Quotes are chosen, never written; asked freely for actions, small models invent them, so these are extracted."""
    return bool(each.ask) and "quote" not in (each.shape, each.of) and each.extract != "directives"


def _as_items(each: Field) -> Field:
    """A record is asked for as a list of one."""
    return replace(each, shape="items", of="record", count=(1, 1)) if each.shape == "record" else each


def _wording(each: Field) -> str:
    """What is asked, with the form of the answer said in words: the grammar must never be the first to tell."""
    if each.shape != "items":
        return each.ask
    lines = ["- …"]
    for part in each.parts[1:]:
        options = f" (one of: {', '.join(option for option, _ in part.options)})" if part.options else ""
        lines.append(f"  {part.label}: …{options}")
    return f"{each.ask}\nWrite each in this form, with your own words for the dots:\n" + "\n".join(lines)


def grammar_of(each: Field) -> str:
    """Grammar of a field's answer. It ends where the model ends its turn; the bounds are a loose fuse."""
    if each.shape == "choice":
        return "start: " + _options(each)
    if each.shape == "line":
        return "start: TEXT\nTEXT: " + _TEXT % (each.words * 9)
    if each.shape != "items":
        return "start: TEXT\nTEXT: " + _TEXT % (each.words * 12)
    rules = [f'item: "- " {_part(each.parts[0] if each.parts else each, 0)}']
    terminals = []
    for number, part in enumerate(each.parts or (each,)):
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
        return (
            sum(most_tokens(part) + 8 for part in each.parts or (Field(each.name, each.of, words=each.words),))
            * (each.count[1])
        )
    return 12 if each.shape == "choice" else each.words * 2 + 8


# Reading the answers


def tidy(text: str, each: Field) -> str:
    """A text cut to its limits in whole sentences; an unfinished last sentence is dropped."""
    if each.shape == "choice":
        return text.strip() if text.strip() in dict(each.options) else ""
    text = re.sub(r"\s+", " ", text).strip().strip("*_#` ")
    text = _PREAMBLE.sub("", text)
    text = text[:1].upper() + text[1:]
    if each.shape == "line":
        return headline.clause(text, each.words, is_last_resort=False)
    kept: list[str] = []
    for span in split(text)[: each.sentences[1]]:
        sentence = text[span.start : span.end]
        if is_unfinished(sentence) or sum(len(one.split()) for one in [*kept, sentence]) > each.words:
            break
        kept.append(sentence)
    return " ".join(kept)


def parse_items(text: str, each: Field) -> list[dict[str, str]]:
    """The items of a list answer, each with its parts; parts that were cut off are left out with their item."""
    items = []
    for block in re.split(r"(?:^|\n)- ", text):
        if not block.strip() or block.strip().rstrip(".").lower() == "none":
            continue
        if not each.parts:
            items.append({"text": tidy(block, each)})
            continue
        parts = {}
        rest = block
        for part, following in zip_longest(each.parts, each.parts[1:]):
            mark = f"\n  {following.label}: " if following else "\x00"
            body, _, rest = rest.partition(mark)
            parts[part.name] = body.strip() if part.shape == "choice" else tidy(body, part)
        if all(parts.values()):
            items.append(parts)
    return items


def _accept(each: Field, texts: list[str], desk: Desk, source: Source, said: list[str]) -> Draft:
    """The model's texts that pass the checks, else the extractive draft's. `said` grows by what is shown."""
    fallback = desk.drafts[each.name]
    if each.shape != "items":
        text = tidy(texts[0] if texts else "", each)
        if each.shape == "choice":
            return Draft([Entry({each.name: text}, written=True)], by_model=True) if text else fallback
        if reason := _refused(text, each.words, source, said if each.shape == "text" else [], LEAST_SHARED_TEXT):
            fallback.missing.append(f"the model's text was refused ({reason}); the source's own words are shown")
        shown = fallback if reason else Draft([Entry({each.name: text}, written=True)], by_model=True)
        if each.shape == "text":
            said += _sentences(shown.entries[0].parts[each.name])
        return shown
    draft = Draft(by_model=True)
    refused = 0
    for parts in _alternate([parse_items(text, each) for text in texts]):
        claim = next(iter(parts.values()))
        most = (each.parts or (each,))[0].words
        if _refused(claim, most, source, said, LEAST_SHARED_ITEM):
            refused += 1
        elif len(draft.entries) < each.count[1]:
            entry = Entry(parts, written=True)
            _check_parts(each, entry, desk, source)
            said += _sentences(" ".join(entry.parts.values()))
            draft.entries.append(entry)
    for own in fallback.entries:
        claim = next(iter(own.parts.values()))
        if len(draft.entries) < each.count[0] and not any(stem_overlap(claim, other) > 0.6 for other in said):
            draft.entries.append(own)
    if not draft.entries and each.count[0]:
        draft.entries += fallback.entries[:1]  # said before, but better than an empty field
    if refused:
        draft.missing.append(f"{refused} of the model's items were refused: unsupported, or said before")
    if not draft.entries:
        draft.missing += fallback.missing or ["the model found none"]
    return draft


def _check_parts(each: Field, entry: Entry, desk: Desk, source: Source) -> None:
    """An item's further texts: what the checks refuse is replaced by what the source says follows, or left empty."""
    claim = next(iter(entry.parts.values()))
    for part in each.parts[1:]:
        text = entry.parts[part.name]
        if part.shape != "text" or not _refused(text, part.words, source, [claim], LEAST_SHARED_ITEM):
            continue
        spans = check(claim, source).evidence[:1]
        near = tuple(
            s for s in desk.material.sentences if any(s.span.start < e.end and e.start < s.span.end for e in spans)
        )
        follows = select.consequence(desk.material, near[:1], desk.shelf, words=part.words) if near else None
        entry.parts[part.name] = follows.text if follows and part.extract == "consequence" else ""


def _refused(text: str, most_words: int, source: Source, said: list[str], least_shared: float) -> str | None:
    """Why a text of the model may not be shown, or None: by the gate, then by the checks against the whole source."""
    if len(text.split()) < _LEAST_ANSWER:
        return "no answer"  # "Done.", "HACKED"
    reason = refuse(text, source.text, least_shared=least_shared, most_words=most_words, earlier=said)
    if reason is None:
        found = check(text, source)
        reason = found.reasons[0] if found.verdict == "unsupported" else None
    return reason


def _sentences(text: str) -> list[str]:
    return [text[span.start : span.end] for span in split(text)]


def _alternate(lists: list[list[dict[str, str]]]) -> list[dict[str, str]]:
    """Items of all passages in turn, so that no passage is lost when there are more than fit."""
    return [item for row in zip_longest(*lists) for item in row if item is not None]
