"""How good are the briefs? Writes them over a set of documents, or reads them from files; measures; prints tables.

    python benchmarks/quality.py                                  # write briefs of all documents and measure them
    python benchmarks/quality.py --briefs briefs.jsonl            # measure what is written already
    python benchmarks/quality.py --limit 6 --print 2              # and read two of them beside their article

What each figure means and what it cannot show: benchmarks/README.md. Tables go to stdout, progress to stderr.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import textwrap
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import jsonschema
from metrics import Piece, faults, measure, pieces
from quality_report import Sample, Scored, System, as_json, report
from rouge import rouge
from where import where

from localsum.brief import to_dict
from localsum.document import Document
from localsum.errors import LocalsumError
from localsum.readers import read_bytes
from localsum.render.clean import clean
from localsum.schema import json_schema
from localsum.sentences import sentences
from localsum.templates import load_template

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
_EXTRA = ("id", "style", "seconds")  # what a line of --briefs may hold beside the brief
_LINE = 112  # columns of the reading aid


def load(folder: Path, prefixes: Sequence[str] = ()) -> list[Sample]:
    """The documents of `folder/docs.jsonl`, in its order; with `prefixes` those whose `source` begins with one."""
    found = []
    for row in _lines(folder / "docs.jsonl"):
        if prefixes and not row["source"].startswith(tuple(prefixes)):
            continue
        document = read_bytes(row["text"].encode("utf-8"), path=f"{row['id']}.md")
        kind = row.get("reference_kind", "")
        by_people = "human" in kind and "not a human" not in kind
        references = tuple(row.get("references", ())) if by_people else ()
        found.append(Sample(row["id"], row["source"], document, references))
    return found


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.strip():
                yield json.loads(line)


def write_briefs(
    documents: Sequence[Sample], model: str | None, style: str | None
) -> Iterator[tuple[str, dict[str, Any], str, float]]:
    """Write a brief of each document: its id, the JSON form and the style, the text its offsets point into, seconds.

    The seconds are those since the brief before was done (of the first: since the model was loaded), so that they add
    up to the time of the run. A document whose brief fails is named on stderr and left out.
    """
    from localsum import pipeline  # heavy, and not needed to measure what is written
    from localsum.loading import load_engine
    from localsum.models import find_model

    found = find_model(model)
    names = {"name": found.name, "sha256": found.sha256}
    ids = {id(sample.document): sample.id for sample in documents}
    with load_engine(found) as engine:
        style = pipeline.choose_style(engine, style)
        texts = (sample.document for sample in documents)
        began = time.perf_counter()
        for outcome in pipeline.write_briefs(texts, load_template(), engine, model=names, style=style):
            seconds = time.perf_counter() - began
            name = ids[id(outcome.document)]
            if isinstance(outcome, pipeline.Failed):
                print(f"{name}: {outcome.error.message}; {outcome.error.hint}", file=sys.stderr)
            else:
                yield name, {**to_dict(outcome), "style": style}, outcome.document.text, seconds
            began = time.perf_counter()


def score(line: dict[str, Any], sample: Sample) -> Scored:
    """Measure one brief. A brief written of another text is measured all the same, and named on stderr."""
    brief = {key: value for key, value in line.items() if key not in _EXTRA}
    if brief["source"]["sha256"] != sample.document.sha256:
        print(f"{sample.id}: the brief was written of another text; its offsets do not fit", file=sys.stderr)
    template = load_template(brief["template"]["name"])
    measures = measure(brief, template, sample.document.text)
    measures["schema_valid"] = (_validator(template.name).is_valid(brief), 1)
    summary = " ".join(piece.text for piece in pieces(brief, template) if piece.field == "summary")
    scores = rouge(summary, sample.references) if sample.references else None
    return Scored(sample, brief, template, measures, scores, line.get("seconds", brief["timing"].get("total_s")))


@lru_cache(maxsize=16)
def _validator(template: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json_schema(load_template(template)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0; 1 if a document has no brief; 2 if the options fit no document or no file."""
    options = _options(arguments)
    try:
        samples = load(options.data, options.sources)
        lines = [line for path in options.briefs for line in _lines(path)]
    except (OSError, ValueError, KeyError) as error:
        print(f"cannot read: {error}; --data names a folder with docs.jsonl, --briefs files of briefs", file=sys.stderr)
        return 2
    if options.limit is not None and options.limit < len(samples):
        kept = set(random.Random(options.seed).sample([sample.id for sample in samples], options.limit))
        samples = [sample for sample in samples if sample.id in kept]
    if not samples:
        print("no document fits these options; see --data, --sources and --limit", file=sys.stderr)
        return 2
    systems = _systems(lines if options.briefs else _written(samples, options), samples, options.style)
    print(report(systems, samples, options.seed))
    if options.json:
        figures = as_json(systems, samples, options.seed)
        options.json.write_text(json.dumps({"where": where(), **figures}, indent=1) + "\n", encoding="utf-8")
    for system in systems:
        for scored in random.Random(options.seed).sample(system.scored, min(options.print, len(system.scored))):
            print(reading_aid(scored, system.name))
    missing = [f"{system.name}: {len(samples) - len(system.scored)}" for system in systems]
    if not systems or any(len(system.scored) < len(samples) for system in systems):
        print(f"documents without a brief: {', '.join(missing) or 'all'}", file=sys.stderr)
        return 1
    return 0


