"""The models an endpoint lists, and those that may have been meant by a wrong name."""

import asyncio
from contextlib import aclosing
from difflib import get_close_matches
from typing import Any

import msgspec
from msgspec import Struct

from ownkey.domain.errors import OwnkeyError
from ownkey.workbench.endpoint.request import MODELS
from ownkey.workbench.endpoint.transport import TimedReply, Transport

_LARGEST = 2 * 1024 * 1024
_MOST = 5_000
_LONGEST_NAME = 200


class _Row(Struct):
    id: Any = None
    name: Any = None


class _List(Struct):
    data: list[_Row] = []
    models: list[_Row] = []


_LISTS = msgspec.json.Decoder(_List)
_ROWS = msgspec.json.Decoder(list[_Row])


async def listed_models(transport: Transport, timeout_ms: float) -> tuple[str, ...]:
    """The names of the models the endpoint lists; empty where it lists none, or not in a way we know."""
    reply: TimedReply | None = None
    try:
        async with asyncio.timeout(timeout_ms / 1000):
            reply = await transport.get(MODELS, timeout_ms)
            body = await _read(reply) if reply.status == 200 else b""
    except (OwnkeyError, TimeoutError):
        return ()
    finally:
        if reply is not None:
            reply.abort()
    return _names(body)


def close_names(wanted: str, names: tuple[str, ...]) -> list[str]:
    """Up to three names that look like the one that was wanted, the closest first."""
    lower = {name.lower(): name for name in names}
    inside = [name for name in names if wanted and wanted.lower() in name.lower()]
    close = [lower[found] for found in get_close_matches(wanted.lower(), lower, n=3, cutoff=0.5)]
    return list(dict.fromkeys(inside[:3] + close))[:3]


async def _read(reply: TimedReply) -> bytes:
    taken = bytearray()
    async with aclosing(reply.chunks()) as chunks:
        async for _, data in chunks:
            taken += data
            if len(taken) > _LARGEST:
                return b""
    return bytes(taken)


def _names(body: bytes) -> tuple[str, ...]:
    try:
        if body.lstrip().startswith(b"["):
            rows = _ROWS.decode(body)
        else:
            found = _LISTS.decode(body)
            rows = found.data or found.models
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return ()
    names = (row.id or row.name for row in rows[:_MOST])
    return tuple(name for name in names if isinstance(name, str) and len(name) <= _LONGEST_NAME)
