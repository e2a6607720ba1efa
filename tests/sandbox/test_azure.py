"""The sandbox as Azure OpenAI: OpenAI's own Azure client, on both surfaces, and Entra's token server."""

from typing import Any
from urllib.parse import urlencode

import openai
import pytest
from openai import AsyncAzureOpenAI, AsyncOpenAI
from tests.sandbox.raw import call

from ownkey.sandbox import SandboxServer

MESSAGES: Any = [{"role": "user", "content": "hello"}]
TENANT = "/azure/11111111-2222-3333-4444-555555555555/oauth2/v2.0/token"


def azure(sandbox: SandboxServer, **more: Any) -> AsyncAzureOpenAI:
    keys: dict[str, Any] = {"api_key": "k" * 32} | more
    return AsyncAzureOpenAI(azure_endpoint=f"{sandbox.url}/azure", api_version="2024-10-21", max_retries=0, **keys)


async def test_the_older_surface_takes_the_deployment_from_the_address(sandbox: SandboxServer) -> None:
    async with azure(sandbox) as client:
        answer = await client.chat.completions.create(model="echo", messages=MESSAGES)
        assert answer.choices[0].message.content == "hello"
        vectors = await client.embeddings.create(model="embedder", input=["a", "b"], dimensions=3)
        assert len(vectors.data) == 2


async def test_a_stream_begins_with_what_the_filter_says_of_the_prompt(sandbox: SandboxServer) -> None:
    async with AsyncOpenAI(base_url=f"{sandbox.url}/azure/openai/v1", api_key="k" * 32, max_retries=0) as client:
        stream = await client.chat.completions.create(model="echo", messages=MESSAGES, stream=True)
        chunks = [chunk async for chunk in stream]
    assert chunks[0].choices == []
    assert "prompt_filter_results" in (chunks[0].model_extra or {})
    assert "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices) == "hello"


async def test_the_older_surface_wants_a_version(sandbox: SandboxServer) -> None:
    body = b'{"messages":[{"role":"user","content":"x"}]}'
    path = "/azure/openai/deployments/echo/chat/completions"
    answer = await call(sandbox.url, path, body, method="POST", key=None, headers={"api-key": "k" * 32})
    assert answer.status == 404


async def test_a_bad_key_is_refused_in_azures_shape(sandbox: SandboxServer) -> None:
    async with azure(sandbox, api_key="invalid-" + "k" * 32) as client:
        with pytest.raises(openai.AuthenticationError) as raised:
            await client.chat.completions.create(model="echo", messages=MESSAGES)
    assert raised.value.code == "401"


def form(secret: str, **more: str) -> bytes:
    fields = {"grant_type": "client_credentials", "client_id": "app", "client_secret": secret, "scope": "s/.default"}
    return urlencode(fields | more).encode()


async def test_a_secret_is_exchanged_for_a_token_that_is_as_good_as_the_secret(sandbox: SandboxServer) -> None:
    for secret, error in (("fine-secret", None), ("limited-secret", openai.RateLimitError)):
        answer = await call(sandbox.url, TENANT, form(secret), method="POST", key=None)
        token = answer.json
        assert (token["token_type"], token["expires_in"]) == ("Bearer", 3599)
        async with azure(sandbox, api_key=None, azure_ad_token=token["access_token"]) as client:
            if error is None:
                assert await client.chat.completions.create(model="echo", messages=MESSAGES)
            else:
                with pytest.raises(error):
                    await client.chat.completions.create(model="echo", messages=MESSAGES)


@pytest.mark.parametrize(
    ("body", "status", "error", "code"),
    [
        (form("invalid-secret"), 401, "invalid_client", 7000215),
        (form("expired-secret"), 401, "invalid_client", 7000222),
        (form(""), 400, "invalid_request", 900144),
        (form("fine", grant_type="password"), 400, "unsupported_grant_type", 70003),
    ],
)
async def test_refusals_have_entras_shape(
    sandbox: SandboxServer, body: bytes, status: int, error: str, code: int
) -> None:
    answer = await call(sandbox.url, TENANT, body, method="POST", key=None)
    told = answer.json
    assert (answer.status, told["error"], told["error_codes"]) == (status, error, [code])
    assert told["error_description"].startswith(f"AADSTS{code}: ")


async def test_the_log_shows_no_secret_of_a_form(sandbox: SandboxServer) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    await call(sandbox.url, TENANT, form("fine-secret"), method="POST", key=None, headers=headers)
    log = (await call(sandbox.url, "/__sandbox/requests")).json
    body = log["requests"][-1]["body"]
    assert "fine-secret" not in body
    assert "client_id=app" in body
