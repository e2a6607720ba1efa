"""A run's figures: by hand, in any order, split and merged, small in memory, and true to a known distribution."""

import pickle
from math import exp, log
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.workbench.metrics.runs import advice, answer, failure, plan

from ownkey.workbench.metrics import DEFINITIONS, Tally
from ownkey.workbench.metrics.definitions import REQUEST_UNITS
from ownkey.workbench.records import (
    Arrival,
    Failure,
    FailureKind,
    Objectives,
    Result,
    RunPlan,
    Tokens,
    TokenSource,
)
from ownkey.workbench.summary import RunSummary, TargetSummary


def summary(results: list[Result], of: RunPlan | None = None) -> RunSummary:
    tally = Tally(of or plan())
    for result in results:
        tally.add(result)
    return tally.summary(advice)


def figures(results: list[Result], of: RunPlan | None = None) -> TargetSummary:
    return summary(results, of).targets[0]


def test_a_run_by_hand():
    found = figures(
        [
            # Sent at 100, 101 and 102 s; the last response comes at 104 s: 4 s in all.
            answer(
                0, sent=100, e2e=1000, ttft=200, output=41, timing={"gaps_ms": (100.0, 700.0)}, passed=True, score=1
            ),
            answer(1, sent=101, e2e=2000, ttft=400, output=81, timing={"gaps_ms": (1600.0,)}, passed=False, score=0.5),
            failure(2, sent=102, lasted=2),
        ],
        plan(3, objectives=Objectives(e2e_ms=1500)),
    )
    assert (found.requests, found.success.count, found.first_attempt.count) == (3, 2, 2)
    assert found.duration_ms == 4000
    assert found.system_tokens_per_second == (41 + 81) / 4
    assert found.requests_per_second == 2 / 4
    assert found.goodput_per_second == 1 / 4
    assert found.good is not None
    assert (found.good.count, found.good.total) == (1, 3)
    assert found.quality_adjusted_goodput == 1 / 4
    assert found.passed is not None
    assert (found.passed.count, found.passed.total) == (1, 2)
    assert (found.tokens.input, found.tokens.output) == (20, 122)
    averages = {name: spread.avg for name, spread in found.metrics.items()}
    assert averages == pytest.approx(
        {
            "latency_ms": 1500,
            "ttft_ms": 300,
            "ttfo_ms": 300,
            "tpot_ms": 20,  # 800/40 and 1600/80
            "chunk_gap_ms": 800,
            "tokens_per_second": (41 + 40.5) / 2,
            "decode_tokens_per_second": 50,
            "input_tokens": 10,
            "output_tokens": 61,
            "reasoning_tokens": 0,
            "answer_characters": 9,
            "answer_words": 2,
            "backoff_ms": 0,
            "score": 0.75,
        }
    )


def test_nothing_yet_is_no_error():
    found = figures([])
    assert (found.requests, found.metrics, found.duration_ms) == (0, {}, 0)
    assert found.system_tokens_per_second is None
    assert found.goodput_per_second is None


def test_every_metric_is_defined_once_and_the_units_agree():
    by_name = {each.name: each for each in DEFINITIONS}
    assert len(by_name) == len(DEFINITIONS)
    assert all(each.formula for each in DEFINITIONS)
    assert {name: by_name[name].unit for name in REQUEST_UNITS} == REQUEST_UNITS
    found = figures([answer(0, passed=True, score=1.0, timing={"gaps_ms": (1.0,), "connect_ms": 1.0})])
    assert all(spread.unit == REQUEST_UNITS[name] for name, spread in found.metrics.items())


def test_retries_inside_a_request_count_against_the_first_attempt_and_wait_outside_latency():
    limited = Failure(FailureKind.RATE_LIMIT, "slow down")
    retried = {"attempts": 2, "backoff_ms": 700.0, "first_failure": limited}
    found = figures([answer(0), answer(1, e2e=300, observation=retried)])
    assert (found.success.count, found.first_attempt.count) == (2, 1)
    assert found.metrics["backoff_ms"].max == 700
    assert found.metrics["latency_ms"].max == 1000


def test_an_answer_of_a_later_round_replaces_the_failure_but_not_the_first_attempt():
    results = [failure(0, sent=0, lasted=1), answer(1, sent=0, e2e=1000), answer(0, sent=3600, e2e=1000, round=2)]
    for order in (results, results[::-1]):
        found = figures(order)
        assert (found.requests, found.success.count, found.first_attempt.count) == (2, 2, 1)
        assert found.failures == ()
        # The hour between the rounds is no part of the run.
        assert found.duration_ms == 2000


def test_a_slot_first_asked_in_a_later_round_has_its_first_attempt_there():
    assert figures([answer(0, round=2)]).first_attempt.count == 1


