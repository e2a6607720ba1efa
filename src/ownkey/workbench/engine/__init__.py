"""Carrying out a run: the same for the server's durable jobs and the command line.

order      which call comes next
arrivals   when, where load has a schedule
retrying   asking again
spending   the limit of costs; `paying` for what is asked beside the tested models
side_by_side  work at once, outcomes in order
runner     the whole
"""

from ownkey.workbench.engine.runner import Ending, Keep, Runner
from ownkey.workbench.engine.schedule import PromptSource, warm_ups_of
from ownkey.workbench.engine.side_by_side import side_by_side
from ownkey.workbench.engine.spending import (
    PayingCaller,
    PayingEmbedder,
    Purse,
    Spending,
    likely_input,
    most,
    most_embedded,
    most_input,
    sampling_for,
)

__all__ = [
    "Ending",
    "Keep",
    "PayingCaller",
    "PayingEmbedder",
    "PromptSource",
    "Purse",
    "Runner",
    "Spending",
    "likely_input",
    "most",
    "most_embedded",
    "most_input",
    "sampling_for",
    "side_by_side",
    "warm_ups_of",
]
