"""Answers of Bedrock: those that botocore reads, read into the neutral model, and told to clients of both formats."""

import json
from typing import Any

import pytest
from tests.wire.bedrock.conftest import SERVICE, parsed_answer

from ownkey.domain.formats import WireFormat
from ownkey.domain.usage import Usage
from ownkey.wire.bedrock_converse import answers
from ownkey.wire.bedrock_converse.errors import _EXCEPTIONS, ERRORS
from ownkey.wire.errors import ErrorKind, MalformedAnswer
from ownkey.wire.neutral import ANTHROPIC_REASONING, AnswerLabel, Reasoning, StopReason, Text, ToolCall
from ownkey.wire.translation import translate_answer

TOTALS = {"inputTokens": 3, "outputTokens": 5, "totalTokens": 8}


def response(*content: dict[str, Any], stop: str = "end_turn", usage: dict[str, Any] | None = None) -> dict[str, Any]:
    """A response of which botocore finds every field where its service model has it."""
    body = {
        "output": {"message": {"role": "assistant", "content": list(content)}},
        "stopReason": stop,
        "usage": usage or TOTALS,
        "metrics": {"latencyMs": 5},
    }
    parsed = parsed_answer(body)
    assert set(parsed) == set(body)
    assert [list(block) for block in parsed["output"]["message"]["content"]] == [list(block) for block in content]
    return body


def read(*content: dict[str, Any], **more: Any) -> Any:
    return answers.read(json.dumps(response(*content, **more)).encode())


def test_an_answer_with_every_part() -> None:
    answer = read(
        {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "sig"}}},
        {"reasoningContent": {"redactedContent": "d2l0aGhlbGQ="}},
        {"text": "Grüße"},
        {"toolUse": {"toolUseId": "t1", "name": "weather", "input": {"city": "Graz"}}},
        stop="tool_use",
    )
    assert answer.parts == (
        Reasoning("Hm.", "sig", format=ANTHROPIC_REASONING),
        Reasoning(redacted="d2l0aGhlbGQ=", format=ANTHROPIC_REASONING),
        Text("Grüße"),
        ToolCall("t1", "weather", '{"city": "Graz"}'),
    )
    assert answer.stop.reason is StopReason.TOOL_USE
    assert answer.usage == Usage(3, 5)


def test_reasoning_without_a_signature_is_nobodys() -> None:
    assert read({"reasoningContent": {"reasoningText": {"text": "Hm."}}}).parts == (Reasoning("Hm."),)


def test_cited_text_is_text() -> None:
    cited = {"citationsContent": {"content": [{"text": "As "}, {"text": "said."}], "citations": []}}
    assert read(cited).parts == (Text("As said."),)


def test_what_no_translated_request_can_ask_for_is_passed_over() -> None:
    assert read(
        {"toolUse": {"toolUseId": "t1", "name": "search", "input": {}, "type": "server_tool_use"}},
        {"toolResult": {"toolUseId": "t1", "content": []}},
        {"text": "done"},
    ).parts == (Text("done"),)


def test_cached_tokens_are_part_of_the_input() -> None:
    usage = TOTALS | {"cacheReadInputTokens": 100, "cacheWriteInputTokens": 20, "totalTokens": 128}
    assert read({"text": "x"}, usage=usage).usage == Usage(123, 5, 100, 20)


@pytest.mark.parametrize(
    ("stop", "reason"),
    [
        ("end_turn", StopReason.END),
        ("tool_use", StopReason.TOOL_USE),
        ("max_tokens", StopReason.MAX_TOKENS),
        ("stop_sequence", StopReason.STOP_SEQUENCE),
        ("guardrail_intervened", StopReason.REFUSAL),
        ("content_filtered", StopReason.REFUSAL),
        ("model_context_window_exceeded", StopReason.CONTEXT_WINDOW),
        ("a_new_one", StopReason.END),
    ],
)
def test_stop_reasons(stop: str, reason: StopReason) -> None:
    answer = read({"text": "x"}, stop=stop)
    assert answer.stop.reason is reason
    assert bool(answer.stop.explanation) == (reason is StopReason.REFUSAL)


