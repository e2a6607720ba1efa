"""A bare socket and a small HTTP reader, so that tests see exactly what the sandbox sends."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


@dataclass
class RawAnswer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class RawClient:
    """One connection. `send` takes bytes as they are; `receive` reads one answer."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 0

    async def __aenter__(self) -> "RawClient":
        self.reader, self.writer = await asyncio.open_connection(self._host, self._port, limit=2**20)
        return self

    async def __aexit__(self, *args: object) -> None:
        self.writer.close()

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def receive(self) -> RawAnswer:
        status, headers = await self.receive_head()
        if headers.get("transfer-encoding") == "chunked":
            body = b"".join([chunk async for chunk in self.chunks()])
        elif "content-length" in headers:
            body = await self.reader.readexactly(int(headers["content-length"]))
        else:
            body = await self.reader.read()
        return RawAnswer(status, headers, body)

    async def receive_head(self) -> tuple[int, dict[str, str]]:
        head = await self.reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")[:-2]
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        return int(first.split(" ")[1]), headers

    async def chunks(self):
        while True:
            size = int(await self.reader.readuntil(b"\r\n"), 16)
            data = await self.reader.readexactly(size + 2)
            if size == 0:
                return
            yield data[:-2]


def request(
    path: str,
    body: object = None,
    *,
    method: str = "",
    key: str | None = "sk-sandbox-key-0001",
    headers: dict[str, str] | None = None,
    version: str = "1.1",
) -> bytes:
    """The bytes of one request; a body that is no bytes is sent as JSON."""
    data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"{method or ('POST' if body is not None else 'GET')} {path} HTTP/{version}", "host: sandbox"]
    if key is not None:
        lines.append(f"authorization: Bearer {key}")
    if body is not None:
        lines.append(f"content-length: {len(data)}")
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + data


async def call(url: str, path: str, body: object = None, **options: Any) -> RawAnswer:
    """One request on a connection of its own."""
    async with RawClient(url) as client:
        client.send(request(path, body, **options))
        return await client.receive()


def chat(model: str = "echo", content: str = "Hello, world!", **more: Any) -> dict[str, Any]:
    """A small chat request in OpenAI's format."""
    return {"model": model, "messages": [{"role": "user", "content": content}], **more}


def message(model: str = "echo", content: str = "Hello, world!", **more: Any) -> dict[str, Any]:
    """A small request in Anthropic's format."""
    return {"model": model, "max_tokens": 1000, "messages": [{"role": "user", "content": content}], **more}


def events(body: bytes) -> list[Any]:
    """The data of every event of a stream; `[DONE]` stays text."""
    found: list[Any] = []
    for block in body.decode().split("\n\n"):
        for line in block.split("\n"):
            if line.startswith("data: "):
                found.append(json.loads(line[6:]) if line != "data: [DONE]" else "[DONE]")
    return found


def form(parts: dict[str, bytes], files: tuple[str, ...] = ("file", "image")) -> tuple[bytes, bytes]:
    """A multipart form: its content type and its body. Parts named in `files` get a file name."""
    body = b""
    for name, value in parts.items():
        filename = f'; filename="{name}.bin"' if name in files else ""
        disposition = f'content-disposition: form-data; name="{name}"{filename}'
        body += b"--cut\r\n%b\r\n\r\n%b\r\n" % (disposition.encode(), value)
    return b"multipart/form-data; boundary=cut", body + b"--cut--\r\n"
