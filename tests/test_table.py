"""The README's figures are those of the committed results."""

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


def test_other_results_give_another_table(tmp_path: Path) -> None:
    for name in ("micro.json", "scale.json", "quality-gemma-3-270m.json"):
        (tmp_path / name).write_bytes((table.RESULTS / name).read_bytes())
    before = table.tables(tmp_path)
    assert before.count("\n|") >= 6
    (tmp_path / "micro.json").unlink()
    after = table.tables(tmp_path)
    assert "localsum --help" in before
    assert "localsum --help" not in after


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
