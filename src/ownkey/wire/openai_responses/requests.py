"""Responses requests, in both directions."""

from ownkey.wire.openai_responses.request_reading import read
from ownkey.wire.openai_responses.request_writing import write

__all__ = ["read", "write"]
