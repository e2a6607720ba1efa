"""What a scripted provider of responses answers."""

import json
from typing import Any

from tests.gateway.upstream import answer


def response_object(id_: str = "resp_up1", text: str = "hello", **fields: Any) -> dict[str, Any]:
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    message = {"id": "msg_up1", "type": "message", "status": "completed", "role": "assistant", "content": [part]}
    return {
        "id": id_,
        "object": "response",
        "created_at": 1,
        "status": "completed",
        "error": None,
        "model": "m",
        "output": [message],
        "usage": {"input_tokens": 3, "output_tokens": 5, "total_tokens": 8},
    } | fields


def response_answer(id_: str = "resp_up1", text: str = "hello", **fields: Any) -> bytes:
    return answer(200, response_object(id_, text, **fields))


def response_event(kind: str, number: int, **fields: Any) -> bytes:
    body = {"type": kind, "sequence_number": number} | fields
    return f"event: {kind}\ndata: {json.dumps(body, separators=(',', ':'))}\n\n".encode()


def response_events(id_: str = "resp_up1", text: str = "hello") -> list[bytes]:
    begun = response_object(id_, status="in_progress", output=[], usage=None)
    delta = {"item_id": "msg_up1", "output_index": 0, "content_index": 0, "delta": text, "logprobs": []}
    return [
        response_event("response.created", 0, response=begun),
        response_event("response.output_text.delta", 1, **delta),
        response_event("response.completed", 2, response=response_object(id_, text)),
    ]
