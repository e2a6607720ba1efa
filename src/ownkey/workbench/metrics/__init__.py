"""Figures of a run, exactly as docs/metrics.md defines them. Pure, and it keeps numbers only, never texts.

tally        takes results as they come, gives the summary
target       the figures of one target
request      the figures of one answer; whether it met the objectives
outcomes     what became of each slot over the rounds of a run
gaps         times between chunks, in bounded memory
percentile   percentiles and spreads
wilson       shares with their interval
cautions     what the figures cannot carry, in sentences
definitions  every metric with unit and formula
"""

from ownkey.workbench.metrics.definitions import DEFINITIONS
from ownkey.workbench.metrics.tally import Tally

__all__ = ["DEFINITIONS", "Tally"]
