"""Several worker processes on one listening socket: started together, replaced when one dies, drained together."""

import asyncio
import multiprocessing
import signal
import socket
import time
from collections import deque
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

import structlog

log = structlog.get_logger(__name__)

_READY = b"ready"
_DEATHS, _WITHIN = 5, 60.0
"""So many deaths of workers, times their number, within so many seconds, and the supervisor gives up."""


class WorkerPlace:
    """A worker's number, from 0 on, and its line to the supervisor."""

    def __init__(self, number: int, line: Connection) -> None:
        self.number = number
        self._line = line

    def report_ready(self, _lines: object) -> None:
        """Tell the supervisor that requests are taken."""
        self._line.send_bytes(_READY)

    def on_orphaned(self, act: Callable[[], None]) -> None:
        """Call `act` in the running event loop when the supervisor has died."""
        loop = asyncio.get_running_loop()

        def hung_up() -> None:
            # The supervisor never writes: what can be read is the end.
            loop.remove_reader(self._line.fileno())
            act()

        loop.add_reader(self._line.fileno(), hung_up)


class _Worker:
    """A process and the supervisor's end of its line."""

    def __init__(self, number: int, work: Callable[[WorkerPlace], None]) -> None:
        context = multiprocessing.get_context("spawn")
        self.line, theirs = context.Pipe()
        self.number = number
        self.ready = False
        self.process: SpawnProcess = context.Process(
            target=work, args=(WorkerPlace(number, theirs),), name=f"ownkey worker {number}"
        )
        self.process.start()
        # Held by the worker alone, so that the end of the supervisor shows there, and the worker's end here.
        theirs.close()


class Supervisor:
    """Keeps `count` processes running `work`, which must be importable in a new interpreter."""

    def __init__(self, count: int, work: Callable[[WorkerPlace], None]) -> None:
        self._count = count
        self._work = work
        self._workers: list[_Worker] = []
        self._deaths: deque[float] = deque(maxlen=_DEATHS * count)
        self._announced = False
        self._stopping = False
        self._status = 0

    def run(self, ready: Callable[[], None]) -> int:
        """Run until SIGTERM or SIGINT and until all have drained; `ready` is called once all take requests.

        The exit status: 0 after a stop, a worker's own when it could not even start, 1 when they keep dying.
        """
        told, teller = socket.socketpair()
        teller.setblocking(False)
        signal.set_wakeup_fd(teller.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _only_wake)
        self._workers = [_Worker(number, self._work) for number in range(self._count)]
        while self._workers:
            sentinels = {worker.process.sentinel: worker for worker in self._workers}
            lines = {worker.line: worker for worker in self._workers if not worker.ready}
            for source in wait([told, *sentinels, *lines]):
                if source is told:
                    told.recv(64)
                    self._stop()
                elif isinstance(source, Connection):
                    self._hear(lines[source], ready)
                elif isinstance(source, int):
                    self._bury(sentinels[source])
        signal.set_wakeup_fd(-1)
        told.close()
        teller.close()
        return self._status

    def _hear(self, worker: _Worker, ready: Callable[[], None]) -> None:
        # A closed line is ready, too: the end of the process is seen by its sentinel.
        worker.ready = True
        try:
            worker.line.recv_bytes(len(_READY))
        except (EOFError, OSError):
            return
        if not self._announced and not self._stopping and all(each.ready for each in self._workers):
            self._announced = True
            ready()

    def _bury(self, worker: _Worker) -> None:
        worker.process.join()
        worker.line.close()
        self._workers.remove(worker)
        status = worker.process.exitcode
        if self._stopping:
            self._status = self._status or (1 if status else 0)
            return
        log.error("a worker died", worker=worker.number, status=status)
        if not self._announced:
            # It could not start and has said why. The others will fare no better.
            self._give_up(status if status is not None and status > 0 else 1)
            return
        now = time.monotonic()
        if len(self._deaths) == self._deaths.maxlen and now - self._deaths[0] < _WITHIN:
            log.critical("workers keep dying: giving up", count=len(self._deaths))
            self._give_up(1)
            return
        self._deaths.append(now)
        self._workers.append(_Worker(worker.number, self._work))

    def _give_up(self, status: int) -> None:
        self._status = status
        self._stop()

    def _stop(self) -> None:
        """Let all drain; called again, by a second signal, it ends their waiting, too."""
        self._stopping = True
        for worker in self._workers:
            worker.process.terminate()


def _only_wake(_number: int, _frame: object) -> None:
    """Being installed is what matters: the wake-up descriptor tells the loop above."""
