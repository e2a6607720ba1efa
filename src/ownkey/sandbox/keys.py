"""Provider keys as the sandbox sees them: where they travel, and the words in them that make them bad."""

from collections.abc import Iterator
from enum import StrEnum
from hashlib import sha256


class KeyDefect(StrEnum):
    """What is wrong with a key; the value is the word that a key contains to be so, where it has one."""

    MISSING = "missing"
    INVALID = "invalid"
    LIMITED = "limited"
    BROKE = "broke"
    REVOKED = "revoked"
    RESTRICTED = "restricted"
    """A genuine key that may not do this."""
    REJECTED = "rejected"
    """Like `invalid`, with the status this vendor really uses (400 for some, where the contract says 401)."""


CARRIERS = (b"authorization", b"x-api-key", b"api-key", b"x-goog-api-key")
SECRET_HEADERS = frozenset((*CARRIERS, b"x-amz-security-token", b"proxy-authorization", b"cookie"))

_WORDS = (
    KeyDefect.INVALID,
    KeyDefect.LIMITED,
    KeyDefect.BROKE,
    KeyDefect.REVOKED,
    KeyDefect.RESTRICTED,
    KeyDefect.REJECTED,
)


class KeyIdentity:
    """A key that has been seen. Only `digest` (the first 16 hexadecimal digits of its SHA-256) is ever shown."""

    __slots__ = ("defect", "digest", "raw", "requests")

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.digest = sha256(raw).hexdigest()[:16]
        self.defect = next((word for word in _WORDS if word.value.encode() in raw.lower()), None)
        self.requests = 0

    def __repr__(self) -> str:
        return f"KeyIdentity({self.digest})"

    @property
    def text(self) -> str:
        """The key itself, for the answers that echo it."""
        return self.raw.decode("latin-1")

    @property
    def masked(self) -> str:
        """As OpenAI echoes a bad key: head and tail in the clear, asterisks between."""
        text = self.text
        return f"{text[:8]}{'*' * (len(text) - 12)}{text[-4:]}" if len(text) > 12 else f"{text[:2]}***"


class KeyRegistry:
    """The keys seen so far, the oldest forgotten beyond `limit`."""

    def __init__(self, limit: int = 65_536) -> None:
        self._limit = limit
        self._known: dict[bytes, KeyIdentity] = {}

    def identify(self, headers: dict[bytes, bytes]) -> KeyIdentity | None:
        """The key a request carries; None when it carries none."""
        raw = read_key(headers)
        if not raw:
            return None
        identity = self._known.get(raw)
        if identity is None:
            if len(self._known) >= self._limit:
                del self._known[next(iter(self._known))]
            identity = self._known[raw] = KeyIdentity(raw)
        return identity

    def __iter__(self) -> Iterator[KeyIdentity]:
        return iter(self._known.values())


def read_key(headers: dict[bytes, bytes]) -> bytes | None:
    """The key in the first carrier that is present. `Authorization` must say Bearer, or bear a signature of AWS's,
    which names the access key's id in place of a key."""
    for carrier in CARRIERS:
        value = headers.get(carrier)
        if value is not None:
            if carrier == b"authorization":
                if value.startswith(b"AWS4-HMAC-SHA256 "):
                    return value.partition(b"Credential=")[2].partition(b"/")[0]
                if value[:7].lower() != b"bearer ":
                    continue
                value = value[7:]
            return value.strip()
    return None
