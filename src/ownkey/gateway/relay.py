"""Bringing an accepted answer to the client: bytes pass when the formats agree, events are translated when not."""

import re
from collections.abc import Callable
from typing import Any

import msgspec

from ownkey.domain.errors import UpstreamError
from ownkey.domain.formats import Operation
from ownkey.domain.usage import RequestStatus, Usage
from ownkey.gateway.attempts import whole_body
from ownkey.gateway.delivery import Delivery
from ownkey.gateway.receipt import HeaderFields
from ownkey.gateway.refusals import passed_beside_type
from ownkey.gateway.relayed import PassedBody, RelayedStream
from ownkey.gateway.responses import Recorder, Recording
from ownkey.gateway.scrub import scrub
from ownkey.gateway.steps import Steps, awaited
from ownkey.gateway.streams import CUT, ArrayStream, ClientStream, PassedStream, TranslatedStream
from ownkey.gateway.unsure import UnsureStream
from ownkey.wire import FORMATS, PROVIDER_CHATS, MalformedAnswer, StreamWriter, WireError
from ownkey.wire.events import StreamFailed
from ownkey.wire.neutral import AnswerLabel
from ownkey.wire.registry import event_type
from ownkey.wire.translation import gather_answer, new_reader, new_writer, stream_answer, translate_answer

_ANSWER_LIMIT = 64 * 1024 * 1024
_CHATS = frozenset({Operation.CHAT, Operation.COMPLETION})
_JSON = (b"content-type", b"application/json")
_EVENT_STREAM: HeaderFields = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]
_ARRAY = [(b"content-type", b"application/json; charset=utf-8"), *_EVENT_STREAM[1:]]
_OBJECT = msgspec.json.Decoder(dict[str, Any])
_JSON_TYPE = re.compile(rb"application/(?:[a-z0-9.+-]+\+)?json")
_EVENTS_TYPE = b"text/event-stream"
_EVENTS = (b"data:", b"event:", b"id:", b"retry:", b":")
"""How a stream of events begins."""
_PASSED_TYPES = re.compile(
    rb"audio/[a-z0-9.+-]+|application/(?:octet-stream|ogg|x-subrip)|text/(?:plain|vtt|srt)|video/(?:mp4|webm)"
)
"""Sound, subtitles and plain text. Pages, scripts and archives are no answer to any of our formats."""
_UNKNOWN_TYPE = b"application/octet-stream"


class Relay:
    """Relays one accepted answer. A stream that is silent for `ping_interval` seconds is kept alive by a ping in the
    client's format."""

    def __init__(self, recording: Recording, ping_interval: float = 15.0) -> None:
        self._recording = recording
        self._ping_interval = ping_interval

    def run(self, delivery: Delivery) -> Steps[None]:
        """Raises UpstreamError while nothing has been sent to the client; later failures end the stream."""
        try:
            if _is_stream(delivery):
                yield from self._stream(delivery)
            elif _is_whole(delivery):
                yield from self._whole(delivery)
            else:
                yield from _pass_bytes(delivery)
        finally:
            delivery.response.abort()

    def _whole(self, delivery: Delivery) -> Steps[None]:
        body = yield from whole_body(delivery.response, _ANSWER_LIMIT)
        meter = delivery.meter
        meter.first_content()
        try:
            if body.startswith(_EVENTS) and delivery.attempt.format in PROVIDER_CHATS:
                body = _gather_answer(body, delivery)
            elif delivery.same_format:
                if delivery.back.names is not None:
                    body = delivery.back.names.restored(body)
                _check_answer(body, delivery)
            else:
                body = _translate_answer(body, delivery)
        except MalformedAnswer as malformed:
            if malformed.error is None:
                raise
            delivery.report(malformed.error)
            return
        recorder = self._recorder(delivery)
        if recorder is not None:
            yield from awaited(recorder.whole(body))
        delivery.answer(_passed(delivery, _JSON), body)

    def _stream(self, delivery: Delivery) -> Steps[None]:
        recorder = self._recorder(delivery)
        fields = _passed(delivery, *(_ARRAY if delivery.ask.as_array else _EVENT_STREAM))
        relayed = RelayedStream(
            delivery, _open_stream(delivery), fields, self._ping_interval, recorded=recorder is not None
        )
        try:
            relayed.begin()
            while relayed.held or not relayed.over:
                if not relayed.held:
                    yield relayed
                elif recorder is not None:
                    yield from awaited(recorder.passing(relayed.held))
                    relayed.release()
        finally:
            relayed.close()
        rest = relayed.stream.finish(relayed.failure)
        if recorder is not None and relayed.watched.ended and rest:
            yield from awaited(recorder.passing(rest))
        _end_stream(rest, relayed, delivery)

    def _recorder(self, delivery: Delivery) -> Recorder | None:
        meter = delivery.meter
        return self._recording.recorder(
            delivery.ask,
            delivery.attempt,
            meter.principal.user_id,
            meter.plan.model,
            passes=delivery.same_format,
        )


