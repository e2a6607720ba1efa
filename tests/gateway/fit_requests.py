"""What clients ask for that some vendor would refuse, in each client format."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ownkey.domain.formats import WireFormat

Json = dict[str, Any]

OBJECT: Json = {"type": "object", "properties": {"a": {"type": "string"}}}
UNION: Json = OBJECT | {"anyOf": [{"required": ["a"]}]}
REFERS: Json = {
    "type": "object",
    "properties": {"a": {"$ref": "#/$defs/A", "description": "an a"}},
    "$defs": {"A": {"type": "string"}},
}
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@dataclass(frozen=True, kw_only=True)
class Wish:
    """One request in nobody's words. `tools` maps names to schemas; `history` adds a call, its result and more."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    seed: int | None = None
    user: str | None = None
    stop: tuple[str, ...] = ()
    limit: int | None = None
    effort: str | None = None
    tools: dict[str, Json] = field(default_factory=dict[str, Json])
    forced: bool = False
    one_call: bool = False
    image: str | None = None
    history: bool = False
    reasoning: bool = False
    goes_on: bool = False
    prefill: bool = False
    any_json: bool = False
    schema: Json | None = None
    empty_text: bool = False


WISHES: dict[str, Wish] = {
    "nothing": Wish(),
    "sampling": Wish(temperature=0.2, top_p=0.9),
    "top-k": Wish(top_k=40),
    "seed-and-user": Wish(seed=7, user="u-1"),
    "stop": Wish(stop=("END",)),
    "large-limit": Wish(limit=500_000),
    "effort": Wish(effort="medium", temperature=0.2, top_p=0.5, top_k=64),
    "no-effort": Wish(effort="none"),
    "effort-and-forced-tool": Wish(effort="high", limit=8000, tools={"f": OBJECT}, forced=True),
    "forced-tool": Wish(tools={"f": OBJECT}, forced=True),
    "one-call": Wish(tools={"f": OBJECT}, one_call=True),
    "long-name": Wish(tools={"n" * 100: OBJECT}),
    "odd-name": Wish(tools={"1.files/read": OBJECT}),
    "root-union": Wish(tools={"f": UNION}),
    "root-without-type": Wish(tools={"f": {"properties": {"a": {"type": "string"}}}}),
    "ref-siblings": Wish(tools={"f": REFERS}),
    "image-jpg": Wish(image="image/jpg"),
    "call-and-result": Wish(tools={"f": OBJECT}, history=True),
    "reasoned-call": Wish(tools={"f": OBJECT}, history=True, reasoning=True),
    "user-after-result": Wish(tools={"f": OBJECT}, history=True, goes_on=True),
    "prefill": Wish(prefill=True),
    "any-json": Wish(any_json=True),
    "json-schema": Wish(schema=OBJECT),
    "empty-text": Wish(empty_text=True),
}


def chat(wish: Wish, model: str, stream: bool) -> Json:
    content: Any = "hi"
    if wish.image:
        url = {"url": f"data:{wish.image};base64,{PNG}"}
        content = [{"type": "text", "text": "hi"}, {"type": "image_url", "image_url": url}]
    if wish.empty_text:
        content = [{"type": "text", "text": ""}, {"type": "text", "text": "hi"}]
    messages: list[Json] = [{"role": "user", "content": content}]
    if wish.history:
        call = {"id": "call_0", "type": "function", "function": {"name": next(iter(wish.tools)), "arguments": "{}"}}
        answer: Json = {"role": "assistant", "content": None, "tool_calls": [call]}
        messages += [answer, {"role": "tool", "tool_call_id": "call_0", "content": "4"}]
        if wish.reasoning:
            answer["reasoning_content"] = "Look it up."
    if wish.goes_on:
        messages.append({"role": "user", "content": "and then?"})
    if wish.prefill:
        messages.append({"role": "assistant", "content": "It is"})
    body = _common(wish, model, stream) | {"messages": messages, "seed": wish.seed, "user": wish.user}
    body |= {"stop": list(wish.stop) or None, "max_tokens": wish.limit, "reasoning_effort": wish.effort}
    if stream:
        body["stream_options"] = {"include_usage": True}
    if wish.tools:
        body["tools"] = [{"type": "function", "function": {"name": n, "parameters": s}} for n, s in wish.tools.items()]
        body["tool_choice"] = "required" if wish.forced else "auto"
        body["parallel_tool_calls"] = False if wish.one_call else None
    if wish.any_json:
        body["response_format"] = {"type": "json_object"}
    if wish.schema:
        body["response_format"] = {"type": "json_schema", "json_schema": {"name": "answer", "schema": wish.schema}}
    return _set(body)


