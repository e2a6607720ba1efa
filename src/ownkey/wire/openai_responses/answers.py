"""Responses, whole answers in both directions (openai.types.responses.Response)."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct, structs

from ownkey.domain.usage import Usage
from ownkey.wire.errors import MalformedAnswer, error_of_value
from ownkey.wire.fields import decode
from ownkey.wire.neutral import (
    GEMINI_REASONING,
    Answer,
    AnswerLabel,
    Part,
    Reasoning,
    Refusal,
    Stop,
    StopReason,
    Text,
    ToolCall,
)
from ownkey.wire.openai_chat.answers import signed
from ownkey.wire.openai_responses import reasoning
from ownkey.wire.openai_responses.usage import UsageShape, from_usage, to_usage

_ENCODE = msgspec.json.Encoder().encode

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


class Piece(Struct):
    """A part of a message, or of a reasoning item's summary or content."""

    type: str = ""
    text: str | None = None
    refusal: str | None = None


class Message(Struct):
    content: list[Piece] | None = None


class Call(Struct):
    name: str | None = None
    call_id: str | None = None
    id: str | None = None
    arguments: str | None = None


class Thought(Struct):
    summary: list[Piece] | None = None
    content: list[Piece] | None = None
    encrypted_content: str | None = None


class _Kind(Struct):
    type: str = ""


class Incomplete(Struct):
    reason: str | None = None


class _Response(Struct):
    id: str | None = None
    model: str | None = None
    status: str | None = None
    output: list[msgspec.Raw] | None = None
    usage: UsageShape | None = None
    incomplete_details: Incomplete | None = None
    error: Any = None


_RESPONSE = msgspec.json.Decoder(_Response)
_KIND = msgspec.json.Decoder(_Kind)
_MESSAGE = msgspec.json.Decoder(Message)
_CALL = msgspec.json.Decoder(Call)
_THOUGHT = msgspec.json.Decoder(Thought)


def read(body: bytes) -> Answer:
    response = decode(_RESPONSE, body)
    if response.error is not None:
        error = error_of_value(200, {"error": response.error})
        raise MalformedAnswer("an error in an answer with status 200", error)
    if response.output is None:
        raise MalformedAnswer("the answer has no output")
    parts = tuple(part for raw in response.output for part in _parts(bytes(raw)))
    incomplete = response.incomplete_details
    return Answer(
        id=response.id or "",
        model=response.model or "",
        parts=parts,
        stop=stop_of(
            response.status,
            incomplete.reason if incomplete is not None else None,
            any(isinstance(part, ToolCall) for part in parts),
        ),
        usage=to_usage(response.usage) if response.usage is not None else None,
    )


def stop_of(status: str | None, incomplete: str | None, calls_tools: bool) -> Stop:
    if status == "incomplete":
        return Stop(StopReason.REFUSAL if incomplete == "content_filter" else StopReason.MAX_TOKENS)
    return Stop(StopReason.TOOL_USE if calls_tools else StopReason.END)


def _parts(raw: bytes) -> list[Part]:
    """Nothing for the items of built-in tools, which no translated request can ask for."""
    kind = decode(_KIND, raw).type
    if kind == "message":
        return _message_parts(decode(_MESSAGE, raw).content or ())
    if kind == "function_call":
        call = decode(_CALL, raw)
        return [ToolCall(call_id(call), name_of(call), call.arguments or "")]
    if kind == "reasoning":
        thought = decode(_THOUGHT, raw)
        found = reasoning.unwrap(thought_text(thought), thought.encrypted_content)
        return [found] if found.text or found.signature or found.redacted else []
    return []


def _message_parts(content: Sequence[Piece]) -> list[Part]:
    parts: list[Part] = []
    for piece in content:
        if piece.refusal is not None:
            parts.append(Refusal(piece.refusal))
        elif piece.text is not None:
            parts.append(Text(piece.text))
    return parts


def thought_text(thought: Thought) -> str:
    return "\n\n".join(piece.text or "" for piece in thought.summary or thought.content or ())


def call_id(call: Call) -> str:
    """The id that the result must name. Raises MalformedAnswer."""
    found = call.call_id or call.id
    if not found:
        raise MalformedAnswer("a function call without an id")
    return found


def name_of(call: Call) -> str:
    if not call.name:
        raise MalformedAnswer("a function call without a name")
    return call.name


def write(answer: Answer, label: AnswerLabel) -> bytes:
    """The response repeats its request."""
    return _ENCODE(finish(skeleton(label), output_of(answer, label.id), answer.stop, answer.usage))


def response_id(answer_id: str) -> str:
    """The id of the response that answers the request `req_…`."""
    return "resp_" + answer_id.rpartition("_")[2]


def skeleton(label: AnswerLabel) -> dict[str, Any]:
    """A response that has just begun; the request that it repeats has been read without complaint before."""
    asked = label.asked
    response: dict[str, Any] = {
        "id": response_id(label.id),
        "object": "response",
        "created_at": label.created,
        "status": "in_progress",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "model": label.model,
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
            if isinstance(part, ToolCall) and part.signature is not None:
                output.append(before_call(part.signature, answer_id, len(output)))
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


def called(answer_id: str, index: int, call: ToolCall, status: str = "completed") -> dict[str, Any]:
    """The item of a call. Gemini's signature stands where Google's compatible surface of chat puts it."""
    item: dict[str, Any] = {
        "id": item_id("ctc" if call.freeform else "fc", answer_id, index),
        "type": "custom_tool_call" if call.freeform else "function_call",
        "status": status,
        "call_id": call.id,
        "name": call.name,
        "input" if call.freeform else "arguments": call.arguments,
    }
    if call.namespace is not None:
        item["namespace"] = call.namespace
    return item | signed(call.signature)


def thought(answer_id: str, index: int, text: str, encrypted: str | None) -> dict[str, Any]:
    summary = [{"type": "summary_text", "text": text}] if text else []
    item: dict[str, Any] = {"id": item_id("rs", answer_id, index), "type": "reasoning", "summary": summary}
    if encrypted is not None:
        item["encrypted_content"] = encrypted
    return item


def _item(part: Part, answer_id: str, index: int) -> dict[str, Any] | None:
    if isinstance(part, ToolCall):
        whole = part if part.freeform else structs.replace(part, arguments=part.arguments or "{}")
        return called(answer_id, index, whole)
    if isinstance(part, Reasoning):
        return thought(answer_id, index, part.text, reasoning.wrap(part.signature, part.redacted, part.format))
    return None


def before_call(signature: str, answer_id: str, index: int) -> dict[str, Any]:
    """The reasoning that a signed call came from: clients that drop unknown fields of calls return this."""
    return thought(answer_id, index, "", reasoning.wrap(None, signature, GEMINI_REASONING))
