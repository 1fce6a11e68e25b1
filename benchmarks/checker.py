"""Measures localsum.grounding against texts known to be right or wrong: recall on the wrong, specificity on the right.

    python benchmarks/checker.py                  # all sets
    python benchmarks/checker.py --set summedits_news --misses 20
    python benchmarks/checker.py --json results/checker.json

A text is flagged if its verdict is "unsupported". SummEdits and FRANK are read from the folder of development data;
"made" are sentences of its documents, slightly cut and then changed in one known way, so that every kind of error has
its figure. Intervals are the 95 % interval of a bootstrap over documents, since texts of one document are alike. Exit
code 2 without data.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from where import where

from localsum.document import Document
from localsum.grounding import Source, check
from localsum.grounding.names import Name, names_in
from localsum.grounding.values import Value, numbers_in, same
from localsum.grounding.words import listed, words
from localsum.sentences import split

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
SUMMEDITS = ("summedits_news", "summedits_sales_email", "summedits_scitldr")
SETS = (*SUMMEDITS, "frank", "made", "references")
DRAWS = 1000


@dataclass(frozen=True)
class Case:
    """A text about a document, and whether it is true of it. `half` is that of the document, 0 was developed on."""

    document: str
    text: str
    right: bool
    kinds: tuple[str, ...] = ()
    half: int = 0


# ---- data


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def summedits(path: Path) -> list[Case]:
    """One change to a right summary each. Documents alternate between the halves in order of appearance."""
    documents: dict[str, int] = {}
    return [
        Case(
            row["doc"],
            row["summary"],
            bool(row["label"]),
            tuple(row["edit_types"]),
            documents.setdefault(row["doc"], len(documents)) % 2,
        )
        for row in _lines(path)
    ]


def frank(path: Path) -> list[Case]:
    """Summaries by models: right if all annotators found no error, wrong if none found it right. Tokens rejoined."""
    out = []
    for row in _lines(path):
        for summary in row["summaries"]:
            if "UNK" in summary["summary"] or 0.01 < summary["factuality"] < 0.99:
                continue
            text = re.sub(r"\s+(?=[.,;:!?%'’)]|n't)", "", summary["summary"].replace("\\'", "'"))
            out.append(Case(row["article"], text, summary["factuality"] >= 0.99, (row["dataset"],)))
    return out


def references(path: Path) -> list[Case]:
    """Summaries that people wrote of the documents: taken as right, although they make mistakes."""
    kinds = ("writer", "qmsum", "scitldr")
    rows = [row for row in _lines(path) if row["source"].startswith(kinds)]
    return [
        Case(row["text"], text[start:end], True, (row["source"].partition("/")[0],))
        for row in rows
        for text in row["references"]
        for start, end in split(text)
    ]


_DROPPED = listed("the a an that also very this its their his her just really own now then")
_AUXILIARY = re.compile(r"\b(?:is|was|are|were|has|have|will|can|could|would|should)\b(?! not|n't)")
_NOT = re.compile(r"\b(is|was|are|were|has|have|will|can|could|would|should|did|do|does)(?: not|n['’]t)\b")
_MAY = re.compile(r"\b(?:may|might|could)\b(?= [a-z])")


def made(path: Path, seed: int, most: int) -> list[Case]:
    """Sentences of the documents less one small word (so that they are not verbatim), and wrong ones made of them."""
    rng = random.Random(seed)
    out = []
    for row in _lines(path):
        text = row["text"]
        names = [name for name in names_in(text) if name.sure and not name.version and not name.calendar]
        values = [value for value in numbers_in(text) if _plain(value)]
        places = [(start, end) for start, end in split(text) if 60 <= end - start <= 300]
        for start, end in rng.sample(places, min(most, len(places))):
            sentence = _cut(text[start:end], rng)
            # Quotations and links do not survive a cut; a cut one is not "right".
            if not sentence or any(mark in sentence for mark in '"“”[]<>|'):
                continue
            out.append(Case(text, sentence, True))
            for kind, wrong in _changes(sentence, names, values, rng):
                out.append(Case(text, wrong, False, (kind,)))
    return out


def _plain(value: Value) -> bool:
    return value.text[0] in "0123456789$" and value.unit in ("", "%", "$")


def _cut(sentence: str, rng: random.Random) -> str:
    small = [word for word in words(sentence) if word.norm in _DROPPED and sentence[word.end : word.end + 1] == " "]
    if not small:
        return ""
    word = rng.choice(small)
    rest = sentence[: word.start] + sentence[word.end + 1 :]
    return rest[:1].upper() + rest[1:]


def _changes(sentence: str, names: list[Name], values: list[Value], rng: random.Random) -> Iterator[tuple[str, str]]:
    def put(start: int, end: int, text: str) -> str:
        return sentence[:start] + text + sentence[end:]

    mine = [name for name in names_in(sentence) if name.sure and not name.version and not name.calendar]
    if mine:
        name = rng.choice(mine)
        parts = {part for other in mine for part in other.parts}
        others = [other for other in names if not parts.intersection(other.parts)]
        if others:
            yield "name of another sentence", put(name.start, name.end, rng.choice(others).text)
        middle = len(name.text) // 2
        if len(name.text) > 4 and name.text[middle].isalpha():
            yield "name misspelt", put(name.start + middle, name.start + middle, name.text[middle])
    if len(mine) > 1:
        a, b = mine[0], mine[-1]
        if not set(a.parts) & set(b.parts):
            yield "two names exchanged", put(a.start, b.end, b.text + sentence[a.end : b.start] + a.text)
    stated = [value for value in numbers_in(sentence) if _plain(value)]
    if stated:
        value = rng.choice(stated)
        fits = [v for v in values if v.unit == value.unit and not same(v, value) and not same(value, v)]
        if fits:
            yield "number of another sentence", put(value.start, value.end, rng.choice(fits).text)
        digit = re.search(r"\d", value.text)
        if digit:
            at = value.start + digit.start()
            yield "digit changed", put(at, at + 1, str((int(digit.group()) + rng.randint(1, 8)) % 9 + 1))
    for kind, pattern, change in (
        ("negation inserted", _AUXILIARY, lambda match: match.group() + " not"),
        ("negation removed", _NOT, lambda match: match[1]),
        ("may becomes will", _MAY, lambda _: "will"),
    ):
        match = pattern.search(sentence)
        if match:
            yield kind, put(*match.span(), change(match))


# ---- measuring


@dataclass(frozen=True)
class Outcome:
    """What the checker said to a case."""

    case: Case
    flagged: bool
    reasons: tuple[str, ...]


def judge(cases: Sequence[Case]) -> tuple[list[Outcome], dict[str, float]]:
    """The outcomes, and the time that a source and a check take."""
    sources: dict[str, Source] = {}
    outcomes = []
    built = checked = 0.0
    for case in cases:
        began = time.perf_counter()
        if case.document not in sources:
            sources[case.document] = Source.of(Document(case.document, ()))
            built += time.perf_counter() - began
        began = time.perf_counter()
        grounding = check(case.text, sources[case.document])
        checked += time.perf_counter() - began
        outcomes.append(Outcome(case, grounding.verdict == "unsupported", grounding.reasons))
    sentences = sum(len(split(case.text)) for case in cases)
    return outcomes, {"source_ms": 1000 * built / len(sources), "sentence_ms": 1000 * checked / sentences}


def rates(outcomes: Iterable[Outcome]) -> dict[str, float | None]:
    """Recall, specificity and their mean; None where there is nothing to measure on."""
    wrong = [outcome.flagged for outcome in outcomes if not outcome.case.right]
    right = [not outcome.flagged for outcome in outcomes if outcome.case.right]
    recall = sum(wrong) / len(wrong) if wrong else None
    specificity = sum(right) / len(right) if right else None
    balanced = (recall + specificity) / 2 if recall is not None and specificity is not None else None
    return {"recall": recall, "specificity": specificity, "balanced": balanced}


def measure(outcomes: list[Outcome], seed: int) -> dict[str, Any]:
    """The rates with their intervals."""
    by_document: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by_document[outcome.case.document].append(outcome)
    documents = list(by_document.values())
    rng = random.Random(seed)
    draws = [
        rates([outcome for document in rng.choices(documents, k=len(documents)) for outcome in document])
        for _ in range(DRAWS)
    ]
    out: dict[str, Any] = {
        "documents": len(documents),
        "wrong": sum(not outcome.case.right for outcome in outcomes),
        "right": sum(outcome.case.right for outcome in outcomes),
    }
    for key, value in rates(outcomes).items():
        drawn = sorted(rate for draw in draws if (rate := draw[key]) is not None)
        low, high = (drawn[int(len(drawn) * q)] for q in (0.025, 0.975)) if drawn else (None, None)
        out[key] = {"value": value, "low": low, "high": high}
    return out


def tally(outcomes: list[Outcome], keys: Callable[[Outcome], Iterable[str]]) -> dict[str, dict[str, int]]:
    """For each key, how many wrong and right texts have it, and how many of these are flagged."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for outcome in outcomes:
        side = "right" if outcome.case.right else "wrong"
        for key in set(keys(outcome)):
            counts[key][side] += 1
            counts[key][f"{side}_flagged"] += outcome.flagged
    return {key: dict(counts[key]) for key in sorted(counts)}


