"""The writing writer, for instruct models: each field is written freely from the whole article, then checked.

What the gate refuses is asked for once more with the reason and the sentences it rests on; what is refused again is
replaced by the extractive writer's text, or dropped. Then what an item leads to is asked for each item, beside its
sentences. A document that does not fit the context is written in passages: lists from each, single texts from what
was written of each.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from itertools import zip_longest

from localsum import chat
from localsum.brief import FieldResult, Figure
from localsum.document import Document, Span
from localsum.engine.types import Branch, Engine, Request
from localsum.grounding import Source, check
from localsum.grounding.words import content_stems
from localsum.languages import Language
from localsum.passages import passages
from localsum.templates import Field, Template
from localsum.writing import answers, judge, people, select, title, tongue
from localsum.writing.choice import closest
from localsum.writing.desk import Desk
from localsum.writing.draft import Ask, Draft, Entry, Writer, finish
from localsum.writing.gate import refuse
from localsum.writing.judge import Candidate, Judgement
from localsum.writing.said import is_said, sentences
from localsum.writing.shelf import Shelf

_RESERVE = 300  # tokens kept for what is asked after the article
_LEAST_PASSAGE = 256  # tokens; a context too small for it fails by name
_MOST_CHARS = 2_500  # of the sentences shown beside a question about one item
_AROUND = 2  # sentences before and after each of them
_SAYS_NOTHING = re.compile(r"\b(?:affect|impact)", re.IGNORECASE)  # "This affects the company and the industry."
# What a phrase for a figure may say beyond the figure's clause, and what of the clause it may not leave out.
_MEASURES = content_stems(
    "number amount share percentage percent cost price rate fee total sum count money size length"
)
_TURNS = frozenset("more less fewer additional extra not never no only".split())  # noqa: SIM905
_AGAIN = "Read the text and do what is asked after it. Use only facts, names and numbers of the text."


def write(document: Document, template: Template, key: str, engine: Engine, language: Language | None = None) -> Writer:
    """The writer of one document; `key` names its requests, `language` is what to write in if not the document's."""
    if language:
        template = tongue.in_language(template, language)
    desk = Desk(document, template, engine.count_tokens)
    desk.fill()
    source = desk.source
    fields = [answers.as_items(each) for each in template.fields if answers.is_written(each)]
    quotes = [ask for ask in desk.asks if ask.field.shape == "quote" or ask.field.of == "quote"]
    instruction = template.instruction.replace("{fields}", ", ".join(each.label.lower() for each in template.fields))
    fuse = engine.info.context_tokens // 3  # tokens of one answer, at most
    room = engine.info.context_tokens - engine.count_tokens(instruction) - fuse - _RESERVE
    without = answers.foreign(document.text, language)
    spans = passages(document, engine.count_tokens, max(_LEAST_PASSAGE, room))
    parts = [document.text[span.start : span.end] for span in spans]
    reads = [source] if len(spans) == 1 else [_within(span, document, source) for span in spans]

    def request(name: str, text: str, wanted: list[Field], chosen: list[Ask]) -> tuple[Request, ...]:
        """One reading of `text`, and a branch for each field and each quote to be chosen; none if nothing is asked."""
        asks = [answers.wording(each) for each in wanted] + [ask.field.ask for ask in chosen]
        prefix, suffixes = chat.conversation(engine.info, instruction, text, asks)
        rules = [(each.name, answers.grammar_of(each, without), answers.most_tokens(each)) for each in wanted]
        rules += [(ask.name, ask.rule, ask.most_tokens) for ask in chosen]
        branches = tuple(
            Branch(f"{name}.{branch}", suffix, rule, min(most, fuse))
            for (branch, rule, most), suffix in zip(rules, suffixes, strict=True)
        )
        return (Request(f"{key}.{name}", prefix, branches),) if branches else ()

    def about(name: str, asks: list[Ask]) -> tuple[Request, ...]:
        """Short questions, each after the few sentences it is about (`Ask.text`)."""
        wanted = [f"{ask.text}\n\n{ask.field.ask}" for ask in asks]
        prefix, suffixes = chat.conversation(engine.info, _AGAIN, document.title or "", wanted)
        branches = tuple(
            Branch(f"{name}.{ask.name}", suffix, ask.rule, min(ask.most_tokens, fuse))
            for ask, suffix in zip(asks, suffixes, strict=True)
        )
        return (Request(f"{key}.{name}", prefix, branches),) if branches else ()

    is_whole = len(parts) == 1
    # Of a passage a text is only material for the whole's: one wording will do.
    wanted = (
        [one for each in fields for one in answers.wordings(each)]
        if is_whole
        else [each for each in fields if each.shape in ("items", "text")]
    )
    requests = [
        one for n, part in enumerate(parts) for one in request(str(n), part, wanted, quotes if is_whole else [])
    ]
    found = (yield tuple(requests)) if requests else {}
    texts = {each.name: [found.get(f"{n}.{each.name}", "") for n in range(len(parts))] for each in wanted}
    if not is_whole:
        # Single texts are written once more, from what was written of each passage and stands in the source.
        digest = _digest([each for each in wanted if each.shape == "text"], texts, reads, desk)
        single = [one for each in fields if each.shape != "items" for one in answers.wordings(each)]
        again = request("all", digest[: 2 * max(_LEAST_PASSAGE, room)], single, [])
        whole = (yield again) if again else {}
        texts |= {each.name: [whole.get(f"all.{each.name}", "")] for each in single}
    for ask in quotes:
        ask.use(found.get(f"0.{ask.name}", ""))
    if language and tongue.is_across(texts, document, source, language):
        for read in (source, *reads):
            read.across = language.code
        texts = {name: ["" if tongue.is_own(text, source) else text for text in row] for name, row in texts.items()}

    said = {each.name: _candidates(each, texts, reads, source) for each in fields}
    judgement = judge.judge(fields, said, desk, source)
    if asks := _rewrites(judgement, said, source, without):
        found = yield about("again", asks)
        for ask in asks:
            ask.use(found.get(f"again.{ask.name}", ""))
        judgement = judge.judge(fields, said, desk, source)
    if asks := _completions(fields, judgement, desk, source, without):
        found = yield about("more", asks)
        for ask in asks:
            ask.use(found.get(f"more.{ask.name}", ""))
    for each in fields:
        judge.mend_headings(each, judgement.drafts[each.name])
    results = _finished(desk, source, judgement, len(parts), engine.info.context_tokens)
    return tongue.told(results, document, source, language) if language else results


