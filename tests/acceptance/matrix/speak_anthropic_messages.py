"""Anthropic's messages as a client speaks them."""

import json
from typing import Any

from tests.acceptance.matrix.questions import PNG, TOOL_SCHEMA, Json, Question, Seen

_STOPS = {
    "end_turn": "end",
    "max_tokens": "length",
    "tool_use": "tool",
    "refusal": "refusal",
    "stop_sequence": "stop_sequence",
}


class AnthropicMessages:
    format = "anthropic_messages"

    def path(self, model: str, stream: bool) -> str:
        return "/v1/messages"

    def body(self, question: Question, model: str, stream: bool) -> Json:
        body: Json = {"model": model, "messages": _messages(question), "max_tokens": question.max_tokens}
        if question.system is not None:
            body["system"] = question.system
        if question.tools:
            body["tools"] = [
                {"name": name, "description": name, "input_schema": TOOL_SCHEMA} for name in question.tools
            ]
        if question.choice is not None:
            plain = question.choice in ("any", "auto", "none")
            body["tool_choice"] = {"type": question.choice} if plain else {"type": "tool", "name": question.choice}
        if not question.parallel:
            body["tool_choice"] = {"type": "auto", "disable_parallel_tool_use": True}
        if question.schema is not None:
            body["output_config"] = {"format": {"type": "json_schema", "schema": question.schema}}
        if question.think:
            body["thinking"] = {"type": "enabled", "budget_tokens": 1024}
        if question.stop:
            body["stop_sequences"] = list(question.stop)
        if question.top_k is not None:
            body["top_k"] = question.top_k
        return body | ({"stream": True} if stream else {})

    def whole(self, answer: Json) -> Seen:
        return _seen(answer["content"], answer["stop_reason"], answer["usage"], 0)

    def streamed(self, events: list[Json]) -> Seen:
        blocks: dict[int, Json] = {}
        stop, pieces, error = None, 0, None
        usage: Json = {}
        for event in events:
            match event["type"]:
                case "message_start":
                    usage |= event["message"]["usage"]
                case "content_block_start":
                    blocks[event["index"]] = {"json": "", **event["content_block"]}
                case "content_block_delta":
                    block, delta = blocks[event["index"]], event["delta"]
                    pieces += delta["type"] == "text_delta"
                    for name, key in (("text", "text"), ("thinking", "thinking"), ("partial_json", "json")):
                        block[key] = block.get(key, "") + delta.get(name, "")
                    block["signature"] = delta.get("signature", block.get("signature"))
                case "message_delta":
                    stop = event["delta"]["stop_reason"]
                    usage |= {name: count for name, count in event["usage"].items() if count is not None}
                case "error":
                    error = event["error"]["message"]
                case _:
                    pass
        for block in blocks.values():
            if block["type"] == "tool_use":
                block["input"] = json.loads(block["json"] or "{}")
        return _seen(list(blocks.values()), stop, usage, pieces, error)

    def error(self, answer: Json) -> str:
        assert answer["type"] == "error"
        return answer["error"]["message"]

    def go_on(self, body: Json, answer: Json, results: list[str], prompt: str | None) -> Json:
        calls = [block["id"] for block in answer["content"] if block["type"] == "tool_use"]
        content: list[Json] = [
            {"type": "tool_result", "tool_use_id": call, "content": result}
            for call, result in zip(calls, results, strict=False)
        ]
        if prompt is not None:
            content.append({"type": "text", "text": prompt})
        said = {"role": "assistant", "content": answer["content"]}
        return body | {"messages": [*body["messages"], said, {"role": "user", "content": content}]}


def _messages(question: Question) -> list[Json]:
    messages: list[Json] = []
    for user, assistant in question.history:
        messages += [{"role": "user", "content": user}, {"role": "assistant", "content": assistant}]
    content: Any = question.prompt
    if question.image:
        source = {"type": "base64", "media_type": "image/png", "data": PNG}
        content = [{"type": "image", "source": source}, {"type": "text", "text": question.prompt}]
    return [*messages, {"role": "user", "content": content}]


def _seen(blocks: list[Json], stop: str | None, usage: Json, pieces: int, error: str | None = None) -> Seen:
    cached = usage.get("cache_read_input_tokens") or 0
    written = usage.get("cache_creation_input_tokens") or 0
    thoughts = [block for block in blocks if block["type"] == "thinking"]
    return Seen(
        text="".join(block["text"] for block in blocks if block["type"] == "text"),
        calls=tuple((block["name"], block["input"]) for block in blocks if block["type"] == "tool_use"),
        stop=_STOPS[stop] if stop else None,
        input=usage["input_tokens"] + cached + written if "input_tokens" in usage else None,
        output=usage.get("output_tokens"),
        cached=cached,
        reasoning="".join(block["thinking"] for block in thoughts),
        signed=any(block.get("signature") for block in thoughts),
        pieces=pieces,
        error=error,
    )
