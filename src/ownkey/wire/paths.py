"""Changing values deep inside a decoded body without touching the body: what does not change is shared."""

from collections.abc import Callable, Iterator
from typing import Any, cast

Path = tuple[str, ...]
"""Names of fields from the outside in; `*` is every element of a list."""


def found_at(value: Any, path: Path) -> Iterator[Any]:
    """Every value at the path."""
    if not path:
        yield value
    elif path[0] == "*":
        for each in cast("list[Any]", value) if isinstance(value, list) else ():
            yield from found_at(each, path[1:])
    elif isinstance(value, dict) and path[0] in value:
        yield from found_at(cast("dict[str, Any]", value)[path[0]], path[1:])


def changed_at(value: Any, path: Path, change: Callable[[Any], Any]) -> Any:
    """`value` with each value at the path changed; `value` itself where `change` returns what it was given."""
    if not path:
        return change(value)
    if path[0] == "*":
        if not isinstance(value, list):
            return value
        given = cast("list[Any]", value)
        changed = [changed_at(each, path[1:], change) for each in given]
        return changed if any(new is not old for new, old in zip(changed, given, strict=True)) else given
    fields = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    if path[0] not in fields:
        return cast("object", value)
    inner = changed_at(fields[path[0]], path[1:], change)
    return fields if inner is fields[path[0]] else fields | {path[0]: inner}
