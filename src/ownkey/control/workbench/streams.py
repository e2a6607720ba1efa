"""Server-sent events of runs and talks (WHATWG HTML, section 9.2)."""

from collections.abc import AsyncGenerator
from time import monotonic
from typing import Any

import msgspec

from ownkey.control.context import Control
from ownkey.control.workbench.results import json_of, show_result
from ownkey.control.workbench.schemas import show_row
from ownkey.domain.errors import NotFound, Unavailable
from ownkey.workbench.hosting import PromptPages, Run
from ownkey.workbench.records import Prompt, Result

EVENT_STREAM = "text/event-stream"
PING = b": ping\n\n"
_PING_S = 15.0
NO_BUFFERING = {"x-accel-buffering": "no"}
"""For reverse proxies that would collect the events."""


def event(name: str, data: dict[str, Any], number: int | None = None) -> bytes:
    """One event; JSON has no line breaks, so it is one data line."""
    head = b"" if number is None else b"id: %d\n" % number
    return head + b"event: %b\ndata: %b\n\n" % (name.encode(), msgspec.json.encode(data))


async def run_events(control: Control, run: Run, after: int) -> AsyncGenerator[bytes]:
    """A run's news until it has ended; the figures come last. A server that stops ends them early: who follows asks
    again, with the number of the last event."""
    workbench, run_id = control.workbench, run.row.id
    spoken, prompts = monotonic(), workbench.suites.pages(run.plan.suite)
    async for news in workbench.feed.follow(run_id, after):
        if control.readiness.draining:
            return
        if news is None:
            # What lies between would close a connection without any traffic, and we learn who has left.
            if monotonic() - spoken < _PING_S:
                continue
            yield PING
        elif news.result is not None:
            yield await _result(prompts, news.result)
        else:
            progress = news.progress
            told = {"status": progress.status, "round": progress.round}
            yield event("progress", told | {"done": progress.done, "total": progress.total})
        spoken = monotonic()
    try:
        ended = await workbench.runs.find(run_id)
        figures = await workbench.runs.figures(ended)
    except NotFound:
        yield event("done", {"id": run_id, "status": "erased"})
    except Unavailable:
        return
    else:
        yield event("done", show_row(ended.row) | {"metrics": json_of(figures)})


async def _result(prompts: PromptPages, result: Result) -> bytes:
    try:
        prompt = await prompts.get(result.slot.position)
    except Unavailable:
        prompt = None
    return event("result", show_result(prompt or Prompt(result.prompt_id, ()), result), result.seq)
