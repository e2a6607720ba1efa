"""What an attempt can come to: a closed union, which whoever carries a plan out must match in full."""

from msgspec import Struct

from ownkey.domain.plan import Attempt
from ownkey.domain.secret import Secret
from ownkey.gateway.net import NetError, UpstreamResponse
from ownkey.providers.verdict import Verdict
from ownkey.wire.format import PASSES, WayBack


class Answered(Struct, frozen=True):
    """A provider accepted the request (2xx, and not a web page); its body is still to be read.

    `back` is how it becomes the client's.
    """

    attempt: Attempt
    response: UpstreamResponse
    secret: Secret
    back: WayBack = PASSES


class Refused(Struct, frozen=True):
    """A provider said no, or what its interface cannot say (a redirect, a page); the body is whole."""

    attempt: Attempt
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    secret: Secret
    verdict: Verdict


class Unreached(Struct, frozen=True):
    """No answer came."""

    attempt: Attempt
    error: NetError


Outcome = Answered | Refused | Unreached
