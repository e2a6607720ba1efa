"""generateContent requests, in both directions."""

from ownkey.wire.gemini.request_reading import read
from ownkey.wire.gemini.request_writing import write

__all__ = ["read", "write"]
