"""Several pieces of work at once, their outcomes in order."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


async def side_by_side(limit: int, works: Sequence[Callable[[], Awaitable[T]]]) -> list[T]:
    """What each of them returns, in their order; at most `limit` are under way at a time. Raises what the first of them
    raises, and ends the others."""
    gate = asyncio.Semaphore(limit)

    async def one(work: Callable[[], Awaitable[T]]) -> T:
        async with gate:
            return await work()

    tasks = [asyncio.ensure_future(one(work)) for work in works]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
