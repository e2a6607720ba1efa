"""Amazon Bedrock's Converse and ConverseStream, and the list of asynchronous calls.

Written from the service model `bedrock-runtime` in botocore and
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html.
"""

import re
import struct
from collections.abc import Generator, Sequence
from typing import Any, cast
from urllib.parse import unquote
from zlib import crc32

import msgspec

from ownkey.sandbox import tokens
from ownkey.sandbox.behaviours import last_segment
from ownkey.sandbox.chat import LONGEST, ChatRequest, Finish, Reply, Tool
from ownkey.sandbox.errors import Problem, Refused, render
from ownkey.sandbox.exchange import Answer, Context, StreamEvent
from ownkey.sandbox.formats.anthropic_request import sign
from ownkey.sandbox.formats.bedrock_request import Body, check_signatures, measure
from ownkey.sandbox.reading import invalid, read_json

_DECODER = msgspec.json.Decoder(Body)
_encode = msgspec.json.Encoder().encode

_STOP_REASON = {
    Finish.STOP: "end_turn",
    Finish.STOP_SEQUENCE: "stop_sequence",
    Finish.LENGTH: "max_tokens",
    Finish.TOOL: "tool_use",
    Finish.REFUSAL: "content_filtered",
}
_SIGNATURE = re.compile(
    rb"AWS4-HMAC-SHA256 Credential=[\w]{16,128}/(?P<day>\d{8})/(?P<region>[a-z0-9-]{2,40})/bedrock/aws4_request, ?"
    rb"SignedHeaders=(?P<signed>[a-z0-9;-]+), ?Signature=[0-9a-f]{64}"
)


def read(context: Context) -> ChatRequest:
    check_signature(context)
    body = read_json(context.request.body, _DECODER, dotted=True)
    _check_inference(body)
    *_, encoded, verb = context.plan.rest.split("/")
    model = unquote(encoded)
    if last_segment(model).startswith("think-"):
        check_signatures(body)
    conversation = measure(body)
    chat = ChatRequest(
        model=model,
        prompt=conversation.prompt,
        prompt_tokens=None,
        input_tokens=conversation.tokens,
        tool_result=conversation.tool_result,
        system_at=0 if body.system else None,
        max_tokens=body.inference.max_tokens,
        stream=verb == "converse-stream",
        stop=body.inference.stop or (),
    )
    if body.tools is not None:
        _read_tools(body, chat)
    if body.output is not None and "textFormat" in body.output:
        chat.output_schema = _schema(body.output)
    return chat


def async_invokes(context: Context) -> Answer:
    """GET …/async-invoke."""
    check_signature(context)
    return context.json({"asyncInvokeSummaries": []})


def check_signature(context: Context) -> None:
    """Raises Refused when a signature's form is wrong. Whether it is true cannot be known here: any key is taken."""
    headers = context.request.head.headers
    value = headers.get(b"authorization", b"")
    if not value.startswith(b"AWS4-"):
        return
    match = _SIGNATURE.fullmatch(value)
    date = headers.get(b"x-amz-date", b"")
    signed = match["signed"].split(b";") if match else []
    if match is None or not re.fullmatch(rb"\d{8}T\d{6}Z", date) or not date.startswith(match["day"]):
        raise _incomplete(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header, and "
            "'Credential', 'SignedHeaders' and 'Signature' in the form of Signature Version 4."
        )
    wanted = {b"host", b"x-amz-date"} | ({b"x-amz-security-token"} & headers.keys())
    if signed != sorted(signed) or not wanted <= set(signed) or any(name not in headers for name in signed):
        raise _incomplete("'SignedHeaders' must name, in order, headers that were sent, 'host' among them.")


def _incomplete(text: str) -> Refused:
    return Refused(Problem(status=403, message=text, code="IncompleteSignatureException"))


def _check_inference(body: Body) -> None:
    limit = body.inference.max_tokens
    if limit is not None and not 1 <= limit <= LONGEST:
        raise invalid(
            "inferenceConfig.maxTokens",
            f"Value '{limit}' at 'inferenceConfig.maxTokens' failed to satisfy "
            "constraint: Member must have value greater than or equal to 1",
        )
    for name, value in (("temperature", body.inference.temperature), ("topP", body.inference.top_p)):
        if value is not None and not 0 <= value <= 1:
            raise invalid(
                f"inferenceConfig.{name}",
                f"Value '{value}' at 'inferenceConfig.{name}' failed to satisfy "
                "constraint: Member must have value less than or equal to 1",
            )


def _read_tools(body: Body, chat: ChatRequest) -> None:
    config = body.tools
    specs = [tool.spec for tool in config.tools if tool.spec is not None] if config else []
    chat.tools = [Tool(spec.name, cast("dict[str, Any]", spec.input_schema.get("json") or {})) for spec in specs]
    choice: dict[str, Any] = (config and config.choice) or {}
    if "tool" in choice:
        chat.forced_tool = str(choice["tool"].get("name", ""))
        if all(tool.name != chat.forced_tool for tool in chat.tools):
            raise invalid("toolConfig.toolChoice", f"The tool {chat.forced_tool} of toolChoice is not among the tools.")


