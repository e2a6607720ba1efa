"""Two models or more on the same prompts: paired statistics and the verdict in words. docs/metrics.md explains them.

    pairs        keeps the numbers of each prompt and repeat, pairs two targets
    measures     what is compared, and whether more of it is better
    significance a p-value for each measure of each pair
    signflip     permutation test of a paired difference
    mcnemar      exact test and interval for pass/fail, also for a judge's preferences
    bootstrap    BCa interval of a paired difference
    holm         correction for testing several things at once
    sample_size  how many more prompts would tell
    verdict      which is better, over quality, speed and cost
    words        the verdict as a person would say it
    compare      all of it together

numpy is imported when something is compared, not before.
"""

from ownkey.workbench.comparison.compare import compare
from ownkey.workbench.comparison.pairs import Pairs

__all__ = ["Pairs", "compare"]
