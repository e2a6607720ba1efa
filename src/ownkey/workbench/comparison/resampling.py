"""Bootstrap intervals and the sign-flip test; imported when something is compared, because numpy is heavy."""

from collections.abc import Iterator, Sequence
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


PATTERNS = 9_999
_ALL_UP_TO = 14
_SIGN_CELLS = 1 << 20
_ROUNDING = 1e-9


def sign_flip_p(differences: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Two-sided p-values of k samples of the same n prompts: `differences` is (n, k), the answer (k,)."""
    n, k = differences.shape
    # A pattern that gives the observed mean may miss it by rounding.
    observed = np.abs(differences.sum(axis=0)) - _ROUNDING * np.abs(differences).sum(axis=0)
    reached = np.zeros(k)
    every = n <= _ALL_UP_TO
    rows = max(1, _SIGN_CELLS // max(n, k))
    for signs in _all_signs(n, rows) if every else _random_signs(n, rows, seed):
        reached += (np.abs(signs @ differences) >= observed).sum(axis=0)
    return reached / (1 << (n - 1)) if every else (reached + 1) / (PATTERNS + 1)


def _all_signs(n: int, rows: int) -> Iterator[NDArray[np.float64]]:
    """Every pattern that keeps the last sign; the others are their mirror images with the same absolute mean."""
    patterns = 1 << (n - 1)
    for start in range(0, patterns, rows):
        numbers = np.arange(start, min(start + rows, patterns))[:, None]
        yield np.where(numbers >> np.arange(n) & 1, -1.0, 1.0).astype(np.float64)


def _random_signs(n: int, rows: int, seed: int) -> Iterator[NDArray[np.float64]]:
    random = np.random.default_rng(seed)
    for start in range(0, PATTERNS, rows):
        drawn = random.integers(0, 2, (min(rows, PATTERNS - start), n), dtype=np.int8)
        yield drawn.astype(np.float64) * 2 - 1
