"""Comparisons: a difference is said where there is one, none where there is none, and nothing that cannot be known."""

import random
from dataclasses import replace

import benches
import numpy as np
import pytest
from benches import row
from hypothesis import given, settings
from hypothesis import strategies as st

from localsum.bench.compare import compare, interval
from localsum.bench.report import Report
from localsum.bench.sweep import Knobs, advise, combinations
from localsum.bench.tables import comparison_tables, tables_as_markdown, tables_as_text
from localsum.errors import UsageError
from localsum.settings import value_of

samples = st.lists(st.floats(0.01, 1000), min_size=3, max_size=12)
OPPOSITE = {"better": "worse", "worse": "better", "higher": "lower", "lower": "higher"}


def verdicts(first: Report, second: Report) -> dict[str, str]:
    return {line.metric: line.verdict for line in compare(first, second).lines}


@given(samples, samples)
@settings(max_examples=40, deadline=None)
def test_whichever_comes_first_the_answer_is_the_same_upside_down(one: list[float], other: list[float]) -> None:
    low, high = interval(one, other, 1)
    assert low <= high
    assert interval(other, one, 1) == pytest.approx((1 / high, 1 / low))
    a, b = benches.report(row("brief_s", "x", *one)), benches.report(row("brief_s", "x", *other), name="two")
    there, back = compare(a, b).lines[0], compare(b, a).lines[0]
    assert back.verdict == OPPOSITE.get(there.verdict, there.verdict)
    assert there.first == back.second == np.median(one)


@given(samples, st.floats(0.01, 100))
@settings(max_examples=40, deadline=None)
def test_the_unit_of_time_changes_no_ratio(one: list[float], factor: float) -> None:
    other = [value * 1.3 for value in one]
    assert interval([factor * v for v in one], [factor * v for v in other], 5) == pytest.approx(interval(one, other, 5))


@given(samples)
@settings(max_examples=40, deadline=None)
def test_a_report_does_not_differ_from_itself(values: list[float]) -> None:
    made = benches.report(row("brief_s", "x", *values), row("load_s", "", *values))
    found = compare(made, made)
    assert {line.verdict for line in found.lines} == {"no difference"}
    assert found.differs == ()
    assert found.refused == ()


@pytest.mark.parametrize("drift", [0, 0.05])
def test_noise_alone_is_seldom_called_a_difference(drift: float) -> None:
    """Two runs of one machine, which may be slower or faster as a whole in one of them: hardly any are told apart."""
    rng, wrong = random.Random(7), 0
    for _ in range(200):

        def run() -> Report:
            speed = rng.gauss(1, drift)
            steady = tuple(100 * speed * rng.gauss(1, 0.03) for _ in range(6))
            return benches.report(
                row("brief_s", "x", *(2 / speed * rng.gauss(1, 0.03) for _ in range(3))), steady=steady
            )

        wrong += compare(run(), run()).lines[0].verdict != "no difference"
    assert wrong < 12


def test_a_change_of_speed_is_the_machines_only_where_nothing_else_changed() -> None:
    first = benches.report(row("brief_s", "x", 1.0, 1.01, 1.02))
    slower = (row("brief_s", "x", 1.2, 1.21, 1.22),)
    assert verdicts(first, benches.report(*slower, steady=(84, 85)))["brief_s"] == "no difference"
    assert verdicts(first, benches.report(*slower))["brief_s"] == "worse"
    for key in ("software__build", "model__sha256", "machine__cpu"):
        changed = benches.report(*slower, steady=(84, 85), **{key: "other"})
        assert verdicts(first, changed)["brief_s"] == "worse", key


def test_a_real_difference_is_found_and_named_by_what_is_better() -> None:
    rng = random.Random(3)
    first, second = (
        benches.report(
            row("brief_s", "x", *(factor * rng.gauss(1, 0.02) for _ in range(5))),
            row("articles_per_min", "x", *(factor * rng.gauss(1, 0.02) for _ in range(5))),
            row("sampled_share", "x", *(factor / 9 * rng.gauss(1, 0.02) for _ in range(5))),
            name=str(factor),
        )
        for factor in (1, 1.5)
    )
    wanted = {"brief_s": "worse", "articles_per_min": "better", "sampled_share": "higher"}
    assert verdicts(first, second).items() >= wanted.items()
    line = compare(first, second).lines[0]
    assert line.ratio == pytest.approx(1.5, rel=0.05)
    assert line.low is not None
    assert line.high is not None
    assert 1.3 < line.low < line.ratio < line.high < 1.7


def test_a_restless_machine_explains_differences_of_time_but_not_of_memory() -> None:
    one, other = (1.0, 1.01, 1.02), (1.2, 1.21, 1.22)

    def made(values: tuple[float, ...], steady: tuple[float, ...]) -> Report:
        return benches.report(row("brief_s", "x", *values), row("peak_rss_mb", "", *values), steady=steady)

    assert verdicts(made(one, (100, 101)), made(other, (100, 101)))["brief_s"] == "worse"
    restless = compare(made(one, (100, 101)), made(other, (80, 110)))
    assert restless.wobble == pytest.approx(110 / 80 - 1)
    assert [line.verdict for line in restless.lines[:2]] == ["no difference", "worse"]
    assert "machine" in restless.lines[0].why


def test_few_samples_and_zeros_are_no_ground_for_a_verdict() -> None:
    first = benches.report(row("brief_s", "x", 1, 2), row("reused_share", "x", 0, 0, 0), row("load_s", "", 0, 0, 0))
    second = benches.report(row("brief_s", "x", 5, 6, 7), row("reused_share", "x", 0, 0, 0), row("load_s", "", 1, 1, 1))
    found = {line.metric: (line.verdict, line.ratio) for line in compare(first, second).lines}
    assert found["brief_s"] == ("not known", 4.0)
    assert found["reused_share"] == ("no difference", None)
    assert found["load_s"] == ("not known", None)


