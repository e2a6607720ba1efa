"""The calls by which vendors tell whether a key is good. The key has been judged before these answer."""

from ownkey.sandbox.behaviours import MODEL_NAMES
from ownkey.sandbox.context import Context
from ownkey.sandbox.exchange import Answer

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
