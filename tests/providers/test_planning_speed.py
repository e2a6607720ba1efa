"""Planning with the real catalogue is part of every request, so it is kept cheap."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from tests.domain.values import NOW, a_key, names

from ownkey.domain.credential import Holdings, Preferences
from ownkey.domain.formats import WireFormat
from ownkey.domain.plan import PlanRequest, make_plan
from ownkey.providers import load_catalogue


def steps(call: Callable[[], object]) -> int:
    """How many instructions the interpreter carries out: the same on every machine, however busy it is."""
    count = 0

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal count
        frame.f_trace_opcodes = True
        count += event == "opcode"
        return trace

    former = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(former)
    return count


def test_a_plan_over_three_keys_takes_few_steps_however_long_the_catalogue_is() -> None:
    keys = tuple(
        a_key(f"cred_{number}", provider) for number, provider in enumerate(("openrouter", "anthropic", "xai"))
    )
    catalogue, holdings = load_catalogue(), Holdings(keys, Preferences())
    request = PlanRequest(
        model="anthropic/claude-sonnet-4.5", client_format=WireFormat.ANTHROPIC_MESSAGES, now=NOW, ticket=1
    )
    plan = lambda: make_plan(request, holdings, catalogue, {})  # noqa: E731
    assert names(plan()) == ["cred_0", "cred_1"]
    # 1,900 on Python 3.11; a look-up that became a scan over providers or models takes many times as many.
    assert steps(plan) < 3000
