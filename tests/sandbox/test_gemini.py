"""Gemini as Google's SDK and its types see the sandbox."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from google import genai
from google.genai import errors, types
from tests.sandbox.raw import RawAnswer, call

from ownkey.sandbox import SandboxServer

ROOT = "/gemini/v1beta/models"
WEATHER: Any = {
    "name": "weather",
    "parameters": {
        "type": "OBJECT",
        "properties": {"city": {"type": "STRING"}, "days": {"type": "INTEGER", "minimum": 2}},
        "required": ["city", "days"],
    },
}
ASKED = {"role": "user", "parts": [{"text": "one two three"}]}


@pytest.fixture
async def client(sandbox: SandboxServer) -> AsyncIterator[genai.Client]:
    options = types.HttpOptions(base_url=f"{sandbox.url}/gemini", api_version="v1beta")
    client = genai.Client(api_key="AIza-sandbox-0001", http_options=options)
    yield client
    await client.aio.aclose()
    client.close()


async def ask(sandbox: SandboxServer, model: str = "echo", verb: str = "generateContent", **body: Any) -> RawAnswer:
    headers = {"x-goog-api-key": "AIza-sandbox-0001"}
    path = f"{ROOT}/{model}:{verb}"
    return await call(sandbox.url, path, {"contents": [ASKED]} | body, key=None, headers=headers)


def valid(body: bytes | str) -> types.GenerateContentResponse:
    """Google's types refuse a field that they do not know."""
    return types.GenerateContentResponse.model_validate_json(body)


@pytest.mark.parametrize("model", ["echo", "lorem-7", "think-5", "cached", "json", "tool"])
async def test_answers_and_chunks_have_googles_fields(sandbox: SandboxServer, model: str):
    tools: dict[str, Any] = {"tools": [{"functionDeclarations": [WEATHER]}]}
    whole = valid((await ask(sandbox, model, **tools)).body)
    streamed = await ask(sandbox, model, "streamGenerateContent", **tools)
    assert streamed.headers["content-type"].startswith("text/event-stream")
    chunks = [valid(event.removeprefix(b"data: ")) for event in streamed.body.split(b"\r\n\r\n") if event]
    assert whole.usage_metadata == chunks[-1].usage_metadata
    reasons = [chunk.candidates[0].finish_reason for chunk in chunks if chunk.candidates]
    assert reasons == [None] * (len(chunks) - 1) + [types.FinishReason.STOP]
    totals = [chunk.usage_metadata.total_token_count or 0 for chunk in chunks if chunk.usage_metadata]
    assert totals == sorted(totals)
    assert len(totals) == len(chunks)


async def test_thoughts_are_counted_apart(client: genai.Client):
    answer = await client.aio.models.generate_content(model="think-5", contents="a b c")
    usage = answer.usage_metadata
    assert usage is not None
    assert (usage.prompt_token_count, usage.candidates_token_count, usage.thoughts_token_count) == (3, 3, 5)
    assert usage.total_token_count == 11


async def test_calls_hold_to_the_schema_and_bear_a_signature_that_must_come_back(sandbox: SandboxServer):
    tools: dict[str, Any] = {"tools": [{"functionDeclarations": [WEATHER]}]}
    content = (await ask(sandbox, "tool", **tools)).json["candidates"][0]["content"]
    called = content["parts"][0]["functionCall"]
    assert called["args"] == {"city": "sandbox", "days": 2}
    result = {"functionResponse": {"id": called["id"], "name": "weather", "response": {"output": "4 degrees"}}}
    contents = [ASKED, content, {"role": "user", "parts": [result]}]
    answered = await ask(sandbox, "tool", contents=contents, **tools)
    assert answered.json["candidates"][0]["content"]["parts"] == [{"text": "4 degrees"}]
    for changed in ({"thoughtSignature": "c2ln"}, {"thoughtSignature": None}):
        wrong = {"role": "model", "parts": [content["parts"][0] | changed]}
        refused = await ask(sandbox, "tool", contents=[ASKED, wrong, contents[2]], **tools)
        assert refused.status == 400
        assert "signature" in refused.json["error"]["message"]
    skipping = {"thought_signature": "skip_thought_signature_validator"}
    marked = {"role": "model", "parts": [{"functionCall": called} | skipping]}
    assert (await ask(sandbox, "tool", contents=[ASKED, marked, contents[2]], **tools)).status == 200


