"""The tables of figures in README.md, made of the results that are committed. They are never typed by hand.

python benchmarks/table.py            # rewrite what stands between the markers
python benchmarks/table.py --check    # exit code 1 if README.md is not what the results say
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from where import ROOT

RESULTS = ROOT / "benchmarks" / "results"
BEGIN = "<!-- figures: made by python benchmarks/table.py from benchmarks/results -->"
END = "<!-- end of figures -->"

Result = dict[str, Any]


def tables(folder: Path) -> str:
    """Markdown of all tables whose results are there."""
    results = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))}
    return "\n".join([seconds(results), *([peers(results["peers"])] if "peers" in results else [])])


def seconds(results: dict[str, Result]) -> str:
    lines = ["| what | | command | measured on |", "|---|---|---|---|"]
    if micro := results.get("micro"):
        for case, what in (
            ("localsum brief", "a 976-word article, from the shell to the brief, start included"),
            ("localsum --help", "`localsum --help`"),
        ):
            if found := micro["cases"].get(case):
                value = f"{found['median']:.2g} s ({found['low']:.2g} to {found['high']:.2g})"
                lines.append(_row(what, value, "python benchmarks/micro.py --processes", micro["where"]))
    if point := _point(results, "words", 1000):
        command = "python benchmarks/scale.py --quick --parts words"
        loading = "loading the embedded model, table of tokens included"
        lines.append(_row(loading, f"{point['load_s']:.2g} s", command, point["where"]))
        lines.append(_row("1,000 words, model loaded", f"{point['run_s']:.2g} s", command, point["where"]))
        if long := _point(results, "words", 30_000):
            lines.append(_row("30,000 words, model loaded", f"{long['run_s']:.2g} s", command, long["where"]))
        megabytes = f"{point['peak_mb']:.0f} MB, {point['file_mb']:.0f} of them the model file"
        lines.append(_row("peak memory for 1,000 words", megabytes, command, point["where"]))
    if quality := results.get("quality-gemma-3-270m"):
        (row,) = (row for row in quality["rows"] if row["style"] == "extractive")
        each = row["seconds_per_document"]
        what = f"a document of the development set ({row['documents']}, 150 to 24,000 words), model loaded"
        value = f"median {each['median_s']:.1f} s, mean {each['mean_s']:.1f}"
        lines.append(_row(what, value, "python benchmarks/quality.py", quality.get("where")))
    return "\n".join(lines) + "\n"


def peers(result: Result) -> str:
    """Articles a minute where every field is written by the model."""
    lines = [
        f"Every field written by the model, from the whole article ({result['model']}, {result['threads']} threads; "
        '`python benchmarks/peers.py --server PATH/llama-server --systems localsum "localsum, layers packed" server '
        "llama-cpp-python --slots 8 --articles 16 --alone 1 --rounds 3 --also OTHERS.gguf`):",
        "",
        "| | articles a minute | the first row is faster by | share of roofline | peak MB above the file | articles |",
        "|---|---|---|---|---|---|",
    ]
    for name, system in result["systems"].items():
        share = "–" if system["of_roofline"] is None else f"{system['of_roofline']:.2f}"
        counted = f"{system['articles']}, {system['turns']} round{'s' * (system['turns'] > 1)}"
        times = result["systems"]["localsum"]["articles_per_min"] / system["articles_per_min"]
        lines.append(
            f"| {name} | {system['articles_per_min']:.1f} | {times:.2f} × | {share} "
            f"| {system['peak_above_model_mb']:.0f} | {counted} |"
        )
    return "\n".join(lines) + "\n"


def _point(results: dict[str, Result], part: str, words: int) -> Result | None:
    points = results.get("scale", {}).get("points", [])
    named = (each for each in points if (each["part"], each["model"], each["words"]) == (part, "gemma-3-270m", words))
    return next(named, None)


def _row(what: str, value: str, command: str, where: Result | None) -> str:
    on = where["commit"] + (", changed" if where.get("changed") else "") if where else "–"
    return f"| {what} | {value} | `{command}` | {on} |"


def with_tables(readme: str, made: str) -> str:
    """README with other tables. Raises ValueError if it has no markers."""
    head, begin, rest = readme.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"README.md lacks the marker {BEGIN if not begin else END}")
    return f"{head}{BEGIN}\n{made}{END}{tail}"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing")
    parser.add_argument("--readme", type=Path, default=ROOT / "README.md")
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    before = options.readme.read_text(encoding="utf-8")
    after = with_tables(before, tables(options.results))
    if options.check:
        if after != before:
            print("README.md is not what the results say; make it so with: python benchmarks/table.py", file=sys.stderr)
        return int(after != before)
    options.readme.write_text(after, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
