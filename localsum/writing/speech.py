"""Quotations: what the document puts between quotation marks, and who says it. Verbatim spans, found by pattern."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from localsum.document import Span
from localsum.grounding.names import Name, names_in
from localsum.grounding.words import normal
from localsum.writing.material import Material, Sentence
from localsum.writing.turns import NAME, NOT_NAMES

_MARKS = re.compile(r"“[^“”\n]{20,600}”|\"[^\"\n]{20,600}\"|„[^„“\n]{20,600}“|«[^«»\n]{20,600}»")
_SAYS = (
    r"(?:said|says|told|tells|wrote|writes|added|adds|explained|explains|noted|notes|argued|argues|warned|warns"
    r"|asked|asks|replied|replies|announced|insisted|insists|conceded|admits|admitted|recalled|continued|continues"
    r"|stated|states|claims|claimed|believes|put it|concluded|observed|joked|tweeted|posted)"
)
# “…,” said Anneke Duvall, / “…,” said its chair, Anneke Duvall / “…,” the minister said / “…,” Duvall said
_TITLED = r"(?:(?:the|its|their|his|her|an?)\s+[a-z][\w’' -]{2,60},\s+)?"
_AFTER = re.compile(rf"\s*,?\s*(?:{_SAYS}\s+{_TITLED}(?P<a>{NAME})|(?P<b>{NAME})(?:,[^,.;“\"]{{3,60}},)?\s+{_SAYS}\b)")
# Anneke Duvall, the technology officer, said: “…” / According to Duvall, “…”
_BEFORE = re.compile(
    rf"(?:(?P<a>{NAME})(?:,[^,.;“\"]{{3,80}},)?\s+(?:\w+ly\s+)?{_SAYS}(?:\s+[\w’' ]{{1,40}})?[,:]?"
    rf"|[Aa]ccording to (?P<b>{NAME}),?)\s*$"
)
_SHE_SAID = re.compile(rf"\s*,?\s*(?:(?:she|he)\s+(?:{_SAYS})\b|(?:{_SAYS})\s+(?:she|he)\b)")
# “It is theirs,” said Wren. “But …”: nobody else came in between.
_NO_STOP = r"(?:[^.!?“”\"\n]|\b[ap]\.m\.(?=\s[a-z]))"
_GOES_ON_TALKING = re.compile(
    rf"[,.!?…]?[”\"“]\s*{_NO_STOP}{{0,90}}\b{_SAYS}\b{_NO_STOP}{{0,90}}(?:\.|[ap]\.m\.)[ \t]+"
)
# “If we would not let a resident do it,” the report says, “we do not let …”: the first half is no sentence.
_GOES_ON = re.compile(r"[^“”\".!?\n]{3,90},\s+[“\"][a-z]")
_SOMEBODY_SAID = re.compile(
    rf"(?P<a>{NAME})(?:\s(?:at|of|from|with)\s(?:the\s)?{NAME})?(?:(?:,[^,.;“\"]{{3,110}}){{1,2}},)?\s+(?:{_SAYS}|thinks|thought|reckons)\b"
    rf"|\b{_SAYS}\s+{_TITLED}(?P<b>{NAME})"
)
# "Its chairwoman, Siri Bakke, wants more": somebody by office and full name.
_APPOSED = re.compile(
    r"\b[A-Za-z]*(?:er|or|man|woman|ist|ant|ent|head|chief|chair|minister|secretary|nurse|boss|partner|founder),"
    rf"\s(?P<name>{NAME}),"
)
_WHO = re.compile(rf"(?P<name>{NAME}), who\b[^,.;“\"\n]{{3,110}}")  # with all that is said of them
# "And Dimitra Palaiologou": what the sentence begins with is no part of the name, a title is.
_LEADING = re.compile(rf"(?:(?:{'|'.join(sorted(NOT_NAMES - {'Mr', 'Mrs', 'Ms', 'Dr'}))})\s)+(?=[A-Z])")
_MOST_NAMES = 4  # words of one person
_NO_FIRST_NAME = re.compile(
    r"(?:\w+(?:day|ly|ing|ed)|Later|Then|Now|Still|However|Instead|Also|Perhaps|Meanwhile|Former|Today|Tomorrow|Even"
    r"|Only|Like|Unlike|Since|Until|Once|Again|Yet|So|Because|Though|Although|What|Who|Why|How|Where|Here|There)\s"
)


@dataclass(frozen=True, slots=True)
class Saying:
    """Somebody's words: `span` is what stands between the marks."""

    span: Span
    speaker: str | None
    sentence: Sentence | None  # where it stands


