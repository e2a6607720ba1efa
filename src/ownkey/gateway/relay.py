"""Bringing an accepted answer to the client: bytes pass when the formats agree, events are translated when not."""

from typing import Any

import msgspec

from ownkey.domain.errors import OwnkeyError, UpstreamError
from ownkey.domain.usage import RequestStatus
from ownkey.gateway.array_stream import ArrayStream
from ownkey.gateway.attempts import Answered
from ownkey.gateway.edge.exchange import Responder
from ownkey.gateway.heartbeat import Heartbeat
from ownkey.gateway.ledger import Ledger
from ownkey.gateway.media_answers import Body, body_of, pass_bytes
from ownkey.gateway.meter import Meter
from ownkey.gateway.net import NetError
from ownkey.gateway.read import Ask
from ownkey.gateway.receipt import HeaderFields, cost_headers, receipt_headers
from ownkey.gateway.refusals import passed_headers, render_told
from ownkey.gateway.responses import Keeping
from ownkey.gateway.scrub import scrub
from ownkey.gateway.streams import CUT, ClientStream, PassedStream, TranslatedStream
from ownkey.wire import FORMATS, MalformedAnswer, StreamWriter, WireError, ping_of
from ownkey.wire.events import StreamFailed
from ownkey.wire.neutral import AnswerLabel
from ownkey.wire.translation import new_reader, new_writer, translate_answer

_ANSWER_LIMIT = 64 * 1024 * 1024
_JSON = (b"content-type", b"application/json")
_EVENT_STREAM = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]
_ARRAY = [(b"content-type", b"application/json; charset=utf-8"), *_EVENT_STREAM[1:]]
_OBJECT = msgspec.json.Decoder(dict[str, Any])


class Relay:
    """Relays one answer and settles its account before the client can see the end of it.

    A stream that is silent for `ping_interval` seconds is kept alive by a ping in the client's format.
    """

    def __init__(self, ledger: Ledger, keeping: Keeping, ping_interval: float = 15.0) -> None:
        self._ledger = ledger
        self._keeping = keeping
        self._ping_interval = ping_interval

    async def run(self, answered: Answered, ask: Ask, responder: Responder, meter: Meter) -> None:
        """Raises UpstreamError while nothing has been sent to the client; later failures end the stream."""
        try:
            match body_of(answered, ask):
                case Body.EVENTS:
                    await self._stream(_open_stream(answered, ask, meter), answered, ask, responder, meter)
                case Body.WHOLE:
                    await self._whole(answered, ask, responder, meter)
                case Body.BYTES:
                    await pass_bytes(answered, ask, responder, meter, self._ledger)
        finally:
            answered.response.abort()

    async def _whole(self, answered: Answered, ask: Ask, responder: Responder, meter: Meter) -> None:
        body = self._ready(await answered.response.read(_ANSWER_LIMIT), answered, ask, responder, meter)
        keeper = self._keeping.keeper(ask, answered.attempt, meter.principal.user_id, meter.plan.model)
        if body is not None:
            if keeper is not None:
                await keeper.whole(body)
            self._give(body, answered, ask, responder, meter)

    def tell_whole(self, body: bytes, answered: Answered, ask: Ask, responder: Responder, meter: Meter) -> None:
        """Answer with a body that is here as a whole and need not be kept. Raises UpstreamError when it is none."""
        ready = self._ready(body, answered, ask, responder, meter)
        if ready is not None:
            self._give(ready, answered, ask, responder, meter)

    def _ready(self, body: bytes, answered: Answered, ask: Ask, responder: Responder, meter: Meter) -> bytes | None:
        """The client's body; None when it was an error after all, which has been told."""
        meter.first_content()
        try:
            if answered.attempt.format is ask.format:
                _check_answer(body, answered, meter)
                return body
            return _translate_answer(body, answered, ask, meter)
        except MalformedAnswer as malformed:
            if malformed.error is None:
                raise
            self._tell(malformed.error, answered, ask, responder, meter)
            return None

    def _give(self, body: bytes, answered: Answered, ask: Ask, responder: Responder, meter: Meter) -> None:
        attempt, response = answered.attempt, answered.response
        meter.completed(response.status)
        cost, charged = meter.cost()
        headers = receipt_headers(ask.format, meter.request_id, attempt, meter.attempts, _passed(answered, ask, _JSON))
        headers += cost_headers(cost, charged, 0)
        self._ledger.settle(meter)
        responder.answer(response.status, headers, body)

    async def _stream(
        self, stream: ClientStream, answered: Answered, ask: Ask, responder: Responder, meter: Meter
    ) -> None:
        response = answered.response
        watched = meter.watched = stream.watched
        keeper = self._keeping.keeper(ask, answered.attempt, meter.principal.user_id, meter.plan.model)
        failure: OwnkeyError | None = None
        heart = Heartbeat(self._ping_interval, lambda: _ping(stream, answered, ask, responder, meter))
        try:
            while watched.error is None and stream.failure is None and (chunk := await response.chunk()):
                out = stream.feed(chunk)
                if watched.first_content:
                    meter.first_content()
                if not out:
                    continue
                if not meter.streaming:
                    if watched.error is not None and not watched.first_content:
                        break
                    _start(answered, ask, responder, meter)
                if keeper is not None and watched.ended:
                    await keeper.passing(out)
                meter.events += out.count(b"data:")
                responder.write(out if watched.error is None else scrub(out, answered.secret))
                heart.passed()
                await responder.drain()
            failure = stream.failure
        except NetError as error:
            failure = error
        finally:
            heart.stop()
        rest = stream.finish(failure)
        if keeper is not None and watched.ended and rest:
            await keeper.passing(rest)
        self._end(rest, stream, failure, answered, ask, responder, meter)

    def _end(
        self,
        rest: bytes | None,
        stream: ClientStream,
        failure: OwnkeyError | None,
        answered: Answered,
        ask: Ask,
        responder: Responder,
        meter: Meter,
    ) -> None:
        reason = failure or UpstreamError(CUT)
        meter.stream_ended(reason.code)
        if not meter.streaming:
            told = stream.watched.error
            if failure is None and told is not None:
                self._tell(told, answered, ask, responder, meter)
                return
            if meter.status is RequestStatus.FAILED:
                raise reason
            _start(answered, ask, responder, meter)
        self._ledger.settle(meter)
        if rest is None:
            responder.abort()
            return
        responder.write(rest if stream.watched.error is None else scrub(rest, answered.secret))
        responder.end()

    def _tell(self, error: WireError, answered: Answered, ask: Ask, responder: Responder, meter: Meter) -> None:
        """Answer with an error that came inside an accepted answer, while the client has nothing of it yet."""
        status, headers, body = render_told(error, ask.format, meter.request_id, answered.attempt, meter.attempts)
        meter.failed(status, UpstreamError.code)
        self._ledger.settle(meter)
        responder.answer(status, headers, scrub(body, answered.secret))


