"""The models of a session: stored with their keys sealed, priced, and turned into callers when they are asked."""

import time
from collections.abc import Callable

import msgspec
from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncConnection

from ownkey.domain.errors import Conflict, InvalidRequest, NotFound, OwnkeyError
from ownkey.domain.formats import WireFormat
from ownkey.domain.ids import new_id
from ownkey.domain.price import Rates
from ownkey.domain.secret import Secret, mask
from ownkey.domain.tenancy import Principal
from ownkey.gateway import Gateway
from ownkey.gateway.net import AddressBlocked, UpstreamClient
from ownkey.storage import workbench as rows
from ownkey.storage.database import Database
from ownkey.storage.workbench import StoredTarget, WorkbenchSession
from ownkey.vault import Place, Vault
from ownkey.workbench.endpoint import Clock, DirectTransport, EndpointCaller, Transport, operators_base_urls
from ownkey.workbench.hosting.account import Account, GatewayTransport, account_of
from ownkey.workbench.hosting.limits import Limits
from ownkey.workbench.ports import Caller
from ownkey.workbench.records import Abilities, EndpointKind, Prices, RunPlan, Target

_PURPOSE = "workbench-target"
_TABLE = "workbench_targets"
_KIND = "wbt"
TARGET_ID = f"{_KIND}_"
"""What the ids of targets begin with."""


class TargetStore:
    """Stores targets and reaches them. Keys are sealed under the session's tenant and opened for each use."""

    def __init__(
        self, database: Database, vault: Vault, gateway: Gateway, client: UpstreamClient, clock: Clock
    ) -> None:
        self._database = database
        self._vault = vault
        self._gateway = gateway
        self._client = client
        self._clock = clock

    async def add(self, session: WorkbenchSession, target: Target, key: Secret | None, limits: Limits) -> Target:
        """Store a target under an id of its own. Raises InvalidRequest for an address that may not be called, or when
        the session has as many as it may."""
        self.check(target, anonymous=session.user_id is None)
        stored = replace(target, id=new_id(_KIND))
        sealed = None if key is None else await self._vault.seal(key, _place(session, stored.id))
        row = StoredTarget(
            id=stored.id,
            session_id=session.id,
            body=msgspec.json.encode(stored),
            masked_key=None if key is None else mask(key.reveal()),
            sealed=sealed,
            created_at=time.time(),
        )
        async with self._database.write() as conn:
            await rows.sessions.lock(conn, session.id)
            await _check_room(conn, session, 1, limits)
            await rows.targets.create(conn, row)
        return stored

    async def find_room(self, session: WorkbenchSession, count: int, limits: Limits) -> None:
        """Raises InvalidRequest where the session has no room for so many more."""
        async with self._database.read() as conn:
            await _check_room(conn, session, count, limits)

    async def remove(self, session: WorkbenchSession, target_id: str) -> None:
        """Delete a target with its key. Raises NotFound, or Conflict when a run of the session has tested it."""
        await self._row(session, target_id)
        async with self._database.write() as conn:
            await rows.sessions.lock(conn, session.id)
            for run in await rows.runs.list_of_session(conn, session.id):
                plan = msgspec.json.decode(run.plan, type=RunPlan)
                if any(target.id == target_id for target in plan.targets):
                    raise Conflict("A run has tested this model: delete the run first.")
            await rows.targets.delete(conn, session.id, target_id)
        await self._database.scrub()

    async def of_session(self, session: WorkbenchSession) -> list[tuple[Target, str | None]]:
        """The session's targets with the masks of their keys, the first one first."""
        async with self._database.read() as conn:
            found = await rows.targets.list_of_session(conn, session.id)
        return [(decode_target(row.body), row.masked_key) for row in found]

    async def get(self, session: WorkbenchSession, target_id: str) -> Target:
        """One target. Raises NotFound."""
        return decode_target((await self._row(session, target_id)).body)

    async def found_out(self, target: Target, abilities: Abilities, base_url: str | None) -> Target:
        """Keep what a connection check has found: abilities, and the base URL that answered."""
        known = replace(target, abilities=abilities, base_url=base_url)
        async with self._database.write() as conn:
            await rows.targets.update_body(conn, target.id, msgspec.json.encode(known))
        return known

    async def key_of(self, session: WorkbenchSession, target_id: str) -> Secret | None:
        """The target's key. Raises NotFound, or SecretUnreadable."""
        row = await self._row(session, target_id)
        return None if row.sealed is None else await self._vault.open(row.sealed, _place(session, row.id))

    async def transport(self, session: WorkbenchSession, target: Target, account: Account | None) -> Transport:
        """The way to a target, under the session's account. Raises Unauthenticated when its rights have ended, or
        SecretUnreadable."""
        return (await self.transports(session, target, account))(target.base_url)

    async def transports(
        self, session: WorkbenchSession, target: Target, account: Account | None
    ) -> Callable[[str | None], Transport]:
        """The way to a target as a function of the base URL, for a check that looks for the right one. Raises as
        `transport` does."""
        if account is not None:
            await account.principal()
        if target.kind is EndpointKind.GATEWAY:
            assert account is not None  # noqa: S101 (checked when it was added)
            through = GatewayTransport(self._gateway, account, target.credential)
            return lambda _: through
        key = await self.key_of(session, target.id)

        def direct(base_url: str | None) -> Transport:
            assert base_url is not None  # noqa: S101 (as above)
            return DirectTransport(self._client, base_url, key, trusted=self.is_operators(base_url))

        return direct

    async def caller(self, session: WorkbenchSession, target: Target, account: Account | None) -> Caller:
        return EndpointCaller(await self.transport(session, target, account), target, self._clock)

    def account(self, session: WorkbenchSession, peer: str) -> Account | None:
        """The account that the session's work goes under, None where it has none. `peer` is who asks for the work."""
        return account_of(self._gateway, session, peer)

    def is_operators(self, base_url: str) -> bool:
        """Whether the operator configured this very address, as a provider's: it may then be private."""
        return base_url in operators_base_urls(self._gateway.catalogue)

    def check(self, target: Target, *, anonymous: bool) -> None:
        """Raise InvalidRequest for a target that a session of this kind cannot have, or an address that may not be
        called. A name's addresses are checked at each connect."""
        if target.kind is EndpointKind.GATEWAY:
            if anonymous:
                text = "Models of this gateway and stored keys need an account: sign in, or give the endpoint's URL."
                raise InvalidRequest(text, param="model")
            return
        if target.base_url is None:
            raise InvalidRequest("Give the endpoint's URL, or a preset that has one.", param="endpoint_url")
        if not self.is_operators(target.base_url):
            try:
                self._gateway.check_endpoint(target.base_url)
            except AddressBlocked as blocked:
                # Nothing was called: what was sent to us is wrong, and no upstream has failed.
                raise InvalidRequest(blocked.public, param="endpoint_url") from None

    async def _row(self, session: WorkbenchSession, target_id: str) -> StoredTarget:
        async with self._database.read() as conn:
            row = await rows.targets.get(conn, session.id, target_id)
        if row is None:
            raise NotFound("The session has no model with this id.")
        return row


