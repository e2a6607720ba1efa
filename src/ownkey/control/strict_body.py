"""Request bodies of the control plane are read as strictly as the data plane's: no duplicate keys, no NaN."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from ownkey.domain.errors import UnsupportedMediaType
from ownkey.gateway import read_object


class _StrictRequest(Request):
    async def json(self) -> Any:
        return read_object(await self.body())


class StrictRoute(APIRoute):
    """Routes that take JSON read it strictly, and say so when something else is sent."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def strict(request: Request) -> Response:
            if self.body_field is not None:
                kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
                if kind != "application/json" and await request.body():
                    raise UnsupportedMediaType("The body must be JSON: send `content-type: application/json`.")
            return await handle(_StrictRequest(request.scope, request.receive))

        return strict
