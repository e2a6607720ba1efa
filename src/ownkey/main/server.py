"""Serving: one event loop, uvicorn's sockets, the data plane on our protocol, everything else on ASGI."""

import asyncio
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from functools import partial
from math import ceil
from typing import Any, TypeVar

import uvicorn
import uvloop

from ownkey import __version__
from ownkey.config import ConfigurationError, Settings
from ownkey.control import LARGE_BODIES, Control, ControlSettings, Passwords, create_app, render_problem
from ownkey.domain.errors import OwnkeyError
from ownkey.domain.networks import TrustedProxies
from ownkey.gateway.edge.exchange import HeaderList
from ownkey.gateway.edge.limits import Limits
from ownkey.gateway.edge.protocol import data_plane_protocol
from ownkey.gateway.edge.target import is_data_plane
from ownkey.gateway.proxied import proxied
from ownkey.gateway.refusals import render_error
from ownkey.gateway.surfaces import error_format
from ownkey.logs import configure_logs, report_loop_failure
from ownkey.main.lifecycle import DrainingServer, ServerReadiness
from ownkey.main.network import network_lines
from ownkey.main.parts import Parts, open_parts
from ownkey.main.starting import StartRefused, address_of, listen, prepare_first_operator, start_errors_mapped
from ownkey.main.workers import Supervisor, WorkerPlace

_T = TypeVar("_T")
_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_FAILED = 1
_MISCONFIGURED = 2


def serve(settings: Settings, listener: socket.socket | None = None) -> None:
    """Serve until SIGTERM or SIGINT, then finish what was accepted. `listener` is a socket that listens already.

    Raises ConfigurationError for a wrong setting, and SystemExit with status 1, after a line on standard error, for
    any other reason not to start and after a failure that ended the serving.
    """
    configure_logs(settings.log_format, settings.log_level)
    if settings.workers > 1 and settings.database.startswith("sqlite"):
        text = "several workers need Postgres: set OWNKEY_DATABASE_URL, or leave workers at 1 (one process is fast)"
        raise ConfigurationError(text)
    listener = listener or listen(settings.host, settings.port)
    if settings.workers == 1:
        _exit(_in_loop(_serve(settings, listener, _print, None)))
        return
    lines = _in_loop(_prepare(settings, address_of(listener)))
    if isinstance(lines, list):
        supervisor = Supervisor(settings.workers, partial(serve_worker, settings, listener))
        _exit(supervisor.run(ready=lambda: _print(lines)))


def serve_worker(settings: Settings, listener: socket.socket, place: WorkerPlace) -> None:
    """Serve as one of several processes. The supervisor has created the operator and prints the start-up text."""
    configure_logs(settings.log_format, settings.log_level)
    # Ctrl-C reaches the whole process group; the supervisor passes it on, once, as SIGTERM.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        _exit(_in_loop(_serve(settings, listener, place.report_ready, place)))
    except ConfigurationError as error:
        _complain(error)
        sys.exit(_MISCONFIGURED)


async def _prepare(settings: Settings, address: str) -> list[str] | int:
    """What is done once before several workers start; the start-up text. A status when told to stop meanwhile."""
    _on_signals(_cancel_this_task())
    try:
        async with AsyncExitStack() as stack:
            parts, control = await _open(stack, settings, ServerReadiness(), None)
            with start_errors_mapped():
                notice = await prepare_first_operator(settings, control, address)
            return _start_text(settings, parts, address, notice)
    except asyncio.CancelledError:
        return 0


