"""AWS keys and Signature Version 4 (AWS General Reference, "Create a signed AWS API request").

An access key is stored as one secret, `ID:SECRET` or `ID:SECRET:SESSION`: all three parts belong together, and
none of them holds a colon. Anything without a colon is a Bedrock API key, which travels as a bearer.
"""

import hmac
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import quote, urlsplit

from msgspec import Struct

from ownkey.domain.errors import InvalidRequest
from ownkey.domain.secret import Secret

SERVICE = "bedrock"
"""The name that both the runtime and the management interface sign with."""

Headers = list[tuple[bytes, bytes]]

_ALGORITHM = "AWS4-HMAC-SHA256"
_PARTS = re.compile(r"(?P<id>\w{16,128}):(?P<secret>[!-9;-~]{16,})(?::(?P<session>[!-9;-~]{16,}))?", re.ASCII)
_UNSIGNED = frozenset(
    {
        b"baggage",
        b"connection",
        b"expect",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"te",
        b"traceparent",
        b"tracestate",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"user-agent",
        b"x-amzn-trace-id",
    }
)
"""Fields that intermediaries may change; botocore leaves out the same."""
_SLASHES = re.compile(r"/{2,}")
_DEFAULT_PORTS = {"http": 80, "https": 443}


class AccessKey(Struct, frozen=True, repr_omit_defaults=True):
    """An access key taken apart; `session` belongs to temporary ones."""

    id: str
    secret: str
    session: str | None = None

    def __repr__(self) -> str:
        return "AccessKey(…)"

    __str__ = __repr__


def is_access_key(secret: Secret) -> bool:
    """Whether the key is to be signed with, and not sent."""
    return ":" in secret.reveal()


def read_access_key(secret: Secret) -> AccessKey:
    """Raises InvalidRequest, without the key, for what has a colon and is no access key."""
    match = _PARTS.fullmatch(secret.reveal())
    if match is None:
        text = "An AWS access key is ACCESS_KEY_ID:SECRET_ACCESS_KEY, or with a third part :SESSION_TOKEN."
        raise InvalidRequest(text, param="api_key")
    return AccessKey(match["id"], match["secret"], match["session"])


class Signer:
    """Signs the requests of one access key in one region. The key derived for a day is cached for that day."""

    __slots__ = ("_day", "_day_key", "_key", "_region")

    def __init__(self, key: AccessKey, region: str) -> None:
        self._key = key
        self._region = region
        self._day = ""
        self._day_key = b""

    def sign(self, method: bytes, url: str, headers: Headers, body: bytes, now: float) -> Headers:
        """The headers to add to a request to `url` (absolute, percent-encoded). `now` is Unix seconds."""
        moment = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
        added: Headers = [(b"x-amz-date", moment.encode())]
        if self._key.session is not None:
            added.append((b"x-amz-security-token", self._key.session.encode()))
        parts = urlsplit(url)
        host = _host(parts.scheme, parts.netloc)
        fields = _canonical_fields([*headers, *added, (b"host", host.encode())])
        names = ";".join(name for name, _ in fields)
        canonical = "\n".join(
            (
                method.decode(),
                quote(_SLASHES.sub("/", parts.path or "/"), safe="/~"),
                _canonical_query(parts.query),
                "".join(f"{name}:{value}\n" for name, value in fields),
                names,
                sha256(body).hexdigest(),
            )
        )
        scope = f"{moment[:8]}/{self._region}/{SERVICE}/aws4_request"
        text = f"{_ALGORITHM}\n{moment}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
        signature = hmac.digest(self._key_of(moment[:8]), text.encode(), "sha256").hex()
        value = f"{_ALGORITHM} Credential={self._key.id}/{scope}, SignedHeaders={names}, Signature={signature}"
        added.append((b"authorization", value.encode()))
        return added

    def _key_of(self, day: str) -> bytes:
        if day != self._day:
            key = f"AWS4{self._key.secret}".encode()
            for part in (day, self._region, SERVICE, "aws4_request"):
                key = hmac.digest(key, part.encode(), "sha256")
            self._day, self._day_key = day, key
        return self._day_key


def _host(scheme: str, netloc: str) -> str:
    """The authority as sent in the `host` field: without the scheme's own port."""
    host, colon, port = netloc.rpartition(":")
    return host if colon and port.isdigit() and int(port) == _DEFAULT_PORTS[scheme] else netloc


def _canonical_fields(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    """The signed fields by name, values of one name joined, runs of white space as one blank."""
    grouped: dict[str, list[str]] = {}
    for name, value in headers:
        if name.lower() not in _UNSIGNED:
            grouped.setdefault(name.decode("ascii").lower(), []).append(" ".join(value.decode("latin-1").split()))
    return [(name, ",".join(grouped[name])) for name in sorted(grouped)]


def _canonical_query(query: str) -> str:
    if not query:
        return ""
    pairs = sorted(pair.partition("=")[::2] for pair in query.split("&"))
    return "&".join(f"{name}={value}" for name, value in pairs)
