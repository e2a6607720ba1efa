"""When bytes were sent and came, for the requests that ask for it."""

import asyncio
from time import monotonic

import pytest
from tests.net.hostile import SHORT, HostileServer, Peer, ask, chunked, client_of, sized

from ownkey.gateway.net import ConnectionLost, TimedOut, Timeouts, UpstreamRequest

HEAD = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


def timed(server: HostileServer, timeouts: Timeouts | None = None) -> UpstreamRequest:
    plain = ask(server)
    return UpstreamRequest(plain.method, plain.target, [], b"{}", trusted=True, timeouts=timeouts, timed=True)


async def test_pieces_carry_the_time_they_came_and_not_the_time_they_were_read() -> None:
    sent: list[float] = []
    read_up_to = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(HEAD, b"1\r\na\r\n")
        sent.append(monotonic())
        await read_up_to.wait()
        await peer.send(b"1\r\nb\r\n0\r\n\r\n")

    async with HostileServer(script) as server, client_of() as client:
        before = monotonic()
        response = await client.send(timed(server))
        pieces = await response.timed_chunk()
        read_up_to.set()
        # Nobody reads while the second piece comes, and it is read later.
        while not response._exchange.ended:  # noqa: ASYNC110 (nothing tells when, which is the point)
            await asyncio.sleep(0)
        ended = monotonic()
        pieces += await response.timed_chunk()
        assert [data for _, data in pieces] == [b"a", b"b"]
        assert before <= response.sent_at <= pieces[0][0] <= pieces[1][0] <= ended
        assert sent[0] <= pieces[1][0]
        assert await response.timed_chunk() == []


async def test_pieces_of_one_read_share_one_time() -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(chunked(b"a", b"b", b"c"))

    async with HostileServer(script) as server, client_of() as client:
        response = await client.send(timed(server))
        pieces = await response.timed_chunk()
        assert [data for _, data in pieces] == [b"a", b"b", b"c"]
        assert len({stamp for stamp, _ in pieces}) == 1


async def test_connecting_is_timed_on_a_new_connection_only() -> None:
    async def script(peer: Peer) -> None:
        while True:
            await peer.answer(sized(b"x"))

    async with HostileServer(script) as server, client_of() as client:
        before = monotonic()
        first = await client.send(timed(server))
        assert first.connect_seconds is not None
        assert before + first.connect_seconds <= first.sent_at
        assert await first.read(10) == b"x"
        second = await client.send(timed(server))
        assert second.connect_seconds is None
        assert await second.timed_chunk() != []
        assert await second.timed_chunk() == []


async def test_a_timed_request_is_not_sent_without_waiting() -> None:
    async def script(peer: Peer) -> None:
        while True:
            await peer.answer(sized(b"x"))

    async with HostileServer(script) as server, client_of() as client:
        assert await (await client.send(timed(server))).read(10) == b"x"
        assert client.send_now(timed(server)) is None


async def test_a_request_that_is_not_timed_has_no_times() -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(sized(b"x"))

    async with HostileServer(script) as server, client_of() as client:
        response = await client.send(ask(server))
        with pytest.raises(RuntimeError):
            _ = response.sent_at
        assert await response.read(10) == b"x"


async def test_what_came_before_a_break_is_read_with_its_time_and_then_the_break() -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(HEAD + b"1\r\na\r\n")
        peer.cut()

    async with HostileServer(script) as server, client_of() as client:
        response = await client.send(timed(server))
        assert [data for _, data in await response.timed_chunk()] == [b"a"]
        with pytest.raises(ConnectionLost):
            await response.timed_chunk()


async def test_a_silent_body_runs_into_the_idle_limit() -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(HEAD)
        await peer.closed()

    async with HostileServer(script) as server, client_of() as client:
        response = await client.send(timed(server, Timeouts(idle=SHORT)))
        with pytest.raises(TimedOut):
            await response.timed_chunk()


async def test_a_body_larger_than_the_high_water_mark_is_read_whole() -> None:
    body = bytes(range(256)) * 4000

    async def script(peer: Peer) -> None:
        await peer.answer(sized(body))

    async with HostileServer(script) as server, client_of() as client:
        response = await client.send(timed(server))
        taken = b""
        while pieces := await response.timed_chunk():
            taken += b"".join(data for _, data in pieces)
        assert taken == body
