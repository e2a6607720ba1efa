"""Server-sent events of runs and talks (WHATWG HTML, section 9.2)."""

from collections.abc import AsyncGenerator
from typing import Any

import msgspec

from ownkey.control.workbench.results import json_of, show_result
from ownkey.control.workbench.schemas import show_row
from ownkey.domain.errors import NotFound
from ownkey.workbench.hosting import Run, Workbench
from ownkey.workbench.records import Prompt

EVENT_STREAM = "text/event-stream"
NO_BUFFERING = {"x-accel-buffering": "no"}
"""For reverse proxies that would collect the events."""


def event(name: str, data: dict[str, Any], number: int | None = None) -> bytes:
    """One event; JSON has no line breaks, so it is one data line."""
    head = b"" if number is None else b"id: %d\n" % number
    return head + b"event: %b\ndata: %b\n\n" % (name.encode(), msgspec.json.encode(data))


async def run_events(workbench: Workbench, run: Run, after: int) -> AsyncGenerator[bytes]:
    """A run's news until it has ended; the figures come last."""
    run_id = run.row.id
    prompts = workbench.suites.pages(run.plan.suite)
    async for news in workbench.feed.follow(run_id, after):
        progress = news.progress
        if news.result is not None:
            prompt = await prompts.get(news.result.slot.position)
            shown = show_result(prompt or Prompt(news.result.prompt_id, ()), news.result)
            yield event("result", shown, news.result.seq)
        else:
            told = {"status": progress.status, "round": progress.round}
            yield event("progress", told | {"done": progress.done, "total": progress.total})
    try:
        ended = await workbench.runs.find(run_id)
    except NotFound:
        yield event("done", {"id": run_id, "status": "erased"})
        return
    yield event("done", show_row(ended.row) | {"metrics": json_of(await workbench.runs.figures(ended))})
