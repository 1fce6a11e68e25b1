"""The JSON Schemas (draft 2020-12) of `localsum.brief/1` for a template, and of `localsum.digest/1`: what `to_dict` of
brief.py and digest.py make, and nothing else.

Knows the shapes of a template and the JSON forms; checks nothing itself.
"""

from __future__ import annotations

from typing import Any, get_args

from localsum import digest
from localsum.brief import SCHEMA, Mode, Verdict
from localsum.templates import Field, Shape, Template

_TEXTS: tuple[Shape, ...] = ("line", "text", "choice")  # fields that are a string and have their support beside them
_SHA256 = "^[0-9a-f]{64}$"

_SUPPORT: dict[str, Any] = {
    "evidence": {
        "type": "array",
        "description": "Spans of the source that support the text; none if nothing was found.",
        "items": {"$ref": "#/$defs/span"},
    },
    "grounding": {
        "enum": list(get_args(Verdict)),
        "description": "What the checks after writing found. They do not prove a text right; they find what is wrong.",
    },
    "reasons": {
        "type": "array",
        "description": 'Why, in short phrases for people: "verbatim", "number not in source: 35 %".',
        "items": {"type": "string"},
    },
}


_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def digest_schema() -> dict[str, Any]:
    """The schema of digests. Keys of `properties` are in the order of the JSON."""
    place = {
        "source": {"type": "integer", "minimum": 0, "description": "Which of the story's sources, from 0."},
        "start": _offset("The first."),
        "end": _offset("The one after the last."),
    }
    story = {"story": {"type": "integer", "minimum": 0, "description": "Which story, from 0."}}
    properties: dict[str, Any] = {
        "schema": {"const": digest.SCHEMA, "description": "Name and version of this form."},
        "title": _string("How many stories of how many documents, and of which days."),
        "overview": _object("A paragraph over all.", _told("Three to five sentences", {**story, **place})),
        "stories": {
            "type": "array",
            "description": "The stories, the most important first.",
            "items": _object(
                "One story.",
                {
                    "headline": _string("One line."),
                    **_told("Two sentences, where the sources have them", place, sources=True),
                },
            ),
        },
        **_MADE,
    }
    return {
        "$schema": _DRAFT,
        "title": digest.SCHEMA,
        **_object("What many documents say, as stories with their sources.", properties),
        "$defs": {"offset": _OFFSET},
    }


def _told(what: str, place: dict[str, Any], *, sources: bool = False) -> dict[str, Any]:
    """The keys of a text of a digest: the text, how it came about, and the parts of sources that support it."""
    about = "Parts of the sources that support the text: code points of the source's text."
    copy = {"type": "boolean", "description": "Whether it is the text of another source once more, whole or cut."}
    told_by = {
        "type": "array",
        "minItems": 1,
        "description": "The documents that tell the story, the best first.",
        "items": _object("A document.", {**_source()["properties"], "duplicate": copy}),
    }
    return {
        "text": _string(f"{what}; empty if nothing could be said."),
        "mode": {"enum": list(get_args(Mode)), "description": "Taken from the sources, written by the model, or both."},
        **({"sources": told_by} if sources else {}),
        **_SUPPORT,
        "evidence": {"type": "array", "description": about, "items": _object("A part of a source.", place)},
    }


def json_schema(template: Template) -> dict[str, Any]:
    """The schema of the briefs that this template makes. Keys of `properties` are in the order of the JSON."""
    properties: dict[str, Any] = {
        "schema": {"const": SCHEMA, "description": "Name and version of this form."},
        "source": _source(),
        **{field.name: _field(field) for field in template.fields},
        "mode": _object(
            "How each field came about: taken from the source, written by the model, both, or empty.",
            {field.name: {"enum": list(get_args(Mode)), "description": _of(field)} for field in template.fields},
        ),
        "support": _object(
            "What supports each field that is a single text; entries of lists carry their own.",
            {
                field.name: {"$ref": "#/$defs/support", "description": _of(field)}
                for field in template.fields
                if field.shape in _TEXTS
            },
            required=False,
        ),
        **_made_in_a_language(),
    }
    return {
        "$schema": _DRAFT,
        "title": f"{SCHEMA}, template {template.name}",
        **_object(template.description or "A brief of one document.", properties),
        "$defs": {
            "offset": _OFFSET,
            "span": _object(
                "A part of the source: its code points from start up to, not including, end.",
                {"start": _offset("The first."), "end": _offset("The one after the last.")},
            ),
            "support": _object("What supports a text.", _SUPPORT),
            "quote": _object(
                "A verbatim part of the source.",
                {
                    "text": {**_string("The words: exactly the source from start to end."), "minLength": 1},
                    "start": _offset("Where the quote begins."),
                    "end": _offset("Where it has ended."),
                    "speaker": _string("Who says it, if the source tells.", null=True),
                },
            ),
            "figure": _object(
                "A number of the source and what supports what is said of it.",
                {
                    "text": {
                        **_string("The number with its unit: exactly the source from start to end."),
                        "minLength": 1,
                    },
                    "start": _offset("Where it begins."),
                    "end": _offset("Where it has ended."),
                    "value": {**_string("The number alone, as the source writes it."), "minLength": 1},
                    "unit": _string(
                        "Of what: a currency, a share, a measure, what is counted; empty if it stands alone."
                    ),
                    "measures": _string(
                        "What is measured, in a phrase; empty if the source does not say it in few words."
                    ),
                    **_SUPPORT,
                },
            ),
        },
    }


