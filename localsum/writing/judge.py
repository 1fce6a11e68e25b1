"""Which of a model's texts are shown: sentence by sentence, against the source and against what the brief says already.

Knows fields, drafts and checks; neither prompts nor engines.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from localsum.grounding import Source, check
from localsum.grounding.words import content_stems, stem_overlap
from localsum.templates import Field
from localsum.writing import answers, cues, headline, select
from localsum.writing.desk import LEAST_BODY, WORDS_PER_POINT, Desk
from localsum.writing.draft import Draft, Entry, claims
from localsum.writing.gate import Least, in_own_voice, is_quotation, malformed, unfit
from localsum.writing.matching import matches
from localsum.writing.material import Sentence
from localsum.writing.said import REPEATS, is_said, joined, length, points_back, sentences
from localsum.writing.shelf import runs_of
from localsum.writing.title import is_heading

# A summary has the source's words but joins its places; an item makes one point.
TEXT, CLOSING, LINE, ITEM = Least(0.75, 0.6), Least(0.75, 0.8), Least(0.7, 0.6), Least(0.6, 0.75)
_ANY = 1_000  # words; where the length is checked elsewhere
_LONG = 3_000  # words of a document
_SAYS_NOTHING = re.compile(r"the (?:text|article) does not (?:say|state|mention)\b", re.IGNORECASE)
_LEAST_ANSWER = 4  # words of a title or text
SAID_BEFORE = "said before"


class Refusal(NamedTuple):
    """A text of the model that may be mended, and what is wrong with it."""

    field: Field
    reason: str


class Candidate(NamedTuple):
    """What the model proposes: texts by part, and the sentences it had read, those of one passage."""

    parts: dict[str, str]
    read: Source


@dataclass(slots=True)
class Judgement:
    """The drafts that the texts make, what was refused, and all sentences shown so far."""

    drafts: dict[str, Draft] = field(default_factory=dict)
    refused: list[Refusal] = field(default_factory=list)
    untitled: list[tuple[str, Field, Entry]] = field(default_factory=list)  # field, part, and whose own was refused
    said: list[str] = field(default_factory=list)


def judge(fields: list[Field], said: dict[str, list[Candidate]], desk: Desk, source: Source) -> Judgement:
    """The model's texts that pass, else the extractive drafts'. `said` holds each field's candidates, by part."""
    out = Judgement()
    for each in desk.template.fields:
        if each.extract in ("directives", "tasks"):  # not written: the source's own words make them
            entries = desk.drafts[each.name].entries
            out.said += [one for entry in entries for one in sentences(claims(each, entry))]
    for each in sorted(fields, key=_precedence):
        fill = _items if each.shape == "items" else _single
        out.drafts[each.name] = fill(each, said[each.name], desk, source, out)
    for each in sorted(fields, key=_filling):  # the model's own is placed before what only fills up
        if each.shape == "items":
            _fill(each, out.drafts[each.name], desk, source, out)
        elif each.extract == "closing":
            _close(each, out.drafts[each.name], desk, out)
    return out


def _precedence(each: Field) -> int:
    """What was said is not said again, so the parts with fewest sentences choose first: texts, points, then topics."""
    return 2 if each.extract == "topics" else 1 if each.shape == "items" else 0


def _filling(each: Field) -> int:
    """Points first, then topics, then the end."""
    return _precedence(each) or 3


