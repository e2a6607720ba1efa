"""`ownkey workbench …` and `ownkey bench` as a person runs them: in a folder of their own, with variables of theirs."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.cli.running import CODE, Ran
from tests.services.stack import Process, User

_numbers = count(1)


def environment(ours: Mapping[str, str]) -> dict[str, str]:
    """This process's variables without any of Ownkey's and any key, and `ours`."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OWNKEY_")}
    return {name: value for name, value in clean.items() if not name.endswith("_API_KEY")} | dict(ours)


@dataclass(frozen=True)
class Shell:
    """A folder, and a sandbox at whose address all presets are.

    `key` is this shell's alone, so that its calls can be counted."""

    folder: Path
    sandbox: str
    key: str

    @property
    def variables(self) -> dict[str, str]:
        return {"OWNKEY_SANDBOX_URL": self.sandbox, "OPENAI_API_KEY": self.key, "THE_KEY": self.key}

    @property
    def endpoint(self) -> str:
        return f"{self.sandbox}/openai/v1"

    def run(self, *arguments: str, stdin: str = "", **variables: str) -> Ran:
        """Run a command to its end; `variables` come on top of the shell's."""
        done = subprocess.run(
            [sys.executable, "-c", CODE, *arguments],
            input=stdin.encode(),
            env=environment(self.variables | variables),
            cwd=self.folder,
            capture_output=True,
            timeout=90,
            check=False,
        )
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Begin a command whose standard error is read while it goes on."""
        return subprocess.Popen(
            [sys.executable, "-c", CODE, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(self.variables),
            cwd=self.folder,
            text=True,
        )

    def suite(self, *rows: Mapping[str, Any], name: str = "suite.jsonl") -> str:
        """Write a suite; its name."""
        (self.folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
        return name

    def echoes(self, prompts: int) -> str:
        """A suite whose every check an echo passes."""
        return self.suite(
            *({"id": f"p{i}", "prompt": f"say word{i}", "expected": f"say word{i}"} for i in range(prompts))
        )

    def asked(self) -> list[str]:
        """The prompts that came to the sandbox with this shell's key, in their order; the connection check's are not
        among them."""
        found = httpx2.get(f"{self.sandbox}/__sandbox/requests", params={"key_suffix": self.key[-8:]}, trust_env=False)
        bodies = [request["body"] for request in found.json()["requests"]]
        texts = [body["messages"][-1]["content"] for body in bodies if "messages" in body]
        return [text for text in texts if text.startswith("say ")]

    def runs(self) -> list[Path]:
        return sorted((self.folder / "workbench-runs").glob("*.jsonl"))


def to_result(process: "subprocess.Popen[str]", number: int) -> list[str]:
    """Read what a run tells until the result of this number is told."""
    assert process.stderr is not None
    told: list[str] = []
    for line in process.stderr:
        told.append(line)
        if line.startswith(f"{number}/"):
            return told
    raise AssertionError("".join(told))


def results_in(path: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]
    return [line["result"] for line in lines if "result" in line]


def ownkey_of(user: User) -> dict[str, str]:
    """The variables by which commands go through the user's Ownkey."""
    return {"OWNKEY_URL": user.stack.url, "OWNKEY_API_KEY": user.key}


def new_shell(folder: Path, sandbox: Process) -> Shell:
    return Shell(folder, sandbox.url, f"sk-cli-workbench-{next(_numbers):08d}")


def outcomes(ran: Ran) -> Sequence[str]:
    """The lines of progress."""
    return [line for line in ran.err.splitlines() if line.partition("/")[0].isdigit()]


@pytest.fixture
def shell(tmp_path: Path, sandbox: Process) -> Shell:
    return new_shell(tmp_path, sandbox)
