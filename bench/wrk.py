"""wrk: as many requests as the other side takes, on a fixed number of connections."""

import json
import subprocess
from pathlib import Path

import httpx2
from msgspec import Struct

from bench.machine import find_tool
from bench.processes import BenchFailed, on_core
from bench.questions import Question

_SCRIPT = """\
wrk.method = "POST"
wrk.body = %(body)s
%(headers)s
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '\\nRESULT {"requests":%%d,"duration_us":%%d,"p50_us":%%d,"p99_us":%%d,"bad":%%d,"broken":%%d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.status, e.connect + e.read + e.write + e.timeout))
end
"""


class Load(Struct, frozen=True):
    """What wrk saw. `bad` counts answers other than 2xx and 3xx, `broken` errors of sockets."""

    requests: int
    duration_us: int
    p50_us: int
    p99_us: int
    bad: int
    broken: int

    @property
    def per_second(self) -> float:
        return self.requests / self.duration_us * 1e6


def run_wrk(question: Question, connections: int, seconds: int, core: int, folder: Path) -> Load:
    """Load for so long. Raises BenchFailed when answers were not what was asked for."""
    headers = "\n".join(f"wrk.headers[{_lua(name)}] = {_lua(value)}" for name, value in question.headers.items())
    script = folder / "load.lua"
    script.write_text(_SCRIPT % {"body": _lua(question.body), "headers": headers}, encoding="utf-8")
    options = ["-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", str(script)]
    command = on_core(core, [find_tool("wrk") or "wrk", *options, question.url])
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 20, check=False)
    _, mark, result = done.stdout.rpartition("RESULT ")
    if not mark:
        raise BenchFailed(f"wrk told nothing: {done.stdout} {done.stderr}")
    load = Load(**json.loads(result))
    if load.bad or load.broken or not load.requests:
        text = f"of {load.requests} answers {load.bad} failed; socket errors: {load.broken}; asked once more: "
        raise BenchFailed(f"{question.url}: {text}{_ask(question)}")
    return load


def _ask(question: Question) -> str:
    try:
        answer = httpx2.post(question.url, content=question.body, headers=question.headers, trust_env=False)
    except httpx2.HTTPError as failure:
        return repr(failure)
    return f"{answer.status_code} {answer.text[:500]}"


def _lua(text: str) -> str:
    """A Lua string; JSON's escapes are Lua's for plain text, which is all that is sent."""
    return json.dumps(text)
