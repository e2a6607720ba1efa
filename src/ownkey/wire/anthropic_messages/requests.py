"""Messages requests, in both directions."""

from ownkey.wire.anthropic_messages.request_reading import read
from ownkey.wire.anthropic_messages.request_writing import write

__all__ = ["read", "write"]