@pytest.mark.parametrize("stop", ["malformed_model_output", "malformed_tool_use"])
def test_output_that_could_not_be_read_is_an_error(stop: str) -> None:
    with pytest.raises(MalformedAnswer) as raised:
        read({"text": "x"}, stop=stop)
    assert raised.value.error is not None
    assert (raised.value.error.kind, raised.value.error.code) == (ErrorKind.SERVER, stop)


def test_every_stop_reason_of_the_service_model_is_known() -> None:
    for reason in SERVICE.shape_for("StopReason").enum:
        assert reason in answers._STOP_REASONS or answers.malformed(reason)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"output":{}}',
        b'{"output":{"message":{}}}',
        b'{"output":{"message":{"content":[{"text":1}]}}}',
        b'{"output":{"message":{"content":[{"toolUse":{"name":"x"}}]}}}',
        b'{"output":{"message":{"content":[]}},"usage":{"inputTokens":-1}}',
    ],
)
def test_what_is_no_answer_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedAnswer):
        answers.read(body)


def test_an_error_with_status_200_is_told() -> None:
    with pytest.raises(MalformedAnswer) as raised:
        answers.read(b'{"message":"Too many requests","__type":"ThrottlingException"}')
    assert raised.value.error is not None
    assert (raised.value.error.message, raised.value.error.status) == ("Too many requests", 429)


def test_a_refusal_reaches_both_clients_in_their_words() -> None:
    body = json.dumps(response({"text": "Sorry."}, stop="guardrail_intervened")).encode()
    named = AnswerLabel("m", 1, "id")
    chat, usage = translate_answer(WireFormat.BEDROCK_CONVERSE, WireFormat.OPENAI_CHAT, body, named)
    assert json.loads(chat)["choices"][0]["finish_reason"] == "content_filter"
    message, _ = translate_answer(WireFormat.BEDROCK_CONVERSE, WireFormat.ANTHROPIC_MESSAGES, body, named)
    assert json.loads(message)["stop_reason"] == "refusal"
    assert usage == Usage(3, 5)


@pytest.mark.parametrize(
    ("status", "body", "kind", "type_"),
    [
        (424, {"message": "The model failed", "originalStatusCode": 500}, ErrorKind.SERVER, None),
        (408, {"message": "Too slow"}, ErrorKind.TIMEOUT, None),
        (429, {"message": "Not ready"}, ErrorKind.RATE_LIMIT, None),
        (503, {"message": "Away"}, ErrorKind.OVERLOADED, None),
        (403, {"Message": "User: arn:aws:iam::1:user/u is not authorized"}, ErrorKind.PERMISSION, None),
        (404, {"message": "No such model"}, ErrorKind.NOT_FOUND, None),
        (400, {"message": "x", "__type": "com.amazon.bedrock#ServiceQuotaExceededException"}, ErrorKind.RATE_LIMIT,
         "ServiceQuotaExceededException"),
        (403, {"message": "x", "__type": "UnrecognizedClientException"}, ErrorKind.AUTHENTICATION,
         "UnrecognizedClientException"),
        (403, {"__type": "InvalidSignatureException:http://internal.amazon.com/"}, ErrorKind.AUTHENTICATION,
         "InvalidSignatureException"),
    ],
)  # fmt: skip
def test_errors_are_read_with_their_kind(status: int, body: dict[str, Any], kind: ErrorKind, type_: str | None) -> None:
    error = ERRORS.read(status, json.dumps(body).encode())
    assert (error.kind, error.status, error.type) == (kind, status, type_)
    assert error.message


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b"\xff", b'{"error":{"message":"elsewhere"}}'])
def test_bodies_of_other_shapes_are_read_too(body: bytes) -> None:
    assert ERRORS.read(500, body).status == 500


def test_the_statuses_are_those_of_the_service_model() -> None:
    shapes = [*SERVICE.operation_model("Converse").error_shapes]
    stream = SERVICE.operation_model("ConverseStream").output_shape.members["stream"]
    shapes += [member for member in stream.members.values() if member.metadata.get("exception")]
    for shape in shapes:
        assert _EXCEPTIONS[shape.name.lower()][1] == shape.metadata["error"]["httpStatusCode"]
