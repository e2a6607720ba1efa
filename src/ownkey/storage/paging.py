"""Opaque cursors: where a page ended, so that the next one starts behind it whatever was added meanwhile."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TypeVar

import msgspec

from ownkey.domain.errors import InvalidRequest

MAX_PAGE = 1000

T = TypeVar("T")


def encode_cursor(position: tuple[str | float, ...]) -> str:
    """The sort position of a page's last row as text that is safe in a URL."""
    return urlsafe_b64encode(msgspec.json.encode(position)).decode().rstrip("=")


def decode_cursor(cursor: str, shape: type[T]) -> T:
    """The position inside `cursor`, checked against `shape`. Raises InvalidRequest for any other text."""
    try:
        raw = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        return msgspec.json.decode(raw, type=shape)
    except (ValueError, msgspec.MsgspecError) as error:
        raise InvalidRequest("Invalid cursor: use next_cursor from an earlier page.", param="cursor") from error


def check_limit(limit: int) -> int:
    """`limit` itself. Raises InvalidRequest outside 1…MAX_PAGE."""
    if not 1 <= limit <= MAX_PAGE:
        raise InvalidRequest(f"limit must be between 1 and {MAX_PAGE}.", param="limit")
    return limit
