"""How a key travels to its provider: always in a header, never in an address."""

import re

from ownkey.domain.catalogue import AuthScheme, Provider
from ownkey.domain.errors import InvalidRequest
from ownkey.domain.formats import WireFormat
from ownkey.domain.secret import Secret

ORGANIZATION_HEADERS = "organization-headers"
"""Quirk of OpenAI: a key of several organizations or projects is told which by two headers."""

_HEADERS_FROM_CONFIG = ((b"openai-organization", "organization"), (b"openai-project", "project"))

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
            case AuthScheme.NONE:
                pass
    if config and ORGANIZATION_HEADERS in provider.quirks:
        for name, field in _HEADERS_FROM_CONFIG:
            if config.get(field):
                headers.append((name, _header_value(config[field], f"config.{field}", f"The {field}")))
    return headers


def _header_value(text: str, param: str, what: str) -> bytes:
    if not _VISIBLE.fullmatch(text):
        problem = "is empty" if not text else "contains spaces, line breaks or characters that no key has"
        raise InvalidRequest(f"{what} {problem}.", param=param)
    return text.encode("ascii")


def looks_unusual(provider: Provider, secret: Secret) -> str | None:
    """A hint for a person when the key does not look like this provider's keys; it never rejects one."""
    if not provider.key_pattern or re.match(provider.key_pattern, secret.reveal()):
        return None
    return f"{provider.title} keys usually look different. The test tells whether this one works."
