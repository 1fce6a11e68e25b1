"""Who is there and who has to do what: the speakers of a transcript, and whom a sentence gives something to do.

Names are the document's: of its speakers, or words of the sentence. Patterns only.
"""

from __future__ import annotations

import re
from collections import Counter

from localsum.document import Span
from localsum.grounding.words import is_unfinished
from localsum.writing import select
from localsum.writing.directives import advice
from localsum.writing.material import Material, Sentence
from localsum.writing.shelf import Shelf

_NAME = r"(?:(?:Dr|Mr|Mrs|Ms|Prof)\.? )?[A-Z][\w’'-]+(?: [A-Z][\w’'-]+){0,2}"
_WHO = rf"(?:{_NAME}|(?:[Tt]he|[Oo]ur|[Yy]our) (?:[\w’'-]+ ){{0,3}}?[\w’'-]+)"
_TO_DO = (
    r"(?:to|will|['’]ll|shall|(?:is|are) (?:going )?to|needs? to|should|must|has to|have to|ought to|agreed to"
    r"|agrees to|offered to|volunteered to|promised to|plans to|is responsible for|can)"
)
_ACTS = re.compile(
    rf"(?:\A|[,;:.] (?:and |so |then )?|\b(?:that|so|and) )(?P<who>{_WHO})(?: also| then)?(?=['’ ]) ?{_TO_DO}\b"
)
_NO_VERB = r"(?!(?:Can|Could|Would|Will|Should|Do|Did|Are|Have|If|When|As|What|How|Why)\b)"
_ASKED = re.compile(
    rf"(?:\A|[,.] )(?:(?:so|and|okay|ok),? )?{_NO_VERB}(?P<who>{_NAME}),? (?:please\b|(?:can|could|would|will) you\b"
    rf"|you(?:['’]ll| )|I (?:need|want) you\b)"
    rf"|\b(?i:can|could|would|will) you\b[^?]*, (?P<last>{_NAME})\?"
    rf"|\b(?:ask|tell|assign|want|let|have|urge)(?:s|ed)? (?P<told>{_NAME}) to\b"
)
_SELF = re.compile(
    r"\bI(?:['’]ll| will| can|['’]m going to| am going to| shall| have to| need to| should)\b|\b[Ll]et me\b"
)
_NOBODY = frozenset(
    """We You They It He She I This That There Somebody Someone Everybody Everyone Anyone And But So Then If What Who
    Action Next Which Let When Actions Please Okay Yes No Well Now One All Some These Those Here Or To""".split()  # noqa: SIM905
)
# What people do for a meeting after it.
_DO = (
    r"(?:send|share|write|draft|prepare|check|look (?:into|at|up)|follow up|get back|update|schedule|set up"
    r"|organi[sz]e|call|e?mail|ask|talk (?:to|with)|speak with|reach out|review|finish|create|put together"
    r"|circulate|post|file|fix|test|build|book|contact|confirm|report|bring|work on|take care"
    r"|take (?:that|this|it) (?:on|over)|run|document|add (?!to that)|find out|coordinate|arrange|provide|distribute"
    r"|summari[sz]e|compile|collect|order|invite|meet|submit|present|propose|measure|publish|sign|handle|deliver"
    r"|complete|figure out|open a|raise (?:it|this|that|a)|design|rewrite|move|remove|change"
    r"|train|print|buy|pay|clean|draw|plan|remind|translate|switch|replace|install|negotiate|hire|upload)"
)
_SOMEBODY = r"(?-i:(?!(?:They|We|You|It|He|She|This|That|There|What|Who|People|And|But|So|Or|To)\b)[A-Z][a-z][\w’'-]*)"
_WILL = r"(?:['’]ll| will|['’]m going to| am going to| (?:is|are) going to)"
# Somebody takes something on, or is asked to: "I'll send", "Dana will check", "can you write", "Action: Dana to call".
_TASK = re.compile(
    rf"\bI{_WILL}\s(?:\w+ly\s|also\s|then\s|just\s|go ahead and\s|try to\s){{0,2}}{_DO}\b"
    rf"|\b(?:{_SOMEBODY}|we){_WILL}\s(?:also\s|then\s|both\s)?{_DO}\b"
    rf"|\b(?:can|could|would|will) you (?:please |also |just )?{_DO}\b"
    rf"|\b(?:we|somebody|someone|{_SOMEBODY}) (?:need|needs|have|has) to (?:also |then )?{_DO}\b"
    rf"|\b(?:action (?:items?|points?)|to[- ]do|next steps?|actions?)\s?:|\bplease {_DO}\b"
    rf"|\A{_SOMEBODY} to {_DO}\b|\bis (?:responsible for|in charge of) \w+ing\b",
    re.IGNORECASE,
)
_COMMITS = re.compile(rf"\bI{_WILL}\s\w+", re.IGNORECASE)  # with a day, whatever it is
_QUOTED = re.compile(r"[\"“][^\"“”]*[\"”]")
# Talk of the meeting itself, and what is only supposed.
_NO_TASK = re.compile(
    r"\b(?:I (?:can|will|['’]ll) (?:show you|ask you|read (?:it|you)|present|report that)|as I|like I|would you say"
    r"|if (?:we|you|I|they)|when (?:we|you|I)|you(?:['’]ll| will) (?:read|find|ask|run)|say that again|talk to you"
    r"|ask (?:it|that|this)|(?:short|brief) (?:response|answer))\b",
    re.IGNORECASE,
)
_DAY = (
    r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|january|february|march|april|may|june|july|august|september|october"
    r"|november|december)"
)
_BY_WHEN = re.compile(
    rf"\b(?:by|before|until|no later than)\s(?:the\s(?:end|next|\d)|end of|next|tomorrow|tonight|noon|{_DAY})"
    rf"|\b(?:on|this|next)\s(?:{_DAY}|week|month|the\s\d)|\bend of (?:the\s)?(?:day|week|month|quarter|year)\b"
    r"|\b(?:tomorrow|tonight|asap|as soon as possible|after (?:the|this) meeting)\b",
    re.IGNORECASE,
)


