"""The items of a conversation that is kept: of what form they are, and how they are listed."""

from typing import Any, cast

Item = dict[str, Any]

_PREFIXES = {
    "message": "msg",
    "function_call": "fc",
    "function_call_output": "fco",
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "ctco",
    "reasoning": "rs",
}


def items_of(given: object) -> list[Item]:
    """A request's `input` as items. Their fields stay as they came; only a bare text becomes a message."""
    if isinstance(given, str):
        return [{"type": "message", "role": "user", "content": given}]
    items = cast("list[Any]", given) if isinstance(given, list) else []
    return [cast("Item", item) for item in items if isinstance(item, dict)]


def listed(items: list[Item], response_id: str) -> list[Item]:
    """The items as a list shows them, each with an id that stays the same."""
    ident = response_id.rpartition("_")[2]
    return [_listed(item, f"{ident}i{index}") for index, item in enumerate(items)]


def _listed(item: Item, ident: str) -> Item:
    kind: str = item.get("type") or "message"
    shown: Item = {"id": f"{_PREFIXES.get(kind, 'item')}_{ident}", "type": kind}
    if kind != "reasoning":
        shown["status"] = "completed"
    shown |= {name: value for name, value in item.items() if value is not None or name not in shown}
    if kind == "message" and isinstance(item.get("content"), str):
        text = item["content"]
        if item.get("role") == "assistant":
            shown["content"] = [{"type": "output_text", "text": text, "annotations": []}]
        else:
            shown["content"] = [{"type": "input_text", "text": text}]
    return shown


def page(items: list[Item], *, ascending: bool, after: str | None, limit: int) -> dict[str, Any]:
    """One page of a list, from the item behind `after` on."""
    rows = items if ascending else items[::-1]
    if after is not None:
        rows = rows[next((index + 1 for index, item in enumerate(rows) if item["id"] == after), 0) :]
    shown = rows[:limit]
    return {
        "object": "list",
        "data": shown,
        "first_id": shown[0]["id"] if shown else None,
        "last_id": shown[-1]["id"] if shown else None,
        "has_more": len(rows) > len(shown),
    }