def _reason_kinds(outcome: Outcome) -> list[str]:
    return [re.sub(r"[:(].*", "", reason, flags=re.DOTALL).strip() for reason in outcome.reasons]


# ---- report


def _rate(entry: dict[str, Any]) -> str:
    if entry["value"] is None:
        return f"{'':17}"
    return f"{entry['value']:.2f} ({entry['low']:.2f}-{entry['high']:.2f})"


def _print(name: str, report: dict[str, Any]) -> None:
    print(f"\n{name}: {report['source_ms']:.0f} ms for a source, {report['sentence_ms']:.2f} ms for a sentence")
    print(f"  {'':24}{'docs':>5}{'wrong':>7}{'right':>7}  {'recall':17} {'specificity':17} balanced")
    for part, row in report["parts"].items():
        cells = " ".join(_rate(row[key]) for key in ("recall", "specificity", "balanced"))
        print(f"  {part:24}{row['documents']:5}{row['wrong']:7}{row['right']:7}  {cells}")
    for title, table, sides in (
        ("kind of text", report["kinds"], ("wrong", "right")),
        ("reason", report["reasons"], ("wrong", "right")),
    ):
        print(f"  {title}")
        for key, row in table.items():
            if title == "reason":
                print(f"    {key:46}{row.get('wrong', 0):5} wrong{row.get('right', 0):5} right")
                continue
            for side in sides:
                if row.get(side):
                    flagged = row[f"{side}_flagged"]
                    print(f"    {key:46}{flagged:5} of {row[side]} {side} flagged, {flagged / row[side]:.2f}")