def test_the_last_rounds_failure_counts():
    results = [failure(0, FailureKind.TIMEOUT), failure(0, FailureKind.AUTH, "no", round=2)]
    for order in (results, results[::-1]):
        found = figures(order)
        assert [(each.kind, each.count) for each in found.failures] == [(FailureKind.AUTH, 1)]


def test_a_result_told_twice_counts_once():
    results = [answer(0), failure(1)]
    assert summary(results * 3) == summary(results)


def test_more_rounds_than_are_told_apart_lose_no_answer():
    results = [failure(0, round=number) for number in range(1, 80)] + [answer(0, round=80)]
    assert figures(results).success.count == 1


def test_failures_are_counted_by_kind_with_advice_and_what_was_said():
    found = figures([failure(0), failure(1, message="later"), failure(2, FailureKind.AUTH, "bad key"), answer(3)])
    first, second = found.failures
    assert (first.kind, first.count, first.advice, first.example) == (
        FailureKind.TIMEOUT,
        2,
        "do this about timeout",
        "too slow",
    )
    assert (second.kind, second.count, second.example) == (FailureKind.AUTH, 1, "bad key")


def test_errors_stay_in_the_denominator_of_the_good_share():
    found = figures([answer(0), failure(1), failure(2)], plan(3, objectives=Objectives(e2e_ms=5000)))
    assert found.good is not None
    assert (found.good.count, found.good.total) == (1, 3)


def test_without_objectives_there_is_no_goodput_and_passed_answers_still_have_a_rate():
    found = figures([answer(0, passed=True), answer(1, sent=1, passed=True)])
    assert found.goodput_per_second is None
    assert found.good is None
    assert found.quality_adjusted_goodput == 1


def test_warm_ups_are_beside_the_figures_and_give_the_cold_start():
    found = figures(
        [
            answer(0, sent=1, e2e=900, ttft=700, warm_up=True),
            answer(0, sent=0, e2e=5000, ttft=4000, warm_up=True, timing={"connect_ms": 80.0}),
            answer(0, sent=10, e2e=500, ttft=100),
        ],
        plan(warm_up=2),
    )
    assert (found.requests, found.warm_ups) == (1, 2)
    assert found.metrics["latency_ms"].max == 500
    assert found.duration_ms == 500
    assert found.cold_start == pytest.approx(
        {"latency_ms": 5000, "ttft_ms": 4000, "ttfo_ms": 4000, "connect_ms": 80, "tokens_per_second": 10}
    )


def test_without_warm_up_the_first_answered_request_is_the_cold_start_and_a_caution_says_so():
    found = summary([answer(1, sent=6, e2e=100), answer(0, sent=5, e2e=3000), failure(2, sent=4)])
    assert found.targets[0].cold_start["latency_ms"] == 3000
    assert found.targets[0].metrics["latency_ms"].max == 3000
    assert any("No warm-up" in caution for caution in found.cautions)


def test_cost_counts_what_was_spent_on_failures_and_is_told_a_passed_answer():
    found = figures(
        [
            answer(0, observation={"cost": 3_000_000}, passed=True),
            answer(1, observation={"cost": 2_000_000}, passed=False),
            failure(2, observation={"cost": 1_000_000, "tokens": Tokens(10, 5)}),
        ]
    )
    assert (found.cost_usd, found.cost_per_passed_usd, found.unpriced) == ("0.006", "0.006", 0)
    assert found.metrics["cost_usd"].count == 2
    assert found.tokens.output == 105


def test_a_cost_that_is_partly_unknown_is_told_as_such():
    found = summary([answer(0, observation={"cost": 3_000_000}, passed=True), answer(1, passed=True)])
    (target,) = found.targets
    assert (target.cost_usd, target.unpriced, target.cost_per_passed_usd) == ("0.003", 1, None)
    assert any("leaves out answers without a known price: 1 of 2" in caution for caution in found.cautions)
    assert figures([answer(0)]).cost_usd is None


@pytest.mark.parametrize(
    ("observation", "timing", "told"),
    [
        ({"streamed": False}, {}, "came in one piece"),
        ({"tokens": None}, {}, "came without token counts"),
        ({"tokens": Tokens(1, 50, reasoning=40)}, {}, "reasoning that was not streamed"),
        ({"tokens": Tokens(1, 5, source=TokenSource.ESTIMATED)}, {}, "are estimated"),
        ({}, {"e2e_ms": None}, "were empty"),
        ({"cautions": ("The stream did not end as it should.",)}, {}, "carry a caution of their own"),
    ],
)
def test_what_spoils_a_figure_is_said(observation: dict[str, Any], timing: dict[str, Any], told: str):
    found = summary([answer(0), answer(1, observation=observation, timing=timing)])
    assert sum(told in caution and "1 of 2" in caution for caution in found.cautions) == 1
    clean = summary([answer(0), answer(1)])
    assert not any(told in caution for caution in clean.cautions)


