"""The sandbox as Amazon Bedrock: botocore itself is the client, with access keys and with a bearer."""

import asyncio
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import closing, contextmanager
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError
from tests.sandbox.raw import call

from ownkey.sandbox import Options, SandboxServer

MESSAGES = [{"role": "user", "content": [{"text": "Hello, Bedrock world"}]}]
TOOL = {"toolSpec": {"name": "weather", "inputSchema": {"json": {"type": "object", "required": ["city"],
        "properties": {"city": {"type": "string"}}}}}}  # fmt: skip


@pytest.fixture
async def sandbox() -> AsyncIterator[SandboxServer]:
    async with SandboxServer(options=Options(grace_s=0.2)) as server:
        yield server


@contextmanager
def bedrock(url: str, key_id: str = "AKIASANDBOXKEY000001", session: str | None = None) -> Generator[Any]:
    client: Any = boto3.client(
        "bedrock-runtime",
        region_name="eu-central-1",
        endpoint_url=f"{url}/bedrock",
        aws_access_key_id=key_id,
        aws_secret_access_key="secret/secret+secret",
        aws_session_token=session,
        config=Config(retries={"total_max_attempts": 1}, proxies={}),
    )
    try:
        yield client
    finally:
        client.close()


async def ask(sandbox: SandboxServer, deed: Callable[[Any], Any], **more: Any) -> Any:
    """What `deed` gives with a client of botocore's, which blocks and so has a thread of its own."""

    def work() -> Any:
        with bedrock(sandbox.url, **more) as client:
            return deed(client)

    return await asyncio.to_thread(work)


def streamed(client: Any, **request: Any) -> list[dict[str, Any]]:
    with closing(client.converse_stream(**({"messages": MESSAGES} | request))["stream"]) as stream:
        return list(stream)


async def test_a_whole_answer(sandbox: SandboxServer) -> None:
    answer = await ask(sandbox, lambda client: client.converse(modelId="echo", messages=MESSAGES))
    assert answer["output"]["message"] == {"role": "assistant", "content": [{"text": "Hello, Bedrock world"}]}
    assert answer["stopReason"] == "end_turn"
    usage = answer["usage"]
    assert usage["totalTokens"] == usage["inputTokens"] + usage["outputTokens"]
    assert answer["metrics"]["latencyMs"] >= 0
    assert answer["ResponseMetadata"]["RequestId"].startswith("req_")


async def test_a_stream(sandbox: SandboxServer) -> None:
    events = await ask(sandbox, lambda client: streamed(client, modelId="think-5"))
    kinds = [next(iter(event)) for event in events]
    assert kinds[0] == "messageStart"
    assert kinds[-2:] == ["messageStop", "metadata"]
    deltas = [event["contentBlockDelta"] for event in events if "contentBlockDelta" in event]
    thoughts = [delta["delta"]["reasoningContent"] for delta in deltas if delta["contentBlockIndex"] == 0]
    assert len(thoughts) == 6
    assert thoughts[-1]["signature"]
    text = "".join(delta["delta"]["text"] for delta in deltas if delta["contentBlockIndex"] == 1)
    assert text == "Hello, Bedrock world"


async def test_a_model_named_by_an_arn_and_temporary_keys(sandbox: SandboxServer) -> None:
    arn = "arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.anthropic.claude-sonnet-4-5-20250929-v1:0"
    answer = await ask(
        sandbox, lambda client: client.converse(modelId=arn, messages=MESSAGES), session="session/token="
    )
    assert answer["stopReason"] == "end_turn"


async def test_tools_are_called_and_their_results_answered(sandbox: SandboxServer) -> None:
    tools = {"tools": [TOOL], "toolChoice": {"tool": {"name": "weather"}}}
    answer = await ask(sandbox, lambda client: client.converse(modelId="tool", messages=MESSAGES, toolConfig=tools))
    assert answer["stopReason"] == "tool_use"
    said = answer["output"]["message"]
    use = said["content"][0]["toolUse"]
    assert use["name"] == "weather"
    assert "city" in use["input"]
    result = {"toolUseId": use["toolUseId"], "content": [{"text": "sunny"}]}
    more = [*MESSAGES, said, {"role": "user", "content": [{"toolResult": result}]}]
    answer = await ask(
        sandbox, lambda client: client.converse(modelId="tool", messages=more, toolConfig={"tools": [TOOL]})
    )
    assert answer["output"]["message"]["content"] == [{"text": "sunny"}]
    events = await ask(sandbox, lambda client: streamed(client, modelId="tool", toolConfig=tools))
    assert any("toolUse" in event.get("contentBlockStart", {}).get("start", {}) for event in events)


