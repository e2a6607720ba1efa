"""Everything that runs during a measurement: sandbox, static upstream, nginx and Ownkey, each on its core."""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Self, TypeVar

import httpx2

from bench.account import Ownkey
from bench.machine import Cores
from bench.nginx import Nginx, Proxy, StaticUpstream
from bench.peers import Peer, RunningPeer
from bench.processes import BenchFailed, Running, environment
from bench.questions import of_upstream

_Server = Running | Nginx | Ownkey | RunningPeer
_S = TypeVar("_S", bound=_Server)


class Sandbox(Running):
    """The simulator of the providers."""

    def __init__(
        self, folder: Path, core: int, name: str, tokens_per_second: float = 0.0, recent_requests: int = 512
    ) -> None:
        command = [sys.executable, "-m", "ownkey.sandbox", "--lenient", "--port", "0"]
        command += ["--tokens-per-second", str(tokens_per_second), "--recent-requests", str(recent_requests)]
        super().__init__(command, core, environment(), folder / f"{name}.log")
        self.url = self.wait_for(r"on (http://\S+)")
        self.port = int(self.url.rpartition(":")[2])


class Stage:
    """Processes of one part of the run. Leaving it ends them all, the last one started first."""

    def __init__(self, folder: Path, cores: Cores) -> None:
        folder.mkdir()
        self.folder = folder
        self.cores = cores
        self._stack = ExitStack()
        self._started: list[_Server] = []

    def sandbox(self, name: str, tokens_per_second: float = 0.0, recent_requests: int = 512) -> Sandbox:
        """A sandbox on the other core; `tokens_per_second` 0 does not pace; its log holds `recent_requests`."""
        started = Sandbox(self.folder, self.cores.other, name, tokens_per_second, recent_requests)
        return self._keep(started)

    def static_upstream(self, sandbox: Sandbox) -> StaticUpstream:
        """nginx on the other core, answering what the sandbox answers to the question that is measured."""
        question = of_upstream(sandbox.url)
        answer = httpx2.post(question.url, content=question.body, headers=question.headers, trust_env=False)
        if answer.status_code != 200:
            raise BenchFailed(f"the sandbox answers {answer.status_code}: {answer.text}")
        started = StaticUpstream(self.folder / "static", self.cores.other, dict(answer.headers), answer.text)
        return self._keep(started)

    def proxy(self, upstreams: dict[int, bool]) -> Proxy:
        """nginx on the core for servers under test; port → whether answers are buffered."""
        started = Proxy(self.folder / "proxy", self.cores.tested, upstreams)
        return self._keep(started)

    def ownkey(self, sandbox_url: str, addresses: dict[str, str]) -> Ownkey:
        """Ownkey on the core for servers under test; `addresses` are base URLs of single providers."""
        started = Ownkey(self.folder / f"ownkey{len(self._started)}", self.cores.tested, sandbox_url, addresses)
        return self._keep(started)

    def peer(self, peer: Peer, upstream: str) -> RunningPeer:
        """Another gateway on the core for servers under test, before an upstream that speaks OpenAI's format."""
        return self._keep(RunningPeer(peer, self.folder, self.cores.tested, upstream))

    def check(self) -> None:
        """Raise BenchFailed when a process has ended: then it is no use to look at what others told."""
        for started in self._started:
            started.check()

    def _keep(self, started: _S) -> _S:
        self._stack.callback(started.stop)
        self._started.append(started)
        return started

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
