"""OpenAI's audio: a hum for speech, and the file's name and size for a transcript (openai.types.audio)."""

from base64 import b64encode
from collections.abc import Callable, Generator
from typing import Any

import msgspec
from msgspec import Struct

from ownkey.sandbox import media, tokens
from ownkey.sandbox.behaviours import last_segment, reply_to
from ownkey.sandbox.chat import ChatRequest, Fault, Reply
from ownkey.sandbox.exchange import SIMULATOR, Answer, Context, EventStream, Response, StreamEvent
from ownkey.sandbox.faults import finish_answer, finish_stream
from ownkey.sandbox.formats.openai_completions import error_event
from ownkey.sandbox.reading import Upload, check_range, convert, invalid, missing, read_form, read_json

_encode = msgspec.json.Encoder().encode
_PIECE = 4096
"""Bytes of sound that go out together."""
_SECONDS_PER_TOKEN = 0.05
_MOST_SECONDS = 60.0
_FORMATS: dict[str, tuple[str, Callable[[float], bytes]]] = {
    "mp3": ("audio/mpeg", media.mp3),
    "wav": ("audio/wav", media.wav),
    "pcm": ("audio/pcm", media.pcm),
}
_OLD = "tts-1"
_DURATION_ONLY = "whisper"


class _Speech(Struct):
    model: str | None = None
    input: str | None = None
    voice: str | dict[str, Any] | None = None
    response_format: str | None = None
    speed: float | None = None
    stream_format: str | None = None


_SPEECH = msgspec.json.Decoder(_Speech)


