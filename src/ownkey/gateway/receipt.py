"""What every answer says of itself: the `x-ownkey-*` headers."""

from urllib.parse import quote

from ownkey.domain.money import format_usd
from ownkey.domain.plan import Attempt

_SAFE = "!#$&'()*+,-./:;<=>?@[]^_`{|}~ "


def receipt_headers(request_id: str, attempt: Attempt | None, attempts: int) -> list[tuple[bytes, bytes]]:
    """The headers known before the body. Texts of others are percent-encoded where a header cannot carry them."""
    headers = [(b"x-ownkey-request-id", request_id.encode()), (b"x-ownkey-attempts", b"%d" % attempts)]
    if attempt is not None:
        headers += [
            (b"x-ownkey-provider", _value(attempt.provider.name)),
            (b"x-ownkey-model", _value(attempt.upstream_model)),
            (b"x-ownkey-credential", attempt.credential.id.encode()),
            (b"x-ownkey-payer", attempt.payer.value.encode()),
        ]
    return headers


def cost_headers(list_cost: int, charged: int, remaining: int) -> list[tuple[bytes, bytes]]:
    """The headers that only a complete answer can carry; amounts in nano-dollars."""
    return [
        (b"x-ownkey-cost-usd", format_usd(list_cost).encode()),
        (b"x-ownkey-credits-charged", format_usd(charged).encode()),
        (b"x-ownkey-credits-remaining", format_usd(remaining).encode()),
    ]


def _value(text: str) -> bytes:
    return quote(text, safe=_SAFE).encode("ascii")
