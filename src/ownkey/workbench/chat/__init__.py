"""Questions to the tested model about its own results.

    context    what the model is told: figures, prompts, excerpts, fitted to a budget of tokens
    figures    the numbers in lines, at levels of detail
    telling    the requests that tell most, kept while the results pass by
    quoting    somebody else's text as data
    history    the latest turns; budgets

Every number is computed by us; the model is told to use no other.
"""

from ownkey.workbench.chat.context import (
    MINIMUM_CONTEXT,
    UNKNOWN_WINDOW,
    Budgets,
    Context,
    budgets,
    build_context,
    fit_history,
    narrower,
    shrink,
)

__all__ = [
    "MINIMUM_CONTEXT",
    "UNKNOWN_WINDOW",
    "Budgets",
    "Context",
    "budgets",
    "build_context",
    "fit_history",
    "narrower",
    "shrink",
]
