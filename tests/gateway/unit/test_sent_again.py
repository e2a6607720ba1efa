"""An attempt whose request reached nobody, because the provider was closing an idle connection, is sent once more."""

import asyncio
import os
import socket
from types import SimpleNamespace
from typing import Any

import pytest
from tests.domain.values import MODEL, a_key, plan_for
from tests.net.hostile import HostileServer, Peer, ask, client_of, sized

from ownkey.domain.credential import Preferences
from ownkey.gateway.attempts import Attempts
from ownkey.gateway.learned import LearnedFacts
from ownkey.gateway.net import UpstreamClient
from ownkey.gateway.net.connection import Connection
from ownkey.gateway.outcomes import Answered, Outcome, Unreached
from ownkey.gateway.outgoing import Outgoing


async def tried(client: UpstreamClient, server: HostileServer) -> Outcome:
    """One attempt at the server, as a run of the pipeline makes it."""
    known = SimpleNamespace(known=lambda *_: "secret")
    builder = SimpleNamespace(build=lambda *_: Outgoing(ask(server)))
    parts: Any = (client, known, known, None, builder, LearnedFacts())
    delivery: Any = SimpleNamespace(meter=SimpleNamespace(adaptations=()), request=None, ask=None)
    steps = Attempts(*parts)._try(delivery, plan_for(a_key("mine"), model=MODEL).attempts[0], Preferences())
    value: Any = None
    while True:
        try:
            wait = steps.send(value)
        except StopIteration as ended:
            return ended.value
        came: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        waiter: Any = SimpleNamespace(came=came.set_result, failed=came.set_exception)
        wait.then(waiter)
        value = await asyncio.wait_for(came, 60)


@pytest.mark.parametrize("arrives", [False, True])
async def test_only_what_did_not_arrive_is_sent_again(monkeypatch: pytest.MonkeyPatch, arrives: bool) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(sized(b"%d" % peer.index))
        await peer.request()

    monkeypatch.setattr(Connection, "usable", lambda self: not self.closed)
    async with HostileServer(script) as server, client_of() as client:
        await (await client.send(ask(server))).read(10)
        if not arrives:
            with socket.socket(fileno=os.dup(server._peers[0].writer.get_extra_info("socket").fileno())) as doubled:
                doubled.shutdown(socket.SHUT_RDWR)
        outcome = await tried(client, server)
        assert isinstance(outcome, Unreached if arrives else Answered)
        assert server.connections == (1 if arrives else 2)
