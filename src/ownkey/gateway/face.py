"""The gateway's public face: what the control plane and the composition root may ask of it."""

import time
from collections.abc import Sequence
from typing import Any

from ownkey.domain.catalogue import Provider
from ownkey.domain.credential import Credential
from ownkey.domain.errors import UnsupportedField
from ownkey.domain.formats import WireFormat
from ownkey.domain.meaning import names_a_model
from ownkey.domain.plan import Plan, PlanRequest, make_plan
from ownkey.domain.secret import Secret
from ownkey.domain.tenancy import KeyScope, Principal
from ownkey.gateway.authenticate import Authenticator, check_rights
from ownkey.gateway.changes import ChangeFollower
from ownkey.gateway.directory import Directory
from ownkey.gateway.health import KeyHealth
from ownkey.gateway.inner import InnerAnswer, InnerCalls
from ownkey.gateway.key_test import KeyTestResult, run_key_test
from ownkey.gateway.learned import LearnedFact, LearnedFacts
from ownkey.gateway.listing import ModelListing
from ownkey.gateway.net import AddressGuard, UpstreamClient
from ownkey.gateway.outgoing import preview
from ownkey.gateway.read import Ask
from ownkey.gateway.secrets import SecretCache
from ownkey.gateway.tokens import TokenCache
from ownkey.providers import ProviderCatalogue
from ownkey.storage.journal import UsageWriter
from ownkey.wire.fields import encode


class Gateway:
    """Everything outside the data plane may use of it. Its other modules are its own affair."""

    def __init__(
        self,
        authenticator: Authenticator,
        directory: Directory,
        catalogue: ProviderCatalogue,
        health: KeyHealth,
        secrets: SecretCache,
        client: UpstreamClient,
        tokens: TokenCache,
        guard: AddressGuard,
        follower: ChangeFollower,
        writer: UsageWriter,
        calls: InnerCalls,
        learned: LearnedFacts,
    ) -> None:
        self._authenticator = authenticator
        self._directory = directory
        self._health = health
        self._secrets = secrets
        self._client = client
        self._tokens = tokens
        self._guard = guard
        self._follower = follower
        self._writer = writer
        self._calls = calls
        self._learned = learned
        self._listing = ModelListing(catalogue)
        self.catalogue = catalogue

    def hash_api_key(self, key: str) -> bytes:
        """The hash under which an Ownkey API key is stored."""
        return self._authenticator.hash(key)

    async def principal_of(self, key: str, scope: KeyScope, peer: str) -> Principal:
        """The principal of an Ownkey API key. Raises Unauthenticated or NotAllowed."""
        principal = await self._directory.principal(self._authenticator.hash(key))
        check_rights(principal, scope, peer)
        return principal

    async def principal_for(self, user_id: str, api_key_id: str | None) -> Principal:
        """The principal of work that was asked for earlier and runs now; `api_key_id` is None for a session's.

        Raises Unauthenticated when the user is disabled or gone, or the key is revoked, deleted or expired. Ask again
        before each step of long work: the rights may have changed.
        """
        return await self._directory.principal_for(user_id, api_key_id)

    async def call(
        self,
        principal: Principal,
        path: str,
        body: bytes,
        headers: Sequence[tuple[bytes, bytes]] = (),
        peer: str = "",
    ) -> InnerAnswer:
        """Do a data-plane request in this process, as an HTTP client of this principal would; returns with the head.

        `path` is the request target, percent-encoded, with a query where there is one; a request without a body is a
        GET. The content type is JSON unless `headers` name another. `peer` is the address the work was asked for from:
        an API key's `allowed_ips` are compared with it. Every refusal is an answer with its status, an API key without
        the scope `gateway` included. Cancelling the wait gives the request up as `InnerAnswer.abort` does. Raises
        InvalidRequest for a malformed target.
        """
        return await self._calls.call(principal, path, body, headers, peer)

    async def explain(
        self, principal: Principal, model: str, format_: WireFormat, credential: str | None, peer: str
    ) -> Plan:
        """The plan a request would get now; nothing is sent."""
        holdings = await self._directory.holdings(principal)
        request = PlanRequest(
            model=model,
            client_format=format_,
            now=time.time(),
            credential=credential,
            allowed_models=principal.api_key.models if principal.api_key else None,
            peer=peer,
        )
        return make_plan(request, holdings, self.catalogue, self._health.resting)

    async def adaptations(
        self, principal: Principal, plan: Plan, format_: WireFormat, request: dict[str, Any]
    ) -> list[tuple[str, ...] | UnsupportedField]:
        """For each attempt of a plan the fields of the client's `request` that it would adapt, or why it cannot send
        it. Raises InvalidRequest for a request that cannot be read."""
        holdings = await self._directory.holdings(principal)
        ask = Ask(
            format=format_,
            model=plan.model,
            stream=request.get("stream") is True,
            wants_usage=False,
            max_tokens=None,
            credential=None,
            body=encode(request),
            parsed=request,
        )
        found: list[tuple[str, ...] | UnsupportedField] = []
        for attempt in plan.attempts:
            try:
                written = preview(ask, attempt, holdings.preferences, self._learned.without(attempt))
            except UnsupportedField as error:
                found.append(error)
            else:
                found.append(written.adaptations)
        return found

    def learned_facts(self) -> list[LearnedFact]:
        """The fields that this process leaves out of what it adds, since a provider rejected them lately."""
        return self._learned.current()

    async def is_model(self, principal: Principal, name: str) -> bool:
        """Whether the name, routes apart, is a model's in the catalogue or at one of the principal's endpoints."""
        return names_a_model(name, await self._directory.holdings(principal), self.catalogue)

    async def usable_models(self, principal: Principal, peer: str) -> frozenset[str]:
        """The ids of the models the principal's keys can serve now."""
        holdings = await self._directory.holdings(principal)
        return frozenset(await self._listing.served(principal, holdings, time.time(), peer))

    async def test_key(
        self, provider: Provider, base_url: str, secret: Secret, config: dict[str, str], trusted: bool
    ) -> KeyTestResult:
        """Call the provider's check endpoint with this key; see `run_key_test`."""
        return await run_key_test(self._client, self._tokens, provider, base_url, secret, config, trusted)

    def check_endpoint(self, url: str) -> None:
        """Raise unless a user's key may be sent to `url`. A name is resolved, and its addresses are checked, at each
        connect: here only what the text itself tells."""
        self._guard.check_url(url)

    async def open_secret(self, credential: Credential) -> Secret:
        """A stored key, decrypted. Raises SecretUnreadable."""
        return await self._secrets.open(credential)

    def forget_rests(self, credential_id: str) -> None:
        """A key was tested or changed: whatever it rested for is over."""
        for key in [key for key in self._health.resting if key[0] == credential_id]:
            del self._health.resting[key]

    async def changed(self) -> None:
        """Apply what was just written to this process at once; the others follow within a second."""
        await self._follower.catch_up()

    async def flush_usage(self) -> None:
        """Wait until every settled request is in the database, so that a receipt can be read."""
        await self._writer.flush()
