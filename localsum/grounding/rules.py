"""What can be wrong with a statement, one rule after the other: its names, numbers, negations, opposites, quantities, quotations.

A rule compares a statement with the sentences that support it best and yields a finding for each contradiction. Most compare
contexts: the same few content words around another name, number or word are the mark of a fact that was exchanged.
Rules know nothing of each other, of verdicts or of writers. Contradictions that no rule has words for pass.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from itertools import pairwise

from localsum.document import Span
from localsum.grounding.names import Name
from localsum.grounding.opposites import NEGATIVE, POSITIVE, allies, opposites, rivals
from localsum.grounding.source import Source, Statement
from localsum.grounding.values import Value, readings, same
from localsum.grounding.words import NOT, Word, stem, words


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with a statement. `reason` is for people; a `hard` one makes the statement unsupported, another partial."""

    rule: str
    reason: str
    hard: bool = True


@dataclass(frozen=True)
class Case:
    """A statement beside the sentences of the source that support it best, best first."""

    statement: Statement
    source: Source
    evidence: tuple[int, ...]

    @cached_property
    def best(self) -> list[Statement]:
        return [self.source.sentences[i] for i in self.evidence]

    @cached_property
    def around(self) -> list[Statement]:
        """The evidence with the sentences before and after each."""
        count = len(self.source.sentences)
        places = {j for i in self.evidence for j in (i - 1, i, i + 1) if 0 <= j < count}
        return [self.source.sentences[i] for i in sorted(places)]

    def share(self, sentence: Statement) -> float:
        """Share of the statement's content that `sentence` has."""
        stems = self.statement.stems
        return len(stems & sentence.stems) / len(stems) if stems else 0.0


def _context(sentence: Statement, span: tuple[int, int], reach: int = 3) -> set[str]:
    """The stems of the nearest content words before and after a part of a sentence."""
    before = [word.stem for word in sentence.content if word.end <= span[0]]
    after = [word.stem for word in sentence.content if word.start >= span[1]]
    return {*before[-reach:], *after[:reach]}


def _span(part: Word | Name | Value) -> tuple[int, int]:
    return part.start, part.end


def _common(left: Statement, a: Word | Name | Value, right: Statement, b: Word | Name | Value, reach: int = 3) -> int:
    """How many content words the contexts of two parts share."""
    return len(_context(left, _span(a), reach) & _context(right, _span(b), reach))


# ---- names


def names(case: Case) -> Iterator[Finding]:
    """A name that the source lacks: unknown, misspelt, or first and last name of two people."""
    known = case.source.names
    for name in case.statement.names:
        lacking = known.missing(name)
        first = name.parts[0]
        misspelt = not name.sure and not known.has(first) and len(first) > 4 and get_close_matches(first, known.like(first), 1, 0.88)
        if lacking or misspelt:
            yield Finding("name", f"name not in source: {name.text}")


def exchanged_names(case: Case) -> Iterator[Finding]:
    """A name of the source in the place of another one: the evidence has the same words around a name that the text lacks."""
    statement, source = case.statement, case.source
    mine = {part for name in statement.names for part in name.parts}
    for i, sentence in zip(case.evidence, case.best, strict=True):
        if case.share(sentence) < 0.6:
            continue
        nearby = {word.norm for other in source.sentences[max(0, i - 2) : i + 3] for word in other.words}
        for name in statement.names:
            if not name.sure or nearby.intersection(name.parts) or source.names.missing(name):
                continue
            for other in sentence.names:
                if not mine.intersection(other.parts) and _common(statement, name, sentence, other) >= 3:
                    yield Finding("name place", f"name belongs to another statement: {name.text} (source: {other.text})")
                    break


_SAID = r"(?:said|says|told|added|wrote|argued|argues|warned|claimed|claims|noted|announced|explained|believes|tweeted)"
_SPEAKER = [re.compile(rf"\A {_SAID}\b"), re.compile(rf"(?:\b{_SAID} |\b[Aa]ccording to )\Z")]


def _speakers(sentence: Statement) -> list[Name]:
    after, before = _SPEAKER
    return [
        name
        for name in sentence.names
        if after.match(sentence.text[name.end : name.end + 20]) or before.search(sentence.text[max(0, name.start - 20) : name.start])
    ]


