"""A digest: what many documents say, as stories with their sources. Data only; how stories are found is in stories/.

The JSON form is `localsum.digest/1`; `schema.py` publishes it, `to_dict` makes it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from localsum.brief import Mode, Verdict, source_dict
from localsum.document import Document

SCHEMA = "localsum.digest/1"


@dataclass(frozen=True, slots=True)
class Source:
    """A document that tells a story. A `duplicate` is the same text once more, whole or cut."""

    document: Document
    duplicate: bool = False


class Evidence(NamedTuple):
    """`sources[source].document.text[start:end]` of a story supports a text of it."""

    source: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Support:
    """What the checks found of a text of a digest, and the spans it rests on."""

    verdict: Verdict
    evidence: tuple[Evidence, ...] = ()
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Story:
    """One story. `sources` are the documents that tell it, the best first, copies last."""

    headline: str
    text: str  # two sentences, where the sources have them
    mode: Mode
    sources: tuple[Source, ...]
    support: Support


@dataclass(frozen=True, slots=True)
class Overview:
    """A paragraph over all. `evidence` is (number of the story, its evidence), in the order of the sentences."""

    text: str
    mode: Mode
    verdict: Verdict
    evidence: tuple[tuple[int, Evidence], ...] = ()
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Digest:
    """The result for many documents. `stories` are ranked, the first is the most important."""

    title: str
    overview: Overview
    stories: tuple[Story, ...]
    model: dict[str, str]  # name, sha256
    template: dict[str, str]  # name, sha256
    timing: dict[str, float] = field(default_factory=dict)  # seconds and counts
    warnings: tuple[str, ...] = ()


def to_dict(digest: Digest) -> dict[str, Any]:
    """The JSON form of a digest; keys in a fixed order."""
    overview = digest.overview
    return {
        "schema": SCHEMA,
        "title": digest.title,
        "overview": {
            "text": overview.text,
            "mode": overview.mode,
            "evidence": [{"story": story, **evidence._asdict()} for story, evidence in overview.evidence],
            "grounding": overview.verdict,
            "reasons": list(overview.reasons),
        },
        "stories": [_story(story) for story in digest.stories],
        "warnings": list(digest.warnings),
        "model": digest.model,
        "template": digest.template,
        "timing": digest.timing,
    }


def _story(story: Story) -> dict[str, Any]:
    return {
        "headline": story.headline,
        "text": story.text,
        "mode": story.mode,
        "sources": [{**source_dict(source.document), "duplicate": source.duplicate} for source in story.sources],
        "evidence": [evidence._asdict() for evidence in story.support.evidence],
        "grounding": story.support.verdict,
        "reasons": list(story.support.reasons),
    }
