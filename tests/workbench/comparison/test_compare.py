"""Comparing the targets of a run: verdicts, words, and how many more prompts would tell."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from tests.workbench.metrics.runs import advice, answer, failure, plan

from ownkey.workbench.comparison import Pairs, compare
from ownkey.workbench.comparison.words import overall, speaks_for
from ownkey.workbench.metrics import Tally
from ownkey.workbench.records import Result
from ownkey.workbench.summary import MetricComparison, PairComparison, Preference, Verdict


def compared(
    results: list[Result],
    labels: tuple[str, ...] = ("ant", "bee"),
    preferences: dict[tuple[int, int], Preference] | None = None,
    prompts: int = 100,
    repeats: int = 1,
) -> tuple[PairComparison, ...]:
    of = plan(prompts, labels, repeats=repeats)
    tally, pairs = Tally(of), Pairs(of)
    for result in results:
        tally.add(result)
        pairs.add(result)
    return compare(of, pairs, tally.summary(advice).targets, preferences or {})


def both(prompts: int, a: Callable[[int], dict[str, Any]], b: Callable[[int], dict[str, Any]]) -> list[Result]:
    """An answer of each target to each prompt, made of what `a` and `b` say about it."""
    return [answer(at, target=to, **make(at)) for at in range(prompts) for to, make in enumerate((a, b))]


def varied(at: int) -> float:
    """A latency that differs by prompt, 500 to 1,490 ms."""
    return 500.0 + at * 37 % 100 * 10


def metric(pair: PairComparison, name: str) -> MetricComparison:
    (found,) = [each for each in pair.metrics if each.metric == name]
    return found


def test_a_model_that_is_faster_and_no_worse_is_better():
    (pair,) = compared(
        both(
            30,
            lambda at: {"e2e": varied(at), "passed": at % 5 > 0, "ttft": None},
            lambda at: {"e2e": varied(at) * 0.7, "passed": at % 5 > 0, "ttft": None},
        )
    )
    assert pair.verdict is Verdict.B
    latency = metric(pair, "latency_ms")
    assert latency.verdict is Verdict.B
    assert latency.difference == pytest.approx(latency.b - latency.a)
    assert latency.low < latency.difference < latency.high < 0
    assert latency.more_pairs is None
    assert pair.words.startswith("bee is better: it answers sooner (")
    assert "No difference in quality could be shown (80 % against 80 %)" in pair.words


def test_turned_round_the_verdict_turns_round():
    a = {"e2e": 700.0, "ttft": None}
    for order, verdict in (((1.0, 0.7), Verdict.B), ((0.7, 1.0), Verdict.A)):
        first, second = (lambda at, factor=factor: a | {"e2e": varied(at) * factor} for factor in order)
        (pair,) = compared(both(30, first, second))
        assert pair.verdict is verdict


def test_a_trade_off_is_told_and_is_no_verdict():
    (pair,) = compared(
        both(
            40,
            lambda at: {"e2e": varied(at), "passed": True},
            lambda at: {"e2e": varied(at) * 0.6, "passed": at % 2 == 0},
        )
    )
    assert metric(pair, "passed").verdict is Verdict.A
    assert metric(pair, "latency_ms").verdict is Verdict.B
    assert pair.verdict is Verdict.CANNOT_TELL
    assert pair.words.startswith(
        "It depends on what you want: ant passes more often (100 % against 50 %) but bee answers sooner ("
    )


def test_speed_makes_no_winner_while_quality_points_the_other_way():
    (pair,) = compared(
        both(
            20,
            lambda at: {"e2e": varied(at), "passed": True},
            lambda at: {"e2e": varied(at) * 0.6, "passed": at > 2},
        )
    )
    assert metric(pair, "latency_ms").verdict is Verdict.B
    assert metric(pair, "passed").verdict is Verdict.CANNOT_TELL
    assert pair.verdict is Verdict.CANNOT_TELL
    assert "but it looks as if ant passes more often (100 % against 85 %), and 20 prompts cannot tell" in pair.words
    assert "more prompts would tell which passes more often" in pair.words


def test_too_few_prompts_cannot_tell_and_say_how_many_more_would():
    (pair,) = compared(both(5, lambda at: {"e2e": varied(at)}, lambda at: {"e2e": varied(at) / 10}))
    assert pair.verdict is Verdict.CANNOT_TELL
    more = metric(pair, "latency_ms").more_pairs
    assert more is not None
    # An exact test of that many measures needs 7 or 8 prompts at least.
    assert 2 <= more <= 10
    assert "would tell" in pair.words


@pytest.mark.parametrize("prompts", [1, 2, 3, 4, 5])
def test_below_six_prompts_nothing_tells(prompts: int):
    (pair,) = compared(both(prompts, lambda _: {"passed": True}, lambda _: {"passed": False, "e2e": 1.0, "ttft": 0.5}))
    assert pair.verdict is Verdict.CANNOT_TELL
    assert {each.verdict for each in pair.metrics} == {Verdict.CANNOT_TELL}
    assert all(each.more_pairs for each in pair.metrics)


def test_no_difference_at_all_is_not_a_matter_of_more_prompts():
    (pair,) = compared(both(10, lambda _: {"passed": True}, lambda _: {"passed": True}))
    assert {each.p for each in pair.metrics} == {1.0}
    assert {each.more_pairs for each in pair.metrics} == {None}
    assert "no number of prompts is worth running" in pair.words
    passed = metric(pair, "passed")
    assert passed.low < 0 < passed.high


def test_pass_and_fail_of_one_repeat_is_mcnemar_and_of_more_the_permutation_test_of_pass_rates():
    once = compared(both(10, lambda at: {"passed": at > 0}, lambda _: {"passed": True}))[0]
    assert metric(once, "passed").method.startswith("exact McNemar test")
    assert metric(once, "passed").p == 1.0
    repeated = [
        answer(at, target=to, repeat=repeat, passed=repeat < 2 - to)
        for at in range(12)
        for to in (0, 1)
        for repeat in (0, 1)
    ]
    found = metric(compared(repeated, repeats=2)[0], "passed")
    assert found.method.startswith("sign-flip")
    # Twelve prompts, all a half pass rate lower: 2 of 2^12 patterns.
    assert found.p == pytest.approx(2 / 2**12)
    assert (found.pairs, found.a, found.b, found.verdict) == (12, 1.0, 0.5, Verdict.A)


def test_all_pairs_are_compared_and_corrected_together():
    results = [
        answer(at, target=to, e2e=varied(at) * factor, ttft=None)
        for at in range(30)
        for to, factor in enumerate((1.0, 0.99, 0.5))
    ]
    found = compared(results, ("ant", "bee", "cat"))
    assert [(each.a, each.b) for each in found] == [(0, 1), (0, 2), (1, 2)]
    assert [each.verdict for each in found][1:] == [Verdict.B, Verdict.B]
    alone = metric(compared([each for each in results if each.slot.target < 2])[0], "latency_ms")
    together = metric(found[0], "latency_ms")
    assert together.p == alone.p
    assert together.p_adjusted >= alone.p_adjusted


def test_a_judges_preference_is_quality():
    preference = Preference(judge="j", a_wins=2, b_wins=20, ties=8, flip_rate=0.1)
    (pair,) = compared(both(30, lambda _: {}, lambda _: {}), preferences={(0, 1): preference})
    found = metric(pair, "preference")
    assert (found.pairs, found.a, found.b) == (30, pytest.approx(2 / 30), pytest.approx(20 / 30))
    assert found.method.startswith("exact sign test")
    assert found.verdict is Verdict.B
    assert pair.verdict is Verdict.B
    assert pair.preference == preference
    assert "is preferred by the judge (67 % against 7 %)" in pair.words


def test_a_judge_that_saw_nothing_is_no_measure():
    nothing = Preference(judge="j", a_wins=0, b_wins=0, ties=0, flip_rate=0.0)
    (pair,) = compared(both(8, lambda _: {}, lambda _: {}), preferences={(0, 1): nothing})
    assert "preference" not in {each.metric for each in pair.metrics}


def test_ungraded_answers_say_nothing_about_quality():
    (pair,) = compared(both(30, lambda at: {"e2e": varied(at)}, lambda at: {"e2e": varied(at) * 0.5}))
    assert pair.verdict is Verdict.B
    assert "not graded" in pair.words


def test_a_model_that_never_answered_is_not_compared():
    results = [each for at in range(20) for each in (failure(at), answer(at, target=1, passed=True))]
    (pair,) = compared(results)
    assert pair.verdict is Verdict.CANNOT_TELL
    assert pair.words == "Nothing to compare: all 20 calls to ant failed. Its failures say what to do."


def test_failed_calls_count_against_quality_and_are_named():
    results = both(30, lambda _: {"passed": True}, lambda _: {"passed": True})
    results = [
        failure(each.slot.position) if each.slot.target == 0 and each.slot.position < 15 else each for each in results
    ]
    (pair,) = compared(results)
    assert metric(pair, "passed").verdict is Verdict.B
    assert pair.verdict is Verdict.B
    assert "15 of 30 calls to ant failed" in pair.words


def test_before_a_prompt_has_both_answers_there_is_nothing_to_compare():
    for results in ([], [answer(0)], [answer(0), answer(1, target=1)]):
        (pair,) = compared(results)
        assert (pair.verdict, pair.metrics) == (Verdict.CANNOT_TELL, ())
        assert pair.words.startswith("Nothing to compare yet")


def test_models_of_one_name_are_told_apart():
    (pair,) = compared(both(30, lambda at: {"e2e": varied(at)}, lambda at: {"e2e": varied(at) / 2}), ("ant", "ant"))
    assert pair.words.startswith("ant (B) is better")


def test_numpy_and_scipy_are_not_loaded_before_something_is_compared():
    program = (
        "import sys; import ownkey.workbench.comparison, ownkey.workbench.metrics; "
        "sys.exit(bool({'numpy', 'scipy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_run_of_one_model_has_no_comparison():
    assert compared([answer(0)], ("ant",)) == ()


def test_cost_per_passed_answer_and_quality_adjusted_goodput_stand_beside_the_verdict():
    results = both(
        10,
        lambda at: {"passed": at < 5, "observation": {"cost": 10**6}, "sent": float(at)},
        lambda _: {"passed": True, "observation": {"cost": 10**6}, "sent": 0.0},
    )
    (pair,) = compared(results)
    assert pair.cost_per_passed_usd == ("0.002", "0.001")
    assert pair.quality_adjusted_goodput == (0.5, 10.0)


def test_the_same_results_give_the_same_figures():
    results = both(25, lambda at: {"e2e": varied(at)}, lambda at: {"e2e": varied(at * 7)})
    assert compared(results) == compared(results)


def test_a_measure_is_told_with_both_values_interval_and_significance():
    (pair,) = compared(
        both(
            30,
            lambda at: {"e2e": varied(at), "observation": {"cost": 200_000}},
            lambda at: {"e2e": varied(at), "observation": {"cost": 100_000 + at}},
        )
    )
    assert metric(pair, "cost_usd").words.startswith(
        "bee costs less: ant $0.0002, bee $0.0001 (difference −$0.0001, 95 % interval −$0.0001 to −$0.0001; p = "
    )
    assert metric(pair, "latency_ms").words.startswith("Cannot tell which answers sooner: ant ")


@pytest.mark.parametrize(
    ("nano", "text"),
    [(66_300, "$0.0000663"), (10**9, "$1.00"), (12_500_000_000, "$12.50"), (0, "$0.00"), (1, "$0.000000001")],
)
def test_money_is_written_without_an_exponent(nano: int, text: str):
    cost: dict[str, Any] = {"observation": {"cost": nano}}
    (pair,) = compared(both(2, lambda _: cost, lambda _: cost))
    assert f"ant {text}, bee {text}" in metric(pair, "cost_usd").words


def told(name: str, verdict: Verdict, difference: float) -> MetricComparison:
    return MetricComparison(
        metric=name,
        unit="",
        higher_is_better=name == "passed",
        method="",
        pairs=10,
        a=0.5,
        b=0.5 + difference,
        difference=difference,
        low=0,
        high=0,
        p=0.5,
        p_adjusted=0.5,
        verdict=verdict,
    )


A, B, OPEN = Verdict.A, Verdict.B, Verdict.CANNOT_TELL


@pytest.mark.parametrize(
    ("quality", "speed", "cost", "verdict"),
    [
        ((OPEN, 0.0), OPEN, OPEN, OPEN),
        ((B, 0.3), OPEN, OPEN, B),
        ((B, 0.3), B, B, B),
        ((B, 0.3), A, OPEN, OPEN),
        ((OPEN, 0.0), B, A, OPEN),
        ((OPEN, 0.0), B, OPEN, B),
        ((OPEN, 0.2), B, OPEN, B),
        ((OPEN, -0.05), B, OPEN, B),
        ((OPEN, -0.06), B, OPEN, OPEN),
        ((OPEN, 0.06), A, A, OPEN),
        ((A, -0.2), A, A, A),
    ],
)
def test_better_over_all_is_better_somewhere_and_worse_nowhere(
    quality: tuple[Verdict, float], speed: Verdict, cost: Verdict, verdict: Verdict
):
    metrics = [told("passed", *quality), told("latency_ms", speed, 0.0), told("cost_usd", cost, 0.0)]
    assert overall(metrics) is verdict


@pytest.mark.parametrize(
    ("difference", "p", "higher", "verdict"),
    [(-1, 0.05, False, B), (1, 0.05, False, A), (1, 0.01, True, B), (-1, 0.01, True, A), (1, 0.051, True, OPEN)],
)
def test_a_measure_speaks_within_the_level(difference: float, p: float, higher: bool, verdict: Verdict):
    assert speaks_for(difference, p, higher_is_better=higher) is verdict
