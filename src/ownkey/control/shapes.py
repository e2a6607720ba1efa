"""What all resources share: how bodies are read, and the shapes of fields and replies: times in RFC 3339 UTC, money as
decimal strings, pages with a cursor."""

import re
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from ipaddress import ip_network
from typing import Annotated, Any, Generic, TypeVar, overload

import msgspec
from fastapi import Query, Request, Response
from fastapi.routing import APIRoute
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from ownkey.domain.errors import InvalidRequest, UnsupportedMediaType
from ownkey.domain.money import format_usd
from ownkey.gateway import read_object
from ownkey.storage.paging import decode_cursor, encode_cursor

T = TypeVar("T")
_EARLIEST, _LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2999, 12, 31, tzinfo=UTC)
_USD = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?", re.ASCII)


class Body(BaseModel):
    """A request body: unknown fields are rejected, so that a misspelt one is not silently ignored."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, str_max_length=65_536)

    @model_validator(mode="before")
    @classmethod
    def _no_unknown_field(cls, value: Any) -> Any:
        """Tell of an unknown field without its name, which may be a key in the wrong place."""
        unknown = [name for name in value if name not in cls.model_fields] if isinstance(value, dict) else []  # pyright: ignore[reportUnknownVariableType]
        if unknown:
            close = get_close_matches(str(unknown[0])[:100], cls.model_fields, n=1)  # pyright: ignore[reportUnknownArgumentType]
            meant = f"did you mean {close[0]}?" if close else f"there are {', '.join(cls.model_fields)}."
            raise ValueError(f"unknown field; {meant}")
        return value  # pyright: ignore[reportUnknownVariableType]


class Reply(BaseModel):
    """A reply."""

    model_config = ConfigDict(frozen=True)


class Listing(Reply, Generic[T]):
    """A slice of a list; `next_cursor` continues with the next one."""

    items: list[T]
    next_cursor: str | None = None


def newest_first(
    rows: Sequence[T], position: Callable[[T], tuple[float, str]], limit: int, cursor: str | None
) -> tuple[Sequence[T], str | None]:
    """A page of a short list that is in memory as a whole, in descending order of `position` (time and id).

    Raises InvalidRequest for an invalid cursor.
    """
    if cursor is not None:
        behind = decode_cursor(cursor, tuple[float, str])
        rows = [row for row in rows if position(row) < behind]
    page = rows[:limit]
    return page, encode_cursor(position(page[-1])) if len(rows) > limit else None


def by_name(
    rows: Sequence[T], name: Callable[[T], str], limit: int, cursor: str | None
) -> tuple[Sequence[T], str | None]:
    """A page of a list whose order does not change while the server runs, continued after a name.

    Raises InvalidRequest for an invalid cursor.
    """
    if cursor is not None:
        (last,) = decode_cursor(cursor, tuple[str])
        place = next((number for number, row in enumerate(rows, start=1) if name(row) == last), len(rows))
        rows = rows[place:]
    page = rows[:limit]
    return page, encode_cursor((name(page[-1]),)) if len(rows) > limit else None


@overload
def instant(at: float) -> str: ...
@overload
def instant(at: float | None) -> str | None: ...
def instant(at: float | None) -> str | None:
    """Unix seconds as RFC 3339 in UTC with milliseconds."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@overload
def usd(nano: int) -> str: ...
@overload
def usd(nano: int | None) -> str | None: ...
def usd(nano: int | None) -> str | None:
    """Nano-dollars as a decimal string."""
    return None if nano is None else format_usd(nano)


def _plain(text: str) -> str:
    if not text.isprintable() or not text.strip():
        raise ValueError("must be visible text on one line")
    return text.strip()


def _check_instant(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("needs a time zone, for example 2030-01-31T00:00:00Z")
    if not _EARLIEST <= value <= _LATEST:
        raise ValueError("must lie between the years 2000 and 2999")
    return value


def _check_network(value: str) -> str:
    try:
        return str(ip_network(value.strip(), strict=False))
    except ValueError:
        raise ValueError("must be an address or a network, for example 192.0.2.7 or 2001:db8::/32") from None


def _check_usd(value: str) -> str:
    if _USD.fullmatch(value) is None or not value.strip("0."):
        raise ValueError("must be an amount in USD above 0 with at most nine decimals, for example 12.50")
    return value


def _not_yet(value: Any) -> None:
    if value is not None:
        raise ValueError("not yet supported: leave it out")


NotYet = Annotated[None, BeforeValidator(_not_yet)]
"""A field that a later version will honour. Until then a value is rejected: ignoring it would be a false promise."""

Line = Annotated[str, AfterValidator(_plain)]
"""Text on one line without control characters or halves of surrogate pairs."""

ModelName = Annotated[Line, Field(max_length=256)]
"""The name of a model, or a pattern of names."""

Instant = Annotated[datetime, AfterValidator(_check_instant)]
"""A time with its zone, in a range that every later computation survives."""

Network = Annotated[str, Field(max_length=64), AfterValidator(_check_network)]
"""An IP address or network in CIDR notation, brought into normal form."""

Usd = Annotated[str, Field(max_length=32), AfterValidator(_check_usd)]
"""A positive amount as a decimal string."""

Flag = Annotated[bool, Field(strict=True)]
"""true or false, and nothing that merely looks like it."""

Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(max_length=500)]


class _ReadRequest(Request):
    """A request whose body has been read. FastAPI would replace an error raised while reading by one without a text."""

    def __init__(self, request: Request, body: bytes, value: dict[str, Any]) -> None:
        super().__init__(request.scope, request.receive)
        self._body = body
        self._value = value

    async def json(self) -> dict[str, Any]:
        return self._value


class StrictRoute(APIRoute):
    """A route whose body is read as strictly as the data plane's: JSON only, no duplicate keys, no NaN."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def strict(request: Request) -> Response:
            if "idempotency-key" in request.headers:
                # A client that retries a call relies on it: ignoring the header would create things twice.
                raise InvalidRequest("The header Idempotency-Key is not yet supported: leave it out.")
            if self.body_field is None:
                return await handle(request)
            body = await request.body()
            if not body and not self.body_field.field_info.is_required():
                return await handle(request)
            kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind != "application/json" and body:
                raise UnsupportedMediaType("The body must be JSON: send `content-type: application/json`.")
            return await handle(_ReadRequest(request, body, read_object(body)))

        return strict


_REF = "#/$defs/"


class StructField:
    """Metadata of a field whose type is a msgspec Struct: `metrics: Annotated[RunSummary, STRUCT]`."""

    def __get_pydantic_core_schema__(self, source: type[msgspec.Struct], handler: GetCoreSchemaHandler) -> CoreSchema:
        serialize = core_schema.plain_serializer_function_ser_schema(msgspec.to_builtins)
        return core_schema.is_instance_schema(source, serialization=serialize, metadata={_REF: source})

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        document = msgspec.json.schema(schema["metadata"][_REF])  # pyright: ignore[reportTypedDictNotRequiredAccess]
        return _inlined({"$ref": document["$ref"]}, document["$defs"])


STRUCT = StructField()


def _inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    """The schema with each reference replaced by its definition; none of ours refers to itself."""
    if isinstance(schema, list):
        return [_inlined(each, definitions) for each in schema]  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(definitions[schema["$ref"].removeprefix(_REF)], definitions)  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType]
    return {name: _inlined(each, definitions) for name, each in schema.items()}  # pyright: ignore[reportUnknownVariableType]
