"""Every asynchronous test here runs on asyncio's loop and on uvloop: they differ in how writes,
closing and half-closed sockets behave."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack
from typing import Any

import msgspec
import pytest
import uvloop
from tests.gateway.edge.harness import AsyncHandler, Serve, Served, control_app, echo, in_task, render_error, serving

from ownkey.gateway.edge.limits import Limits
from ownkey.gateway.edge.protocol import data_plane_protocol


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """serve(handler, limits={...}, app=..., **uvicorn options) → Served, closed at the end of the test."""
    async with AsyncExitStack() as stack:

        async def start(
            handler: AsyncHandler = echo, limits: dict[str, Any] | None = None, app: Any = control_app, **options: Any
        ) -> Served:
            http = data_plane_protocol(in_task(handler), msgspec.convert(limits or {}, Limits), render_error)
            return await stack.enter_async_context(serving(http, app, options))

        yield start
