"""What the adapter is taught with: pairs of prompt and answer, made of articles and their briefs in `articles/`.

    python tools/adapter/data.py PAIRS.jsonl --model FILE.gguf [--keep-out docs.jsonl]

An article and its brief are plain text (README.md has the form). Prompts are recorded, not copied: the written style
runs as ever, on an engine that answers with the brief's own words, so that the model is taught exactly what it will be
asked; what the gate refuses of an answer is not asked about further, as in use.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from localsum.engine.scripted import ScriptedEngine
from localsum.engine.types import Branch, Prompt, Request, Segment
from localsum.pipeline import write_briefs
from localsum.readers import read_bytes
from localsum.templates import load_template

# The chat template of the adapter's file: the text, what is asked, a new line. No control tokens but the first.
TEMPLATE = (Path(__file__).parent / "template.jinja").read_text(encoding="utf-8")
SILENT = "The text does not say what follows."  # of an impact, where the source says nothing
END = 1  # the token that ends a text
NONE = "none"  # of a list, where the source has nothing for it


class Item(NamedTuple):
    """A point of a brief."""

    text: str
    category: str
    impact: str


class Gold(NamedTuple):
    """An article and the brief that a reader would want of it."""

    id: str
    form: str  # "wire report", "podcast transcript", …
    text: str
    title: str
    summaries: tuple[str, ...]  # in three wordings
    sections: tuple[tuple[str, str], ...]  # heading, body
    conclusion: str
    insights: tuple[Item, ...]
    actions: tuple[Item, ...]


class Pair(NamedTuple):
    """A prompt as an engine gets it, and the answer."""

    prefix: Prompt
    suffix: Prompt
    answer: str
    kind: str  # which field


def parse(text: str) -> Iterator[Gold]:
    """The articles of a file."""
    for block in re.split(r"^=== ", text, flags=re.MULTILINE)[1:]:
        head, _, rest = block.partition("\n")
        name, _, form = head.partition("|")
        body, *marked = re.split(r"^--- (\w+)[ \t]*\n", rest, flags=re.MULTILINE)
        part = {key: value.strip() for key, value in zip(marked[::2], marked[1::2], strict=True)}
        yield Gold(
            name.strip(),
            form.strip(),
            body.strip(),
            part["title"],
            (part["summary"], part["short"], part["lead"]),
            tuple((a.strip(), b.strip()) for a, _, b in (line.partition(":") for line in _lines(part["sections"]))),
            part["conclusion"],
            tuple(_item(line) for line in _lines(part["insights"])),
            tuple(_item(line) for line in _lines(part["actions"])),
        )


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip() not in ("", NONE)]


def _item(line: str) -> Item:
    found = re.fullmatch(r"(?:\[(.+?)\]\s*)?(.+?)(?:\s*=>\s*(.+))?", line)
    if not found:
        raise ValueError(f"no point of a brief: {line}")
    return Item(found[2], found[1] or "", found[3] or "")


def answer_of(gold: Gold, branch: str, suffix: str) -> str | None:
    """What the brief says to one of the writer's questions."""
    phase, _, field = branch.partition(".")
    if field == "title":
        return gold.title
    if field.startswith("summary"):
        return gold.summaries[int(field.partition("~")[2] or 0)]
    if phase == "more":
        if field.endswith(".heading"):
            return next((heading for heading, body in gold.sections if body[:40] in suffix), None)
        item = next((item for item in (*gold.insights, *gold.actions) if item.text.rstrip(".") in suffix), None)
        if item and field.endswith(".category"):
            return item.category
        return (item.impact or SILENT) if item and field.endswith(".impact") else None
    if field == "sections":
        return "\n".join(f"- Heading: {heading}\n  Body: {body}" for heading, body in gold.sections)
    if field == "conclusion":
        return gold.conclusion
    if field == "key_insights":
        return "\n".join(f"- {item.text}" for item in gold.insights)
    return None


def recorded(gold: Gold) -> list[Pair]:
    """The pairs of one article: what the written style asks of it, where the brief knows what to say."""
    pairs: list[Pair] = []

    def script(request: Request, branch: Branch) -> str | None:
        text = answer_of(gold, branch.id, branch.suffix[0].text)
        if text:
            pairs.append(Pair(request.prefix, branch.suffix, text, re.sub(r"[\d.~]+", ".", branch.id).strip(".")))
        return text

    engine = ScriptedEngine(script, context_tokens=8192, chat_template=TEMPLATE)
    document = read_bytes(gold.text.encode(), path=f"{gold.id}.md")
    list(write_briefs([document], load_template(), engine, model={"name": "", "sha256": ""}, style="written"))
    return pairs


def thinned(pairs: list[Pair], rng: random.Random) -> list[Pair]:
    """Some categories and impacts of an article are enough: their prompts are long and their answers short."""
    left = {"more.key_insights.category": 2, "more.key_insights.impact": 3}
    kept = []
    for pair in rng.sample(pairs, len(pairs)):
        if left.get(pair.kind, 1) > 0:
            kept.append(pair)
        if pair.kind in left:
            left[pair.kind] -= 1
    return kept


def runs(texts: Iterable[str], size: int = 8) -> set[tuple[str, ...]]:
    """All runs of eight words."""
    found: set[tuple[str, ...]] = set()
    for text in texts:
        words = re.findall(r"\w+", text.lower())
        found.update(tuple(words[n : n + size]) for n in range(len(words) - size + 1))
    return found


def lines_of(gold: Gold, tokenize: Callable[..., list[int]]) -> Iterator[dict[str, Any]]:
    """A line for each prompt of an article's pairs: ids of the tokens of the prefix, and of each suffix and answer."""
    groups: dict[Prompt, list[Pair]] = {}
    for pair in thinned(recorded(gold), random.Random(gold.id)):
        groups.setdefault(pair.prefix, []).append(pair)
    for number, (prefix, group) in enumerate(groups.items()):
        branches = [
            [tokenize(pair.suffix, first=False), [*tokenize((Segment(pair.answer),), first=False), END]]
            for pair in group
        ]
        yield {
            "id": gold.id,
            "part": number,
            "kinds": [pair.kind for pair in group],
            "prefix": tokenize(prefix, first=True),
            "branches": branches,
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--model", type=Path, required=True, help="whose tokens")
    parser.add_argument("--articles", type=Path, default=Path(__file__).parent / "articles")
    parser.add_argument(
        "--keep-out", type=Path, nargs="*", default=[], help="no article may share eight words with one"
    )
    options = parser.parse_args()
    from localsum.engine.llama import LlamaEngine

    apart = runs(json.loads(line)["text"] for path in options.keep_out for line in path.open(encoding="utf-8"))
    counts: Counter[str] = Counter()
    with LlamaEngine(options.model, cells=1024, shortlist=False) as engine, options.out.open("w") as file:
        for path in sorted(options.articles.glob("*.txt")):
            for gold in parse(path.read_text(encoding="utf-8")):
                if runs([gold.text]) & apart:
                    counts["left out: shares eight words in a row"] += 1
                    continue
                counts["articles"] += 1
                for line in lines_of(gold, engine.backend.tokenize):
                    file.write(json.dumps(line) + "\n")
                    counts.update(line["kinds"])
                    counts["tokens"] += len(line["prefix"]) + sum(
                        len(part) for both in line["branches"] for part in both
                    )
    print(json.dumps(counts, indent=1, sort_keys=True), file=sys.stderr)


if __name__ == "__main__":
    main()
