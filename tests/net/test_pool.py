"""Connections kept, shared, limited and given up; and that no answer ever reaches the wrong request."""

import asyncio
import os
from contextlib import suppress

import msgspec
import pytest
from tests.net.hostile import QUICK, SHORT, HostileServer, Peer, ask, chunked, client_of, sized

from ownkey.domain.errors import Unavailable
from ownkey.gateway.net import (
    AddressGuard,
    ConnectionLost,
    NetSettings,
    Stage,
    TimedOut,
    Timeouts,
    UpstreamClient,
    UpstreamRequest,
)


def with_limits(**changes: float) -> NetSettings:
    return msgspec.structs.replace(QUICK, **changes)


async def fetch(client: UpstreamClient, request: UpstreamRequest) -> bytes:
    return await (await client.send(request)).read(1 << 20)


async def serving(peer: Peer) -> None:
    """Answer every request with the number of the connection."""
    while True:
        await peer.answer(sized(b"%d" % peer.index))


async def test_sequential_requests_share_one_connection() -> None:
    async with HostileServer(serving) as server, client_of() as client:
        assert {await fetch(client, ask(server)) for _ in range(20)} == {b"0"}
        assert server.connections == 1


async def test_connection_used_last_is_used_first() -> None:
    async with HostileServer(serving) as server, client_of() as client:
        one, two = await client.send(ask(server)), await client.send(ask(server))
        assert server.connections == 1, "the first was complete before the second was sent"
        await one.read(10)
        await two.read(10)
        together = await asyncio.gather(*(fetch(client, ask(server)) for _ in range(3)))
        assert sorted(together) == [b"0", b"1", b"2"]
        last = {await fetch(client, ask(server)) for _ in range(5)}
        assert len(last) == 1


async def test_bytes_after_a_response_never_become_the_next_one() -> None:
    evil = sized(b"evil")

    async def script(peer: Peer) -> None:
        if peer.index == 0:
            await peer.answer(sized(b"good") + evil)
        else:
            await serving(peer)

    async with HostileServer(script) as server, client_of() as client:
        assert await fetch(client, ask(server)) == b"good"
        assert await fetch(client, ask(server)) == b"1"


@pytest.mark.parametrize("cut", range(len(sized(b"evil"))))
async def test_begin_of_a_forged_response_never_joins_the_next_one(cut: int) -> None:
    evil = sized(b"evil")[: cut + 1]

    async def script(peer: Peer) -> None:
        if peer.index == 0:
            await peer.answer(sized(b"good") + evil)
            await peer.closed()
        else:
            await serving(peer)

    async with HostileServer(script) as server, client_of() as client:
        assert await fetch(client, ask(server)) == b"good"
        assert await fetch(client, ask(server)) == b"1"


async def test_bytes_sent_to_an_idle_connection_close_it() -> None:
    more, gone = asyncio.Event(), asyncio.Event()

    async def script(peer: Peer) -> None:
        if peer.index:
            await serving(peer)
        await peer.answer(sized(b"good"))
        await more.wait()
        await peer.send(sized(b"evil"))
        await peer.closed()
        gone.set()

    async with HostileServer(script) as server, client_of() as client:
        assert await fetch(client, ask(server)) == b"good"
        more.set()
        await asyncio.wait_for(gone.wait(), 60)
        assert await fetch(client, ask(server)) == b"1"


async def test_bytes_the_loop_has_not_delivered_yet_are_seen_before_writing() -> None:
    """The surplus lies in the socket; the client's loop gets no turn between its arrival and the next send."""

    async def script(peer: Peer) -> None:
        if peer.index:
            await serving(peer)
        await peer.answer(sized(b"good"))
        answered.set_result(peer)
        await peer.closed()

    answered: asyncio.Future[Peer] = asyncio.get_running_loop().create_future()
    async with HostileServer(script) as server, client_of() as client:
        assert await fetch(client, ask(server)) == b"good"
        os.write((await answered).writer.get_extra_info("socket").fileno(), sized(b"evil"))
        assert await fetch(client, ask(server)) == b"1"


async def test_connection_closed_while_idle_is_replaced_without_an_error() -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(sized(b"%d" % peer.index))
        peer.writer.close()
        await peer.writer.wait_closed()
        ended.release()

    ended = asyncio.Semaphore(0)
    async with HostileServer(script) as server, client_of() as client:
        for index in range(5):
            assert await fetch(client, ask(server)) == b"%d" % index
            await ended.acquire()


async def test_connection_close_is_honoured() -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(sized(b"%d" % peer.index, b"connection: close"))
        await peer.closed()

    async with HostileServer(script) as server, client_of() as client:
        assert [await fetch(client, ask(server)) for _ in range(3)] == [b"0", b"1", b"2"]


async def lost_on_second_use(peer: Peer) -> None:
    """Promise keep-alive, take the next request of the connection and close without an answer."""
    await peer.answer(sized(b"%d" % peer.index))
    await peer.request()


