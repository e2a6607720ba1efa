"""Other people's coding agents, each run once without a terminal and with every permission, in a folder of its own.

A scripted model of the sandbox plays the upstream: the prompt names the tools that it calls (`sandbox:call`).
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

from tests.services.clients import environment_of, pointed_at, run
from tests.services.stack import User

_SECONDS = 200.0
"""Some agents start for ten seconds of a processor's time, which a busy machine stretches."""

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
    return run([*command, "-m", model, *chosen, prompt], environment, home, folder=_work(home), seconds=_SECONDS)


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
    return run(command, environment, home, folder=_work(home), seconds=_SECONDS)


def _response(output: str) -> str:
    return json.loads(output[output.index("{") :]).get("response", "")


def opencode(provider: str, package: str | None = None) -> Start:
    """opencode by one of its providers, named `provider` there; `package` is for one that it does not have itself."""

    def start(user: User, home: Path, model: str, prompt: str) -> Started:
        name = f"models/{model}" if provider == "google" else model
        address = f"{user.stack.url}/{'v1beta' if provider == 'google' else 'v1'}"
        row = {"options": {"baseURL": address, "apiKey": user.key}, "models": {name: {}}}
        config = {
            "autoupdate": False,
            "share": "disabled",
            "permission": "allow",
            "small_model": f"{provider}/{name}",
            "provider": {provider: row | ({"npm": package} if package else {})},
        }
        (home / "opencode.json").write_text(json.dumps(config))
        environment = {
            "OPENCODE_CONFIG": str(home / "opencode.json"),
            "OPENCODE_DISABLE_AUTOUPDATE": "1",
            "OPENCODE_DISABLE_MODELS_FETCH": "1",
            "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
        }
        program = _program("opencode-linux-x64-baseline/bin/opencode", "agents-long")
        # From standard input: opencode escapes the quotation marks of a prompt among its arguments.
        (home / "prompt.txt").write_text(prompt)
        command = [program, "run", "--format", "json", "--title", "x", "-m", f"{provider}/{name}"]
        return run(command, environment, home, folder=_work(home), seconds=_SECONDS, script=home / "prompt.txt")

    return start


def _texts(output: str) -> str:
    events = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    return "".join(event["part"]["text"] for event in events if event["type"] == "text")


def _newer_node() -> Path:
    return _program("node-linux-*/bin/node", "agents-long")


def qwen_code(kind: str) -> Start:
    """qwen-code with `kind` as the type of its authentication."""

    def start(user: User, home: Path, model: str, prompt: str) -> Started:
        environment = pointed_at(user) | {
            "QWEN_CODE_NO_RELAUNCH": "true",
            "NODE_COMPILE_CACHE": str(environment_of("agents-long") / "compiled"),
        }
        program = _program(".bin/qwen", "agents-long")
        command = [_newer_node(), program, "--auth-type", kind, "-m", model, "-p", prompt, "-o", "json", "--yolo"]
        return run(command, environment, home, folder=_work(home), seconds=_SECONDS)

    return start


def _result(output: str) -> str:
    events = json.loads(output[output.index("[") :])
    return next((event.get("result", "") for event in reversed(events) if event["type"] == "result"), "")


def continue_cli(provider: str, version: str) -> Start:
    """Continue's command line with `provider` in its configuration; `version` ends the address."""

    def start(user: User, home: Path, model: str, prompt: str) -> Started:
        row = {
            "name": "scripted",
            "provider": provider,
            "model": model,
            "apiBase": f"{user.stack.url}/{version}/",
            "apiKey": user.key,
            "roles": ["chat"],
            "capabilities": ["tool_use"],
        }
        # JSON is YAML.
        config = {"name": "Ownkey", "version": "1.0.0", "schema": "v1", "models": [row]}
        (home / "continue.yaml").write_text(json.dumps(config))
        # Its provider for Gemini heeds Google's variable and no `apiBase`.
        environment = pointed_at(user) | {
            "CONTINUE_TELEMETRY_ENABLED": "0",
            "NODE_COMPILE_CACHE": str(environment_of("agents-long") / "compiled"),
        }
        command = [
            _newer_node(),
            _program(".bin/cn", "agents-long"),
            "-p",
            "--config",
            home / "continue.yaml",
            "--auto",
        ]
        return run([*command, prompt], environment, home, folder=_work(home), seconds=_SECONDS)

    return start


def _printed(output: str) -> str:
    return output


_RUNS_IN_FRONT = {"description": "x", "is_background": False}
_CODEX = (_last_message, "exec_command", "cmd", "openai_responses", {})
_OPENCODE = (_texts, "bash", "command")
_QWEN = (_result, "run_shell_command", "command")
_CONTINUE = (_printed, "Bash", "command")

AGENTS = {
    "codex": Agent(codex_built_in, *_CODEX),
    "codex, custom provider": Agent(codex_custom, *_CODEX),
    "gemini-cli": Agent(gemini_cli, _response, "run_shell_command", "command", "gemini", {"description": "x"}),
    "opencode, OpenAI": Agent(opencode("openai"), *_OPENCODE, "openai_responses", {"description": "x"}),
    "opencode, OpenAI-compatible": Agent(
        opencode("ownkey", "@ai-sdk/openai-compatible"), *_OPENCODE, "openai_chat", {"description": "x"}
    ),
    "opencode, Anthropic": Agent(opencode("anthropic"), *_OPENCODE, "anthropic_messages", {"description": "x"}),
    "opencode, Google": Agent(opencode("google"), *_OPENCODE, "gemini", {"description": "x"}),
    "qwen-code, OpenAI": Agent(qwen_code("openai"), *_QWEN, "openai_chat", _RUNS_IN_FRONT),
    "qwen-code, Anthropic": Agent(qwen_code("anthropic"), *_QWEN, "anthropic_messages", _RUNS_IN_FRONT),
    "qwen-code, Gemini": Agent(qwen_code("gemini"), *_QWEN, "gemini", _RUNS_IN_FRONT),
    "continue, OpenAI": Agent(continue_cli("openai", "v1"), *_CONTINUE, "openai_chat", {}),
    "continue, Anthropic": Agent(continue_cli("anthropic", "v1"), *_CONTINUE, "anthropic_messages", {}),
    "continue, Gemini": Agent(continue_cli("gemini", "v1beta"), *_CONTINUE, "gemini", {}),
}
