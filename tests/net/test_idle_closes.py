"""Servers that announce keep-alive and close all the same, at every moment, and what is sent to them a second time."""

import asyncio
import os
import socket
from collections.abc import Callable

import msgspec
import pytest
from tests.net.hostile import QUICK, HostileServer, Peer, ask, chunked, client_of, sized

from ownkey.gateway.net import ConnectionLost, UpstreamClient, UpstreamRequest
from ownkey.gateway.net.client import Sending
from ownkey.gateway.net.connection import Connection
from ownkey.gateway.net.habits import Habit
from ownkey.gateway.net.unread import unacknowledged

RESTING = msgspec.structs.replace(QUICK, rest_after_stream=60.0)
RESTLESS = msgspec.structs.replace(QUICK, rest_after_stream=0.0)
ROUNDS = 12


async def fetch(client: UpstreamClient, request: UpstreamRequest) -> bytes:
    return await (await client.send(request)).read(1 << 20)


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("when", ["at once", "after the end was read", "when the next is sent"])
async def test_no_request_is_lost_to_a_server_that_closes_after_each_stream(how: str, when: str) -> None:
    """llama.cpp's habit. The next request never takes the connection that is about to be closed."""
    closing = asyncio.Event()
    asked = 0

    async def script(peer: Peer) -> None:
        nonlocal asked
        await peer.answer(chunked(b"%d" % peer.index))
        asked += 1
        if when != "at once":
            await closing.wait()
            closing.clear()
        if how == "reset":
            peer.reset()

    async with HostileServer(script) as server, client_of(settings=RESTING) as client:
        for index in range(ROUNDS):
            sending = asyncio.create_task(fetch(client, ask(server)))
            if when == "when the next is sent" and index:
                await asyncio.sleep(0)
                closing.set()
            assert await sending == b"%d" % index
            if when == "after the end was read":
                closing.set()
        closing.set()
        assert (asked, server.connections) == (ROUNDS, ROUNDS)


async def test_connections_are_reused_after_streams_once_the_origin_kept_one_open() -> None:
    async def script(peer: Peer) -> None:
        while True:
            await peer.answer(chunked(b"%d" % peer.index))

    async with HostileServer(script) as server, client_of(settings=RESTLESS) as client:
        assert {await fetch(client, ask(server)) for _ in range(ROUNDS)} == {b"0"}
    async with HostileServer(script) as server, client_of(settings=RESTING) as client:
        assert [await fetch(client, ask(server)) for _ in range(3)] == [b"0", b"1", b"2"]


async def test_a_resting_connection_is_used_where_no_other_may_be_opened() -> None:
    async def script(peer: Peer) -> None:
        while True:
            await peer.answer(chunked(b"%d" % peer.index))

    full = msgspec.structs.replace(RESTING, max_connections_per_origin=1)
    async with HostileServer(script) as server, client_of(settings=full) as client:
        assert [await fetch(client, ask(server)) for _ in range(3)] == [b"0"] * 3


async def test_an_origin_that_keeps_closing_is_left_no_connection() -> None:
    """After two closes in a row the client closes first, right after each stream."""
    closed: list[int] = []
    gone = asyncio.Semaphore(0)

    async def script(peer: Peer) -> None:
        await peer.answer(chunked(b"%d" % peer.index))
        if peer.index < 2:
            peer.writer.close()
            await peer.writer.wait_closed()
        else:
            await peer.closed()
            closed.append(peer.index)
        gone.release()

    async with HostileServer(script) as server, client_of(settings=RESTLESS) as client:
        for index in range(4):
            assert await fetch(client, ask(server)) == b"%d" % index
            await gone.acquire()
        assert closed == [2, 3]


@pytest.fixture
def blind(monkeypatch: pytest.MonkeyPatch) -> None:
    """A close that is still under way through the network escapes the poll before the write."""
    monkeypatch.setattr(Connection, "usable", lambda self: not self.closed)


async def numbered(peer: Peer) -> None:
    while True:
        await peer.answer(sized(b"%d" % peer.index))


