"""How well and how fast files are read: bodies of web pages against hand-made ones, feeds and mails without an error.

    python benchmarks/readers.py [--data DIR] [--worst N]

Reads `html/`, `feeds/` and `eml/` of the development data, in place. Exit code 0; 1 where something fails what is
promised: a mean F1 of 0.96, no empty page, every mail read, as many entries as feedparser finds.
"""

from __future__ import annotations

import argparse
import io
import json
import re
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from localsum.document import Document
from localsum.readers import read

DATA = Path(__file__).parents[2] / "shared" / "data"
LEAST_F1 = 0.96


def shares(found: str, wanted: str) -> tuple[float, float, float]:
    """F1, precision and recall of the words of a text, as a bag: each word as often as it stands in both."""
    mine, theirs = (Counter(re.findall(r"\w+", text)) for text in (found, wanted))
    both = sum((mine & theirs).values())
    if not both:
        return 0.0, 0.0, 0.0
    return 2 * both / (mine.total() + theirs.total()), both / mine.total(), both / theirs.total()


def word_f1(found: str, wanted: str) -> float:
    return shares(found, wanted)[0]


def pages(data: Path, worst: int) -> bool:
    truth = json.loads((data / "html" / "ground-truth.json").read_text("utf-8"))
    rows: list[tuple[float, float, float, str]] = []
    started = time.perf_counter()
    for name, row in truth.items():
        (found,) = read(data / "html" / f"{name}.html.gz")
        text = found.text if isinstance(found, Document) else ""
        rows.append((*shares(text, row["articleBody"]), name[:8]))
    seconds = time.perf_counter() - started
    f1, precision, recall = (sum(row[place] for row in rows) / len(rows) for place in range(3))
    empty = sum(row[0] == 0 for row in rows)
    print(
        f"pages   {len(rows)}  F1 {f1:.4f}  precision {precision:.4f}  recall {recall:.4f}  empty {empty}"
        f"  {seconds:.1f} s"
    )
    for row in sorted(rows)[:worst]:
        print(f"        {row[3]}  F1 {row[0]:.2f}  precision {row[1]:.2f}  recall {row[2]:.2f}")
    return f1 >= LEAST_F1 and not empty


def feeds(data: Path) -> bool:
    import feedparser

    good = True
    for path in sorted((data / "feeds").iterdir()):
        entries = len(feedparser.parse(io.BytesIO(path.read_bytes())).entries)
        started = time.perf_counter()
        found = list(read(path))
        seconds = time.perf_counter() - started
        documents = [document for document in found if isinstance(document, Document)]
        words = sum(document.words for document in documents)
        print(f"feed    {path.name}  documents {len(documents)} of {entries}  words {words}  {seconds:.2f} s")
        good = good and len(documents) == entries == len(found)
    return good


def mails(data: Path) -> bool:
    paths = sorted((data / "eml").iterdir())
    started = time.perf_counter()
    found = [document for path in paths for document in read(path)]
    seconds = time.perf_counter() - started
    documents = [document for document in found if isinstance(document, Document)]
    titled = sum(document.title is not None and document.author is not None for document in documents)
    dated = sum(re.match(r"\d{4}-", document.published or "") is not None for document in documents)
    words = sum(document.words for document in documents)
    print(
        f"mails   {len(paths)}  documents {len(documents)}  with subject and sender {titled}  dated {dated}"
        f"  words {words}  {seconds:.1f} s"
    )
    return len(documents) == len(paths) == len(found)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--worst", type=int, default=0, metavar="N", help="name the N pages read worst")
    options = parser.parse_args()
    if not options.data.is_dir():
        print(f"There is no {options.data}: name the development data with --data DIR", file=sys.stderr)
        return 2
    return 0 if all([pages(options.data, options.worst), feeds(options.data), mails(options.data)]) else 1


if __name__ == "__main__":
    sys.exit(main())
