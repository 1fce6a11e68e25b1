"""A template tried on one document: what was asked for each field, what was answered, and what became of it.

The recorder stands between the writers and their engine and changes nothing. Knows neither files nor model files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from localsum.brief import Brief, FieldResult, Figure, Grounding, Quote, to_dict
from localsum.engine.types import BranchDone, Engine, Event, Prompt, Request, RequestDone
from localsum.pipeline import field_of
from localsum.render.clean import clean, one_line
from localsum.templates import Field, Template

_MOST_SHOWN = 1_600  # characters of a prompt or an answer, in the form for people


class Recorder:
    """An engine that remembers what another one was asked, and what it answered."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.info = engine.info
        self.totals = engine.totals
        self.requests: dict[str, Request] = {}
        self.answers: dict[tuple[str, str], BranchDone] = {}  # by request and branch
        self.read: dict[str, int] = {}  # tokens of each request: its prefix and all suffixes

    def count_tokens(self, text: str) -> int:
        return self._engine.count_tokens(text)

    def run(self, requests: Iterable[Request]) -> Iterator[Event]:
        for event in self._engine.run(self._noted(requests)):
            if isinstance(event, BranchDone):
                self.answers[event.request, event.branch] = event
            elif isinstance(event, RequestDone):
                self.read[event.request] = event.counts.prompt
            yield event

    def close(self) -> None:
        self._engine.close()

    def _noted(self, requests: Iterable[Request]) -> Iterator[Request]:
        for request in requests:
            self.requests[request.id] = request
            yield request


@dataclass(frozen=True, slots=True)
class Asked:
    """One branch: what it read after its request's prefix, what bound it, and what it answered."""

    field: str  # whose it is; empty if nobody's
    branch: str
    suffix: Prompt
    suffix_tokens: int
    grammar: str
    max_tokens: int
    answer: str
    finish: str  # "stop", or "length" if max_tokens cut it off
    sampled: int  # tokens of the answer that the model chose
    forced: int  # and those that the grammar did


