"""Shapes shared by the resources: times in RFC 3339 UTC, money as decimal strings, pages with a cursor."""

from datetime import UTC, datetime
from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import AfterValidator, BaseModel, ConfigDict

from ownkey.domain.money import format_usd

T = TypeVar("T")


class Body(BaseModel):
    """A request body: unknown fields are refused, so that a misspelt one is not silently ignored."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, str_max_length=65_536)


class Reply(BaseModel):
    """An answer."""

    model_config = ConfigDict(frozen=True)


class Listing(Reply, Generic[T]):
    """A slice of a list; `next_cursor` asks for the next one."""

    items: list[T]
    next_cursor: str | None = None


def instant(at: float | None) -> str | None:
    """Unix seconds as RFC 3339 in UTC with milliseconds."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def usd(nano: int | None) -> str | None:
    """Nano-dollars as a decimal string."""
    return None if nano is None else format_usd(nano)


def _plain(text: str) -> str:
    if not text.isprintable() or not text.strip():
        raise ValueError("must be visible text on one line")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("must be valid Unicode") from None
    return text.strip()


Line = Annotated[str, AfterValidator(_plain)]
"""Text on one line without control characters."""

Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(max_length=500)]
