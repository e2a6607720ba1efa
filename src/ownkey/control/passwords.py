"""Passwords: argon2id, computed in threads, a few at a time so that sign-ins cannot exhaust the machine."""

import asyncio
from functools import cached_property
from typing import TYPE_CHECKING

from ownkey.domain.errors import InvalidRequest

if TYPE_CHECKING:
    from argon2 import PasswordHasher

_AT_ONCE = 2
"""Each computation takes 64 MiB and one core."""
SHORTEST, LONGEST = 10, 1024


class Passwords:
    """Hashes and checks passwords with argon2-cffi's current defaults (RFC 9106, low-memory profile)."""

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._decoy: str | None = None

    async def hash(self, password: str) -> str:
        """Raises InvalidRequest for a password that is too short or too long."""
        if not SHORTEST <= len(password) <= LONGEST:
            raise InvalidRequest(f"A password has {SHORTEST} to {LONGEST} characters.", param="password")
        async with self._slots:
            return await asyncio.to_thread(lambda: self._hasher.hash(password))

    async def check(self, stored: str | None, password: str) -> bool:
        """Whether `password` is the stored one; takes as long without a stored one."""
        async with self._slots:
            return await asyncio.to_thread(self._check, stored, password[:LONGEST])

    def is_outdated(self, stored: str) -> bool:
        """Whether the parameters have changed since `stored` was computed."""
        return self._hasher.check_needs_rehash(stored)

    @cached_property
    def _hasher(self) -> "PasswordHasher":
        from argon2 import PasswordHasher  # at the first password, not at each start

        return PasswordHasher()

    def _check(self, stored: str | None, password: str) -> bool:
        from argon2.exceptions import InvalidHashError, VerificationError

        if stored is None and self._decoy is None:
            self._decoy = self._hasher.hash("nobody's password")
        try:
            self._hasher.verify(stored or self._decoy or "", password)
        except (VerificationError, InvalidHashError):
            return False
        return stored is not None
