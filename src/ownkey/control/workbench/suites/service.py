"""Suites as they are sent: a file as the body, or in a form."""

from fastapi import Request
from msgspec import Struct
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.types import Message, Receive

from ownkey.domain.errors import InvalidRequest, RequestTooLarge

_FORM = "multipart/form-data"
_FRAME = 64 * 1024
"""What a form may need besides the file."""


class Upload(Struct, frozen=True):
    """A file and what it is called."""

    data: bytes
    filename: str


async def read_upload(request: Request, filename: str | None, limit: int) -> Upload:
    """The file that was sent. Raises RequestTooLarge above `limit` bytes, InvalidRequest where none came."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit + _FRAME:
        raise _too_large(limit)
    request = Request(request.scope, _bounded(request.receive, limit))
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    upload = await (_from_form(request, filename) if kind == _FORM else _from_body(request, filename))
    if len(upload.data) > limit:
        raise _too_large(limit)
    if not upload.data.strip():
        raise InvalidRequest("The suite is empty: send the file as the body, or in a form as `file`.")
    return upload


async def _from_form(request: Request, filename: str | None) -> Upload:
    try:
        async with request.form(max_files=1, max_fields=10) as form:
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise InvalidRequest("The form has no file: send it in the field `file`.", param="file")
            return Upload(await file.read(), filename or file.filename or "suite")
    except (MultiPartException, HTTPException):
        raise InvalidRequest("The form cannot be read: send one file in the field `file`.", param="file") from None


async def _from_body(request: Request, filename: str | None) -> Upload:
    return Upload(await request.body(), filename or "suite")


def _bounded(receive: Receive, limit: int) -> Receive:
    """Stops a body that announced no length, or another, once it is too large, before more of it is stored."""
    taken = 0

    async def bounded() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > limit + _FRAME:
            raise _too_large(limit)
        return message

    return bounded


def _too_large(limit: int) -> RequestTooLarge:
    return RequestTooLarge(f"A suite has at most {limit // 1024} KiB here: split it, or sign in for larger ones.")
