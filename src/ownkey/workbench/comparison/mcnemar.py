"""Paired pass and fail: only prompts on which the two differ tell anything (McNemar 1947, Psychometrika 12:153).

A judge's preferences are tested the same way: wins and losses differ, ties do not (the sign test).
"""

from math import comb, sqrt

from ownkey.workbench.metrics.wilson import Z


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
