"""Tools of requests that pass in the provider's own format: which of them the provider does not take as they are.

A name that it refuses is replaced in the body, and the client's stands in the answer again: both without reading the
rest, so that everything else passes as it is. Whatever changes the form of a call or of an answer is translated, from
the format into itself.
"""

import re
from collections.abc import Mapping
from typing import Any, cast

import msgspec

from ownkey.domain.facts import Facts
from ownkey.domain.formats import WireFormat
from ownkey.wire.paths import Path, changed_at, found_at
from ownkey.wire.tools.names import NameRule, fitting
from ownkey.wire.tools.rules import name_rule

_DECLARED: Mapping[WireFormat, tuple[Path, ...]] = {
    WireFormat.OPENAI_CHAT: (("tools", "*", "function", "name"), ("tools", "*", "custom", "name")),
    WireFormat.OPENAI_RESPONSES: (("tools", "*", "name"), ("tools", "*", "tools", "*", "name")),
    WireFormat.ANTHROPIC_MESSAGES: (("tools", "*", "name"),),
    WireFormat.GEMINI: (
        ("tools", "*", "functionDeclarations", "*", "name"),
        ("tools", "*", "function_declarations", "*", "name"),
    ),
}
_USED: Mapping[WireFormat, tuple[Path, ...]] = {
    WireFormat.OPENAI_CHAT: (
        ("tool_choice", "function", "name"),
        ("tool_choice", "custom", "name"),
        ("tool_choice", "allowed_tools", "tools", "*", "function", "name"),
        ("messages", "*", "tool_calls", "*", "function", "name"),
        ("messages", "*", "tool_calls", "*", "custom", "name"),
    ),
    WireFormat.OPENAI_RESPONSES: (
        ("tool_choice", "name"),
        ("tool_choice", "tools", "*", "name"),
        ("input", "*", "name"),
        ("input", "*", "namespace"),
    ),
    WireFormat.ANTHROPIC_MESSAGES: (("tool_choice", "name"), ("messages", "*", "content", "*", "name")),
    WireFormat.GEMINI: (
        ("toolConfig", "functionCallingConfig", "allowedFunctionNames", "*"),
        ("contents", "*", "parts", "*", "functionCall", "name"),
        ("contents", "*", "parts", "*", "functionResponse", "name"),
    ),
}
"""Where each format names a tool: in its declaration, and where it is chosen or was called."""
_OPENAI = (WireFormat.OPENAI_CHAT, WireFormat.OPENAI_RESPONSES)


_json = msgspec.json.Encoder().encode


class Names:
    """Puts the client's names into an answer that passes. `clients` has them by the name that was sent."""

    __slots__ = ("_clients", "_find")

    def __init__(self, clients: Mapping[str, str]) -> None:
        self._clients = {name.encode(): _json(own) for name, own in clients.items()}
        self._find = re.compile(rb'(?<!\\)"(' + b"|".join(map(re.escape, self._clients)) + rb')"').sub

    def restored(self, data: bytes) -> bytes:
        """Whole JSON or whole events with the client's names.

        A name that was sent holds no character that JSON escapes, so that it stands between plain quotes where it is a
        value, and behind an escaped quote where a text quotes it.
        """
        return self._find(lambda found: self._clients[found[1]], data)


class ToolWatch:
    """What the facts of an attempt say of tools; worked out once, asked for every request that has any."""

    __slots__ = ("_facts", "_format", "_kinds", "_names")

    def __init__(self, format_: WireFormat, facts: Facts) -> None:
        self._format = format_
        self._facts = facts
        stated = (facts.longest_tool_name, facts.tool_name_alphabet, facts.tool_name_first)
        known = any(fact is not None for fact in stated)
        self._names: NameRule | None = name_rule(format_, facts) if known and format_ in _DECLARED else None
        self._kinds = frozenset(facts.tool_kinds)

    def must_translate(self, parsed: dict[str, Any]) -> bool:
        """Whether the request asks for tools, a choice among them or JSON in a way that the target does not know."""
        if self._format not in _OPENAI or parsed.get("previous_response_id") is not None:
            return False
        tools: object = parsed.get("tools")
        if tools and isinstance(tools, list):
            if self._kinds and any(kind not in self._kinds for kind in _kinds(cast("list[object]", tools))):
                return True
            if parsed.get("parallel_tool_calls") is False and self._facts.parallel_tool_calls is False:
                return True
            choice: object = parsed.get("tool_choice")
            if isinstance(choice, dict) and cast("dict[str, Any]", choice).get("type") == "allowed_tools":
                return "allowed" not in self._facts.tool_choices
        return self._facts.json_modes is not None and self._wants_other_json(parsed)

    def _wants_other_json(self, parsed: dict[str, Any]) -> bool:
        path = ("response_format", "type") if self._format is WireFormat.OPENAI_CHAT else ("text", "format", "type")
        wanted = next(found_at(parsed, path), None)
        mode = {"json_object": "object", "json_schema": "schema"}.get(wanted) if isinstance(wanted, str) else None
        return mode is not None and mode not in (self._facts.json_modes or ())

    def renamed(self, parsed: dict[str, Any]) -> tuple[dict[str, Any], Names] | None:
        """The top-level fields with names that the target takes; None where it takes all of them."""
        rule = self._names
        if rule is None:
            return None
        declared = _DECLARED[self._format]
        accepts = rule.accepts
        if all(isinstance(name, str) and accepts(name) for path in declared for name in found_at(parsed, path)):
            return None
        paths = (*declared, *_USED[self._format])
        found = [name for path in paths for name in found_at(parsed, path) if isinstance(name, str)]
        sent = fitting(found, rule)

        def send(name: Any) -> Any:
            return sent[name] if isinstance(name, str) and sent[name] != name else name

        body = parsed
        for path in paths:
            body = changed_at(body, path, send)
        changes = {name: value for name, value in body.items() if value is not parsed[name]}
        clients = {new: name for name, new in sent.items() if new != name}
        return (changes, Names(clients)) if clients else None


def _kinds(tools: list[object]) -> list[object]:
    return [cast("dict[str, object]", tool).get("type") if isinstance(tool, dict) else None for tool in tools]
