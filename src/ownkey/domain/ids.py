"""Identifiers: opaque strings with a prefix that names the kind, sortable by creation time."""

import os
import time
from typing import NewType

UserId = NewType("UserId", str)
CredentialId = NewType("CredentialId", str)
ApiKeyId = NewType("ApiKeyId", str)
SessionId = NewType("SessionId", str)
RouteId = NewType("RouteId", str)
RequestId = NewType("RequestId", str)


def new_id(prefix: str) -> str:
    """A fresh id such as `cred_019ab3…`: 48 bits of Unix milliseconds, then 80 random bits, in hexadecimal."""
    return f"{prefix}_{int(time.time() * 1000):012x}{os.urandom(10).hex()}"


class RequestIds:
    """Makes request ids like `new_id("req")`, with randomness fetched for many at a time.

    One belongs to one process: after a fork the child needs its own.
    """

    __slots__ = ("_at", "_random")

    def __init__(self) -> None:
        self._random = ""
        self._at = 0

    def new(self, at: float) -> str:
        """An id for a request of `at`, in Unix seconds."""
        begin = self._at
        if begin >= len(self._random):
            self._random = os.urandom(10 * 256).hex()
            begin = 0
        self._at = end = begin + 20
        return f"req_{int(at * 1000):012x}{self._random[begin:end]}"
