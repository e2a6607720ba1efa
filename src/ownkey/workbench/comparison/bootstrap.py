"""Bias-corrected and accelerated bootstrap interval of a mean (BCa; Efron 1987, JASA 82:171).

Written out because for a mean the jackknife has a closed form: many times faster than the general one, and a test
holds it against scipy's.
"""

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 9_999
_FEWEST = 1_999
_DRAWS = 20_000_000
_CELLS = 1 << 20


def bca_interval(values: Sequence[float], level: float = 0.95, seed: int = 0) -> tuple[float, float]:
    """The interval of the mean of `values`, of which there is at least one.

    9,999 resamples up to 2,000 values, fewer above (1,999 at least), where the interval is close to the normal one.
    """
    sample = np.asarray(values, dtype=np.float64)
    mean = float(sample.mean())
    if np.ptp(sample) == 0:
        return mean, mean
    means = _resampled_means(sample, seed)
    normal = NormalDist()
    # Half of the ties count as below, as in scipy.
    below = ((means < mean).sum() + (means <= mean).sum()) / (2 * len(means))
    bias = normal.inv_cdf(min(max(float(below), 0.5 / len(means)), 1 - 0.5 / len(means)))
    # The jackknife's deviations of a mean are (x − mean)/(n − 1); the factor cancels.
    centred = sample - mean
    acceleration = float((centred**3).sum() / (6 * (centred**2).sum() ** 1.5))
    ends: list[float] = []
    for point in (normal.inv_cdf((1 - level) / 2), normal.inv_cdf((1 + level) / 2)):
        shifted = bias + point
        share = normal.cdf(bias + shifted / (1 - acceleration * shifted))
        ends.append(float(np.quantile(means, share)))
    return ends[0], ends[1]


def _resampled_means(sample: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    random, n = np.random.default_rng(seed), len(sample)
    resamples = max(_FEWEST, min(RESAMPLES, _DRAWS // n))
    rows = max(1, _CELLS // n)
    return np.concatenate(
        [
            sample[random.integers(0, n, (min(rows, resamples - start), n))].mean(axis=1)
            for start in range(0, resamples, rows)
        ]
    )
