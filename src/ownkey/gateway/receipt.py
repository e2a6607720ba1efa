"""What every answer says of itself: the `x-ownkey-*` headers, and the request id where SDKs look for it."""

from collections.abc import Sequence
from urllib.parse import quote

from ownkey.domain.formats import WireFormat
from ownkey.domain.money import format_usd
from ownkey.domain.plan import Attempt

HeaderFields = list[tuple[bytes, bytes]]

_ANTHROPIC = (WireFormat.ANTHROPIC_MESSAGES, WireFormat.ANTHROPIC_COUNT_TOKENS)
_SAFE = "!#$&'()*+,-./:;<=>?@[]^_`{|}~ "


def receipt_headers(
    format_: WireFormat,
    request_id: str,
    attempt: Attempt | None,
    attempts: int,
    passed: Sequence[tuple[bytes, bytes]] = (),
) -> HeaderFields:
    """`passed` and the headers known before the body.

    Texts of others are percent-encoded where a header cannot carry them. The provider's own request
    id stays where it passed one; otherwise ours stands in its place.
    """
    ours = request_id.encode()
    headers = [*passed, (b"x-ownkey-request-id", ours), (b"x-ownkey-attempts", b"%d" % attempts)]
    name = b"request-id" if format_ in _ANTHROPIC else b"x-request-id"
    if name not in dict(passed):
        headers.append((name, ours))
    if attempt is not None:
        headers += attempt_headers(attempt)
    return headers


def attempt_headers(attempt: Attempt) -> HeaderFields:
    """What the receipt says of the attempt alone: the same for every request that it answers."""
    return [
        (b"x-ownkey-provider", _value(attempt.provider.name)),
        (b"x-ownkey-model", _value(attempt.upstream_model)),
        (b"x-ownkey-credential", attempt.credential.id.encode()),
        (b"x-ownkey-payer", attempt.payer.encode()),
    ]


def cost_headers(list_cost: int, charged: int) -> HeaderFields:
    """The headers that only a complete answer can carry; amounts in nano-dollars."""
    return [
        (b"x-ownkey-cost-usd", format_usd(list_cost).encode()),
        (b"x-ownkey-credits-charged", format_usd(charged).encode()),
    ]


def _value(text: str) -> bytes:
    if text.isascii() and text.isprintable() and "%" not in text and '"' not in text and "\\" not in text:
        return text.encode()
    return quote(text, safe=_SAFE).encode("ascii")
