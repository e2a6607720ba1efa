"""The control plane as one FastAPI application."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response

from ownkey.control import docs_page
from ownkey.control.account import routes as account
from ownkey.control.admin import routes as admin
from ownkey.control.api_keys import routes as api_keys
from ownkey.control.auth import routes as auth
from ownkey.control.catalogue import routes as catalogue
from ownkey.control.credentials import routes as credentials
from ownkey.control.operations import routes as operations
from ownkey.control.preferences import routes as preferences
from ownkey.control.problems import install_problems
from ownkey.control.routing import routes as routing
from ownkey.control.setup import routes as setup
from ownkey.control.usage import routes as usage

_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}
_RESOURCES = (auth, account, credentials, api_keys, preferences, catalogue, usage, routing, admin)


def create_app(lifespan: Any, version: str) -> FastAPI:
    """The application. `lifespan` (an async context manager of the app) puts a `Control` in `app.state.control`."""
    app = FastAPI(
        title="Ownkey", version=version, lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url="/openapi.json"
    )
    api = APIRouter(prefix="/api/v1")
    for resource in _RESOURCES:
        api.include_router(resource.router)
    app.include_router(api)
    for surface in (operations.router, setup.router, docs_page.router):
        app.include_router(surface)
    install_problems(app)

    @app.middleware("http")
    async def harden(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:  # pyright: ignore[reportUnusedFunction]
        response = await call_next(request)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return app
