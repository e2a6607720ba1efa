"""OpenAI chat completions, as OpenAI and those compatible with it serve them.

Written from https://platform.openai.com/docs/api-reference/chat and the types of the `openai` package.
"""

from collections.abc import Generator
from typing import Any, Literal, cast

import msgspec
from msgspec import Struct

from ownkey.sandbox import tokens
from ownkey.sandbox.chat import LONGEST, Call, ChatRequest, Finish, Reply, Tool
from ownkey.sandbox.errors import Problem, Refused, render
from ownkey.sandbox.exchange import Context, StreamEvent
from ownkey.sandbox.formats.openai_extras import (
    answer_extras,
    chunk_extras,
    finish_extras,
    last_chunk_extras,
    usage_extras,
)
from ownkey.sandbox.reading import check_range, deployment, invalid, missing, read_json


class _CalledFunction(Struct):
    name: str = ""
    arguments: str = ""


class _ToolCall(Struct):
    id: str = ""
    function: _CalledFunction | None = None


class _Part(Struct):
    type: str
    text: str | None = None


class _Message(Struct):
    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[_Part] | None = None
    tool_calls: list[_ToolCall] | None = None
    tool_call_id: str | None = None


class _Function(Struct):
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None


class _Tool(Struct):
    type: str = "function"
    function: _Function | None = None


class _StreamOptions(Struct):
    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class _JsonSchema(Struct):
    schema: dict[str, Any] | None = None


class _ResponseFormat(Struct):
    type: str
    json_schema: _JsonSchema | None = None


class _Body(Struct):
    model: str | None = None
    messages: list[_Message] | None = None
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    n: int | None = None
    stop: str | list[str] | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    tools: list[_Tool] | None = None
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    response_format: _ResponseFormat | None = None


_RANGES = (
    ("temperature", 0, 2),
    ("top_p", 0, 1),
    ("presence_penalty", -2, 2),
    ("frequency_penalty", -2, 2),
    ("n", 1, 128),
    ("max_tokens", 1, LONGEST),
    ("max_completion_tokens", 1, LONGEST),
)

_NONE_GIVEN = (None,) * len(_RANGES)

_DECODER = msgspec.json.Decoder(_Body)
_encode = msgspec.json.Encoder().encode

_FINISH = {
    Finish.STOP: "stop",
    Finish.STOP_SEQUENCE: "stop",
    Finish.LENGTH: "length",
    Finish.TOOL: "tool_calls",
    Finish.REFUSAL: "content_filter",
}


def read(context: Context) -> ChatRequest:
    body = read_json(context.request.body, _DECODER)
    model = deployment(context) or body.model
    if not model:
        raise invalid("model", "you must provide a model parameter", None)
    if body.messages is None:
        raise missing("messages")
    if not body.messages:
        raise invalid(
            "messages",
            "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
            "empty_array",
        )
    _check(body)
    chat = _converse(model, body.messages)
    if body.stream:
        chat.stream = True
        options = body.stream_options
        if options is not None:
            chat.include_usage = options.include_usage is True
            chat.obfuscate = options.include_obfuscation is not False
    if body.n is not None:
        chat.count = body.n
    limit = body.max_completion_tokens if body.max_completion_tokens is not None else body.max_tokens
    if limit is not None:
        chat.max_tokens = limit
        chat.old_limit = body.max_completion_tokens is None
    chat.temperature = body.temperature
    if body.stop:
        chat.stop = [body.stop] if isinstance(body.stop, str) else body.stop
    if body.tools:
        _read_tools(body, chat)
    if body.response_format is not None and body.response_format.type != "text":
        wanted = body.response_format.json_schema
        chat.output_schema = (wanted.schema if wanted else None) or {}
    return chat


def _converse(model: str, messages: list[_Message]) -> ChatRequest:
    """The question that a conversation asks. Raises Refused when tool results do not answer the calls before them."""
    prompt, last, size, system_at = "", 0, 0, None
    results: list[str] | None = None
    open_calls: set[str] = set()
    for index, message in enumerate(messages):
        text, images = (message.content, 0) if type(message.content) is str else _join(message.content)
        counted = tokens.count(text)
        size += counted + images * tokens.IMAGE_TOKENS
        if message.role == "tool":
            if message.tool_call_id not in open_calls:
                raise _unasked(message.tool_call_id, index)
            open_calls.discard(message.tool_call_id)
            results = [*(results or ()), text]
            continue
        if open_calls:
            raise _unanswered(open_calls, index)
        results = None
        if message.role == "user":
            prompt, last = text, counted
        elif system_at is None and message.role in ("system", "developer"):
            system_at = index
        if message.tool_calls:
            open_calls = {call.id for call in message.tool_calls}
            size += sum(tokens.count(call.function.arguments) for call in message.tool_calls if call.function)
    if open_calls:
        raise _unanswered(open_calls, len(messages))
    result = None if results is None else "\n".join(results)
    return ChatRequest(
        model=model, prompt=prompt, prompt_tokens=last, input_tokens=size, tool_result=result, system_at=system_at
    )


