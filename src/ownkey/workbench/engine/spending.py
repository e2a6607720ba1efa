"""What a run may cost: told before it starts, and never exceeded while it goes on.

The most a call can cost is bounded without knowing the model's tokenizer: byte-level vocabularies make at most one
token of each byte of UTF-8, chat templates add a few a message, and the answer is limited by `max_tokens`.
"""

import asyncio
from collections.abc import Sequence

from msgspec import Struct

from ownkey.workbench.records import (
    FailureKind,
    Message,
    Observation,
    Prices,
    Prompt,
    RunPlan,
    Sampling,
    Target,
    TokenSource,
)

_PER_MESSAGE = 16
"""Tokens that a chat template may add around a message."""
_BYTES_PER_TOKEN = 4
"""In ordinary English, for what is likely; the limit uses 1."""
_LIKELY_ANSWER = 0.4
"""The share of `max_tokens` that the preview takes an answer to have."""
_MAY_BE_BILLED = frozenset({FailureKind.TIMEOUT, FailureKind.CANCELLED, FailureKind.MALFORMED_RESPONSE})
"""Failures after which the model may have worked: they count with the most they can have cost."""


class Preview(Struct, frozen=True):
    """What a run is likely to cost and the most it can, in nano-dollars, for one try of each call. None: no price.

    `judge_calls` are made beside those and are not in the amounts: what a judge reads is not known before.
    """

    calls: int
    likely: int | None
    most: int | None
    judge_calls: int = 0


def most(prices: Prices, messages: Sequence[Message], sampling: Sampling) -> int:
    """The most one call can cost, in nano-dollars."""
    size = sum(len(message.content.encode()) + _PER_MESSAGE for message in messages)
    return _cost(prices, size, sampling.max_tokens)


def likely(prices: Prices, messages: Sequence[Message], sampling: Sampling) -> int:
    """What one call may be expected to cost, in nano-dollars."""
    size = sum(len(message.content.encode()) // _BYTES_PER_TOKEN + _PER_MESSAGE // 2 for message in messages)
    return _cost(prices, size, int(sampling.max_tokens * _LIKELY_ANSWER))


def judge_calls(plan: RunPlan, prompt: Prompt) -> int:
    """How often a judge is asked about the answers to a prompt: once a rubric, and twice a pair of answers."""
    if plan.judge is None:
        return 0
    rubrics = sum(check.type.removeprefix("not-") == "llm-rubric" for check in prompt.checks)
    return rubrics * plan.repeats * len(plan.targets) + 2 * (len(plan.targets) - 1)


def _cost(prices: Prices, input_tokens: int, output_tokens: int) -> int:
    return -(-(input_tokens * prices.input + output_tokens * prices.output) // 1_000_000)


def sampling_for(prompt: Prompt, sampling: Sampling) -> Sampling:
    """The run's sampling with the prompt's own limit on the answer."""
    if prompt.max_tokens is None:
        return sampling
    return Sampling(prompt.max_tokens, sampling.temperature, sampling.timeout_ms, sampling.stream)


class Purse:
    """Holds what calls under way may cost, so that together they stay below `limit` nano-dollars.

    `spent` is what an earlier process of the same run spent already.
    """

    def __init__(self, limit: int | None, spent: int = 0) -> None:
        self._limit = limit
        self._spent = spent
        self._held = 0
        self._freed = asyncio.Event()

    async def hold(self, target: Target, messages: Sequence[Message], sampling: Sampling) -> int | None:
        """Put aside the most a call can cost, waiting for calls under way where those may free enough.

        None when the call could exceed the limit even then. Without a price or limit nothing is held.
        """
        if self._limit is None or target.prices is None:
            return 0
        amount = most(target.prices, messages, sampling)
        while self._spent + self._held + amount > self._limit:
            if not self._held:
                return None
            await self._freed.wait()
        self._held += amount
        return amount

    def settle(self, held: int, observation: Observation | None) -> None:
        """Replace what was held by what it came to; None gives it back."""
        self._held -= held
        if held and observation is not None:
            self._spent += _came_to(held, observation)
        self._freed.set()
        self._freed = asyncio.Event()


def _came_to(held: int, observation: Observation) -> int:
    """Of a call that failed we know what it cost only by the endpoint's own count: it goes on writing, and counting,
    after we saw the last of it."""
    cost, tokens, failure = observation.cost, observation.tokens, observation.failure
    if cost is not None and (failure is None or (tokens is not None and tokens.source is TokenSource.SERVER)):
        return cost
    began = cost is not None
    return max(held, cost or 0) if failure is None or began or failure.kind in _MAY_BE_BILLED else 0