def _misses(outcomes: list[Outcome], most: int) -> None:
    wrong = [outcome for outcome in outcomes if outcome.case.half == 0 and outcome.flagged == outcome.case.right]
    for outcome in wrong[:most]:
        label = "right, but flagged" if outcome.case.right else "wrong, not flagged"
        print(f"  {label} {list(outcome.case.kinds)} {list(outcome.reasons)}\n      {outcome.case.text}")


def _load(name: str, data: Path, options: argparse.Namespace) -> list[Case]:
    if name in SUMMEDITS:
        return summedits(data / "faithfulness" / f"{name}.jsonl")
    if name == "frank":
        return frank(data / "faithfulness" / "frank_valid.jsonl")
    if name == "references":
        return references(data / "docs.jsonl")
    return made(data / "docs.jsonl", options.seed, options.most)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder with docs.jsonl and faithfulness/")
    parser.add_argument("--set", dest="sets", nargs="+", choices=SETS, default=SETS)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--most", type=int, default=25, help="made sentences per document")
    parser.add_argument("--misses", type=int, default=0, help="print so many errors of the developed half of each set")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args(arguments)
    results: dict[str, Any] = {}
    for name in options.sets:
        try:
            cases = _load(name, options.data, options)
        except FileNotFoundError as error:
            print(f"no such file: {error.filename}; name the folder of the data with --data", file=sys.stderr)
            return 2
        outcomes, speed = judge(cases)
        halves = {f"half {half}": [o for o in outcomes if o.case.half == half] for half in (0, 1)}
        parts = {"all": outcomes, **(halves if name in SUMMEDITS else {})}
        results[name] = {
            **speed,
            "parts": {part: measure(rows, options.seed) for part, rows in parts.items()},
            "kinds": tally(outcomes, lambda outcome: outcome.case.kinds),
            "reasons": tally(outcomes, _reason_kinds),
        }
        _print(name, results[name])
        _misses(outcomes, options.misses)
    if options.json:
        options.json.write_text(json.dumps({"where": where(), **results}, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
