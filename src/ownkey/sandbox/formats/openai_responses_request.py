"""Reading a responses request: its items, with those of the response it goes on from, and its question.

Written from https://platform.openai.com/docs/api-reference/responses and the types of the `openai` package.
"""

from collections.abc import Sequence
from typing import Any, cast

import msgspec
from msgspec import Struct

from ownkey.sandbox import tokens
from ownkey.sandbox.chat import LONGEST, ChatRequest, Tool
from ownkey.sandbox.errors import Problem, Refused
from ownkey.sandbox.exchange import Context
from ownkey.sandbox.reading import check_range, invalid, missing, read_json

SHORTEST = 16
"""The least that `max_output_tokens` may be."""

Item = dict[str, Any]


class _Format(Struct):
    type: str
    schema: dict[str, Any] | None = None


class _JsonSchema(Struct):
    schema: dict[str, Any] | None = None


class _ResponseFormat(Struct):
    """How Perplexity asks for a schema."""

    type: str
    json_schema: _JsonSchema | None = None


class _Text(Struct):
    format: _Format | None = None


class _Reasoning(Struct):
    effort: str | None = None
    summary: str | None = None


class _Tool(Struct):
    type: str
    name: str | None = None
    parameters: dict[str, Any] | None = None


class _StreamOptions(Struct):
    include_obfuscation: bool | None = None


class Body(Struct):
    """What the simulator looks at."""

    model: str | None = None
    input: str | list[Item] | None = None
    instructions: str | None = None
    previous_response_id: str | None = None
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    store: bool | None = None
    background: bool | None = None
    include: list[str] | None = None
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    tools: list[_Tool] | None = None
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    text: _Text | None = None
    response_format: _ResponseFormat | None = None
    reasoning: _Reasoning | None = None


_BODY = msgspec.json.Decoder(Body)
_RAW = msgspec.json.Decoder(dict[str, Any])
_encode = msgspec.json.Encoder().encode


def read(context: Context) -> ChatRequest:
    body = read_json(context.request.body, _BODY)
    if not body.model:
        raise missing("model")
    if body.input is None:
        raise missing("input")
    _check(context, body)
    items = [*_before(context, body), *_items(body.input, context.ident)]
    chat = _converse(body, items)
    chat.stream = body.stream is True
    chat.obfuscate = body.stream_options is None or body.stream_options.include_obfuscation is not False
    chat.max_tokens = body.max_output_tokens
    if body.tools:
        _read_tools(body, chat)
    if body.text is not None and body.text.format is not None and body.text.format.type != "text":
        chat.output_schema = body.text.format.schema or {}
    elif body.response_format is not None:
        wanted = body.response_format.json_schema
        chat.output_schema = (wanted.schema if wanted else None) or {}
    chat.request = _RAW.decode(context.request.body) | {"input": items}
    return chat


def _check(context: Context, body: Body) -> None:
    check_range("temperature", body.temperature, 0, 2)
    check_range("top_p", body.top_p, 0, 1)
    limit = body.max_output_tokens
    if limit is not None and limit < SHORTEST:
        text = (
            f"Invalid 'max_output_tokens': integer below minimum value. Expected a value >= {SHORTEST}, "
            f"but got {limit} instead."
        )
        raise invalid("max_output_tokens", text, "integer_below_min_value")
    check_range("max_output_tokens", limit, SHORTEST, LONGEST)
    if not context.vendor.keeps_responses:
        for name, value in (("store", body.store is True), ("previous_response_id", body.previous_response_id)):
            if value:
                raise invalid(name, f"Unsupported parameter: '{name}' is not supported: this API is stateless.", None)


def _before(context: Context, body: Body) -> Sequence[Item]:
    """The items up to and with the answer of the response that the request names."""
    wanted = body.previous_response_id
    if wanted is None:
        return ()
    kept = context.state.responses.get(context.account, wanted)
    if kept is None:
        text = f"Previous response with id '{wanted}' not found."
        raise invalid("previous_response_id", text, "previous_response_not_found")
    return [*kept.items, *kept.response["output"]]


def _items(given: str | list[Item], ident: str) -> list[Item]:
    """The input as items, each with an id."""
    if isinstance(given, str):
        given = [{"role": "user", "content": given}]
    return [_item(item, f"{ident}{index}", index) for index, item in enumerate(given)]


