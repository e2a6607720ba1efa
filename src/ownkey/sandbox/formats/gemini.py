"""Gemini's generateContent, streamGenerateContent and countTokens.

Written from https://ai.google.dev/api/generate-content and the types of the `google-genai` package.
"""

from base64 import b64encode
from collections.abc import Generator
from hashlib import sha256
from typing import Any
from urllib.parse import unquote

import msgspec

from ownkey.sandbox.behaviours import last_segment
from ownkey.sandbox.chat import LONGEST, Call, ChatRequest, Finish, Reply, Tool
from ownkey.sandbox.errors import Problem, render
from ownkey.sandbox.exchange import Answer, Context, StreamEvent
from ownkey.sandbox.formats.gemini_request import Body, Content, CountBody, json_schema, measure, read_spelled
from ownkey.sandbox.reading import invalid

_DECODER = msgspec.json.Decoder(Body)
_COUNT_DECODER = msgspec.json.Decoder(CountBody)
_encode = msgspec.json.Encoder().encode

_FINISH = {
    Finish.STOP: "STOP",
    Finish.STOP_SEQUENCE: "STOP",
    Finish.LENGTH: "MAX_TOKENS",
    Finish.TOOL: "STOP",
    Finish.REFUSAL: "SAFETY",
}
_SKIP = "skip/thought/signature/validator"
"""Google's word for calls that no Gemini model made, as it reads in base64's standard alphabet."""
_UNSIGNED = ("gemini-1", "gemini-2", "gemma-")
"""Models that do not miss the signatures of their calls: those from Gemini 3 on do, and so do simulated ones."""
_VERB_OF_STREAMS = "streamGenerateContent"


def asked_model(context: Context) -> tuple[str, str]:
    """The model and the verb of `…/models/<model>:<verb>`."""
    model, _, verb = context.plan.rest.partition("models/")[2].rpartition(":")
    return unquote(model), verb


def read(context: Context) -> ChatRequest:
    """The question. A stream that does not ask for events gets them all the same: Ownkey always asks."""
    model, verb = asked_model(context)
    body = read_spelled(context.request.body, _DECODER)
    conversation = measure(body)
    config = body.generation_config
    chat = ChatRequest(
        model=model,
        prompt=conversation.prompt,
        prompt_tokens=None,
        input_tokens=conversation.tokens,
        tool_result=conversation.tool_result,
        system_at=0 if body.system_instruction else None,
        stream=verb == _VERB_OF_STREAMS,
    )
    if config is not None:
        _check_range("temperature", config.temperature, 0, 2)
        _check_range("top_p", config.top_p, 0, 1)
        _check_range("max_output_tokens", config.max_output_tokens, 1, LONGEST)
        chat.max_tokens = config.max_output_tokens
        chat.stop = config.stop_sequences or ()
        if config.response_mime_type == "application/json":
            chat.output_schema = config.response_json_schema or json_schema(config.response_schema) or {}
    _check_signatures(body.contents or [], required=not last_segment(model).startswith(_UNSIGNED))
    _read_tools(body, chat)
    return chat


def count_tokens(context: Context) -> Answer:
    """POST …/models/<model>:countTokens."""
    body = read_spelled(context.request.body, _COUNT_DECODER)
    whole = body.generate_content_request
    if whole is not None and whole.model != f"models/{asked_model(context)[0]}":
        raise invalid("model", "* CountTokensRequest.generate_content_request.model: model must match\n", None)
    counted = measure(whole or body).tokens
    details = [{"modality": "TEXT", "tokenCount": counted}]
    return context.json({"totalTokens": counted, "promptTokensDetails": details})


def _check_range(name: str, value: float | None, low: float, high: float) -> None:
    if value is not None and not low <= value <= high:
        text = f"* GenerateContentRequest.generation_config.{name}: {name} must be in the range [{low}, {high}].\n"
        raise invalid(name, text, None)


def _read_tools(body: Body, chat: ChatRequest) -> None:
    tools = [
        Tool(function.name, function.parameters_json_schema or json_schema(function.parameters) or {})
        for entry in body.tools or ()
        for function in entry.function_declarations or ()
    ]
    calling = body.tool_config.function_calling_config if body.tool_config else None
    mode, allowed = (calling.mode or "AUTO", calling.allowed_function_names or []) if calling else ("AUTO", [])
    if allowed:
        if mode not in ("ANY", "VALIDATED"):
            raise invalid("tool_config", "Allowed function names should be set only when mode is ANY.", None)
        unknown = set(allowed) - {tool.name for tool in tools}
        if unknown:
            raise invalid("tool_config", f"Function {unknown.pop()} is not declared.", None)
        tools = [tool for tool in tools if tool.name in allowed]
        chat.forced_tool = allowed[0] if len(allowed) == 1 else None
    chat.tools = () if mode == "NONE" else tools