def close_unseen(server: HostileServer) -> None:
    """The server closes its first connection. No event loop has had a turn since, so that nobody was told of it."""
    with socket.socket(fileno=os.dup(server._peers[0].writer.get_extra_info("socket").fileno())) as doubled:
        doubled.shutdown(socket.SHUT_RDWR)


@pytest.mark.usefixtures("blind")
@pytest.mark.parametrize("body", [b"{}", b"x" * 8000, b"x" * 60_000])
async def test_a_post_that_reached_nobody_is_sent_again_once(body: bytes) -> None:
    """The server closed before the request arrived: the end of its side acknowledges none of it."""
    async with HostileServer(numbered) as server, client_of() as client:
        assert await fetch(client, ask(server, body=body)) == b"0"
        close_unseen(server)
        assert await fetch(client, ask(server, body=body)) == b"1"


@pytest.mark.usefixtures("blind")
async def test_who_does_not_wait_is_told_that_a_post_reached_nobody() -> None:
    async with HostileServer(numbered) as server, client_of() as client:
        assert await fetch(client, ask(server)) == b"0"
        close_unseen(server)
        sending = client.send_now(ask(server))
        assert sending is not None
        lost = await came(sending)
        assert isinstance(lost, ConnectionLost)
        assert (lost.unread, lost.sent, lost.answered) == (True, True, False)
        assert await (await client.send(ask(server), fresh=True)).read(10) == b"1"


@pytest.mark.parametrize("how", ["close", "reset"])
async def test_a_post_that_was_read_or_reset_is_not_sent_again(how: str) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(sized(b"%d" % peer.index))
        await peer.request()
        if how == "reset":
            peer.reset()

    async with HostileServer(script) as server, client_of() as client:
        assert await fetch(client, ask(server)) == b"0"
        with pytest.raises(ConnectionLost) as failed:
            await client.send(ask(server))
        assert not failed.value.unread
        assert server.connections == 1


async def came(sending: Sending) -> object:
    result: asyncio.Future[object] = asyncio.get_running_loop().create_future()

    class Waiter:
        def came(self, value: object) -> None:
            result.set_result(value)

    sending.then(Waiter())
    return await asyncio.wait_for(result, 60)


def test_what_a_peer_read_or_merely_received_is_acknowledged() -> None:
    def pair() -> tuple[socket.socket, socket.socket]:
        with socket.create_server(("127.0.0.1", 0)) as server:
            client = socket.create_connection(server.getsockname())
            peer, _ = server.accept()
        client.sendall(b"x" * 100)
        assert peer.recv(1000)
        peer.sendall(b"y")
        assert client.recv(1000)
        return client, peer

    client, peer = pair()
    peer.close()
    client.sendall(b"z" * 70)
    assert client.recv(10) == b""
    assert unacknowledged(client.fileno()) == 70
    client.close()

    client, peer = pair()
    client.sendall(b"z" * 70)
    assert peer.recv(1000)
    peer.close()
    assert client.recv(10) == b""
    assert unacknowledged(client.fileno()) == 0
    client.close()
    assert unacknowledged(client.fileno()) == 0


@pytest.mark.parametrize(
    ("steps", "keeps", "trusted"),
    [
        ([], True, False),
        (["soon"], True, False),
        (["soon", "soon"], False, False),
        (["late", "late", "late"], True, False),
        (["open"], True, True),
        (["open", "soon"], True, False),
        (["soon", "open", "soon"], True, False),
        (["soon", "soon", "open"], True, True),
    ],
)
def test_a_habit_is_learned(steps: list[str], keeps: bool, trusted: bool) -> None:
    habit = Habit(0.1, trusted=False)
    does: dict[str, Callable[[], None]] = {
        "soon": lambda: habit.closed(100.0, 100.5),
        "late": lambda: habit.closed(100.0, 101.5),
        "open": habit.stayed_open,
    }
    for step in steps:
        does[step]()
    assert (habit.keeps(101.0), habit.trusted) == (keeps, trusted)
    assert habit.keeps(200.0)
    assert habit.has_rested(100.0, 100.05) is trusted
    assert habit.has_rested(100.0, 100.2)
