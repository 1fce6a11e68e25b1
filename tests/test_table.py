"""The README's figures are those of the committed results."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

import table

ROOT = Path(__file__).resolve().parents[1]


def test_the_readme_says_what_the_results_say() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    made = table.with_tables(readme, table.tables(table.RESULTS))
    assert made == readme, "make it so with: python benchmarks/table.py"


WHERE = {"commit": "abc1234"}
MICRO = {"where": WHERE, "cases": {"localsum --help": {"median": 0.123, "low": 0.11, "high": 0.2, "samples": 5}}}
POINT = {"part": "words", "model": "gemma-3-270m", "words": 1000, "load_s": 1.1, "run_s": 2.34, "where": WHERE}
SCALE = {"points": [POINT | {"peak_mb": 611.6, "file_mb": 253.1}]}
SYSTEM = {"articles_per_min": 6.51, "of_roofline": None, "peak_above_model_mb": 99.6, "articles": 8, "turns": 1}
PEERS = {"model": "a.gguf", "threads": 2, "systems": {"localsum": SYSTEM}}


def test_each_figure_comes_from_its_result(tmp_path: Path) -> None:
    for name, result in (("micro", MICRO), ("scale", SCALE), ("peers", PEERS)):
        (tmp_path / f"{name}.json").write_text(json.dumps(result), encoding="utf-8")
    made = table.tables(tmp_path)
    for row in (
        "| `localsum --help` | 0.12 s (0.11 to 0.2) | `python benchmarks/micro.py --processes` | abc1234 |",
        "| 1,000 words, model loaded | 2.3 s | `python benchmarks/scale.py --quick --parts words` | abc1234 |",
        "| localsum | 6.5 | 1.00 × | – | 100 | 8, 1 round |",
    ):
        assert row in made.splitlines()
    (tmp_path / "micro.json").unlink()
    assert "--help" not in table.tables(tmp_path)


def test_tables_go_between_the_markers_and_nowhere_else() -> None:
    readme = f"# A\n\n{table.BEGIN}\nold\n{table.END}\nbehind\n"
    assert table.with_tables(readme, "new\n") == f"# A\n\n{table.BEGIN}\nnew\n{table.END}\nbehind\n"
    with pytest.raises(ValueError, match="lacks the marker"):
        table.with_tables("# A\n", "new\n")


def test_check_changes_nothing(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"{table.BEGIN}\nold\n{table.END}\n", encoding="utf-8")
    options = ["--readme", str(readme), "--results", str(table.RESULTS)]
    assert table.main([*options, "--check"]) == 1
    assert "old" in readme.read_text(encoding="utf-8")
    assert table.main(options) == 0
    assert table.main([*options, "--check"]) == 0
