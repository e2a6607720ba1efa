"""The control plane as one FastAPI application."""

from typing import Any

from fastapi import FastAPI

from ownkey.control.account import routes as account
from ownkey.control.admin import routes as admin
from ownkey.control.api_keys import routes as api_keys
from ownkey.control.auth import routes as auth
from ownkey.control.catalogue import routes as catalogue
from ownkey.control.credentials import routes as credentials
from ownkey.control.hardening import Hardened
from ownkey.control.key_tests import routes as key_tests
from ownkey.control.openapi import install_document, operation_id
from ownkey.control.openapi import router as reference
from ownkey.control.operations import routes as operations
from ownkey.control.preferences import routes as preferences
from ownkey.control.problems import install_problems
from ownkey.control.routes import routes
from ownkey.control.routing import routes as routing
from ownkey.control.setup import routes as setup
from ownkey.control.usage import routes as usage
from ownkey.control.workbench.runs import routes as workbench_runs
from ownkey.control.workbench.sessions import routes as workbench_sessions
from ownkey.control.workbench.suites import routes as workbench_suites
from ownkey.control.workbench_page import routes as workbench_page

LARGE_BODIES = frozenset({"/api/v1/workbench/suites"})
"""Paths that take files, and so bodies as large as the data plane's."""
_RESOURCES = (
    auth,
    account,
    credentials,
    key_tests,
    api_keys,
    preferences,
    catalogue,
    usage,
    routes,
    routing,
    admin,
    workbench_sessions,
    workbench_suites,
    workbench_runs,
)


def create_app(lifespan: Any, version: str) -> FastAPI:
    """The application. `lifespan` (an async context manager of the app) puts a `Control` in `app.state.control`."""
    app = FastAPI(
        title="Ownkey",
        version=version,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        # A redirect to the path without its final slash would be built from the Host header and take a key along.
        redirect_slashes=False,
        generate_unique_id_function=operation_id,
    )
    for resource in _RESOURCES:
        app.include_router(resource.router, prefix="/api/v1")
    for surface in (operations.router, setup.router, reference, workbench_page.router):
        app.include_router(surface)
    install_problems(app)
    install_document(app)
    app.add_middleware(Hardened)
    return app