def test_few_answers_are_cautioned_with_the_repeats_that_would_do():
    found = summary([answer(position) for position in range(10)])
    (caution,) = [each for each in found.cautions if "p95" in each]
    assert "rest on 10 answers" in caution
    assert "p95 needs 59 and p99 needs 299" in caution
    assert "Repeat each prompt 6 times for p95 or 30 times for p99." in caution
    hundred = summary([answer(position) for position in range(100)], plan(100))
    (caution,) = [each for each in hundred.cautions if "p99" in each]
    assert "p95" not in caution
    assert "3 times for p99" in caution
    many = summary([answer(position) for position in range(299)], plan(299))
    assert not any("p99" in each for each in many.cautions)


def test_a_run_under_way_says_how_far_it_is():
    assert "The figures cover 1 of 10 requests." in summary([answer(0)]).cautions
    assert not any("cover" in each for each in summary([answer(each) for each in range(10)]).cautions)


def test_models_that_share_the_time_are_told_to_share_it():
    assert any("in turn" in each for each in summary([answer(0)], plan(labels=("one", "two"))).cautions)


def test_the_kind_of_load_is_said_and_lateness_is_a_figure_of_open_loops_only():
    late = [answer(0, timing={"late_ms": 7.0})]
    closed = summary(late, plan(concurrency=3))
    assert closed.load.startswith("closed loop: 3 at a time")
    assert "late_ms" not in closed.targets[0].metrics
    opened = summary(late, plan(arrival=Arrival.POISSON, rate=2.5))
    assert "Poisson arrivals, 2.5 requests/s" in opened.load
    assert opened.targets[0].metrics["late_ms"].max == 7


@st.composite
def runs(draw: st.DrawFn) -> list[Result]:
    """Slots of two targets, some retried in later rounds until they are answered."""
    results: list[Result] = []
    for target in range(2):
        for position in draw(st.sets(st.integers(0, 9))):
            sent = draw(st.floats(0, 100))
            failures = draw(st.lists(st.sampled_from(FailureKind), max_size=2))
            for number, kind in enumerate(failures, 1):
                results.append(failure(position, kind, f"{number}", target=target, sent=sent, round=number))
            if draw(st.booleans()):
                results.append(
                    answer(
                        position,
                        target=target,
                        sent=sent,
                        e2e=draw(st.floats(1, 1e5)),
                        timing={"gaps_ms": tuple(draw(st.lists(st.floats(0, 1e3), max_size=3)))},
                        observation={"cost": draw(st.integers(0, 10**9))},
                        passed=draw(st.sampled_from([None, True, False])),
                        round=len(failures) + 1,
                    )
                )
    return results


@given(runs(), st.randoms(use_true_random=False))
def test_the_order_of_results_changes_nothing(results: list[Result], random: Any):
    shuffled = list(results)
    random.shuffle(shuffled)
    two = plan(labels=("one", "two"))
    assert summary(shuffled, two) == summary(results, two)


@given(runs(), st.data())
def test_merged_tallies_are_one_tally_of_everything(results: list[Result], data: st.DataObject):
    two = plan(labels=("one", "two"))
    parts = Tally(two), Tally(two)
    for result in results:
        parts[data.draw(st.integers(0, 1))].add(result)
    parts[0].merge(parts[1])
    assert parts[0].summary(advice) == summary(results, two)


def test_tallies_of_the_same_slot_cannot_be_merged():
    first, second = Tally(plan()), Tally(plan())
    first.add(answer(0))
    second.add(answer(0))
    with pytest.raises(ValueError, match="same slot"):
        first.merge(second)


def test_a_hundred_thousand_results_stay_small():
    count, text = 100_000, "word " * 200
    tally = Tally(plan(count))
    for position in range(count):
        tally.add(answer(position, observation={"text": text, "cost": 5}, timing={"gaps_ms": (10.0, 12.0)}))
    assert len(pickle.dumps(tally)) < 15_000_000


@pytest.mark.parametrize(
    ("name", "theory"),
    [
        ("lognormal", [800 * exp(0.5 * z) for z in (0.0, 1.6448536269514722, 2.3263478740408408)]),
        ("exponential", [-300 * log(1 - q) for q in (0.5, 0.95, 0.99)]),
        ("uniform", [100 + 800 * q for q in (0.5, 0.95, 0.99)]),
    ],
)
def test_a_known_distribution_is_recovered_within_two_percent(name: str, theory: list[float]):
    random = np.random.default_rng(4)
    drawn = {
        "lognormal": random.lognormal(log(800), 0.5, 20_000),
        "exponential": random.exponential(300, 20_000),
        "uniform": random.uniform(100, 900, 20_000),
    }[name]
    found = figures([answer(at, e2e=float(value), ttft=None) for at, value in enumerate(drawn)], plan(20_000))
    latency = found.metrics["latency_ms"]
    assert [latency.p50, latency.p95, latency.p99] == pytest.approx(theory, rel=0.02)
    assert latency.cautions == ()