def _single(each: Field, candidates: list[Candidate], desk: Desk, source: Source, out: Judgement) -> Draft:
    fallback, text = desk.drafts[each.name], candidates[0].parts[each.name]
    if any(entry.own_title for entry in fallback.entries) and not source.across:
        return fallback  # its editor knew best
    if each.shape == "choice":
        return Draft([Entry({each.name: text}, written=True)], by_model=True) if text else fallback
    least = LINE if each.shape == "line" else TEXT if each.extract == "central" else CLOSING
    good, reasons = [], []
    for parts, _ in candidates:
        if each.shape == "line":
            text, reason = parts[each.name], _unfit(parts[each.name], each.words, source, desk, least)
        else:
            text, reason = kept(parts[each.name], each, source, desk, out.said, least)
        if reason is None and each.extract == "matching":
            reason = _off_subject(text, each, source, desk)
        if reason is None:
            good.append(text)
        reasons.append(reason)
    if not good:
        instead = "; the source's own words are shown" if fallback.entries else ""
        why = f"the model's text was refused ({reasons[0]}){instead}"
        draft = Draft(list(fallback.entries), missing=[*fallback.missing, why])
        out.refused.append(Refusal(each, reasons[0] or ""))
    else:
        own = [entry.parts[each.name] for entry in fallback.entries if len(candidates) > 1 and not source.across]
        chosen = _agreed([*good, *own])
        if chosen < len(good):
            draft = Draft([Entry({each.name: good[chosen]}, written=True)], by_model=True)
        else:
            draft = Draft(list(fallback.entries), missing=list(fallback.missing))
    if each.extract == "closing" and not draft.by_model:
        return draft  # see _close
    if each.shape == "text":
        out.said += sentences(draft.entries[0].parts[each.name]) if draft.entries else []
    return draft


def _agreed(texts: Sequence[str]) -> int:
    """Which of several texts has most in common with the others, by their content words; the first of equals.

    What a small model makes up it rarely makes up twice.
    """
    stems = [content_stems(text) for text in texts]

    def agreement(number: int) -> float:
        own = stems[number]
        return sum(len(own & other) / max(1, len(own | other)) for other in stems[:number] + stems[number + 1 :])

    return max(range(len(texts)), key=agreement)


def _items(each: Field, candidates: list[Candidate], desk: Desk, source: Source, out: Judgement) -> Draft:
    draft = Draft(by_model=True)
    part, name = answers.main_part(each), answers.main_name(each)
    refused = 0
    most = _most_shown(each, desk)
    quotes = [quote.text for draft in desk.drafts.values() for quote in draft.quotes]
    for parts, read in candidates:
        if len(draft.entries) >= most:
            break
        text, reason = kept(parts[name], part, read, desk, [*out.said, *quotes], ITEM)
        if reason is None and each.extract != "topics" and is_quotation(text):
            reason = "a quotation"
        if reason is None and each.extract == "topics" and length(text) < LEAST_BODY:
            reason = "too short"
        if reason is None and points_back(text):
            reason = "it does not say who or what is meant"
        if reason is None and each.extract == "matching":
            reason = _off_subject(text, each, read, desk)
        if reason:
            refused += 1
        else:
            entry = Entry({**parts, name: text}, list(check(text, read).evidence), written=True)
            _check_parts(each, name, entry, draft, source, desk, out)
            draft.entries.append(entry)
            out.said += sentences(claims(each, entry))
    if refused:
        draft.missing.append(f"{refused} of the model's items were refused: unsupported, or said before")
    return draft


def _off_subject(text: str, each: Field, read: Source, desk: Desk) -> str | None:
    """Why a text does not serve a field of matching sentences, or None: what it rests on holds none of the words.

    Asked for risks, small models list facts, and put the words in themselves.
    """
    wanted = cues.matcher(each.match)
    rests_on = desk.material.at(check(text, read).evidence)
    is_told = any(matches(sentence.text, wanted) for sentence in rests_on)
    return None if is_told else f"it rests on nothing that the source says of {each.label.lower()}"


def _most_shown(each: Field, desk: Desk) -> int:
    """How many items a list shows: a short document has not many points that are none of its summary."""
    if each.extract in ("topics", "matching"):
        return each.count[1]
    words = sum(sentence.words for sentence in desk.material.sentences)
    return min(each.count[1], max(each.count[0] + 1, round(words / WORDS_PER_POINT)))


