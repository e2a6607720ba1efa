"""Wilson's score interval for a share (Wilson 1927, JASA 22:209), without continuity correction."""

from math import sqrt

from ownkey.workbench.summary import Rate

Z = 1.959963984540054
"""The 97.5 % point of the normal distribution: intervals are at 95 %."""


def wilson(count: int, total: int) -> Rate:
    """`count` of `total` with its interval; of none, nothing is known: the interval is 0 to 1.

    Raises ValueError when `count` is no part of `total`.
    """
    if not 0 <= count <= total:
        raise ValueError(f"{count} is no part of {total}")
    if total == 0:
        return Rate(count=0, total=0, rate=0.0, low=0.0, high=1.0)
    share = count / total
    square = Z * Z
    centre = (share + square / (2 * total)) / (1 + square / total)
    half = Z * sqrt(share * (1 - share) / total + square / (4 * total * total)) / (1 + square / total)
    # At the ends the bound is the share itself; rounding would leave it a hair off.
    low = 0.0 if count == 0 else centre - half
    high = 1.0 if count == total else centre + half
    return Rate(count=count, total=total, rate=share, low=low, high=high)