def _digest(fields: list[Field], texts: dict[str, list[str]], reads: list[Source], desk: Desk) -> str:
    """What a long document's single texts are made of: of what was written of each passage what stands in it, and the
    extractive writer's sections, which are all there is where a model writes nothing that may be shown."""
    out: list[str] = []
    for n, read in enumerate(reads):
        for each in fields:
            text, reason = judge.kept(answers.tidy(texts[each.name][n], each), each, read, desk, out, judge.ITEM)
            if reason is None:
                out.append(text)
    for each in desk.template.fields:
        if each.extract in ("central", "topics") and each.shape in ("text", "items"):
            out += [entry.parts[answers.main_name(each)] for entry in desk.drafts[each.name].entries]
    return "\n\n".join(out)


def _finished(desk: Desk, source: Source, judgement: Judgement, passages: int, context: int) -> dict[str, FieldResult]:
    results = {
        each.name: finish(each, judgement.drafts.get(each.name, desk.drafts[each.name]), lambda: source)
        for each in desk.template.fields
    }
    if passages > 1:
        first = results[desk.template.fields[0].name]
        note = f"longer than the context of {context} tokens: read in {passages} passages"
        results[first.name] = replace(first, warnings=(*first.warnings, note))
    return results


def _within(span: Span, document: Document, source: Source) -> Source:
    """The part of the source that one passage is: what was written of it must rest on it."""
    inside = [s for s in source.spans if s.start < span.end and span.start < s.end]
    return Source(document, inside or source.spans)


def _candidates(each: Field, texts: dict[str, list[str]], reads: list[Source], source: Source) -> list[Candidate]:
    """What the model proposes for a field: its items, those of all passages in turn, or its text in each wording."""
    if each.shape != "items":
        answered = [next(iter(texts.get(one.name, ())), "") for one in answers.wordings(each)]
        return [Candidate({each.name: answers.tidy(text, each)}, source) for text in answered]
    pairs = zip(texts[each.name], reads, strict=True)
    lists = [[Candidate(item, read) for item in answers.parse_items(text, each)] for text, read in pairs]
    most = each.count[1]
    if len(lists) > most:  # more passages than items: those that lie evenly between first and last have their say first
        order = list(dict.fromkeys(round(i * (len(lists) - 1) / max(1, most - 1)) for i in range(most)))
        lists = [lists[i] for i in order] + [one for i, one in enumerate(lists) if i not in order]
    return [item for row in zip_longest(*lists) for item in row if item is not None]


