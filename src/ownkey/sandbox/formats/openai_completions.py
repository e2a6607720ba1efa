"""OpenAI's legacy text completions (openai.types.Completion)."""

from collections.abc import Generator

import msgspec
from msgspec import Struct

from ownkey.sandbox import tokens
from ownkey.sandbox.chat import LONGEST, ChatRequest, Finish, Reply
from ownkey.sandbox.errors import Problem, render
from ownkey.sandbox.exchange import Context, StreamEvent
from ownkey.sandbox.reading import check_range, invalid, read_json


class _StreamOptions(Struct):
    include_usage: bool | None = None


class _Body(Struct):
    """`prompt` is read loosely: msgspec has no union of lists."""

    model: str | None = None
    prompt: str | list[str | int | list[int]] | None = None
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    echo: bool | None = None
    n: int | None = None
    stop: str | list[str] | None = None
    max_tokens: int | None = None
    temperature: float | None = None


_DECODER = msgspec.json.Decoder(_Body)
_encode = msgspec.json.Encoder().encode
_FINISH = {
    Finish.STOP: "stop",
    Finish.STOP_SEQUENCE: "stop",
    Finish.LENGTH: "length",
    Finish.TOOL: "stop",
    Finish.REFUSAL: "content_filter",
}


def read(context: Context) -> ChatRequest:
    """Only the first of several prompts is answered; tokens are shown as their numbers."""
    body = read_json(context.request.body, _DECODER)
    if not body.model:
        raise invalid("model", "you must provide a model parameter", None)
    check_range("temperature", body.temperature, 0, 2)
    check_range("n", body.n, 1, 128)
    check_range("max_tokens", body.max_tokens, 0, LONGEST)
    prompt = _prompt(body.prompt)
    return ChatRequest(
        model=body.model,
        prompt=prompt + prompt if body.echo else prompt,
        prompt_tokens=None,
        input_tokens=tokens.count(prompt),
        stream=body.stream is True,
        include_usage=body.stream_options is not None and body.stream_options.include_usage is True,
        count=body.n or 1,
        max_tokens=body.max_tokens,
        stop=[body.stop] if isinstance(body.stop, str) else body.stop or (),
    )


def _prompt(given: str | list[str | int | list[int]] | None) -> str:
    if given is None or isinstance(given, str):
        return given or "<|endoftext|>"
    if not given:
        raise invalid("prompt", "'$.prompt' is invalid: it must not be empty.", None)
    first = given[0]
    if isinstance(first, str):
        return first
    return " ".join(map(str, first if isinstance(first, list) else given))


def _usage(chat: ChatRequest, reply: Reply) -> dict[str, int]:
    written = reply.reported_tokens() * chat.count
    asked = chat.input_tokens
    return {"prompt_tokens": asked, "completion_tokens": written, "total_tokens": asked + written}


def _head(context: Context, chat: ChatRequest) -> dict[str, object]:
    return {
        "id": f"cmpl-{context.ident}",
        "object": "text_completion",
        "created": int(context.request.at),
        "model": chat.model,
    }


def _choice(index: int, text: str, finish: str | None) -> dict[str, object]:
    return {"text": text, "index": index, "logprobs": None, "finish_reason": finish}


def answer(context: Context, chat: ChatRequest, reply: Reply) -> bytes:
    choices = [_choice(index, reply.text, _FINISH[reply.finish]) for index in range(chat.count)]
    return _encode(_head(context, chat) | {"choices": choices, "usage": _usage(chat, reply)})


def events(context: Context, chat: ChatRequest, reply: Reply) -> Generator[StreamEvent, None, None]:
    """A chunk for each token, the finish, the usage when asked for, and [DONE]."""
    head = _head(context, chat)

    def chunk(index: int, text: str, finish: str | None = None) -> bytes:
        usage = {"usage": None} if chat.include_usage else {}
        return b"data: " + _encode(head | {"choices": [_choice(index, text, finish)]} | usage) + b"\n\n"

    for index in range(chat.count):
        for piece in reply.text_pieces():
            yield 1, chunk(index, piece)
        yield 0, chunk(index, "", _FINISH[reply.finish])
    if chat.include_usage:
        yield 0, b"data: " + _encode(head | {"choices": [], "usage": _usage(chat, reply)}) + b"\n\n"
    yield 0, b"data: [DONE]\n\n"


def error_event(context: Context, problem: Problem) -> bytes:
    return b"data: " + render(problem, context.vendor.shape, context.request_id) + b"\n\n"