def responses(wish: Wish, model: str, stream: bool) -> Json:
    content: list[Json] = [{"type": "input_text", "text": "hi"}]
    if wish.image:
        content.append({"type": "input_image", "image_url": f"data:{wish.image};base64,{PNG}"})
    if wish.empty_text:
        content.insert(0, {"type": "input_text", "text": ""})
    items: list[Json] = [{"role": "user", "content": content}]
    if wish.history:
        if wish.reasoning:
            summary = [{"type": "summary_text", "text": "Look it up."}]
            items.append({"type": "reasoning", "id": "rs_1", "summary": summary})
        name = next(iter(wish.tools))
        items.append({"type": "function_call", "call_id": "call_0", "name": name, "arguments": "{}"})
        items.append({"type": "function_call_output", "call_id": "call_0", "output": "4"})
    if wish.goes_on:
        items.append({"role": "user", "content": "and then?"})
    if wish.prefill:
        items.append({"role": "assistant", "content": "It is"})
    body = _common(wish, model, stream) | {"input": items, "user": wish.user, "store": False}
    body |= {"max_output_tokens": wish.limit, "reasoning": {"effort": wish.effort} if wish.effort else None}
    if wish.tools:
        body["tools"] = [{"type": "function", "name": n, "parameters": s} for n, s in wish.tools.items()]
        body["tool_choice"] = "required" if wish.forced else "auto"
        body["parallel_tool_calls"] = False if wish.one_call else None
    if wish.any_json:
        body["text"] = {"format": {"type": "json_object"}}
    if wish.schema:
        body["text"] = {"format": {"type": "json_schema", "name": "answer", "schema": wish.schema}}
    return _set(body)


def anthropic(wish: Wish, model: str, stream: bool) -> Json:
    content: list[Json] = [{"type": "text", "text": "hi"}]
    if wish.image:
        source = {"type": "base64", "media_type": wish.image, "data": PNG}
        content.append({"type": "image", "source": source})
    messages: list[Json] = [{"role": "user", "content": content}]
    if wish.history:
        name = next(iter(wish.tools))
        answer: list[Json] = [{"type": "tool_use", "id": "call_0", "name": name, "input": {}}]
        if wish.reasoning:
            answer.insert(0, {"type": "thinking", "thinking": "Look it up.", "signature": "c2lnbmVk"})
        result: list[Json] = [{"type": "tool_result", "tool_use_id": "call_0", "content": "4"}]
        if wish.goes_on:
            result.append({"type": "text", "text": "and then?"})
        messages += [{"role": "assistant", "content": answer}, {"role": "user", "content": result}]
    if wish.prefill:
        messages.append({"role": "assistant", "content": "It is"})
    body = _common(wish, model, stream) | {"messages": messages, "max_tokens": wish.limit or 4000, "top_k": wish.top_k}
    body |= {"stop_sequences": list(wish.stop) or None, "metadata": {"user_id": wish.user} if wish.user else None}
    if wish.effort:
        body["thinking"] = {"type": "disabled"} if wish.effort == "none" else {"type": "enabled", "budget_tokens": 2000}
    if wish.tools:
        body["tools"] = [{"name": n, "input_schema": s} for n, s in wish.tools.items()]
        choice: Json = {"type": "any" if wish.forced else "auto"}
        body["tool_choice"] = choice | ({"disable_parallel_tool_use": True} if wish.one_call else {})
    if wish.schema or wish.any_json:
        body["output_config"] = {"format": {"type": "json_schema", "schema": wish.schema or OBJECT}}
    return _set(body)


def gemini(wish: Wish, model: str, stream: bool) -> Json:
    parts: list[Json] = [{"text": "hi"}]
    if wish.image:
        parts.append({"inlineData": {"mimeType": wish.image, "data": PNG}})
    if wish.empty_text:
        parts.insert(0, {"text": ""})
    contents: list[Json] = [{"role": "user", "parts": parts}]
    if wish.history:
        name = next(iter(wish.tools))
        signature = "skip_thought_signature_validator"
        call: Json = {"functionCall": {"name": name, "args": {}}, "thoughtSignature": signature}
        thought: list[Json] = [{"text": "Look it up.", "thought": True}] if wish.reasoning else []
        result = {"functionResponse": {"name": name, "response": {"output": "4"}}}
        contents += [{"role": "model", "parts": [*thought, call]}, {"role": "user", "parts": [result]}]
    if wish.goes_on:
        contents.append({"role": "user", "parts": [{"text": "and then?"}]})
    if wish.prefill:
        contents.append({"role": "model", "parts": [{"text": "It is"}]})
    config: Json = {"temperature": wish.temperature, "topP": wish.top_p, "topK": wish.top_k, "seed": wish.seed}
    config |= {"stopSequences": list(wish.stop) or None, "maxOutputTokens": wish.limit}
    if wish.effort:
        config["thinkingConfig"] = {"thinkingBudget": 0 if wish.effort == "none" else 2000}
    if wish.any_json or wish.schema:
        config["responseMimeType"] = "application/json"
        config["responseJsonSchema"] = wish.schema
    body: Json = {"contents": contents, "generationConfig": _set(config)}
    if wish.tools:
        functions = [{"name": n, "parametersJsonSchema": s} for n, s in wish.tools.items()]
        body["tools"] = [{"functionDeclarations": functions}]
        body["toolConfig"] = {"functionCallingConfig": {"mode": "ANY" if wish.forced else "AUTO"}}
    return body


CLIENTS: dict[WireFormat, Callable[[Wish, str, bool], Json]] = {
    WireFormat.OPENAI_CHAT: chat,
    WireFormat.OPENAI_RESPONSES: responses,
    WireFormat.ANTHROPIC_MESSAGES: anthropic,
    WireFormat.GEMINI: gemini,
}


def _common(wish: Wish, model: str, stream: bool) -> Json:
    return {"model": model, "stream": stream, "temperature": wish.temperature, "top_p": wish.top_p}


def _set(body: Json) -> Json:
    return {name: value for name, value in body.items() if value is not None}
