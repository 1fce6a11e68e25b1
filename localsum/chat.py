"""Prompts for instruct models: the model's own chat template around a document. Knows neither fields nor tokens.

The template comes with the model file, so it is untrusted: it runs in a sandbox, on placeholders. What is rendered is
cut at the placeholders; only the template's own text may hold control tokens, the document's and ours never.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, NoReturn

from localsum.engine.types import ModelInfo, Prompt, Segment
from localsum.errors import ModelError

if TYPE_CHECKING:
    from jinja2.ext import Extension
    from jinja2.nodes import Node
    from jinja2.parser import Parser

_DAY = date(2026, 1, 1)  # for templates that tell the model what day it is: always the same, as briefs are to be
_READ, _ASK = "\ue000read\ue000", "\ue000ask\ue000"
_MAX_TEMPLATE = 200_000  # characters, of a template and of what it says


def conversation(info: ModelInfo, instruction: str, text: str, asks: list[str]) -> tuple[Prompt, list[Prompt]]:
    """One prefix (instruction and text) and for each ask the suffix that opens the model's answer to it."""
    head, middle, tail = _parts(info)
    prefix = (Segment(head, special=True), Segment(f"{instruction}\n\n{text}"))
    return prefix, [(Segment(f"{middle}{ask}"), Segment(tail, special=True)) for ask in asks]


def _parts(info: ModelInfo) -> tuple[str, str, str]:
    """What the template puts before, between and after what we read out and what we ask.

    All is one user turn: Gemma 3 has no system role, and what follows the document is followed best by small models.
    """
    rendered = _render(info, [{"role": "user", "content": f"{_READ}\n\n{_ASK}"}])
    head, found_read, rest = rendered.partition(_READ)
    middle, found_ask, tail = rest.partition(_ASK)
    if not found_read or not found_ask:
        raise ModelError(
            f"the chat template of {info.name} loses what the user says",
            "write from the text alone: localsum brief --style extractive FILE",
        )
    return head, middle, _without_thoughts(tail, info.thinking_off)


def _without_thoughts(tail: str, off: str) -> str:
    """The opening of the model's turn so that the answer comes at once: with `off` at its end, and no thought open."""
    if not tail.endswith(off):
        tail += off
    return f"{tail.rstrip()}\n\n</think>\n\n" if tail.rstrip().endswith("<think>") else tail


def _marks() -> type[Extension]:
    """For `{% generation %}`, which marks the model's own words for training; it says nothing itself."""
    from jinja2.ext import Extension

    class Generation(Extension):
        tags = {"generation"}  # noqa: RUF012  (as jinja2 has it)

        def parse(self, parser: Parser) -> list[Node]:
            next(parser.stream)
            return parser.parse_statements(("name:endgeneration",), drop_needle=True)

    return Generation


def _render(info: ModelInfo, messages: list[dict[str, str]]) -> str:
    from jinja2 import TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def refuse(message: str) -> NoReturn:
        raise TemplateError(message)

    source = info.chat_template or ""
    try:
        if len(source) > _MAX_TEMPLATE:
            raise TemplateError("it is too long")
        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols", _marks()]
        )
        environment.globals.update(raise_exception=refuse, strftime_now=_DAY.strftime)
        values: dict[str, Any] = {"bos_token": info.bos, "eos_token": info.eos, "enable_thinking": False, "tools": None}
        pieces = environment.from_string(source).generate(messages=messages, add_generation_prompt=True, **values)
        rendered = ""
        for piece in pieces:
            rendered += piece
            if len(rendered) > _MAX_TEMPLATE:
                raise TemplateError("it says too much")
        return rendered
    except Exception as error:  # a hostile template may raise anything
        raise ModelError(
            f"the chat template of {info.name} cannot be used: {str(error)[:200]}",
            "write from the text alone: localsum brief --style extractive FILE",
        ) from None
