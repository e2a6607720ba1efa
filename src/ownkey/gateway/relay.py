"""Bringing an accepted answer to the client: bytes pass when the formats agree, events are translated when not."""

from collections.abc import Sequence

from ownkey.domain.errors import OwnkeyError, UpstreamError
from ownkey.domain.secret import Secret
from ownkey.gateway.attempts import Answered
from ownkey.gateway.edge.exchange import Responder
from ownkey.gateway.ledger import Ledger
from ownkey.gateway.meter import Meter
from ownkey.gateway.net import NetError
from ownkey.gateway.read import Ask
from ownkey.gateway.receipt import cost_headers, receipt_headers
from ownkey.gateway.scrub import scrub
from ownkey.wire import FORMATS, EventReader, EventWriter, Format, Observer

_ANSWER_LIMIT = 64 * 1024 * 1024
_PASSED = frozenset({b"content-type", b"request-id", b"x-request-id", b"openai-processing-ms", b"openai-version"})
_PASSED_PREFIXES = (b"x-ratelimit-", b"anthropic-ratelimit-")
_EVENT_ENDS = (b"\n\n", b"\r\n\r\n", b"\r\r")
_EVENT_STREAM = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]


def passed_headers(headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The provider's headers that a client may want; everything else stays behind."""
    return [field for field in headers if field[0] in _PASSED or field[0].startswith(_PASSED_PREFIXES)]


class Relay:
    """Relays one answer and settles its account before the client can see the end of it."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def run(self, answered: Answered, ask: Ask, responder: Responder, meter: Meter) -> None:
        """Raises UpstreamError while nothing has been sent to the client; later failures end the stream."""
        try:
            if not ask.stream:
                await self._whole(answered, ask, responder, meter)
            elif answered.attempt.format is ask.format:
                await self._pass_stream(answered, ask, responder, meter)
            else:
                await self._translate_stream(answered, ask, responder, meter)
        finally:
            answered.response.abort()

    async def _whole(self, answered: Answered, ask: Ask, responder: Responder, meter: Meter) -> None:
        attempt, response = answered.attempt, answered.response
        body = await response.read(_ANSWER_LIMIT)
        meter.first_content()
        upstream = FORMATS[attempt.format]
        if attempt.format is ask.format:
            meter.usage = upstream.usage_of(body)
            headers = passed_headers(response.headers)
        else:
            answer = upstream.answers.read(body)
            meter.usage = answer.usage
            body = FORMATS[ask.format].answers.write(answer, ask.model)
            headers = [(b"content-type", b"application/json")]
        meter.completed(response.status)
        cost, charged = meter.cost()
        headers += receipt_headers(meter.request_id, attempt, meter.attempts)
        headers += cost_headers(cost, charged, 0)
        self._ledger.settle(meter)
        responder.answer(response.status, headers, body)

    async def _pass_stream(self, answered: Answered, ask: Ask, responder: Responder, meter: Meter) -> None:
        response = answered.response
        format_ = FORMATS[ask.format]
        observer = format_.observer(ask.wants_usage)
        headers = passed_headers(response.headers) + _EVENT_STREAM[1:]
        headers += receipt_headers(meter.request_id, answered.attempt, meter.attempts)
        meter.streaming = True
        responder.start(response.status, headers, None)
        failure: OwnkeyError | None = None
        tail = b"\n\n"
        try:
            while chunk := await response.chunk():
                meter.events += chunk.count(b"data:")
                out = observer.feed(chunk)
                if observer.first_content:
                    meter.first_content()
                if observer.error is not None:
                    out = scrub(out, answered.secret)
                if out:
                    tail = (tail + out)[-4:]
                    responder.write(out)
                    await responder.drain()
        except NetError as error:
            failure = error
        self._end_passed(observer, failure, format_, tail, responder, meter)

    def _end_passed(
        self,
        observer: Observer,
        failure: OwnkeyError | None,
        format_: Format,
        tail: bytes,
        responder: Responder,
        meter: Meter,
    ) -> None:
        meter.usage = observer.usage
        if observer.error is not None:
            meter.failed(200, "upstream_error")
        elif observer.ended:
            meter.completed(200)
        else:
            failure = failure or UpstreamError("The provider ended the stream before it was complete.")
            meter.failed(200, failure.code)
            if tail.endswith(_EVENT_ENDS):
                responder.write(format_.stream_error(failure, meter.request_id))
            else:
                # Half an event is already with the client: only a broken connection tells the truth now.
                self._ledger.settle(meter)
                responder.abort()
                return
        self._ledger.settle(meter)
        responder.end()

    async def _translate_stream(self, answered: Answered, ask: Ask, responder: Responder, meter: Meter) -> None:
        response = answered.response
        reader: EventReader = FORMATS[answered.attempt.format].streams.reader()
        client = FORMATS[ask.format]
        writer: EventWriter = client.streams.writer(
            model=ask.model, created=int(meter.at), answer_id=meter.request_id, include_usage=ask.wants_usage
        )
        headers = _EVENT_STREAM + receipt_headers(meter.request_id, answered.attempt, meter.attempts)
        meter.streaming = True
        responder.start(response.status, headers, None)
        failure: OwnkeyError | None = None
        try:
            while chunk := await response.chunk():
                meter.events += chunk.count(b"data:")
                await self._write_events(reader, writer, reader.feed(chunk), answered.secret, responder, meter)
        except NetError as error:
            failure = error
        await self._write_events(reader, writer, reader.finish(), answered.secret, responder, meter)
        responder.write(writer.finish())
        meter.usage = reader.usage
        if reader.failed:
            meter.failed(200, failure.code if failure else "upstream_error")
        else:
            meter.completed(200)
        self._ledger.settle(meter)
        responder.end()

    async def _write_events(
        self,
        reader: EventReader,
        writer: EventWriter,
        events: Sequence[object],
        secret: Secret,
        responder: Responder,
        meter: Meter,
    ) -> None:
        out = b"".join([writer.write(event) for event in events])
        if reader.first_content:
            meter.first_content()
        if out:
            responder.write(scrub(out, secret) if reader.failed else out)
            await responder.drain()
