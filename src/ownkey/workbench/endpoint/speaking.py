"""An answer told as it comes, for a person who waits for it."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

from ownkey.workbench.endpoint.answer import AnswerReader
from ownkey.workbench.endpoint.call import Call, call
from ownkey.workbench.endpoint.caller import withheld
from ownkey.workbench.endpoint.request import chat_body
from ownkey.workbench.endpoint.transport import Transport
from ownkey.workbench.records import Failure, Message, Sampling, Target

_LONGEST_WORD = 8192
"""As long as a key can be."""


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
    held = ""
    try:
        while (piece := await news.get()) is not None:
            whole, held = _whole_words(held + piece)
            if whole:
                yield transport.scrub(whole)
        if held:
            yield transport.scrub(held)
        made = await asking
        yield made.failure or withheld(made)
    finally:
        asking.cancel()
        await asyncio.wait((asking,))


def _whole_words(text: str) -> tuple[str, str]:
    """What may be told, and the last word, which may still grow: a key that came in two pieces is one word."""
    cut = max(text.rfind(" "), text.rfind("\n")) + 1
    if not cut and len(text) > _LONGEST_WORD:
        return text, ""
    return text[:cut], text[cut:]
