"""Errors as problem details (RFC 9457), in one place. No answer repeats a value that was sent: it may be a key."""

from collections.abc import Sequence
from http import HTTPStatus
from math import ceil
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from ownkey.control.shapes import Body
from ownkey.domain.errors import OwnkeyError

log = structlog.get_logger(__name__)
MEDIA_TYPE = "application/problem+json"
_HIDDEN = "…"


class FieldProblem(BaseModel):
    """One rejected field; `field` is its path, in which unknown names are hidden."""

    field: str
    message: str


class Problem(BaseModel):
    """What went wrong, for people (`detail`) and for programs (`code`)."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    param: str | None = None
    errors: list[FieldProblem] | None = None


def install_problems(app: FastAPI) -> None:
    """Answer every error of `app` with problem details."""
    app.add_exception_handler(OwnkeyError, _own)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)


def problem(status: int, code: str, detail: str, headers: dict[str, str] | None = None, **more: Any) -> JSONResponse:
    """One problem document; `more` are its extension members."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, "code": code}
    return JSONResponse(body | more, status, headers, media_type=MEDIA_TYPE)


def field_problems(errors: Sequence[Any]) -> list[FieldProblem]:
    """pydantic's errors without any value of the input."""
    names = _field_names(Body)
    return [
        FieldProblem(field=_path(each["loc"], names), message=str(each["msg"]).removeprefix("Value error, "))
        for each in errors
    ]


def render_problem(error: OwnkeyError) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Headers and body of an error that was met before a request reached the application."""
    answer = _answer(error)
    headers = [(name, value) for name, value in answer.raw_headers if name != b"content-length"]
    return headers, bytes(answer.body)


async def _own(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, OwnkeyError)  # noqa: S101
    if error.operator:
        log.warning("request refused", code=error.code, operator=error.operator)
    return _answer(error)


def _answer(error: OwnkeyError) -> JSONResponse:
    headers = {"retry-after": str(max(1, ceil(error.retry_after)))} if error.retry_after is not None else {}
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = "Bearer"
    more = {"param": error.param} if error.param else {}
    return problem(error.status, error.code, error.public, headers, **more)


async def _validation(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    fields = field_problems(error.errors())
    detail = "; ".join(f"{each.field}: {each.message}" for each in fields)
    return problem(422, "invalid_request", detail, errors=[each.model_dump() for each in fields])


async def _http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "invalid_request")
    headers = dict(error.headers) if error.headers else None
    return problem(error.status_code, code, str(error.detail), headers)


def _path(location: Sequence[Any], names: frozenset[str]) -> str:
    """`body.config.sk-…` may hold a secret where a name belongs, so only names of our own are shown."""
    place, *rest = location
    shown = [str(part) if isinstance(part, int) or place != "body" or part in names else _HIDDEN for part in rest]
    return ".".join(shown) or str(place)


def _field_names(shape: type[BaseModel]) -> frozenset[str]:
    inherited = (_field_names(each) for each in shape.__subclasses__())
    return frozenset(shape.model_fields).union(*inherited)
