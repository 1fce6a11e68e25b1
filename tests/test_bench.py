"""Measuring, over a toy backend: every moment has its stage, the same seed the same tokens, nothing is left behind."""

import json
import os
import stat
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import benches
import ggufs
import pytest
from benches import TINY, ToyEngine
from command_line import Said
from jsonschema import Draft202012Validator
from toy import Toy

from localsum.bench import facts, kept, measure, run
from localsum.bench.clock import STAGES, Clock, timed
from localsum.bench.energy import find_meter
from localsum.bench.measure import Samples, repeat
from localsum.bench.report import json_schema, read_report, to_dict
from localsum.bench.work import FIELDS, articles, sampled_brief
from localsum.engine.types import RequestDone
from localsum.errors import UsageError
from localsum.models import Model
from localsum.settings import read_settings, save_settings, settings_path
from localsum.templates import load_template


@pytest.fixture
def engine() -> ToyEngine:
    return ToyEngine()


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer tokens a field: the toy backend is slow."""
    monkeypatch.setattr("localsum.bench.work.FIELDS", {"title": 6, "insight_1": 24, "quote_1": 7})


# The clock


def test_no_moment_counts_twice_and_a_stage_stops_the_one_around_it(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(100))
    monkeypatch.setattr(time, "perf_counter", lambda: float(next(ticks)))
    clock = Clock()
    with clock.stage("a"):  # 0
        with clock.stage("b"):  # 1
            pass  # 2
        with clock.stage("a"):  # 3
            pass  # 4
    # 5
    assert clock.seconds == {"a": 4.0, "b": 1.0}


def test_a_stage_that_fails_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    with pytest.raises(RuntimeError), clock.stage("a"):
        raise RuntimeError
    spent = clock.seconds["a"]
    time.sleep(0.01)
    with clock.stage("b"):
        pass
    assert clock.seconds["a"] == spent


def test_the_stopwatch_is_taken_off_and_changes_no_text(engine: ToyEngine, short: None) -> None:
    request, plain = sampled_brief(articles()["short"], 1, temperature=1.0), engine.backend

    def texts() -> dict[str, str]:
        return next(event.texts for event in engine.run([request]) if isinstance(event, RequestDone))

    with timed(engine) as (watched, clock):
        seen = next(event.texts for event in watched.run([request]) if isinstance(event, RequestDone))
        assert watched.count_tokens("abc") == 3
    assert engine.backend is plain
    assert seen == texts()
    assert set(clock.seconds) <= set(STAGES)
    assert {"read", "write", "grammar", "tokenize", "cache", "engine"} <= set(clock.seconds)


def test_a_run_that_is_left_early_frees_its_cells(engine: ToyEngine, short: None) -> None:
    with timed(engine) as (watched, _):
        events = watched.run([sampled_brief(articles()["short"], 1)])
        next(events)
        events.close()
    assert not engine.backend.history


# The work


def test_the_articles_are_what_they_always_were() -> None:
    """Reports of different days compare only as long as they are: whoever changes one has to know."""
    found = articles()
    assert {name: len(each.text.split()) for name, each in found.items()} == {"short": 304, "medium": 955, "long": 2908}
    assert [each.sha256[:12] for each in found.values()] == ["a01a487c788d", "94961428f10c", "09dee643722f"]
    for each in found.values():
        assert "---" not in each.text
        assert not [line for line in each.text.splitlines() if line.startswith("#")]
        assert each.read().title is None


def test_every_field_has_its_number_of_tokens_whatever_the_model_wants(engine: ToyEngine, short: None) -> None:
    from localsum.bench import work

    taken = measure.sampled(engine, [articles()["short"]] * 2, 0)
    assert taken.failed == ""
    assert taken.counts.forced + taken.counts.sampled == 2 * sum(work.FIELDS.values())
    assert taken.counts.forced > 10, "what stands between category and text"
    assert len(taken.seconds) == 2


def test_the_same_seed_gives_the_same_tokens_in_every_repetition(engine: ToyEngine, short: None) -> None:
    def texts(seed: int) -> str:
        return measure.sampled(engine, [articles()["short"]], seed, temperature=1.0).texts

    assert texts(1) == texts(1)
    assert texts(1) != texts(2)


# Measuring


def test_a_repetition_measures_everything_and_leaves_the_cache_empty(engine: ToyEngine, short: None) -> None:
    samples = Samples()
    for _ in range(2):
        repeat(engine, TINY, articles(), load_template(), samples, seed=0, meter=find_meter("Darwin"))
        assert not engine.backend.history
    rows = {(row.metric, row.case): row for row in samples.rows()}
    for (metric, _), row in rows.items():
        assert row.values or row.reason
        if metric not in ("prefill_tokens_s", "brief_s"):
            assert len(row.values) in (0, 2)
        if metric.endswith("_share") and metric not in ("roofline_share", "stages_share"):
            assert all(0 <= value <= 1 for value in row.values)
        else:
            assert all(value >= 0 for value in row.values)
    assert {"1 branch", "2 branches", "99 branches"} == {case for metric, case in rows if metric == "decode_tokens_s"}
    assert rows["decode_tokens_s", "99 branches"].reason == "more than the settings allow"
    assert rows["drafted_share", "sampled, stream"].reason
    assert "password" in rows["energy_j", "sampled, stream"].reason
    assert rows["brief_s", "extractive, stream"].values
    assert len(rows["brief_s", "extractive, stream"].values) == 4
    written = rows["sampled_share", "sampled, stream"].values[0] + rows["forced_share", "sampled, stream"].values[0]
    assert written == pytest.approx(1)
    assert [len(set(texts)) for texts in samples.texts.values()] == [1] * len(samples.texts)


def test_the_stages_are_the_whole_time(engine: ToyEngine, short: None) -> None:
    measure.brief(engine, [articles()["short"]], load_template(), 0)  # modules are loaded by the first
    shares: dict[str, list[float]] = {}
    for _ in range(5):  # another program may take the processor between two stages: then the best of five says it
        samples = Samples()
        repeat(engine, TINY, articles(), load_template(), samples, seed=0, meter=find_meter("Darwin"))
        rows = {(row.metric, row.case): row for row in samples.rows()}
        for (metric, case), row in rows.items():
            if metric == "stages_share":
                shares.setdefault(case, []).append(row.values[0])
                stages = sum(rows["stage_s", f"{case}, {stage}"].values[0] for stage in STAGES)
                (wall, *_) = rows["brief_s", case].values if "alone" in case else (stages / row.values[0],)
                assert stages <= 1.03 * wall, case
        if all(max(found) > 0.97 for found in shares.values()):
            return
    pytest.fail(f"less than the whole time: {shares}")


def test_what_cannot_be_written_is_said(engine: ToyEngine, short: None) -> None:
    engine.backend.cells = 1200
    samples = Samples()
    repeat(engine, TINY, articles(), load_template(), samples, seed=0, meter=find_meter("Darwin"))
    row = next(row for row in samples.rows() if (row.metric, row.case) == ("brief_s", "sampled, stream"))
    assert row.values == ()
    assert "1200" in row.reason


@pytest.mark.parametrize("depth", [1, 3, 40])
@pytest.mark.parametrize("branches", [1, 5])
def test_reading_and_writing_ask_for_what_they_say(depth: int, branches: int) -> None:
    backend = Toy(cells=500, sequences=8, batch=16)
    tokens = measure.filler(backend, "abc", depth)
    assert len(tokens) == depth
    steps = measure.write_s(backend, tokens, branches, 4)
    assert len(steps) == 4
    assert backend.read == depth + 4 * branches
    assert not backend.history
    assert measure.prefill_tokens_s(backend, "abc", 33) > 0
    assert backend.read == depth + 4 * branches + 33
    assert not backend.history


# Energy


def packages(folder: Path, *microjoules: int) -> None:
    for number, value in enumerate(microjoules):
        for name in (f"intel-rapl:{number}", f"intel-rapl:{number}:0"):
            (folder / name).mkdir(exist_ok=True)
            (folder / name / "energy_uj").write_text(f"{value}\n")
            (folder / name / "max_energy_range_uj").write_text("1000000\n")


def test_energy_is_that_of_all_packages_over_the_wrap(tmp_path: Path) -> None:
    packages(tmp_path, 100_000, 900_000)
    joules = find_meter("Linux", tmp_path).start()
    packages(tmp_path, 350_000, 150_000)
    assert joules() == pytest.approx(0.25 + 0.25)
    (tmp_path / "intel-rapl:0/energy_uj").write_text("?")
    assert joules() is None


def test_energy_that_cannot_be_had_has_its_reason(tmp_path: Path) -> None:
    assert "no counters" in find_meter("Linux", tmp_path).reason
    assert "password" in find_meter("Darwin").reason
    packages(tmp_path, 1)
    (tmp_path / "intel-rapl:0/energy_uj").write_text("many")
    broken = find_meter("Linux", tmp_path)
    assert "cannot be read" in broken.reason
    assert broken.start()() is None
    if sys.platform != "win32" and os.geteuid() != 0:
        packages(tmp_path, 1)
        (tmp_path / "intel-rapl:0/energy_uj").chmod(0)
        assert "only root" in find_meter("Linux", tmp_path).reason


# What disturbs


def test_every_disturbance_has_its_warning() -> None:
    made = benches.full()

    def said(texts: dict[str, list[str]] | None = None, throttled: int = 0, **machine: object) -> str:
        changed = replace(made, machine={**made.machine, **machine})
        return " ".join(run.warnings(changed, texts or {}, throttled))

    assert said() == ""
    assert "battery" in said(power="battery")
    assert "other programs took 20 %" in said(others_share=0.2)
    assert "hot" in said(hottest_c=95.0)
    assert "hot" in said(throttled=1)
    assert said(hottest_c=None, others_share=None, power=None) == ""
    assert "not the same tokens in every repetition: x" in said({"x": ["a", "b"], "y": ["a", "a"]})
    noisy = benches.report(steady=(100, 130))
    assert "took up to 30 % longer" in run.warnings(noisy, {}, 0)[0]
    lost = benches.report(benches.row("stages_share", "x", 0.99, 0.9), benches.row("brief_s", "y", reason="no room"))
    assert run.warnings(lost, {}, 0) == [
        "the stages do not add up to the whole time: x",
        "not written: y: no room",
    ]


def test_facts_are_of_this_machine() -> None:
    here = facts.machine()
    assert here["cores"] == len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else here["cores"]
    peak, now = facts.peak_rss_bytes(), facts.rss_bytes()
    assert now > 5_000_000
    assert peak is None or peak >= now * 0.9
    others = facts.watch_others()
    time.sleep(0.05)
    share = others()
    assert share is None or 0 <= share <= 1


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux alone forgets a peak")
def test_a_peak_is_forgotten() -> None:
    block = bytearray(80_000_000)
    high = facts.peak_rss_bytes()
    del block
    facts.forget_peak()
    low = facts.peak_rss_bytes()
    assert high is not None
    assert low is not None
    assert low < high - 40_000_000


# The command


@pytest.fixture
def toys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, short: None) -> Iterator[list[ToyEngine]]:
    """Toy engines in the place of the real one, tiny plans, and a folder of reports of its own."""
    path = tmp_path / "toy.gguf"
    path.write_bytes(ggufs.make_gguf())
    model = Model("toy", path, "5c" * 32, path.stat().st_size, None)
    made: list[ToyEngine] = []

    def make(path: Path, **options: object) -> ToyEngine:
        made.append(ToyEngine(path, **options))
        return made[-1]

    monkeypatch.setattr("localsum.models.find_model", lambda name=None: model)
    monkeypatch.setattr("localsum.engine.llama.LlamaEngine", make)
    for name, mode in (("QUICK", "quick"), ("FULL", "full"), ("SWEEP", "sweep")):
        monkeypatch.setattr(run, name, replace(TINY, mode=mode))
    monkeypatch.setenv("LOCALSUM_BENCH", str(tmp_path / "reports"))
    monkeypatch.setenv("LOCALSUM_CONFIG", str(tmp_path / "config.toml"))
    yield made
    assert not [engine for engine in made if engine.backend.history]


def test_bench_prints_keeps_lists_shows_and_compares(toys: list[ToyEngine], said: Said, tmp_path: Path) -> None:
    code, out, err = said("bench", "--format", "json", "--seed", "3", "--threads", "2")
    assert code == 0
    found = json.loads(out)
    Draft202012Validator(json_schema()).validate(found)
    assert found["settings"]["seed"] == 3
    assert found["settings"]["threads"] == 2
    assert found["settings"]["repetitions"] == 2
    assert found["model"]["architecture"] == "toy"
    assert found["texts"].keys() == {
        f"{style}, {how}" for style in ("extractive", "sampled") for how in ("short, alone", "stream")
    }
    assert not [text for text in found["warnings"] if "not the same tokens" in text]
    (file,) = (tmp_path / "reports").iterdir()
    assert f"kept: {file}" in err
    assert sys.platform == "win32" or stat.S_IMODE(file.stat().st_mode) == 0o600
    assert to_dict(read_report(file)) == found
    name = found["name"]
    assert f"localsum bench compare {name} OTHER" in err
    code, out, _ = said("bench", "list")
    assert (code, out.split()[0]) == (0, name)
    for form in ("table", "json", "jsonl", "csv", "md", "html"):
        code, out, err = said("bench", "show", name[:12], "--format", form)
        assert (code, err) == (0, "")
        assert name in out or form == "table"
    code, out, err = said("bench", "compare", name, str(file), "--format", "json")
    assert (code, err) == (0, "")
    assert {line["verdict"] for line in json.loads(out)[0]["lines"]} <= {"no difference", "not known"}
    assert "no difference" in said("bench", "compare", name, name)[1]


def test_a_bad_report_is_named_and_the_others_are_listed(toys: list[ToyEngine], said: Said, tmp_path: Path) -> None:
    folder = tmp_path / "reports"
    folder.mkdir()
    (folder / "a.json").write_text("{}")
    made = replace(benches.full(), name="b")
    kept.keep(made)
    code, out, err = said("bench", "list")
    assert code == 0
    assert out.startswith("b  score 10.5")
    assert "a.json is no report" in err


ERRORS = [
    ("bench compare b", "nothing to be compared with", "compare NAME OTHER"),
    ("bench compare bb absent", "no report is called 'absent'", "bench list"),
    ("bench show absent.json", "absent.json is no report", "bench list"),
    ("bench show b", "2 reports begin with 'b'", "bench list"),
    ("bench --save", "--save keeps what a sweep suggests", "--save"),
    ("bench --sweep colour=1", "is no sweep", "--sweep threads=1,2,4"),
    ("bench --sweep kv=f32", "kv cannot be 'f32'", "--sweep threads=1,2,4"),
    ("bench --sweep threads=1,2 --png x.png", "a sweep gives several", "--png FILE"),
    ("bench --output absent/x.json", "there is no directory absent", "mkdir -p absent"),
    ("bench --format pdf", "'--format'", "bench --help"),
    ("bench --batch 1", "'--batch'", "bench --help"),
]


@pytest.mark.parametrize(("line", "message", "way_out"), ERRORS, ids=[row[0] for row in ERRORS])
def test_errors(line: str, message: str, way_out: str, toys: list[ToyEngine], said: Said) -> None:
    for name in ("bb", "bc"):
        kept.keep(replace(benches.full(), name=name))
    code, out, err = said(*line.split())
    assert (code, out) == (1 if "absent.json" in line else 2, "")
    assert message in err
    assert err.rstrip().endswith(way_out)
    assert toys == []


def test_nothing_is_kept_where_that_is_wanted(toys: list[ToyEngine], said: Said, tmp_path: Path) -> None:
    code, out, err = said(
        "bench", "--no-keep", "--quiet", "--repetitions", "1", "-o", str(tmp_path / "x.md"), "-f", "md"
    )
    assert (code, out, err) == (0, "", "")
    assert (tmp_path / "x.md").read_text(encoding="utf-8").startswith("# toy on ")
    assert not (tmp_path / "reports").exists()


def test_a_sweep_takes_turns_suggests_and_saves(toys: list[ToyEngine], said: Said, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('# mine\nformat = "json"\nthreads = 9\n')
    code, out, err = said(
        "bench", "--sweep", "threads=1,2", "--sweep", "branches=5,6", "--save", "-f", "json", "-n", "2"
    )
    assert code == 0
    found = json.loads(out)
    asked = [(1, 5), (1, 6), (2, 5), (2, 6)]
    assert [(each["settings"]["threads"], each["settings"]["branches"]) for each in found] == asked
    used = [(engine.options["threads"], engine.options["sequences"]) for engine in toys]
    assert used == [(threads, branches + 1) for threads, branches in asked * 2]
    assert {each["settings"]["mode"] for each in found} == {"sweep"}
    assert len({each["name"] for each in found}) == 4
    assert err.count("score") >= 4
    assert "suggested: threads=" in err
    saved = read_settings()
    assert saved["format"] == "json"
    assert (saved["threads"], saved["branches"]) in asked
    assert "# mine" in settings_path().read_text()


def test_saved_settings_are_those_that_briefs_are_written_with(
    toys: list[ToyEngine], said: Said, tmp_path: Path
) -> None:
    save_settings({"branches": 4, "batch": 64, "kv": "q8_0", "context": 2048, "threads": 3})
    (tmp_path / "news.md").write_text(articles()["short"].text)
    assert said("brief", str(tmp_path / "news.md"), "--no-store")[0] == 0
    options = toys[-1].options
    assert {name: options[name] for name in ("sequences", "batch", "kv", "cells", "threads")} == {
        "sequences": 5,
        "batch": 64,
        "kv": "q8_0",
        "cells": 2048,
        "threads": 3,
    }
    assert said("brief", str(tmp_path / "news.md"), "--no-store", "--context", "4096")[0] == 0
    assert toys[-1].options["cells"] == 4096
    settings_path().write_text('kv = "f64"\n')
    code, _, err = said("brief", str(tmp_path / "news.md"), "--no-store")
    assert code == 2
    assert "kv cannot be 'f64'" in err


def test_settings_that_cannot_be_changed_without_harm_stay(toys: list[ToyEngine]) -> None:
    before = 'model = """\nthreads = 1\n"""\n'
    settings_path().write_text(before)
    with pytest.raises(UsageError, match="without harm") as caught:
        save_settings({"threads": 2})
    assert caught.value.hint == "add by hand: threads = 2"
    assert settings_path().read_text() == before


def test_the_plots_can_be_a_png(toys: list[ToyEngine], said: Said, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    kept.keep(replace(benches.full(), name="a$b$"))
    code, _, err = said("bench", "show", "a", "--png", str(tmp_path / "a.png"))
    assert (code, err) == (0, "")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib_it_says_what_to_install(
    toys: list[ToyEngine], said: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("localsum.bench.png.find_spec", lambda name: None)
    code, out, err = said("bench", "--png", str(tmp_path / "a.png"))
    assert (code, out) == (2, "")
    assert err.rstrip().endswith("pip install 'localsum[plots]'")
    assert toys == []


# The real model


@pytest.mark.model
def test_the_real_model_is_measured(tmp_path: Path, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every stage, the same tokens in each repetition, and a model that is named as what it is."""
    monkeypatch.setenv("LOCALSUM_BENCH", str(tmp_path))
    monkeypatch.setattr(
        "localsum.bench.work.FIELDS", {name: FIELDS[name] for name in ("title", "insight_1", "quote_1")}
    )
    plan = replace(TINY, branches=(1, 4), stream=("short",))
    monkeypatch.setattr(run, "QUICK", plan)
    code, out, _ = said("bench", "--format", "json", "--context", "4096", "--model", "gemma-3-270m")
    assert code == 0
    found = json.loads(out)
    Draft202012Validator(json_schema()).validate(found)
    assert found["model"]["architecture"] == "gemma3"
    assert found["model"]["vocabulary"] == 262_144
    assert found["model"]["slim_of"] is None
    assert "not the same tokens" not in " ".join(found["warnings"])
    assert "do not add up" not in " ".join(found["warnings"])
    rows = {(row["metric"], row["case"]): row for row in found["rows"]}
    for (metric, case), row in rows.items():
        assert row["values"] or row["reason"], (metric, case)
        if metric == "stages_share":
            assert all(abs(1 - value) <= 0.03 for value in row["values"]), case
    assert rows["peak_rss_mb", ""]["values"][0] > 250
    assert "AVX" in found["software"]["build"] or found["machine"]["arch"] != "x86_64"
