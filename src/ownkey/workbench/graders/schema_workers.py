"""JSON Schemas, compiled and applied in processes of their own.

A schema of a few lines can take years: 40 definitions, each of which applies the one before it twice, are 2⁴⁰
evaluations; others take minutes to compile. The validator cannot be interrupted and holds the interpreter's lock, so it
runs in a worker process that the kernel ends after `CPU_SECONDS`. A worker has no access to the server's environment.
"""

import asyncio
import json
import os
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, TypeVar

from ownkey.workbench.graders.finding import BadCheck, Ungradable

CPU_SECONDS = 2.0
"""Processor time for one schema with the values of one answer."""

MEMORY = 1 << 30
"""Bytes of address space of a worker."""

_WALL_SECONDS = 120.0
"""How long a worker may be silent before it is given up, should the kernel not have ended it."""

_SCRIPT = Path(__file__).with_name("schema_worker.py")
_ENVIRONMENT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL")

T = TypeVar("T")


class SchemaTooCostly(BadCheck):
    """A schema exceeded the worker's processor time or memory."""


class SchemaWorker:
    """One process. Its methods block, and raise SchemaTooCostly for a schema that ended it, Ungradable for a crash."""

    def __init__(self, cpu_seconds: float) -> None:
        self._cpu_seconds = cpu_seconds
        self._socket, other = socket.socketpair()
        self._socket.settimeout(_WALL_SECONDS)
        with other:
            try:
                self._process = _started(other, cpu_seconds)
            except OSError as error:
                self._socket.close()
                raise Ungradable(f"the process that checks schemas could not start: {error.strerror}") from error

    def compile(self, schema: str) -> None:
        """Raises BadCheck for what is no valid schema, or refers to anything outside itself."""
        answer = self._ask(schema, [])
        if "invalid" in answer:
            raise BadCheck(answer["invalid"])

    def first_valid(self, schema: str, values: Sequence[str]) -> tuple[int | None, str]:
        """The index of the first value (JSON as text) that satisfies the schema; or None, and why the first does not.

        Raises Ungradable for values that cannot be compared.
        """
        answer = self._ask(schema, list(values))
        if "invalid" in answer:
            raise Ungradable(f"the answer cannot be compared with the schema: {answer['invalid']}")
        return answer.get("valid"), answer.get("complaint", "")

    def close(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.wait()
        self._socket.close()

    def _ask(self, schema: str, values: list[str]) -> dict[str, Any]:
        request = json.dumps({"schema": schema, "values": values}).encode()
        try:
            self._socket.sendall(struct.pack(">I", len(request)) + request)
            return json.loads(self._read(struct.unpack(">I", self._read(4))[0]))
        except TimeoutError:
            raise SchemaTooCostly(self._too_slow()) from None
        except OSError:
            raise self._ended() from None

    def _read(self, length: int) -> bytes:
        data = bytearray()
        while len(data) < length:
            piece = self._socket.recv(length - len(data))
            if not piece:
                raise ConnectionResetError
            data += piece
        return bytes(data)

    def _ended(self) -> Ungradable:
        code = self._process.wait(_WALL_SECONDS)
        if code == -signal.SIGPROF:
            return SchemaTooCostly(self._too_slow())
        if code in {-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS, 1}:
            return SchemaTooCostly("the schema needs too much memory or recursion; make it simpler")
        return Ungradable("the process that checks schemas has ended; grade again")

    def _too_slow(self) -> str:
        return f"the schema takes more than {self._cpu_seconds:g} s of processor time; make it simpler"


def _started(end: socket.socket, cpu_seconds: float) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-P", str(_SCRIPT), str(end.fileno()), str(cpu_seconds), str(MEMORY)],
        pass_fds=[end.fileno()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=child_environment(),
    )


def child_environment() -> dict[str, str]:
    """What a process needs to find Python and its libraries, and nothing else of the server's environment."""
    return {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}


class SchemaWorkers:
    """At most `limit` workers, started when needed and kept for the next check. Safe for use by several threads.

    Close it, or use it as a context manager: workers in the middle of a check are ended too.
    """

    def __init__(self, limit: int = 2, cpu_seconds: float = CPU_SECONDS) -> None:
        self._cpu_seconds = cpu_seconds
        # Work waits in the executor's queue and not in threads that others need.
        self._executor = ThreadPoolExecutor(limit, thread_name_prefix="schemas")
        self._idle: list[SchemaWorker] = []
        self._all: set[SchemaWorker] = set()
        self._lock = Lock()
        self._closed = False
        self.overruns = 0
        """Schemas so far that exceeded their bounds; each cost as much as one may."""

    def call(self, work: Callable[[SchemaWorker], T]) -> T:
        """Run `work` with a worker of its own, and wait for it. Raises what it raises. Not for the event loop."""
        return self._executor.submit(self._with_worker, work).result()

    async def run(self, work: Callable[[SchemaWorker], T]) -> T:
        """As `call`, for the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._with_worker, work)

    def close(self) -> None:
        """End all workers; checks that are under way or waiting raise."""
        with self._lock:
            self._closed = True
            workers, self._all = self._all, set()
        for worker in workers:
            worker.close()
        self._executor.shutdown(cancel_futures=True)

    def __enter__(self) -> "SchemaWorkers":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _with_worker(self, work: Callable[[SchemaWorker], T]) -> T:
        with self._lock:
            if self._closed:
                raise Ungradable("the workbench is shutting down")
            worker = self._idle.pop() if self._idle else SchemaWorker(self._cpu_seconds)
            self._all.add(worker)
        try:
            found = work(worker)
        except SchemaTooCostly:
            self.overruns += 1
            self._give_back(worker, usable=False)
            raise
        except BadCheck:
            self._give_back(worker, usable=True)
            raise
        except BaseException:
            self._give_back(worker, usable=False)
            raise
        self._give_back(worker, usable=True)
        return found

    def _give_back(self, worker: SchemaWorker, *, usable: bool) -> None:
        with self._lock:
            if usable and not self._closed:
                self._idle.append(worker)
                return
            self._all.discard(worker)
        worker.close()
