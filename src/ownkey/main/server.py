"""Serving: one event loop, uvicorn's sockets, the data plane on our protocol, everything else on ASGI."""

import signal
import socket
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from types import FrameType

import structlog
import uvicorn
from fastapi import FastAPI

from ownkey import __version__
from ownkey.config import ConfigurationError, Settings
from ownkey.control import Control, ControlSettings, Passwords, Readiness, create_app
from ownkey.domain.errors import OwnkeyError, Unavailable
from ownkey.gateway.edge.exchange import HeaderList, Request, Responder
from ownkey.gateway.edge.limits import Limits
from ownkey.gateway.edge.protocol import data_plane_protocol
from ownkey.gateway.pipeline import Pipeline
from ownkey.gateway.refusals import render_error
from ownkey.gateway.surfaces import error_format
from ownkey.logs import configure_logs
from ownkey.main.first_operator import prepare_first_operator
from ownkey.main.listening import address_of, listen
from ownkey.main.parts import open_parts
from ownkey.main.workers import supervise

log = structlog.get_logger(__name__)


class DataPlane:
    """The handler of the data plane, which exists before the pipeline is open."""

    def __init__(self) -> None:
        self.pipeline: Pipeline | None = None

    async def handle(self, request: Request, responder: Responder) -> None:
        """Hand the request to the pipeline."""
        if self.pipeline is None:
            headers, body = self.render_error(request.path, Unavailable("Ownkey is starting or stopping: try again."))
            responder.answer(Unavailable.status, headers, body)
            return
        await self.pipeline.handle(request, responder)

    def render_error(self, path: str, error: OwnkeyError) -> tuple[HeaderList, bytes]:
        """An error the edge found, in the format of the path."""
        return render_error(error_format(path), error, "")


class DrainingServer(uvicorn.Server):
    """uvicorn's server, which says that it drains as soon as it is told to stop."""

    def __init__(self, config: uvicorn.Config, readiness: Readiness) -> None:
        super().__init__(config)
        self._readiness = readiness

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._readiness.draining = True
        super().handle_exit(sig, frame)


def build_app(settings: Settings, data_plane: DataPlane, readiness: Readiness, address: str) -> FastAPI:
    """The ASGI application; its lifespan opens and closes the parts."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        async with open_parts(settings) as parts:
            readiness.watch(parts.database, parts.vault)
            app.state.control = Control(
                database=parts.database,
                vault=parts.vault,
                gateway=parts.gateway,
                session_pepper=parts.session_pepper,
                registry=parts.registry,
                readiness=readiness,
                passwords=Passwords(),
                settings=_control_settings(settings),
            )
            notice = await prepare_first_operator(settings, app.state.control, address)
            data_plane.pipeline = parts.pipeline
            _announce(settings, address, parts.keyring.place, notice)
            try:
                yield
            finally:
                data_plane.pipeline = None

    return create_app(lifespan, __version__)


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then finish what was accepted."""
    configure_logs(settings.log_format, settings.log_level)
    if settings.workers > 1 and settings.database.startswith("sqlite"):
        text = "several workers need Postgres: set OWNKEY_DATABASE_URL, or leave workers at 1 (one process is fast)"
        raise ConfigurationError(text)
    listener = listen(settings.host, settings.port)
    if settings.workers == 1:
        serve_process(settings, listener)
    else:
        supervise(settings.workers, serve_process, settings, listener)


def serve_process(settings: Settings, listener: socket.socket) -> None:
    """Serve on a listening socket in this process."""
    configure_logs(settings.log_format, settings.log_level)
    data_plane, readiness = DataPlane(), Readiness()
    app = build_app(settings, data_plane, readiness, address_of(listener))
    config = uvicorn.Config(
        app,
        http=data_plane_protocol(data_plane.handle, Limits(body=settings.body_limit), data_plane.render_error),
        loop="uvloop",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=max(1, int(settings.shutdown_grace)),
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn raises the signal again when it has drained; a clean stop ends with status 0.
        signal.signal(number, lambda _number, _frame: None)
    DrainingServer(config, readiness).run([listener])


def _control_settings(settings: Settings) -> ControlSettings:
    return ControlSettings(
        version=__version__,
        public_url=settings.public_url,
        sandbox_url=settings.sandbox_url,
        secure_cookies=(settings.public_url or "").startswith("https://"),
    )


def _announce(settings: Settings, address: str, key_place: str, notice: Sequence[str]) -> None:
    lines = [f"Ownkey {__version__} on {address}", f"Master key: {key_place}"]
    if settings.sandbox_url:
        lines.append(
            f"Every provider is the sandbox at {settings.sandbox_url}: answers are simulated, nothing is billed."
        )
    print("\n".join([*lines, *notice]), flush=True)  # noqa: T201
