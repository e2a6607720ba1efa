"""Plans and results for the tests of figures and comparisons."""

from typing import Any

from ownkey.workbench.records import (
    EndpointKind,
    Failure,
    FailureKind,
    Observation,
    Result,
    RunPlan,
    Slot,
    SuiteInfo,
    Target,
    Timing,
    Tokens,
)


def plan(prompts: int = 10, labels: tuple[str, ...] = ("one",), **more: Any) -> RunPlan:
    targets = tuple(
        Target(id=str(index), label=label, kind=EndpointKind.DIRECT, model=f"model-{index}")
        for index, label in enumerate(labels)
    )
    return RunPlan(suite=SuiteInfo(id="s", name="S", prompts=prompts), targets=targets, **more)


def answer(
    position: int = 0,
    *,
    target: int = 0,
    repeat: int = 0,
    sent: float = 0.0,
    e2e: float | None = 1000.0,
    ttft: float | None = 200.0,
    output: int = 50,
    timing: dict[str, Any] | None = None,
    observation: dict[str, Any] | None = None,
    **more: Any,
) -> Result:
    """An answered result: sent at `sent` s, its last content `e2e` ms later."""
    when: dict[str, Any] = {
        "sent_at": sent,
        "ended_at": sent + (e2e or 0.0) / 1000,
        "e2e_ms": e2e,
        "ttft_ms": ttft,
        "ttfo_ms": ttft,
    }
    seen: dict[str, Any] = {"text": "two words", "tokens": Tokens(10, output)}
    return Result(
        slot=Slot(target, position, repeat),
        prompt_id=f"p{position}",
        observation=Observation(timing=Timing(**when | (timing or {})), **seen | (observation or {})),
        **more,
    )


def failure(
    position: int = 0,
    kind: FailureKind = FailureKind.TIMEOUT,
    message: str = "too slow",
    *,
    target: int = 0,
    repeat: int = 0,
    sent: float = 0.0,
    lasted: float = 1.0,
    observation: dict[str, Any] | None = None,
    **more: Any,
) -> Result:
    """A failed result: sent at `sent` s, given up `lasted` s later."""
    return Result(
        slot=Slot(target, position, repeat),
        prompt_id=f"p{position}",
        observation=Observation(
            timing=Timing(sent_at=sent, ended_at=sent + lasted), failure=Failure(kind, message), **observation or {}
        ),
        **more,
    )


def advice(kind: FailureKind) -> str:
    return f"do this about {kind}"
