"""Reading the key out of a request, and the rights it carries."""

import pytest

from ownkey.domain.errors import NotAllowed, Unauthenticated
from ownkey.domain.ids import ApiKeyId
from ownkey.domain.tenancy import ApiKeyGrant, KeyScope
from ownkey.gateway.authenticate import check_grant, presented_key
from ownkey.gateway.edge.exchange import Request

KEY = b"ok_something"


def request(*fields: tuple[bytes, bytes]) -> Request:
    return Request("POST", "/v1/messages", b"", list(fields), b"", "192.0.2.7", 0.0, 0.0)


@pytest.mark.parametrize(
    "fields",
    [
        [(b"authorization", b"Bearer ok_something")],
        [(b"authorization", b"bearer   ok_something ")],
        [(b"x-api-key", b"ok_something")],
        [(b"x-goog-api-key", b" ok_something")],
        [(b"api-key", b"ok_something")],
        [(b"authorization", b"Bearer sk-placeholder"), (b"x-api-key", b"ok_something")],
        [(b"x-api-key", b"ok_something"), (b"api-key", b"ok_something")],
    ],
)
def test_the_key_is_found(fields: list[tuple[bytes, bytes]]) -> None:
    assert presented_key(request(*fields)) == KEY


@pytest.mark.parametrize(
    "fields",
    [
        [],
        [(b"authorization", b"ok_something")],
        [(b"authorization", b"Basic ok_something")],
        [(b"cookie", b"key=ok_something")],
        [(b"x-api-key", b"")],
        [(b"x-api-key", b"sk-provider-key")],
    ],
)
def test_there_is_no_key(fields: list[tuple[bytes, bytes]]) -> None:
    assert presented_key(request(*fields)) is None


@pytest.mark.parametrize("second", [b"api-key", b"x-api-key"])
def test_two_different_keys_are_refused(second: bytes) -> None:
    with pytest.raises(Unauthenticated):
        presented_key(request((b"x-api-key", b"ok_one"), (second, b"ok_two")))


def grant(*networks: str, expires_at: float | None = None) -> ApiKeyGrant:
    scopes = frozenset({KeyScope.GATEWAY})
    return ApiKeyGrant(ApiKeyId("key_1"), "test", scopes, allowed_ips=networks or None, expires_at=expires_at)


@pytest.mark.parametrize(
    ("networks", "peer", "allowed"),
    [
        ((), "192.0.2.7", True),
        ((), "", True),
        (("192.0.2.0/24",), "192.0.2.7", True),
        (("192.0.2.0/24", "2001:db8::/32"), "2001:db8::1", True),
        (("192.0.2.0/24",), "198.51.100.1", False),
        (("192.0.2.0/24",), "2001:db8::1", False),
        (("0.0.0.0/0",), "", False),
        (("0.0.0.0/0",), "unix", False),
    ],
)
def test_addresses_are_held_to_and_no_address_is_none_of_them(
    networks: tuple[str, ...], peer: str, allowed: bool
) -> None:
    if allowed:
        check_grant(grant(*networks), KeyScope.GATEWAY, peer, 0.0)
    else:
        with pytest.raises(NotAllowed):
            check_grant(grant(*networks), KeyScope.GATEWAY, peer, 0.0)


def test_scope_and_expiry() -> None:
    with pytest.raises(NotAllowed):
        check_grant(grant(), KeyScope.MANAGE, "192.0.2.7", 0.0)
    check_grant(grant(expires_at=10.0), KeyScope.GATEWAY, "192.0.2.7", 9.9)
    with pytest.raises(Unauthenticated):
        check_grant(grant(expires_at=10.0), KeyScope.GATEWAY, "192.0.2.7", 10.0)
