"""What a run may cost, never exceeded while it runs.

The most a call can cost is bounded without knowing the model's tokenizer: byte-level vocabularies make at most one
token of each byte of UTF-8, chat templates add a few a message, and the answer is limited by `max_tokens`.
"""

import asyncio
import time
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from ownkey.domain.errors import OwnkeyError
from ownkey.domain.money import format_usd
from ownkey.workbench.endpoint import EmbeddingCaller, EmbeddingRefused
from ownkey.workbench.ports import Caller
from ownkey.workbench.records import (
    Failure,
    FailureKind,
    Message,
    Observation,
    Prices,
    Prompt,
    Sampling,
    Target,
    Timing,
    TokenSource,
)
from ownkey.workbench.summary import Spent

_PER_MESSAGE = 16
"""Tokens that a chat template may add around a message."""
_BYTES_PER_TOKEN = 4
"""In ordinary English, for what is likely; the limit uses 1."""
_MAY_BE_BILLED = frozenset({FailureKind.TIMEOUT, FailureKind.CANCELLED, FailureKind.MALFORMED_RESPONSE})
"""Failures after which the model may have worked: they count with the most they can have cost."""


def most_input(messages: Sequence[Message]) -> int:
    """The most tokens that messages can be."""
    return sum(len(message.content.encode()) + _PER_MESSAGE for message in messages)


def likely_input(messages: Sequence[Message]) -> int:
    """How many tokens messages may be expected to be."""
    return sum(len(message.content.encode()) // _BYTES_PER_TOKEN + _PER_MESSAGE // 2 for message in messages)


def most(prices: Prices, messages: Sequence[Message], sampling: Sampling) -> int:
    """The most one call can cost, in nano-dollars."""
    return prices.cost(most_input(messages), sampling.max_tokens)


def most_embedded(prices: Prices, texts: Sequence[str]) -> int:
    """The most that embedding texts can cost, in nano-dollars."""
    return prices.cost(most_input([Message("", text) for text in texts]), 0)


def sampling_for(prompt: Prompt, sampling: Sampling) -> Sampling:
    """The run's sampling with the prompt's own limit on the answer."""
    if prompt.max_tokens is None:
        return sampling
    return Sampling(prompt.max_tokens, sampling.temperature, sampling.timeout_ms, sampling.stream)


class Spending(Struct, frozen=True):
    """Nano-dollars spent on the tested models, and beside them on a judge and embeddings.

    A call whose outcome is not known counts with the most it can have cost, where there is a limit. `unpriced` calls
    may have cost something and are in neither amount.
    """

    answers: int = 0
    beside: int = 0
    calls_beside: int = 0
    unpriced: int = 0

    @property
    def total(self) -> int:
        return self.answers + self.beside

    def reported(self) -> Spent:
        """For people."""
        answers, beside = format_usd(self.answers), format_usd(self.beside)
        words = f"Spent: ${answers} on answers"
        if self.calls_beside:
            words += f", ${beside} on {self.calls_beside} calls for grading"
        if self.unpriced:
            unknown = f"hat {self.unpriced} call{'s' * (self.unpriced > 1)} cost is not known"
            words = f"{words}; w{unknown}" if self.total else f"W{unknown}"
        return Spent(
            answers_usd=answers,
            beside_usd=beside,
            calls_beside=self.calls_beside,
            unpriced=self.unpriced,
            words=f"{words}.",
        )


class Purse:
    """Holds what calls under way may cost, so that together they stay below `limit` nano-dollars.

    `spending` grows with every call, from what earlier processes and rounds of the same run spent.
    """

    def __init__(self, limit: int | None, earlier: Spending | None = None) -> None:
        self._limit = limit
        self.spending = earlier or Spending()
        self._held = 0
        self._freed = asyncio.Event()

    async def hold(self, target: Target, messages: Sequence[Message], sampling: Sampling) -> int | None:
        """Put aside the most a call can cost. As `hold_amount`; without a price nothing is held."""
        if target.prices is None:
            return 0
        return await self.hold_amount(most(target.prices, messages, sampling))

    async def hold_amount(self, amount: int) -> int | None:
        """Put nano-dollars aside, waiting for calls under way where those may free enough.

        None when the limit could be exceeded even then. Without a limit nothing is held.
        """
        if self._limit is None:
            return 0
        while self.spending.total + self._held + amount > self._limit:
            if not self._held:
                return None
            await self._freed.wait()
        self._held += amount
        return amount

    def settle(self, held: int, observation: Observation | None, *, beside: bool = False) -> None:
        """Replace the reservation by what the call cost; None releases it. `beside`: the call was not to a tested
        model, but to a judge."""
        self._free(held)
        if observation is not None:
            self._count(_came_to(held, observation), beside)

    def pay_beside(self, held: int, cost: int | None) -> None:
        """Replace what was held by what a call beside the tested models cost; None where that is not known."""
        self._free(held)
        self._count(held or None if cost is None else cost, beside=True)

    def _free(self, held: int) -> None:
        self._held -= held
        self._freed.set()
        self._freed = asyncio.Event()

    def _count(self, cost: int | None, beside: bool) -> None:
        known, so_far = cost or 0, self.spending
        self.spending = replace(
            so_far,
            answers=so_far.answers + (0 if beside else known),
            beside=so_far.beside + (known if beside else 0),
            calls_beside=so_far.calls_beside + beside,
            unpriced=so_far.unpriced + (cost is None),
        )


def _came_to(held: int, observation: Observation) -> int | None:
    """None when it may have cost something, and there is no saying what.

    Of a call that failed we know what it cost only by the endpoint's own count: it goes on writing, and counting, after
    we saw the last of it.
    """
    cost, tokens, failure = observation.cost, observation.tokens, observation.failure
    if cost is not None and (failure is None or (tokens is not None and tokens.source is TokenSource.SERVER)):
        return cost
    began = cost is not None
    return max(held, cost or 0) or None if failure is None or began or failure.kind in _MAY_BE_BILLED else 0


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
