"""A p-value and an interval for each sample.

Pass/fail with one value of 0 or 1 a prompt goes by McNemar's exact test. With repeats a prompt's value is its pass
rate, and the sign-flip test takes it, as every other measure; for values of 0 and 1 the two tests are the same.
"""

from collections import defaultdict
from collections.abc import Sequence

from ownkey.workbench.comparison.mcnemar import mcnemar_p, paired_share_interval
from ownkey.workbench.comparison.measures import PASSED, PREFERENCE, Sample

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

    from ownkey.workbench.comparison.signflip import sign_flip_p

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
    from ownkey.workbench.comparison.bootstrap import bca_interval

    unmoved = sample.measure == PASSED and not any(sample.differences)
    if method(sample) != SIGN_FLIP or unmoved:
        return paired_share_interval(*only(sample), len(sample.a))
    return bca_interval(sample.differences, seed=seed)


def _binary(sample: Sample) -> bool:
    return sample.measure == PASSED and all(value in (0.0, 1.0) for value in (*sample.a, *sample.b))