def sayings(material: Material, *, least_words: int, most_words: int) -> list[Saying]:
    """Whole sentences between quotation marks, in order; fragments and titles in quotation marks are left out."""
    text = material.document.text
    starts = [s.span.start for s in material.sentences]
    found: list[Saying] = []
    people: list[Name] | None = None
    for match in _MARKS.finditer(text):
        start, end = match.start() + 1, match.end() - 1
        while end > start and text[end - 1] in ", ":
            end -= 1
        body = text[start:end]
        if not least_words <= len(body.split()) <= most_words or not (body[:1].isupper() or body[:1].isdigit()):
            continue
        if _GOES_ON.match(text, match.end()):
            continue
        speaker = _speaker(text, match.start(), match.end())
        if speaker is None and _SHE_SAID.match(text, match.end()):
            speaker = _last_speaker(text[text.rfind("\n", 0, start) + 1 : start])
        if speaker is None and found and _GOES_ON_TALKING.fullmatch(text, found[-1].span.end, match.start()):
            speaker = found[-1].speaker
        if speaker is None and text[match.end() - 2] not in ".!?,…":
            continue
        if speaker and " " not in speaker:
            people = _people(text) if people is None else people
            speaker = _in_full(speaker, people, start)
        at = bisect_right(starts, start) - 1
        home = material.sentences[at] if at >= 0 and start < material.sentences[at].span.end else None
        found.append(Saying(Span(start, end), speaker, home))
    return found


def _speaker(text: str, start: int, end: int) -> str | None:
    line = text.rfind("\n", 0, start) + 1
    is_closed = text[end - 2] == "."  # then what follows is a sentence of its own
    after = None if is_closed else _AFTER.match(text[end : end + 120].partition("\n")[0])
    before = _BEFORE.search(text[max(line, start - 160) : start])
    for match in (after, before):
        if match and (name := match["a"] or match["b"]) and name.split()[0] not in NOT_NAMES:
            return name.removesuffix("’s").removesuffix("'s")
    return None


def _people(text: str) -> list[Name]:
    """Names of several words, as people have them; at the head of a sentence not "Yesterday Teo"."""
    names = (name for name in names_in(text) if not name.version and 2 <= len(name.parts) <= _MOST_NAMES)
    return [name for name in names if name.sure or not _NO_FIRST_NAME.match(name.text)]


def _in_full(name: str, people: Sequence[Name], before: int) -> str:
    """Somebody named by one word, as the text names them in full above: "Teo" is Meredith Teo, if no other Teo is."""
    full = {each.parts: each.text for each in people if each.start < before and each.parts[-1] == normal(name)}
    return next(iter(full.values())).removesuffix("’s").removesuffix("'s") if len(full) == 1 else name


def _last_speaker(before: str) -> str | None:
    """Whom "she said" means: the last one of the paragraph so far who says something by name, or has an office."""
    names = [_LEADING.sub("", match["a"] or match["b"]) for match in _SOMEBODY_SAID.finditer(before)]
    named = [name for name in names if name not in NOT_NAMES]
    if named:
        return named[-1]
    *_, last = [None, *sorted([*_APPOSED.finditer(before), *_WHO.finditer(before)], key=re.Match.start)]
    if last is None or " " not in last["name"] or any(len(name.parts) > 1 for name in names_in(before[last.end() :])):
        return None
    return last["name"]
