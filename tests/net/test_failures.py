"""Answers that break off, stall or come at the wrong time, and what is left of the connection."""

import asyncio
import socket
from contextlib import suppress

import pytest
from tests.net.hostile import SHORT, HostileServer, Peer, Script, ask, chunked, client_of, sized

from ownkey.gateway.net import (
    ConnectFailed,
    ConnectionLost,
    NetError,
    ProtocolViolation,
    Stage,
    TimedOut,
    Timeouts,
    UpstreamResponse,
)
from ownkey.gateway.net.connection import Connection

CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
HEADS = [
    b"",
    b"HTTP/1.1 2",
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 200 OK\r\ncontent-length: 5",
    b"HTTP/1.1 100 Continue\r\n\r\n",
]
BODIES = [
    b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n",
    b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhell",
    CHUNKED,
    CHUNKED + b"5",
    CHUNKED + b"5\r\nhell",
    CHUNKED + b"5\r\nhello",
    CHUNKED + b"5\r\nhello\r\n",
    CHUNKED + b"5\r\nhello\r\n0\r\n",
    CHUNKED + b"5\r\nhello\r\n0\r\na: b\r\n",
]


def saying(*pieces: bytes, then: str = "close") -> Script:
    async def script(peer: Peer) -> None:
        await peer.answer(*pieces)
        if then == "reset":
            peer.reset()
        elif then == "stall":
            await peer.closed()

    return script


async def outcome(script: Script, timeouts: Timeouts | None = None) -> tuple[NetError, int]:
    """The error of one whole exchange and how many connections it took."""
    async with HostileServer(script) as server, client_of() as client:
        with pytest.raises(NetError) as failed:
            await (await client.send(ask(server, timeouts=timeouts))).read(1 << 20)
        return failed.value, server.connections


@pytest.mark.parametrize("then", ["close", "reset"])
@pytest.mark.parametrize("said", HEADS + BODIES)
async def test_answer_that_breaks_off_is_a_lost_connection_and_is_not_repeated(said: bytes, then: str) -> None:
    error, connections = await outcome(saying(*filter(None, [said]), then=then))
    assert isinstance(error, ConnectionLost)
    assert error.sent
    assert connections == 1


async def test_what_came_before_the_break_is_delivered_first() -> None:
    async with HostileServer(saying(CHUNKED + b"5\r\nhello\r\n")) as server, client_of() as client:
        response = await client.send(ask(server))
        assert await response.chunk() == b"hello"
        for _ in range(2):
            with pytest.raises(ConnectionLost):
                await response.chunk()


async def test_reset_in_a_body_that_ends_with_the_connection_is_not_its_end() -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(b"HTTP/1.1 200 OK\r\n\r\nhello")
        await read.wait()
        peer.reset()

    read = asyncio.Event()
    async with HostileServer(script) as server, client_of() as client:
        response = await client.send(ask(server))
        assert await response.chunk() == b"hello"
        read.set()
        with pytest.raises(ConnectionLost):
            await response.chunk()


@pytest.mark.parametrize("said", HEADS)
async def test_silence_before_the_head_is_complete_times_out(said: bytes) -> None:
    script = saying(*filter(None, [said]), then="stall")
    error, _ = await outcome(script, Timeouts(first_byte=SHORT))
    assert isinstance(error, TimedOut)
    assert (error.stage, error.sent, error.status) == (Stage.FIRST_BYTE, True, 504)


async def test_head_that_drips_does_not_extend_its_time() -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(b"HTTP/1.1 200 OK\r\n")
        while not peer.reader.at_eof():
            await peer.send(b"a: b\r\n")
            await asyncio.sleep(SHORT / 10)

    error, _ = await outcome(script, Timeouts(first_byte=SHORT))
    assert isinstance(error, TimedOut)
    assert error.stage is Stage.FIRST_BYTE


@pytest.mark.parametrize("said", BODIES)
async def test_silence_in_the_body_times_out(said: bytes) -> None:
    error, _ = await outcome(saying(said, then="stall"), Timeouts(idle=SHORT))
    assert isinstance(error, TimedOut)
    assert error.stage is Stage.IDLE


async def test_framing_without_content_does_not_count_as_progress() -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(CHUNKED + b"5;")
        while not peer.reader.at_eof():
            await peer.send(b"x")
            await asyncio.sleep(SHORT / 10)

    error, _ = await outcome(script, Timeouts(idle=SHORT))
    assert isinstance(error, TimedOut)
    assert error.stage is Stage.IDLE


