"""Chat completion requests, in both directions."""

from ownkey.wire.openai_chat.request_reading import read
from ownkey.wire.openai_chat.request_writing import write

__all__ = ["read", "write"]
