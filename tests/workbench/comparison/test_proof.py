"""The comparison is wrong no more often than it says, and finds what is there as often as docs/metrics.md says.

Seeded: a run gives the same counts. The table of the documentation is of the same cases.
"""

from math import sqrt

import numpy as np
import pytest
from bench.comparison_power import Case, judge_many, simulate
from scipy.stats import binom
from tests.workbench.metrics.runs import advice, answer, plan

from ownkey.workbench.comparison import Pairs, compare
from ownkey.workbench.comparison.compare import conclude
from ownkey.workbench.comparison.pairs import LEVEL
from ownkey.workbench.comparison.statistics import p_values
from ownkey.workbench.comparison.words import overall
from ownkey.workbench.metrics import Tally
from ownkey.workbench.records import Tokens
from ownkey.workbench.summary import Verdict

COMPARISONS = 1000


@pytest.mark.parametrize("seed", [20, pytest.param(21, marks=pytest.mark.long)])
@pytest.mark.parametrize(
    ("prompts", "repeats"), [(10, 1), (30, 1), pytest.param(100, 1, marks=pytest.mark.long), (10, 3)]
)
def test_equal_models_are_called_different_no_more_often_than_the_level(prompts: int, repeats: int, seed: int):
    judged = judge_many(Case("alike", prompts, repeats), COMPARISONS, seed)
    false = COMPARISONS - judged.overall[Verdict.CANNOT_TELL]
    # The level itself, without an allowance for chance: Holm leaves room, as the measures are related.
    assert false <= LEVEL * COMPARISONS


@pytest.mark.parametrize("prompts", [10, 30, pytest.param(100, marks=pytest.mark.long)])
def test_where_models_differ_in_price_alone_nothing_else_is_called_different(prompts: int):
    judged = judge_many(Case("cheaper", prompts, price=0.8), COMPARISONS)
    for name in ("passed", "score", "latency_ms", "ttft_ms", "decode_tokens_per_second"):
        false = COMPARISONS - judged.measures[name, Verdict.CANNOT_TELL]
        assert false <= LEVEL * COMPARISONS


def test_a_verdict_for_the_wrong_one_is_rare():
    judged = judge_many(Case("cheaper", 30, price=0.8), COMPARISONS)
    assert judged.overall[Verdict.A] <= LEVEL / 2 * COMPARISONS


@pytest.mark.parametrize(
    ("case", "overall_power", "told"),
    [
        (Case("faster", 10, latency=0.8), 0.50, 0.15),
        (Case("faster", 30, latency=0.8), 0.63, 0.65),
        pytest.param(Case("faster", 100, latency=0.8), 0.81, 0.99, marks=pytest.mark.long),
        (Case("cheaper", 30, price=0.8), 0.39, 0.59),
        pytest.param(Case("cheaper", 100, price=0.8), 0.80, 0.99, marks=pytest.mark.long),
        (Case("passes", 30, passes=(0.7, 0.9)), 0.18, 0.12),
        pytest.param(Case("passes", 100, passes=(0.7, 0.9)), 0.77, 0.76, marks=pytest.mark.long),
        (Case("passes", 30, passes=(0.5, 0.9)), 0.64, 0.58),
        (Case("passes", 30, repeats=3, passes=(0.7, 0.9)), 0.62, 0.59),
        (Case("faster", 10, repeats=3, latency=0.8), 0.64, 0.50),
    ],
)
def test_real_differences_are_found_as_often_as_stated(case: Case, overall_power: float, told: float):
    judged = judge_many(case, COMPARISONS, seed=22)
    # Drawn anew, a share falls short of the stated one by chance: three standard errors are allowed.
    for share, stated in ((judged.share(Verdict.B), overall_power), (judged.told or 0.0, told)):
        assert share >= stated - 3 * sqrt(stated * (1 - stated) / COMPARISONS)


def test_what_is_simulated_together_is_what_compare_finds():
    case = Case("faster", 12, latency=0.8)
    samples = simulate(case, 1, seed=3)
    by_name = {sample.measure.name: sample for sample in samples}
    of = plan(12, ("a", "b"), seed=9)
    pairs, tally = Pairs(of), Tally(of)
    for at in range(12):
        for to in (0, 1):
            values = {name: (sample.a, sample.b)[to][at] for name, sample in by_name.items()}
            written = values["latency_ms"] - values["ttft_ms"]
            result = answer(
                at,
                target=to,
                e2e=values["latency_ms"],
                ttft=values["ttft_ms"],
                passed=values["passed"] == 1,
                score=values["score"],
                observation={
                    "tokens": Tokens(1, 1 + round(written * values["decode_tokens_per_second"] / 1000)),
                    "cost": round(values["cost_usd"] * 1e9),
                },
            )
            pairs.add(result)
            tally.add(result)
    (pair,) = compare(of, pairs, tally.summary(advice).targets)
    expected = conclude(samples, p_values(samples, 9), 9, intervals=False)
    assert pair.verdict is overall(expected)
    assert [each.metric for each in pair.metrics] == [each.metric for each in expected]
    # Whole tokens and nano-dollars move a pattern or two of 2,048 over the edge.
    assert [each.p for each in pair.metrics] == pytest.approx([each.p for each in expected], abs=0.005)


def test_the_simulated_models_are_what_they_are_said_to_be():
    samples = {sample.measure.name: sample for sample in simulate(Case("x", 20_000, latency=0.8, price=0.5), 1, 1)}
    latency, cost, passed = (samples[name] for name in ("latency_ms", "cost_usd", "passed"))
    assert np.mean(latency.b) / np.mean(latency.a) == pytest.approx(0.8, rel=0.02)
    assert np.mean(cost.b) / np.mean(cost.a) == pytest.approx(0.5, rel=0.02)
    assert np.corrcoef(latency.a, latency.b)[0, 1] > 0.5
    assert abs(np.mean(passed.a) - np.mean(passed.b)) < 4 * binom(20_000, 0.8).std() / 20_000