async def test_lively_but_endless_answer_ends_at_the_total_time() -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(CHUNKED)
        while True:
            await peer.send(b"1\r\nx\r\n")
            await asyncio.sleep(SHORT / 20)

    error, _ = await outcome(script, Timeouts(total=SHORT))
    assert isinstance(error, TimedOut)
    assert error.stage is Stage.TOTAL


async def test_total_time_runs_also_while_nobody_reads() -> None:
    gone = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.answer(CHUNKED)
        await peer.closed()
        gone.set()

    async with HostileServer(script) as server, client_of() as client:
        response = await client.send(ask(server, timeouts=Timeouts(total=SHORT * 20)))
        await gone.wait()
        with pytest.raises(TimedOut):
            await response.chunk()


async def test_slow_reader_is_not_taken_for_a_silent_provider() -> None:
    async with HostileServer(saying(chunked(b"hello"))) as server, client_of() as client:
        response = await client.send(ask(server, timeouts=Timeouts(idle=SHORT)))
        await asyncio.sleep(SHORT * 2)
        assert await response.read(100) == b"hello"


async def test_peer_that_does_not_read_times_out_the_upload() -> None:
    async def script(peer: Peer) -> None:
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.Event().wait()

    async with HostileServer(script) as server, client_of() as client:
        request = ask(server, body=b"x" * 32_000_000, timeouts=Timeouts(idle=SHORT))
        with pytest.raises(TimedOut) as failed:
            await client.send(request)
    assert failed.value.stage is Stage.WRITE


async def test_early_refusal_ends_a_large_upload_and_the_connection() -> None:
    async def script(peer: Peer) -> None:
        if peer.index:
            await peer.answer(sized(b"second"))
            return
        await peer.reader.readuntil(b"\r\n\r\n")
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await peer.send(sized(b"too large", status=b"413 Too Large"))
        await asyncio.Event().wait()

    async with HostileServer(script) as server, client_of() as client:
        response = await client.send(ask(server, body=b"x" * 32_000_000))
        assert response.status == 413
        assert await response.read(100) == b"too large"
        assert await (await client.send(ask(server))).read(100) == b"second"
        assert server.connections == 2


async def test_connection_is_not_used_again_in_the_middle_of_a_body() -> None:
    """All that was written has left, but it was not the whole body: the next request would become part of it."""
    stopped = asyncio.Event()

    async def script(peer: Peer) -> None:
        if peer.index:
            await peer.answer(sized(b"second"))
            return
        await peer.reader.readuntil(b"\r\n\r\n")
        await peer.send(b"HTTP/1.1 413 Too Large\r\ncontent-length: 1\r\n\r\n")
        await stopped.wait()
        with suppress(TimeoutError):
            while True:
                await asyncio.wait_for(peer.reader.read(1 << 20), 0.3)
        await peer.send(b"x")
        await peer.closed()

    async with HostileServer(script) as server, client_of() as client:
        response = await client.send(ask(server, body=b"x" * 32_000_000))
        stopped.set()
        assert await response.read(100) == b"x"
        assert await asyncio.wait_for((await client.send(ask(server))).read(100), 60) == b"second"


async def test_early_success_does_not_cut_the_upload_short() -> None:
    body = b"x" * 16_000_000

    async def script(peer: Peer) -> None:
        await peer.reader.readuntil(b"\r\n\r\n")
        await peer.send(CHUNKED)
        await peer.reader.readexactly(len(body))
        await peer.send(b"3\r\nall\r\n0\r\n\r\n")

    async with HostileServer(script) as server, client_of() as client:
        response = await client.send(ask(server, body=body))
        assert await response.read(100) == b"all"


async def test_reset_during_an_upload_is_a_lost_connection() -> None:
    async def script(peer: Peer) -> None:
        await peer.reader.readuntil(b"\r\n\r\n")
        peer.reset()

    async with HostileServer(script) as server, client_of() as client:
        with pytest.raises(ConnectionLost) as failed:
            await client.send(ask(server, body=b"x" * 32_000_000))
    assert failed.value.sent


async def test_endless_interim_answers_are_refused() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        while True:
            await peer.send(b"HTTP/1.1 103 Early Hints\r\n\r\n")

    error, _ = await outcome(script)
    assert isinstance(error, ProtocolViolation)


async def test_endless_headers_are_refused() -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(b"HTTP/1.1 200 OK\r\n")
        while True:
            await peer.send(b"a: " + b"b" * 1000 + b"\r\n")

    error, _ = await outcome(script)
    assert isinstance(error, ProtocolViolation)


