"""How a key travels to its provider: always in a header, never in an address."""

import re

from ownkey.domain.address import region_of
from ownkey.domain.catalogue import AuthScheme, Provider, Quirk
from ownkey.domain.errors import InvalidRequest
from ownkey.domain.formats import WireFormat
from ownkey.domain.secret import Secret
from ownkey.providers.aws import Signer, is_access_key, read_access_key

_HEADERS_FROM_CONFIG = ((b"openai-organization", "organization"), (b"openai-project", "project"))

_WEB_TOKEN = re.compile(rb"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_VISIBLE = re.compile(r"[\x21-\x7e]+")


def auth_headers(
    provider: Provider, secret: Secret, config: dict[str, str], format_: WireFormat | None = None
) -> list[tuple[bytes, bytes]]:
    """The headers that authenticate a request in `format_` (None: a key check). `config` is the credential's.

    A provider that needs no key gets none when the secret is empty. Raises InvalidRequest for a key or a
    setting that a header cannot carry, without showing it.
    """
    headers: list[tuple[bytes, bytes]] = []
    key = secret.reveal()
    if key or provider.key_required:
        value = _header_value(key, "api_key", f"The {provider.title} key")
        scheme = provider.auth if format_ is None else provider.auth_for.get(format_, provider.auth)
        match scheme:
            case AuthScheme.BEARER:
                headers.append((b"authorization", b"Bearer " + value))
            case AuthScheme.X_API_KEY:
                headers.append((b"x-api-key", value))
            case AuthScheme.X_GOOG_API_KEY:
                headers.append((b"x-goog-api-key", value))
            case AuthScheme.API_KEY:
                headers.append((b"api-key", value))
            case AuthScheme.AZURE:
                headers.append(_azure_header(value))
            case AuthScheme.AWS if not is_access_key(secret):
                headers.append((b"authorization", b"Bearer " + value))
            case AuthScheme.AWS:
                read_access_key(secret)
            case AuthScheme.NONE:
                pass
    if config and Quirk.ORGANIZATION_HEADERS in provider.quirks:
        for name, field in _HEADERS_FROM_CONFIG:
            if config.get(field):
                headers.append((name, _header_value(config[field], f"config.{field}", f"The {field}")))
    return headers


def signer_for(
    provider: Provider,
    secret: Secret,
    config: dict[str, str],
    base_url: str,
    format_: WireFormat | None = None,
) -> Signer | None:
    """The signer for the requests of a key used at `base_url`; None for a key that `auth_headers` sends.

    Raises InvalidRequest for an invalid access key, and if no region is named.
    """
    scheme = provider.auth if format_ is None else provider.auth_for.get(format_, provider.auth)
    if scheme is not AuthScheme.AWS or not is_access_key(secret):
        return None
    region = region_of(provider, base_url, config)
    if region is None:
        text = f"{provider.title} needs to know the region: set config.region, for example eu-central-1."
        raise InvalidRequest(text, param="config.region")
    return Signer(read_access_key(secret), region)


def _azure_header(value: bytes) -> tuple[bytes, bytes]:
    """An Entra access token is a JSON Web Token; a resource's key has no dots."""
    if _WEB_TOKEN.fullmatch(value):
        return (b"authorization", b"Bearer " + value)
    return (b"api-key", value)


def _header_value(text: str, param: str, what: str) -> bytes:
    if not _VISIBLE.fullmatch(text):
        problem = "is empty" if not text else "contains spaces, line breaks or characters that no key has"
        raise InvalidRequest(f"{what} {problem}.", param=param)
    return text.encode("ascii")