CANNOT = {
    "other articles": lambda made: benches.replace_articles(made, sha256="bb"),
    "another brief": lambda made: benches.report(*made.rows[:-1], settings__work="other"),
    "no row in common": lambda made: benches.without_rows(made),
}


@pytest.mark.parametrize("why", CANNOT)
def test_what_cannot_be_compared_is_refused_with_the_reason(why: str) -> None:
    made = benches.full()
    for pair in ((made, CANNOT[why](made)), (CANNOT[why](made), made)):
        with pytest.raises(UsageError, match=f"cannot be compared: .*{why}") as caught:
            compare(*pair)
        assert caught.value.hint.endswith("localsum bench")


def test_rows_that_cannot_be_compared_are_refused_one_by_one() -> None:
    first = benches.report(
        row("brief_s", "sampled, stream", 1, 1, 1),
        row("brief_s", "extractive, stream", 1, 1, 1),
        row("decode_tokens_s", "1 branch", 9, 9, 9),
        row("energy_j", "x", reason="no counters"),
        row("load_s", "", 1, 1, 1),
    )
    second = benches.report(
        row("brief_s", "sampled, stream", 2, 2, 2),
        row("brief_s", "extractive, stream", 2, 2, 2),
        row("decode_tokens_s", "1 branch", 8, 8, 8),
        row("energy_j", "x", 3, 3, 3),
        row("mask_us", "a", 1),
        name="two",
        model__tokens_sha256="other",
        model__name="slim",
    )
    found = compare(first, second)
    assert [(line.metric, line.case) for line in found.lines] == [("brief_s", "extractive, stream")]
    why = {(each.metric, each.case): each.why for each in found.refused}
    assert why.pop(("energy_j", "x")) == "not measured: no counters"
    assert why.pop(("load_s", "")) == "only one has it"
    assert why.pop(("mask_us", "a")) == "only two has it"
    assert set(why.values()) == {"the models split text into other tokens"}
    assert ("brief_s", "sampled, stream") in why
    assert found.differs == ("model.name: x, slim",)
    text = tables_as_text(comparison_tables(found)) + tables_as_markdown(comparison_tables(found))
    assert text.count("other tokens") == 6
    assert "model.name: x, slim" in text


def test_streams_of_other_plans_are_not_compared() -> None:
    made = benches.full()
    found = compare(made, replace(made, settings={**made.settings, "mode": "full"}))
    assert {line.case for line in found.lines}
    assert not any("stream" in line.case for line in found.lines)
    assert {each.why for each in found.refused if "stream" in each.case} == {
        "the streams are of other articles: one is quick, one full or a sweep"
    }


def test_other_texts_are_told() -> None:
    made = benches.full()
    other = benches.with_texts(made, {"sampled, stream": "78"})
    assert compare(made, other).differs == ("other texts were written: sampled, stream",)


# Sweeps


def test_combinations_are_all_of_them_in_the_order_they_were_named() -> None:
    base = Knobs(model="m", threads=7)
    found = combinations(["threads=1,2", "kv=f16, q8_0"], base)
    assert [(each.threads, each.kv) for each in found] == [(1, "f16"), (1, "q8_0"), (2, "f16"), (2, "q8_0")]
    assert {each.model for each in found} == {"m"}
    assert combinations([], base) == [base]
    assert combinations(["batch=64,64"], base) == [Knobs(model="m", threads=7, batch=64)]
    assert found[0].said() == "model=m threads=1 kv=f16"
    assert Knobs().said() == "as it comes"


@pytest.mark.parametrize(
    "sweeps",
    [
        ["threads"],
        ["threads="],
        ["colour=1"],
        ["threads=0"],
        ["threads=1.5"],
        ["threads=²"],
        ["threads=1", "threads=2"],
        ["kv=f32"],
        ["context=10"],
        ["batch=9999999999"],
        ["threads=" + ",".join(map(str, range(1, 40)))],
    ],
)
def test_what_is_no_sweep_is_refused(sweeps: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        combinations(sweeps, Knobs())
    assert "--sweep" in caught.value.hint


def test_a_knob_is_a_number_or_a_word() -> None:
    found = [value_of(*each, "") for each in (("threads", "2"), ("kv", "f16"), ("model", "a-b"))]
    assert found == [2, "f16", "a-b"]
    for name, text in (("threads", "0"), ("kv", "q4"), ("model", ""), ("batch", "7"), ("branches", "٣")):
        with pytest.raises(UsageError, match=name):
            value_of(name, text, "")


def test_advice_takes_the_fastest_unless_noise_explains_it() -> None:
    def made(*speeds: float) -> Report:
        return benches.report(row("articles_per_min", "a", *speeds), row("articles_per_min", "b", *speeds))

    slow, fast, as_fast = made(10, 10.1, 10.2), made(15, 15.1, 15.2), made(15.05, 15.15, 15.25)
    assert advise([slow, fast]).keep == 1
    assert advise([fast, slow]).keep == 0
    assert advise([slow, fast, as_fast]).keep == 1, "the first of those that are as fast"
    assert advise([slow, as_fast, fast]).keep == 1
    assert "noise" in advise([slow, fast, as_fast]).why
    assert advise([slow]).keep == 0
    assert advise([benches.report(), benches.report()]).keep == 0
    assert advise([benches.report(), fast]).keep == 1
    one = made(20)
    assert advise([slow, one]).keep == 0, "one sample proves nothing"