async def test_the_choice_of_tools(sandbox: SandboxServer):
    tools = [{"functionDeclarations": [WEATHER, {"name": "clock"}]}]

    async def names(model: str, **calling: Any) -> list[str]:
        config = {"functionCallingConfig": calling}
        parts = (await ask(sandbox, model, tools=tools, toolConfig=config)).json["candidates"][0]["content"]["parts"]
        return [part["functionCall"]["name"] for part in parts if "functionCall" in part]

    assert await names("tools") == ["weather", "clock"]
    assert await names("tool", mode="ANY", allowedFunctionNames=["clock"]) == ["clock"]
    assert await names("tool", mode="NONE") == []
    config = {"functionCallingConfig": {"mode": "AUTO", "allowedFunctionNames": ["clock"]}}
    assert (await ask(sandbox, "tool", tools=tools, toolConfig=config)).status == 400


@pytest.mark.parametrize(
    "body",
    [
        {"contents": []},
        {"contents": [{"role": "assistant", "parts": [{"text": "x"}]}]},
        {"contents": [{"role": "user", "parts": []}]},
        {"contents": [{"role": "user", "parts": [{"functionResponse": {"name": "f"}}]}]},
        {"contents": [ASKED, {"role": "model", "parts": [{"functionCall": {"name": "f"}}]}, ASKED]},
        {"generationConfig": {"temperature": 2.5}},
        {"generationConfig": {"maxOutputTokens": 0}},
        {"contents": "text"},
    ],
)
async def test_what_google_refuses(sandbox: SandboxServer, body: Any):
    refused = await ask(sandbox, **body)
    assert refused.status == 400
    assert refused.json["error"]["status"] == "INVALID_ARGUMENT"


@pytest.mark.parametrize(
    ("word", "status", "name"),
    [
        ("invalid", 401, "UNAUTHENTICATED"),
        ("rejected", 400, "INVALID_ARGUMENT"),
        ("limited", 429, "RESOURCE_EXHAUSTED"),
        ("broke", 429, "RESOURCE_EXHAUSTED"),
        ("revoked", 403, "PERMISSION_DENIED"),
    ],
)
async def test_bad_keys_are_told_in_an_object(sandbox: SandboxServer, word: str, status: int, name: str):
    headers = {"x-goog-api-key": f"AIza-{word}-0001"}
    refused = await call(sandbox.url, f"{ROOT}/echo:generateContent", {"contents": [ASKED]}, key=None, headers=headers)
    assert (refused.status, refused.json["error"]["status"]) == (status, name)


@pytest.mark.parametrize(("model", "code"), [("error-429", 429), ("error-503", 503), ("stream-error", 500)])
async def test_the_sdk_raises_for_failing_models(client: genai.Client, model: str, code: int):
    with pytest.raises(errors.APIError) as raised:
        await client.aio.models.generate_content(model=model, contents="one two three four")
    assert raised.value.code == code


async def test_a_spoilt_stream_holds_half_an_event_and_no_utf8(sandbox: SandboxServer):
    body = (await ask(sandbox, "garbage", "streamGenerateContent")).body
    assert body.startswith(b'data: {"candidates"')
    assert b"\xff" in body
    with pytest.raises(asyncio.IncompleteReadError):
        await ask(sandbox, "cut", "streamGenerateContent")


async def test_counts_and_embeddings(client: genai.Client):
    assert (await client.aio.models.count_tokens(model="echo", contents="a b c")).total_tokens == 3
    answer = await client.aio.models.embed_content(
        model="any", contents=["a", "b"], config=types.EmbedContentConfig(output_dimensionality=4)
    )
    assert [len(embedding.values or []) for embedding in answer.embeddings or []] == [4, 4]


async def test_a_batch_names_its_model_and_a_single_content_needs_none(sandbox: SandboxServer):
    content = {"content": {"parts": [{"text": "a"}]}, "outputDimensionality": 4}
    single = await ask(sandbox, "any", "embedContent", **content)
    assert len(single.json["embedding"]["values"]) == 4
    for model, status in (("models/any", 200), ("models/other", 400)):
        batch = await ask(sandbox, "any", "batchEmbedContents", requests=[content | {"model": model}])
        assert batch.status == status
    assert (await ask(sandbox, "error-500", "embedContent", **content)).status == 500


async def test_models_are_listed_in_both_of_googles_shapes(client: genai.Client, sandbox: SandboxServer):
    listed = [model async for model in await client.aio.models.list()]
    assert "models/echo" in [model.name for model in listed]
    assert (await client.aio.models.get(model="echo")).supported_actions
    headers = {"authorization": "Bearer AIza-sandbox-0001"}
    as_openai = await call(sandbox.url, "/gemini/v1beta/openai/models", key=None, headers=headers)
    assert json.loads(as_openai.body)["object"] == "list"