@dataclass(frozen=True, slots=True)
class Reading:
    """One request: what is read once, and the branches that continue it."""

    id: str
    prefix: Prompt
    prefix_tokens: int
    asked: tuple[Asked, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    template: Template
    brief: Brief
    readings: tuple[Reading, ...] = field(default=())


def trial(template: Template, brief: Brief, recorder: Recorder) -> Trial:
    """What a recorder heard while the brief was written."""
    names = tuple(each.name for each in template.fields)
    readings = []
    for request in recorder.requests.values():
        asked = []
        for branch in request.branches:
            done = recorder.answers[request.id, branch.id]
            counts = done.counts
            asked.append(
                Asked(
                    field_of(branch.id, names),
                    branch.id,
                    branch.suffix,
                    counts.prompt,
                    branch.grammar,
                    branch.max_tokens,
                    done.text,
                    done.finish,
                    counts.sampled,
                    counts.forced,
                )
            )
        prefix_tokens = recorder.read[request.id] - sum(one.suffix_tokens for one in asked)
        readings.append(Reading(request.id, request.prefix, prefix_tokens, tuple(asked)))
    return Trial(template, brief, tuple(readings))


def trial_dict(found: Trial) -> dict[str, Any]:
    """The JSON form: every request with its branches, whole, and the brief that came of them."""
    return {
        "requests": [
            {
                "id": reading.id,
                "prefix": [segment._asdict() for segment in reading.prefix],
                "prefix_tokens": reading.prefix_tokens,
                "branches": [
                    {
                        "field": one.field,
                        "id": one.branch,
                        "suffix": [segment._asdict() for segment in one.suffix],
                        "suffix_tokens": one.suffix_tokens,
                        "grammar": one.grammar,
                        "max_tokens": one.max_tokens,
                        "answer": one.answer,
                        "finish": one.finish,
                        "sampled_tokens": one.sampled,
                        "forced_tokens": one.forced,
                    }
                    for one in reading.asked
                ],
            }
            for reading in found.readings
        ],
        "brief": to_dict(found.brief),
    }


def trial_text(found: Trial, show: Callable[[str], str] = str) -> str:
    """The form for people: what is read first, then field by field. Clean; `show` may make it ASCII.

    Of long prompts the middle is left out; the JSON form has all.
    """
    lines = [f"Template {one_line(found.template.name)}, model {one_line(found.brief.model.get('name', ''))}"]
    number = {reading.id: n for n, reading in enumerate(found.readings, 1)}
    for reading in found.readings:
        times = "one question" if len(reading.asked) == 1 else f"{len(reading.asked)} questions"
        lines += ["", f"Prompt {number[reading.id]}, read once for {times}: {_tokens(reading.prefix_tokens)}"]
        lines += _block(_text(reading.prefix))
    for each in found.template.fields:
        lines += ["", "", f"{each.name}: {_shape(each)}"]
        mine = [(reading.id, one) for reading in found.readings for one in reading.asked if one.field == each.name]
        for request, one in mine:
            lines += ["", *_asked(one, number[request])]
        if not mine:
            lines += ["", "The model was not asked."]
        lines += ["", *_result(found.brief.fields[each.name])]
    return show("\n".join(lines) + "\n")


def _asked(one: Asked, prompt: int) -> Iterator[str]:
    yield f"{one.branch}, after prompt {prompt}: {_tokens(one.suffix_tokens)}"
    yield from _block(_text(one.suffix))
    yield "grammar"
    yield from _block(one.grammar)
    forced = f", {one.forced:,} forced by the grammar" if one.forced else ""
    cut = f"cut off at {one.max_tokens:,}" if one.finish == "length" else f"of {one.max_tokens:,} at most"
    yield f"answer: {_tokens(one.sampled)}{forced}, {cut}"
    yield from _block(one.answer)


def _result(result: FieldResult) -> Iterator[str]:
    """What the brief shows in a field, with its verdict."""
    yield f"In the brief ({result.mode})"
    if isinstance(result.value, str):
        yield from _block(result.value)
        if result.grounding:
            yield _verdict(result.grounding)
    else:
        for entry in result.value:
            if isinstance(entry, Quote):
                yield from _block(entry.text)
                yield f"verbatim, {entry.start} to {entry.end}"
            elif isinstance(entry, Figure):
                yield from _block(f"{one_line(entry.text)}: {one_line(entry.measures)}")
                yield _verdict(entry.grounding)
            else:
                yield from _block("\n".join(f"{name}: {one_line(text)}" for name, text in entry.parts.items()))
                yield _verdict(entry.grounding)
    for warning in result.warnings:
        yield f"note: {one_line(warning.removeprefix(f'{result.name}: '))}"


def _verdict(grounding: Grounding) -> str:
    spans = ", ".join(f"{span.start} to {span.end}" for span in grounding.evidence)
    reasons = "; ".join(map(one_line, grounding.reasons))
    return ": ".join(filter(None, [grounding.verdict, reasons])) + (f" (evidence: {spans})" if spans else "")


def _shape(each: Field) -> str:
    if each.shape == "items":
        return f"{each.count[0]} to {each.count[1]} items of {each.of}"
    return each.shape if each.shape == "choice" else f"{each.shape}, at most {each.words} words"


def _tokens(count: int) -> str:
    return f"{count:,} token{'' if count == 1 else 's'}"


def _text(prompt: Prompt) -> str:
    return "".join(segment.text for segment in prompt)


def _block(text: str) -> list[str]:
    """Lines behind a bar, so that nobody takes them for ours; of a long text its beginning and its end."""
    text = clean(text).removesuffix("\n")
    if len(text) > _MOST_SHOWN:
        half = _MOST_SHOWN // 2
        text = f"{text[:half]}\n[… {len(text) - 2 * half:,} characters, see --json …]\n{text[-half:]}"
    return [f"  | {line}" for line in text.split("\n")]
