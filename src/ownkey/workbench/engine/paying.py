"""Models that are asked beside the tested ones, a judge and an embedding model, within the same spending limit."""

import asyncio
import time
from collections.abc import Sequence

from ownkey.domain.errors import OwnkeyError
from ownkey.workbench.endpoint import EmbeddingCaller, EmbeddingRefused
from ownkey.workbench.engine.spending import Purse, most_embedded
from ownkey.workbench.ports import Caller
from ownkey.workbench.records import Failure, FailureKind, Message, Observation, Prices, Sampling, Target, Timing

_CUT = Failure(FailureKind.CANCELLED, "The run ended before the answer was there.")
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
            return _unanswered(_NO_ROOM)
        try:
            seen = await self._caller.ask(messages, sampling)
        except asyncio.CancelledError:
            self._purse.settle(held, _unanswered(_CUT), beside=True)
            raise
        self._purse.settle(held, seen, beside=True)
        return seen


class PayingEmbedder:
    """Vectors of texts, when the purse has room for them. Implements `graders.similar.Embedder`."""

    def __init__(self, caller: EmbeddingCaller, prices: Prices | None, purse: Purse) -> None:
        self._caller = caller
        self._prices = prices
        self._purse = purse

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector a text, in their order. Raises OwnkeyError when there is no room, or as the caller does."""
        prices = self._prices
        held = 0 if prices is None else await self._purse.hold_amount(most_embedded(prices, texts))
        if held is None:
            raise OwnkeyError(_NO_ROOM.message)
        # Not known, until the answer tells: it may come to something even where nobody waits for it any more.
        cost: int | None = None
        try:
            found = await self._caller.ask(texts)
            if prices is not None and found.tokens is not None:
                cost = prices.cost(found.tokens, 0)
        except EmbeddingRefused:
            cost = 0
            raise
        finally:
            self._purse.pay_beside(held, cost)
        return found.vectors


def _unanswered(failure: Failure) -> Observation:
    now = time.time()
    return Observation(timing=Timing(now, now), failure=failure)
