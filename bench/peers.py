"""Other gateways, as far as they are installed (`scripts/install-peers`): the same question, the same upstream.

Each runs as its own documents say for production, with one worker and as little beside the proxying as it lets be
switched off. What it does beside that differs: no peer stores a row per request here, Ownkey does.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from bench.machine import descendants
from bench.processes import ROOT, BenchFailed, Running, environment, free_port
from bench.questions import PASSED, PROVIDER_KEY, of_peer

FOLDER = ROOT / ".venv-peers"
_KEY = "sk-bench-master-0123456789"


class Peer(Struct, frozen=True):
    """A gateway. `program` is there once it is installed; `command`, `variables` and `headers` are given its port and
    the upstream's base URL, a configuration file is written first where it needs one."""

    name: str
    program: Path
    command: Callable[[int, Path], Sequence[str]]
    headers: Callable[[str], Mapping[str, str]]
    key: str
    variables: Mapping[str, str] = {}
    config: Callable[[str], object] | None = None


class RunningPeer(Running):
    """A peer that listens, and the question that it is asked."""

    def __init__(self, peer: Peer, folder: Path, core: int, upstream: str) -> None:
        port, config = free_port(), folder / f"{peer.name}.json"
        base = f"{upstream}/openai/v1"
        if peer.config is not None:
            # JSON is YAML.
            config.write_text(json.dumps(peer.config(base)), encoding="utf-8")
        super().__init__(peer.command(port, config), core, environment(peer.variables), folder / f"{peer.name}.log")
        try:
            self.wait_for_port(port)
        except BenchFailed:
            self.stop()
            raise
        self.question = of_peer(f"http://127.0.0.1:{port}", peer.key, PASSED, peer.headers(base))

    @property
    def pids(self) -> tuple[int, ...]:
        return (self.pid, *descendants(self.pid))


def installed(say: Callable[[str], None]) -> list[Peer]:
    """The peers that can run here; the others are named."""
    for peer in PEERS:
        if not peer.program.exists():
            say(f"{peer.name} is not installed here and left out (scripts/install-peers tells why)")
    return [peer for peer in PEERS if peer.program.exists()]


_LITELLM = FOLDER / "litellm" / "bin" / "litellm"
_PORTKEY = FOLDER / "portkey" / "node_modules" / "@portkey-ai" / "gateway" / "build" / "start-server.js"

PEERS = (
    Peer(
        "litellm",
        _LITELLM,
        lambda port, config: [str(_LITELLM), "--config", str(config), "--host", "127.0.0.1", "--port", str(port)],
        lambda _: {},
        _KEY,
        {"LITELLM_LOG": "ERROR", "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_TELEMETRY": "False"},
        lambda base: {
            "model_list": [
                {
                    "model_name": PASSED,
                    "litellm_params": {"model": f"openai/{PASSED}", "api_base": base, "api_key": PROVIDER_KEY},
                }
            ],
            "general_settings": {"master_key": _KEY},
            "litellm_settings": {"telemetry": False},
        },
    ),
    Peer(
        "portkey",
        _PORTKEY,
        lambda port, _: ["node", str(_PORTKEY), "--headless", f"--port={port}"],
        lambda base: {"x-portkey-provider": "openai", "x-portkey-custom-host": base},
        PROVIDER_KEY,
        {"NODE_ENV": "production", "TRUSTED_CUSTOM_HOSTS": "127.0.0.1,localhost"},
    ),
)