def _check_answer(body: bytes, answered: Answered, meter: Meter) -> None:
    """Read the usage of an answer that passes. Raises MalformedAnswer for what is no answer."""
    format_ = FORMATS[answered.attempt.format]
    meter.usage = format_.usage_of(body)
    if meter.usage is not None:
        return
    try:
        fields = _OBJECT.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise MalformedAnswer("no JSON object") from None
    if fields.get("error") is not None:
        raise MalformedAnswer("an error in an answer with status 200", format_.errors.read(200, body))


def _translate_answer(body: bytes, answered: Answered, ask: Ask, meter: Meter) -> bytes:
    body, meter.usage = translate_answer(answered.attempt.format, ask.format, body, _named(ask, meter))
    return body


def _named(ask: Ask, meter: Meter) -> AnswerLabel:
    return AnswerLabel(ask.model, int(meter.at), meter.request_id, ask.asked)


def _open_stream(answered: Answered, ask: Ask, meter: Meter) -> ClientStream:
    def writer() -> StreamWriter:
        return new_writer(ask.format, _named(ask, meter), ask.wants_usage)

    def failed(error: WireError) -> bytes:
        return writer().write(StreamFailed(error))

    stream: ClientStream
    if answered.attempt.format is ask.format:
        format_ = FORMATS[ask.format]
        stream = PassedStream(format_.observer(ask.wants_usage), format_.failure or failed, format_.largest_event)
    else:
        stream = TranslatedStream(new_reader(answered.attempt.format), writer())
    return ArrayStream(stream) if ask.as_array else stream


def _ping(stream: ClientStream, answered: Answered, ask: Ask, responder: Responder, meter: Meter) -> None:
    """Keep the client waiting. Before the first event this gives up telling an error by its status: clients that
    hear nothing for minutes leave."""
    if stream.between_events and not responder.gone:
        if not meter.streaming:
            _start(answered, ask, responder, meter)
        responder.write(ping_of(ask.format))


def _start(answered: Answered, ask: Ask, responder: Responder, meter: Meter) -> None:
    """Send the head, as late as the first event: until then an error can be told as one."""
    passed = _passed(answered, ask, *(_ARRAY if ask.as_array else _EVENT_STREAM))
    meter.streaming = True
    responder.start(
        answered.response.status,
        receipt_headers(ask.format, meter.request_id, answered.attempt, meter.attempts, passed),
        None,
    )


def _passed(answered: Answered, ask: Ask, *ours: tuple[bytes, bytes]) -> HeaderFields:
    """Our fields and those of the provider that mean something in the client's format."""
    if answered.attempt.format is not ask.format:
        return [*ours]
    return [*ours, *(field for field in passed_headers(answered.response.headers) if field[0] != b"content-type")]
