"""Questions to the tested model about its own results.

    context     what the model gets: figures, prompts, excerpts, fitted to a budget of tokens; the latest turns
    figures     the numbers in lines, at levels of detail; other people's text as quoted data
    highlights  the requests that say most about the run, selected while the results pass

Ownkey computes every number; the model is instructed to use no other.
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
