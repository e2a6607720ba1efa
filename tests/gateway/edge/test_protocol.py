"""Requests in order on one connection, split anywhere, across both planes."""

import asyncio
import json

import pytest

from ownkey.gateway.edge.exchange import Request, Responder
from tests.gateway.edge.conftest import PLAIN, Serve, get, post


async def test_a_request_split_at_every_byte_reads_the_same(serve: Serve) -> None:
    served = await serve()
    raw = post("/v1/chat/completions?x=1", b'{"a": 1}', "X-Empty:", "X-Padded:  b \t")
    for split in range(1, len(raw)):
        client = await served.connect()
        await client.send(raw[:split])
        await asyncio.sleep(0)
        await client.send(raw[split:])
        seen = (await client.answer()).json
        assert (seen["path"], seen["query"], seen["body"]) == ("/v1/chat/completions", "x=1", '{"a": 1}')
        assert ["x-empty", ""] in seen["headers"]
        assert ["x-padded", "b"] in seen["headers"]
        client.leave()
