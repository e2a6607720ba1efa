"""The report's charts as SVG, without script and without anything from elsewhere.

scale          values to places on an axis, and its marks
frame          the drawing they stand in
distribution   one row of dots or bars a model, with p50 and p95
rates          shares with their interval
bars           amounts
paired         two models on the same prompts
"""

from ownkey.workbench.export.html.charts.bars import Bar, bars
from ownkey.workbench.export.html.charts.distribution import Distribution, distributions
from ownkey.workbench.export.html.charts.paired import Pair, pairs
from ownkey.workbench.export.html.charts.rates import Share, shares

__all__ = ["Bar", "Distribution", "Pair", "Share", "bars", "distributions", "pairs", "shares"]