async def test_post_whose_bytes_were_written_is_never_repeated() -> None:
    async with HostileServer(lost_on_second_use) as server, client_of() as client:
        assert await fetch(client, ask(server)) == b"0"
        with pytest.raises(ConnectionLost) as failed:
            await client.send(ask(server))
        assert failed.value.sent
        assert not failed.value.answered
        assert server.connections == 1


async def test_get_lost_on_a_reused_connection_is_repeated_on_a_new_one() -> None:
    async with HostileServer(lost_on_second_use) as server, client_of() as client:
        assert await fetch(client, ask(server)) == b"0"
        assert await fetch(client, ask(server, b"GET", b"")) == b"1"


async def test_get_is_repeated_only_once_and_only_before_the_first_byte() -> None:
    asked = 0

    async def script(peer: Peer) -> None:
        nonlocal asked
        await peer.request()
        asked += 1
        if peer.index == 0:
            await peer.send(sized(b"0"))
            await peer.request()
            asked += 1

    async with HostileServer(script) as server, client_of() as client:
        assert await fetch(client, ask(server)) == b"0"
        with pytest.raises(ConnectionLost):
            await client.send(ask(server, b"GET", b""))
        assert asked == 3

    async def partly(peer: Peer) -> None:
        await peer.answer(sized(b"0"))
        await peer.answer(b"HTTP/1.1 2")

    async with HostileServer(partly) as server, client_of() as client:
        assert await fetch(client, ask(server)) == b"0"
        with pytest.raises(ConnectionLost) as failed:
            await client.send(ask(server, b"GET", b""))
        assert failed.value.answered
        assert server.connections == 1


async def test_repetition_uses_a_new_connection_although_another_lies_idle() -> None:
    """Two idle connections to a server that loses both: the second would be as stale as the first."""
    first_answers = asyncio.Barrier(2)

    async def script(peer: Peer) -> None:
        await peer.request()
        if peer.index < 2:
            await first_answers.wait()
            await peer.send(sized(b""))
            await peer.request()
        else:
            await peer.send(sized(b"new"))

    async with HostileServer(script) as server, client_of() as client:
        await asyncio.gather(*(fetch(client, ask(server)) for _ in range(2)))
        assert await fetch(client, ask(server, b"GET", b"")) == b"new"


async def test_idle_connection_is_closed_after_its_lifetime() -> None:
    gone = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.answer(sized(b""))
        await peer.closed()
        gone.set()

    async with HostileServer(script) as server, client_of(settings=with_limits(idle_lifetime=SHORT)) as client:
        await fetch(client, ask(server))
        await asyncio.wait_for(gone.wait(), 60)


async def test_keep_alive_hint_shortens_the_lifetime() -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(sized(b"%d" % peer.index, b"keep-alive: timeout=1, max=100"))
        await peer.closed()

    async with HostileServer(script) as server, client_of() as client:
        assert await fetch(client, ask(server)) == b"0"
        assert await fetch(client, ask(server)) == b"1"


async def test_only_so_many_idle_connections_are_kept() -> None:
    closed = asyncio.Semaphore(0)

    async def script(peer: Peer) -> None:
        await peer.answer(sized(b""))
        await peer.closed()
        closed.release()

    async with HostileServer(script) as server, client_of(settings=with_limits(max_idle_per_origin=2)) as client:
        await asyncio.gather(*(fetch(client, ask(server)) for _ in range(5)))
        for _ in range(3):
            await asyncio.wait_for(closed.acquire(), 60)
        assert closed.locked()


async def test_requests_above_the_limit_wait_for_a_place_in_turn() -> None:
    held, begun = asyncio.Event(), asyncio.Event()
    order: list[bytes] = []

    async def script(peer: Peer) -> None:
        while True:
            asked = await peer.request()
            order.append(asked[-1:])
            begun.set()
            if asked[-1:] == b"0":
                await held.wait()
            await peer.send(chunked(asked[-1:]))

    async with HostileServer(script) as server, client_of(settings=with_limits(max_connections_per_origin=1)) as client:
        tasks = [asyncio.create_task(fetch(client, ask(server, body=b"%d" % index))) for index in range(6)]
        await begun.wait()
        held.set()
        assert await asyncio.gather(*tasks) == [b"0", b"1", b"2", b"3", b"4", b"5"]
        assert order == [b"0", b"1", b"2", b"3", b"4", b"5"]
        assert server.connections == 1


