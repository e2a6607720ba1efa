"""A client's secret exchanged for an access token: what is asked, and what each answer means for the key."""

import json
from typing import Any
from urllib.parse import parse_qs

import pytest

from ownkey.domain.credential import CredentialStatus
from ownkey.domain.errors import InvalidRequest
from ownkey.domain.secret import Secret
from ownkey.providers import ProviderRow, load_catalogue
from ownkey.providers.tokens import AccessToken, TokenRefused, read_token, token_request
from ownkey.providers.verdict import FailureKind

SECRET = Secret("abc8Q~client-secret+/=&%")
CONFIG = {"tenant_id": "11111111-2222-3333-4444-555555555555", "client_id": "66666666-7777-8888-9999-000000000000"}
AZURE: ProviderRow = next(row for row in load_catalogue().providers() if row.name == "azure")


def test_the_secret_is_asked_with_in_the_body_of_its_tenants_address() -> None:
    request = token_request(AZURE, SECRET, CONFIG)
    assert request is not None
    assert request.url == f"https://login.microsoftonline.com/{CONFIG['tenant_id']}/oauth2/v2.0/token"
    assert parse_qs(request.body.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": [CONFIG["client_id"]],
        "client_secret": [SECRET.reveal()],
        "scope": ["https://cognitiveservices.azure.com/.default"],
    }
    assert "secret" not in repr(request) + str(request)


@pytest.mark.parametrize("config", [{}, {"tenant_id": "t"}, {"client_id": "c"}, {"tenant_id": "", "client_id": "c"}])
def test_a_key_without_both_ids_is_sent_as_it_is(config: dict[str, str]) -> None:
    assert token_request(AZURE, SECRET, config) is None


@pytest.mark.parametrize("tenant", ["../x", "a/b", "a?b", "a#b", "a b", "a@b", "..", "a%2fb"])
def test_a_tenant_cannot_bend_the_address(tenant: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        token_request(AZURE, SECRET, CONFIG | {"tenant_id": tenant})
    assert caught.value.param == "config.tenant_id"


def read(status: int, body: Any, *headers: tuple[bytes, bytes]) -> AccessToken | TokenRefused:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_token(AZURE, status, raw, headers, SECRET)


@pytest.mark.parametrize(("expires_in", "lifetime"), [(3599, 3599.0), ("3599", 3599.0), (10**9, 86_400.0), (0, 0.0)])
def test_a_token_hides_what_it_was_exchanged_for(expires_in: Any, lifetime: float) -> None:
    token = read(200, {"token_type": "Bearer", "access_token": "eyJ0.eyJ1.sig", "expires_in": expires_in})
    assert isinstance(token, AccessToken)
    assert token.lifetime == lifetime
    assert token.secret.reveal() == "eyJ0.eyJ1.sig"
    assert SECRET.reveal() in token.secret.reveal_all()
    assert "eyJ0" not in repr(token)


def refused(code: int, name: str = "invalid_client") -> dict[str, Any]:
    return {"error": name, "error_description": f"AADSTS{code}: told by Entra", "error_codes": [code]}


@pytest.mark.parametrize(
    ("status", "body", "kind", "state"),
    [
        (401, refused(7000215), FailureKind.INVALID_KEY, CredentialStatus.INVALID),
        (401, refused(7000222), FailureKind.EXPIRED_KEY, CredentialStatus.EXPIRED),
        (400, refused(700016, "unauthorized_client"), FailureKind.INVALID_KEY, CredentialStatus.INVALID),
        (400, refused(90002, "invalid_request"), FailureKind.INVALID_KEY, CredentialStatus.INVALID),
        (401, refused(7000112), FailureKind.REVOKED_KEY, CredentialStatus.REVOKED),
        (400, refused(500011, "invalid_resource"), FailureKind.PERMISSION, None),
        (400, {"error": "invalid_scope"}, FailureKind.PERMISSION, None),
        (400, refused(123), FailureKind.INVALID_KEY, CredentialStatus.INVALID),
        (400, {"error": "something_new"}, FailureKind.UNEXPECTED, None),
        (404, b"<html>", FailureKind.UNEXPECTED, None),
        (429, refused(90055), FailureKind.RATE_LIMIT, None),
        (500, b"", FailureKind.SERVER_ERROR, None),
        (503, b"", FailureKind.OVERLOADED, None),
        (200, b"<html>", FailureKind.UNEXPECTED, None),
        (200, {"access_token": ""}, FailureKind.UNEXPECTED, None),
        (200, {"access_token": "a\r\nb: c-0123456789"}, FailureKind.UNEXPECTED, None),
        (200, {"access_token": "eyJ0.eyJ1.sig", "expires_in": "soon"}, FailureKind.UNEXPECTED, None),
        (302, b"", FailureKind.UNEXPECTED, None),
    ],
)
def test_a_refusal_says_what_it_means_for_the_key(
    status: int, body: Any, kind: FailureKind, state: CredentialStatus | None
) -> None:
    found = read(status, body)
    assert isinstance(found, TokenRefused)
    assert (found.verdict.kind, found.verdict.credential_status) == (kind, state)
    assert found.verdict.failover
    assert "told by Entra" not in found.verdict.message


def test_a_limit_is_kept_to() -> None:
    found = read(429, {}, (b"retry-after", b"7"))
    assert isinstance(found, TokenRefused)
    assert (found.verdict.rest_seconds, found.verdict.stated) == (7.0, True)
