"""Tools that OpenAI runs or defines itself, and their items in a conversation: which of a request's are such.

Their shapes are many and none is translated, so each is replaced by its kind alone before the request is read.
"""

from typing import Any, cast

_FUNCTIONS = frozenset({"function", "custom", "namespace"})
"""Tools of the client's own. Every other kind, new ones included, is a hosted tool."""
_CHOICES = _FUNCTIONS | {"allowed_tools"}
_ITEMS = frozenset(
    {
        "web_search_call",
        "file_search_call",
        "code_interpreter_call",
        "image_generation_call",
        "computer_call",
        "computer_call_output",
        "local_shell_call",
        "local_shell_call_output",
        "shell_call",
        "shell_call_output",
        "apply_patch_call",
        "apply_patch_call_output",
        "mcp_list_tools",
        "mcp_approval_request",
        "mcp_approval_response",
        "mcp_call",
        "tool_search_call",
        "tool_search_output",
    }
)
"""What such tools leave in a conversation. The answer that followed stands in a message beside them."""


def replaced(body: dict[str, Any]) -> dict[str, Any]:
    """The fields of `body` that hold tools or items, with a stand-in for each hosted one, and with `type` where
    messages leave it out, as the format allows."""
    changes: dict[str, Any] = {}
    given, tools, choice = body.get("input"), body.get("tools"), body.get("tool_choice")
    if isinstance(given, list):
        changes["input"] = [_item(each) for each in cast("list[object]", given)]
    if isinstance(tools, list):
        changes["tools"] = [_tool(each) for each in cast("list[object]", tools)]
    if isinstance(choice, dict):
        changes["tool_choice"] = _choice(cast("dict[str, Any]", choice))
    return changes


def _item(item: object) -> object:
    if not isinstance(item, dict):
        return item
    fields = cast("dict[str, Any]", item)
    if "type" not in fields:
        return {"type": "message", **fields}
    kind = fields["type"]
    left_out = (isinstance(kind, str) and kind in _ITEMS) or _refers_to_reasoning(fields)
    return _stand_in(fields) if left_out else fields


def _refers_to_reasoning(item: dict[str, Any]) -> bool:
    """Whether an item stands for reasoning of an earlier answer, as some clients write instead of repeating it. What
    was said and called stands beside it, so that the conversation is whole without."""
    reference = item.get("id")
    return item["type"] == "item_reference" and isinstance(reference, str) and reference.startswith("rs_")


def _tool(tool: object, kinds: frozenset[str] = _FUNCTIONS) -> object:
    if not isinstance(tool, dict):
        return tool
    fields = cast("dict[str, Any]", tool)
    kind = fields.get("type")
    return _stand_in(fields) if isinstance(kind, str) and kind not in kinds else fields


def _choice(choice: dict[str, Any]) -> object:
    allowed = choice.get("tools")
    if choice.get("type") == "allowed_tools" and isinstance(allowed, list):
        return choice | {"tools": [_tool(each) for each in cast("list[object]", allowed)]}
    return _tool(choice, _CHOICES)


def _stand_in(fields: dict[str, Any]) -> dict[str, str]:
    return {"type": "hosted", "kind": fields["type"]}
