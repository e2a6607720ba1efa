"""The figures of one answer. Every formula stands in docs/metrics.md and in `definitions`."""

from ownkey.workbench.records import Objectives, Observation

_MS = 1000.0
_NANO = 1e9


def figures(observation: Observation) -> dict[str, float]:
    """Metrics of an answer by name; what cannot be known of it is absent.

    Only a streamed answer has a first token: one that came in one piece has none of `ttft_ms`, `ttfo_ms`, `tpot_ms`.
    """
    timing = observation.timing
    found: dict[str, float | None] = {
        "latency_ms": timing.e2e_ms,
        "ttft_ms": timing.ttft_ms if observation.streamed else None,
        "ttfo_ms": timing.ttfo_ms if observation.streamed else None,
        "tpot_ms": _tpot(observation) if observation.streamed else None,
        "connect_ms": timing.connect_ms,
        "answer_characters": len(observation.text),
        "answer_words": len(observation.text.split()),
        "cost_usd": None if observation.cost is None else observation.cost / _NANO,
    }
    if tpot := found["tpot_ms"]:
        found["decode_tokens_per_second"] = _MS / tpot
    if tokens := observation.tokens:
        found["input_tokens"] = tokens.input
        found["output_tokens"] = tokens.output
        found["reasoning_tokens"] = tokens.reasoning
        if timing.e2e_ms:
            found["tokens_per_second"] = tokens.output / timing.e2e_ms * _MS
    return {name: float(value) for name, value in found.items() if value is not None}


def meets(objectives: Objectives, observation: Observation) -> bool:
    """Whether an answer met every stated objective.

    An answer in one piece shows its first token with its last, so its time to first token is its latency and no time
    lies between its tokens. An answer of fewer than two tokens has no time per token to miss. What else is not known
    is not met.
    """
    timing = observation.timing
    whole = not observation.streamed
    ttft = timing.e2e_ms if whole else timing.ttft_ms
    tokens = observation.tokens
    tpot = 0.0 if whole or (tokens is not None and tokens.output < 2) else _tpot(observation)
    stated = ((objectives.e2e_ms, timing.e2e_ms), (objectives.ttft_ms, ttft), (objectives.tpot_ms, tpot))
    return all(limit is None or (value is not None and value <= limit) for limit, value in stated)


def hides_reasoning(observation: Observation) -> bool:
    """Whether the model thought before the first delta without showing it: its tokens then came in no time at all."""
    tokens = observation.tokens
    return observation.streamed and tokens is not None and tokens.reasoning > 0 and not observation.reasoning


def _tpot(observation: Observation) -> float | None:
    timing, tokens = observation.timing, observation.tokens
    if timing.e2e_ms is None or timing.ttft_ms is None or tokens is None or tokens.output < 2:
        return None
    return (timing.e2e_ms - timing.ttft_ms) / (tokens.output - 1)
