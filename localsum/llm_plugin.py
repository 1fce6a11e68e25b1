"""The model `localsum` of the `llm` command: `cat article.md | llm -m localsum`, `llm -m localsum '' -a article.pdf`.

Loaded by `llm` alone, through its entry point; the one file that imports `llm`. The prompt, or an attached file, is the
article; the answer is its brief. While it is written the guard is closed, so `llm` cannot send it anywhere meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Literal

import llm
from pydantic import Field

from localsum.brief import to_dict
from localsum.document import Document
from localsum.errors import LocalsumError, UsageError
from localsum.guard import sealed
from localsum.readers import read_bytes, read_path, read_text
from localsum.render import render
from localsum.summarizer import Summarizer

_TYPES = ("text/plain", "text/markdown", "text/html", "text/csv", "text/vtt", "application/pdf", "message/rfc822")


class Localsum(llm.Model):
    """A brief of the prompt, or of one attached file. Each answer stands alone: a conversation has no memory."""

    model_id = "localsum"
    attachment_types = set(_TYPES)  # noqa: RUF012  (as llm has it)
    can_stream = False

    class Options(llm.Options):
        template: str = Field(default="brief", description="Template: a name or the path of a TOML file")
        model: str | None = Field(default=None, description="Model: a name of localsum's registry or a GGUF file")
        format: Literal["md", "json"] = Field(default="md", description="Form of the answer")

    def execute(
        self, prompt: llm.Prompt, stream: bool, response: llm.Response, conversation: llm.Conversation | None
    ) -> Iterator[str]:
        """The brief, in one piece. Raises llm.ModelError."""
        options: Any = prompt.options
        try:
            with sealed():
                summarizer = _summarizer(options.model, options.template)
                brief = summarizer.brief(_document(prompt))
        except LocalsumError as error:
            raise llm.ModelError(error.message + (f"\n  {error.hint}" if error.hint else "")) from None
        response.response_json = to_dict(brief)
        yield render(brief, options.format)


@cache
def _summarizer(model: str | None, template: str) -> Summarizer:
    """Loaded once for each model and template, and kept while `llm chat` goes on."""
    return Summarizer(model=model, template=template)


def _document(prompt: llm.Prompt) -> Document:
    """The article: what is attached, else the prompt. Raises LocalsumError."""
    if prompt.system:
        raise UsageError("localsum takes no system prompt", "what is asked is in the template: llm -o template NAME")
    if not prompt.attachments:
        return read_text(prompt.prompt or "", path="the prompt")
    if len(prompt.attachments) > 1 or (prompt.prompt or "").strip():
        raise UsageError(
            "localsum writes the brief of one text", "llm -m localsum '' -a FILE; many: localsum brief DIR"
        )
    attached = prompt.attachments[0]
    if attached.url:
        raise UsageError("localsum fetches nothing", "save the page, then: llm -m localsum '' -a FILE")
    return read_path(attached.path) if attached.path else read_bytes(attached.content or b"", path=None)


@llm.hookimpl
def register_models(register: Callable[[llm.Model], None]) -> None:
    register(Localsum())
