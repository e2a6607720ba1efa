"""OpenAI's responses as a client speaks them."""

import json
from typing import Any

from tests.acceptance.matrix.questions import PNG, TOOL_SCHEMA, Json, Question, Seen


class OpenAIResponses:
    format = "openai_responses"

    def path(self, model: str, stream: bool) -> str:
        return "/v1/responses"

    def body(self, question: Question, model: str, stream: bool) -> Json:
        body: Json = {"model": model, "input": _input(question), "max_output_tokens": question.max_tokens}
        if question.system is not None:
            body["instructions"] = question.system
        if question.tools:
            body["tools"] = [
                {"type": "function", "name": name, "description": name, "parameters": TOOL_SCHEMA, "strict": False}
                for name in question.tools
            ]
        if question.choice is not None:
            named = {"type": "function", "name": question.choice}
            body["tool_choice"] = {"any": "required", "auto": "auto", "none": "none"}.get(question.choice, named)
        if not question.parallel:
            body["parallel_tool_calls"] = False
        if question.schema is not None:
            wanted = {"type": "json_schema", "name": "answer", "strict": True, "schema": question.schema}
            body["text"] = {"format": wanted}
        if question.any_json:
            body["text"] = {"format": {"type": "json_object"}}
        if question.think:
            body["reasoning"] = {"effort": "low", "summary": "auto"}
            body["include"] = ["reasoning.encrypted_content"]
        # Nothing is kept: what has been said goes back with the next request.
        return body | {"store": False} | ({"stream": True} if stream else {})

    def whole(self, answer: Json) -> Seen:
        return _seen(answer, 0)

    def streamed(self, events: list[Json]) -> Seen:
        pieces = sum(event["type"] == "response.output_text.delta" for event in events)
        for event in events:
            match event["type"]:
                case "error":
                    return Seen(error=event["message"], pieces=pieces)
                case "response.failed":
                    return Seen(error=event["response"]["error"]["message"], pieces=pieces)
                case "response.completed" | "response.incomplete":
                    return _seen(event["response"], pieces)
                case _:
                    pass
        raise AssertionError("the stream has no end")

    def error(self, answer: Json) -> str:
        return answer["error"]["message"]

    def go_on(self, body: Json, answer: Json, results: list[str], prompt: str | None) -> Json:
        items = [*body["input"], *answer["output"]]
        calls = [item["call_id"] for item in answer["output"] if item["type"] == "function_call"]
        for call, result in zip(calls, results, strict=False):
            items.append({"type": "function_call_output", "call_id": call, "output": result})
        if prompt is not None:
            items.append({"role": "user", "content": prompt})
        return body | {"input": items}


def _input(question: Question) -> list[Json]:
    items: list[Json] = []
    for user, assistant in question.history:
        items += [{"role": "user", "content": user}, {"role": "assistant", "content": assistant}]
    content: Any = question.prompt
    if question.image:
        url = f"data:image/png;base64,{PNG}"
        image = {"type": "input_image", "image_url": url, "detail": "auto"}
        content = [image, {"type": "input_text", "text": question.prompt}]
    return [*items, {"role": "user", "content": content}]


def _seen(answer: Json, pieces: int) -> Seen:
    output: list[Json] = answer["output"]
    calls = [item for item in output if item["type"] == "function_call"]
    parts = [part for item in output if item["type"] == "message" for part in item["content"]]
    thoughts = [item for item in output if item["type"] == "reasoning"]
    usage = answer.get("usage") or {}
    return Seen(
        text="".join(part["text"] for part in parts if part["type"] == "output_text"),
        calls=tuple((call["name"], json.loads(call["arguments"])) for call in calls),
        stop=_stop(answer, bool(calls), any(part["type"] == "refusal" for part in parts)),
        input=usage.get("input_tokens"),
        output=usage.get("output_tokens"),
        cached=(usage.get("input_tokens_details") or {}).get("cached_tokens"),
        reasoning="".join(
            part["text"] for item in thoughts for part in [*(item.get("summary") or ()), *(item.get("content") or ())]
        ),
        signed=any(item.get("encrypted_content") for item in thoughts),
        pieces=pieces,
    )


def _stop(answer: Json, calls: bool, refused: bool) -> str:
    if answer["status"] == "incomplete":
        return {"max_output_tokens": "length", "content_filter": "refusal"}[answer["incomplete_details"]["reason"]]
    return "refusal" if refused else "tool" if calls else "end"
