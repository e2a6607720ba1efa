"""What keys are taken, where they may travel, and what bad ones get, for each vendor and each check."""

from typing import Any

import anthropic
import openai
import pytest
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI
from tests.sandbox.raw import call, chat, message

from ownkey.sandbox import SandboxServer

CHAT = "/openai/v1/chat/completions"
CHECKS = {
    "/openai/v1/models": "GET",
    "/openrouter/api/v1/key": "GET",
    "/groq/openai/v1/models": "GET",
    "/xai/v1/api-key": "GET",
    "/deepseek/user/balance": "GET",
    "/huggingface/api/whoami-v2": "GET",
    "/together/v1/models": "GET",
    "/cohere/v1/check-api-key": "POST",
    "/gemini/v1beta/openai/models": "GET",
    "/anthropic/v1/models": "GET",
    "/mistral/v1/models": "GET",
}


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer sk-good-key-0001"},
        {"authorization": "bearer sk-good-key-0001"},
        {"x-api-key": "sk-good-key-0001"},
        {"api-key": "sk-good-key-0001"},
        {"x-goog-api-key": "sk-good-key-0001"},
        {"authorization": "Basic abc", "x-api-key": "sk-good-key-0001"},
    ],
)
async def test_every_carrier_of_keys_is_read(sandbox: SandboxServer, headers: dict[str, str]):
    assert (await call(sandbox.url, CHAT, chat(), key=None, headers=headers)).status == 200


@pytest.mark.parametrize("headers", [{}, {"authorization": "Basic abc"}, {"authorization": "Bearer "}])
async def test_without_a_key_nothing_is_answered(sandbox: SandboxServer, headers: dict[str, str]):
    answer = await call(sandbox.url, CHAT, chat(), key=None, headers=headers)
    assert answer.status == 401
    assert "You didn't provide an API key" in answer.json["error"]["message"]


@pytest.mark.parametrize("path", CHECKS)
async def test_key_checks_obey_the_words(sandbox: SandboxServer, path: str):
    statuses: dict[str, int] = {}
    for word in ("good", "invalid", "limited", "broke", "revoked"):
        answer = await call(sandbox.url, path, method=CHECKS[path], key=f"sk-{word}-key-0001")
        statuses[word] = answer.status
        assert answer.headers["x-ownkey-sandbox"] == "simulator"
        assert answer.headers.get("retry-after") == ("1" if word == "limited" else None)
    broke = statuses.pop("broke")
    assert statuses == {"good": 200, "invalid": 401, "limited": 429, "revoked": 403}
    assert broke in ((400,) if path.startswith("/anthropic") else (402, 429))
    assert (await call(sandbox.url, path, method=CHECKS[path], key=None)).status == 401


async def test_openrouters_and_huggingfaces_models_are_public_and_prove_nothing(sandbox: SandboxServer):
    for path in ("/openrouter/api/v1/models", "/huggingface/v1/models"):
        assert (await call(sandbox.url, path, key=None)).status == 200
        assert (await call(sandbox.url, path, key="sk-invalid-key")).status == 200


@pytest.mark.parametrize("provider", ["ollama", "vllm", "lmstudio", "custom"])
async def test_local_servers_need_no_key_but_judge_the_one_they_get(sandbox: SandboxServer, provider: str):
    path = f"/{provider}/v1/chat/completions"
    assert (await call(sandbox.url, path, chat(), key=None)).status == 200
    assert (await call(sandbox.url, path, chat(), key="invalid")).status == 401
    assert (await call(sandbox.url, "/ollama/api/tags", key=None)).json["models"]


async def test_a_bad_key_is_echoed_partially_masked(sandbox: SandboxServer):
    answer = await call(sandbox.url, CHAT, chat(), key="sk-proj-invalid-abcdefgh1234")
    assert answer.json["error"]["code"] == "invalid_api_key"
    assert "sk-proj-****************1234" in answer.json["error"]["message"]
    assert "abcdefgh" not in answer.json["error"]["message"]


