"""The sandbox as a process: it says where it listens and goes when told."""

import asyncio
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from tests.sandbox.raw import RawClient, call, chat, events, request

CHAT = "/openai/v1/chat/completions"


@asynccontextmanager
async def running(*arguments: str) -> AsyncGenerator[tuple[asyncio.subprocess.Process, str]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ownkey.sandbox", "--port", "0", *arguments, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        line = (await process.stdout.readline()).decode()
        assert "simulator" in line
        yield process, line.split()[-1]
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_it_prints_where_it_listens_and_stops_cleanly_on_sigterm():
    async with running() as (process, url):
        assert (await call(url, CHAT, chat())).status == 200
        async with RawClient(url) as idle:
            idle.send(request(CHAT, chat()))
            await idle.receive()
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0


async def test_a_stream_under_way_ends_before_the_process():
    async with running() as (process, url), RawClient(url) as client:
        client.send(request(CHAT, chat("lorem-10", stream=True), headers={"x-sandbox-tps": "50"}))
        await client.receive_head()
        process.send_signal(signal.SIGTERM)
        body = b"".join([chunk async for chunk in client.chunks()])
        assert events(body)[-1] == "[DONE]"
        assert await process.wait() == 0


async def test_an_endless_stream_does_not_hold_the_process_up():
    async with running() as (process, url), RawClient(url) as client:
        client.send(request(CHAT, chat("lorem-100000", stream=True), headers={"x-sandbox-tps": "10"}))
        await client.receive_head()
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 10) == 0


async def test_options_are_taken_from_the_command_line():
    async with running("--ttft-ms", "50", "--tokens-per-second", "100", "--seed", "1") as (_, url):
        started = asyncio.get_running_loop().time()
        await call(url, CHAT, chat("lorem-10", stream=True))
        assert asyncio.get_running_loop().time() - started >= 0.11
