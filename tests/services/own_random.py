"""The durable jobs' library draws from a generator of its own.

Its threads draw their pauses from Python's global generator, whose state Hypothesis watches: a draw at the wrong
moment makes a property look flaky.
"""

import random
import sys

_LIBRARY = "dbos."
_own = random.Random()


def pytest_runtest_setup() -> None:
    for name, module in list(sys.modules.items()):
        if name.startswith(_LIBRARY) and vars(module).get("random") is random:
            module.random = _own  # type: ignore[attr-defined]
