"""The microbenchmarks: every step runs, and a comparison tells a slower step from a slower machine."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

import micro


def case(median: float) -> dict[str, float]:
    return {"median": median, "low": 0.97 * median, "high": 1.03 * median, "samples": 9}


@pytest.mark.parametrize(
    ("step", "drift", "verdict"),
    [
        (1.0, 1.0, ""),
        (1.5, 1.0, "slower"),
        (0.5, 1.0, "faster"),
        (1.5, 1.5, ""),  # the machine is slower, not the step
        (1.0, 1.5, "faster"),
        (1.08, 1.0, ""),  # apart, but by too little
    ],
)
def test_a_slower_step_is_told_from_a_slower_machine(step: float, drift: float, verdict: str) -> None:
    assert micro.compared(case(step), case(1.0), drift).split("|")[2].strip() == verdict


def test_quartiles_that_overlap_are_no_change() -> None:
    now, then = case(1.3) | {"low": 0.9}, case(1.0)
    assert micro.compared(now, then, 1.0).endswith("|  |")


def test_of_a_single_sample_nothing_is_said() -> None:
    once = case(3.0) | {"low": 3.0, "high": 3.0, "samples": 1}
    assert micro.compared(once, case(1.0), 1.0).endswith("| too few samples |")


def test_a_step_that_was_not_there_is_new() -> None:
    made = micro.table({micro.PACE: case(1.0), "b": case(2.0)}, {micro.PACE: case(1.0)})
    assert "| b | 2 s |" in made
    assert made.splitlines()[-1].endswith("new |")


def test_steps_run_and_are_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = tmp_path / "micro.json"
    assert micro.main(["--no-model", "--rounds", "1", "--each", "1", "--json", str(kept)]) == 0
    found = json.loads(kept.read_text(encoding="utf-8"))
    assert {micro.PACE, "split into sentences", "check of one claim"} <= set(found["cases"])
    assert found["where"]["cores"] > 0
    assert all(each["median"] > 0 for each in found["cases"].values())
    again = ["--no-model", "--rounds", "1", "--each", "1", "--only", "split", "--against", str(kept)]
    assert micro.main(again) == 0
    assert "| split into sentences |" in capsys.readouterr().out


def test_a_scheduler_step_decodes_a_token_of_every_branch() -> None:
    step = micro.scheduler_step(4)
    step()
    step()
