"""`GET /workbench` and its assets, from the package: a page without inline script, style or anybody else's files."""

import asyncio
import re
from hashlib import sha256
from importlib.resources import files
from typing import Annotated

from fastapi import APIRouter, Header
from fastapi.responses import Response

from ownkey.domain.errors import NotFound

router = APIRouter(include_in_schema=False)
_NAME = re.compile(r"[a-z_]{1,40}\.(?:js|css|svg)", re.ASCII)
_TYPES = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
}
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    # Cached and revalidated each time: a new version is seen immediately, an old one costs no bytes.
    "cache-control": "no-cache",
}


@router.get("/workbench")
async def page(if_none_match: Annotated[str, Header()] = "") -> Response:
    """The page; what it shows comes from the API."""
    return await _file("index.html", if_none_match)


@router.get("/workbench/assets/{name}")
async def asset(name: str, if_none_match: Annotated[str, Header()] = "") -> Response:
    """A script, style sheet or picture of the page. Raises NotFound."""
    if not _NAME.fullmatch(name):
        raise NotFound("There is no such file.")
    return await _file(name, if_none_match)


async def _file(name: str, known: str) -> Response:
    source = files("ownkey.control.workbench_page") / "assets" / name
    try:
        data = await asyncio.to_thread(source.read_bytes)
    except FileNotFoundError:
        raise NotFound("There is no such file.") from None
    tag = f'"{sha256(data).hexdigest()[:32]}"'
    headers = _HEADERS | {"etag": tag}
    if tag in known:
        return Response(status_code=304, headers=headers)
    return Response(data, headers=headers, media_type=_TYPES[name.rpartition(".")[2]])
