"""OpenAI's images: a tiny PNG whose colour depends on the prompt (openai.types.ImagesResponse)."""

from base64 import b64encode
from collections.abc import Generator
from typing import Any, Literal

import msgspec
from msgspec import Struct

from ownkey.sandbox import tokens
from ownkey.sandbox.behaviours import reply_to
from ownkey.sandbox.chat import ChatRequest, Fault
from ownkey.sandbox.exchange import Answer, Context, EventStream, Response, StreamEvent
from ownkey.sandbox.faults import finish_answer, finish_stream
from ownkey.sandbox.formats.openai_completions import error_event
from ownkey.sandbox.media import picture
from ownkey.sandbox.reading import check_range, convert, invalid, missing, read_form, read_json

_IMAGE_TOKENS = 272
_encode = msgspec.json.Encoder().encode


class _Body(Struct):
    model: str | None = None
    prompt: str | None = None
    n: int | None = None
    stream: bool | None = None
    partial_images: int | None = None
    response_format: Literal["url", "b64_json"] | None = None
    output_format: str | None = None
    size: str | None = None
    quality: str | None = None
    background: str | None = None


_DECODER = msgspec.json.Decoder(_Body)


def generate(context: Context) -> Response:
    """POST …/images/generations."""
    body = read_json(context.request.body, _DECODER)
    if body.prompt is None:
        raise missing("prompt")
    return _respond(context, body, body.prompt, 0, "image_generation")


def edit(context: Context) -> Response:
    """POST …/images/edits."""
    form = read_form(context)
    body = convert(form, _Body)
    images = form.uploads("image", "image[]")
    if not images:
        raise missing("image")
    if body.prompt is None:
        raise missing("prompt")
    return _respond(context, body, body.prompt, len(images), "image_edit")


def vary(context: Context) -> Response:
    """POST …/images/variations: the file's name stands for the prompt."""
    form = read_form(context)
    images = form.uploads("image")
    if not images:
        raise missing("image")
    return _respond(context, convert(form, _Body), images[0].name, 1, "image_edit")


def _respond(context: Context, body: _Body, prompt: str, images: int, event: str) -> Response:
    if not body.model:
        raise invalid("model", "you must provide a model parameter", None)
    check_range("n", body.n, 1, 10)
    check_range("partial_images", body.partial_images, 0, 3)
    if body.output_format not in (None, "png"):
        raise invalid("output_format", "This simulator draws only 'png'.")
    size = tokens.count(prompt)
    chat = ChatRequest(
        model=body.model, prompt=prompt, prompt_tokens=size, input_tokens=size, stream=body.stream is True
    )
    reply = reply_to(chat, context.plan.key, context.state)
    usage = _usage(size, images, body.n or 1)
    if chat.stream and not reply.whole:
        events = _events(context, body, prompt, usage, event)
        problem = error_event(context, reply.error_event) if reply.error_event else b""
        events = finish_stream(events, reply, 2, problem)
        return EventStream(
            context.stream_head(), events, context.stream_pace(reply, 2), breaks_off=reply.fault is Fault.CUT
        )
    data = [_image(context, body, f"{prompt}{index}") for index in range(body.n or 1)]
    whole = {"created": int(context.request.at), "data": data, **_look(body), "usage": usage}
    answer = Answer(200, context.head(), _encode(whole), delay=context.delay(reply))
    return finish_answer(answer, reply)


def _image(context: Context, body: _Body, text: str) -> dict[str, Any]:
    if body.response_format == "url":
        return {"url": f"https://images.sandbox.invalid/{context.ident}.png"}
    return {"b64_json": b64encode(picture(text)).decode()}


def _look(body: _Body) -> dict[str, Any]:
    wanted = {"background": body.background, "quality": body.quality, "size": body.size}
    usual = {"background": "opaque", "quality": "low", "size": "1024x1024"}
    chosen = {name: usual[name] if value in (None, "auto") else value for name, value in wanted.items()}
    return {**chosen, "output_format": "png"}


def _usage(prompt: int, images: int, made: int) -> dict[str, Any]:
    asked, written = prompt + images * tokens.IMAGE_TOKENS, made * _IMAGE_TOKENS
    return {
        "input_tokens": asked,
        "input_tokens_details": {"image_tokens": images * tokens.IMAGE_TOKENS, "text_tokens": prompt},
        "output_tokens": written,
        "total_tokens": asked + written,
    }


def _events(context: Context, body: _Body, prompt: str, usage: Any, kind: str) -> Generator[StreamEvent, None, None]:
    common = {**_look(body), "created_at": int(context.request.at)}
    for index in range(body.partial_images or 0):
        data = {
            "type": f"{kind}.partial_image",
            "partial_image_index": index,
            "b64_json": b64encode(picture(f"{prompt}{index}")).decode(),
            **common,
        }
        yield 1, _event(data)
    image = b64encode(picture(f"{prompt}0")).decode()
    yield 1, _event({"type": f"{kind}.completed", "b64_json": image, "usage": usage, **common})


def _event(data: dict[str, Any]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (data["type"].encode(), _encode(data))