def _written(samples: Sequence[Sample], options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """The lines of `write_briefs`, copied to --keep as they come."""
    with open(options.keep or os.devnull, "w", encoding="utf-8") as kept:
        for at, (name, brief, _, seconds) in enumerate(write_briefs(samples, options.model, options.style), 1):
            line = {"id": name, "seconds": round(seconds, 3), **brief}
            kept.write(json.dumps(line, ensure_ascii=False) + "\n")
            kept.flush()
            print(f"{at}/{len(samples)} {name} {seconds:.1f} s", file=sys.stderr)
            yield line


def _systems(lines: Iterable[dict[str, Any]], samples: Sequence[Sample], style: str | None) -> list[System]:
    """Scored briefs by model and style, in the order met; lines of other documents are passed over."""
    by_id = {sample.id: sample for sample in samples}
    found: dict[tuple[str, str], dict[str, Scored]] = {}
    for line in lines:
        if line.get("id") in by_id:
            key = (line["model"].get("name", "?"), line.get("style") or style or "default")
            found.setdefault(key, {})[line["id"]] = score(line, by_id[line["id"]])
    return [System(*key, tuple(scored.values())) for key, scored in found.items()]


def reading_aid(scored: Scored, system: str) -> str:
    """A brief as Markdown under the first lines of its article; under each text its faults and its evidence."""
    document = scored.sample.document
    opening = textwrap.shorten(document.text, 700, placeholder=" …")
    lines = [f"\n# {scored.sample.id}: {system}", "", *_fill(f"Article, {document.words} words: {opening}", "> ")]
    wrong: dict[int, list[str]] = {}
    every = pieces(scored.brief, scored.template)
    for fault in faults(every):
        wrong.setdefault(id(fault.piece), []).append(fault.kind)
    heading = ""
    for piece, following in zip(every, [*every[1:], None], strict=True):
        if piece.field != heading:
            heading = piece.field
            lines += ["", f"## {heading} ({scored.brief.get('mode', {}).get(heading, '?')})", ""]
        if piece.shape == "quote" or not piece.part:
            lines += _fill(f"“{piece.text}”" if piece.shape == "quote" else piece.text, "", "  ")
        else:
            lines += _fill(f"{piece.entry + 1}. {piece.part}: {piece.text}", "", "   ")
        lines += [f"      ! {kind}" for kind in wrong.get(id(piece), [])]
        if following is None or following.support is not piece.support or following.field != piece.field:
            lines += _evidence(piece, document)
    lines += ["", *(f"warning: {warning}" for warning in scored.brief.get("warnings", []))]
    return clean("\n".join(lines))


def _evidence(piece: Piece, document: Document) -> list[str]:
    support = piece.support
    if "start" in support:
        spoken = f", said by {support['speaker']}" if support.get("speaker") else ""
        is_verbatim = document.text[support["start"] : support["end"]] == support["text"]
        return [f"      = {'verbatim' if is_verbatim else 'NOT VERBATIM'}{spoken}"]
    if "grounding" not in support:
        return []
    lines = _fill("; ".join([support["grounding"], *support["reasons"]]), "      = ", "        ")
    for span in support["evidence"]:
        inside = [s for s in sentences(document) if s.start < span["end"] and span["start"] < s.end]
        text = document.text[inside[0].start : inside[-1].end] if inside else document.text[span["start"] : span["end"]]
        lines += _fill(" ".join(text.split()), "      · ", "        ")
    return lines


def _fill(text: str, first: str, rest: str | None = None) -> list[str]:
    rest = first if rest is None else rest
    return textwrap.wrap(text, _LINE, initial_indent=first, subsequent_indent=rest) or [first]


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--data", type=Path, default=DATA, metavar="DIR", help="folder with docs.jsonl (default: %(default)s)")
    add("--briefs", type=Path, nargs="+", default=[], metavar="FILE", help="measure these, write none")
    add("--limit", type=int, metavar="N", help="at most N documents, drawn with --seed")
    add("--sources", nargs="+", default=[], metavar="PREFIX", help="only documents whose source begins so")
    add("--model", help="a name of the registry or a GGUF file")
    add("--style", help="extractive or written; what fits the model by default")
    add("--keep", type=Path, metavar="FILE", help="also write the briefs to FILE, for --briefs")
    add("--json", type=Path, metavar="OUT", help="also write all figures to OUT")
    add("--print", type=int, default=0, metavar="K", help="print K briefs to read beside their articles")
    add("--seed", type=int, default=0, help="of --limit, --print and the intervals (default: %(default)s)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LocalsumError as error:
        print(f"{error.message}; {error.hint}", file=sys.stderr)
        sys.exit(error.exit_code)
