"""Permutation test of a paired difference by flipping signs (Fisher 1935; Good, Permutation Tests, 2005).

If two models are alike, which of a prompt's two values came from which is chance, so each difference could as well
have the other sign. The p-value is the share of sign patterns whose absolute mean is at least the observed one. It
is exact whatever the distribution: every pattern up to 14 prompts, above that 9,999 random ones with the observed one
counted among them (Phipson and Smyth 2010), which keeps the level too.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

PATTERNS = 9_999
_ALL_UP_TO = 14
_CELLS = 1 << 20
_ROUNDING = 1e-9


def sign_flip_p(differences: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Two-sided p-values of k samples of the same n prompts: `differences` is (n, k), the answer (k,)."""
    n, k = differences.shape
    # A pattern that gives the observed mean may miss it by rounding.
    observed = np.abs(differences.sum(axis=0)) - _ROUNDING * np.abs(differences).sum(axis=0)
    reached = np.zeros(k)
    every = n <= _ALL_UP_TO
    rows = max(1, _CELLS // max(n, k))
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
