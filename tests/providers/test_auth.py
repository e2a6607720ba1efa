import pytest

from ownkey.domain.catalogue import AuthScheme, Provider, Quirk
from ownkey.domain.errors import InvalidRequest
from ownkey.domain.secret import Secret
from ownkey.providers.auth import auth_headers


def a_provider(auth: AuthScheme = AuthScheme.BEARER, **fields: object) -> Provider:
    return Provider(name="p", title="P", base_url=None, endpoints={}, auth=auth, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("auth", "header"),
    [
        (AuthScheme.BEARER, (b"authorization", b"Bearer sk-1")),
        (AuthScheme.X_API_KEY, (b"x-api-key", b"sk-1")),
    ],
)
def test_the_key_travels_in_the_providers_header(auth: AuthScheme, header: tuple[bytes, bytes]):
    assert auth_headers(a_provider(auth), Secret("sk-1"), {}) == [header]


def test_a_provider_without_authentication_is_sent_no_key():
    assert auth_headers(a_provider(AuthScheme.NONE), Secret("sk-1"), {}) == []


def test_a_provider_that_needs_no_key_is_sent_one_only_if_there_is_one():
    provider = a_provider(key_required=False)
    assert auth_headers(provider, Secret(""), {}) == []
    assert auth_headers(provider, Secret("k"), {}) == [(b"authorization", b"Bearer k")]


@pytest.mark.parametrize("key", ["", " ", "a b", "a\r\nx: y", "a\nb", "a\x00b", "schlüssel", "k\n", "\tk"])
def test_a_key_that_no_header_can_carry_is_refused_without_being_shown(key: str):
    with pytest.raises(InvalidRequest) as caught:
        auth_headers(a_provider(), Secret(key), {})
    assert caught.value.param == "api_key"
    assert len(key.strip()) < 2 or key not in caught.value.public


def test_organization_and_project_come_from_the_credentials_settings():
    provider = a_provider(quirks=(Quirk.ORGANIZATION_HEADERS,))
    config = {"organization": "org-1", "project": "proj_2", "region": "x"}
    assert auth_headers(provider, Secret("k"), config)[1:] == [
        (b"openai-organization", b"org-1"),
        (b"openai-project", b"proj_2"),
    ]
    assert len(auth_headers(a_provider(), Secret("k"), config)) == 1


def test_a_setting_cannot_smuggle_a_header():
    provider = a_provider(quirks=(Quirk.ORGANIZATION_HEADERS,))
    with pytest.raises(InvalidRequest) as caught:
        auth_headers(provider, Secret("k"), {"organization": "org\r\nx-evil: 1"})
    assert caught.value.param == "config.organization"


@pytest.mark.parametrize(
    ("key", "header"),
    [
        ("0123456789abcdef0123456789abcdef", b"api-key"),
        ("a.b.c", b"api-key"),
        ("eyJ0eXAiOiJKV1QifQ.eyJhdWQiOiJ4In0.c2lnbmF0dXJl", b"authorization"),
    ],
)
def test_azure_takes_a_resources_key_and_an_entra_token_in_different_headers(key: str, header: bytes):
    [(name, value)] = auth_headers(a_provider(AuthScheme.AZURE), Secret(key), {})
    assert name == header
    assert value.removeprefix(b"Bearer ") == key.encode()
