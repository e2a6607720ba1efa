"""Several pieces of work at once."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from ownkey.workbench.engine import side_by_side


async def test_outcomes_stand_in_their_order_and_no_more_than_the_limit_are_under_way() -> None:
    under_way, most, turns = 0, 0, [asyncio.Event() for _ in range(6)]

    def work(number: int) -> Callable[[], Awaitable[int]]:
        async def wait() -> int:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            await turns[number].wait()
            under_way -= 1
            return number

        return wait

    done = asyncio.ensure_future(side_by_side(3, [work(number) for number in range(6)]))
    # The first comes last of its three.
    for number in (2, 1, 0, 5, 4, 3):
        turns[number].set()
        await asyncio.sleep(0)
    assert await done == list(range(6))
    assert most == 3


async def test_the_first_failure_is_raised_as_it_is_and_ends_the_others() -> None:
    ended = asyncio.Event()

    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def fail() -> None:
        raise ValueError("as the test says")

    with pytest.raises(ValueError, match="as the test says"):
        await side_by_side(2, [hang, fail])
    await ended.wait()
