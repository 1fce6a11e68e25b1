"""Rules for what a statement claims, in English: who did it, whether not at all, the contrary, how much, how surely.

They know words, not meaning: a contradiction that none of them has a word for passes.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from itertools import pairwise

from localsum.grounding.case import Case, Finding, Rule
from localsum.grounding.names import Name
from localsum.grounding.opposites import NEGATIVE, POSITIVE, TIMES, allies, opposites, rivals
from localsum.grounding.source import Statement
from localsum.grounding.words import NOT, Word, listed, stem, words

_SAID = (
    r"(?:said|says|told|added|wrote|argued|argues|warned|claimed|claims|noted|announced|explained|believes|tweeted)\b"
)
_SAYS = re.compile(rf" {_SAID}")
_SAID_BY = re.compile(rf"(?:\b{_SAID} |\b[Aa]ccording to )\Z")


def attributions(case: Case) -> Iterator[Finding]:
    """Words put into another mouth: the statement and its evidence both name the speaker, and not the same one."""
    for sentence in case.best[:1]:
        speakers = _speakers(sentence)
        for name in _speakers(case.statement):
            there = any(word.norm in name.parts for word in sentence.words)
            if speakers and not there and case.share(sentence) >= 0.5:
                yield Finding(f"said by another in the source: {name.text} (source: {speakers[0].text})")


def _speakers(sentence: Statement) -> list[Name]:
    text = sentence.text
    return [
        name
        for name in sentence.names
        if _SAYS.match(text, name.end) or _SAID_BY.search(text[max(0, name.start - 20) : name.start])
    ]


def roles(case: Case) -> Iterator[Finding]:
    """Who did it to whom, reversed: "A sued B" where the evidence says "B sued A" or "A was sued by B"."""
    for sentence in case.best:
        if case.share(sentence) < 0.6:
            continue
        theirs = {(a, b): (verbs, passive) for a, b, verbs, passive in _deeds(sentence)}
        for a, b, verbs, passive in _deeds(case.statement):
            straight, reverse = theirs.get((a, b)), theirs.get((b, a))
            turned = straight and verbs & straight[0] and passive != straight[1]
            if turned or (reverse and not straight and verbs & reverse[0] and passive == reverse[1]):
                yield Finding(f"roles exchanged: {a} and {b}")


def _deeds(sentence: Statement) -> Iterator[tuple[str, str, set[str], bool]]:
    """Neighbouring names, the stems of the few words between them, and whether "by" is one of those."""
    for a, b in pairwise(sentence.names):
        between = sentence.text[a.end : b.start]
        norms = [word.norm for word in words(between)]
        if 1 <= len(norms) <= 6 and not {"and", "or", "with"} & set(norms) and not re.search(r"[,;:.]", between):
            yield a.parts[-1], b.parts[-1], {stem(norm) for norm in norms} - {""}, "by" in norms


def negations(case: Case) -> Iterator[Finding]:
    """A negation that the source lacks, or one of the source that the statement lacks."""
    statement, best = case.statement, case.best
    silent = best and not any(sentence.negated for sentence in best)
    for word in statement.content:
        strength = statement.negated.get(word.stem)
        if strength is None or any(word.stem in sentence.negated for sentence in case.around):
            continue
        places = [(sentence, other) for sentence in best for other in sentence.content if other.stem == word.stem]
        affirmed = any(strength or case.common(word, *place, 4) >= 2 for place in places)
        if affirmed or (silent and not places and (strength or case.share(best[0]) >= 0.5)):
            yield Finding(f"negated here, not in source: {word.text}")
            return
    if best and not statement.negated and case.share(best[0]) >= 0.4:
        yield from _lost_negation(case, best[0])


def _lost_negation(case: Case, sentence: Statement) -> Iterator[Finding]:
    for word in sentence.content:
        if sentence.negated.get(word.stem) != NOT or not word.norm.isalpha():
            continue
        mine = next((own for own in case.statement.content if own.stem == word.stem), None)
        elsewhere = any(word.stem in other.stems - other.negated.keys() for other in case.around)
        if mine and not elsewhere and case.common(mine, sentence, word, 4) >= 2:
            yield Finding(f"negated in source: {mine.text}")
            return


def contraries(case: Case) -> Iterator[Finding]:
    """A word in the place of its opposite."""
    statement = case.statement
    for word in statement.words:
        form = word.stem or word.norm
        against = opposites(form) - statement.forms
        if not against or form in statement.negated:
            continue
        if re.search(r"years?[-\s]\Z", statement.text[max(0, word.start - 6) : word.start]):  # "a 20-year-old"
            continue
        hit = case.in_place_of(word, against)
        said = any(allies(form) & other.forms for other in case.best)
        if hit and hit.common >= 2 and (hit.beside or not said):
            yield Finding(f"opposite in source: {word.text} (source: {hit.word.text})")


_PREFIXES = ("un", "in", "im", "ir", "il", "non", "dis", "de", "mis", "anti", "sub")
_SWAPS = (("over", "under"), ("pre", "post"), ("up", "down"), ("in", "ex"), ("im", "ex"), ("en", "de"), ("pro", "anti"))
_JOINED = listed("co ex non anti pre post mini semi sub vice pseudo quasi")
# Words that only look as if they had one of these prefixes, although what remains is a word too.
_WHOLE = frozenset(
    stem(word)
    for word in listed(
        """improve impress import impose impart invest inform intend intent inside insight instance increase income
        input install inquire involve indoor invent depart defend design detail default defeat deliver debate defer
        define demand derive describe deserve despite deduce decrease develop discover display discount discourse
        discharge distress dispatch disease dispute district distance submerge subject subway submit subscribe subset
        subside substance mission missile understand united union unless until unit"""
    )
)


def prefixes(case: Case) -> Iterator[Finding]:
    """A word that the evidence has with the contrary prefix or without it: "unsuitable" of "suitable"."""
    yield from _joined_prefixes(case)
    for word in case.statement.content:
        if word.stem in case.source.stems or word.stem in _WHOLE:
            continue
        bare = {stem(word.norm[len(p) :]) for p in _PREFIXES if word.norm.startswith(p) and len(word.norm) > len(p) + 3}
        other = {stem(prefix + word.norm) for prefix in _PREFIXES} - _WHOLE
        for pair in _SWAPS:
            for mine, theirs in (pair, pair[::-1]):
                if word.norm.startswith(mine) and len(word.norm) > len(mine) + 3:
                    other.add(stem(theirs + word.norm[len(mine) :]))
        hit = case.in_place_of(word, bare) or case.in_place_of(word, other)
        if hit and (hit.common or stem(hit.word.norm) in bare):
            yield Finding(f"opposite in source: {word.text} (source: {hit.word.text})")


def _joined_prefixes(case: Case) -> Iterator[Finding]:
    """ "Co-founder" where the source knows no co- anything, only a founder."""
    text, norms = case.statement.text, case.source.norms
    for prefix, word in pairwise(case.statement.words):
        if prefix.norm not in _JOINED or text[prefix.end : word.start] != "-" or prefix.norm in norms or not word.stem:
            continue
        if prefix.norm + word.norm not in norms and any(word.stem in other.stems for other in case.around):
            yield Finding(f"not in source: {text[prefix.start : word.end]} (source: {word.text})")


def kinds(case: Case) -> Iterator[Finding]:
    """One of a kind that the source lacks, where it has another of that kind: "green" of "yellow"."""
    for word in case.statement.words:
        mine = rivals(word.norm)
        if not mine or word.norm in case.source.norms or mine & case.source.kinds:
            continue
        groups = {kind for kind, _ in mine}
        # Units of time are said of everything; they are compared near by only.
        sentences = case.around if TIMES in groups else [*case.around, *case.source.sentences]
        there = (other for sentence in sentences for other in sentence.words)
        hit = next((other for other in there if any(kind in groups for kind, _ in rivals(other.norm))), None)
        if hit:
            yield Finding(f"not in source: {word.text} (source: {hit.text})")


def judgements(case: Case) -> Iterator[Finding]:
    """Blame or praise that the source lacks, where the evidence says the contrary."""
    for word in case.statement.content:
        if word.stem in case.source.stems:
            continue
        for mine, theirs in ((NEGATIVE, POSITIVE), (POSITIVE, NEGATIVE)):
            contrary = any(theirs & other.forms for other in case.best)
            if word.stem in mine and contrary and not any(mine & other.forms for other in case.around):
                yield Finding(f"judgement not in source: {word.text}")


# Words of one number say about the same; two apart is a contradiction.
_AMOUNTS = ("no none never", "few rarely seldom", "some sometimes occasionally", "many several often frequently")
_AMOUNT = {
    word: i for i, group in enumerate((*_AMOUNTS, "most usually", "all every each always")) for word in group.split()
}
_MAYBE = frozenset(("may", "might", "could"))


def _heads(sentence: Statement, heads: Container[str]) -> Iterator[tuple[str, Word]]:
    """The words of `heads` in a sentence, each with the content word that follows within three words."""
    for i, word in enumerate(sentence.words):
        if word.norm in heads:
            following = next((other for other in sentence.words[i + 1 : i + 4] if other.stem), None)
            if following:
                yield word.norm, following


def quantities(case: Case) -> Iterator[Finding]:
    """ "All users" where the evidence says "some users"."""
    theirs = [(amount, word.stem) for sentence in case.best for amount, word in _heads(sentence, _AMOUNT)]
    for amount, word in _heads(case.statement, _AMOUNT):
        others = [other for other, counted in theirs if counted == word.stem]
        if others and all(abs(_AMOUNT[other] - _AMOUNT[amount]) >= 2 for other in others):
            yield Finding(f"quantity differs: {amount} {word.text} (source: {others[0]})")


def certainty(case: Case) -> Iterator[Finding]:
    """ "Will open" where the evidence says "may open"."""
    theirs = {word.stem: modal for sentence in case.best for modal, word in _heads(sentence, _MAYBE)}
    firm = {word.stem for sentence in case.best for _, word in _heads(sentence, ("will", "would", "must"))}
    for modal, word in _heads(case.statement, ("will", "must")):
        if word.stem in theirs and word.stem not in firm:
            yield Finding(f"certainty differs: {modal} {word.text} (source: {theirs[word.stem]} {word.text})")


RULES: tuple[Rule, ...] = (
    attributions,
    roles,
    negations,
    contraries,
    prefixes,
    kinds,
    judgements,
    quantities,
    certainty,
)
