"""A request that is too long for a model keeps this meaning from every vendor to every client, and others gain none."""

import json
from typing import Any

import pytest

from ownkey.domain.errors import InvalidRequest
from ownkey.domain.formats import WireFormat
from ownkey.wire import FORMATS, ErrorKind
from ownkey.wire.registry import PROVIDER_CHATS
from ownkey.wire.translation import Wishes, translate_request

OPENAI = "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens."
SAID: list[tuple[WireFormat, int, Any]] = [
    (WireFormat.OPENAI_CHAT, 400, {"error": {"message": OPENAI, "type": "invalid_request_error", "code": None}}),
    (WireFormat.OPENAI_CHAT, 400, {"error": {"message": "m", "type": "x", "code": "context_length_exceeded"}}),
    (
        WireFormat.OPENAI_RESPONSES,
        400,
        {"error": {"message": "Your input exceeds the context window of this model. Please adjust your input."}},
    ),
    (
        WireFormat.ANTHROPIC_MESSAGES,
        400,
        {"error": {"type": "invalid_request_error", "message": "prompt is too long: 210000 tokens > 200000 maximum"}},
    ),
    (
        WireFormat.ANTHROPIC_MESSAGES,
        400,
        {"error": {"message": "input length and `max_tokens` exceed context limit: 190000 + 21333 > 200000"}},
    ),
    (
        WireFormat.GEMINI,
        400,
        {
            "error": {
                "code": 400,
                "message": "The input token count (1194210) exceeds the maximum number of tokens allowed (1048575).",
            }
        },
    ),
    (WireFormat.BEDROCK_CONVERSE, 400, {"message": "Input is too long for requested model."}),
    (
        WireFormat.BEDROCK_CONVERSE,
        400,
        {"message": "The model returned the following errors: prompt is too long: 9 > 8"},
    ),
    (WireFormat.COHERE_CHAT, 400, {"message": "too many tokens: size limit exceeded by 11326 tokens."}),
    (WireFormat.OLLAMA_CHAT, 400, {"error": "prompt too long; exceeded max context length by 4 tokens"}),
    (WireFormat.OLLAMA_CHAT, 500, {"error": "input length exceeds maximum context length"}),
    (
        WireFormat.OPENAI_CHAT,
        400,
        {
            "error": {
                "code": 400,
                "message": "the request exceeds the available context size",
                "type": "exceed_context_size_error",
            }
        },
    ),
    (
        WireFormat.OPENAI_CHAT,
        500,
        {"error": {"message": "the request exceeds the available context size. try increasing it"}},
    ),
    (WireFormat.OPENAI_CHAT, 400, {"object": "error", "message": OPENAI, "type": "BadRequestError", "code": 400}),
    (
        WireFormat.OPENAI_CHAT,
        400,
        {"message": "The input (9001 tokens) is longer than the model's context length (8192 tokens)."},
    ),
    (
        WireFormat.OPENAI_CHAT,
        400,
        {"error": {"message": "Prompt contains 40000 tokens, too large for model with 32768 maximum context length"}},
    ),
    (
        WireFormat.OPENAI_CHAT,
        400,
        {"error": "This model's maximum prompt length is 131072 but the request contains 537812 tokens."},
    ),
    (
        WireFormat.OPENAI_CHAT,
        422,
        {"error": "Input validation error: `inputs` must have less than 1024 tokens. Given: 2000"},
    ),
    (
        WireFormat.OPENAI_CHAT,
        400,
        {"error": {"message": "Range of input length should be [1, 129024]", "code": "invalid_parameter_error"}},
    ),
    (
        WireFormat.OPENAI_CHAT,
        413,
        {
            "error": {
                "message": "Please reduce the length of the messages or completion.",
                "code": "context_length_exceeded",
            }
        },
    ),
    (
        WireFormat.OPENAI_CHAT,
        400,
        {"error": {"message": "Invalid request: Your request exceeded model token limit: 8192"}},
    ),
    (
        WireFormat.OPENAI_CHAT,
        400,
        {
            "error": {
                "message": "Provider returned error",
                "code": 400,
                "metadata": {"raw": json.dumps({"error": {"message": OPENAI}})},
            }
        },
    ),
    (WireFormat.OPENAI_CHAT, 200, {"error": {"message": OPENAI, "code": 400}}),
]
OTHERS: list[tuple[int, Any]] = [
    (429, {"error": {"message": "Request too large for model: tokens per minute (TPM): Limit 6000, Requested 9001"}}),
    (
        413,
        {
            "error": {
                "message": "Request too large: reduce the length of the messages. tokens per minute (TPM): Limit 6000"
            }
        },
    ),
    (
        400,
        {"error": {"message": "max_tokens is too large: 99999. This model supports at most 4096 completion tokens."}},
    ),
    (401, {"error": {"message": OPENAI}}),
    (400, {"error": {"message": "tools.0.name: string too long"}}),
]


