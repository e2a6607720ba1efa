"""Paired statistics: tests, correction for several tests, and how many prompts would tell."""

from collections import defaultdict
from collections.abc import Sequence
from math import ceil, comb, log2, sqrt
from statistics import NormalDist

from ownkey.workbench.comparison.pairs import PASSED, PREFERENCE, Sample
from ownkey.workbench.metrics.statistics import Z


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values in the same order: each smallest remaining one times the number that remain, never falling."""
    adjusted = [1.0] * len(p_values)
    largest = 0.0
    for done, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, p_values[index] * (len(p_values) - done)))
        adjusted[index] = largest
    return adjusted


def mcnemar_p(only_a: int, only_b: int) -> float:
    """The exact two-sided p-value: `only_a` prompts passed with a alone, `only_b` with b alone.

    Of those that differ, half would be each one's if the two were alike: a binomial test of 1/2.
    """
    differing = only_a + only_b
    tail = sum(comb(differing, count) for count in range(min(only_a, only_b) + 1))
    return min(1.0, 2 * tail / 2**differing)


def paired_share_interval(only_a: int, only_b: int, total: int) -> tuple[float, float]:
    """The 95 % interval of the difference of pass rates, b − a, over `total` prompts.

    Wald's with half an observation added to each of the four cells (Agresti and Min 2005, Statistics in Medicine
    24:729, "Wald+2"), cut at −1 and 1: it does not collapse to a point where no prompt differs.
    """
    enlarged = total + 2
    difference = (only_b - only_a) / enlarged
    half = Z * sqrt(only_a + only_b + 1 - (only_b - only_a) ** 2 / enlarged) / enlarged
    return max(-1.0, difference - half), min(1.0, difference + half)


POWER = 0.8
_NO_ONE_WOULD = 10_000


def fewest_prompts(tests: int, level: float) -> int:
    """Below so many differing prompts no exact test can tell: its least p-value, 2 / 2^n, is above level / tests."""
    return 1 + ceil(log2(tests / level))


def prompts_for_mean(difference: float, deviation: float, tests: int, level: float) -> float:
    """n = ((z₁₋α⸝₂ + z_power) · s / d)² for a paired difference d with deviation s (normal approximation; Chow, Shao
    and Wang, Sample Size Calculations in Clinical Research, 2008, chapter 3)."""
    alpha, beta = _points(tests, level)
    return max(((alpha + beta) * deviation / difference) ** 2, fewest_prompts(tests, level))


def prompts_for_share(only_a: float, only_b: float, tests: int, level: float) -> float:
    """n = ((z₁₋α⸝₂ √p + z_power √(p − d²)) / d)² for McNemar's test, with p the share of prompts that differ and d the
    difference of pass rates (Connor 1987, Biometrics 43:207). `only_a` and `only_b` are shares of all prompts."""
    alpha, beta = _points(tests, level)
    differing, difference = only_a + only_b, only_b - only_a
    needed = ((alpha * sqrt(differing) + beta * sqrt(differing - difference**2)) / difference) ** 2
    return max(needed, fewest_prompts(tests, level) / differing)


def further(needed: float, have: int) -> int | None:
    """Prompts still to come, one at least; None where no one would run so many."""
    return max(1, ceil(needed) - have) if needed <= _NO_ONE_WOULD else None


def _points(tests: int, level: float) -> tuple[float, float]:
    normal = NormalDist()
    return normal.inv_cdf(1 - level / tests / 2), normal.inv_cdf(POWER)


MCNEMAR = "exact McNemar test; Agresti–Min interval"
SIGN_TEST = "exact sign test; Agresti–Min interval"
SIGN_FLIP = "sign-flip permutation test; paired BCa bootstrap interval"


def method(sample: Sample) -> str:
    """How a sample is tested, in words."""
    if sample.measure == PREFERENCE:
        return SIGN_TEST
    return MCNEMAR if _binary(sample) else SIGN_FLIP


def only(sample: Sample) -> tuple[int, int]:
    """On how many prompts a alone passed, and b alone."""
    differences = sample.differences
    return sum(each < 0 for each in differences), sum(each > 0 for each in differences)


def p_values(samples: Sequence[Sample], seed: int) -> list[float]:
    """Two-sided, not corrected. Samples of the same number of prompts are tested together."""
    import numpy as np

    from ownkey.workbench.comparison.resampling import sign_flip_p

    found = [1.0] * len(samples)
    by_size: defaultdict[int, list[int]] = defaultdict(list)
    for index, sample in enumerate(samples):
        if method(sample) == SIGN_FLIP:
            by_size[len(sample.a)].append(index)
        else:
            found[index] = mcnemar_p(*only(sample))
    for indices in by_size.values():
        matrix = np.array([samples[index].differences for index in indices]).T
        for index, p in zip(indices, sign_flip_p(matrix, seed), strict=True):
            found[index] = float(p)
    return found


def interval(sample: Sample, seed: int) -> tuple[float, float]:
    """The 95 % interval of the mean difference b − a, not corrected for the number of tests."""
    from ownkey.workbench.comparison.resampling import bca_interval

    unmoved = sample.measure == PASSED and not any(sample.differences)
    if method(sample) != SIGN_FLIP or unmoved:
        return paired_share_interval(*only(sample), len(sample.a))
    return bca_interval(sample.differences, seed=seed)


def _binary(sample: Sample) -> bool:
    return sample.measure == PASSED and all(value in (0.0, 1.0) for value in (*sample.a, *sample.b))
