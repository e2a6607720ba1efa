"""The outermost layer of the control plane: headers that every answer carries, and the last resort for errors."""

import traceback

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ownkey.control.problems import problem
from ownkey.domain.ids import new_id

log = structlog.get_logger(__name__)
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "cross-origin-resource-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


class Hardened:
    """An ASGI application around another: adds the headers, and turns an unforeseen exception into a 500."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def harden(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, harden)
        except ClientDisconnect:
            return
        except Exception as failure:  # noqa: BLE001 (the outermost frame: servers log texts, which may quote a key)
            number = report_crash(failure)
            if started:
                # Returning in mid-answer makes the server break the connection off: half an answer must not look whole.
                return
            text = f"Internal error. The operator finds it in the log as {number}."
            await problem(500, "internal_error", text)(scope, receive, harden)


def report_crash(failure: Exception) -> str:
    """Log the kind and place of an exception, never its text: it may quote what was sent. Its number in the log."""
    number = new_id("crash")
    frames = "".join(traceback.format_tb(failure.__traceback__))
    log.error("unexpected error", request_id=number, reason=type(failure).__qualname__, exception=frames)
    return number
