"""Slows whoever guesses passwords, and never locks an owner out who comes from somewhere else."""

from hashlib import sha256

from ownkey.control.context import Control
from ownkey.domain.allowance import Pool, Refused
from ownkey.domain.errors import RateLimited

_PER_ACCOUNT_AND_ADDRESS = 10
_PER_ADDRESS = 1000
_WINDOW_S = 900.0
"""Attempts in a quarter of an hour. Counted per account *and* address, so that a stranger's guesses elsewhere do not
keep the owner out; a success forgets these. And per address, so that one host cannot try many accounts; an address
may be a whole office whose successes count as well, hence the room."""


async def count_attempt(control: Control, email: str, address: str) -> None:
    """Count an attempt before the password is looked at, so that attempts at the same time are counted, too.

    Raises RateLimited.
    """
    pools = (
        Pool(_name(address), _PER_ADDRESS, _WINDOW_S, "attempts"),
        Pool(_name(address, email), _PER_ACCOUNT_AND_ADDRESS, _WINDOW_S, "attempts"),
    )
    outcome = await control.allowance.acquire(pools, (1, 1))
    if isinstance(outcome, Refused):
        text = "Too many password attempts from your address. Wait and try again."
        raise RateLimited(text, retry_after=outcome.retry_after)


async def forgive(control: Control, email: str, address: str) -> None:
    """The password was right: forget what went before."""
    await control.allowance.forget(_name(address, email))


def _name(address: str, email: str | None = None) -> str:
    """A pool's id. By a digest: what somebody typed as an e-mail address may be long, secret or no text at all."""
    kind, text = ("address", address) if email is None else ("account", f"{address}\0{email}")
    return f"sign-in:{kind}:" + sha256(text.encode(errors="surrogatepass")).hexdigest()
