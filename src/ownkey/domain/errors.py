"""Every error Ownkey can answer with, in one tree.

    OwnkeyError                      status  code
    ├── InvalidRequest               400     invalid_request
    │   ├── UnsupportedField         400     unsupported_field
    │   └── PreviousResponseNotFound 400     previous_response_not_found
    ├── Unauthenticated              401     invalid_api_key
    ├── InsufficientCredits          402     insufficient_credits
    ├── NotAllowed                   403     not_allowed
    ├── NotFound                     404     not_found
    │   └── ModelNotFound            404     model_not_found
    ├── MethodNotAllowed             405     method_not_allowed
    ├── RequestTimeout               408     request_timeout
    ├── Conflict                     409     conflict
    ├── RequestTooLarge              413     request_too_large
    ├── UnsupportedMediaType         415     unsupported_media_type
    ├── RateLimited                  429     rate_limited
    │   └── BudgetExceeded           429     budget_exceeded
    ├── ResidencyNotSatisfied        451     residency_not_satisfied
    ├── UpstreamError                502     upstream_error
    │   └── UpstreamTimeout          504     upstream_timeout
    └── Unavailable                  503     unavailable
        ├── NoHealthyCredential      503     no_healthy_credential
        └── SecretUnreadable         503     secret_unreadable

`public` is for the client and never holds a secret, a path or an internal name; `operator` is for
the log. Each wire format and the control plane turn these into their own shape in one place.
"""

from typing import ClassVar


class OwnkeyError(Exception):
    """The root. `param` names the offending field; `retry_after` is in seconds."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"

    def __init__(
        self,
        public: str,
        *,
        operator: str = "",
        param: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(public)
        self.public = public
        self.operator = operator
        self.param = param
        self.retry_after = retry_after


class InvalidRequest(OwnkeyError):
    """The request cannot be understood; the text says what to change."""

    status, code = 400, "invalid_request"


class UnsupportedField(InvalidRequest):
    """The chosen target cannot express a field; `param` names it."""

    status, code = 400, "unsupported_field"


class PreviousResponseNotFound(InvalidRequest):
    """The previous response is absent, or another tenant's: the two look the same."""

    status, code = 400, "previous_response_not_found"


class Unauthenticated(OwnkeyError):
    """No key, a malformed key, or one that is unknown, expired or revoked."""

    status, code = 401, "invalid_api_key"


class InsufficientCredits(OwnkeyError):
    """A platform key would have to pay and the balance does not cover it."""

    status, code = 402, "insufficient_credits"


class NotAllowed(OwnkeyError):
    """Known caller, forbidden deed."""

    status, code = 403, "not_allowed"


class NotFound(OwnkeyError):
    """Absent, or another tenant's: the two look the same."""

    status, code = 404, "not_found"


class ModelNotFound(NotFound):
    """No catalogue entry, credential or route gives this model name a meaning."""

    status, code = 404, "model_not_found"


class MethodNotAllowed(OwnkeyError):
    status, code = 405, "method_not_allowed"


class RequestTimeout(OwnkeyError):
    """The client took too long to send its request."""

    status, code = 408, "request_timeout"


class Conflict(OwnkeyError):
    """The write collides with what is stored, such as the same key twice."""

    status, code = 409, "conflict"


class RequestTooLarge(OwnkeyError):
    status, code = 413, "request_too_large"


class UnsupportedMediaType(OwnkeyError):
    status, code = 415, "unsupported_media_type"


class RateLimited(OwnkeyError):
    """Too many requests; `retry_after` says when to come back."""

    status, code = 429, "rate_limited"


class BudgetExceeded(RateLimited):
    status, code = 429, "budget_exceeded"


class ResidencyNotSatisfied(OwnkeyError):
    """The tenant requires EU processing and no candidate offers it."""

    status, code = 451, "residency_not_satisfied"


class UpstreamError(OwnkeyError):
    """The provider could not be reached or broke the protocol."""

    status, code = 502, "upstream_error"


class UpstreamTimeout(UpstreamError):
    status, code = 504, "upstream_timeout"


class Unavailable(OwnkeyError):
    """Ownkey itself cannot serve now: the database is away or it is shutting down."""

    status, code = 503, "unavailable"


class NoHealthyCredential(Unavailable):
    """Keys exist that could serve, and each is disabled, expired or cooling down."""

    status, code = 503, "no_healthy_credential"


class SecretUnreadable(Unavailable):
    """A stored secret does not decrypt. Never answered by another key."""

    status, code = 503, "secret_unreadable"
