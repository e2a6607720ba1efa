"""Rules for requests in Bedrock's Converse format: Claude's own, in Converse's places."""

from typing import Any

from ownkey.wire.fit.anthropic_messages import fit_thinking, keep_room
from ownkey.wire.fit.fitting import Fitting, Places
from ownkey.wire.fit.prefill import CONTINUE, fit_prefill

_MODELS_OWN = "additionalModelRequestFields"
PLACES: Places = {
    "temperature": (("inferenceConfig", "temperature"),),
    "top_p": (("inferenceConfig", "topP"),),
    "max_tokens": (("inferenceConfig", "maxTokens"),),
    "stop": (("inferenceConfig", "stopSequences"),),
    "top_k": ((_MODELS_OWN, "top_k"),),
    "thinking": ((_MODELS_OWN, "thinking"),),
    "thinking.type": ((_MODELS_OWN, "thinking", "type"),),
    "thinking.budget_tokens": ((_MODELS_OWN, "thinking", "budget_tokens"),),
    "thinking.display": ((_MODELS_OWN, "thinking", "display"),),
    "reasoning_effort": (("outputConfig", "effort"),),
    "tool_choice": (("toolConfig", "toolChoice"),),
    "tools": (("toolConfig", "tools"),),
}


def fit(fitting: Fitting) -> None:
    """The rules of this format beyond those of single fields."""
    fit_thinking(fitting)
    _fit_forced_tool(fitting)
    keep_room(fitting)
    fit_prefill(fitting, [{"text": CONTINUE}])


def _fit_forced_tool(fitting: Fitting) -> None:
    choice: Any = fitting.get("tool_choice")
    if not isinstance(choice, dict) or not ({"any", "tool"} & choice.keys()):
        return
    if fitting.facts.forced_tool_beside_thinking is False and fitting.get("thinking.type") == "enabled":
        fitting.leave_out("thinking")
    if fitting.facts.tool_choices and "required" not in fitting.facts.tool_choices:
        fitting.put("tool_choice", {"auto": {}})
        fitting.adapted("tool_choice")