def _end_stream(rest: bytes | None, relayed: RelayedStream, delivery: Delivery) -> None:
    meter, failure, error = delivery.meter, relayed.failure, relayed.watched.error
    reason = failure or UpstreamError(CUT)
    meter.stream_ended(reason.code)
    if not meter.streaming:
        if failure is None and error is not None:
            delivery.report(error)
            return
        if meter.status is RequestStatus.FAILED:
            raise reason
        relayed.start()
    if rest is None:
        delivery.abort()
    else:
        delivery.end(rest if error is None else scrub(rest, delivery.secret))


def _check_answer(body: bytes, delivery: Delivery) -> None:
    """Read the usage of an answer that passes. Raises MalformedAnswer for what is no answer."""
    format_ = FORMATS[delivery.attempt.format]
    delivery.meter.usage = format_.usage_of(body)
    error = format_.broken_off(body)
    if error is not None:
        raise MalformedAnswer("finish_reason error", error)
    if delivery.meter.usage is not None:
        return
    try:
        fields = _OBJECT.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise MalformedAnswer("no JSON object") from None
    if fields.get("error") is not None:
        raise MalformedAnswer("an error in an answer with status 200", format_.errors.read(200, body))


def _translate_answer(body: bytes, delivery: Delivery) -> bytes:
    formats = delivery.attempt.format, delivery.ask.format
    body, delivery.meter.usage = translate_answer(*formats, body, _named(delivery), delivery.back.restoring)
    return body


def _gather_answer(body: bytes, delivery: Delivery) -> bytes:
    """The answer in events that nobody asked for."""
    formats = delivery.attempt.format, delivery.ask.format
    body, delivery.meter.usage = gather_answer(*formats, body, _named(delivery), delivery.back)
    return body


def _named(delivery: Delivery) -> AnswerLabel:
    ask, meter = delivery.ask, delivery.meter
    return AnswerLabel(ask.model, int(meter.at), meter.request_id, ask.asked, ask.estimated_input_tokens)


def _open_stream(delivery: Delivery) -> ClientStream:
    ask = delivery.ask

    def writer() -> StreamWriter:
        return new_writer(ask.format, _named(delivery), ask.wants_usage)

    def told(error: WireError) -> bytes:
        return writer().write(StreamFailed(error))

    def whole(body: bytes) -> tuple[bytes, Usage | None]:
        formats = delivery.attempt.format, ask.format
        return stream_answer(*formats, body, _named(delivery), ask.wants_usage, delivery.back)

    failed: Callable[[WireError], bytes] = told
    stream: ClientStream
    if delivery.same_format:
        format_ = FORMATS[ask.format]
        failed = format_.failure
        # What Ownkey alone asked for is taken out; what the provider sends unasked is its clients'.
        kept = ask.wants_usage or delivery.attempt.facts.stream_usage in ("always", "never")
        stream = PassedStream(format_.observer(kept), failed, format_.largest_event, delivery.back.names)
    else:
        stream = TranslatedStream(new_reader(delivery.attempt.format), writer(), delivery.back.restoring)
    if _media_type(delivery) != _EVENTS_TYPE and event_type(delivery.attempt.format) == _EVENTS_TYPE:
        stream = UnsureStream(stream, whole, failed)
    return ArrayStream(stream) if ask.as_array else stream


def _passed(delivery: Delivery, *ours: tuple[bytes, bytes]) -> HeaderFields:
    """Our fields and those of the provider that mean something in the client's format."""
    if not delivery.same_format:
        return [*ours]
    return [*ours, *passed_beside_type(delivery.response.headers)]


def _is_stream(delivery: Delivery) -> bool:
    """Whether events come: a chat is answered as it was asked, and elsewhere some models ignore `stream`."""
    ask = delivery.ask
    return ask.stream and (ask.format.operation in _CHATS or _media_type(delivery) == _EVENTS_TYPE)


def _is_whole(delivery: Delivery) -> bool:
    """Whether a body that is no stream is read as a whole: all but sound, images and texts in formats of media."""
    return not FORMATS[delivery.ask.format].media or _JSON_TYPE.fullmatch(_media_type(delivery)) is not None


def _pass_bytes(delivery: Delivery) -> Steps[None]:
    """Relay a body that is neither JSON nor events, piece by piece. Its usage is not told.

    Raises MalformedAnswer for a kind that is not allowed, and NetError where the body breaks off: the
    client then sees a body without its end.
    """
    kind = _media_type(delivery)
    if _PASSED_TYPES.fullmatch(kind) is None:
        raise MalformedAnswer(f"an answer of the kind {kind[:100]!r}")
    response = delivery.response
    passed = passed_beside_type(response.headers)
    ours = [
        (b"content-type", response.header(b"content-type") or _UNKNOWN_TYPE),
        # A browser must not take it for anything else.
        (b"x-content-type-options", b"nosniff"),
    ]

    def start() -> None:
        delivery.meter.first_content()
        delivery.start([*ours, *passed])

    yield from PassedBody(response, delivery.responder, start).steps()
    delivery.meter.completed(response.status)
    delivery.end()


def _media_type(delivery: Delivery) -> bytes:
    """The answer's media type without parameters, in lower case."""
    kind = delivery.response.header(b"content-type") or _UNKNOWN_TYPE
    return kind.partition(b";")[0].strip().lower()