def attributions(case: Case) -> Iterator[Finding]:
    """Words put into another mouth: the evidence names its speaker, and the text names another who is not near."""
    for speaker in _speakers(case.statement):
        for i, sentence in zip(case.evidence[:1], case.best, strict=False):
            theirs = _speakers(sentence)
            near = case.source.sentences[max(0, i - 2) : i + 3]
            absent = not any(word.norm in speaker.parts for other in near for word in other.words)
            if theirs and absent and case.share(sentence) >= 0.5:
                yield Finding("speaker", f"said by another in the source: {speaker.text} (source: {theirs[0].text})")


def roles(case: Case) -> Iterator[Finding]:
    """Who did it to whom, reversed: "A sued B" where the evidence says "B sued A"."""
    for sentence in case.best:
        if case.share(sentence) < 0.6:
            continue
        theirs = {(a, b): (verbs, passive) for a, b, verbs, passive in _deeds(sentence)}
        for a, b, verbs, passive in _deeds(case.statement):
            reverse = theirs.get((b, a))
            if reverse and (a, b) not in theirs and verbs & reverse[0] and passive == reverse[1]:
                yield Finding("roles", f"roles exchanged: {a} and {b}")


def _deeds(sentence: Statement) -> Iterator[tuple[str, str, set[str], bool]]:
    """Neighbouring names with the content stems between them, and whether those are in the passive."""
    for a, b in pairwise(sentence.names):
        between = sentence.text[a.end : b.start]
        norms = [word.norm for word in words(between)]
        if 1 <= len(norms) <= 6 and not {"and", "or", "with"} & set(norms) and not re.search(r"[,;:.]", between):
            yield a.parts[-1], b.parts[-1], {stem(norm) for norm in norms} - {""}, "by" in norms


# ---- numbers


def numbers(case: Case) -> Iterator[Finding]:
    """A value that the source lacks, that it says of something else, or whose limit it turns round."""
    statement, source = case.statement, case.source
    versions = [name for name in statement.names if name.version and source.names.has_version(name)]
    for value in statement.values:
        if any(name.start <= value.start and value.end <= name.end for name in versions):
            continue
        if value.text.casefold() == "one" and not value.unit:  # a pronoun more often than a number
            continue
        known = source.values_like(value)
        if not known:
            yield Finding("number", f"number not in source: {value.text}")
        elif not _counted(value) and not _bound_to(case, value, known):
            yield Finding("number place", f"number belongs to another statement: {value.text}")
        elif value.bound and all(other.bound == -value.bound for _, other in known):
            yield Finding("limit", f"limit reversed: {value.text}")


def _counted(value: Value) -> bool:
    """A small spelled number says how many things a text lists; the source need not count them in the same sentence."""
    return not value.unit and value.number <= 12 and value.text.isalpha()


def _bound_to(case: Case, value: Value, known: list[tuple[int, Value]]) -> bool:
    """Whether some sentence with this value, or its neighbours, shares at least two content words with the statement."""
    own = {word.stem for word in case.statement.content if word.end <= value.start or word.start >= value.end}
    sentences = case.source.sentences
    for i, _ in known:
        if i < 0 or len(own & set().union(*(other.stems for other in sentences[max(0, i - 1) : i + 2]))) >= min(2, len(own)):
            return True
    return False


def exchanged_numbers(case: Case) -> Iterator[Finding]:
    """A value in the place of another one of the same unit: the evidence has the same words around a value that the text lacks."""
    statement, source = case.statement, case.source
    for i, sentence in zip(case.evidence, case.best, strict=True):
        near = [(other, value) for other in source.sentences[max(0, i - 2) : i + 3] for value in other.values]
        for value in statement.values:
            if value.unit in ("th", "date", "clock"):
                continue
            own = [_common(statement, value, *place) for place in near if any(same(value, each) for each in readings(place[1]))]
            for other in sentence.values:
                taken = any(same(mine, other) for mine in statement.values)
                if other.unit == value.unit and not taken and _common(statement, value, sentence, other) >= 2 + max(own, default=0):
                    yield Finding("number place", f"number belongs to another statement: {value.text} (source: {other.text})")
                    break


def crossed_numbers(case: Case) -> Iterator[Finding]:
    """Two values of one sentence that have changed places: "50 killed, two missing" of "two killed, 50 missing"."""
    statement = case.statement
    for sentence in case.best[:1]:
        pairs = [(value, other) for value in statement.values for other in sentence.values if same(value, other)]
        for (a, a2), (b, b2) in pairwise(pairs):
            if a is b or a2 is b2 or a.unit != b.unit or a.number == b.number:
                continue
            kept = _common(statement, a, sentence, a2, 1) + _common(statement, b, sentence, b2, 1)
            crossed = _common(statement, a, sentence, b2, 1) + _common(statement, b, sentence, a2, 1)
            if crossed >= kept + 2:
                yield Finding("number place", f"numbers exchanged: {a.text} and {b.text}")


