"""Signing in by password for one command, and out again."""

from collections.abc import Generator
from contextlib import contextmanager

from ownkey.cli.client import Client


@contextmanager
def session_client(url: str, email: str, password: str) -> Generator[Client]:
    """A client with a session that ends with the block."""
    client = Client(url)
    client.post("/auth/login", {"email": email, "password": password})
    try:
        yield client
    finally:
        client.post("/auth/logout", {})
