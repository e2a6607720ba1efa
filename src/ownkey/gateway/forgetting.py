"""Dropping the decrypted keys of users who stopped sending."""

import asyncio

from ownkey.gateway.outgoing import OutgoingBuilder
from ownkey.gateway.secrets import SecretCache
from ownkey.gateway.tokens import TokenCache

_INTERVAL = 60.0


async def run_forgetting(secrets: SecretCache, tokens: TokenCache, builder: OutgoingBuilder) -> None:
    """Keep a decrypted key in memory no longer than its lifetime and a minute. Runs until cancelled."""
    while True:
        await asyncio.sleep(_INTERVAL)
        secrets.forget_expired()
        tokens.forget_expired()
        builder.forget()
