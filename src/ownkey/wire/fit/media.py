"""Media types of files in a request, under the names that a provider accepts."""

from collections.abc import Collection, Mapping
from typing import Any, cast

_LISTS = ("messages", "contents")
_INNER = ("content", "parts")
_SOURCES = ("source", "inlineData", "inline_data")
_TYPES = ("media_type", "mimeType", "mime_type")


def holds_type(fields: Mapping[str, Any], types: Collection[str]) -> bool:
    """Whether a file of the request has one of these types."""
    return any(_in_items(fields[name], types) for name in _LISTS if name in fields)


def _in_items(items: object, types: Collection[str]) -> bool:
    if not isinstance(items, list):
        return False
    for item in cast("list[object]", items):
        if isinstance(item, dict):
            fields = cast("dict[str, object]", item)
            for name in _INNER:
                inner = fields.get(name)
                if inner.__class__ is list and _in_items(inner, types):
                    return True
            for name in _SOURCES:
                source = fields.get(name)
                if isinstance(source, dict):
                    held = cast("dict[str, object]", source)
                    if any(held.get(kind) in types for kind in _TYPES):
                        return True
    return False


def renamed(value: Any, aliases: Mapping[str, str]) -> Any:
    """`value` with the types of files under their other names; itself where none is named so."""
    if isinstance(value, list):
        items = cast("list[Any]", value)
        new = [renamed(item, aliases) for item in items]
        return new if any(one is not other for one, other in zip(new, items, strict=True)) else items
    if not isinstance(value, dict):
        return value
    fields = cast("dict[str, Any]", value)
    changed = {name: renamed(fields[name], aliases) for name in (*_INNER, *_SOURCES) if name in fields}
    changed = {name: new for name, new in changed.items() if new is not fields[name]}
    for name in _TYPES:
        kind = fields.get(name)
        if isinstance(kind, str) and kind in aliases:
            changed[name] = aliases[kind]
    return fields | changed if changed else fields
