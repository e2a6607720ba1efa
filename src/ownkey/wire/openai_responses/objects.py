"""The response object and its output items, as a client is given them."""

from collections.abc import Sequence
from typing import Any

from ownkey.domain.usage import Usage
from ownkey.wire.neutral import Answer, Part, Reasoning, Refusal, Stop, StopReason, Text, ToolCall
from ownkey.wire.openai_responses import reasoning
from ownkey.wire.openai_responses.usage import from_usage

_ECHOED: dict[str, Any] = {
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "safety_identifier": None,
    "temperature": None,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_p": None,
    "truncation": "disabled",
    "user": None,
}
"""What a response repeats of its request, with what stands there when the request left it open."""

_CUT = {
    StopReason.MAX_TOKENS: "max_output_tokens",
    StopReason.CONTEXT_WINDOW: "max_output_tokens",
    StopReason.REFUSAL: "content_filter",
}


def response_id(answer_id: str) -> str:
    """The id of the response that answers the request `req_…`."""
    return "resp_" + answer_id.rpartition("_")[2]


def skeleton(model: str, created: int, answer_id: str, asked: dict[str, Any]) -> dict[str, Any]:
    """A response that has just begun; `asked` is the request, read without complaint before."""
    response: dict[str, Any] = {
        "id": response_id(answer_id),
        "object": "response",
        "created_at": created,
        "status": "in_progress",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "model": model,
        "output": [],
        "usage": None,
    }
    for name, default in _ECHOED.items():
        value = asked.get(name)
        response[name] = default if value is None else value
    thinking: dict[str, Any] = asked.get("reasoning") or {}
    response["reasoning"] = {"effort": thinking.get("effort"), "summary": thinking.get("summary")}
    response["text"] = {"format": {"type": "text"}} | response["text"]
    return response


def finish(response: dict[str, Any], output: list[dict[str, Any]], stop: Stop, usage: Usage | None) -> dict[str, Any]:
    """The response when the answer is over. One that was cut short marks its last item, too."""
    refused = any(part["type"] == "refusal" for item in output for part in item.get("content", ()))
    cut = None if refused and stop.reason is StopReason.REFUSAL else _CUT.get(stop.reason)
    if cut is not None and output and "status" in output[-1]:
        output[-1]["status"] = "incomplete"
    return response | {
        "status": "completed" if cut is None else "incomplete",
        "incomplete_details": None if cut is None else {"reason": cut},
        "output": output,
        "usage": from_usage(usage) if usage is not None else None,
    }


def item_id(kind: str, answer_id: str, index: int) -> str:
    return f"{kind}_{answer_id.rpartition('_')[2]}{index}"


def output_of(answer: Answer, answer_id: str) -> list[dict[str, Any]]:
    """The items of a whole answer: texts and refusals in a row are one message."""
    output: list[dict[str, Any]] = []
    for part in answer.parts:
        content = content_part(part)
        if content is None:
            item = _item(part, answer_id, len(output))
            output += [item] if item is not None else []
        elif output and output[-1]["type"] == "message":
            output[-1]["content"].append(content)
        else:
            output.append(message(answer_id, len(output), [content]))
    explanation = answer.stop.explanation
    if explanation and not any(isinstance(part, Refusal) for part in answer.parts):
        content = {"type": "refusal", "refusal": explanation}
        output.append(message(answer_id, len(output), [content]))
    return output


def content_part(part: Part) -> dict[str, Any] | None:
    """A part of a message, None for what is an item of its own."""
    if isinstance(part, Text):
        return {"type": "output_text", "text": part.text, "annotations": [], "logprobs": []}
    if isinstance(part, Refusal):
        return {"type": "refusal", "refusal": part.text}
    return None


def message(answer_id: str, index: int, content: Sequence[dict[str, Any]], status: str = "completed") -> dict[str, Any]:
    return {
        "id": item_id("msg", answer_id, index),
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": list(content),
    }


def function_call(answer_id: str, index: int, call: ToolCall, status: str = "completed") -> dict[str, Any]:
    return {
        "id": item_id("fc", answer_id, index),
        "type": "function_call",
        "status": status,
        "call_id": call.id,
        "name": call.name,
        "arguments": call.arguments,
    }


def thought(answer_id: str, index: int, text: str, encrypted: str | None) -> dict[str, Any]:
    summary = [{"type": "summary_text", "text": text}] if text else []
    item: dict[str, Any] = {"id": item_id("rs", answer_id, index), "type": "reasoning", "summary": summary}
    if encrypted is not None:
        item["encrypted_content"] = encrypted
    return item


def _item(part: Part, answer_id: str, index: int) -> dict[str, Any] | None:
    if isinstance(part, ToolCall):
        whole = ToolCall(part.id, part.name, part.arguments or "{}")
        return function_call(answer_id, index, whole)
    if isinstance(part, Reasoning):
        return thought(answer_id, index, part.text, reasoning.wrap(part.signature, part.redacted, part.format))
    return None
