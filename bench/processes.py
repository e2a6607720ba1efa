"""Processes of a run: started on a core, waited for, ended; no others are touched."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.machine import find_tool

ROOT = Path(__file__).resolve().parent.parent
_READY_SECONDS = 120.0
_POLL = 0.02


class BenchFailed(Exception):
    """The run cannot go on; the text says why."""


def on_core(core: int, command: Sequence[str]) -> list[str]:
    """The command, pinned. taskset replaces itself by it, so that the process id is the command's."""
    return [find_tool("taskset") or "taskset", "-c", str(core), *command]


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Ours without Ownkey's settings; Python keeps compiled modules, as it does unless told not to."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("OWNKEY_") and name != "PYTHONDONTWRITEBYTECODE"
    }
    return inherited | {"PYTHONUNBUFFERED": "1"} | dict(extra or {})


def free_port() -> int:
    """A port nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Running:
    """A server process. What it prints goes to `log`."""

    def __init__(self, command: Sequence[str], core: int, env: Mapping[str, str], log: Path) -> None:
        self._log = log
        with log.open("wb") as out:
            self._popen = subprocess.Popen(
                on_core(core, command), env=dict(env), cwd=ROOT, stdout=out, stderr=subprocess.STDOUT
            )

    @property
    def pid(self) -> int:
        return self._popen.pid

    def wait_for(self, pattern: str) -> str:
        """The first group of `pattern` in what it prints. Raises BenchFailed when that does not come."""
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline:
            found = re.search(pattern, self._log.read_text(encoding="utf-8", errors="replace"))
            if found:
                return found[1]
            self.check()
            time.sleep(_POLL)
        raise BenchFailed(f"{self._popen.args} did not start:\n{self._tail()}")

    def wait_for_port(self, port: int) -> None:
        """Return once something listens there. Raises BenchFailed when nothing does."""
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
            except OSError:
                self.check()
                time.sleep(_POLL)
            else:
                return
        raise BenchFailed(f"{self._popen.args} does not listen:\n{self._tail()}")

    def check(self) -> None:
        """Raise BenchFailed when the process has ended."""
        if self._popen.poll() is not None:
            raise BenchFailed(f"{self._popen.args} ended with {self._popen.returncode}:\n{self._tail()}")

    def stop(self, seconds: float = 15.0) -> None:
        """End it, gently first."""
        if self._popen.poll() is None:
            self._popen.send_signal(signal.SIGTERM)
        try:
            self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()

    def _tail(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")[-2000:]


class Generator:
    """A load generator of ours: a module that reads one JSON job and prints one JSON result."""

    def __init__(self, module: str, core: int, env: Mapping[str, str], job: Mapping[str, Any]) -> None:
        self._popen = subprocess.Popen(
            on_core(core, [sys.executable, "-m", module]),
            env=dict(env),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._popen.stdin is not None
        self._popen.stdin.write(json.dumps(job).encode())
        self._popen.stdin.close()
        # Already written and closed: what ends the process must not try again.
        self._popen.stdin = None

    @property
    def running(self) -> bool:
        return self._popen.poll() is None

    def result(self, seconds: float) -> dict[str, Any]:
        """Wait at most so long for the result. Raises BenchFailed."""
        return dict(self._told(seconds))

    def rows(self, seconds: float) -> list[Any]:
        """As `result`, of a generator that prints a list."""
        return list(self._told(seconds))

    def _told(self, seconds: float) -> Any:
        try:
            output, _ = self._popen.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise BenchFailed(f"{self._popen.args} took longer than {seconds:.0f} s") from None
        finally:
            self.stop()
        if self._popen.returncode:
            raise BenchFailed(f"{self._popen.args} ended with {self._popen.returncode}")
        return json.loads(output)

    def stop(self) -> None:
        """End it if it still runs."""
        if self._popen.poll() is None:
            self._popen.kill()
            self._popen.wait()
