"""Results and figures as JSON for people's programs: money in USD, times in milliseconds."""

from typing import Any

import msgspec

from ownkey.control.shapes import usd
from ownkey.workbench.endpoint import advice
from ownkey.workbench.records import Failure, Observation, Prompt, Result


def json_of(value: msgspec.Struct) -> dict[str, Any]:
    """A value of ours as plain data."""
    return msgspec.to_builtins(value)


def show_result(prompt: Prompt, result: Result) -> dict[str, Any]:
    """One result, with what was asked."""
    seen, slot = result.observation, result.slot
    return {
        "seq": result.seq,
        "target": slot.target,
        "prompt_id": result.prompt_id,
        "position": slot.position,
        "repeat": slot.repeat,
        "warm_up": result.warm_up,
        "status": "ok" if seen.ok else "failed",
        "passed": result.passed,
        "score": result.score,
        "prompt": [json_of(message) for message in prompt.messages],
        "answer": seen.text,
        "reasoning": seen.reasoning,
        "finish_reason": seen.finish_reason,
        "grades": [json_of(grade) for grade in result.grades],
        "failure": _failure(seen.failure),
        "attempts": seen.attempts,
        "first_failure": _failure(seen.first_failure),
        "backoff_ms": seen.backoff_ms,
        "cautions": list(seen.cautions),
        **_measured(seen),
    }


def _measured(seen: Observation) -> dict[str, Any]:
    timing, tokens = seen.timing, seen.tokens
    return {
        "latency_ms": timing.e2e_ms,
        "ttft_ms": timing.ttft_ms if seen.streamed else None,
        "ttfo_ms": timing.ttfo_ms if seen.streamed else None,
        "input_tokens": None if tokens is None else tokens.input,
        "output_tokens": None if tokens is None else tokens.output,
        "reasoning_tokens": None if tokens is None else tokens.reasoning,
        "tokens_source": None if tokens is None else tokens.source.value,
        "cost_usd": usd(seen.cost),
        "streamed": seen.streamed,
    }


def _failure(failure: Failure | None) -> dict[str, Any] | None:
    if failure is None:
        return None
    return {
        "kind": failure.kind.value,
        "message": failure.message,
        "status": failure.status,
        "advice": advice(failure.kind),
    }