def _signature(kind: str) -> str:
    """It proves that the part it stands in came back unchanged."""
    return b64encode(sha256(b"ownkey sandbox gemini\n" + kind.encode()).digest()).decode()


def _check_signatures(contents: list[Content], *, required: bool) -> None:
    """None may be wrong, and with `required`, a content's first call must bear its signature."""
    for content in contents:
        calls = 0
        for part in content.parts or ():
            told = (part.thought_signature or "").replace("-", "+").replace("_", "/")
            calls += part.function_call is not None
            if told and told not in (_signature("text"), _signature("call"), _SKIP):
                raise invalid("contents", "Thought signature is not valid.", None)
            if required and part.function_call is not None and calls == 1 and not told:
                text = "Function call is missing a thought_signature in functionCall parts."
                raise invalid("contents", text, None)


def _usage(chat: ChatRequest, reply: Reply, answered: int) -> dict[str, Any]:
    """The totals up to `answered` tokens of the answer; thoughts are counted apart, and come first."""
    thoughts = min(len(reply.thinking), answered)
    usage: dict[str, Any] = {
        "promptTokenCount": chat.input_tokens,
        "candidatesTokenCount": answered - thoughts,
        "totalTokenCount": chat.input_tokens + answered,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": chat.input_tokens}],
    }
    if thoughts:
        usage["thoughtsTokenCount"] = thoughts
    if reply.cached:
        usage["cachedContentTokenCount"] = reply.cached
        usage["cacheTokensDetails"] = [{"modality": "TEXT", "tokenCount": reply.cached}]
    return usage


def _call(context: Context, index: int, call: Call) -> dict[str, Any]:
    part = {"functionCall": {"name": call.name, "args": _arguments(call), "id": f"{context.ident}{index}"}}
    return part if index else part | {"thoughtSignature": _signature("call")}


def _arguments(call: Call) -> Any:
    """The arguments as an object; those that the limit broke off are left out."""
    try:
        return msgspec.json.decode(call.arguments)
    except msgspec.DecodeError:
        return {}


def answer(context: Context, chat: ChatRequest, reply: Reply) -> bytes:
    parts: list[dict[str, Any]] = []
    if reply.thinking:
        parts.append({"text": "".join(reply.thinking), "thought": True})
    if reply.text:
        text: dict[str, Any] = {"text": reply.text}
        parts.append(text | {"thoughtSignature": _signature("text")} if reply.thinking else text)
    parts += [_call(context, index, call) for index, call in enumerate(reply.calls)]
    content: dict[str, Any] = {"parts": parts, "role": "model"} if parts else {"role": "model"}
    candidate = {"content": content, "finishReason": _FINISH[reply.finish], "index": 0}
    return _encode(
        {
            "candidates": [candidate],
            "usageMetadata": _usage(chat, reply, reply.reported_tokens()),
            "modelVersion": chat.model,
            "responseId": context.ident,
        }
    )


def events(context: Context, chat: ChatRequest, reply: Reply) -> Generator[StreamEvent, None, None]:
    """A chunk for each token of thoughts and text, one for all calls, and the last with the reason for the end."""
    answered = 0

    def chunk(parts: list[dict[str, Any]], finish: str | None = None) -> bytes:
        candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}, "index": 0}
        if finish is not None:
            candidate["finishReason"] = finish
        usage = _usage(chat, reply, answered)
        body = {"candidates": [candidate], "usageMetadata": usage, "modelVersion": chat.model}
        return b"data: " + _encode(body | {"responseId": context.ident}) + b"\r\n\r\n"

    for piece in reply.thinking:
        answered += 1
        yield 1, chunk([{"text": piece, "thought": True}])
    for piece in reply.text_pieces():
        answered += 1
        yield 1, chunk([{"text": piece}])
    if reply.calls:
        answered = reply.reported_tokens()
        yield 1, chunk([_call(context, index, call) for index, call in enumerate(reply.calls)])
    answered = reply.reported_tokens()
    last: dict[str, Any] = {"text": ""}
    if reply.thinking:
        last["thoughtSignature"] = _signature("text")
    yield 0, chunk([last], _FINISH[reply.finish])


def error_event(context: Context, problem: Problem) -> bytes:
    return b"data: " + render(problem, context.vendor.shape, context.request_id) + b"\r\n\r\n"
