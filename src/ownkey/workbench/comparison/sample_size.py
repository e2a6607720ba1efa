"""How many prompts would tell, if the difference stays what it was: a rough guide, as the difference is itself a guess.

For a power of 80 % at the level that the strictest step of Holm's correction asks (level / number of tests).
"""

from math import ceil, log2, sqrt
from statistics import NormalDist

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
