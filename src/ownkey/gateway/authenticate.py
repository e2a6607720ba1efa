"""Who is asking. Each scheme knows one way to tell; an Ownkey API key comes in any of four headers, all equal."""

import hmac
import os
import time
from abc import ABC, abstractmethod
from hashlib import blake2b

from ownkey.domain.api_key import PREFIX, is_api_key
from ownkey.domain.errors import NotAllowed, Unauthenticated
from ownkey.domain.networks import lies_in, read_address
from ownkey.domain.tenancy import ApiKeyGrant, KeyScope, Principal
from ownkey.gateway.directory import Directory
from ownkey.gateway.edge.exchange import Request

_MEMO = 20_000
_CARRIERS = frozenset({b"authorization", b"x-api-key", b"x-goog-api-key", b"api-key"})
_PREFIX = PREFIX.encode()
_BEARER = b"Bearer "
_BEARER_KEY = _BEARER + _PREFIX
_BESIDE = (b"x-api-key", b"x-goog-api-key", b"api-key")


class Scheme(ABC):
    """One way to say who is asking.

    A scheme returns the principal, or None when the request carries nothing of its kind, or raises Unauthenticated
    when what the request carries is not valid. The rights of the principal are checked by `Authenticator`.
    """

    @abstractmethod
    def known(self, request: Request) -> Principal | None:
        """The caller when in memory; None also when the caller has to be looked up. Never waits."""

    @abstractmethod
    async def authenticate(self, request: Request) -> Principal | None:
        """The caller, looked up where needed."""


class ApiKeys(Scheme):
    """Ownkey API keys. Stored hashes are HMAC-SHA-256 of the whole key under `pepper`."""

    def __init__(self, directory: Directory, pepper: bytes) -> None:
        self._directory = directory
        self._pepper = pepper
        self._memo_key = os.urandom(32)
        self._memo: dict[bytes, bytes] = {}

    def hash(self, key: str) -> bytes:
        """The 32 bytes under which a key is stored and cached."""
        return hmac.digest(self._pepper, key.encode(), "sha256")

    def known(self, request: Request) -> Principal | None:
        key = presented_key(request)
        if key is None:
            return None
        # BLAKE2b under a key of this process stands for the slower HMAC of keys that were seen before.
        key_hash = self._memo.get(blake2b(key, key=self._memo_key, digest_size=32).digest())
        return None if key_hash is None else self._directory.known_principal(key_hash)

    async def authenticate(self, request: Request) -> Principal | None:
        key = presented_key(request)
        if key is None:
            return None
        text = key.decode("latin-1")
        if not is_api_key(text):
            raise Unauthenticated("This API key is mistyped or cut off: its checksum does not match.")
        key_hash = self.hash(text)
        principal = await self._directory.principal(key_hash)
        if len(self._memo) >= _MEMO:
            self._memo.clear()
        self._memo[blake2b(key, key=self._memo_key, digest_size=32).digest()] = key_hash
        return principal


class Authenticator:
    """Asks each scheme in turn who sent a request, and checks that the caller may do this from here."""

    def __init__(self, directory: Directory, pepper: bytes) -> None:
        api_keys = ApiKeys(directory, pepper)
        self.hash = api_keys.hash
        self._schemes: tuple[Scheme, ...] = (api_keys,)

    def known(self, request: Request, scope: KeyScope) -> Principal | None:
        """The caller when in memory, None when the caller has to be looked up. Raises as `authenticate` does."""
        for scheme in self._schemes:
            principal = scheme.known(request)
            if principal is not None:
                _check(principal, scope, request)
                return principal
        return None

    async def authenticate(self, request: Request, scope: KeyScope) -> Principal:
        """The caller. Raises Unauthenticated, or NotAllowed when the key may not do this or not from here."""
        for scheme in self._schemes:
            principal = scheme.known(request) or await scheme.authenticate(request)
            if principal is not None:
                _check(principal, scope, request)
                return principal
        if any(_token(field) for field in request.fields if field[0] in _CARRIERS):
            text = "This is not an Ownkey API key: those start with ok_. Store your provider's key in Ownkey first."
            raise Unauthenticated(text)
        raise Unauthenticated("No API key: send an Ownkey key as `Authorization: Bearer ok_…` or `x-api-key: ok_…`.")


def presented_key(request: Request) -> bytes | None:
    """The one Ownkey key among the carriers, None when there is none; a placeholder beside it does not hide it.

    Raises Unauthenticated when two different ones came. The checksum is not verified.
    """
    if not request.repeats:
        # Nearly always: one carrier, said in one way.
        header = request.header
        bearer = header(b"authorization")
        if bearer is not None and bearer.startswith(_BEARER_KEY) and not any(map(header, _BESIDE)):
            return bearer[len(_BEARER) :]
    values = (_token(field) for field in request.fields if field[0] in _CARRIERS)
    keys = {value for value in values if value.startswith(_PREFIX)}
    if len(keys) > 1:
        raise Unauthenticated("The request carries two different Ownkey API keys: send one.")
    return keys.pop() if keys else None


def _token(field: tuple[bytes, bytes]) -> bytes:
    name, value = field
    if name != b"authorization":
        return value.strip()
    scheme, _, token = value.partition(b" ")
    return token.strip() if scheme.lower() == b"bearer" else b""


def _check(principal: Principal, scope: KeyScope, request: Request) -> None:
    if principal.api_key is not None:
        check_grant(principal.api_key, scope, request.peer, request.started_at)


def check_rights(principal: Principal, scope: KeyScope, peer: str) -> None:
    """Raise unless the principal may do `scope` from `peer` now. Only an API key limits its user."""
    if principal.api_key is not None:
        check_grant(principal.api_key, scope, peer, time.time())


def check_grant(grant: ApiKeyGrant, scope: KeyScope, peer: str, now: float) -> None:
    """Raise unless the key may do `scope` from `peer` (an IP address) at `now` (Unix seconds)."""
    if grant.expires_at is not None and grant.expires_at <= now:
        raise Unauthenticated("This API key has expired: create a new one.")
    if scope not in grant.scopes:
        raise NotAllowed(f"This API key lacks the scope {scope.value!r}.")
    if grant.allowed_ips is not None and not lies_in(read_address(peer), grant.allowed_ips):
        raise NotAllowed("This API key cannot be used from your address.")