async def test_waiting_for_a_place_ends_and_leaves_the_place_to_others() -> None:
    held, begun = asyncio.Event(), asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        begun.set()
        await held.wait()
        await peer.send(sized(b"%d" % peer.index, b"connection: close"))

    async with HostileServer(script) as server, client_of(settings=with_limits(max_connections_per_origin=1)) as client:
        first = asyncio.create_task(fetch(client, ask(server)))
        await begun.wait()
        with pytest.raises(TimedOut) as failed:
            await client.send(ask(server, timeouts=Timeouts(queue=SHORT)))
        assert failed.value.stage is Stage.QUEUE
        assert not failed.value.sent
        cancelled = asyncio.create_task(client.send(ask(server)))
        await asyncio.sleep(0)
        cancelled.cancel()
        waiting = asyncio.create_task(fetch(client, ask(server)))
        held.set()
        assert await first == b"0"
        assert await waiting == b"1"


async def test_place_handed_to_a_request_that_was_just_cancelled_is_not_lost() -> None:
    async with (
        HostileServer(serving) as server,
        client_of(settings=with_limits(max_connections_per_origin=1)) as client,
    ):
        for _ in range(20):
            first = asyncio.create_task(fetch(client, ask(server)))
            second = asyncio.create_task(fetch(client, ask(server)))
            first.add_done_callback(lambda _, task=second: task.cancel())
            await asyncio.wait([first, second])
            assert first.exception() is None
        assert await asyncio.wait_for(fetch(client, ask(server)), 60)


@pytest.mark.parametrize("freed", ["connection", "place"])
async def test_what_is_handed_to_a_request_cancelled_in_the_same_moment_goes_to_the_next(freed: str) -> None:
    go = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.answer(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        await go.wait()
        if freed == "connection":
            await peer.send(b"0\r\n\r\n")
            await serving(peer)

    async with HostileServer(script) as server, client_of(settings=with_limits(max_connections_per_origin=1)) as client:
        response = await client.send(ask(server))
        unlucky = asyncio.create_task(client.send(ask(server)))
        await asyncio.sleep(0)
        (pool,) = client._pools.values()
        (connection,) = pool._open
        for event in ("on_release", "on_close"):
            notify = getattr(connection, event)
            setattr(connection, event, lambda it, notify=notify: (notify(it), unlucky.cancel()))
        go.set()
        with suppress(ConnectionLost):
            await response.read(10)
        await asyncio.wait([unlucky])
        assert unlucky.cancelled()
        assert (await asyncio.wait_for(client.send(ask(server)), 60)).status == 200


async def test_failed_dials_give_their_places_back() -> None:
    async with (
        HostileServer(serving) as server,
        client_of(settings=with_limits(max_connections_per_origin=1)) as client,
    ):
        refused = ask(server, trusted=False)
        for _ in range(3):
            with pytest.raises(Exception, match="private"):
                await client.send(refused)
        assert await fetch(client, ask(server)) == b"0"


async def test_trusted_and_other_requests_share_no_connection() -> None:
    async with HostileServer(serving) as server:
        guard = AddressGuard(frozenset({("127.0.0.1", server.port)}))
        async with client_of(guard) as client:
            assert await fetch(client, ask(server, trusted=True)) == b"0"
            assert await fetch(client, ask(server, trusted=False)) == b"1"
            assert await fetch(client, ask(server, trusted=True)) == b"0"


async def test_crowd_on_few_connections_gets_each_its_own_answer() -> None:
    """Cancellations, aborts, spoilt connections and all framings mixed; every body must fit its request."""

    async def script(peer: Peer) -> None:
        while True:
            asked = await peer.request()
            number = int(asked.rpartition(b"\r\n\r\n")[2])
            body = b"%d" % number
            if number % 7 == 0:
                await peer.send(sized(body) + sized(b"evil"))
                return
            if number % 5 == 0:
                await peer.send(sized(body, b"connection: close"))
                return
            await peer.send(chunked(body) if number % 2 else sized(body))

    async with HostileServer(script) as server, client_of(settings=with_limits(max_connections_per_origin=4)) as client:

        async def one(number: int) -> None:
            request = ask(server, body=b"%d" % number)
            if number % 11 == 0:
                task = asyncio.create_task(client.send(request))
                await asyncio.sleep(0)
                task.cancel()
                await asyncio.wait([task])
                if not task.cancelled():
                    (await task).abort()
            elif number % 13 == 0:
                (await client.send(request)).abort()
            else:
                assert await fetch(client, request) == b"%d" % number

        await asyncio.wait_for(asyncio.gather(*(one(number) for number in range(600))), 60)


async def test_closing_ends_what_is_under_way_and_refuses_the_rest() -> None:
    asked = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        asked.set()
        await peer.closed()

    settings = with_limits(max_connections_per_origin=1)
    async with HostileServer(script) as server, client_of(settings=settings) as client:
        active = asyncio.create_task(client.send(ask(server)))
        queued = asyncio.create_task(client.send(ask(server)))
        await asked.wait()
        await client.close()
        with pytest.raises(ConnectionLost):
            await active
        with pytest.raises(Unavailable):
            await queued
        with pytest.raises(Unavailable):
            await client.send(ask(server))
        await client.close()