# ---- negation, opposites, kinds


def negations(case: Case) -> Iterator[Finding]:
    """A negation that the source lacks, or a negation of the source that the text lacks."""
    statement, best = case.statement, case.best
    silent = not any(sentence.negated for sentence in best)
    for word in statement.content:
        strength = statement.negated.get(word.stem)
        if strength is None or any(word.stem in sentence.negated for sentence in case.around):
            continue
        places = [(sentence, other) for sentence in best for other in sentence.content if other.stem == word.stem]
        same_place = any(strength or _common(statement, word, sentence, other, 4) >= 2 for sentence, other in places)
        if same_place or (not places and silent and best and (strength or case.share(best[0]) >= 0.5)):
            yield Finding("negation", f"negated here, not in source: {word.text}")
            break
    for sentence in best[:1] if best and not statement.negated and case.share(best[0]) >= 0.4 else ():
        for word in sentence.content:
            if sentence.negated.get(word.stem) != NOT or any(word.stem in s.stems - s.negated.keys() for s in case.around):
                continue
            mine = next((own for own in statement.content if own.stem == word.stem), None)
            if mine and _common(statement, mine, sentence, word, 4) >= 2:
                yield Finding("negation", f"negated in source: {mine.text}")
                return


def contraries(case: Case) -> Iterator[Finding]:
    """A word whose opposite stands in its place in the evidence."""
    statement = case.statement
    for word in statement.words:
        form = word.stem or word.norm
        against = opposites(form) - statement.forms
        if not against or form in statement.negated or any(allies(form) & other.forms for other in case.around):
            continue
        if statement.text[max(0, word.start - 5) : word.start].lstrip().startswith("year"):  # "-year-old"
            continue
        hit = _in_place_of(case, word, lambda other, against=against: (other.stem or other.norm) in against, 2)  # type: ignore[misc]
        if hit:
            yield Finding("opposite", f"opposite in source: {word.text} (source: {hit.text})")


_JOINED = frozenset("co ex non anti pre post mini semi sub vice pseudo quasi".split())
_PREFIXES = ("un", "in", "im", "ir", "il", "non", "dis", "de", "mis", "anti", "sub")


def prefixes(case: Case) -> Iterator[Finding]:
    """A word that the source has without a negative prefix, or only with one: "unsuitable" of "suitable"."""
    text = case.statement.text
    for word, following in pairwise(case.statement.words):
        if word.norm in _JOINED and text[word.end : following.start] == "-" and word.norm not in case.source.norms:
            base = any(following.stem in other.stems for other in case.around) and word.norm + following.norm not in case.source.norms
            if following.stem and base:
                yield Finding("opposite", f"not in source: {text[word.start : following.end]} (source: {following.text})")
    for word in case.statement.content:
        if word.stem in case.source.stems:
            continue
        bare = {stem(word.norm.removeprefix(prefix)) for prefix in _PREFIXES if word.norm.startswith(prefix) and len(word.norm) > len(prefix) + 3}
        longer = {stem(prefix + word.norm) for prefix in _PREFIXES}
        hit = next((other for sentence in case.around for other in sentence.content if other.stem in bare), None)
        hit = hit or _in_place_of(case, word, lambda other, longer=longer: other.stem in longer, 1)  # type: ignore[misc]
        if hit:
            yield Finding("opposite", f"opposite in source: {word.text} (source: {hit.text})")


def _in_place_of(case: Case, word: Word, wanted: Callable[[Word], bool], common: int) -> Word | None:
    for sentence in case.best:
        for other in sentence.words:
            if wanted(other) and _common(case.statement, word, sentence, other) >= common:
                return other
    return None


def kinds(case: Case) -> Iterator[Finding]:
    """One of a kind that the source lacks, where it has another of that kind: "green" of "yellow"."""
    for word in case.statement.words:
        mine = rivals(word.norm)
        if not mine or word.norm in case.source.norms or mine & case.source.kinds:
            continue
        groups = {kind for kind, _ in mine}
        there = [other for sentence in (*case.around, *case.source.sentences) for other in sentence.words] if groups & {k for k, _ in case.source.kinds} else []
        hit = next((other for other in there if any(kind in groups for kind, _ in rivals(other.norm))), None)
        if hit:
            yield Finding("kind", f"not in source: {word.text} (source: {hit.text})")


