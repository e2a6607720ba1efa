"""What an attempt can come to: a closed union, which whoever carries a plan out must match in full."""

from msgspec import Struct

from ownkey.domain.plan import Attempt
from ownkey.domain.secret import Secret
from ownkey.gateway.net import NetError, UpstreamResponse
from ownkey.providers.verdict import Verdict
from ownkey.wire.tools.restoring import Restoring


class Answered(Struct, frozen=True):
    """A provider accepted the request (2xx, and not a web page); its body is still to be read.

    `restoring` gives the calls in it the client's names.
    """

    attempt: Attempt
    response: UpstreamResponse
    secret: Secret
    restoring: Restoring | None = None


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
