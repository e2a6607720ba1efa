"""An answer told as it comes, for a person who waits for it."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

from ownkey.workbench.endpoint.answer import AnswerReader
from ownkey.workbench.endpoint.call import Call, call
from ownkey.workbench.endpoint.caller import withheld
from ownkey.workbench.endpoint.request import chat_body
from ownkey.workbench.endpoint.transport import Transport
from ownkey.workbench.records import Failure, Message, Sampling, Target


async def speak(
    transport: Transport, target: Target, messages: Sequence[Message], sampling: Sampling
) -> AsyncGenerator[str | Failure | None]:
    """The pieces of the answer's text, then None, or what the call failed with.

    Leaving the generator early gives the call up. Raises InvalidRequest for a text that cannot be sent.
    """
    body = chat_body(target.model, messages, sampling, target.abilities)
    news: asyncio.Queue[str | None] = asyncio.Queue()
    told = 0

    def heard(reader: AnswerReader) -> None:
        nonlocal told
        text, told = reader.text_after(told)
        if text:
            news.put_nowait(text)

    async def ask() -> Call:
        try:
            return await call(transport, body, sampling.timeout_ms, heard)
        finally:
            news.put_nowait(None)

    asking = asyncio.create_task(ask())
    try:
        while (piece := await news.get()) is not None:
            yield transport.scrub(piece)
        made = await asking
        yield made.failure or withheld(made)
    finally:
        asking.cancel()
        await asyncio.wait((asking,))
