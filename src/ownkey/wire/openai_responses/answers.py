"""Whole responses, in both directions."""

from ownkey.wire.openai_responses.answer_reading import read
from ownkey.wire.openai_responses.answer_writing import write

__all__ = ["read", "write"]
