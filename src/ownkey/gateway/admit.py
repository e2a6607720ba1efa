"""Limits that hold before anything is sent."""

from ownkey.domain.allowance import Allowance, Pool, Refused, Taken, Wait
from ownkey.domain.errors import RateLimited
from ownkey.domain.tenancy import ApiKeyGrant, Principal

_ONE = (1,)
_KEPT = 10_000


class Admission:
    """Checks an API key's own limits, over all processes. A key without a limit costs nothing here."""

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._pools: dict[str, tuple[Pool]] = {}

    def try_admit(self, principal: Principal) -> bool:
        """True when the request is admitted, without waiting; False when `admit` has to be waited for.

        Raises RateLimited when the key's `requests_per_minute` are used up.
        """
        grant = principal.api_key
        if grant is None or grant.requests_per_minute is None:
            return True
        pools = self._pools.get(grant.id)
        if pools is None or pools[0].limit != grant.requests_per_minute:
            pools = self._pools_of(grant, grant.requests_per_minute)
        return _admitted(self._allowance.take(pools, _ONE))

    async def admit(self, principal: Principal) -> None:
        """As `try_admit`, waiting for what it needs. Raises RateLimited, or Unavailable when the database, which has
        to be asked now and then, is away."""
        if not self.try_admit(principal) and principal.api_key is not None:
            _admitted(await self._allowance.acquire(self._pools[principal.api_key.id], _ONE))

    def _pools_of(self, grant: ApiKeyGrant, limit: int) -> tuple[Pool]:
        if len(self._pools) >= _KEPT:
            self._pools.clear()
        pools = self._pools[grant.id] = (Pool(f"requests:{grant.id}", limit),)
        return pools


def _admitted(outcome: Taken | Refused | Wait) -> bool:
    if isinstance(outcome, Refused):
        text = f"This API key may send {outcome.pool.limit} requests per minute."
        raise RateLimited(text, retry_after=outcome.retry_after)
    return isinstance(outcome, Taken)