def mend_headings(each: Field, draft: Draft) -> None:
    """A heading that is only the beginning of its section becomes a phrase of it."""
    line = next((part.name for part in answers.together(each) if part.shape == "line"), "")
    for entry in draft.entries if line else []:
        text = entry.parts[answers.main_name(each)]
        if runs_of(entry.parts[line]) & runs_of(text):
            weight = dict.fromkeys(content_stems(text), 1.0)
            phrase = headline.phrase(sentences(text), 3, weight) or " ".join(entry.parts[line].split()[:3])
            entry.parts[line] = phrase.strip(" ,;:")


def _check_parts(
    each: Field, name: str, entry: Entry, draft: Draft, source: Source, desk: Desk, out: Judgement
) -> None:
    """The parts written with an item, beside its claim: a heading is mended, a text that is refused left empty."""
    for part in answers.together(each):
        if part.name == name or part.shape == "choice":
            continue
        own = entry.parts[part.name]
        if part.shape == "line":
            earlier = [other.parts[part.name] for other in draft.entries]
            if not is_heading(own, part.words, entry.parts[name], source, earlier):
                out.untitled.append((each.name, part, entry))
                weight = dict.fromkeys(content_stems(entry.parts[name]), 1.0)
                lines = [headline.phrase([entry.parts[name]], part.words, weight), headline.clause(own, part.words)]
                entry.parts[part.name] = next(filter(None, lines), headline.clause(entry.parts[name], part.words))
        else:
            text, reason = kept(own, part, source, desk, [entry.parts[name]], ITEM)
            entry.parts[part.name] = "" if reason else text


def _fill(each: Field, draft: Draft, desk: Desk, source: Source, out: Judgement) -> None:
    """Add the extractive writer's entries: topics that the model left out; of other lists what is wanted at least.

    Beside the model's own in another language nothing is added.
    """
    name = answers.main_name(each)
    every = desk.drafts[each.name].entries
    own = [entry for entry in every if each.extract == "matching" or _is_plain(entry.parts[name])]
    if each.extract == "insights":
        own += _others(answers.main_part(each), name, each, desk)
    before = list(out.said)  # its own entries do not repeat each other
    wanted = each.count[0]
    if each.extract == "topics":  # in a long document the model's own are about its first pages
        is_long = sum(sentence.words for sentence in desk.material.sentences) > _LONG
        wanted = each.count[1] if is_long else max(wanted, len(own))
    elif each.extract == "matching":  # what the source has of it is rarely more than fits
        wanted = each.count[1]
    # In a conversation all may be in somebody's own voice: better than less than is wanted at least.
    spoken = [entry for entry in every if entry not in own] if each.extract == "topics" else []
    if source.across and draft.entries:
        own, spoken = [], []
    for entry in [*own, *spoken]:
        enough = each.count[0] if entry in spoken else wanted
        if len(draft.entries) >= min(enough, each.count[1]):
            break
        others = out.said if each.extract == "insights" else before
        least = LEAST_BODY if each.extract == "topics" else 1
        if new := _unsaid(entry, name, others, desk, least):
            draft.entries.append(new)
            out.said += sentences(claims(each, new))
    if not draft.entries and each.count[0]:
        draft.entries += own[:1]  # said before, but better than an empty field
    if not draft.entries:
        draft.missing += desk.drafts[each.name].missing or ["the model found none"]
    if each.extract == "topics":
        draft.entries.sort(key=lambda entry: min((span.start for span in entry.evidence[:1]), default=0))


def _close(each: Field, draft: Draft, desk: Desk, out: Judgement) -> None:
    """What the source ends with, where the model's conclusion was refused: what of it was not said, else the last."""
    if draft.by_model or not draft.entries:
        return
    own = draft.entries[0]
    draft.entries[0] = _unsaid(own, each.name, out.said, desk) or _last(each, out.said, desk) or own
    out.said += sentences(draft.entries[0].parts[each.name])


