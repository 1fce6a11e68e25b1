"""The model of cost: it finds coefficients that made the figures, none below zero, and says how far it is off."""

import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

import scale
import scale_page


def row(words: int, documents: int, seconds: float, *, is_held_out: bool = False) -> dict:
    return {
        "part": "words",
        "model": "m",
        "words": words,
        "documents": documents,
        "branches": 4,
        "load_s": 1.0,
        "run_s": seconds,
        "run_s_range": [seconds, seconds],
        "inside_s": seconds / 2,
        "read": 100,
        "sampled": 9,
        "steps": 9,
        "peak_mb": 500.0 + words / 1000,
        "file_mb": 200.0,
        "kv_mb": 100.0,
        "logits_mb": 20.0,
        "is_held_out": is_held_out,
        "where": {
            "commit": "abc",
            "date": "2026-01-01",
            "load": 0.1,
            "cpu": "c",
            "cores": 2,
            "memory_gb": 8.0,
            "os": "o",
            "threads": 2,
            "rounds": 1,
        },
    }


@given(st.floats(0.1, 9), st.floats(0.1, 9), st.floats(0.01, 2))
def test_the_fit_finds_what_made_the_figures(once: float, each: float, thousand: float) -> None:
    sizes = [(100, 1), (1000, 1), (30_000, 1), (400, 10), (400, 100)]
    rows = [row(w, n, once + each * n + thousand * w * n / 1000) for w, n in sizes]
    found = scale_page.fit(rows, scale_page.EXTRACTIVE, lambda r: r["run_s"])
    assert found["once"] == pytest.approx(once, rel=1e-4)
    assert found["each document"] == pytest.approx(each, rel=1e-4)
    assert found["1,000 words"] == pytest.approx(thousand, rel=1e-4)
    assert (
        max(
            scale_page.errors(rows, lambda r: scale_page.predict(r, found, scale_page.EXTRACTIVE), lambda r: r["run_s"])
        )
        < 1e-4
    )


@given(st.lists(st.floats(0.1, 100), min_size=3, max_size=6))
def test_no_coefficient_is_below_zero(seconds: list[float]) -> None:
    rows = [row(100 * 3**n, n + 1, value) for n, value in enumerate(seconds)]
    found = scale_page.fit(rows, scale_page.EXTRACTIVE, lambda r: r["run_s"])
    assert min(found.values()) >= 0


def test_held_out_points_are_not_fitted(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the plots need localsum[plots]")
    (tmp_path / "results").mkdir()
    rows = [row(w, n, 1 + n) for w, n in ((100, 1), (1000, 1), (400, 10))]
    pages = []
    for off in (11.0, 110.0):
        scale_page.make([*rows, row(400, 10, off, is_held_out=True)], tmp_path)
        pages.append((tmp_path / "scale.md").read_text(encoding="utf-8"))
    formula = [next(line for line in page.splitlines() if line.startswith("Default style")) for page in pages]
    assert formula[0] == formula[1]
    assert "held out 0 %" in pages[0]
    assert "held out 90 %" in pages[1]
    assert (tmp_path / "results" / "scale-words.svg").stat().st_size < 60_000


@pytest.mark.parametrize("words", [1, 100, 5000, 20_000])
def test_a_text_has_so_many_words(words: int) -> None:
    assert len(scale.text_of(words).split()) == words
    assert scale.text_of(words, 1)[:200] != scale.text_of(words)[:200] or words == 1


def test_some_points_of_every_part_are_held_out() -> None:
    for is_quick in (True, False):
        found = scale.points(["a", "b"], is_quick=is_quick)
        for part in ("words", "documents", "branches", "written"):
            held = [point.is_held_out for point in found if point.part == part]
            assert 0 < sum(held) < len(held) / 1.9


def test_points_measured_anew_take_the_place_of_the_same_points_alone(tmp_path: Path) -> None:
    path, figures = tmp_path / "scale.json", {"run_s": 2.0}
    ten, hundred = (scale.Point("documents", "m", 400, count) for count in (10, 100))
    scale.keep([row(400, 1, 9.0)], {ten: [figures], hundred: [figures]}, {"commit": "old"}, path)
    kept = json.loads(path.read_text(encoding="utf-8"))["points"]
    scale.keep(kept, {ten: [{"run_s": 3.0}, {"run_s": 5.0}, {"run_s": 4.0}]}, {"commit": "new"}, path)
    found = json.loads(path.read_text(encoding="utf-8"))["points"]
    said = {(each["part"], each["documents"]): (each["run_s"], each["where"]["commit"]) for each in found}
    assert said == {("words", 1): (9.0, "abc"), ("documents", 10): (4.0, "new"), ("documents", 100): (2.0, "old")}
