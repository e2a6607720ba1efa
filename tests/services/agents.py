"""Other people's coding agents, each run once without a terminal and with every permission, in a folder of its own.

A scripted model of the sandbox plays the upstream: the prompt names the tools that it calls (`sandbox:call`).
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

from tests.services.clients import environment_of, run
from tests.services.stack import User

Started = CompletedProcess[str]
Start = Callable[[User, Path, str, str], Started]
"""Runs an agent: whom it runs for, its home, its model and its prompt. It works in the folder `work` of its home."""


@dataclass(frozen=True)
class Agent:
    """How an agent is run and read.

    `shell` is the name of its tool that runs a command, `argument` that tool's argument for the command, and `more` are
    further arguments that it requires. `answer` reads the agent's final text from its standard output. `format` is the
    wire format that it speaks to Ownkey.
    """

    start: Start
    answer: Callable[[str], str]
    shell: str
    argument: str
    format: str
    more: dict[str, Any]

    def calls(self, *commands: str) -> str:
        """A prompt for which the sandbox's `tools` calls the shell once for each command, all in one turn."""
        directions = [f"sandbox:call {self.shell} {json.dumps({self.argument: it} | self.more)}" for it in commands]
        return "\n".join(["Run these.", *directions])


def _work(home: Path) -> Path:
    work = home / "work"
    work.mkdir(exist_ok=True)
    return work


def _program(pattern: str, environment: str = "agents") -> Path:
    (program,) = environment_of(environment).glob(f"node_modules/{pattern}")
    return program


def _codex(user: User, home: Path, model: str, prompt: str, *settings: str) -> Started:
    program = _program("@openai/codex-*/vendor/*/bin/codex")
    chosen = [part for setting in settings for part in ("-c", setting)]
    command = [program, "exec", "--json", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox"]
    (home / "codex").mkdir(exist_ok=True)
    environment = {"CODEX_HOME": str(home / "codex"), "CODEX_API_KEY": user.key, "OWNKEY_API_KEY": user.key}
    return run([*command, "-m", model, *chosen, prompt], environment, home, folder=_work(home))


def codex_built_in(user: User, home: Path, model: str, prompt: str) -> Started:
    """Codex's own OpenAI provider, which asks for a WebSocket first, with nothing but its address changed."""
    return _codex(user, home, model, prompt, f'openai_base_url="{user.stack.url}/v1"')


def codex_custom(user: User, home: Path, model: str, prompt: str) -> Started:
    row = f'name="Ownkey", base_url="{user.stack.url}/v1", env_key="OWNKEY_API_KEY", wire_api="responses"'
    return _codex(user, home, model, prompt, f"model_providers.ownkey={{{row}}}", 'model_provider="ownkey"')


def _last_message(output: str) -> str:
    items = [json.loads(line).get("item", {}) for line in output.splitlines() if line.startswith("{")]
    messages = [item["text"] for item in items if item.get("type") == "agent_message"]
    return messages[-1] if messages else ""


def gemini_cli(user: User, home: Path, model: str, prompt: str) -> Started:
    settings = {
        "security": {"auth": {"selectedType": "gemini-api-key"}},
        "privacy": {"usageStatisticsEnabled": False},
        "general": {"enableAutoUpdate": False, "enableAutoUpdateNotification": False},
        "tools": {"useRipgrep": False},
    }
    (home / ".gemini").mkdir(exist_ok=True)
    (home / ".gemini" / "settings.json").write_text(json.dumps(settings))
    environment = {
        "GEMINI_API_KEY": user.key,
        "GOOGLE_GEMINI_BASE_URL": user.stack.url,
        "GEMINI_CLI_TRUST_WORKSPACE": "true",
        # One process instead of two: the second only raises a limit on memory.
        "GEMINI_CLI_NO_RELAUNCH": "true",
        "NODE_COMPILE_CACHE": str(environment_of("agents") / "compiled"),
    }
    command = ["node", _program(".bin/gemini"), "-m", model, "-p", prompt, "-o", "json", "--yolo"]
    return run(command, environment, home, folder=_work(home))


def _response(output: str) -> str:
    return json.loads(output[output.index("{") :]).get("response", "")


AGENTS = {
    "codex": Agent(codex_built_in, _last_message, "exec_command", "cmd", "openai_responses", {}),
    "codex, custom provider": Agent(codex_custom, _last_message, "exec_command", "cmd", "openai_responses", {}),
    "gemini-cli": Agent(gemini_cli, _response, "run_shell_command", "command", "gemini", {"description": "x"}),
}