def _field(field: Field) -> dict[str, Any]:
    """The schema of a field's value."""
    about = {"title": field.label, "description": _about(field)}
    if field.shape in _TEXTS:
        return _text(field)
    if field.shape == "quote":
        return {"type": "array", **about, "items": {"$ref": "#/$defs/quote"}, "maxItems": 1}
    if field.shape == "record":
        return {"type": "array", **about, "items": _entry(field.parts), "maxItems": 1}
    if field.shape == "numbers":
        return {"type": "array", **about, "items": {"$ref": "#/$defs/figure"}, "maxItems": field.count[1]}
    if field.of == "quote":
        items = {"$ref": "#/$defs/quote"}
    elif field.of == "record":
        items = _entry(field.parts)
    else:  # entries of one text: a single part of that name
        items = _entry((Field("text", field.of, words=field.words, sentences=field.sentences, options=field.options),))
    return {"type": "array", **about, "items": items, "maxItems": field.count[1]}


def _text(field: Field) -> dict[str, Any]:
    about = {"title": field.label, "description": _about(field)}
    if field.shape == "choice":
        return {"type": "string", **about, "enum": [*(name for name, _ in field.options), ""]}
    return {"type": "string", **about}


def _entry(parts: tuple[Field, ...]) -> dict[str, Any]:
    return _object("One entry and what supports it.", {**{part.name: _text(part) for part in parts}, **_SUPPORT})


def _about(field: Field) -> str:
    """What the field holds, for people."""
    if field.shape == "line":
        what = f"One line of at most {field.words} words; empty if nothing could be said."
    elif field.shape == "text":
        what = f"{_range(field.sentences, 'sentence')}, at most {field.words} words; empty if nothing could be said."
    elif field.shape == "choice":
        what = "One of the options; empty if none is supported."
    elif field.shape == "numbers":
        what = f"At most {field.count[1]} {'figure' if field.count[1] == 1 else 'figures'} of the source, in its order."
    elif field.shape == "items":
        kind = "quote" if field.of == "quote" else "entry"
        most = field.count[1]
        what = f"At most {most} {kind if most == 1 else _plural(kind)}; fewer if the source has fewer."
    else:
        what = f"One {'quote' if field.shape == 'quote' else 'entry'}, or none."
    return f"{what} Asked for as: {field.ask}" if field.ask else what


def _range(pair: tuple[int, int], noun: str) -> str:
    low, high = pair
    return f"{high if low == high else f'{low} to {high}'} {noun if high == 1 else _plural(noun)}"


def _plural(noun: str) -> str:
    return f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"


def _of(field: Field) -> str:
    return f"Of the field {field.name}."


def _source() -> dict[str, Any]:
    return _object(
        "The document that was read.",
        {
            "path": _string("As the user named it; null for standard input.", null=True),
            "format": _string("What it was read as: text, markdown, html …"),
            "title": _string("Its own title.", null=True),
            "author": _string("Who wrote it.", null=True),
            "published": _string("When it was published, ISO 8601 where the source allows.", null=True),
            "url": _string("Where it was published.", null=True),
            "words": {"type": "integer", "minimum": 0, "description": "Words of its text."},
            "sha256": {**_string("SHA-256 of its text in UTF-8."), "pattern": _SHA256},
        },
    )


def _object(description: str, properties: dict[str, Any], *, required: bool = True) -> dict[str, Any]:
    """An object of exactly these properties; `required` False lets any be left out, but adds none."""
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        **({"required": list(properties)} if required else {}),
        "additionalProperties": False,
    }


def _string(description: str, *, null: bool = False) -> dict[str, Any]:
    return {"type": ["string", "null"] if null else "string", "description": description}


def _offset(description: str) -> dict[str, Any]:
    return {"$ref": "#/$defs/offset", "description": description}


_OFFSET = {"type": "integer", "minimum": 0, "description": "Code points from the start of the text."}
# What briefs and digests end with.
_MADE: dict[str, Any] = {
    "warnings": {
        "type": "array",
        "description": "What a reader should know, in sentences for people.",
        "items": {"type": "string"},
    },
    "model": _object(
        "The model that wrote.",
        {
            "name": _string("Its name in the registry, or of its file."),
            "sha256": _string("SHA-256 of the model file."),
        },
    ),
    "template": _object(
        "The template that asked.",
        {
            "name": _string("Its name."),
            "sha256": {**_string("SHA-256 of the template file."), "pattern": _SHA256},
        },
    ),
    "timing": {
        "type": "object",
        "description": "Measured durations in seconds (names ending in _s) and counts.",
        "additionalProperties": {"type": "number", "minimum": 0},
    },
}


def _made_in_a_language() -> dict[str, Any]:
    """What briefs end with: as digests do, and the language beside the template."""
    about = "The language that was asked for (BCP 47); null for the source's own. Quotes are always in the source's."
    made = list(_MADE.items())
    return dict([*made[:-1], ("language", _string(about, null=True)), made[-1]])
