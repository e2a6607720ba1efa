"""Clients on bare sockets that know exactly what reached them, also of an answer that was cut off."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

_HEAD_END = b"\r\n\r\n"
_LAST_CHUNK = b"0\r\n\r\n"


class Call(Struct, kw_only=True):
    """One request. `sent` and `ended` are monotonic seconds; `status` and `request_id` stand once a head came,
    `whole` once the answer came to its end."""

    sent: float
    what: str = ""
    ended: float = 0.0
    status: int | None = None
    request_id: str | None = None
    whole: bool = False
    body: bytes = b""


class Question(Struct, frozen=True):
    """What to send: a path and a JSON body, with a name for it."""

    name: str
    path: str
    body: dict[str, Any]
    method: str = "POST"


def chat(model: str, text: str = "go", **more: Any) -> Question:
    """A chat completion in OpenAI's format."""
    body = {"model": model, "messages": [{"role": "user", "content": text}]} | more
    return Question(f"{model}{' streamed' if more.get('stream') else ''}", "/v1/chat/completions", body)


def message(model: str, text: str = "go", **more: Any) -> Question:
    """A message in Anthropic's format."""
    body = {"model": model, "max_tokens": 500, "messages": [{"role": "user", "content": text}]} | more
    return Question(f"{model} message{' streamed' if more.get('stream') else ''}", "/v1/messages", body)


async def ask(
    url: str, key: str, question: Question, told: Callable[[Call], None] | None = None, header: str = ""
) -> Call:
    """Send one request on a connection of its own and read what comes, to the end or to where it breaks.

    `told` is called as soon as the head is there. `header` is one more header line.
    """
    address = urlsplit(url)
    call = Call(sent=time.monotonic(), what=question.name)
    data = json.dumps(question.body).encode() if question.method != "GET" else b""
    head = (
        f"{question.method} {question.path} HTTP/1.1\r\nhost: {address.netloc}\r\nconnection: close\r\n"
        f"authorization: Bearer {key}\r\ncontent-type: application/json\r\ncontent-length: {len(data)}\r\n{header}\r\n"
    )
    if not key:
        head = head.replace("authorization: Bearer \r\n", "")
    writer = None
    try:
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        writer.write(head.encode() + data)
        await _read(reader, call, told)
    except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        call.whole = False
    finally:
        if writer is not None:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
    call.ended = time.monotonic()
    return call


async def _read(reader: asyncio.StreamReader, call: Call, told: Callable[[Call], None] | None) -> None:
    head = (await reader.readuntil(_HEAD_END)).decode("latin-1")
    lines = head.split("\r\n")
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    call.status = int(lines[0].split()[1])
    call.request_id = fields.get("x-ownkey-request-id")
    if told is not None:
        told(call)
    body = bytearray()
    while part := await reader.read(1 << 16):
        body += part
    call.body = bytes(body)
    length = fields.get("content-length")
    call.whole = len(body) == int(length) if length is not None else body.endswith(_LAST_CHUNK)


class Load:
    """What several clients sent at the same time, each one request after the other."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.answered = asyncio.Condition()

    async def until(self, enough: Callable[[Sequence[Call]], bool], seconds: float = 60.0) -> None:
        """Wait until the calls so far are enough."""
        async with asyncio.timeout(seconds), self.answered:
            await self.answered.wait_for(lambda: enough(self.calls))


@asynccontextmanager
async def running(url: str, key: str, mixes: Sequence[Sequence[Question]], header: str = "") -> AsyncGenerator[Load]:
    """One loop for each mix, until the block ends; a request under way then is finished."""
    load = Load()
    stop = asyncio.Event()

    async def client(questions: Sequence[Question]) -> None:
        number = 0
        while not stop.is_set():
            call = await ask(url, key, questions[number % len(questions)], header=header)
            number += 1
            load.calls.append(call)
            async with load.answered:
                load.answered.notify_all()
            if call.status is None:
                # Nobody listens: try again, but not at once.
                await asyncio.sleep(0.005)

    async with asyncio.TaskGroup() as group:
        for mix in mixes:
            group.create_task(client(mix))
        try:
            yield load
        finally:
            stop.set()
