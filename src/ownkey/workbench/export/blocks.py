"""Small pieces joined to blocks, so that a file of many rows is not sent in as many writes."""

from collections.abc import AsyncIterator

_BLOCK_BYTES = 64 * 1024


async def in_blocks(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes in pieces of at least 64 KiB, but for the last."""
    block = bytearray()
    async for piece in pieces:
        block += piece
        if len(block) >= _BLOCK_BYTES:
            yield bytes(block)
            block.clear()
    if block:
        yield bytes(block)
