"""`GET /docs`: the API reference, generated from the OpenAPI document without third-party scripts."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from ownkey.control.pages import render

router = APIRouter(include_in_schema=False)
_METHODS = ("get", "post", "put", "patch", "delete")


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
