"""A server's memory does not follow the answers of the runs that it carries out.

The ordinary run has the same of the engine alone: `tests/workbench/engine/test_memory.py`.
"""

import json
import sys
from pathlib import Path

import httpx2
import pytest
from tests.control.visitors import followed
from tests.services.stack import Stack

_PROMPTS, _REPEATS = 80, 7
_CHARACTERS = 20_000
_WARM_UPS, _RUNS = 2, 4
_MEBIBYTE = 1024 * 1024


@pytest.mark.skipif(sys.platform != "linux", reason="resident memory is read from /proc")
@pytest.mark.long
@pytest.mark.timeout(600)
def test_answers_are_stored_and_not_held(own_stack: Stack) -> None:
    api = own_stack.user("memory").api
    target = {"preset": "openai", "api_key": "sk-memory-1234567", "model": "chunk-2000"}
    session = _made(api, "/workbench/sessions", json=target)
    suite = _made(api, "/workbench/suites", params={"filename": "long.jsonl"}, content=_suite())
    for _ in range(_WARM_UPS):
        _run(api, session, suite)
    before = _resident(own_stack.ownkey.popen.pid)
    for _ in range(_RUNS):
        _run(api, session, suite)
    grown = _resident(own_stack.ownkey.popen.pid) - before
    answers = _RUNS * _PROMPTS * _REPEATS * _CHARACTERS
    # Pages of large results come and go: a third of this is the allocator's.
    assert grown < answers / 2, f"{grown / _MEBIBYTE:.1f} MiB more after answers of {answers / _MEBIBYTE:.1f} MiB"


def _suite() -> bytes:
    text = "so many words " * (_CHARACTERS // 14)
    lines = ({"id": f"{number}", "prompt": f"{number} {text}"} for number in range(_PROMPTS))
    return "\n".join(map(json.dumps, lines)).encode()


def _run(api: httpx2.Client, session: str, suite: str) -> None:
    run = _made(
        api, f"/workbench/sessions/{session}/runs", json={"suite_id": suite, "repeats": _REPEATS, "concurrency": 20}
    )
    ended = followed(api, run, "/workbench")
    assert ended["status"] == "completed", ended["status_detail"]
    assert ended["metrics"]["targets"][0]["success"]["count"] == _PROMPTS * _REPEATS


def _made(api: httpx2.Client, path: str, **request: object) -> str:
    answer = api.post(path, timeout=60.0, **request)  # type: ignore[arg-type]
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def _resident(pid: int) -> int:
    """Bytes."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("the server is gone")
