"""Identifiers: opaque strings with a prefix that names the kind, sortable by creation time."""

import os
import time
from typing import NewType

UserId = NewType("UserId", str)
CredentialId = NewType("CredentialId", str)
ApiKeyId = NewType("ApiKeyId", str)
SessionId = NewType("SessionId", str)
RequestId = NewType("RequestId", str)


def new_id(prefix: str) -> str:
    """A fresh id such as `cred_019ab3…`: 48 bits of Unix milliseconds, then 80 random bits, in hexadecimal."""
    return f"{prefix}_{int(time.time() * 1000):012x}{os.urandom(10).hex()}"
