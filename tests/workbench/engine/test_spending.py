"""A run's purse: the limit holds for everything that the run pays."""

import asyncio
from collections.abc import Sequence

import pytest
from tests.workbench.engine.scripted import ScriptedCaller, a_target, answered, failed

from ownkey.domain.errors import OwnkeyError
from ownkey.workbench.endpoint import EmbeddingRefused
from ownkey.workbench.endpoint.caller import Embedded
from ownkey.workbench.engine import PayingCaller, PayingEmbedder, Purse, Spending
from ownkey.workbench.records import FailureKind, Message, Prices, Sampling

PRICES = Prices(1_000_000_000, 1_000_000_000, "user")
"""A thousand nano-dollars a token."""
QUESTION = [Message("user", "good?")]
SAMPLING = Sampling(max_tokens=10)
MOST = (len("good?") + 16 + 10) * 1000
TARGET = a_target(prices=PRICES)


class ScriptedEmbeddings:
    """Answers with a vector a text and so many tokens, or raises."""

    def __init__(self, tokens: int | None = None, error: OwnkeyError | None = None) -> None:
        self._tokens = tokens
        self._error = error
        self.asked = 0

    async def ask(self, texts: Sequence[str]) -> Embedded:
        self.asked += 1
        if self._error is not None:
            raise self._error
        return Embedded([[1.0] for _ in texts], self._tokens)


def embedder(caller: ScriptedEmbeddings, purse: Purse, prices: Prices | None = PRICES) -> PayingEmbedder:
    return PayingEmbedder(caller, prices, purse)  # type: ignore[arg-type]


async def test_answers_and_what_is_asked_beside_them_are_told_apart() -> None:
    purse = Purse(None)
    purse.settle(0, answered(cost=700))
    judge = PayingCaller(ScriptedCaller(lambda _, __: answered(cost=50)), TARGET, purse)
    await judge.ask(QUESTION, SAMPLING)
    await embedder(ScriptedEmbeddings(3), purse).embed(["a", "b"])
    assert purse.spending == Spending(answers=700, beside=50 + 3000, calls_beside=2)
    assert purse.spending.reported().words == "Spent: $0.0000007 on answers, $0.00000305 on 2 calls for grading."


async def test_embeddings_spend_within_the_limit_and_give_back_what_they_did_not_need() -> None:
    most = (2 + 2 * 16) * 1000
    purse, caller = Purse(most + 2000), ScriptedEmbeddings(2)
    paying = embedder(caller, purse)
    assert await paying.embed(["a", "b"]) == [[1.0], [1.0]]
    assert await paying.embed(["a", "b"]) == [[1.0], [1.0]]
    with pytest.raises(OwnkeyError, match="spending limit"):
        await paying.embed(["a", "b"])
    assert caller.asked == 2
    assert purse.spending.beside == 4000


@pytest.mark.parametrize(
    ("error", "spent"),
    [(EmbeddingRefused("answered with status 429"), 0), (OwnkeyError("answered with something else"), 17_000)],
)
async def test_embeddings_that_fail_cost_what_they_may_have_cost(error: OwnkeyError, spent: int) -> None:
    purse = Purse(100_000)
    with pytest.raises(OwnkeyError):
        await embedder(ScriptedEmbeddings(error=error), purse).embed(["a"])
    assert purse.spending == Spending(beside=spent, calls_beside=1)


async def test_what_has_no_known_cost_is_counted_and_not_guessed() -> None:
    purse = Purse(None)
    purse.settle(0, answered(cost=None))
    await embedder(ScriptedEmbeddings(None), purse).embed(["a"])
    await embedder(ScriptedEmbeddings(5), purse, None).embed(["a"])
    assert purse.spending == Spending(calls_beside=2, unpriced=3)
    assert purse.spending.reported().words == "What 3 calls cost is not known."


async def test_a_call_that_was_refused_costs_nothing() -> None:
    purse = Purse(1_000_000)
    judge = PayingCaller(ScriptedCaller(lambda _, __: failed(FailureKind.AUTH)), TARGET, purse)
    await judge.ask(QUESTION, SAMPLING)
    assert purse.spending == Spending(calls_beside=1)


async def test_a_judge_that_is_broken_off_may_have_cost_all_it_could() -> None:
    purse, caller = Purse(1_000_000), ScriptedCaller(held=True)
    asking = asyncio.create_task(PayingCaller(caller, TARGET, purse).ask(QUESTION, SAMPLING))
    await caller.until_under_way(1)
    asking.cancel()
    await asyncio.wait((asking,))
    assert purse.spending == Spending(beside=MOST, calls_beside=1)
