"""A connection on a transport that the test plays: what is pushed, when it is reused, when it is not."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ownkey.gateway.batching import WriteBatch
from ownkey.gateway.net.connection import Connection
from ownkey.gateway.net.errors import ConnectionLost, NetError, ResponseTooLarge, Stage, TimedOut
from ownkey.gateway.net.exchange import Exchange
from ownkey.gateway.net.response import UpstreamResponse
from ownkey.gateway.net.settings import NetSettings, Timeouts

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


class Transport:
    """Takes what is written; `unsent` is what it says it has not sent."""

    def __init__(self) -> None:
        self._pair = socket.socketpair()
        self.unsent = 0
        self.aborted = False
        self.reading = True

    def close_pair(self) -> None:
        for end in self._pair:
            end.close()

    def get_extra_info(self, name: str) -> Any:
        return self._pair[0] if name == "socket" else None

    def write(self, data: bytes) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def is_closing(self) -> bool:
        return self.aborted

    def abort(self) -> None:
        self.aborted = True

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


class Sink:
    def __init__(self) -> None:
        self.log: list[bytes | NetError | None] = []

    def received(self, data: bytes) -> None:
        self.log.append(data)

    def ended(self, error: NetError | None) -> None:
        self.log.append(error)


class AtOnce(WriteBatch):
    """No turns: what is written is sent."""

    def add(self, flush: Callable[[], None]) -> None:
        flush()


class Talk:
    """One connection, with a request sent on it."""

    def __init__(self, transport: Transport, timeouts: Timeouts | None = None) -> None:
        self.transport = transport
        self.released = 0
        self.connection = Connection(asyncio.get_running_loop(), NetSettings(), "http://provider.test:80", AtOnce())
        made: Any = transport
        self.connection.connection_made(made)
        self.connection.on_release = self._release
        self.heads: list[Exchange] = []
        self.exchange = self.connection.begin(b"POST", timeouts or Timeouts(), self.heads.append)

    def _release(self, _: Connection) -> None:
        self.released += 1


@pytest.fixture
def transport() -> Iterator[Transport]:
    transport = Transport()
    yield transport
    transport.close_pair()


async def test_a_connection_is_reused_after_a_whole_answer(transport: Transport) -> None:
    talk = Talk(transport)
    talk.connection.data_received(HEAD + b"answer")
    assert (talk.released, transport.aborted) == (1, False)
    assert talk.connection.usable()


async def test_a_connection_with_unsent_bytes_is_not_reused(transport: Transport) -> None:
    """An answer that came before the request was out: the rest of that would go before the next request."""
    talk = Talk(transport)
    transport.unsent = 10
    talk.connection.data_received(HEAD + b"answer")
    assert (talk.released, transport.aborted) == (0, True)


async def test_a_body_is_pushed_piece_by_piece_and_ends_once(transport: Transport) -> None:
    talk, sink = Talk(transport), Sink()
    talk.connection.data_received(CHUNKED)
    talk.connection.flow(talk.heads[0], sink, 10.0)
    talk.connection.data_received(b"3\r\none\r\n")
    talk.connection.data_received(b"3\r\ntwo\r\n3\r\nend\r\n0\r\n\r\n")
    assert sink.log == [b"one", b"twoend", None]
    assert talk.released == 1


async def test_what_came_before_a_break_is_pushed_before_its_error(transport: Transport) -> None:
    talk, sink = Talk(transport), Sink()
    talk.connection.data_received(CHUNKED)
    talk.connection.flow(talk.heads[0], sink, 10.0)
    talk.connection.data_received(b"3\r\none\r\nno chunk at all\r\n")
    assert sink.log[0] == b"one"
    assert isinstance(sink.log[1], NetError)
    assert len(sink.log) == 2
    assert transport.aborted


async def test_a_lost_connection_tells_that_an_answer_had_begun(transport: Transport) -> None:
    talk, sink = Talk(transport), Sink()
    talk.connection.data_received(CHUNKED)
    talk.connection.flow(talk.heads[0], sink, 10.0)
    talk.connection.connection_lost(None)
    [error] = sink.log
    assert isinstance(error, ConnectionLost)
    assert error.answered


async def test_a_sink_that_gives_up_is_told_once(transport: Transport) -> None:
    talk = Talk(transport)

    class GivesUp(Sink):
        def received(self, data: bytes) -> None:
            super().received(data)
            talk.connection.abandon(talk.exchange)

    sink = GivesUp()
    talk.connection.data_received(CHUNKED)
    talk.connection.flow(talk.heads[0], sink, 10.0)
    talk.connection.data_received(b"3\r\none\r\n")
    assert sink.log[0] == b"one"
    assert len(sink.log) == 2
    assert transport.aborted


async def test_a_slow_reader_stops_the_reading_and_lets_it_go_on(transport: Transport) -> None:
    talk, sink = Talk(transport), Sink()
    talk.connection.data_received(CHUNKED)
    talk.connection.flow(talk.heads[0], sink, 10.0)
    talk.connection.pause(talk.exchange)
    assert not transport.reading
    talk.connection.resume(talk.exchange)
    assert transport.reading


async def test_a_large_complete_answer_does_not_pause_the_connection_for_the_next(transport: Transport) -> None:
    talk = Talk(transport)
    size = NetSettings().high_water + 1
    talk.connection.data_received(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size + b"x" * size)
    assert (talk.released, transport.reading) == (1, True)


async def test_a_body_that_flows_until_its_whole_time_is_over_was_not_silent(transport: Transport) -> None:
    talk, sink = Talk(transport, Timeouts(total=0.05)), Sink()
    talk.connection.data_received(CHUNKED)
    talk.connection.flow(talk.heads[0], sink, 10.0)
    talk.connection.data_received(b"3\r\none\r\n")
    async with asyncio.timeout(5):
        while len(sink.log) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    error = sink.log[1]
    assert isinstance(error, TimedOut)
    assert error.stage is Stage.TOTAL


class Told:
    """What a waiter is told."""

    def __init__(self) -> None:
        self.came_in: list[object] = []

    def came(self, value: object) -> None:
        self.came_in.append(value)


@pytest.mark.parametrize("rest", [b"0\r\n\r\n", b"3\r\ntwo\r\n"])
async def test_a_body_that_begins_too_large_is_refused_once(transport: Transport, rest: bytes) -> None:
    talk, told = Talk(transport), Told()
    talk.connection.data_received(CHUNKED + b"3\r\none\r\n")
    UpstreamResponse(talk.connection, talk.heads[0], 10.0).reading(2).then(told)
    talk.connection.data_received(rest)
    assert [type(came) for came in told.came_in] == [ResponseTooLarge]
