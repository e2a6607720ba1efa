"""The words by which vendors say what is wrong with a key, an account or a model.

Codes are matched whole, and messages from their first word on. A message's middle may repeat what a client
sent, and a client must not be able to talk a key into a bad state.
"""

import re
from enum import StrEnum

from ownkey.providers.problem import Problem


class Saying(StrEnum):
    """What a body says beyond its status."""

    TOO_DEAR = "too_dear"
    """The account still has credit, but not enough for this request."""
    QUOTA = "quota"
    RATE = "rate"
    REVOKED = "revoked"
    EXPIRED = "expired"
    INVALID = "invalid"
    FLAGGED = "flagged"
    SCOPE = "scope"
    """The provider knows the key and says that it lacks a permission; any other 403 may mean anything."""
    PERMISSION = "permission"
    NO_MODEL = "no_model"


def what_it_says(problem: Problem) -> Saying | None:
    """The first meaning found, in the order of the table below."""
    for saying, (words, phrases) in _KNOWN.items():
        if words & problem.words or (phrases is not None and phrases.match(problem.message)):
            return saying
    return None


def _starts(*phrases: str) -> re.Pattern[str]:
    return re.compile(rf"(?:error: )?(?:{'|'.join(phrases)})", re.IGNORECASE)


_GONE = r"(?:revoked|disabled|deactivated|deleted|suspended|blocked|reported as leaked|terminated|restricted)"

_KNOWN: dict[Saying, tuple[frozenset[str], re.Pattern[str] | None]] = {
    Saying.TOO_DEAR: (
        frozenset(),
        _starts(r"this request requires more credits", r"more credits are required"),
    ),
    Saying.QUOTA: (
        frozenset(
            {
                "insufficient_quota",
                "insufficient_credits",
                "billing_not_active",
                "billing_hard_limit_reached",
                "billing_error",
                "enforced_spend_limit_reached",
                "credit_limit",
                "arrearage",
                "allocationquota.freetieronly",
                "openrouter_key_limit",
                "openrouter_guardrail_budget",
                "openrouter_workspace_budget",
            }
        ),
        _starts(
            r"your credit balance is too low",
            r"you (?:have )?exceeded your current quota",
            r"you have reached your specified (?:workspace )?api usage limits",
            r"your (?:newly created )?team\b.{0,80}\b(?:credits|spending limit|licenses)\b",
            r"account \S{1,80} is suspended, possibly due to reaching",
            r"insufficient (?:balance|credits|funds)",
            r"key limit exceeded",
            r"you have (?:exceeded|depleted) your monthly",
            r"access denied, please make sure your account is in good standing",
            r"model access is denied due to invalid_payment_instrument",
        ),
    ),
    Saying.RATE: (
        frozenset({"rate_limit_exceeded", "servicequotaexceededexception", "throttlingexception"}),
        None,
    ),
    Saying.REVOKED: (
        frozenset(
            {"api_key_revoked", "key_revoked", "account_deactivated", "organization_restricted", "consumer_suspended"}
        ),
        _starts(
            rf"(?:this|the|your) (?:api |access )?key\b.{{0,40}}\b{_GONE}",
            rf"(?:api key|access token|api token) (?:has been|was|is) {_GONE}",
            rf"(?:this|your) (?:organization|account|team)\b.{{0,60}}\b(?:has been|is|was) {_GONE}",
            rf"organization has been {_GONE}",
        ),
    ),
    Saying.EXPIRED: (
        frozenset({"api_key_expired", "token_expired", "expiredtokenexception"}),
        _starts(
            r"(?:your |the )?(?:api key|access token|bearer token|token|key) (?:has |is )?expired",
            r"the security token included in the request is expired",
        ),
    ),
    Saying.INVALID: (
        frozenset(
            {
                "invalid_api_key",
                "api_key_invalid",
                "api_key_not_found",
                "invalidapikey",
                "unrecognizedclientexception",
                "invalidsignatureexception",
                "incompletesignatureexception",
                "missingauthenticationtokenexception",
                "invalidclienttokenid",
            }
        ),
        _starts(
            r"(?:incorrect|invalid) api key",
            r"api key not valid",
            r"the security token included in the request is invalid",
            r"authentication fails",
            r"the api key you provided is invalid",
            r"authentication failed: please make sure your api key is valid",
            r"invalid bearer token",
            r"missing authentication token",
        ),
    ),
    Saying.FLAGGED: (
        frozenset(),
        _starts(r"your chosen model requires moderation", r".{0,80}\binput was flagged\b"),
    ),
    Saying.SCOPE: (
        frozenset(
            {
                "missing_scope",
                "insufficient_scope",
                "permission_error",
                "permissiondenied",
                "service_disabled",
            }
        ),
        _starts(
            r"you have insufficient permissions",
            r"user: arn:\S{1,400} is not authorized to perform",
            r"this authentication method does not have sufficient permissions",
            r"missing scopes?\b",
            r"your api key does not have permission",
            r"you must be a member of an organization",
            r"you don't have access to the model",
        ),
    ),
    Saying.PERMISSION: (
        frozenset({"permission_denied", "api_key_service_blocked"}),
        _starts(
            r"your ip\b",
            r"ip not authorized",
            r"user location is not supported",
            r"country, region, or territory not supported",
            r"requests (?:from|to) .{0,120} are blocked",
        ),
    ),
    Saying.NO_MODEL: (
        frozenset({"model_not_found", "model_not_supported", "modelnotfound", "invalid_model", "deploymentnotfound"}),
        _starts(
            r"\S{1,200} is not a valid model id",
            r"the provided model identifier is invalid",
            r"invocation of model id \S{1,300} with on-demand throughput",
        ),
    ),
}
