"""Who is there and who has to do what: the speakers of a transcript, and whom a sentence gives something to do.

Names are the document's: of its speakers, or words of the sentence. Patterns only.
"""

from __future__ import annotations

import re
from collections import Counter

from localsum.document import Span
from localsum.writing.material import Material, Sentence

_NAME = r"(?:(?:Dr|Mr|Mrs|Ms|Prof)\.? )?[A-Z][\w’'-]+(?: [A-Z][\w’'-]+){0,2}"
_WHO = rf"(?:{_NAME}|(?:[Tt]he|[Oo]ur|[Yy]our) (?:[\w’'-]+ ){{0,3}}?[\w’'-]+)"
_TO_DO = (
    r"(?:will|['’]ll|shall|is (?:going )?to|are (?:going )?to|needs? to|should|must|has to|have to|ought to|agreed to"
    r"|agrees to|offered to|volunteered to|promised to|plans to|is responsible for|can)"
)
_ACTS = re.compile(rf"(?:\A|[,;:.] (?:and |so |then )?|\b(?:that|so|and) )(?P<who>{_WHO})(?: also| then)? (?:{_TO_DO}|to)\b")
_ASKED = re.compile(
    rf"(?:\A|[,.] )(?:(?:so|and|okay|ok),? )?(?P<who>{_NAME}),? (?:please\b|(?:can|could|would|will) you\b|you(?:['’]ll| )"
    rf"|I (?:need|want) you\b)|\b(?:can|could|would|will) you\b[^?]*, (?P<last>{_NAME})\?"
    rf"|\b(?:asks?|asked|tells?|told|assigns?|assigned|wants?|wanted|lets?|have|has|urges?|urged) (?P<told>{_NAME}) to\b"
)
_SELF = re.compile(r"\bI(?:['’]ll| will| can|['’]m going to| am going to| shall| have to| need to| should)\b|\b[Ll]et me\b")
_NOBODY = frozenset(
    """We You They It He She I This That There Somebody Someone Everybody Everyone Anyone And But So Then If What Who
    Action Next Which Let When Actions Please Okay Yes No Well Now One All Some These Those Here""".split()  # noqa: SIM905
)


def owner(material: Material, sentence: Sentence) -> str:
    """Whom the sentence gives something to do: a name, "The council", the speaker who says "I will"; "" if nobody."""
    for pattern in (_ASKED, _ACTS):
        for match in pattern.finditer(sentence.text):
            who = next(name for name in match.groups() if name)
            if who.split()[0] not in _NOBODY:
                return who.removesuffix("’s").removesuffix("'s")
    if _SELF.search(sentence.text):
        return material.document.blocks[sentence.block].speaker or ""
    return ""


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
