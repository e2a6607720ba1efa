"""Programs of other people's that tests drive against a running Ownkey, each in an environment of its own.

`make setup-clients` makes the environments. A client is pointed at Ownkey by its vendor's own variables
and finds nothing else in its environment: no proxy, no key, no home of the developer's.
"""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.services.stack import User

_ROOT = Path(__file__).parents[2]
_ENVIRONMENTS = _ROOT / ".venv-clients"
_SECONDS = 60.0


def environment_of(name: str) -> Path:
    """The folder of an environment. Fails, never skips, when it has not been made."""
    home = _ENVIRONMENTS / name
    assert (home / "stamp").exists(), (
        f"there is no environment for {name}: run `make setup-clients` (`make setup-long-clients` for the long run)"
    )
    return home


def python_of(name: str | None) -> Path:
    """The interpreter of an environment; None is the one that runs the tests, with the current SDKs."""
    return Path(sys.executable) if name is None else environment_of(name) / "bin" / "python"


def pointed_at(user: User) -> dict[str, str]:
    """What a client's environment says when it uses Ownkey as `user`."""
    url = user.stack.url
    return {
        "OPENAI_BASE_URL": f"{url}/v1",
        "OPENAI_API_KEY": user.key,
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_API_KEY": user.key,
        "GOOGLE_GEMINI_BASE_URL": url,
        "GEMINI_API_KEY": user.key,
        "GOOGLE_API_KEY": user.key,
        "OWNKEY_URL": url,
        "OWNKEY_API_KEY": user.key,
    }


def run(
    command: Sequence[str | Path],
    environment: Mapping[str, str],
    home: Path,
    *,
    folder: Path | None = None,
    script: Path | None = None,
    seconds: float = _SECONDS,
) -> "subprocess.CompletedProcess[str]":
    """Run a client to its end with `home` as its home, in `folder`; `script` becomes its standard input.

    Raises TimeoutExpired after `seconds`.
    """
    return subprocess.run(
        command,
        input=script.read_text() if script else "",
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
        cwd=folder or home,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(home), "NO_PROXY": "*"} | dict(environment),
    )