async def _serve(
    settings: Settings, listener: socket.socket, announce: Callable[[list[str]], None], place: WorkerPlace | None
) -> int:
    """Serve in this event loop; the exit status."""
    _on_signals(_cancel_this_task())
    readiness = ServerReadiness()
    try:
        async with AsyncExitStack() as stack:
            parts, control = await _open(stack, settings, readiness, place)
            lines: list[str] = []
            if place is None:
                address = address_of(listener)
                with start_errors_mapped():
                    notice = await prepare_first_operator(settings, control, address)
                lines = _start_text(settings, parts, address, notice)
            server = DrainingServer(_uvicorn_config(settings, parts, control), readiness, settings.shutdown_notice)
            _on_signals(lambda: server.stop("told to stop"))
            if place is not None:
                place.on_orphaned(lambda: server.stop("the supervisor is gone"))
            parts.background.on_failure(lambda: server.stop("a background task ended"))
            # What the start created lives as long as the server: the collector need not scan it again and again.
            # The command line switches it off for the start, which saves a fifth of that.
            gc.freeze()
            gc.set_threshold(50_000, 20, 20)
            gc.enable()
            announce(lines)
            await server.serve([listener])
            return _FAILED if parts.background.failed else 0
    except asyncio.CancelledError:
        return 0


async def _open(
    stack: AsyncExitStack, settings: Settings, readiness: ServerReadiness, place: WorkerPlace | None
) -> tuple[Parts, Control]:
    with start_errors_mapped():
        parts = await stack.enter_async_context(open_parts(settings, place.number if place else None))
    readiness.follow(parts.database, parts.vault, parts.ledger.journal_fails)
    control = Control(
        database=parts.database,
        vault=parts.vault,
        gateway=parts.gateway,
        allowance=parts.allowance,
        session_pepper=parts.session_pepper,
        registry=parts.registry,
        readiness=readiness,
        passwords=Passwords(),
        settings=ControlSettings(
            version=__version__,
            public_url=settings.public_url,
            sandbox_url=settings.sandbox_url,
            secure_cookies=(settings.public_url or "").startswith("https://"),
            proxies=TrustedProxies(settings.trusted_proxies),
        ),
        workbench=parts.workbench,
    )
    return parts, control


def _uvicorn_config(settings: Settings, parts: Parts, control: Control) -> uvicorn.Config:
    app = create_app(None, __version__)
    app.state.control = control
    handler, proxies = parts.pipeline.handle, control.settings.proxies
    if proxies:
        handler = proxied(handler, proxies)
    return uvicorn.Config(
        app,
        http=data_plane_protocol(handler, Limits(body=settings.body_limit, large=LARGE_BODIES), _render_edge_error),
        loop="none",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=ceil(settings.shutdown_grace),
    )


def _render_edge_error(path: str, error: OwnkeyError) -> tuple[HeaderList, bytes]:
    """An error the edge found, in the format of the path."""
    if not is_data_plane(path):
        return render_problem(error)
    return render_error(error_format(path), error, "")


def _in_loop(work: Coroutine[Any, Any, _T]) -> _T:
    """What `work` returns, run on an event loop of its own; 1 when the server cannot start."""
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.get_loop().set_exception_handler(report_loop_failure)
            return runner.run(work)
    except StartRefused as error:
        _complain(error)
        sys.exit(_FAILED)


def _on_signals(act: Callable[[], object]) -> None:
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            asyncio.get_running_loop().add_signal_handler(number, act)


def _cancel_this_task() -> Callable[[], object]:
    task = asyncio.current_task()
    assert task is not None  # noqa: S101
    return task.cancel


def _start_text(settings: Settings, parts: Parts, address: str, notice: Sequence[str]) -> list[str]:
    lines = [f"Ownkey {__version__} on {address}", f"Master key: {parts.keyring.place}"]
    if settings.sandbox_url:
        lines.append(
            f"Every provider is the sandbox at {settings.sandbox_url}: answers are simulated, nothing is billed."
        )
    lines += network_lines(settings, os.environ)
    lines.append(f"Test a model, without an account: {settings.public_url or address}/workbench")
    return [*lines, *notice]


def _print(lines: Sequence[str]) -> None:
    print("\n".join(lines), flush=True)  # noqa: T201


def _complain(error: Exception) -> None:
    print(f"ownkey: {error}", file=sys.stderr)  # noqa: T201


def _exit(status: int) -> None:
    if status:
        sys.exit(status)
