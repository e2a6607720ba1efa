"""Request bodies of the control plane are read as strictly as the data plane's: no duplicate keys, no NaN."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from ownkey.domain.errors import InvalidRequest, UnsupportedMediaType
from ownkey.gateway import read_object


class _ReadRequest(Request):
    """A request whose body is read already. FastAPI would turn an error met while reading into one without a text."""

    def __init__(self, request: Request, body: bytes, value: dict[str, Any]) -> None:
        super().__init__(request.scope, request.receive)
        self._body = body
        self._value = value

    async def json(self) -> dict[str, Any]:
        return self._value


class StrictRoute(APIRoute):
    """Routes that take JSON read it strictly, and say so when something else is sent."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def strict(request: Request) -> Response:
            if "idempotency-key" in request.headers:
                # A client that repeats a call relies on it: ignoring the header would create a thing twice.
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
