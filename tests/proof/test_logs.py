"""Logs: one JSON object a line, known fields only, failures with their ids, and no text of an exception."""

import json
import subprocess
import sys
from itertools import pairwise
from typing import Any

import pytest
from tests.proof.servers import ForkedStack, clean_environment
from tests.proof.spellings import new_mark, occurrences

from ownkey.logs import FIELDS

MARK = "CANARYcanaryCANARYcan"

CRASHES = {
    "logged": """
        try:
            raise ValueError("MARK")
        except ValueError:
            logging.getLogger("x").exception("failed")
        """,
    "logged by structlog": """
        try:
            raise KeyError("MARK")
        except KeyError:
            structlog.get_logger("x").exception("failed")
        """,
    "chained": """
        try:
            try:
                raise ValueError("MARK")
            except ValueError as error:
                error.add_note("MARK")
                raise RuntimeError("MARK") from error
        except RuntimeError as error:
            logging.getLogger("x").error("failed", exc_info=error)
        """,
    "grouped": """
        try:
            raise ExceptionGroup("MARK", [ValueError("MARK"), ExceptionGroup("MARK", [OSError(2, "gone", "MARK")])])
        except ExceptionGroup as error:
            logging.getLogger("x").error("failed", exc_info=error)
        """,
    "uncaught": 'raise ValueError("MARK")',
    "in a thread": """
        def work():
            raise ValueError("MARK")
        thread = threading.Thread(target=work, name="MARK")
        thread.start()
        thread.join()
        """,
    "in a destructor": """
        class Thing:
            def __del__(self):
                raise ValueError("MARK")
        Thing()
        """,
    "in a task nobody waits for": """
        async def work():
            raise ValueError("MARK")
        async def main():
            asyncio.get_running_loop().set_exception_handler(report_loop_failure)
            task = asyncio.create_task(work())
            await asyncio.wait({task})
            del task
            gc.collect()
        asyncio.run(main())
        """,
    "in a callback": """
        async def main():
            asyncio.get_running_loop().set_exception_handler(report_loop_failure)
            asyncio.get_running_loop().call_soon(int, "MARK")
            await asyncio.sleep(0.01)
        asyncio.run(main())
        """,
    "with unknown fields": """
        structlog.get_logger("x").warning("failed", prompt="MARK", api_key="MARK", answer={"text": "MARK"})
        """,
}
PREAMBLE = """
import asyncio, gc, logging, threading, structlog
from ownkey.logs import configure_logs, report_loop_failure
configure_logs("FORMAT", "info")
"""


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_no_crash_writes_the_text_of_its_exception(log_format: str) -> None:
    # All in one process but the one that ends it: starting interpreters is what takes time here.
    others = [name for name in CRASHES if name != "uncaught"]
    source = PREAMBLE.replace("FORMAT", log_format)
    for name in [*others, "uncaught"]:
        source += f"logging.getLogger('test').info({name!r})\n" + _dedented(CRASHES[name])
    process = subprocess.run(
        [sys.executable, "-c", source.replace("MARK", MARK)],
        env=clean_environment(),
        capture_output=True,
        check=False,
        text=True,
    )
    assert process.returncode == 1
    assert process.stdout == ""
    assert occurrences(MARK, [("log", process.stderr.encode())]) == []
    for kind in (
        "ValueError",
        "KeyError",
        "RuntimeError",
        "ExceptionGroup",
        "FileNotFoundError: [Errno 2] gone",
        "which led to",
    ):
        assert kind in process.stderr
    if log_format == "json":
        lines = _parsed(process.stderr)
        after = {line["event"]: following for line, following in pairwise(lines)}
        for name in others:
            expected = "Error" in after[name].get("exception", "") or name == "with unknown fields"
            assert expected, (name, after[name])
        assert "ValueError" in lines[-1]["exception"]
        assert lines[-1]["level"] == "critical"


def test_a_failed_request_is_logged_with_its_ids_and_nothing_of_its_text(forked_json: ForkedStack) -> None:
    user = forked_json.user("failing", openai="sk-test-logs-0001", anthropic="sk-ant-invalid-logs")
    prompt, answer_mark = new_mark(), new_mark()
    credentials = {row["provider"]: row["id"] for row in user.api.get("/credentials").json()["items"]}
    failed = user.chat("openai/error-500", prompt)
    refused = user.chat("anthropic/echo", prompt, max_tokens=20)
    cut = user.chat("openai/stream-error", prompt + answer_mark, stream=True)
    assert (failed.status_code, refused.status_code, cut.status_code) == (500, 401, 200)
    assert user.chat("openai/echo", prompt).status_code == 200
    assert forked_json.stop() == 0
    lines = [line for line in _parsed(_own_lines(forked_json.server.log)) if line["event"] == "request failed"]
    told = {line["request_id"]: line for line in lines}
    assert set(told) == {answer.headers["x-ownkey-request-id"] for answer in (failed, refused, cut)}
    line = told[failed.headers["x-ownkey-request-id"]]
    assert line["credential_id"] == credentials["openai"]
    assert (line["provider"], line["status"], line["code"]) == ("openai", 500, "upstream_error")
    assert told[refused.headers["x-ownkey-request-id"]]["credential_id"] == credentials["anthropic"]
    assert occurrences(prompt, [("log", forked_json.server.log.encode())]) == []


def test_a_flood_of_failures_is_summed_up(forked_json: ForkedStack) -> None:
    user = forked_json.user("flooding", openai="sk-test-logs-0002")
    for _ in range(100):
        user.chat("openai/error-400", "x")
    forked_json.stop()
    lines = _parsed(_own_lines(forked_json.server.log))
    written = sum(line["event"] == "request failed" for line in lines)
    left_out = sum(line.get("suppressed", 0) for line in lines)
    assert 0 < written <= 100
    # What was left out in the last second is not told any more.
    assert written + left_out <= 100
    assert written <= 20 * (1 + len({line["timestamp"][:19] for line in lines}))


def test_every_line_has_known_fields_only(forked_json: ForkedStack) -> None:
    user = forked_json.user("fields", openai="sk-test-logs-0003")
    user.chat("openai/error-500", "x")
    user.gateway.get("/nothing-here")
    forked_json.stop()
    lines = _parsed(_own_lines(forked_json.server.log))
    assert {"draining"} <= {line["event"] for line in lines}
    for line in lines:
        assert set(line) <= FIELDS
        assert {"event", "level", "timestamp", "logger"} <= set(line)


def _own_lines(log: str) -> str:
    """Without the start-up text, which goes to standard output."""
    start = ("Ownkey ", "Master key:", "Every ", "Test a model", "Operator:")
    return "\n".join(line for line in log.splitlines() if not line.startswith(start))


def _parsed(log: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.splitlines()]


def _dedented(source: str) -> str:
    lines = [line for line in source.splitlines() if line.strip()]
    margin = len(lines[0]) - len(lines[0].lstrip())
    return "\n".join(line[margin:] for line in lines) + "\n"