@pytest.mark.parametrize(("source", "status", "body"), SAID, ids=range(len(SAID)))
def test_too_long_is_told_in_every_clients_own_code(source: WireFormat, status: int, body: Any) -> None:
    error = PROVIDER_CHATS[source].errors.read(status, json.dumps(body).encode())
    assert (error.kind, error.status) == (ErrorKind.CONTEXT_OVERFLOW, 400)
    for client in (WireFormat.OPENAI_CHAT, WireFormat.OPENAI_RESPONSES, WireFormat.OPENAI_COMPLETIONS):
        told = json.loads(FORMATS[client].errors.write(error, "r"))["error"]
        assert (told["type"], told["code"]) == ("invalid_request_error", "context_length_exceeded")
        assert told["message"] == error.message
    told = json.loads(FORMATS[WireFormat.ANTHROPIC_MESSAGES].errors.write(error, "r"))["error"]
    assert told["type"] == "invalid_request_error"
    assert "prompt is too long" in told["message"].lower()
    assert error.message in told["message"]
    told = json.loads(FORMATS[WireFormat.GEMINI].errors.write(error, "r"))["error"]
    assert (told["code"], told["status"]) == (400, "INVALID_ARGUMENT")
    assert "exceeds the maximum number of tokens allowed" in told["message"]
    assert told["details"][0]["reason"] == "CONTEXT_LENGTH_EXCEEDED"


@pytest.mark.parametrize(("status", "body"), OTHERS, ids=range(len(OTHERS)))
def test_other_limits_keep_their_own_meaning(status: int, body: Any) -> None:
    error = FORMATS[WireFormat.OPENAI_CHAT].errors.read(status, json.dumps(body).encode())
    assert error.kind is not ErrorKind.CONTEXT_OVERFLOW


PLACED = {
    "type": "extra_forbidden",
    "loc": ["body", "tool_choice"],
    "msg": "Extra inputs are not permitted",
    "input": 1,
}
MISSING = {"type": "missing", "loc": ["body", "messages", 0, "content"], "msg": "Field required"}


