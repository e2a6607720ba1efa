"""The statistics of the comparison against scipy and against figures worked out by hand."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, bootstrap, permutation_test

from ownkey.workbench.comparison.resampling import bca_interval, sign_flip_p
from ownkey.workbench.comparison.statistics import (
    fewest_prompts,
    further,
    holm,
    mcnemar_p,
    paired_share_interval,
    prompts_for_mean,
    prompts_for_share,
)


@given(st.integers(0, 300), st.integers(0, 300))
def test_mcnemar_is_the_binomial_test_of_the_prompts_that_differ(only_a: int, only_b: int):
    expected = binomtest(only_a, only_a + only_b).pvalue if only_a + only_b else 1.0
    assert mcnemar_p(only_a, only_b) == pytest.approx(expected, rel=1e-9)


def test_mcnemar_takes_thousands_of_prompts():
    assert mcnemar_p(2000, 2000) == 1
    assert 0 < mcnemar_p(2000, 2400) < 1e-8


def test_the_interval_of_pass_rates_by_hand():
    # 5 and 9 of 40 differ: (9 − 5)/42 ± 1.96 √(5 + 9 + 1 − 16/42)/42
    assert paired_share_interval(5, 9, 40) == pytest.approx((-0.0832, 0.2736), abs=1e-3)


def test_the_interval_of_pass_rates_stays_open_where_no_prompt_differs_and_inside_its_range():
    low, high = paired_share_interval(0, 0, 10)
    assert low == -high
    assert high == pytest.approx(1.959964 / 12)
    assert paired_share_interval(0, 3, 3)[1] == 1


def test_holm_by_hand():
    # Sorted 0.01, 0.02, 0.03, 0.04 times 4, 3, 2, 1, never falling.
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.5, 0.6, 0.001]) == pytest.approx([1.0, 1.0, 0.003])
    assert holm([]) == []


@pytest.mark.parametrize("seed", range(4))
def test_sign_flips_of_few_prompts_are_every_pattern(seed: int):
    differences = np.random.default_rng(seed).normal(0.4, 1, (9, 1))
    sums = [abs(float(np.dot(signs, differences[:, 0]))) for signs in product((-1, 1), repeat=9)]
    observed = abs(float(differences.sum()))
    expected = sum(each >= observed - 1e-9 for each in sums) / len(sums)
    assert sign_flip_p(differences, 0)[0] == pytest.approx(expected)


def test_sign_flips_are_scipys_paired_permutation_test():
    random = np.random.default_rng(1)
    a, b = random.lognormal(6, 0.5, 40), random.lognormal(6.15, 0.5, 40)
    expected = permutation_test(
        (b, a), lambda x, y: np.mean(x - y), permutation_type="samples", n_resamples=50_000, rng=random
    ).pvalue
    expected = float(expected)
    # Three standard errors of 9,999 random patterns.
    assert sign_flip_p((b - a)[:, None], 7)[0] == pytest.approx(
        expected, abs=3 * (expected * (1 - expected) / 9_999) ** 0.5 + 0.002
    )


def test_sign_flips_of_samples_together_are_those_of_each():
    samples = np.random.default_rng(2).normal(0.2, 1, (30, 5))
    together = sign_flip_p(samples, 3)
    assert together == pytest.approx([sign_flip_p(samples[:, [each]], 3)[0] for each in range(5)])


def test_no_difference_has_no_significance():
    assert sign_flip_p(np.zeros((20, 1)), 0)[0] == 1
    assert sign_flip_p(np.zeros((5, 1)), 0)[0] == 1


def test_equal_sizes_are_found_equal_in_spite_of_rounding():
    # Half of the patterns of ±0.1 that can reach |sum| ≥ 0.3 of 3 do: those with one sign throughout, 2 of 8.
    assert sign_flip_p(np.full((3, 1), 0.1), 0)[0] == pytest.approx(0.25)


def test_the_share_of_small_p_values_of_equal_models_is_their_size():
    samples = np.random.default_rng(5).lognormal(0, 1, (10, 4000, 2))
    found = sign_flip_p(samples[:, :, 0] - samples[:, :, 1], 0)
    # Three standard errors of 4,000 draws.
    assert abs((found <= 0.05).mean() - 0.05) < 3 * (0.05 * 0.95 / 4000) ** 0.5


@pytest.mark.parametrize("n", [8, 30, 200])
@pytest.mark.parametrize("skewed", [False, True])
def test_the_bootstrap_interval_is_scipys(n: int, skewed: bool):
    random = np.random.default_rng(n)
    values = random.exponential(100, n) if skewed else random.normal(5, 20, n)
    expected = bootstrap((values,), np.mean, method="BCa", n_resamples=20_000, rng=random).confidence_interval
    width = expected.high - expected.low
    found = bca_interval(values.tolist(), seed=1)
    assert found == pytest.approx((expected.low, expected.high), abs=0.04 * width)


def test_the_bootstrap_interval_is_fixed_by_its_seed_and_a_point_without_variation():
    values = [1.0, 5.0, 2.0, 8.0, 3.0, 9.0]
    assert bca_interval(values, seed=4) == bca_interval(values, seed=4)
    assert bca_interval([2.5] * 4) == (2.5, 2.5)


def test_the_bootstrap_interval_covers_the_truth_about_as_often_as_it_says():
    random = np.random.default_rng(6)
    covered = 0
    for _ in range(300):
        low, high = bca_interval(random.normal(10, 4, 40).tolist())
        covered += low <= 10 <= high
    # 95 % less a little for 40 values, less three standard errors of 300 draws.
    assert covered / 300 > 0.90


def test_the_sample_size_for_pass_and_fail_is_connors():
    # Known from other implementations of the formula: 5 % and 45 % of prompts differ, one test.
    assert further(prompts_for_share(0.05, 0.45, 1, 0.05), 0) in {22, 23}


def test_the_sample_size_for_a_mean_by_hand():
    # ((1.959964 + 0.841621) · 20 / 10)² = 31.4
    assert prompts_for_mean(10, 20, 1, 0.05) == pytest.approx(31.4, abs=0.05)


def test_more_tests_need_more_prompts_and_exact_tests_need_a_few_at_least():
    assert fewest_prompts(1, 0.05) == 6
    assert fewest_prompts(6, 0.05) == 8
    assert prompts_for_mean(10, 0.0, 6, 0.05) == 8
    assert prompts_for_mean(10, 20, 6, 0.05) > prompts_for_mean(10, 20, 1, 0.05)


def test_prompts_that_no_one_would_run_are_not_named():
    assert further(10_001, 10) is None
    assert further(25.2, 10) == 16
    assert further(8, 10) == 1
