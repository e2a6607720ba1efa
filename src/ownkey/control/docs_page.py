"""`GET /docs`: the API reference, made from the OpenAPI document without anybody else's script."""

from html import escape
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from ownkey.control.setup.page import STYLE

router = APIRouter(include_in_schema=False)
_METHODS = ("get", "post", "put", "patch", "delete")


@router.get("/docs", response_class=HTMLResponse)
async def docs(request: Request) -> str:
    """One section a tag, one entry a call: what it does, what it takes, what it gives."""
    document: dict[str, Any] = request.app.openapi()
    sections: dict[str, list[str]] = {}
    for path, calls in document["paths"].items():
        for method in _METHODS:
            if method in calls:
                call = calls[method]
                sections.setdefault(call.get("tags", ["other"])[0], []).append(_call(path, method, call))
    body = "".join(f"<section><h2>{escape(tag)}</h2>{''.join(calls)}</section>" for tag, calls in sections.items())
    schemas = "".join(_schema(name, schema) for name, schema in document["components"]["schemas"].items())
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Ownkey API</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}'
        "body{max-width:60rem;margin:4rem auto}article{border-top:1px solid #8884;padding:.6rem 0}</style>"
        f"<h1>Ownkey API {escape(document['info']['version'])}</h1><p>Machine-readable: "
        f"<a href='/openapi.json'>/openapi.json</a></p>{body}<section><h2>Shapes</h2>{schemas}</section>"
    )


def _call(path: str, method: str, call: dict[str, Any]) -> str:
    about = escape(call.get("description") or call.get("summary") or "")
    parameters = [parameter["name"] for parameter in call.get("parameters", [])]
    takes = f"<br>Parameters: {escape(', '.join(parameters))}" if parameters else ""
    content = call.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    body = f"<br>Body: {_shape(content)}" if content else ""
    gives = [
        _shape(answer["content"]["application/json"]["schema"])
        for status, answer in call["responses"].items()
        if status.startswith("2") and "application/json" in answer.get("content", {})
    ]
    answers = f"<br>Answer: {', '.join(gives)}" if gives else ""
    return f"<article><code><b>{method.upper()}</b> {escape(path)}</code><br>{about}{takes}{body}{answers}</article>"


def _shape(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return f"<a href='#{escape(name)}'>{escape(name)}</a>"
    if "anyOf" in schema:
        return " or ".join(_shape(option) for option in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_shape(schema.get('items', {}))}"
    if "enum" in schema:
        return escape(" | ".join(str(value) for value in schema["enum"]))
    return escape(str(schema.get("type", "any")))


def _schema(name: str, schema: dict[str, Any]) -> str:
    about = escape(schema.get("description", ""))
    required = schema.get("required", [])
    fields = "".join(
        f"<li><code>{escape(field)}</code>{'' if field in required else '?'}: {_shape(shape)}</li>"
        for field, shape in schema.get("properties", {}).items()
    )
    values = escape(" | ".join(schema["enum"])) if "enum" in schema else ""
    head = f"<article id='{escape(name)}'><code><b>{escape(name)}</b></code> {values}<br>"
    return f"{head}{about}<ul>{fields}</ul></article>"
