"""The quotes of a brief, all verbatim: what people say between quotation marks, then sentences the model chooses."""

from __future__ import annotations

from collections.abc import Callable

from localsum.brief import Quote
from localsum.document import Span
from localsum.engine import grammar
from localsum.grounding.words import content_stems
from localsum.templates import Field
from localsum.writing.draft import Ask, Draft
from localsum.writing.material import Material, Sentence
from localsum.writing.shelf import Shelf
from localsum.writing.speech import sayings


def fill(each: Field, draft: Draft, material: Material, shelf: Shelf, count: Callable[[str], int]) -> list[Ask]:
    """Put quotes into the draft, those with a speaker first; ask what the model is to choose. `count` is of tokens."""
    least, most = each.count if each.shape == "items" else (1, 1)
    spoken = sayings(material, least_words=7, most_words=each.words)
    centrality = {s.index: s.centrality for s in material.sentences}
    spoken.sort(key=lambda s: (s.speaker is None, -centrality.get(s.sentence.index if s.sentence else -1, -9.0)))
    used: list[frozenset[str]] = []
    for saying in spoken:
        stems = frozenset(content_stems(material.text(saying.span)))
        if len(draft.quotes) < most and all(len(stems & old) <= 0.5 * len(stems) for old in used):
            used.append(stems)
            draft.quotes.append(_quote(material, saying.span, saying.speaker))
            if saying.sentence:
                shelf.take(saying.sentence)
    wanted = least - len(draft.quotes)
    asks = _choices(each, draft, material, shelf, count, wanted) if wanted > 0 else []
    if len(draft.quotes) < least and not asks and not draft.missing:
        draft.missing.append("no sentence of the source is fit to be quoted")
    return asks


def _quote(material: Material, span: Span, speaker: str | None) -> Quote:
    return Quote(material.text(span), span.start, span.end, speaker)


def _choices(
    each: Field, draft: Draft, material: Material, shelf: Shelf, count: Callable[[str], int], wanted: int
) -> list[Ask]:
    """Split the best free sentences into as many lists as quotes are wanted; the model chooses one of each list."""
    pool = [
        s
        for s in material.sentences
        if s.standing > -1.0
        and 8 <= s.words <= each.words
        and shelf.is_free(s, 0.6)
        and "\n" not in material.text(s.span)
    ]
    pool = sorted(sorted(pool, key=lambda s: -s.centrality)[: 3 * wanted], key=lambda s: s.index)
    asks = []
    for number in range(wanted):
        options = pool[number * len(pool) // wanted : (number + 1) * len(pool) // wanted]
        if not options:
            draft.missing.append("the source holds too few sentences fit to be quoted")
            break
        texts = {material.text(s.span): s for s in options}

        def use(answer: str, texts: dict[str, Sentence] = texts) -> None:
            chosen = texts.get(answer.strip()) or next(iter(texts.values()))
            draft.quotes.append(_quote(material, chosen.span, chosen.speaker.name if chosen.speaker else None))

        if len(options) == 1 or not each.cue:
            use("")
            continue
        rule = grammar.choice(texts, "\n")
        longest = max(count(text) for text in texts)
        asks.append(Ask(f"{each.name}.{number}", each, " ".join(texts), rule, longest + 8, use))
    return asks
