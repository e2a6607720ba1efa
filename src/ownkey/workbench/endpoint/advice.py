"""What to do next about each kind of failure."""

from ownkey.workbench.records import FailureKind

_NEXT = {
    FailureKind.TIMEOUT: "Raise the time limit, ask for a shorter answer, or see whether the endpoint is overloaded.",
    FailureKind.AUTH: (
        "Check that the key belongs to this endpoint, has not expired, may use this model, "
        "and that its account has credit."
    ),
    FailureKind.MODEL_NOT_FOUND: (
        "Check the model's name against the endpoint's list of models; a local server must load it first."
    ),
    FailureKind.RATE_LIMIT: "Lower the concurrency or wait a minute, then retry the failed requests.",
    FailureKind.CONTEXT_LENGTH: "Shorten the prompt or lower the token limit, or choose a model with a larger context.",
    FailureKind.CONTENT_FILTER: "Reword the prompt, or change the filter in the provider's settings.",
    FailureKind.NETWORK: (
        "Check that the server runs and that host name and port are right; a firewall may be in the way."
    ),
    FailureKind.TLS: (
        "Check the certificate of the endpoint; for a server without TLS write http:// instead of https://."
    ),
    FailureKind.BLOCKED_ADDRESS: (
        "Private and local addresses are closed: the operator can open one by its host and port "
        "with OWNKEY_ALLOW_PRIVATE_ENDPOINTS."
    ),
    FailureKind.MALFORMED_RESPONSE: (
        "Check the base URL: it is the part before /chat/completions, usually ends in /v1, "
        "and must lead to an endpoint in OpenAI's format."
    ),
    FailureKind.SERVER_ERROR: (
        "Wait and retry the failed requests; if it goes on, read the endpoint's own log or status page."
    ),
    FailureKind.CANCELLED: "Start it again when you want to.",
    FailureKind.UNKNOWN: "Read what the endpoint said, and run the connection check to see what it accepts.",
}


def advice(kind: FailureKind) -> str:
    """One sentence."""
    return _NEXT[kind]