def _unasked(call_id: str | None, index: int) -> Refused:
    text = (
        "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls' "
        f"(tool_call_id {call_id!r})."
    )
    return invalid(f"messages.[{index}].role", text, None)


def _unanswered(calls: set[str], index: int) -> Refused:
    return invalid(
        f"messages.[{index}].role",
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. "
        f"The following tool_call_ids did not have response messages: {', '.join(sorted(calls))}",
        None,
    )


def _join(content: str | list[_Part] | None) -> tuple[str, int]:
    """The text of all parts, and how many of them are images."""
    if content is None or isinstance(content, str):
        return content or "", 0
    return "".join(part.text for part in content if part.text), sum(part.type == "image_url" for part in content)


def _check(body: _Body) -> None:
    ranged = (
        body.temperature,
        body.top_p,
        body.presence_penalty,
        body.frequency_penalty,
        body.n,
        body.max_tokens,
        body.max_completion_tokens,
    )
    if ranged != _NONE_GIVEN:
        for value, (param, low, high) in zip(ranged, _RANGES, strict=True):
            check_range(param, value, low, high)
    if body.max_tokens is not None and body.max_completion_tokens is not None:
        text = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported."
        raise invalid("max_tokens", text, "invalid_parameter_combination")
    if isinstance(body.stop, list) and len(body.stop) > 4:
        text = f"Invalid 'stop': array too long. Expected an array with maximum length 4, but got {len(body.stop)}."
        raise invalid("stop", text, "array_above_max_length")
    if body.stream_options is not None and not body.stream:
        text = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        raise invalid("stream_options", text, None)


def _read_tools(body: _Body, chat: ChatRequest) -> None:
    tools = [
        Tool(tool.function.name, tool.function.parameters or {})
        for tool in body.tools or ()
        if tool.function is not None
    ]
    chat.input_tokens += tokens.count(_encode(body.tools).decode())
    chat.parallel = body.parallel_tool_calls is not False
    choice = body.tool_choice
    if isinstance(choice, dict) and choice.get("type") == "allowed_tools":
        allowed = cast("dict[str, Any]", choice.get("allowed_tools") or {}).get("tools") or ()
        names = {each.get("function", {}).get("name") for each in cast("list[dict[str, Any]]", allowed)}
        tools = [tool for tool in tools if tool.name in names]
    elif isinstance(choice, dict):
        function = cast("dict[str, Any]", choice.get("function") or {})
        chat.forced_tool = str(function.get("name", ""))
        if all(tool.name != chat.forced_tool for tool in tools):
            text = f"Invalid value for 'tool_choice': function {chat.forced_tool!r} is not among the tools."
            raise invalid("tool_choice", text, None)
    chat.tools = () if choice == "none" else tools


def _usage(context: Context, chat: ChatRequest, reply: Reply) -> str:
    asked, answered = chat.input_tokens, reply.reported_tokens() * chat.count
    extras = "" if context.vendor.extras == "none" else usage_extras(context.vendor, asked, answered, reply.cached)
    return (
        f'{{"prompt_tokens":{asked},"completion_tokens":{answered},"total_tokens":{asked + answered},'
        f'"prompt_tokens_details":{{"cached_tokens":{reply.cached},"cache_write_tokens":{reply.cache_written},'
        f'"audio_tokens":0}},"completion_tokens_details":{{"reasoning_tokens":{len(reply.thinking) * chat.count},'
        f'"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}{extras}}}'
    )


def _call_id(context: Context, index: int) -> str:
    if context.vendor.short_call_ids:
        return f"{context.ident}{index:02d}"[-9:].rjust(9, "0")
    return f"call_{context.ident}{index}"


