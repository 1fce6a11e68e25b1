"""Short lines out of sentences: a title or heading as a clause of the document's own. Patterns only, no model."""

from __future__ import annotations

import re
from collections.abc import Mapping

from localsum.grounding.words import content_stems, listed, words
from localsum.writing import cues

_PARENTHESES = re.compile(r"\s*[(\[][^()\[\]]{0,200}[)\]]")
_LEADING_ADVERBIAL = re.compile(
    r"(?:(?:On|In|At|By|After|Before|Since|For|With|Under|During|Last (?:week|month|year)|This (?:week|month|year)"
    r"|Earlier|As of|According to|Despite|While|When|As|Once|Where|Although)\s[^,;:]{2,60}),\s+(?!(?:it|he|she|they"
    r"|we|I|you|this|that|these|those)\b)"
)
# "At 2:14 on a Friday morning last March" is no clause: a verb is wanting.
_ADVERBIAL = re.compile(r"(?:on|in|at|by|after|before|since|for|with|under|during|despite)\b", re.IGNORECASE)
_FINITE = re.compile(r"\b(?:is|are|was|were|has|have|had|will|would|can|could|may|said|says|[a-z]+ed|[a-z]+s the)\b")
# Where a clause may end, the best places first.
_ENDS = (
    re.compile(r"\s+[—–]\s+|\s-\s|;\s+|:\s+"),
    re.compile(
        r",\s+(?:which|who|whose|where|when|while|as|after|because|according|although|but|and|so|with|including"
        r"|\w+ing)\b"
    ),
    re.compile(
        r"\s+(?:which|because|although|whereas|according to|despite|unless|while|after|before|when|since|until"
        r"|following|amid)\s"
    ),
    re.compile(r",\s+"),
    re.compile(r"\s+(?:and|but|as|that|with|in|on|at|for|by|from|over|under|during|through)\s"),
)
_SAID = re.compile(
    r",?\s+(?:\S+\s){0,3}(?:said|says|told|wrote|announced|warned|warns|indicated|indicates|suggests?|suggested"
    r"|reported|found)\b.*$|^.{3,60}?\b(?:said|says|announced)(?:\s+on\s+\w+day)?\s+(?:that\s+)?(?=[a-z])"
)
# "X said on Monday that they will spend" is "X will spend".
_SAID_THAT_THEY = re.compile(
    r"^(.{3,120}?)\s(?:said|says|announced)(?:\son\s\w+day)?(?:\sthat)?\s(?:it|they|he|she)\s(will|would|plans?"
    r"|intends?|ha[sd]|have)\b"
)
_DANGLING = listed(
    """a an the of to and or but with for from by in on at as than that its their his her is are was were be has have
    had will would came come comes happened followed follows who which whose where when while"""
)
_NEVER_LAST = listed("the a an and or but nor that which who whose as than because if when while my our your their its")
_NUMBER = re.compile(r"^(?:\d+(?:\.\d+)*[.)]?|[IVX]+[.)])\s+(?=\S)")
_INSIDE = listed("of for and the in on")
# After these a word in lower case is a verb, or the run has its subject before it.
_BEFORE_VERB = listed(
    "to or will would can could should must may might not i we they you he she it who that really just also"
)
# Words that name no topic: places in time, counts, and what can be said of anything.
_WEAK = listed(
    """last next first second third other another new old early late earlier later ago since past straight specific
    particular various own many more most few several two three four five six seven eight nine ten dozen hundreds
    thousands half monday tuesday wednesday thursday friday saturday sunday january february march april may june
    july august september october november december today yesterday tomorrow year years month months week weeks day
    days hour hours minute minutes time times morning evening night people person man men woman women way ways lot
    part parts kind kinds sort bit stuff currently home little big large small good better best great nice long
    short full whole different main major important certain able sure said mr mrs ms dr maybe somebody nobody percent
    percentage case cases mondays tuesdays wednesdays thursdays fridays saturdays sundays spring summer autumn
    winter weekend weekends"""
)
# Somebody's post is no topic.
_POSTS = listed("officer executive chief spokesman spokeswoman chairman chairwoman presenter")
_LOOSE_ARTICLE = re.compile(r"\b(?!(?:of|for|in|on|and)\b)\w+ the\b", re.IGNORECASE)
_TELLS = re.compile(
    r"(?:suggest|show|say|mean|indicate|reveal|argue|claim|note|warn|allow|help|make|come|begin"
    r"|sound|look|seem|feel|leave|run|go|get|take)s?"
)
# Verbs that stand in many sentences and in no heading made of nouns.
_VERBS = listed(
    """went gone left leave leaves came took take takes gave give gives got gets get made makes make told saw kept keep
    keeps let lets put puts ran sent send sends sold sell sells bought buy buys won lost met paid pay pays led held hold
    holds grew rose fell began became become becomes brought bring brings built drew drove felt knew know knows meant
    spent stood thought think thinks wrote write writes want wants wanted tried try tries asked ask asks tell tells
    understands understand believes believe expects expect gonna
    conclude concludes decide decides call calls called"""
)
_VERBAL = re.compile(r"\w{2,}(?:ed|ing)")
# A document's own title is no headline if it only numbers an issue.
_GENERIC = re.compile(
    r"\b(?:issue|episode|ep|vol(?:ume)?|no|week(?:ly)?|daily|digest|newsletter|news|update|roundup|transcript"
    r"|untitled|home|part)\b|#?\d+$",
    re.I,
)


