"""What the connections of a turn write leaves at its end, in order, and nothing is lost or sent twice."""

import asyncio
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from ownkey.gateway.batching import BatchedTransport, WriteBatch


class Pair:
    """A batched transport over a real connection, and the socket at its other end."""

    def __init__(self, transport: BatchedTransport, peer: socket.socket) -> None:
        self.transport = transport
        self.peer = peer

    def arrived(self) -> bytes:
        """What the kernel has for the peer now."""
        arrived = b""
        try:
            while piece := self.peer.recv(1 << 20):
                arrived += piece
        except BlockingIOError:
            pass
        return arrived


@asynccontextmanager
async def connected(batch: WriteBatch) -> AsyncGenerator[Pair]:
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as peer:
        peer.connect(server.getsockname())
        accepted, _ = server.accept()
        peer.setblocking(False)
        transport, _ = await loop.create_connection(asyncio.Protocol, sock=accepted)
        try:
            yield Pair(BatchedTransport(transport, batch), peer)
        finally:
            transport.abort()


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    async with connected(WriteBatch()) as pair:
        yield pair


async def test_writes_of_a_turn_leave_at_its_end_in_order(pair: Pair) -> None:
    pair.transport.write(b"one ")
    pair.transport.write(bytearray(b"two "))
    pair.transport.write(memoryview(b"three"))
    assert pair.arrived() == b""
    assert pair.transport.get_write_buffer_size() == len(b"one two three")
    await asyncio.sleep(0)
    assert pair.arrived() == b"one two three"
    pair.transport.write(b"four")
    await asyncio.sleep(0)
    assert pair.arrived() == b"four"


async def test_a_full_batch_is_sent_within_the_turn() -> None:
    batch = WriteBatch()
    async with AsyncExitStack() as stack:
        pairs = [await stack.enter_async_context(connected(batch)) for _ in range(17)]
        for pair in pairs:
            pair.transport.write(b"x")
        assert [pair.arrived() for pair in pairs] == [b"x"] * 16 + [b""]
        await asyncio.sleep(0)
        assert pairs[-1].arrived() == b"x"


async def test_a_large_write_does_not_wait_and_keeps_its_place(pair: Pair) -> None:
    large = b"x" * 20_000
    pair.transport.write(b"before ")
    pair.transport.write(large)
    assert pair.arrived() == b"before " + large
    pair.transport.write(b"small ")
    pair.transport.writelines([b"then ", b"lines"])
    assert pair.arrived() == b"small then lines"
    await asyncio.sleep(0)
    assert pair.arrived() == b""


@pytest.mark.parametrize("end", ["close", "write_eof"])
async def test_what_was_written_before_the_end_is_sent(pair: Pair, end: str) -> None:
    pair.transport.write(b"last words")
    getattr(pair.transport, end)()
    assert pair.arrived() == b"last words"
    await asyncio.sleep(0)
    assert pair.arrived() == b""


async def test_an_abort_drops_what_was_not_sent(pair: Pair) -> None:
    pair.transport.write(b"never")
    pair.transport.abort()
    assert pair.transport.is_closing()
    await asyncio.sleep(0)
    assert pair.arrived() == b""


async def test_a_connection_that_is_lost_in_the_turn_harms_no_other() -> None:
    batch = WriteBatch()
    async with connected(batch) as lost, connected(batch) as other:
        lost.transport.write(b"x")
        other.transport.write(b"y")
        lost.transport._inner.abort()  # pyright: ignore[reportPrivateUsage] # the peer's reset comes past the wrapper
        await asyncio.sleep(0)
        assert other.arrived() == b"y"
