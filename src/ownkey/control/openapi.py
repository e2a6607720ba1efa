"""The API reference: `GET /openapi.json`, FastAPI's document with our errors and ways to sign in, and `GET /docs`, a
page generated from it without third-party scripts."""

from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute

from ownkey.control.pages import render
from ownkey.control.problems import MEDIA_TYPE, Problem

router = APIRouter(include_in_schema=False)
_METHODS = ("get", "post", "put", "patch", "delete")
_ABOUT = "A gateway for language models where everyone brings their own keys. Errors are problem details (RFC 9457)."
_OPEN_TO_ALL = frozenset({"/healthz", "/readyz", "/metrics", "/api/v1/auth/login"})
_WORKBENCH = "/api/v1/workbench/"
_OPEN_TO_VISITORS = frozenset(_WORKBENCH + name for name in ("presets", "suites", "suites/{suite_id}", "sessions"))
_WAYS_IN = {
    "apiKey": {"type": "http", "scheme": "bearer", "description": "An Ownkey API key with the scope `manage`."},
    "workbench": {"type": "http", "scheme": "bearer", "description": "The token of a workbench session, `wb_…`."},
    "session": {"type": "apiKey", "in": "cookie", "name": "__Host-ownkey", "description": "`ownkey` over plain http."},
}
_FASTAPI_ERRORS = ("HTTPValidationError", "ValidationError")


def operation_id(route: APIRoute) -> str:
    """`credentials_create`: short names for generated clients."""
    return f"{route.tags[0]}_{route.name}" if route.tags else route.name


def _security(path: str) -> list[dict[str, list[str]]]:
    """The ways into a path, each of them enough. An empty one says that none is needed."""
    if path in _OPEN_TO_ALL:
        return []
    if not path.startswith(_WORKBENCH):
        return [{name: []} for name in _WAYS_IN if name != "workbench"]
    ways: list[dict[str, list[str]]] = [{name: []} for name in _WAYS_IN]
    return [{}, *ways] if path in _OPEN_TO_VISITORS else ways


def install_document(app: FastAPI) -> None:
    """Let `app.openapi()` return the document, built on the first request."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _build(app)
        return app.openapi_schema

    app.openapi = document


def _build(app: FastAPI) -> dict[str, Any]:
    made = get_openapi(title=app.title, version=app.version, routes=app.routes, description=_ABOUT)
    components = made.setdefault("components", {})
    schemas: dict[str, Any] = components.setdefault("schemas", {})
    for name in _FASTAPI_ERRORS:
        schemas.pop(name, None)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs") | {"Problem": problem}
    components["securitySchemes"] = _WAYS_IN
    failure = {
        "description": "Problem details",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for path, calls in made["paths"].items():
        for call in calls.values():
            call["responses"].pop("422", None)
            call["responses"]["default"] = failure
            call["security"] = _security(path)
    return made


@router.get("/docs", response_class=HTMLResponse)
async def docs(request: Request) -> str:
    """One section per tag, one entry per call: what it does, its parameters, body and responses."""
    document: dict[str, Any] = request.app.openapi()
    sections: dict[str, list[dict[str, Any]]] = {}
    for path, calls in document["paths"].items():
        for method in _METHODS:
            if method in calls:
                call = calls[method]
                sections.setdefault(call.get("tags", ["other"])[0], []).append(_call(path, method, call))
    return render("docs.html", document=document, sections=sections)


def _call(path: str, method: str, call: dict[str, Any]) -> dict[str, Any]:
    return {
        "method": method.upper(),
        "path": path,
        "about": call.get("description") or call.get("summary") or "",
        "parameters": [parameter["name"] for parameter in call.get("parameters", [])],
        "body": call.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema"),
        "responses": [
            response["content"]["application/json"]["schema"]
            for status, response in call["responses"].items()
            if status.startswith("2") and "application/json" in response.get("content", {})
        ],
    }
