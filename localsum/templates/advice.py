"""What is no mistake in a template and yet hardly meant: things that have no effect, or fields that nobody writes."""

from __future__ import annotations

from collections.abc import Iterator

from localsum.templates.lines import KeyPath, line_of
from localsum.templates.reading import Checked
from localsum.templates.types import Field, Remark, Template

_LEAST_SENTENCE = 8  # words: a text shorter than its sentences is cut to fewer
_TAKEN = ("directives", "tasks", "speakers")  # extracts that are the source's own words with any model


def advice(checked: Checked) -> list[Remark]:
    """Advice on a template without mistakes, in the order of its lines."""
    if checked.template is None:
        return []
    shown = {cue for example in checked.template.examples for cue, _ in example.answers}
    found = [*_of_file(checked.template)]
    for number, each in enumerate(checked.template.fields):
        at: KeyPath = ("field", number)
        found += [(f"field {each.name!r}", (*at, key), reason) for key, reason in _of_field(each, shown)]
        found += [(f"field {each.name!r}", (*at, key), reason) for key, reason in _unused(each, at, checked)]
        for place, part in enumerate(each.parts):
            inside = (*at, "part", place)
            where = f"field {each.name!r}, part {part.name!r}"
            rows = [*_of_text(part), *_of_choice(part), *_unused(part, inside, checked)]
            found += [(where, (*inside, key), reason) for key, reason in rows]
    remarks = [Remark(line_of(path, checked.lines), where, reason) for where, path, reason in found]
    return sorted(remarks, key=lambda remark: remark.line or 0)


def _of_file(template: Template) -> Iterator[tuple[str, KeyPath, str]]:
    if not template.description:
        yield "template", (), "no description: people and the JSON Schema are told nothing of it"
    if not template.instruction and any(each.ask for each in template.fields):
        yield "template", (), "no instruction: instruct models are not told what to do with the article"


def _of_field(each: Field, shown: set[str]) -> Iterator[tuple[str, str]]:
    """Key and reason of what is hardly meant in a field."""
    if not each.ask and each.extract not in _TAKEN:
        yield "name", "no ask: instruct models are not asked, the field is taken from the article's own words"
    if each.shape == "line" and each.cue and each.cue not in shown:
        yield "cue", f"no example answers {each.cue!r}: base models are not asked, the line is taken from the article"
    if each.shape == "line" and not each.cue:
        yield "name", "no cue: base models are not asked, the line is taken from the article"
    yield from _of_text(each)
    yield from _of_choice(each)


def _of_text(each: Field) -> Iterator[tuple[str, str]]:
    if "text" in (each.shape, each.of if each.shape == "items" and not each.parts else "") and (
        each.words < _LEAST_SENTENCE * each.sentences[0]
    ):
        yield "words", f"{each.words} words are few for {each.sentences[0]} sentences: texts are cut at whole sentences"


def _of_choice(each: Field) -> Iterator[tuple[str, str]]:
    if each.shape == "choice" and not each.cue and not any(words for _, words in each.options):
        yield (
            "options",
            "no words that speak for the options, and no cue: base models choose by the names of the options alone",
        )


def _unused(each: Field, at: KeyPath, checked: Checked) -> Iterator[tuple[str, str]]:
    """Keys that have no effect in a field of this shape and extract."""
    is_of_texts = each.shape == "text" or (each.shape == "items" and each.of == "text")
    is_asked = each.shape in ("line", "choice", "quote") or each.of == "quote"  # of base models
    useful = {"sentences": is_of_texts, "match": each.extract in ("insights", "matching"), "cue": is_asked}
    for key, is_useful in useful.items():
        if (*at, key) in checked.lines and not is_useful:
            yield key, f"{key!r} has no effect on shape {each.shape!r} with extract {each.extract!r}"