# Once more


def _rewrites(judgement: Judgement, said: dict[str, list[Candidate]], source: Source, without: str) -> list[Ask]:
    """For each single text that was refused: the sentences nearest to it, what is wrong, and once more.

    Items are not asked again: there are enough of them, and what small models made of a refused one was often wrong.
    """
    asks = []
    for each, reason in judgement.refused:
        old = said[each.name][0].parts[each.name]
        spans = check(old, source).evidence if old else ()
        if not spans or reason == judge.SAID_BEFORE:
            continue

        def use(answer: str, each: Field = each) -> None:
            if judge.is_answer(text := answers.tidy(answer, each)):
                said[each.name][0].parts[each.name] = text

        wish = f"Somebody wrote about this text: {old}\nThat is wrong: {reason}. {each.ask}"
        rule, most = answers.grammar_of(each, without), answers.most_tokens(each)
        asks.append(Ask(each.name, replace(each, ask=wish), _excerpt(spans, source), rule, most, use))
    return asks


def _excerpt(spans: Iterable[Span], source: Source) -> str:
    """The sentences at `spans` with their neighbours, in the order of the document."""
    wanted: set[int] = set()
    for span in spans:
        inside = [i for i, s in enumerate(source.spans) if s.start < span.end and span.start < s.end]
        if inside:
            wanted.update(range(max(0, inside[0] - _AROUND), min(len(source.spans), inside[-1] + _AROUND + 1)))
    return " ".join(" ".join(source.sentences[i].text.split()) for i in sorted(wanted))[:_MOST_CHARS]


# What is asked about what will be shown


def _completions(fields: list[Field], judgement: Judgement, desk: Desk, source: Source, without: str) -> list[Ask]:
    """Questions about the entries that will be shown: their category where it is not clear, what follows from them,
    and lines of the extractive writer's own."""
    asks = []
    for number, (name, part, entry) in enumerate(judgement.untitled):
        others = [one for one in judgement.drafts[name].entries if one is not entry]
        asks += _heading(part, entry, others, source, without, f"untitled.{name}.{number}")
    for each in desk.template.fields:
        if each.shape == "numbers" and each.ask:
            asks += _measures(each, desk.drafts[each.name], source, without)
    for each in fields:
        draft = judgement.drafts[each.name]
        asks += _lines(each, draft, desk, without)
        for number, entry in enumerate(draft.entries if each.shape == "items" else []):
            claim = entry.parts[answers.main_name(each)]
            for part in answers.afterwards(each):
                name = f"{each.name}.{number}.{part.name}"
                if part.shape == "choice":
                    asks.append(_choice(part, entry, claim, desk, name))
                elif not entry.parts.get(part.name):
                    asks.append(_consequence(part, entry, claim, desk, source, judgement.said, without, name))
            for part in each.parts:
                if part.shape == "choice" and not entry.parts.get(part.name):
                    entry.parts[part.name] = _closest(part, entry, desk)
                elif part.extract == "owner":
                    who = (people.owner(desk.material, s) for s in desk.material.at(entry.evidence[:1]))
                    entry.parts[part.name] = next(filter(None, who), "")
            if each.parts:
                entry.parts = {part.name: entry.parts.get(part.name, "") for part in each.parts}
    return asks


def _lines(each: Field, draft: Draft, desk: Desk, without: str) -> list[Ask]:
    """The extractive writer's questions for titles and headings, of its own entries that are shown."""
    shown = {id(entry) for entry in draft.entries}
    kept = {n for n, entry in enumerate(desk.drafts[each.name].entries) if id(entry) in shown}
    asks = []
    for ask in desk.asks:
        field, *rest = ask.name.split("~")[0].split(".")
        if field == each.name and ask.field.shape == "line" and ask.field.ask and (int(rest[0]) if rest else 0) in kept:
            rule, most = answers.grammar_of(ask.field, without), answers.most_tokens(ask.field)
            asks.append(replace(ask, rule=rule, most_tokens=most))
    return asks


