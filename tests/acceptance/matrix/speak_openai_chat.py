"""OpenAI's chat completions as a client speaks them."""

import json
from typing import Any

from tests.acceptance.matrix.questions import PNG, TOOL_SCHEMA, Json, Question, Seen

_STOPS = {"stop": "end", "length": "length", "tool_calls": "tool", "content_filter": "refusal"}


class OpenAIChat:
    format = "openai_chat"

    def path(self, model: str, stream: bool) -> str:
        return "/v1/chat/completions"

    def body(self, question: Question, model: str, stream: bool) -> Json:
        body: Json = {"model": model, "messages": _messages(question), "max_completion_tokens": question.max_tokens}
        if question.tools:
            body["tools"] = [
                {"type": "function", "function": {"name": name, "description": name, "parameters": TOOL_SCHEMA}}
                for name in question.tools
            ]
        if question.choice is not None:
            named = {"type": "function", "function": {"name": question.choice}}
            body["tool_choice"] = {"any": "required", "auto": "auto", "none": "none"}.get(question.choice, named)
        if not question.parallel:
            body["parallel_tool_calls"] = False
        if question.schema is not None:
            wanted = {"name": "answer", "strict": True, "schema": question.schema}
            body["response_format"] = {"type": "json_schema", "json_schema": wanted}
        if question.any_json:
            body["response_format"] = {"type": "json_object"}
        if question.think:
            body["reasoning_effort"] = "low"
        if question.stop:
            body["stop"] = list(question.stop)
        if question.top_k is not None:
            body["top_k"] = question.top_k
        if question.choices is not None:
            body["n"] = question.choices
        return body | ({"stream": True, "stream_options": {"include_usage": True}} if stream else {})

    def whole(self, answer: Json) -> Seen:
        choice = answer["choices"][0]
        message = choice["message"]
        return _seen(message, choice["finish_reason"], answer["usage"], 0)

    def streamed(self, events: list[Json]) -> Seen:
        message: Json = {"content": "", "reasoning_content": "", "reasoning_details": [], "tool_calls": {}}
        stop, usage, pieces, error = None, None, 0, None
        for event in events:
            if "error" in event:
                error = event["error"]["message"]
                continue
            usage = event.get("usage") or usage
            for choice in event["choices"]:
                delta = choice["delta"]
                pieces += bool(delta.get("content"))
                message["content"] += delta.get("content") or ""
                message["reasoning_content"] += delta.get("reasoning_content") or delta.get("reasoning") or ""
                message["reasoning_details"] += delta.get("reasoning_details") or []
                for call in delta.get("tool_calls") or ():
                    kept = message["tool_calls"].setdefault(call["index"], {"name": "", "arguments": ""})
                    for key in kept:
                        kept[key] += call["function"].get(key) or ""
                stop = choice["finish_reason"] or stop
        message["tool_calls"] = [{"function": call} for _, call in sorted(message["tool_calls"].items())]
        return _seen(message, stop, usage, pieces, error)

    def error(self, answer: Json) -> str:
        return answer["error"]["message"]

    def go_on(self, body: Json, answer: Json, results: list[str], prompt: str | None) -> Json:
        message = answer["choices"][0]["message"]
        messages = [*body["messages"], message]
        for call, result in zip(message.get("tool_calls") or (), results, strict=False):
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})
        if prompt is not None:
            messages.append({"role": "user", "content": prompt})
        return body | {"messages": messages}


def _messages(question: Question) -> list[Json]:
    messages: list[Json] = []
    if question.system is not None:
        messages.append({"role": "system", "content": question.system})
    for user, assistant in question.history:
        messages += [{"role": "user", "content": user}, {"role": "assistant", "content": assistant}]
    content: Any = question.prompt
    if question.image:
        url = {"url": f"data:image/png;base64,{PNG}"}
        content = [{"type": "image_url", "image_url": url}, {"type": "text", "text": question.prompt}]
    return [*messages, {"role": "user", "content": content}]


def _seen(message: Json, stop: str | None, usage: Json | None, pieces: int, error: str | None = None) -> Seen:
    calls = [call["function"] for call in message.get("tool_calls") or ()]
    usage = usage or {}
    return Seen(
        text=message.get("content") or "",
        calls=tuple((call["name"], json.loads(call["arguments"])) for call in calls),
        stop=_STOPS[stop] if stop else None,
        input=usage.get("prompt_tokens"),
        output=usage.get("completion_tokens"),
        cached=(usage.get("prompt_tokens_details") or {}).get("cached_tokens"),
        # Which of the two names it has is the provider's choice.
        reasoning=message.get("reasoning_content") or message.get("reasoning") or "",
        signed=any(detail.get("signature") for detail in message.get("reasoning_details") or ()),
        pieces=pieces,
        error=error,
    )
