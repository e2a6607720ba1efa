"""Blocks of tools that Anthropic runs itself: their shapes are many and none is translated, so that each is replaced
by its kind alone before the request is read."""

from typing import Any, cast

_BLOCKS = frozenset(
    {
        "server_tool_use",
        "web_search_tool_result",
        "web_fetch_tool_result",
        "code_execution_tool_result",
        "bash_code_execution_tool_result",
        "text_editor_code_execution_tool_result",
        "tool_search_tool_result",
        "mcp_tool_use",
        "mcp_tool_result",
        "advisor_tool_result",
        "container_upload",
    }
)
"""What such tools leave in a conversation. The answer that followed stands in text beside them."""


def replaced(messages: object) -> dict[str, Any]:
    """The field `messages` with a stand-in for each block of a hosted tool."""
    if not isinstance(messages, list):
        return {}
    return {"messages": [_message(each) for each in cast("list[object]", messages)]}


def _message(message: object) -> object:
    fields = cast("dict[str, Any]", message) if isinstance(message, dict) else {}
    content: object = fields.get("content")
    if not isinstance(content, list):
        return cast("object", message)
    return fields | {"content": [_block(each) for each in cast("list[object]", content)]}


def _block(block: object) -> object:
    kind = cast("dict[str, Any]", block).get("type") if isinstance(block, dict) else None
    if isinstance(kind, str) and kind in _BLOCKS:
        return {"type": "hosted", "kind": kind}
    return cast("object", block)
