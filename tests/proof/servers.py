"""Servers that tests kill, starve and signal: forked ones that start at once, and commands as people type them."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from threading import Condition, Thread

import psutil
from tests.services.stack import Process, Stack

REPOSITORY = Path(__file__).parents[2]
_LISTENING = r"on (http://\S+)"


class Output:
    """What a process prints, read all the time, so that it never waits for us, and we wait for what it says."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._parts: list[bytes] = []
        self._changed = Condition()
        self._ended = False
        Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while True:
            part = os.read(self._descriptor, 1 << 16)
            with self._changed:
                self._parts.append(part)
                self._ended = not part
                self._changed.notify_all()
            if not part:
                os.close(self._descriptor)
                return

    @property
    def text(self) -> str:
        with self._changed:
            return b"".join(self._parts).decode(errors="replace")

    def wait_for(self, pattern: str, seconds: float = 120.0) -> "re.Match[str]":
        """The first match; fails when the process ends or the time is up without one."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while True:
                text = b"".join(self._parts).decode(errors="replace")
                found = re.search(pattern, text)
                if found:
                    return found
                left = deadline - time.monotonic()
                if self._ended or left <= 0:
                    raise AssertionError(f"{pattern!r} was not printed:\n{text}")
                self._changed.wait(left)

    def wait_for_end(self, seconds: float = 120.0) -> str:
        """All of it, once the process and its children have closed it."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._ended, seconds), "the output is still open"
        return self.text


class Launcher:
    """See `launcher.py`."""

    def __init__(self) -> None:
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.proof.launcher", str(theirs.fileno())],
            cwd=REPOSITORY,
            pass_fds=[theirs.fileno()],
            env=clean_environment(),
        )
        theirs.close()

    def start(self, variables: Mapping[str, str], output: int, listener: socket.socket, user: int | None) -> int:
        """Fork a server; its process id. `user` is the number of another user, who runs it."""
        order = json.dumps({"start": dict(variables), "user": user}).encode()
        socket.send_fds(self._channel, [order], [output, listener.fileno()])
        return self._answer()["pid"]

    def wait(self, pid: int) -> int:
        """The exit status, once the process has ended; negative for a signal."""
        self._channel.send(json.dumps({"wait": pid}).encode())
        return self._answer()["status"]

    def _answer(self) -> dict[str, int]:
        data = self._channel.recv(1 << 16)
        assert data, "the launcher has died"
        return json.loads(data)

    def close(self) -> None:
        self._channel.close()
        self._process.wait(30)


class Forked:
    """A server forked by a launcher; the same to a `Stack` as `Process`."""

    def __init__(
        self, launcher: Launcher, variables: Mapping[str, str], listener: socket.socket, user: int | None = None
    ) -> None:
        self._launcher = launcher
        reading, writing = os.pipe()
        self.pid = launcher.start(variables, writing, listener, user)
        os.close(writing)
        self.output = Output(reading)
        self._status: int | None = None
        self.url = "http://{}:{}".format(*listener.getsockname())

    @property
    def log(self) -> str:
        return self.output.text

    def wait_until_ready(self) -> None:
        self.output.wait_for(_LISTENING)

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def wait(self) -> int:
        if self._status is None:
            self._status = self._launcher.wait(self.pid)
        return self._status

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; the exit status."""
        if self._status is None:
            self.send_signal(number)
        return self.wait()


class ForkedStack(Stack):
    """A stack whose server comes from a launcher. Its socket outlives the server, as under systemd."""

    def __init__(self, launcher: Launcher, data_dir: Path, sandbox: Process, **environment: str) -> None:
        self._launcher = launcher
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.server: Forked
        super().__init__(data_dir, sandbox, **environment)

    def start(self) -> None:
        self.launch()
        self.server.wait_until_ready()

    def beside(self, listener: socket.socket) -> Forked:
        """Another server on the same data directory."""
        return Forked(self._launcher, self._environment, listener)

    def launch(self) -> Forked:
        """Fork a server without waiting for it."""
        self.server = Forked(self._launcher, self._environment, self._listener)
        return self.server

    def stop(self) -> int:
        for user in self._users:
            user.close()
        return self.server.stop()

    def close(self) -> None:
        """Stop the server if it runs, and give up the socket."""
        self.stop()
        self._listener.close()

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def database_url(self) -> str:
        return self._environment["OWNKEY_DATABASE_URL"]


class Command:
    """An `ownkey` command as a process of its own, typed as people do."""

    def __init__(self, *arguments: str, **variables: str) -> None:
        reading, writing = os.pipe()
        self.popen = subprocess.Popen(
            [sys.executable, "-c", "from ownkey.cli import main; main()", *arguments],
            env=clean_environment() | variables,
            stdin=subprocess.PIPE,
            stdout=writing,
            stderr=writing,
        )
        os.close(writing)
        self.output = Output(reading)

    @property
    def pid(self) -> int:
        return self.popen.pid

    @property
    def url(self) -> str:
        """The address, once the server prints it."""
        return self.output.wait_for(_LISTENING)[1]

    def tell(self, text: str) -> None:
        """Write to its standard input, and close that."""
        assert self.popen.stdin is not None
        self.popen.stdin.write(text.encode())
        self.popen.stdin.close()

    def wait(self, seconds: float = 120.0) -> int:
        """The exit status; all output is read then."""
        status = self.popen.wait(seconds)
        if self.popen.stdin is not None:
            self.popen.stdin.close()
        self.output.wait_for_end()
        return status

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; the exit status."""
        if self.popen.poll() is None:
            self.popen.send_signal(number)
        return self.wait()


class TwoWorkers(Stack):
    """`ownkey serve --workers 2`."""

    def start(self) -> None:
        self.command = Command("serve", "--port", "0", "--workers", "2", **self._environment)
        self._url = self.command.url

    @property
    def database_url(self) -> str:
        return self._environment["OWNKEY_DATABASE_URL"]

    def worker_pids(self) -> list[int]:
        """The workers' process ids, without the resource tracker that Python starts beside them."""
        found: list[int] = []
        for child in psutil.Process(self.command.pid).children():
            if any("spawn_main" in argument for argument in child.cmdline()):
                found.append(child.pid)
        return found

    def stop(self) -> int:
        for user in self._users:
            user.close()
        return self.command.stop()

    @property
    def url(self) -> str:
        return self._url

    @property
    def log(self) -> str:
        return self.command.output.text


def clean_environment() -> dict[str, str]:
    """Our own without `OWNKEY_…`. Compiled modules are kept, as on any machine: starts are part of what is tested."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OWNKEY_")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return kept | {"PYTHONUNBUFFERED": "1"}
