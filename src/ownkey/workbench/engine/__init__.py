"""Carrying out a run: the same for the server's durable jobs and the command line.

execution  a run from its first call to its recorded end, and the port where it is recorded
runner     the calls: asking, retrying, grading
schedule   which call comes next, and when
spending   the spending limit, and what is paid beside the tested models
"""

from ownkey.workbench.engine.execution import (
    Judgement,
    RunEnd,
    RunExecution,
    RunState,
    RunStore,
    preferences_of,
    turns,
)
from ownkey.workbench.engine.runner import Ending, Keep, Runner
from ownkey.workbench.engine.schedule import PromptSource, warm_ups_of
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
    "Judgement",
    "Keep",
    "PayingCaller",
    "PayingEmbedder",
    "PromptSource",
    "Purse",
    "RunEnd",
    "RunExecution",
    "RunState",
    "RunStore",
    "Runner",
    "Spending",
    "likely_input",
    "most",
    "most_embedded",
    "most_input",
    "preferences_of",
    "sampling_for",
    "turns",
    "warm_ups_of",
]
