"""The calls by which vendors say whether a key is good, and Entra's access tokens. The key has been judged before."""

from base64 import urlsafe_b64encode
from hashlib import sha256
from urllib.parse import parse_qs

import msgspec

from ownkey.sandbox.behaviours import MODEL_NAMES
from ownkey.sandbox.errors import Problem, Refused
from ownkey.sandbox.exchange import Answer, Context
from ownkey.sandbox.keys import KeyDefect, KeyIdentity

_UUID = "00000000-0000-4000-8000-000000000000"
_THEN = "2024-01-01T00:00:00Z"


def openrouter_key(context: Context) -> Answer:
    """GET /api/v1/key."""
    key = context.plan.key
    return context.json(
        {
            "data": {
                "label": key.masked if key else "",
                "limit": None,
                "limit_remaining": None,
                "limit_reset": None,
                "include_byok_in_limit": False,
                "usage": 0,
                "usage_daily": 0,
                "usage_weekly": 0,
                "usage_monthly": 0,
                "byok_usage": 0,
                "byok_usage_daily": 0,
                "byok_usage_weekly": 0,
                "byok_usage_monthly": 0,
                "is_free_tier": False,
                "is_provisioning_key": False,
                "is_management_key": False,
                "rate_limit": {
                    "requests": -1,
                    "interval": "10s",
                    "note": "This field is deprecated and safe to ignore.",
                },
            }
        }
    )


def xai_key(context: Context) -> Answer:
    """GET /v1/api-key."""
    key = context.plan.key
    return context.json(
        {
            "redacted_api_key": key.masked if key else "",
            "user_id": _UUID,
            "name": "Ownkey sandbox",
            "create_time": _THEN,
            "modify_time": _THEN,
            "modified_by": _UUID,
            "team_id": _UUID,
            "acls": ["api-key:model:*", "api-key:endpoint:*"],
            "api_key_id": _UUID,
            "team_blocked": False,
            "api_key_blocked": False,
            "api_key_disabled": False,
        }
    )


def deepseek_balance(context: Context) -> Answer:
    """GET /user/balance."""
    balance = {"currency": "USD", "total_balance": "110.00", "granted_balance": "10.00", "topped_up_balance": "100.00"}
    return context.json({"is_available": True, "balance_infos": [balance]})


def huggingface_whoami(context: Context) -> Answer:
    """GET /api/whoami-v2."""
    return context.json(
        {
            "type": "user",
            "id": "000000000000000000000000",
            "name": "ownkey-sandbox",
            "fullname": "Ownkey Sandbox",
            "isPro": False,
            "avatarUrl": "",
            "orgs": [],
            "auth": {
                "type": "access_token",
                "accessToken": {"displayName": "sandbox", "role": "read", "createdAt": _THEN},
            },
        }
    )


def cohere_check(context: Context) -> Answer:
    """POST /v1/check-api-key."""
    return context.json({"valid": True, "organization_id": _UUID, "owner_id": _UUID})


def ollama_tags(context: Context) -> Answer:
    """GET /api/tags."""
    details = {
        "parent_model": "",
        "format": "gguf",
        "family": "sandbox",
        "families": ["sandbox"],
        "parameter_size": "0B",
        "quantization_level": "F16",
    }
    names = [*context.options.models.get(context.plan.provider, ()), *MODEL_NAMES]
    return context.json(
        {
            "models": [
                {
                    "name": f"{name}:latest",
                    "model": f"{name}:latest",
                    "modified_at": _THEN,
                    "size": 0,
                    "digest": "0" * 64,
                    "details": details,
                }
                for name in names
            ]
        }
    )


LIFETIME = 3599
_WANTED = ("client_id", "client_secret", "scope", "grant_type")


def entra_token(context: Context) -> Answer:
    """POST …/oauth2/v2.0/token: Microsoft Entra's access tokens for client credentials.

    https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow

    A secret with `invalid`, `rejected` or `expired` in it is refused; the other words
    that make a key bad come back in the token, so that the provider finds it bad.
    """
    form = {name: values[0] for name, values in parse_qs(context.request.body.decode("latin-1")).items()}
    for name in _WANTED:
        if not form.get(name):
            text = f"The request body must contain the following parameter: '{name}'."
            raise Refused(Problem(status=400, message=text, type="invalid_request", code="900144"))
    if form["grant_type"] != "client_credentials":
        raise Refused(
            Problem(status=400, message="Unsupported grant type.", type="unsupported_grant_type", code="70003")
        )
    secret = form["client_secret"]
    key = KeyIdentity(secret.encode())
    if key.defect in (KeyDefect.INVALID, KeyDefect.REJECTED):
        raise _bad_client(
            7000215,
            f"Invalid client secret provided. Ensure the secret being sent in the request is "
            f"the client secret value, not the client secret ID, for a secret added to app "
            f"'{form['client_id']}'.",
        )
    if "expired" in secret.lower():
        raise _bad_client(7000222, "The provided client secret keys for app are expired.")
    return context.json(
        {
            "token_type": "Bearer",
            "expires_in": LIFETIME,
            "ext_expires_in": LIFETIME,
            "access_token": _web_token(form["client_id"], key),
        }
    )


def _bad_client(number: int, text: str) -> Refused:
    return Refused(Problem(status=401, message=text, type="invalid_client", code=str(number)))


def _web_token(client_id: str, key: KeyIdentity) -> str:
    """A JSON Web Token in form, unsigned; the same secret gets the same one."""
    header = _token_part({"typ": "JWT", "alg": "none"})
    claims = _token_part({"appid": client_id, "sub": sha256(key.raw).hexdigest()})
    return f"{header}.{claims}.sandbox-{key.defect.value if key.defect else 'good'}-{key.digest}"


def _token_part(value: dict[str, str]) -> str:
    return urlsafe_b64encode(msgspec.json.encode(value)).decode().rstrip("=")
