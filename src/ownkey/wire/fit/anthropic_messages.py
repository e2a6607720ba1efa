"""Rules for requests in Anthropic's messages format."""

from ownkey.wire.fit.fitting import Fitting, Places

PLACES: Places = {
    "stop": (("stop_sequences",),),
    "user": (("metadata", "user_id"),),
    "reasoning_effort": (("output_config", "effort"),),
}

_FORCED = frozenset({"any", "tool"})


def thinks(fitting: Fitting) -> bool:
    return fitting.get("thinking.type") in ("enabled", "adaptive")


def fit(fitting: Fitting) -> None:
    """The rules of this format beyond those of single fields."""
    forced = fitting.get("tool_choice.type") in _FORCED
    if forced and fitting.facts.forced_tool_beside_thinking is False and thinks(fitting):
        fitting.leave_out("thinking")
