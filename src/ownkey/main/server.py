"""Serving: one event loop, uvicorn's sockets, the data plane on our protocol, everything else on ASGI."""

import asyncio
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from math import ceil
from multiprocessing.connection import Connection

import uvicorn
import uvloop
from fastapi import FastAPI

from ownkey import __version__
from ownkey.config import ConfigurationError, Settings
from ownkey.control import Control, ControlSettings, Passwords, create_app
from ownkey.domain.errors import OwnkeyError
from ownkey.gateway.edge.exchange import HeaderList
from ownkey.gateway.edge.limits import Limits
from ownkey.gateway.edge.protocol import data_plane_protocol
from ownkey.gateway.refusals import render_error
from ownkey.gateway.surfaces import error_format
from ownkey.logs import configure_logs, report_loop_failure
from ownkey.main.draining import DrainingServer
from ownkey.main.first_operator import prepare_first_operator
from ownkey.main.listening import address_of, listen
from ownkey.main.parts import Parts, open_parts
from ownkey.main.readiness import ServerReadiness
from ownkey.main.start_problem import start_problem
from ownkey.main.workers import Supervisor, WorkerPlace

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
Announce = Callable[[Parts, Sequence[str]], None]


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then finish what was accepted.

    Raises ConfigurationError before anything is served, and SystemExit with a line for any other cause.
    """
    configure_logs(settings.log_format, settings.log_level)
    if settings.workers > 1 and settings.database.startswith("sqlite"):
        text = "several workers need Postgres: set OWNKEY_DATABASE_URL, or leave workers at 1 (one process is fast)"
        raise ConfigurationError(text)
    listener = listen(settings.host, settings.port)
    if settings.workers == 1:
        serve_process(settings, listener)
        return
    address = address_of(listener)
    lines = _run_loop(_prepare(settings, address))
    if lines is None:
        return
    supervisor = Supervisor(settings.workers, serve_worker, settings, listener)
    status = supervisor.run(ready=lambda: print("\n".join(lines), flush=True))  # noqa: T201
    if status:
        sys.exit(status)


def serve_process(settings: Settings, listener: socket.socket) -> None:
    """Serve on a listening socket in this process alone."""
    address = address_of(listener)

    def announce(parts: Parts, notice: Sequence[str]) -> None:
        print("\n".join(_start_text(parts, address, notice)), flush=True)  # noqa: T201

    _run_loop(_serve(settings, listener, announce, None))


def serve_worker(settings: Settings, listener: socket.socket, place: WorkerPlace) -> None:
    """Serve as one of several processes; the supervisor has made the operator and prints the start-up text."""
    configure_logs(settings.log_format, settings.log_level)
    # Ctrl-C reaches the whole process group; the supervisor passes it on as SIGTERM, once.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        _run_loop(_serve(settings, listener, lambda _parts, _notice: place.line.send_bytes(b"ready"), place))
    except ConfigurationError as error:
        print(f"ownkey: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(2)


def _run_loop[T](work: Coroutine[Any, Any, T]) -> T | None:
    raise NotImplementedError