@pytest.mark.parametrize(
    ("body", "message", "param"),
    [
        ({"message": {"detail": [PLACED]}}, "tool_choice: Extra inputs are not permitted", "tool_choice"),
        ({"detail": [MISSING]}, "messages.0.content: Field required", "messages.0.content"),
        (
            {"detail": [PLACED, MISSING]},
            "tool_choice: Extra inputs are not permitted; messages.0.content: Field required",
            None,
        ),
        ({"error": {"message": [{"msg": "one"}, {"message": "two"}]}}, "one; two", None),
        ({"error": {"message": {"error": {"message": "deep"}}}}, "deep", None),
        ({"error": [{"message": "listed"}]}, "listed", None),
        ([{"error": {"code": 400, "message": "Gemini"}}], "Gemini", None),
        ({"success": False, "errors": [{"code": 7, "message": "No route"}]}, "No route", None),
        ({"base_resp": {"status_code": 1004, "status_msg": "login fail"}}, "login fail", None),
        ({"title": "Bad Request", "status": 400, "detail": "n is out of range"}, "n is out of range", None),
        (
            {"error": {"message": "Provider returned error", "metadata": {"raw": "upstream is down"}}},
            "upstream is down",
            None,
        ),
        ("just a text", "just a text", None),
        (b"upstream connect error\nor reset", "upstream connect error or reset", None),
        (b"<html><head><title>504 Gateway Time-out</title></head><body>x</body></html>", "504 Gateway Time-out", None),
        (b"<p>Service <b>down</b> &amp; out</p><script>x()</script>", "Service down & out", None),
        (b"\xff\xfe", "The provider answered with status 422 and no message.", None),
        (b"", "The provider answered with status 422 and no message.", None),
        ({"error": {"code": 5}}, "The provider answered with status 422 and no message.", None),
    ],
)
def test_what_was_wrong_and_where_is_kept(body: Any, message: str, param: str | None) -> None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    for source in (WireFormat.OPENAI_CHAT, WireFormat.ANTHROPIC_MESSAGES, WireFormat.GEMINI):
        error = FORMATS[source].errors.read(422, raw)
        assert (error.message, error.param) == (message, param)
        written = json.loads(FORMATS[WireFormat.ANTHROPIC_MESSAGES].errors.write(error, "r"))
        assert written["error"]["message"] == message


@pytest.mark.parametrize(("wait", "said"), [(34.07, "34.07s"), (2.0, "2s"), (0.0, "0.001s")])
def test_gemini_clients_are_told_when_to_come_back(wait: float, said: str) -> None:
    error = FORMATS[WireFormat.OPENAI_CHAT].errors.read(429, b'{"error":{"message":"slow down"}}')
    gemini = FORMATS[WireFormat.GEMINI].errors
    assert b"RetryInfo" not in gemini.write(error, "r")
    body = gemini.write(type(error)(error.kind, error.message, error.status, retry_after=wait), "r")
    info = [detail for detail in json.loads(body)["error"]["details"] if detail["@type"].endswith("RetryInfo")]
    assert info == [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": said}]
    assert gemini.read(429, body).retry_after == pytest.approx(max(wait, 0.001))


ONLY_SYSTEM: list[tuple[WireFormat, dict[str, Any], str]] = [
    (WireFormat.OPENAI_CHAT, {"messages": [{"role": "system", "content": "s"}]}, "messages"),
    (WireFormat.OPENAI_CHAT, {"messages": []}, "messages"),
    (WireFormat.ANTHROPIC_MESSAGES, {"max_tokens": 5, "system": "s", "messages": []}, "messages"),
    (WireFormat.GEMINI, {"systemInstruction": {"parts": [{"text": "s"}]}, "contents": []}, "contents"),
    (WireFormat.OPENAI_RESPONSES, {"instructions": "s"}, "input"),
    (WireFormat.OPENAI_RESPONSES, {"input": ""}, "input"),
    (WireFormat.OPENAI_RESPONSES, {"input": [{"role": "system", "content": "s"}]}, "input"),
    (WireFormat.OPENAI_COMPLETIONS, {"prompt": ""}, "prompt"),
]


@pytest.mark.parametrize(("source", "body", "field"), ONLY_SYSTEM, ids=range(len(ONLY_SYSTEM)))
@pytest.mark.parametrize("target", [WireFormat.ANTHROPIC_MESSAGES, WireFormat.GEMINI, WireFormat.BEDROCK_CONVERSE])
def test_a_request_without_a_message_says_so(
    source: WireFormat, body: dict[str, Any], field: str, target: WireFormat
) -> None:
    if source is target:
        return
    with pytest.raises(InvalidRequest) as refused:
        translate_request(source, target, {"model": "m"} | body, model="m", stream=False, wishes=Wishes())
    assert refused.value.param == field
    assert field in refused.value.public
