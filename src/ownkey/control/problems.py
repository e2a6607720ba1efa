"""Errors as problem details (RFC 9457), in one place. No answer repeats a value that was sent: it may be a key."""

from collections.abc import Sequence
from http import HTTPStatus
from math import ceil
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from ownkey.domain.errors import OwnkeyError

log = structlog.get_logger(__name__)
MEDIA_TYPE = "application/problem+json"


def install_problems(app: FastAPI) -> None:
    """Answer every error of `app` with problem details."""
    app.add_exception_handler(OwnkeyError, _own)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


def problem(status: int, code: str, detail: str, headers: dict[str, str] | None = None, **more: Any) -> JSONResponse:
    """One problem document; `more` are its extension members."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, "code": code}
    return JSONResponse(body | more, status, headers, media_type=MEDIA_TYPE)


async def _own(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, OwnkeyError)  # noqa: S101
    if error.operator:
        log.warning("request refused", code=error.code, operator=error.operator)
    headers = {"retry-after": str(max(1, ceil(error.retry_after)))} if error.retry_after is not None else None
    more = {"param": error.param} if error.param else {}
    return problem(error.status, error.code, error.public, headers, **more)


async def _validation(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    fields = [{"field": _path(each["loc"]), "message": each["msg"]} for each in error.errors()]
    detail = "; ".join(f"{each['field']}: {each['message']}" for each in fields)
    return problem(422, "invalid_request", detail, errors=fields)


async def _http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "invalid_request")
    headers = dict(error.headers) if error.headers else None
    return problem(error.status_code, code, str(error.detail), headers)


async def _unexpected(_request: Request, error: Exception) -> JSONResponse:
    log.error("unexpected error", exc_info=error)
    return problem(500, "internal_error", "Ownkey met an error of its own; the operator's log has the details.")


def _path(location: Sequence[Any]) -> str:
    return ".".join(str(part) for part in location if part not in ("body", "query", "path")) or "body"