async def test_violation_closes_the_connection_and_says_nothing_from_the_peer() -> None:
    gone = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.answer(b"HTTP/1.1 200 OK\r\ncanary\r\n\r\n")
        await peer.closed()
        gone.set()

    async with HostileServer(script) as server, client_of() as client:
        with pytest.raises(ProtocolViolation) as failed:
            await client.send(ask(server))
        await asyncio.wait_for(gone.wait(), 60)
    error = failed.value
    assert "canary" not in f"{error} {error.public} {error.operator}"


async def test_refused_connection_is_connect_failed_and_not_sent() -> None:
    async with HostileServer(saying(b"")) as server:
        pass
    async with client_of() as client:
        with pytest.raises(ConnectFailed) as failed:
            await client.send(ask(server))
    assert not failed.value.sent


async def test_silent_address_times_out_in_connecting() -> None:
    """A listener with a full backlog answers no handshake, as a black hole would."""
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for filler in (first, second):
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        server = HostileServer(saying(b""))
        server.port = full.getsockname()[1]
        async with client_of() as client:
            with pytest.raises(TimedOut) as failed:
                await client.send(ask(server, timeouts=Timeouts(connect=SHORT)))
    assert failed.value.stage is Stage.CONNECT
    assert not failed.value.sent


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\n"])
async def test_cancelling_the_wait_for_the_head_closes_the_connection_at_once(said: bytes) -> None:
    asked, gone = asyncio.Event(), asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.answer(*filter(None, [said]))
        asked.set()
        await peer.closed()
        gone.set()

    async with HostileServer(script) as server, client_of() as client:
        task = asyncio.create_task(client.send(ask(server)))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(gone.wait(), 60)


async def test_cancelling_in_the_moment_the_head_comes_closes_the_connection_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gone = asyncio.Event()
    tasks: list[asyncio.Task[UpstreamResponse]] = []
    wake = Connection._wake

    def wake_and_cancel(connection: Connection) -> None:
        wake(connection)
        tasks[0].cancel()

    async def script(peer: Peer) -> None:
        await peer.answer(CHUNKED)
        await peer.closed()
        gone.set()

    async with HostileServer(script) as server, client_of() as client:
        monkeypatch.setattr(Connection, "_wake", wake_and_cancel)
        tasks.append(asyncio.create_task(client.send(ask(server))))
        with pytest.raises(asyncio.CancelledError):
            await tasks[0]
        await asyncio.wait_for(gone.wait(), 60)


async def test_cancelling_the_wait_for_the_body_closes_the_connection_at_once() -> None:
    gone = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.answer(CHUNKED)
        await peer.closed()
        gone.set()

    async with HostileServer(script) as server, client_of() as client:
        response = await client.send(ask(server))
        task = asyncio.create_task(response.read(100))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(gone.wait(), 60)


@pytest.mark.parametrize("how", ["abort", "forget"])
async def test_response_left_early_closes_its_connection(how: str) -> None:
    gone = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.answer(CHUNKED + b"5\r\nhello\r\n")
        await peer.closed()
        gone.set()

    async with HostileServer(script) as server, client_of() as client:
        response = await client.send(ask(server))
        if how == "abort":
            response.abort()
            response.abort()
            with pytest.raises(ConnectionLost):
                await response.chunk()
        del response
        await asyncio.wait_for(gone.wait(), 60)


async def test_reader_that_stops_bounds_what_is_buffered() -> None:
    """The peer can send no more than socket buffers and the high-water mark hold."""
    sent = 0
    blocked = asyncio.Event()

    async def script(peer: Peer) -> None:
        nonlocal sent
        await peer.answer(b"HTTP/1.1 200 OK\r\n\r\n")
        peer.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        peer.writer.transport.set_write_buffer_limits(0)
        for _ in range(1024):
            peer.writer.write(b"x" * 65536)
            drained = asyncio.ensure_future(peer.writer.drain())
            done, _ = await asyncio.wait([drained], timeout=0.5)
            if not done:
                blocked.set()
                await drained
            sent += 65536

    async with HostileServer(script) as server, client_of() as client:
        response = await client.send(ask(server))
        await asyncio.wait_for(blocked.wait(), 60)
        assert sent < 16 * 1024 * 1024
        first = await response.chunk()
        assert len(first) <= 64 * 1024 + 256 * 1024
        size = len(first)
        while piece := await response.chunk():
            size += len(piece)
        assert size == 1024 * 65536
