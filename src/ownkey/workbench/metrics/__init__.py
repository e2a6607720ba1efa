"""Figures of a run, exactly as docs/metrics.md defines them. Pure; it stores numbers only, never texts.

tally        accepts results as they arrive, returns the summary
outcomes     the outcome of each slot over the rounds of a run; whether an answer met the objectives
statistics   percentiles, spreads, and shares with their interval
definitions  every metric with unit and formula; cautions about what the figures do not show
"""

from ownkey.workbench.metrics.definitions import DEFINITIONS
from ownkey.workbench.metrics.tally import Tally

__all__ = ["DEFINITIONS", "Tally"]
