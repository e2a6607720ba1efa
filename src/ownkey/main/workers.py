"""Several worker processes on one listening socket: started together, replaced when one dies, drained together."""

import multiprocessing
import signal
import socket
import threading
from collections.abc import Callable
from multiprocessing.context import SpawnProcess
from typing import TypeVar

import structlog

log = structlog.get_logger(__name__)
S = TypeVar("S")
_LOOK = 0.5
_RESTARTS = 5
"""Deaths of workers within the first seconds of their lives after which the supervisor gives up."""


def supervise(workers: int, work: Callable[[S, socket.socket], None], settings: S, listener: socket.socket) -> None:
    """Run `work(settings, listener)` in `workers` processes until SIGTERM or SIGINT; then wait for all to drain."""
    context = multiprocessing.get_context("spawn")

    def start() -> SpawnProcess:
        process = context.Process(target=work, args=(settings, listener))
        process.start()
        return process

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    running = [start() for _ in range(workers)]
    deaths = 0
    while not stop.wait(_LOOK):
        for place, process in enumerate(running):
            if process.is_alive() or stop.is_set():
                continue
            deaths += 1
            log.error("a worker died", status=process.exitcode, count=deaths)
            if deaths > _RESTARTS * workers:
                stop.set()
                break
            running[place] = start()
    for process in running:
        process.terminate()
    for process in running:
        process.join()
    listener.close()