_SITE = re.compile(r"(?<=\S{3})\s+[-|·–—]\s+([^|·–—]{2,40})$")
_LEAST_SHARE = 0.5  # of 113 titles of news and posts four that fit have less

# Headings that name a place in the text, not what it is about.
_FORMAL = re.compile(
    r"(?:introduction|intro|background|overview|summary|conclusions?|discussion|results|methods?|abstract|references"
    r"|links|notes|footnotes|appendix|more|misc(?:ellaneous)?|in brief|faq|table of contents|contents)\W*$",
    re.I,
)


def is_telling(heading: str) -> bool:
    """Whether a document's own heading says what its section is about."""
    return bool(content_stems(heading)) and not _FORMAL.match(heading)


def is_generic(title: str) -> bool:
    """Whether a title seems to number an issue: "Weekly update", "Episode 66"."""
    return bool(_GENERIC.search(title))


def own_title(title: str, text: str, most_words: int) -> str:
    """A document's own title, "" if it does not name who or what: too short, or not about what the text says.

    The name of the site behind it is taken off; a long one is cut where a clause ends.
    """
    known = content_stems(text)
    line = " ".join(title.split())
    while (site := _SITE.search(line)) and _share(site[1], known) < _LEAST_SHARE:
        line = line[: site.start()]
    if len(line.split()) > most_words:
        line = clause(line, most_words, is_last_resort=False) or clause(line, most_words)
        if line.count("‘") != line.count("’") or line.count("“") != line.count("”"):
            return ""
    stems = content_stems(line)
    if len(line.split()) < 4 or len(stems) < 3 or (is_generic(line) and len(stems) < 5):
        return ""
    return line if _share(line, known) >= _LEAST_SHARE else ""


def _share(line: str, known: set[str]) -> float:
    """How much of the line's content words the text has."""
    stems = content_stems(line)
    return len(stems & known) / max(1, len(stems))


def clause(sentence: str, most_words: int, *, is_last_resort: bool = True) -> str:
    """The main clause of a sentence in at most `most_words` words, without a final stop.

    If there is none so short, "" or, as a last resort, its first words.
    """
    text = cues.without_connective(_PARENTHESES.sub("", sentence)).strip(" “”\"'‘’")
    text = _LEADING_ADVERBIAL.sub("", text, count=1)
    text = text.rstrip(" .!?:;,…")
    text = _SAID_THAT_THEY.sub(r"\1 \2", text, count=1)
    if len(text.split()) > most_words and (said := _SAID.search(text)):
        rest = text[said.end() :] if said.start() == 0 else text[: said.start()]
        text = rest if len(rest.split()) >= 4 else text
    is_whole = sentence.rstrip(' ”"’)')[-1:] in tuple(".!?…")
    for ends in _ENDS if is_last_resort else _ENDS[:3]:
        if len(text.split()) <= most_words:
            break
        cuts = [m.start() for m in ends.finditer(text) if 4 <= len(text[: m.start()].split()) <= most_words]
        cuts = [cut for cut in cuts if not _ADVERBIAL.match(text) or _FINITE.search(text[:cut])]
        if cuts:
            is_whole = text[cuts[-1]] in ",;:"
            text = text[: cuts[-1]]
            break
    if len(text.split()) > most_words and not is_last_resort:
        return ""
    parts = text.split()
    # Where the clause ends by itself, a preposition may be its last word: "what we are short of".
    hanging = _NEVER_LAST if is_whole and len(parts) <= most_words else _DANGLING
    parts = parts[:most_words]
    while len(parts) > 3 and parts[-1].lower().strip(",;:") in hanging:
        parts.pop()
    line = " ".join(parts).strip(' .,;:–—-“”"')
    return line[:1].upper() + line[1:]


