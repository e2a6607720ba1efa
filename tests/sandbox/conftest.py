"""A sandbox of its own for each test, on a free port, and clients that do not retry."""

from collections.abc import AsyncIterator

import pytest
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI

from ownkey.sandbox import Options, SandboxServer


@pytest.fixture
async def sandbox() -> AsyncIterator[SandboxServer]:
    async with SandboxServer(options=Options(grace_s=0.2)) as server:
        yield server


@pytest.fixture
async def openai_client(sandbox: SandboxServer) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=f"{sandbox.url}/openai/v1", api_key="sk-sandbox-key-0001", max_retries=0) as client:
        yield client


@pytest.fixture
async def anthropic_client(sandbox: SandboxServer) -> AsyncIterator[AsyncAnthropic]:
    base = f"{sandbox.url}/anthropic"
    async with AsyncAnthropic(base_url=base, api_key="sk-ant-sandbox-0001", max_retries=0) as client:
        yield client