@pytest.mark.parametrize(
    ("word", "kind", "code"),
    [
        ("invalid", openai.AuthenticationError, "invalid_api_key"),
        ("limited", openai.RateLimitError, "rate_limit_exceeded"),
        ("broke", openai.RateLimitError, "insufficient_quota"),
        ("revoked", openai.PermissionDeniedError, "api_key_revoked"),
    ],
)
async def test_the_openai_sdk_raises_what_it_does_for_bad_keys(
    sandbox: SandboxServer, word: str, kind: type[Exception], code: str
):
    async with AsyncOpenAI(base_url=f"{sandbox.url}/openai/v1", api_key=f"sk-{word}-1", max_retries=0) as client:
        with pytest.raises(openai.APIStatusError) as caught:
            await client.models.list()
    assert type(caught.value) is kind
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("word", "kind", "text"),
    [
        ("invalid", anthropic.AuthenticationError, "invalid x-api-key"),
        ("limited", anthropic.RateLimitError, "rate limit"),
        ("broke", anthropic.BadRequestError, "Your credit balance is too low"),
        ("revoked", anthropic.PermissionDeniedError, "revoked"),
    ],
)
async def test_the_anthropic_sdk_raises_what_it_does_for_bad_keys(
    sandbox: SandboxServer, word: str, kind: type[Exception], text: str
):
    base, key = f"{sandbox.url}/anthropic", f"sk-ant-{word}-1"
    async with AsyncAnthropic(base_url=base, api_key=key, max_retries=0) as client:
        with pytest.raises(anthropic.APIStatusError, match=text) as caught:
            await client.messages.create(model="echo", max_tokens=9, messages=[{"role": "user", "content": "x"}])
    assert type(caught.value) is kind


BODIES: dict[tuple[str, str], tuple[int, Any]] = {
    ("/openrouter/api/v1/key", "invalid"): (401, {"error": {"message": "User not found.", "code": 401}}),
    ("/openrouter/api/v1/key", "broke"): (
        402,
        {
            "error": {
                "message": "Insufficient credits. Add more using https://openrouter.ai/settings/credits",
                "code": 402,
            }
        },
    ),
    ("/deepseek/user/balance", "broke"): (
        402,
        {
            "error": {
                "message": "Insufficient Balance",
                "type": "unknown_error",
                "param": None,
                "code": "invalid_request_error",
            }
        },
    ),
    ("/huggingface/api/whoami-v2", "invalid"): (401, {"error": "Invalid credentials in Authorization header"}),
    ("/mistral/v1/models", "invalid"): (401, {"detail": "Unauthorized"}),
}


@pytest.mark.parametrize(("path", "word"), BODIES)
async def test_bad_keys_get_the_vendors_own_words(sandbox: SandboxServer, path: str, word: str):
    answer = await call(sandbox.url, path, key=f"sk-{word}-key-0001")
    assert (answer.status, answer.json) == BODIES[path, word]


async def test_rejected_keys_get_the_status_that_the_vendor_really_uses(sandbox: SandboxServer):
    gemini = await call(sandbox.url, "/gemini/v1beta/openai/models", key="AIza-rejected-0001")
    assert gemini.status == 400
    assert gemini.json[0]["error"]["details"][0]["reason"] == "API_KEY_INVALID"
    assert (await call(sandbox.url, "/xai/v1/api-key", key="xai-rejected-0001")).status == 400
    assert (await call(sandbox.url, "/openai/v1/models", key="sk-rejected-0001")).status == 401


async def test_the_key_is_judged_before_the_body(sandbox: SandboxServer):
    assert (await call(sandbox.url, CHAT, b"{", key="sk-invalid-0001")).status == 401
    answer = await call(sandbox.url, "/anthropic/v1/messages", message(), key="sk-invalid-0001")
    assert answer.status == 401


async def test_good_checks_have_the_vendors_fields(sandbox: SandboxServer):
    key = (await call(sandbox.url, "/openrouter/api/v1/key")).json["data"]
    assert {"label", "usage", "limit", "limit_remaining", "is_free_tier", "rate_limit"} <= set(key)
    key = (await call(sandbox.url, "/xai/v1/api-key")).json
    assert key["api_key_blocked"] is key["api_key_disabled"] is key["team_blocked"] is False
    balance = (await call(sandbox.url, "/deepseek/user/balance")).json
    assert balance["is_available"] is True
    assert balance["balance_infos"][0]["total_balance"] == "110.00"
    assert (await call(sandbox.url, "/cohere/v1/check-api-key", method="POST")).json["valid"] is True
    assert (await call(sandbox.url, "/huggingface/api/whoami-v2")).json["auth"]["type"] == "access_token"