async def _check_room(conn: AsyncConnection, session: WorkbenchSession, count: int, limits: Limits) -> None:
    if len(await rows.targets.list_of_session(conn, session.id)) + count > limits.targets:
        raise InvalidRequest(f"A session has at most {limits.targets} models: remove one first.")


def decode_target(body: bytes) -> Target:
    return msgspec.json.decode(body, type=Target)


def _place(session: WorkbenchSession, target_id: str) -> Place:
    return Place(_PURPOSE, session.tenant, _TABLE, target_id, "")


async def list_prices(
    gateway: Gateway, target: Target, provider: str | None, principal: Principal | None, peer: str
) -> Prices | None:
    """The prices of a gateway's model as it would be planned now, or of a direct endpoint's that is a catalogue
    provider's. None where the catalogue knows none: then no cost is shown, rather than a guess."""
    if target.kind is EndpointKind.DIRECT:
        offer = None if provider is None else gateway.catalogue.literal_offer(provider, target.model)
        return _prices(offer.rates) if offer is not None and offer.priced else None
    if principal is None:
        return None
    return await planned_prices(gateway, principal, target.model, WireFormat.OPENAI_CHAT, target.credential, peer)


async def planned_prices(
    gateway: Gateway, principal: Principal, model: str, format_: WireFormat, credential: str | None, peer: str
) -> Prices | None:
    """The prices of a gateway's model as a request of `format_` would be planned now; None where none are known."""
    try:
        plan = await gateway.explain(principal, model, format_, credential, peer)
    except OwnkeyError:
        return None
    first = next(iter(plan.attempts), None)
    return None if first is None or not first.priced else _prices(first.rates)


def _prices(rates: Rates) -> Prices:
    return Prices(rates.input, rates.output, "catalogue")
