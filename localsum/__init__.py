"""localsum: briefs of articles, newsletters and transcripts, written on this machine by a small model.

The public names are those of `__all__`; docs/api.md shows them in use. Each is loaded when it is first asked for.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as type checkers know it; typing itself takes ten times as long to load as this file
if TYPE_CHECKING:
    from localsum.brief import Brief as Brief
    from localsum.brief import FieldResult as FieldResult
    from localsum.brief import Figure as Figure
    from localsum.brief import Grounding as Grounding
    from localsum.brief import Item as Item
    from localsum.brief import Quote as Quote
    from localsum.brief import from_dict as from_dict
    from localsum.brief import to_dict as to_dict
    from localsum.document import Block as Block
    from localsum.document import Document as Document
    from localsum.document import Span as Span
    from localsum.engine.scripted import ScriptedEngine as ScriptedEngine
    from localsum.errors import EngineError as EngineError
    from localsum.errors import InputError as InputError
    from localsum.errors import LocalsumError as LocalsumError
    from localsum.errors import ModelError as ModelError
    from localsum.errors import PrivacyError as PrivacyError
    from localsum.errors import StoreError as StoreError
    from localsum.errors import TemplateError as TemplateError
    from localsum.errors import UsageError as UsageError
    from localsum.guard import sealed as sealed
    from localsum.pipeline import Failed as Failed
    from localsum.readers import read as read
    from localsum.readers import read_path as read_path
    from localsum.readers import read_text as read_text
    from localsum.render import render
    from localsum.schema import json_schema as json_schema
    from localsum.summarizer import FieldText as FieldText
    from localsum.summarizer import Summarizer as Summarizer
    from localsum.templates import Template as Template
    from localsum.templates import load_template as load_template

__version__ = "0.1.0"

# Where each public name lives; its name there, if that is another.
_PLACES = {
    "Summarizer": "summarizer",
    "FieldText": "summarizer",
    "Failed": "pipeline",
    "Brief": "brief",
    "FieldResult": "brief",
    "Item": "brief",
    "Quote": "brief",
    "Figure": "brief",
    "Grounding": "brief",
    "to_dict": "brief",
    "from_dict": "brief",
    "to_text": "render:render",
    "Document": "document",
    "Block": "document",
    "Span": "document",
    "read": "readers",
    "read_path": "readers",
    "read_text": "readers",
    "Template": "templates",
    "load_template": "templates",
    "json_schema": "schema",
    "ScriptedEngine": "engine.scripted",
    "sealed": "guard",
    "LocalsumError": "errors",
    "UsageError": "errors",
    "TemplateError": "errors",
    "ModelError": "errors",
    "InputError": "errors",
    "EngineError": "errors",
    "StoreError": "errors",
    "PrivacyError": "errors",
}
__all__ = ["__version__", *_PLACES]

if TYPE_CHECKING:
    to_text = render
else:

    def __getattr__(name: str) -> object:
        if name not in _PLACES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        module, _, other = _PLACES[name].partition(":")
        found = globals()[name] = getattr(import_module(f"localsum.{module}"), other or name)
        return found


def __dir__() -> list[str]:
    return sorted(__all__)
