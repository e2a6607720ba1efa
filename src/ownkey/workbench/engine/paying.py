"""A model that is asked beside the tested ones, such as a judge, within the same spending limit."""

import asyncio
import time
from collections.abc import Sequence

from ownkey.workbench.engine.spending import Purse
from ownkey.workbench.ports import Caller
from ownkey.workbench.records import Failure, FailureKind, Message, Observation, Sampling, Target, Timing

_NO_ROOM = Failure(FailureKind.CANCELLED, "The run's spending limit leaves no room for this call.")


class PayingCaller:
    """Asks `caller` when the purse has room for the most that a call can cost. Implements `ports.Caller`."""

    def __init__(self, caller: Caller, target: Target, purse: Purse) -> None:
        self._caller = caller
        self._target = target
        self._purse = purse

    async def ask(self, messages: Sequence[Message], sampling: Sampling) -> Observation:
        """Ask once; without room the observation says so, and nothing was sent."""
        held = await self._purse.hold(self._target, messages, sampling)
        if held is None:
            now = time.time()
            return Observation(timing=Timing(now, now), failure=_NO_ROOM)
        try:
            seen = await self._caller.ask(messages, sampling)
        except asyncio.CancelledError:
            self._purse.settle(held, None)
            raise
        self._purse.settle(held, seen)
        return seen
