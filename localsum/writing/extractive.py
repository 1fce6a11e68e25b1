"""The extractive writer, for base models: a brief of the document's own sentences, put together at a desk (desk.py).

A writer is a generator: it yields requests for the engine, is sent their texts by branch id, and returns the finished
fields.
"""

from __future__ import annotations

from localsum.document import Document
from localsum.engine import grammar
from localsum.engine.types import Branch, Engine, Request, Segment
from localsum.templates import Template
from localsum.writing.desk import Desk
from localsum.writing.draft import Ask, Writer, finish

_MOST_CHARS = 2_000  # of a text before a cue: sentences can be endless


def write(document: Document, template: Template, key: str, engine: Engine) -> Writer:
    """The writer of one document; `key` names its request."""
    desk = Desk(document, template, engine.count_tokens)
    desk.fill()
    if desk.asks:
        texts = yield (Request(key, (Segment(_examples(template)),), tuple(map(_branch, desk.asks))),)
        for ask in desk.asks:
            ask.use(texts.get(ask.name, ""))
    return {each.name: finish(each, desk.drafts[each.name], lambda: desk.source) for each in template.fields}


def _branch(ask: Ask) -> Branch:
    suffix = (Segment(f"Text: {ask.text[:_MOST_CHARS]}\n{ask.field.cue}"),)
    return Branch(ask.name, suffix, grammar.after_space(ask.rule), ask.most_tokens)


def _examples(template: Template) -> str:
    """What every branch continues: the examples, each text with its answers by cue."""
    blocks = []
    for example in template.examples:
        blocks += [f"Text: {example.text}\n{cue} {answer}\n\n" for cue, answer in example.answers]
    return "".join(blocks) or "\n"