def _schema(output: dict[str, Any]) -> dict[str, Any]:
    try:
        text = output["textFormat"]["structure"]["jsonSchema"]["schema"]
        return msgspec.json.decode(text, type=dict[str, Any])
    except (KeyError, TypeError, msgspec.DecodeError) as error:
        raise invalid("outputConfig", "outputConfig.textFormat holds no JSON schema.") from error


def _usage(chat: ChatRequest, reply: Reply) -> dict[str, Any]:
    """`inputTokens` leaves out what was read from or written to the cache."""
    output = reply.reported_tokens()
    usage: dict[str, Any] = {
        "inputTokens": chat.input_tokens - reply.cached - reply.cache_written,
        "outputTokens": output,
        "totalTokens": chat.input_tokens + output,
    }
    if reply.cached or reply.cache_written:
        usage |= {"cacheReadInputTokens": reply.cached, "cacheWriteInputTokens": reply.cache_written}
    return usage


def _use_id(context: Context, index: int) -> str:
    return f"tooluse_{context.ident}{index}"


def answer(context: Context, chat: ChatRequest, reply: Reply) -> bytes:
    content: list[dict[str, Any]] = []
    if reply.thinking:
        thinking = "".join(reply.thinking)
        content.append({"reasoningContent": {"reasoningText": {"text": thinking, "signature": sign(thinking)}}})
    if reply.text:
        content.append({"text": reply.text})
    for index, call in enumerate(reply.calls):
        use = {"toolUseId": _use_id(context, index), "name": call.name, "input": _arguments(call.arguments)}
        content.append({"toolUse": use})
    return _encode(
        {
            "output": {"message": {"role": "assistant", "content": content}},
            "stopReason": _STOP_REASON[reply.finish],
            "usage": _usage(chat, reply),
            "metrics": {"latencyMs": 1},
        }
    )


def _arguments(text: str) -> dict[str, Any]:
    """The arguments as an object; those that maxTokens broke off are left out."""
    try:
        return cast("dict[str, Any]", msgspec.json.decode(text))
    except msgspec.DecodeError:
        return {}


def events(context: Context, chat: ChatRequest, reply: Reply) -> Generator[StreamEvent, None, None]:
    """messageStart, the blocks' deltas and ends (only calls have a start), messageStop, metadata."""
    yield 0, _event("messageStart", {"role": "assistant"})
    for index, (start, deltas, end) in enumerate(_blocks(context, reply)):
        if start is not None:
            yield 0, _event("contentBlockStart", {"start": start, "contentBlockIndex": index})
        for delta in deltas:
            yield 1, _event("contentBlockDelta", {"delta": delta, "contentBlockIndex": index})
        if end is not None:
            yield 0, _event("contentBlockDelta", {"delta": end, "contentBlockIndex": index})
        yield 0, _event("contentBlockStop", {"contentBlockIndex": index})
    yield 0, _event("messageStop", {"stopReason": _STOP_REASON[reply.finish]})
    yield 0, _event("metadata", {"usage": _usage(chat, reply), "metrics": {"latencyMs": 1}})


_Block = tuple[dict[str, Any] | None, Sequence[dict[str, Any]], dict[str, Any] | None]


def _blocks(context: Context, reply: Reply) -> Generator[_Block, None, None]:
    """(what it starts with, its deltas of one token each, a last delta without tokens) of each block."""
    if reply.thinking:
        deltas = [{"reasoningContent": {"text": piece}} for piece in reply.thinking]
        yield None, deltas, {"reasoningContent": {"signature": sign("".join(reply.thinking))}}
    pieces = reply.text_pieces()
    if pieces:
        yield None, [{"text": piece} for piece in pieces], None
    for index, call in enumerate(reply.calls):
        start = {"toolUse": {"toolUseId": _use_id(context, index), "name": call.name}}
        yield start, [{"toolUse": {"input": piece}} for piece in tokens.split(call.arguments)], None


def _event(kind: str, value: dict[str, Any]) -> bytes:
    """Events are padded, so that their lengths do not betray the tokens'."""
    return event(kind, _encode({**value, "p": "abcdefghijklmnopqrstuvwxyz"[: 1 + len(kind) % 8]}))


def error_event(context: Context, problem: Problem) -> bytes:
    kind = "internalServerException" if problem.status >= 500 else "validationException"
    return exception(kind, render(problem, context.vendor.shape, context.request_id))


MEDIA_TYPE = "application/vnd.amazon.eventstream"

_TEXT = 7
"""The type of a header whose value is text."""


def message(headers: dict[str, str], payload: bytes) -> bytes:
    """One message with text headers."""
    block = b"".join(
        struct.pack(">B", len(name)) + name.encode() + struct.pack(">BH", _TEXT, len(value)) + value.encode()
        for name, value in headers.items()
    )
    prelude = struct.pack(">II", 16 + len(block) + len(payload), len(block))
    before = prelude + struct.pack(">I", crc32(prelude)) + block + payload
    return before + struct.pack(">I", crc32(before))


def event(kind: str, payload: bytes) -> bytes:
    return message(
        {":event-type": kind, ":content-type": "application/json", ":message-type": "event"},
        payload,
    )


def exception(kind: str, payload: bytes) -> bytes:
    """An error inside the stream; it is the last message."""
    return message(
        {":exception-type": kind, ":content-type": "application/json", ":message-type": "exception"},
        payload,
    )
