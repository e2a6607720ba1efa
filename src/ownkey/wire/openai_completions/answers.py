"""Answers as text completions, for clients (openai.types.Completion).

Reasoning has no place in the format and is left out; a refusal's words are the text.
"""

from typing import Any

import msgspec

from ownkey.wire.neutral import Answer, Refusal, StopReason, Text
from ownkey.wire.openai_chat.usage import from_usage

_ENCODE = msgspec.json.Encoder().encode

FINISH_REASONS = {
    StopReason.END: "stop",
    StopReason.MAX_TOKENS: "length",
    StopReason.STOP_SEQUENCE: "stop",
    StopReason.TOOL_USE: "stop",
    StopReason.REFUSAL: "content_filter",
    StopReason.PAUSE: "stop",
    StopReason.CONTEXT_WINDOW: "length",
}


def write(answer: Answer, *, model: str, created: int, answer_id: str) -> bytes:
    text = "".join(part.text for part in answer.parts if isinstance(part, Text | Refusal))
    choice = {"text": text, "index": 0, "logprobs": None, "finish_reason": FINISH_REASONS[answer.stop.reason]}
    completion: dict[str, Any] = {
        "id": answer_id,
        "object": "text_completion",
        "created": created,
        "model": model,
        "choices": [choice],
    }
    if answer.usage is not None:
        completion["usage"] = from_usage(answer.usage)
    return _ENCODE(completion)