def judgements(case: Case) -> Iterator[Finding]:
    """A blame or praise that the source lacks, where the evidence says the contrary."""
    for word in case.statement.content:
        if word.stem in case.source.stems:
            continue
        for mine, theirs in ((NEGATIVE, POSITIVE), (POSITIVE, NEGATIVE)):
            if word.stem in mine and any(theirs & s.forms for s in case.best) and not any(mine & s.forms for s in case.around):
                yield Finding("judgement", f"judgement not in source: {word.text}")


# ---- how many, how sure

_AMOUNT = {"all": 5, "every": 5, "each": 5, "always": 5, "entire": 5, "most": 4, "usually": 4, "many": 3, "several": 3, "often": 3, "frequently": 3,
           "some": 2, "sometimes": 2, "occasionally": 2, "few": 1, "rarely": 1, "seldom": 1, "no": 0, "none": 0, "never": 0}  # fmt: skip
_MAYBE = frozenset(("may", "might", "could"))


def _followers(sentence: Statement, heads: object) -> Iterator[tuple[str, Word]]:
    """The words of `heads` with the next content word within three."""
    for i, word in enumerate(sentence.words):
        if word.norm in heads:  # type: ignore[operator]
            following = next((other for other in sentence.words[i + 1 : i + 4] if other.stem), None)
            if following:
                yield word.norm, following


def quantities(case: Case) -> Iterator[Finding]:
    """ "All users" where the evidence says "some users"."""
    theirs = [(amount, word.stem) for sentence in case.best for amount, word in _followers(sentence, _AMOUNT)]
    for amount, word in _followers(case.statement, _AMOUNT):
        others = [other for other, stemmed in theirs if stemmed == word.stem]
        if others and all(abs(_AMOUNT[other] - _AMOUNT[amount]) >= 2 for other in others):
            yield Finding("quantity", f"quantity differs: {amount} {word.text} (source: {others[0]})")


def certainty(case: Case) -> Iterator[Finding]:
    """ "Will" where the evidence says "may"."""
    theirs = {word.stem: modal for sentence in case.best for modal, word in _followers(sentence, _MAYBE)}
    firm = {word.stem for sentence in case.best for _, word in _followers(sentence, ("will", "would", "must"))}
    for modal, word in _followers(case.statement, ("will", "must")):
        if word.stem in theirs and word.stem not in firm:
            yield Finding("certainty", f"certainty differs: {modal} {word.text} (source: {theirs[word.stem]})")


# ---- quotations, words

_QUOTED = re.compile(r"“([^“”]{12,2000})”|\"([^\"]{12,2000})\"")
_GAP = re.compile(r"\.\.\.|…|\[[^\]]{0,80}\]")


def quotations(case: Case) -> Iterator[Finding]:
    """Three words or more between quotation marks that do not stand in the source."""
    for match in _QUOTED.finditer(case.statement.text):
        quoted = match[1] or match[2]
        for piece in _GAP.split(quoted):
            if len(piece.split()) >= 3 and not case.source.says(piece):
                yield Finding("quotation", f"quotation not in source: {quoted[:60]}")
                break


FEW = 0.6  # share of a statement's content words that the source must have


def few_words(case: Case) -> Iterator[Finding]:
    """A statement most of whose words the source lacks. No contradiction, so not hard."""
    stems = case.statement.stems
    share = sum(each in case.source.stems for each in stems) / len(stems) if stems else 1.0
    if share < FEW:
        yield Finding("words", f"few words in common with the source ({share:.2f})", hard=False)


LANGUAGE_FREE = (names, exchanged_names, numbers, exchanged_numbers, quotations, few_words)
ENGLISH = (attributions, roles, crossed_numbers, negations, contraries, prefixes, kinds, judgements, quantities, certainty)


def findings(statement: Statement, source: Source) -> tuple[list[Finding], list[Span]]:
    """All that is wrong with one sentence, hard findings first, and the spans of its evidence, best first."""
    case = Case(statement, source, tuple(source.evidence(statement)))
    rules = (*LANGUAGE_FREE, *ENGLISH) if source.english else LANGUAGE_FREE
    found = {finding.reason: finding for rule in rules for finding in rule(case)}
    return sorted(found.values(), key=lambda finding: not finding.hard), [source.spans[i] for i in case.evidence]