def without_number(heading: str) -> str:
    """A document's own heading without the number and the stop it may carry: "2. The cost." is "The cost"."""
    return _NUMBER.sub("", heading).rstrip(":. ")


def _is_cut(text: str, start: int, end: int) -> bool:
    """Whether a run of words begins or ends inside a compound or a longer name."""
    if text[end : end + 1] in ("-", "/", "&") or text[start - 1 : start] in ("-", "/", "&", "#", "@", "."):
        return True
    before = text[:start].split(" ")[-2:-1]
    after = text[end:].split(" ")[1:2] if text[end : end + 1] == " " else []
    is_named = text[start].isupper() and bool(before) and before[0][:1].isupper() and start > len(before[0]) + 1
    return is_named or (text[:end].split(" ")[-1][:1].isupper() and bool(after) and after[0][:1].isupper())


def phrase(texts: list[str], most_words: int, weight: Mapping[str, float]) -> str:
    """The weightiest run of words that could be a noun phrase, "" if there is none."""
    return next(iter(phrases(texts, most_words, weight, 1)), "")


def phrases(texts: list[str], most_words: int, weight: Mapping[str, float], most: int) -> list[str]:
    """Up to `most` runs of words that could be noun phrases, the weightiest first, none within another."""
    found: dict[str, float] = {}
    for text in texts:
        items = words(text)
        for i, first in enumerate(items):
            if first.norm.isdigit():
                continue
            for j in range(i + 1, min(len(items), i + min(most_words, 5))):
                run, inside = text[first.start : items[j].end], items[i : j + 1]
                if any(c in '.,;:!?()[]“”"—–' for c in run) or " - " in run:
                    break
                if _is_cut(text, first.start, items[j].end) or items[j].norm.isdigit():
                    continue
                if i and items[i - 1].norm in _BEFORE_VERB and first.text.islower():
                    continue
                joined = all(w.stem or w.norm in _INSIDE for w in inside) and first.stem and items[j].stem
                last, before = inside[-1], inside[-2]
                seems_verb = last.norm.endswith("s") and last.text.islower() and before.text[0].isupper()
                strong = sum(bool(w.stem) and w.norm not in _WEAK for w in inside)
                edges = (first.norm, last.norm)
                if strong < 2 or seems_verb or any(edge in _WEAK or edge.endswith("ly") for edge in edges):
                    continue
                if any(w.norm in _VERBS or (w.norm.endswith("ly") and w.text.islower()) for w in inside):
                    continue
                if _TELLS.fullmatch(last.norm) or _LOOSE_ARTICLE.search(run) or last.norm.endswith("'s"):
                    continue
                if any(w.norm in _POSTS for w in inside):
                    continue
                if not joined or any(_VERBAL.fullmatch(w.norm) and not w.text[0].isupper() for w in inside):
                    continue
                named = 1.3 if any(w.text[0].isupper() for w in inside[1:]) else 1.0
                score = named * sum(weight.get(w.stem, 0.0) for w in inside) / (1 + 0.35 * len(inside))
                found[run] = max(score, found.get(run, 0.0))
    chosen: list[str] = []
    for run in sorted((run for run in found if found[run] > 0), key=lambda run: -found[run]):
        if len(chosen) < most and not any(run in other or other in run for other in chosen):
            chosen.append(run)
    return [run[:1].upper() + run[1:] for run in chosen]
