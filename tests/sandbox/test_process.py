"""The sandbox as a process: it says where it listens and goes when told."""

import asyncio
import shlex
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

from tests.sandbox.raw import RawClient, call, chat, events, request

CHAT = "/openai/v1/chat/completions"


@asynccontextmanager
async def running(*arguments: str, files: int = 1024) -> AsyncGenerator[tuple[asyncio.subprocess.Process, str]]:
    start = shlex.join([sys.executable, "-m", "ownkey.sandbox", "--port", "0", *arguments])
    process = await asyncio.create_subprocess_exec(
        "sh", "-c", f"ulimit -n {files} && exec {start}", stdout=asyncio.subprocess.PIPE
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


async def test_running_out_of_file_descriptors_only_makes_newcomers_wait():
    async with running(files=64) as (process, url):
        async with AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(RawClient(url)) for _ in range(100)]
            clients[0].send(request(CHAT, chat()))
            assert (await clients[0].receive()).status == 200
            clients[-1].send(request(CHAT, chat()))
            for client in clients[:60]:
                client.writer.close()
            assert (await clients[-1].receive()).status == 200
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0


async def test_a_port_that_is_taken_is_said_plainly():
    async with running() as (_, url):
        taken = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "ownkey.sandbox", "--port", url.rpartition(":")[2]), stderr=asyncio.subprocess.PIPE
        )
        _, error = await taken.communicate()
        assert taken.returncode == 1
        assert error.startswith(b"Cannot listen on 127.0.0.1:")
        assert b"Traceback" not in error