def speak(context: Context) -> Response:
    """POST …/audio/speech."""
    body = read_json(context.request.body, _SPEECH)
    if not body.model:
        raise invalid("model", "you must provide a model parameter", None)
    if body.input is None:
        raise missing("input")
    if body.voice is None:
        raise missing("voice")
    check_range("speed", body.speed, 0.25, 4)
    kind = _FORMATS.get(body.response_format or "mp3")
    if kind is None:
        raise invalid("response_format", f"This simulator speaks only {', '.join(_FORMATS)}.")
    events = body.stream_format == "sse"
    if events and last_segment(body.model).startswith(_OLD):
        raise invalid("stream_format", f"'sse' is not supported for '{body.model}'.")
    size = tokens.count(body.input)
    chat = ChatRequest(model=body.model, prompt=body.input, prompt_tokens=size, input_tokens=size, stream=events)
    reply = reply_to(chat, context.plan.key, context.state)
    media_type, make = kind
    data = make(min(reply.output_tokens() * _SECONDS_PER_TOKEN / (body.speed or 1), _MOST_SECONDS))
    stream = _speech_events(data, size) if events else _pieces(data)
    head = context.stream_head() if events else _head(context, media_type)
    return _stream(context, head, stream, reply, 1 + len(data) // _PIECE)


def _pieces(data: bytes) -> Generator[StreamEvent, None, None]:
    for at in range(0, len(data), _PIECE):
        yield 1, data[at : at + _PIECE]


def _speech_events(data: bytes, size: int) -> Generator[StreamEvent, None, None]:
    for carried, piece in _pieces(data):
        yield carried, _event({"type": "speech.audio.delta", "audio": b64encode(piece).decode()})
    usage = {"input_tokens": size, "output_tokens": size, "total_tokens": 2 * size}
    yield 0, _event({"type": "speech.audio.done", "usage": usage})


class _Fields(Struct):
    model: str | None = None
    response_format: str | None = None
    stream: bool | None = None
    temperature: float | None = None
    prompt: str | None = None
    language: str | None = None


def transcribe(context: Context) -> Response:
    """POST …/audio/transcriptions."""
    return _write_down(context, "transcribe")


def translate(context: Context) -> Response:
    """POST …/audio/translations."""
    return _write_down(context, "translate")


def _write_down(context: Context, task: str) -> Response:
    form = read_form(context)
    fields = convert(form, _Fields)
    if not fields.model:
        raise invalid("model", "you must provide a model parameter", None)
    files = form.uploads("file")
    if not files:
        raise missing("file")
    check_range("temperature", fields.temperature, 0, 1)
    text = heard(files[0])
    old = last_segment(fields.model).startswith(_DURATION_ONLY)
    streamed = fields.stream is True and not old
    size = tokens.count(text)
    chat = ChatRequest(model=fields.model, prompt=text, prompt_tokens=size, input_tokens=size, stream=streamed)
    reply = reply_to(chat, context.plan.key, context.state)
    usage: dict[str, Any] = {"type": "duration", "seconds": _seconds(files[0])}
    if not old:
        usage = {
            "type": "tokens",
            "input_tokens": size,
            "input_token_details": {"text_tokens": 0, "audio_tokens": size},
            "output_tokens": reply.reported_tokens(),
            "total_tokens": size + reply.reported_tokens(),
        }
    if streamed and not reply.whole:
        return _stream(context, context.stream_head(), _text_events(reply, usage), reply, reply.output_tokens())
    head, body = _written(context, fields, task, reply.text, usage, _seconds(files[0]))
    answer = Answer(200, head, body, delay=context.delay(reply))
    return finish_answer(answer, reply)


def heard(file: Upload) -> str:
    """What the simulator hears in a file."""
    return f"{file.name} has {len(file.data)} bytes."


def _seconds(file: Upload) -> float:
    return float(max(1, len(file.data) // (2 * media.RATE)))


def _written(
    context: Context, fields: _Fields, task: str, text: str, usage: dict[str, Any], seconds: float
) -> tuple[bytes, bytes]:
    end = f"00:00:{int(seconds) % 60:02d}"
    match fields.response_format or "json":
        case "json":
            told = {"text": text} if task == "translate" else {"text": text, "usage": usage}
            return context.head(), _encode(told)
        case "verbose_json":
            whole = {"task": task, "language": "english", "duration": seconds, "text": text}
            return context.head(), _encode(whole | {"segments": [_segment(text, seconds)], "usage": usage})
        case "text":
            return _head(context, "text/plain; charset=utf-8"), f"{text}\n".encode()
        case "srt":
            subtitles = f"1\n00:00:00,000 --> {end},000\n{text}\n\n"
            return _head(context, "text/plain; charset=utf-8"), subtitles.encode()
        case "vtt":
            subtitles = f"WEBVTT\n\n00:00:00.000 --> {end}.000\n{text}\n\n"
            return _head(context, "text/vtt; charset=utf-8"), subtitles.encode()
        case other:
            raise invalid("response_format", f"'{other}' is not one of 'json', 'text', 'srt', 'verbose_json', 'vtt'.")


def _segment(text: str, seconds: float) -> dict[str, Any]:
    return {
        "id": 0,
        "seek": 0,
        "start": 0.0,
        "end": seconds,
        "text": text,
        "tokens": [],
        "temperature": 0.0,
        "avg_logprob": -0.1,
        "compression_ratio": 1.0,
        "no_speech_prob": 0.0,
    }


def _text_events(reply: Reply, usage: dict[str, Any]) -> Generator[StreamEvent, None, None]:
    for piece in reply.text_pieces():
        yield 1, _event({"type": "transcript.text.delta", "delta": piece})
    yield 0, _event({"type": "transcript.text.done", "text": reply.text, "usage": usage})


def _event(data: dict[str, Any]) -> bytes:
    return b"data: " + _encode(data) + b"\n\n"


def _head(context: Context, media_type: str) -> bytes:
    vendor = context.vendor
    return (
        f"content-type: {media_type}\r\n{SIMULATOR}{vendor.head}{vendor.request_id}: {context.request_id}\r\n"
    ).encode()


def _stream(
    context: Context, head: bytes, events: Generator[StreamEvent, None, None], reply: Reply, size: int
) -> EventStream:
    problem = error_event(context, reply.error_event) if reply.error_event else b""
    events = finish_stream(events, reply, size, problem)
    return EventStream(head, events, context.stream_pace(reply, size), breaks_off=reply.fault is Fault.CUT)