def _unsaid(entry: Entry, name: str, said: list[str], desk: Desk, least: int = 1) -> Entry | None:
    """An extractive entry without the sentences that were said; None if fewer than `least` words are left."""
    text = entry.parts[name]
    every = [s for s in desk.material.at(entry.evidence) if stem_overlap(s.text, text) > REPEATS]
    new = [s for s in every if not is_said(s.text, said)]
    if len(new) == len(every):
        return None if points_back(text) or (is_said(text, said) and not new) else entry
    pick = select.named(select.pick_of(new), len(text.split()))
    if len(pick.text.split()) < least or points_back(pick.text):
        return None
    return Entry({**entry.parts, name: pick.text}, list(pick.evidence))


def _last(each: Field, said: list[str], desk: Desk) -> Entry | None:
    """The last sentence of the document that can stand alone and was not said."""
    for s in reversed(desk.material.sentences):
        if s.is_usable and s.standing > -0.5 and s.words <= each.words and not is_said(s.text, said):
            pick = select.named(select.pick_of([s]), each.words)
            if not points_back(pick.text) and not malformed(pick.text, each.words):
                return Entry({each.name: pick.text}, list(pick.evidence))
    return None


def _others(part: Field, name: str, each: Field, desk: Desk) -> list[Entry]:
    """The document's best sentences that can stand alone, for where nothing else is left."""
    usable = [s for s in desk.material.sentences if s.is_usable and s.standing > -0.5 and s.words <= part.words]
    picks = [
        select.named(select.pick_of([s]), part.words) for s in sorted(usable, key=lambda s: -desk.material.salience(s))
    ]
    empty = {other.name: "" for other in each.parts}
    texts = [(pick, pick.text) for pick in picks if not is_quotation(pick.text) and _is_plain(pick.text)]
    return [Entry({**empty, name: text}, list(pick.evidence)) for pick, text in texts]


# One text


def kept(text: str, part: Field, source: Source, desk: Desk, said: list[str], least: Least) -> tuple[str, str | None]:
    """The sentences of a text that may be shown, and None; or the text itself and why too little of it may be."""
    shown: list[str] = []
    reasons: list[str] = []
    for sentence in sentences(text):
        if len(shown) == part.sentences[1]:
            break
        reason = _unfit(sentence, part.words, source, desk, least)
        if reason is None and sum(len(one.split()) for one in [*shown, sentence]) > part.words:
            reason = f"longer than {part.words} words"
        if reason is None and is_said(sentence, [*said, *shown]):
            reason = SAID_BEFORE
        if reason is None and reasons and not shown and cues.ANAPHORIC.match(sentence):
            reason = "points back"
        if reason:
            reasons.append(reason)
        else:
            shown.append(sentence)
    rest = joined(shown)
    if not rest:
        return text, reasons[0] if reasons else "no answer"
    if len(shown) < part.sentences[0] and length(rest) < part.words // 2:
        return text, reasons[0] if reasons else "too short"
    return rest, None


def _unfit(text: str, most_words: int, source: Source, desk: Desk, least: Least) -> str | None:
    if not is_answer(text):
        return "no answer"
    reason = unfit(text, source, least, most_words)
    if reason is None:
        inside = desk.material.at(check(text, source).evidence[:1])
        if inside and not any(_is_story(sentence) for sentence in inside):
            reason = "rests on what is no part of the story"  # an advertisement, a greeting
    return reason


def _is_story(sentence: Sentence) -> bool:
    """Whether a sentence of the document is unfit to be shown for nothing worse than that it leans on another."""
    return sentence.is_usable or bool(cues.ANAPHORIC.match(sentence.text) or cues.PRONOUN_SUBJECT.search(sentence.text))


def _is_plain(text: str) -> bool:
    return not malformed(text, _ANY) and not in_own_voice(text)


def is_answer(text: str) -> bool:
    """Whether a text says anything: not "Done." or "The text does not say what follows."."""
    return length(text) >= _LEAST_ANSWER and not _SAYS_NOTHING.match(text)
