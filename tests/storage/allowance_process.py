"""One process that takes what it can from a pool and prints when, until its input ends:
`python -m tests.storage.allowance_process URL LIMIT WINDOW`."""

import asyncio
import sys
import time

from ownkey.domain.allowance import TAKEN, Pool
from ownkey.domain.slices import Timing
from ownkey.storage import Database
from ownkey.storage.allowances import LeasedAllowance, PoolStore

TIMING = Timing(validity_s=2.0, renewal_s=0.5, idle_s=0.3, recall_s=0.2, tick_s=0.05)


class Clock:
    """Remembers its last reading: the moment at which something was taken."""

    last = 0.0

    def __call__(self) -> float:
        self.last = time.monotonic()
        return self.last


async def main(url: str, limit: int, window_s: float) -> None:
    database, clock = await Database.open(url), Clock()
    allowance = LeasedAllowance(PoolStore(database, "host", "journal"), TIMING, clock)
    looking_after = asyncio.create_task(allowance.run())
    pools = (Pool("key", limit, window_s),)
    ended = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    while not ended.done():
        outcome = await allowance.acquire(pools, (1,))
        if outcome == TAKEN:
            sys.stdout.write(f"{clock.last:.6f}\n")
            sys.stdout.flush()
        await asyncio.sleep(0 if outcome == TAKEN else 0.01)
    looking_after.cancel()
    await allowance.close()
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
