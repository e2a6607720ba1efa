"""Ollama's whole answers (ollama.ChatResponse), which are also the events of its streams."""

import re
from typing import Any

import msgspec
from msgspec import Struct

from ownkey.domain.usage import Usage
from ownkey.wire.errors import MalformedAnswer, error_of_value
from ownkey.wire.fields import Count, decode
from ownkey.wire.neutral import Answer, Part, Reasoning, Stop, StopReason, Text, ToolCall

_NO_WORD = re.compile(r"[^a-zA-Z0-9]")


class Function(Struct):
    name: str = ""
    arguments: msgspec.Raw = msgspec.Raw()


class Call(Struct):
    function: Function
    id: str | None = None


class Message(Struct):
    content: str | None = None
    thinking: str | None = None
    tool_calls: list[Call] | None = None


class Response(Struct):
    """An answer, or one line of a stream. The last line alone is `done` and holds the counts."""

    message: Message | None = None
    model: str | None = None
    created_at: str | None = None
    done: bool = False
    done_reason: str | None = None
    prompt_eval_count: Count | None = None
    eval_count: Count | None = None
    error: Any = None


RESPONSE = msgspec.json.Decoder(Response)


def read(body: bytes) -> Answer:
    response = checked(decode(RESPONSE, body))
    if response.message is None:
        raise MalformedAnswer("the answer has no message")
    parts = _parts(response.message, answer_id(response))
    return Answer(
        id="",
        model=response.model or "",
        parts=parts,
        stop=stop_of(response.done_reason, any(isinstance(part, ToolCall) for part in parts)),
        usage=usage_of(response),
    )


def checked(response: Response) -> Response:
    """Raises MalformedAnswer, which tells the error, for an error in the place of an answer."""
    if response.error is not None:
        error = error_of_value(200, {"error": response.error})
        raise MalformedAnswer("an error in an answer with status 200", error)
    return response


def answer_id(response: Response) -> str:
    """What tells the calls of one answer from those of others: its time, as Ollama numbers no answers."""
    return _NO_WORD.sub("", response.created_at or "")[:64]


def call_of(call: Call, answer: str, number: int) -> tuple[str, str, str]:
    """(id, name, arguments). Older versions give calls no id. Raises MalformedAnswer for one without a name."""
    if not call.function.name:
        raise MalformedAnswer("a tool call without a name")
    try:
        arguments = bytes(call.function.arguments).decode()
    except UnicodeDecodeError as error:
        raise MalformedAnswer("a tool call's arguments that are not UTF-8") from error
    return call.id or f"call_{answer}_{number}", call.function.name, "{}" if arguments in ("", "null") else arguments


def stop_of(done_reason: str | None, calls_tools: bool) -> Stop:
    """`load` and `unload` answer a request without messages."""
    if done_reason == "length":
        return Stop(StopReason.MAX_TOKENS)
    return Stop(StopReason.TOOL_USE if calls_tools else StopReason.END)


def usage_of(response: Response) -> Usage | None:
    """None when no count is given. A prompt that is cached whole may be left out of the counts."""
    if response.prompt_eval_count is None and response.eval_count is None:
        return None
    return Usage(int(response.prompt_eval_count or 0), int(response.eval_count or 0))


def _parts(message: Message, answer: str) -> tuple[Part, ...]:
    parts: list[Part] = []
    if message.thinking:
        parts.append(Reasoning(message.thinking))
    if message.content:
        parts.append(Text(message.content))
    parts += [ToolCall(*call_of(call, answer, number)) for number, call in enumerate(message.tool_calls or ())]
    return tuple(parts)
