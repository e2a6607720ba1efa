"""Asking for responses, and what a scripted provider of them answers."""

import json
import sqlite3
from contextlib import closing
from typing import Any

import httpx2
from tests.gateway.conftest import Workshop
from tests.gateway.upstream import answer
from tests.services.stack import User

NOT_FOUND = {"code": "previous_response_not_found", "param": "previous_response_id", "type": "invalid_request_error"}


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


def ask(user: User, model: str = "openai/gpt-9", said: Any = "hello", **more: Any) -> httpx2.Response:
    headers = more.pop("headers", {})
    return user.gateway.post("/v1/responses", json={"model": model, "input": said} | more, headers=headers)


def paths(workshop: Workshop, key: str) -> list[str]:
    return [seen.path for seen in workshop.upstream.seen(key)]


def tables(workshop: Workshop) -> closing[sqlite3.Connection]:
    return closing(sqlite3.connect(workshop.data_dir / "ownkey.db", timeout=10))


def error_of(answered: httpx2.Response) -> dict[str, Any]:
    error = answered.json()["error"]
    error.pop("message")
    return error