def _measures(each: Field, draft: Draft, source: Source, without: str) -> list[Ask]:
    """What each figure measures, in the model's words if they pass the gate; else the source's phrase stays."""
    part = replace(each, shape="line")
    asks = []
    for number, figure in enumerate(draft.figures):
        text = _excerpt(figure.grounding.evidence, source)

        def use(answer: str, number: int = number, figure: Figure = figure, text: str = text) -> None:
            phrase = _phrase(answer, figure, part, text, source)
            if phrase:
                grounding = replace(figure.grounding, reasons=check(phrase, source).reasons)
                draft.figures[number] = replace(figure, measures=phrase, grounding=grounding)
                draft.by_model = True

        wish = each.ask.replace("{figure}", " ".join(figure.text.split()))
        rule, most = answers.grammar_of(part, without), answers.most_tokens(part)
        asks.append(Ask(f"{each.name}.{number}", replace(part, ask=wish), text, rule, most, use))
    return asks


def _phrase(answer: str, figure: Figure, part: Field, text: str, source: Source) -> str:
    """The model's phrase for what a figure measures, or "" where it is none; `text` is what it was asked of.

    It may only put the figure's own clause in other words: what stands beside it in the sentence is often about another
    figure.
    """
    phrase = answers.tidy(answer, part).rstrip(".")
    phrase = phrase[:1].lower() + phrase[1:] if answer.lstrip()[:1].islower() else phrase
    clause = f"{figure.measures or text} {figure.text}"
    stems = content_stems(phrase) - _MEASURES
    if not stems - content_stems(figure.text) or not stems <= content_stems(clause) or figure.value in phrase:
        return ""
    turned = {word for word in clause.split() if word in _TURNS}
    if not turned <= set(phrase.split()) or refuse(phrase, text, least_shared=0.0, most_words=part.words):
        return ""
    return "" if check(phrase, source).verdict == "unsupported" else phrase


def _heading(part: Field, entry: Entry, others: list[Entry], source: Source, without: str, name: str) -> list[Ask]:
    """A heading for a section whose own was refused."""
    text = " ".join(value for key, value in entry.parts.items() if key != part.name)

    def use(answer: str) -> None:
        line = answers.tidy(answer, part)
        if title.is_heading(line, part.words, text, source, [other.parts[part.name] for other in others]):
            entry.parts[part.name] = line

    rule = answers.grammar_of(part, without)
    return [Ask(name, part, text, rule, answers.most_tokens(part), use)] if part.ask else []


def _choice(part: Field, entry: Entry, claim: str, desk: Desk, name: str) -> Ask:
    """The option that the model chooses; if it does not, that which the words of the entry's sentences speak for."""
    entry.parts[part.name] = _closest(part, entry, desk)

    def use(answer: str) -> None:
        entry.parts[part.name] = answers.tidy(answer, part) or entry.parts[part.name]

    wish = f"{part.ask} Answer with one of: {', '.join(option for option, _ in part.options)}."
    return Ask(name, replace(part, ask=wish), claim, answers.grammar_of(part), answers.most_tokens(part), use)


def _closest(part: Field, entry: Entry, desk: Desk) -> str:
    return closest(part.options, desk.material.at(entry.evidence[:1]), desk.material)[0]


def _consequence(
    part: Field, entry: Entry, claim: str, desk: Desk, source: Source, said: list[str], without: str, name: str
) -> Ask:
    """What follows from an entry and for whom; where the model's answer is refused, what the source says follows."""
    near = desk.material.at(entry.evidence[:1])
    text = f"{_excerpt(entry.evidence[:2], source)}\n\nPoint: {claim}"

    def use(answer: str) -> None:
        found, reason = judge.kept(answers.tidy(answer, part), part, source, desk, [*said, claim], judge.ITEM)
        if reason is None and (not _SAYS_NOTHING.search(found) or _SAYS_NOTHING.search(text)):
            entry.parts[part.name], entry.written = found, True
            said.extend(sentences(found))
            return
        # What the extractive writer took may serve here: what is shown already is in `said`.
        follows = select.consequence(desk.material, near[:1], Shelf(), words=part.words) if near else None
        if follows and not source.across and not is_said(follows.text, [*said, claim]):
            entry.parts[part.name] = follows.text
            entry.evidence += follows.evidence
            said.extend(sentences(follows.text))

    rule = answers.grammar_of(part, without)
    return Ask(name, part, text, rule, answers.most_tokens(part), use)