async def test_cached_tokens_are_counted_beside_the_input(sandbox: SandboxServer) -> None:
    usage = (await ask(sandbox, lambda client: client.converse(modelId="cached", messages=MESSAGES)))["usage"]
    parts = ("inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens", "outputTokens")
    assert usage["totalTokens"] == sum(usage[part] for part in parts)


async def test_jobs_are_listed(sandbox: SandboxServer) -> None:
    assert (await ask(sandbox, lambda client: client.list_async_invokes(maxResults=1)))["asyncInvokeSummaries"] == []


@pytest.mark.parametrize(
    ("key_id", "status", "code"),
    [
        ("AKIAINVALID000000001", 401, "UnrecognizedClientException"),
        ("AKIAREJECTED00000001", 403, "UnrecognizedClientException"),
        ("AKIALIMITED000000001", 429, "ThrottlingException"),
        ("AKIAREVOKED000000001", 403, "AccessDeniedException"),
    ],
)
async def test_bad_keys(sandbox: SandboxServer, key_id: str, status: int, code: str) -> None:
    with pytest.raises(ClientError) as raised:
        await ask(sandbox, lambda client: client.converse(modelId="echo", messages=MESSAGES), key_id=key_id)
    assert raised.value.response["Error"]["Code"] == code
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


@pytest.mark.parametrize(
    ("model", "code"),
    [
        ("error-400", "ValidationException"),
        ("error-404", "ResourceNotFoundException"),
        ("error-408", "ModelTimeoutException"),
        ("error-424", "ModelErrorException"),
        ("error-429", "ThrottlingException"),
        ("error-500", "InternalServerException"),
        ("error-503", "ServiceUnavailableException"),
    ],
)
async def test_errors_are_the_services_exceptions(sandbox: SandboxServer, model: str, code: str) -> None:
    def provoke(client: Any) -> None:
        with pytest.raises(getattr(client.exceptions, code)) as raised:
            client.converse(modelId=model, messages=MESSAGES)
        assert raised.value.response["Error"]["Message"]

    await ask(sandbox, provoke)


async def test_an_error_inside_a_stream_is_an_exception(sandbox: SandboxServer) -> None:
    with pytest.raises(EventStreamError, match="internalServerException"):
        await ask(sandbox, lambda client: streamed(client, modelId="stream-error"))


@pytest.mark.parametrize(
    "request_",
    [
        {"messages": [*MESSAGES, *MESSAGES]},
        {"messages": [{"role": "assistant", "content": [{"text": "x"}]}]},
        {"messages": [{"role": "user", "content": [{"text": " "}]}]},
        {"messages": [{"role": "user", "content": []}]},
        {"messages": [{"role": "user", "content": [{"toolResult": {"toolUseId": "x", "content": []}}]}]},
        {"messages": MESSAGES, "toolConfig": {"tools": [TOOL], "toolChoice": {"tool": {"name": "other"}}}},
    ],
)
async def test_what_bedrock_refuses(sandbox: SandboxServer, request_: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as raised:
        await ask(sandbox, lambda client: client.converse(modelId="echo", **request_))
    assert raised.value.response["Error"]["Code"] == "ValidationException"


GOOD = (
    "AWS4-HMAC-SHA256 Credential=AKIASANDBOXKEY000001/20261125/eu-central-1/bedrock/aws4_request, "
    "SignedHeaders=host;x-amz-date, Signature=" + "0" * 64
)


@pytest.mark.parametrize(
    ("authorization", "date", "status"),
    [
        (GOOD, "20261125T120000Z", 200),
        (GOOD, "20261126T120000Z", 403),
        (GOOD, "today", 403),
        (GOOD.replace("host;x-amz-date", "x-amz-date"), "20261125T120000Z", 403),
        (GOOD.replace("host;x-amz-date", "x-amz-date;host"), "20261125T120000Z", 403),
        (GOOD.replace("host;x-amz-date", "host;x-absent;x-amz-date"), "20261125T120000Z", 403),
        (GOOD.replace("/bedrock/", "/s3/"), "20261125T120000Z", 403),
        (GOOD[:-1], "20261125T120000Z", 403),
        ("Bearer ABSKsandbox", "", 200),
    ],
)
async def test_the_form_of_a_signature_is_looked_at(
    sandbox: SandboxServer, authorization: str, date: str, status: int
) -> None:
    headers = {"authorization": authorization, "content-type": "application/json"} | (
        {"x-amz-date": date} if date else {}
    )
    body = b'{"messages":[{"role":"user","content":[{"text":"x"}]}]}'
    answer = await call(sandbox.url, "/bedrock/model/echo/converse", body, method="POST", key=None, headers=headers)
    assert answer.status == status
    if status == 403:
        assert answer.headers["x-amzn-errortype"].startswith("IncompleteSignatureException")
