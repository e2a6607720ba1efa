"""Pairing by prompt and repeat."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.workbench.metrics.runs import answer, failure, plan

from ownkey.workbench.comparison.pairs import COST, LATENCY, PASSED, RATE, SCORE, TTFT, Measure, Pairs, Sample
from ownkey.workbench.records import FailureKind, Result


def paired(results: list[Result], repeats: int = 1) -> dict[Measure, Sample]:
    pairs = Pairs(plan(labels=("one", "two"), repeats=repeats))
    for result in results:
        pairs.add(result)
    return {sample.measure: sample for sample in pairs.samples(0, 1)}


def test_prompts_that_only_one_was_asked_are_left_out():
    found = paired([answer(0, e2e=100), answer(1, e2e=200), answer(1, target=1, e2e=300), answer(2, target=1)])
    assert (found[LATENCY].a, found[LATENCY].b) == ([200], [300])
    assert found[LATENCY].differences == [100]


def test_repeats_are_averaged_over_those_both_have():
    found = paired(
        [
            answer(0, repeat=0, e2e=100),
            answer(0, repeat=1, e2e=200),
            answer(0, repeat=2, e2e=900),
            answer(0, target=1, repeat=0, e2e=300),
            answer(0, target=1, repeat=1, e2e=500),
        ],
        repeats=3,
    )
    assert (found[LATENCY].a, found[LATENCY].b) == ([150], [400])


def test_each_measure_is_paired_by_itself():
    whole: dict[str, Any] = {"streamed": False}
    priced: dict[str, Any] = {"cost": 10**9}
    found = paired(
        [
            answer(0, observation=priced),
            answer(0, target=1, observation=whole | priced),
            answer(1, passed=True),
            answer(1, target=1, passed=False),
        ]
    )
    assert {measure: len(sample.a) for measure, sample in found.items()} == {
        PASSED: 1,
        LATENCY: 2,
        TTFT: 1,
        RATE: 1,
        COST: 1,
    }
    assert found[COST].a == [1.0]


def test_a_failed_call_did_not_pass_where_the_other_answer_was_graded():
    found = paired(
        [
            failure(0),
            answer(0, target=1, passed=True, score=0.75),
            answer(1, passed=True, score=0.5),
            answer(1, target=1, passed=True, score=0.5),
        ]
    )
    assert (found[PASSED].a, found[PASSED].b) == ([0, 1], [1, 1])
    assert (found[SCORE].a, found[SCORE].b) == ([0, 0.5], [0.75, 0.5])
    assert len(found[LATENCY].a) == 1


def test_a_failed_call_says_nothing_where_no_answer_was_graded():
    assert PASSED not in paired([failure(0), answer(0, target=1)])
    assert paired([failure(0), failure(0, target=1)]) == {}


def test_cancelled_calls_and_warm_ups_are_not_kept():
    found = paired([failure(0, FailureKind.CANCELLED), answer(0, target=1, passed=True), answer(1, warm_up=True)])
    assert found == {}


def test_an_answer_of_a_later_round_replaces_a_failure():
    results = [failure(0), answer(0, passed=True, round=2), answer(0, target=1, passed=True)]
    for order in (results, results[::-1]):
        assert paired(order)[PASSED].a == [1]


def test_scores_that_only_repeat_pass_and_fail_are_not_compared_twice():
    graded = [answer(at, target=to, passed=at > to, score=float(at > to)) for at in range(3) for to in range(2)]
    assert SCORE not in paired(graded)


def test_calls_are_counted_with_those_that_failed():
    pairs = Pairs(plan(labels=("one", "two")))
    for result in (answer(0), failure(1), failure(2), answer(0, target=1)):
        pairs.add(result)
    assert (pairs.calls(0), pairs.calls(1)) == ((3, 2), (1, 0))


def test_a_repeat_that_the_plan_does_not_have_is_refused():
    with pytest.raises(ValueError, match="repeat 1 of a plan with 1"):
        Pairs(plan()).add(answer(0, repeat=1))


@given(st.permutations([(at, to) for at in range(5) for to in range(2)]))
def test_the_order_of_results_changes_no_pair(order: list[tuple[int, int]]):
    found = paired([answer(at, target=to, e2e=100.0 * at + 10 * to) for at, to in order])[LATENCY]
    assert sorted(zip(found.a, found.b, strict=True)) == [(100.0 * at, 100.0 * at + 10) for at in range(5)]
