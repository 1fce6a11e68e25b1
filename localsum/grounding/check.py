"""Whether a document supports a text: verdict, reasons for people, and evidence. Knows nothing of who wrote the text.

Word for word is supported. A contradiction that a rule finds makes a sentence unsupported, too few shared words make it
partial. What no rule contradicts counts as supported: a wrong claim made of the source's own words may pass. Of a text
in another language than the document little can be checked, and so it is partial at best (across.py).
"""

from __future__ import annotations

import re
from itertools import islice

from localsum.brief import Grounding, Verdict
from localsum.document import Span
from localsum.grounding import across, claims, facts
from localsum.grounding.case import Case, Finding, Rule
from localsum.grounding.source import Source, Statement, sentence_spans
from localsum.grounding.words import words

VERBATIM = "verbatim"
_PLACES = 20  # places of a verbatim sentence that are looked at
PARTIAL_SENTENCE = "taken out of a sentence that says more"

# What may turn the rest of its sentence: "It is not true that A bought B" says "A bought B" word for word.
_TURNING = re.compile(
    r"\b(?:not|never|no|nor|false|wrong|untrue|myth|hoax|den(?:y|ie[sd])|refuted?|if|unless|whether|except|without"
    r"|hardly|rumou?rs?)\b|n['’]t\b",
    re.IGNORECASE,
)


def check(text: str, source: Source, also: Rule | None = None) -> Grounding:
    """What `source` says to `text`, of any number of sentences; the verdict is that of its weakest sentence.

    Evidence is up to three sentences of the document for each sentence of the text, as spans of the document, best
    first; of a verbatim sentence exactly its own place. `also` is one more rule for the sentences that are not
    verbatim, such as one that asks a model how likely the sentence is after its evidence.
    """
    found: list[Finding] = []
    evidence: dict[Span, None] = {}
    copied = 0
    sentences = [text[start:end] for start, end in sentence_spans(text)]
    if not words(text):
        return Grounding("unsupported", (), ("nothing said",))
    for sentence in sentences:
        places = list(islice(source.find(sentence), _PLACES))
        place = next((place for place in places if not _TURNING.search(source.rest_of_sentence(place))), None)
        if place:
            copied += 1
            evidence[place] = None
            continue
        wrong, support = findings(sentence, source, also)
        found += wrong
        if places:
            found.append(Finding(PARTIAL_SENTENCE, hard=False))
        evidence.update(dict.fromkeys(support))
    reasons = [finding.reason for finding in sorted(found, key=lambda finding: not finding.hard)]
    if copied == len(sentences):
        reasons = [VERBATIM]
    return Grounding(verdict(found), tuple(evidence), tuple(dict.fromkeys(reasons)))


def findings(sentence: str, source: Source, also: Rule | None = None) -> tuple[list[Finding], list[Span]]:
    """All that is wrong with one sentence, and the spans of its evidence, best first."""
    if source.across:
        return across.findings(sentence, source)
    statement = Statement(sentence, source.english)
    case = Case(statement, source, tuple(source.evidence(statement)))
    rules = [*facts.RULES, *(claims.RULES if source.english else ()), *([also] if also else [])]
    found = dict.fromkeys(finding for rule in rules for finding in rule(case))
    return list(found), [source.spans[i] for i in case.evidence]


def verdict(found: list[Finding]) -> Verdict:
    """The verdict that findings make: one hard one is enough."""
    if any(finding.hard for finding in found):
        return "unsupported"
    return "partial" if found else "supported"
