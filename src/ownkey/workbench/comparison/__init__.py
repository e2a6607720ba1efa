"""Two models or more on the same prompts: paired statistics and the verdict in words. docs/metrics.md explains them.

    pairs        stores the numbers of each prompt and repeat, pairs two targets
    statistics   tests and intervals for each measure of each pair, correction for several tests, further prompts needed
    resampling   sign-flip test and BCa interval of a paired difference
    words        which is better, over quality, speed and cost, as a person would say it
    compare      all of it together

numpy is imported when something is compared, not before.
"""

from ownkey.workbench.comparison.compare import compare
from ownkey.workbench.comparison.pairs import Pairs

__all__ = ["Pairs", "compare"]
