"""Read models of the data plane: who a key belongs to and what its tenants own, held in memory.

Loaded on first use, bounded, and dropped when the change feed names them. Requests that need the same thing at once
share one load. A load that was overtaken by a change serves those who waited for it and is not kept, so a revoked
key cannot come back from a slow read.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from ownkey.domain.credential import Holdings
from ownkey.domain.errors import Unauthenticated
from ownkey.domain.tenancy import ApiKeyGrant, Owner, Principal, owner_of_tenant, principal_of, user_owner
from ownkey.storage import api_keys, credentials, preferences, routes, users
from ownkey.storage.changes import MASTER_KEY
from ownkey.storage.database import Database
from ownkey.storage.records import StoredApiKey, User

_K = TypeVar("_K")
_V = TypeVar("_V")
_UNKNOWN_KEY = "Unknown API key: it is mistyped, revoked, or belongs to another server."


class _Loads(Generic[_K, _V]):
    """Loads under way: who needs the same thing meanwhile waits for the same answer."""

    def __init__(self) -> None:
        self._tasks: dict[_K, asyncio.Task[_V]] = {}

    async def join(self, key: _K, load: Callable[[], Coroutine[Any, Any, _V]]) -> _V:
        """The result of the load under way for `key`, begun if there is none. Raises what the load raises.

        A caller that is cancelled leaves the load to the others.
        """
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = asyncio.create_task(load())
            task.add_done_callback(lambda done: self._done(key, done))
        return await asyncio.shield(task)

    def leave(self) -> None:
        """Nobody joins the loads under way any more: what they read may be out of date."""
        self._tasks.clear()

    def _done(self, key: _K, task: asyncio.Task[_V]) -> None:
        if self._tasks.get(key) is task:
            del self._tasks[key]
        if not task.cancelled():
            task.exception()  # Looked at here, as everyone who waited may have left.


class Directory:
    """Principals by API-key hash, and holdings by owners. `capacity` bounds each of the two.

    `clock` gives Unix seconds.
    """

    def __init__(self, database: Database, capacity: int = 20_000, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._capacity = capacity
        self._clock = clock
        self._principals: dict[bytes, Principal] = {}
        self._holdings: dict[tuple[Owner, ...], Holdings] = {}
        self._principal_loads = _Loads[bytes, Principal | None]()
        self._holdings_loads = _Loads[tuple[Owner, ...], Holdings]()
        self._epoch = 0

    def known_principal(self, key_hash: bytes) -> Principal | None:
        """The principal when it is in memory; never waits."""
        return self._principals.get(key_hash)

    async def principal(self, key_hash: bytes) -> Principal:
        """The principal of an API key. Raises Unauthenticated for an unknown or revoked one."""
        principal = self._principals.get(key_hash) or await self._principal_loads.join(
            key_hash, lambda: self._load_principal(key_hash)
        )
        if principal is None:
            raise Unauthenticated(_UNKNOWN_KEY)
        return principal

    async def _load_principal(self, key_hash: bytes) -> Principal | None:
        epoch = self._epoch
        async with self._database.read() as connection:
            stored = await api_keys.by_hash(connection, key_hash)
            if stored is None or stored.revoked_at is not None:
                return None
            user = await users.get(connection, stored.user_id)
        if user is None or user.disabled_at is not None:
            return None
        principal = _principal(user, stored)
        if epoch == self._epoch:
            _keep(self._principals, key_hash, principal, self._capacity)
        return principal

    async def principal_for(self, user_id: str, api_key_id: str | None) -> Principal:
        """The principal of work that was requested earlier, with the rights that the user and the key have now.

        `api_key_id` names the key that requested it, None a session. Raises Unauthenticated when the user is
        disabled or gone, or the key is revoked, deleted or expired.
        """
        async with self._database.read() as connection:
            user = await users.get(connection, user_id)
            stored = None if api_key_id is None else await api_keys.get(connection, (user_owner(user_id),), api_key_id)
        if user is None or user.disabled_at is not None:
            raise Unauthenticated("The account that this work belongs to is disabled or deleted.")
        if api_key_id is not None:
            if stored is None or stored.revoked_at is not None:
                raise Unauthenticated("The API key that started this work was revoked: start the work again.")
            if stored.expires_at is not None and stored.expires_at <= self._clock():
                raise Unauthenticated("The API key that started this work has expired: start the work again.")
        return _principal(user, stored)

    def known_holdings(self, principal: Principal) -> Holdings | None:
        """The holdings when they are in memory; never waits."""
        return self._holdings.get(principal.owners)

    async def holdings(self, principal: Principal) -> Holdings:
        """The credentials of all of the principal's tenants, and the preferences and routes in force for them."""
        owners = principal.owners
        return self._holdings.get(owners) or await self._holdings_loads.join(
            owners, lambda: self._load_holdings(owners)
        )

    async def _load_holdings(self, owners: tuple[Owner, ...]) -> Holdings:
        epoch = self._epoch
        async with self._database.read() as connection:
            owned = await credentials.list_for_owners(connection, owners)
            preferred = await preferences.get(connection, owners)
            named = await routes.list_for_owners(connection, owners)
        holdings = Holdings(tuple(owned), preferred, {stored.name: stored.route for stored in named})
        if epoch == self._epoch:
            _keep(self._holdings, owners, holdings, self._capacity)
        return holdings

    def apply(self, topic: str) -> None:
        """Forget what a topic of the change feed names, and everything for a topic that means nothing here."""
        self._epoch += 1
        self._principal_loads.leave()
        self._holdings_loads.leave()
        kind, _, name = topic.partition(":")
        try:
            if kind == "owner":
                self._forget_holdings(owner_of_tenant(name))
            elif kind == "user":
                self._forget_user(name)
            elif kind == "api_key":
                self._principals.pop(bytes.fromhex(name), None)
            elif topic != MASTER_KEY:
                self._forget_everything()
        except ValueError:
            self._forget_everything()

    def _forget_holdings(self, owner: Owner) -> None:
        for owners in [owners for owners in self._holdings if owner in owners]:
            del self._holdings[owners]

    def _forget_user(self, user_id: str) -> None:
        for key in [key for key, principal in self._principals.items() if principal.user_id == user_id]:
            del self._principals[key]

    def _forget_everything(self) -> None:
        self._principals.clear()
        self._holdings.clear()


def _principal(user: User, stored: StoredApiKey | None) -> Principal:
    if stored is None:
        return principal_of(user.id, user.role)
    grant = ApiKeyGrant(
        id=stored.id,
        name=stored.name,
        scopes=stored.scopes,
        models=stored.models,
        allowed_ips=stored.allowed_ips,
        expires_at=stored.expires_at,
        requests_per_minute=stored.requests_per_minute,
    )
    return principal_of(user.id, user.role, api_key=grant)


def _keep(cache: dict[_K, _V], key: _K, value: _V, capacity: int) -> None:
    if len(cache) >= capacity:
        del cache[next(iter(cache))]
    cache[key] = value
