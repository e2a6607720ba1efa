"""Carrying out a run: the same for the server's durable jobs and the command line.

order      which call comes next
arrivals   when, where load has a schedule
retrying   asking again
spending   the preview and the limit of costs
runner     the whole
"""

from ownkey.workbench.engine.endings import Ending
from ownkey.workbench.engine.order import PromptSource, warm_ups_of
from ownkey.workbench.engine.paying import PayingCaller
from ownkey.workbench.engine.runner import Keep, Runner
from ownkey.workbench.engine.spending import Preview, Purse, judge_calls, likely, most, sampling_for

__all__ = [
    "Ending",
    "Keep",
    "PayingCaller",
    "Preview",
    "PromptSource",
    "Purse",
    "Runner",
    "judge_calls",
    "likely",
    "most",
    "sampling_for",
    "warm_ups_of",
]
