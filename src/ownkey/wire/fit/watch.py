"""Whether a request that passes can need fitting at all: worked out once for an attempt, asked for every request.

What is asked here must cost next to nothing, and may say yes too often, never no: the rules themselves decide.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from ownkey.domain.facts import Facts, SchemaFacts
from ownkey.wire.fit.fitting import Path, Places
from ownkey.wire.fit.history import demands, fitted_turns
from ownkey.wire.fit.media import holds_type

Suits = Callable[[Facts, Mapping[str, Any]], bool]
"""Whether what a request asks of thinking and tools is certainly fit for the model."""
_NONE: frozenset[str] = frozenset()
_LIMIT: tuple[Path, ...] = (("max_tokens",),)
_REFERENCES_ALONE = SchemaFacts(ref_siblings=False)


class Watch:
    """What of a request the facts of its model speak of. Without any, asking costs next to nothing.

    `fields` are top-level fields that matter alone, `groups` those that matter together, `knows` all that are known.
    `needles` are bytes without which a body holds no inner field that matters, and `first_version` is the first version
    of the API that matters, empty for none.
    """

    __slots__ = (
        "_by_messages",
        "_demands_turns",
        "_facts",
        "_known_in_messages",
        "_limit",
        "_refused_in_messages",
        "_suits",
        "asks_usage",
        "fields",
        "first_version",
        "groups",
        "needles",
        "nothing",
    )

    def __init__(self, facts: Facts, places: Places, suits: Suits) -> None:
        self._facts = facts
        self._suits = suits
        self._limit = places.get("max_tokens", _LIMIT)[0]
        self.asks_usage = facts.stream_usage in (None, "asked")
        self.fields = frozenset(_alone(facts, places))
        self.groups = tuple(frozenset(_top(places, name) for name in group) for group in facts.one_of)
        self.needles = tuple(f'"{name}"'.encode() for name in _inner(facts, places))
        refused = {name.removeprefix("messages.") for name in facts.refuses if name.startswith("messages.")}
        if facts.reasoning_replay == "refused":
            refused |= {"reasoning_content", "reasoning_details"}
        self._refused_in_messages = frozenset(refused)
        self._known_in_messages = {role: frozenset(names) for role, names in facts.knows_in_messages.items()}
        self._demands_turns = demands(facts)
        self._by_messages = bool(
            self._refused_in_messages
            or self._known_in_messages
            or self._demands_turns
            or facts.media_aliases
            or facts.developer_role is False
        )
        self.first_version = min(facts.refused_versions, default="")
        self.nothing = facts == Facts(interfaces=facts.interfaces, stream_usage=facts.stream_usage)

    def concerns(self, body: bytes, fields: Mapping[str, Any], version: str) -> bool:
        """Whether to fit a request with these top-level fields."""
        if self.nothing:
            return False
        facts = self._facts
        if not self.fields.isdisjoint(fields) or not self._suits(facts, fields):
            return True
        if facts.knows and not all(name in facts.knows for name in fields):
            return True
        for group in self.groups:
            if group.issubset(fields):
                return True
        for needle in self.needles:
            if needle in body:
                return True
        if self.first_version and version >= self.first_version:
            return True
        if facts.largest_output is not None and _number(fields, self._limit) > facts.largest_output:
            return True
        return self._by_messages and self._concerned_by_messages(facts, fields)

    def _concerned_by_messages(self, facts: Facts, fields: Mapping[str, Any]) -> bool:
        if facts.media_aliases and holds_type(fields, facts.media_aliases):
            return True
        refused, known = self._refused_in_messages, self._known_in_messages
        messages: object = fields.get("messages")
        if self._demands_turns and isinstance(messages, list):
            turns = cast("list[Any]", messages)
            if fitted_turns(turns, facts)[0] is not turns:
                return True
        for message in cast("list[object]", messages) if isinstance(messages, list) else ():
            if isinstance(message, dict):
                held = cast("dict[str, object]", message)
                role = held.get("role")
                if role == "developer" or not refused.isdisjoint(held):
                    return True
                if known and not known.get(role if isinstance(role, str) else "", _NONE).issuperset(held):
                    return True
        return False


def _alone(facts: Facts, places: Places) -> Iterable[str]:
    for name in (*facts.refuses, *facts.renames, *facts.fixed):
        if len(places.get(name, ((name,),))[0]) == 1 and "." not in name:
            yield _top(places, name)
    stated = {
        "parallel_tool_calls": facts.parallel_tool_calls is False,
        "response_format": facts.json_modes is not None,
        "tools": facts.most_tools or facts.schema not in (None, _REFERENCES_ALONE),
    }
    yield from (_top(places, name) for name, fact in stated.items() if fact)


def _inner(facts: Facts, places: Places) -> Iterable[str]:
    """The last names of fields that stand inside others, in all their spellings."""
    for name in (*facts.refuses, *facts.renames, *facts.fixed):
        for path in places.get(name, ()):
            if len(path) > 1:
                yield path[-1]
        if "." in name and not name.startswith("messages."):
            yield name.rpartition(".")[2]
    if facts.schema is not None and not (facts.schema.ref_siblings and facts.schema.refs):
        yield "$ref"


def _top(places: Places, name: str) -> str:
    return places.get(name, ((name,),))[0][0]


def _number(fields: Mapping[str, Any], path: Path) -> int:
    value: object = fields
    for name in path:
        value = cast("dict[str, object]", value).get(name) if isinstance(value, dict) else None
    return value if isinstance(value, int) else 0
