"""Running `ownkey` as people do: a process with arguments, variables and standard input."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from tests.services.stack import Stack, User

CODE = "from ownkey.cli import main; main()"


@dataclass(frozen=True)
class Ran:
    """What a command left: its exit code and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def ownkey(*arguments: str, stdin: str | bytes = "", **variables: str) -> Ran:
    """Run a command to its end; `variables` are OWNKEY_ ones, without that prefix and in lower case."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OWNKEY_")}
    ours = {f"OWNKEY_{name.upper()}": value for name, value in variables.items()}
    done = subprocess.run(
        [sys.executable, "-c", CODE, *arguments],
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        env=clean | ours,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


def asking(user: User) -> dict[str, str]:
    """The variables by which commands reach the user's server."""
    return {"url": user.stack.url, "api_key": user.key}


def beside(stack: Stack) -> dict[str, str]:
    """The variables by which the operator's commands find the server's data."""
    return {"data_dir": str(stack.data_dir)}


def is_told(ran: Ran, code: int, *words: str) -> None:
    """The command failed in one line on standard error, with these words, and printed nothing else."""
    assert ran.code == code, ran
    assert ran.out == ""
    assert ran.err.count("\n") == 1, ran.err
    assert ran.err.startswith("ownkey: ")
    for word in words:
        assert word in ran.err
