"""Bringing an accepted answer to the client: bytes pass when the formats agree, events are translated when not."""

from collections.abc import Sequence

from ownkey.domain.errors import OwnkeyError, UpstreamError
from ownkey.gateway.attempts import Answered
from ownkey.gateway.edge.exchange import Responder
from ownkey.gateway.ledger import Ledger
from ownkey.gateway.meter import Meter
from ownkey.gateway.net import NetError
from ownkey.gateway.read import Ask
from ownkey.gateway.receipt import cost_headers, receipt_headers
from ownkey.gateway.scrub import scrub
from ownkey.wire import CHAT_FORMATS, FORMATS, Observer
from ownkey.wire.errors import own_error
from ownkey.wire.events import StreamFailed

_ANSWER_LIMIT = 64 * 1024 * 1024
_PASSED = frozenset({b"content-type", b"request-id", b"x-request-id", b"openai-processing-ms", b"openai-version"})
_PASSED_PREFIXES = (b"x-ratelimit-", b"anthropic-ratelimit-")
_EVENT_ENDS = (b"\n\n", b"\r\n\r\n", b"\r\r")
_TAIL = 4
_NO_BUFFERING = [(b"cache-control", b"no-cache"), (b"x-accel-buffering", b"no")]
_EVENT_STREAM = [(b"content-type", b"text/event-stream; charset=utf-8"), *_NO_BUFFERING]


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
        if attempt.format is ask.format:
            meter.usage = FORMATS[attempt.format].usage_of(body)
            headers = passed_headers(response.headers)
        else:
            answer = CHAT_FORMATS[attempt.format].answers.read(body)
            meter.usage = answer.usage
            write = CHAT_FORMATS[ask.format].answers.write
            body = write(answer, model=ask.model, created=int(meter.at), answer_id=meter.request_id)
            headers = [(b"content-type", b"application/json")]
        meter.completed(response.status)
        cost, charged = meter.cost()
        headers += receipt_headers(meter.request_id, attempt, meter.attempts)
        headers += cost_headers(cost, charged, 0)
        self._ledger.settle(meter)
        responder.answer(response.status, headers, body)

    async def _pass_stream(self, answered: Answered, ask: Ask, responder: Responder, meter: Meter) -> None:
        response = answered.response
        observer = FORMATS[ask.format].observer(ask.wants_usage)
        headers = passed_headers(response.headers) + _NO_BUFFERING
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
                    tail = out if len(out) > _TAIL else tail[-_TAIL:] + out
                    responder.write(out)
                    await responder.drain()
        except NetError as error:
            failure = error
        if failure is None and (held := observer.finish()):
            tail = held
            responder.write(scrub(held, answered.secret))
        self._end_passed(observer, failure, ask, tail, responder, meter)

    def _end_passed(
        self,
        observer: Observer,
        failure: OwnkeyError | None,
        ask: Ask,
        tail: bytes,
        responder: Responder,
        meter: Meter,
    ) -> None:
        meter.usage = observer.usage
        if observer.error is not None:
            meter.failed(200, observer.error.code or observer.error.kind.value)
        elif observer.ended:
            meter.completed(200)
        else:
            failure = failure or UpstreamError("The provider ended the stream before the answer was complete.")
            meter.failed(200, failure.code)
            self._ledger.settle(meter)
            if tail.endswith(_EVENT_ENDS):
                writer = CHAT_FORMATS[ask.format].streams.writer(ask.model, int(meter.at), meter.request_id, False)
                responder.write(writer.write(StreamFailed(own_error(failure))))
                responder.end()
            else:
                # Half an event is already with the client: only a broken connection tells the truth now.
                responder.abort()
            return
        self._ledger.settle(meter)
        responder.end()

    async def _translate_stream(self, answered: Answered, ask: Ask, responder: Responder, meter: Meter) -> None:
        response = answered.response
        reader = CHAT_FORMATS[answered.attempt.format].streams.reader()
        new_writer = CHAT_FORMATS[ask.format].streams.writer
        writer = new_writer(ask.model, int(meter.at), meter.request_id, ask.wants_usage)
        meter.streaming = True
        headers = _EVENT_STREAM + receipt_headers(meter.request_id, answered.attempt, meter.attempts)
        responder.start(response.status, headers, None)
        code = "upstream_error"
        try:
            while chunk := await response.chunk():
                out = b"".join([writer.write(event) for event in reader.feed(chunk)])
                if reader.first_content:
                    meter.first_content()
                if out:
                    meter.events += out.count(b"data:")
                    responder.write(out if reader.error is None else scrub(out, answered.secret))
                    await responder.drain()
        except NetError as error:
            code = error.code
        rest = b"".join([writer.write(event) for event in reader.finish()]) + writer.finish()
        meter.usage = reader.usage
        if reader.error is None and reader.ended:
            meter.completed(200)
        else:
            meter.failed(200, code)
        self._ledger.settle(meter)
        responder.write(scrub(rest, answered.secret))
        responder.end()