_PREFIXES = {"message": "msg", "function_call": "fc", "function_call_output": "fco", "reasoning": "rs"}


def _item(item: Item, ident: str, index: int) -> Item:
    kind: str = item.get("type") or "message"
    if kind != "message":
        status = {} if kind == "reasoning" else {"status": "completed"}
        return {"id": f"{_PREFIXES.get(kind, 'item')}_{ident}", **status, **item, "type": kind}
    role, content = item.get("role"), item.get("content")
    if role not in ("user", "assistant", "system", "developer"):
        text = f"Invalid value: '{role}'. Supported values are: 'assistant', 'system', 'developer', and 'user'."
        raise invalid(f"input[{index}].role", text)
    if isinstance(content, str):
        text_part: Item = {"type": "output_text", "text": content, "annotations": []}
        content = [text_part if role == "assistant" else {"type": "input_text", "text": content}]
    return {"id": f"msg_{ident}", "status": "completed", **item, "type": "message", "content": content}


def _converse(body: Body, items: Sequence[Item]) -> ChatRequest:
    """The question of a conversation. Raises Refused when results and calls do not match."""
    prompt, size = "", tokens.count(body.instructions or "")
    results: list[str] | None = None
    open_calls: dict[str, None] = {}
    for item in items:
        kind = item["type"]
        if kind == "function_call_output":
            call_id: str = item.get("call_id") or ""
            if call_id not in open_calls:
                raise _mismatch(f"No tool call found for function call output with call_id {call_id}.")
            del open_calls[call_id]
            text, images = _join(item.get("output"))
            results = [*(results or ()), text]
        elif kind == "function_call":
            open_calls[item.get("call_id") or ""] = None
            text, images, results = item.get("arguments") or "", 0, None
        elif kind == "message":
            text, images = _join(item.get("content"))
            results = None
            if item["role"] == "user":
                prompt = text
        else:
            continue
        size += tokens.count(text) + images * tokens.IMAGE_TOKENS
    if open_calls:
        raise _mismatch(f"No tool output found for function call {next(iter(open_calls))}.")
    return ChatRequest(
        model=body.model or "",
        prompt=prompt,
        prompt_tokens=None,
        input_tokens=size,
        tool_result=None if results is None else "\n".join(results),
        system_at=_system_at(body, items),
    )


def _system_at(body: Body, items: Sequence[Item]) -> int | None:
    """Where the first word of the system's stands; the instructions come before all items."""
    if body.instructions:
        return 0
    return next((index for index, item in enumerate(items) if item.get("role") in ("system", "developer")), None)


def _mismatch(text: str) -> Refused:
    return invalid("input", text, None)


def _join(content: object) -> tuple[str, int]:
    """The text of all parts, and how many of them are images."""
    if not isinstance(content, list):
        return (content if isinstance(content, str) else ""), 0
    parts = cast("list[Item]", content)
    texts = (str(part.get("text") or part.get("refusal") or "") for part in parts)
    return "".join(texts), sum(part.get("type") == "input_image" for part in parts)


def _read_tools(body: Body, chat: ChatRequest) -> None:
    functions = [tool for tool in body.tools or () if tool.type == "function"]
    for index, tool in enumerate(functions):
        if not tool.name:
            raise missing(f"tools[{index}].name")
    tools = [Tool(tool.name or "", tool.parameters or {}) for tool in functions]
    chat.input_tokens += tokens.count(_encode(body.tools).decode())
    chat.parallel = body.parallel_tool_calls is not False
    choice = body.tool_choice
    if isinstance(choice, dict):
        if choice.get("type") == "allowed_tools":
            names = {tool.get("name") for tool in cast("list[Item]", choice.get("tools") or [])}
            tools = [tool for tool in tools if tool.name in names]
        else:
            chat.forced_tool = str(choice.get("name", ""))
            if all(tool.name != chat.forced_tool for tool in tools):
                text = f"Tool choice '{chat.forced_tool}' not found in 'tools' parameter."
                raise Refused(Problem(status=400, message=text, param="tool_choice"))
    chat.tools = () if choice == "none" else tools
