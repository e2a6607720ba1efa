"""From starting the command to the first 200 of `/readyz`, and the memory of a server that nobody uses."""

import socket
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from msgspec import Struct

from bench.machine import Cores, memory_mb, ownkey_command
from bench.processes import BenchFailed, Running, environment, free_port
from bench.scale import Scale, bounded

_POLL = 0.005
_PATIENCE = 60.0
_SETTLED = 1.0
"""Seconds after which a server has done what it does after it is ready."""
_QUESTION = b"GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"


class Starts(Struct, frozen=True):
    """Seconds, all measured ones; the database and the master key are there already.

    `cold` starts find no compiled modules and leave none behind, neither Ownkey's nor its dependencies'. `idle` is the
    resident memory of each warm one a while after it was ready, in MiB.
    """

    warm: list[float]
    cold: list[float]
    idle: list[float]

    @property
    def warm_s(self) -> float:
        return median(self.warm)

    @property
    def cold_s(self) -> float:
        return median(self.cold)

    @property
    def idle_mb(self) -> float:
        return median(self.idle)


def measure_starts(folder: Path, cores: Cores, scale: Scale) -> Starts:
    """Start and stop again and again, a cold start after each warm one as long as there are any to make."""
    folder.mkdir()
    settings = {"OWNKEY_DATA_DIR": str(folder / "data"), "OWNKEY_ADMIN_EMAIL": "operator@example.com"}
    settings["OWNKEY_ADMIN_PASSWORD"] = "correct horse battery"
    warm = environment(settings)
    cold = environment(settings | {"PYTHONPYCACHEPREFIX": str(folder / "empty"), "PYTHONDONTWRITEBYTECODE": "1"})
    _start(folder, cores, warm)
    found = Starts([], [], [])
    for turn in bounded(scale.starts, scale.starts_limit):
        took, idle = _start(folder, cores, warm)
        found.warm.append(took)
        found.idle.append(idle)
        if turn < scale.cold_starts:
            found.cold.append(_start(folder, cores, cold)[0])
    return found


def _start(folder: Path, cores: Cores, env: Mapping[str, str]) -> tuple[float, float]:
    """Seconds until it is ready, and its memory afterwards in MiB."""
    port = free_port()
    command = [str(ownkey_command()), "serve", "--port", str(port)]
    began = time.monotonic()
    running = Running(command, cores.tested, env, folder / "start.log")
    try:
        while not _ready(port):
            running.check()
            if time.monotonic() - began > _PATIENCE:
                raise BenchFailed(f"Ownkey is not ready after {_PATIENCE:.0f} s")
            time.sleep(_POLL)
        took = time.monotonic() - began
        time.sleep(_SETTLED)
        return took, memory_mb((running.pid,))
    finally:
        running.stop()


def _ready(port: int) -> bool:
    """Ask once; the socket takes connections before the server does, and the answer is waited for."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE) as connection:
            connection.sendall(_QUESTION)
            return connection.recv(64).startswith(b"HTTP/1.1 200")
    except OSError:
        return False