def tasks(material: Material, shelf: Shelf, *, most: int, words: int, impact_words: int) -> list[select.Insight]:
    """What somebody says he will do, is asked or has to do, in the document's order; those with a day first.

    Where nobody speaks, also what the document recommends.
    """
    spoken = any(block.speaker for block in material.document.blocks)
    advised = set() if spoken else {s.index for s in advice(material, words)}

    def score(sentence: Sentence) -> float:
        return 1.0 * bool(_BY_WHEN.search(sentence.text)) + 0.4 * sentence.centrality + 0.5 * sentence.standing

    def is_task(sentence: Sentence) -> bool:
        text = _QUOTED.sub("", sentence.text)
        if sentence.index in advised:
            return True
        if is_unfinished(sentence.text) or (text.endswith("?") and not _ASKED.search(text)):
            return False
        if _NO_TASK.search(text) or not (_TASK.search(text) or (_COMMITS.search(text) and _BY_WHEN.search(text))):
            return False
        return bool(_BY_WHEN.search(text) or owner(material, sentence))

    pool = [s for s in material.sentences if 5 <= s.words <= words and is_task(s)]
    found: list[select.Insight] = []
    for sentence in sorted(pool, key=lambda s: (-score(s), s.index)):
        if len(found) < most and shelf.is_free(sentence):
            found.append(select.insight_of(material, sentence, shelf, words=words, impact_words=impact_words))
    return sorted(found, key=lambda insight: insight.pick.evidence[0].start)


def owner(material: Material, sentence: Sentence) -> str:
    """Whom the sentence gives something to do: a name, "The council", the speaker who says "I will"; "" if nobody."""
    for pattern in (_ASKED, _ACTS):
        for match in pattern.finditer(sentence.text):
            who = next(name for name in match.groups() if name)
            if who.split()[0] not in _NOBODY:
                return _in_full(who.removesuffix("’s").removesuffix("'s"), material)
    if _SELF.search(sentence.text):
        return material.document.blocks[sentence.block].speaker or ""
    return ""


def _in_full(name: str, material: Material) -> str:
    """The name of the one speaker whose name has these words; else the name as it is."""
    known = dict.fromkeys(block.speaker for block in material.document.blocks if block.speaker)
    alike = [speaker for speaker in known if set(name.split()) <= set(speaker.split())]
    return alike[0] if len(alike) == 1 else name


def speakers(material: Material, most: int) -> tuple[list[tuple[str, Span]], int]:
    """Who speaks, in order of their first words, and how many are left out: those who say least.

    Each with the place of the name before the first turn, or of the turn where the name is not in the text.
    """
    document = material.document
    said: Counter[str] = Counter()
    places: dict[str, Span] = {}
    at = 0
    for block in document.blocks:
        if block.speaker:
            said[block.speaker] += len(document.text[block.start : block.end].split())
            named = document.text.find(block.speaker, at, block.start)
            own = Span(named, named + len(block.speaker)) if named >= 0 else Span(block.start, block.end)
            places.setdefault(block.speaker, own)
        at = block.end
    chosen = {name for name, _ in said.most_common(most)}
    return [(name, place) for name, place in places.items() if name in chosen], len(places) - len(chosen)