def _message(context: Context, reply: Reply) -> str:
    if not reply.calls and not reply.thinking:
        return f'{{"role":"assistant","content":{_encode(reply.text).decode()},"refusal":null,"annotations":[]}}'
    message: dict[str, Any] = {
        "role": "assistant",
        "content": None if reply.calls and not reply.text else reply.text,
        "refusal": None,
        "annotations": [],
    }
    if reply.thinking:
        message[reply.reasoning_field or context.vendor.reasoning_field] = "".join(reply.thinking)
    if reply.calls:
        message["tool_calls"] = [
            {
                "id": _call_id(context, index),
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for index, call in enumerate(reply.calls)
        ]
    return _encode(message).decode()


def answer(context: Context, chat: ChatRequest, reply: Reply) -> bytes:
    """The whole answer. Its text is put together by f-strings: the quickest way there is."""
    choice = f'"message":{_message(context, reply)},"logprobs":null,"finish_reason":"{_FINISH[reply.finish]}"'
    choices = f'{{"index":0,{choice}}}'
    for index in range(1, chat.count):
        choices += f',{{"index":{index},{choice}}}'
    vendor = context.vendor
    extras = "" if vendor.extras == "none" else answer_extras(vendor, context.ident)
    return (
        f'{{"id":"chatcmpl-{context.ident}","object":"chat.completion","created":{int(context.request.at)},'
        f'"model":{_encode(chat.model).decode()},"choices":[{choices}],"usage":{_usage(context, chat, reply)},'
        f'"service_tier":"default","system_fingerprint":"fp_ownkey_sandbox"{extras}}}'
    ).encode()


def events(context: Context, chat: ChatRequest, reply: Reply) -> Generator[StreamEvent, None, None]:
    """A role-only chunk, a chunk for each token, the finish, the usage when asked for, and [DONE]."""
    vendor = context.vendor
    opening = (
        f'data: {{"id":"chatcmpl-{context.ident}","object":"chat.completion.chunk",'
        f'"created":{int(context.request.at)},"model":{_encode(chat.model).decode()},"service_tier":"default",'
        f'"system_fingerprint":"fp_ownkey_sandbox"{chunk_extras(vendor)},'
    ).encode()
    usage_null = b',"usage":null' if chat.include_usage else b""
    if vendor.opening:
        yield 0, vendor.opening
    for index in range(chat.count):
        yield from _choice_events(context, chat, reply, opening + b'"choices":[{"index":%d,' % index, usage_null)
    if chat.include_usage or vendor.reports_usage:
        yield 0, opening + b'"choices":[],"usage":' + _usage(context, chat, reply).encode() + b"}\n\n"
    yield 0, b"data: [DONE]\n\n"


def _choice_events(
    context: Context, chat: ChatRequest, reply: Reply, opening: bytes, usage_null: bytes
) -> Generator[StreamEvent, None, None]:
    vendor, delta = context.vendor, opening + b'"delta":{'
    end = b'},"logprobs":null,"finish_reason":null}]' + usage_null + b"}\n\n"
    content = b"null" if reply.calls and not reply.text else b'""'
    yield 0, delta + b'"role":"assistant","content":' + content + b',"refusal":null' + end
    reasoning = delta + b'"' + (reply.reasoning_field or vendor.reasoning_field).encode() + b'":'
    for piece in reply.thinking:
        yield 1, reasoning + _encode(piece) + end
    padded = vendor.extras == "openai" and chat.obfuscate
    for piece in reply.text_pieces():
        text = _encode(piece)
        yield 1, delta + b'"content":' + text + (_obfuscated(end, len(text)) if padded else end)
    for number, call in enumerate(reply.calls):
        yield from _call_events(delta, end, number, _call_id(context, number), call)
    finish = f'"delta":{{}},"logprobs":null,"finish_reason":"{_FINISH[reply.finish]}"{finish_extras(vendor)}}}]'
    yield 0, opening + finish.encode() + usage_null + last_chunk_extras(vendor, context.ident).encode() + b"}\n\n"


def _call_events(delta: bytes, end: bytes, index: int, call_id: str, call: Call) -> Generator[StreamEvent, None, None]:
    opened = {"index": index, "id": call_id, "type": "function", "function": {"name": call.name, "arguments": ""}}
    yield 0, delta + b'"tool_calls":[' + _encode(opened) + b"]" + end
    fragment = delta + b'"tool_calls":[{"index":%d,"function":{"arguments":' % index
    for piece in tokens.split(call.arguments):
        yield 1, fragment + _encode(piece) + b"}}]" + end


def _obfuscated(end: bytes, length: int) -> bytes:
    """OpenAI pads chunks so that their lengths do not betray the tokens'."""
    return b'%b,"obfuscation":"%b"}\n\n' % (end[:-3], b"0" * (16 - length % 16))


def error_event(context: Context, problem: Problem) -> bytes:
    return b"data: " + render(problem, context.vendor.shape, context.request_id) + b"\n\n"
