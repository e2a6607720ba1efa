"""Whether a request that passes can need fitting at all: worked out once for an attempt, asked for every request."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from ownkey.domain.facts import Facts, SchemaFacts
from ownkey.wire.fit.fitting import Path, Places

_LIMIT: tuple[Path, ...] = (("max_tokens",),)
_REFERENCES_ALONE = SchemaFacts(ref_siblings=False)


class Watch:
    """What of a request the facts of its model speak of. Without any, asking costs next to nothing.

    `in_messages` are the fields that the messages of a role may have, `largest` where the limit of the output is and
    its largest value.
    `fields` are top-level fields that matter alone, `groups` those that matter together, `knows` all that are known;
    `needles` are bytes without which a body holds no inner field that matters; `first_version` is the first version of
    the API that matters.
    """

    __slots__ = (
        "asks_usage",
        "fields",
        "first_version",
        "groups",
        "in_messages",
        "knows",
        "largest",
        "needles",
        "nothing",
    )

    def __init__(
        self,
        fields: Iterable[str] = (),
        groups: Iterable[Iterable[str]] = (),
        needles: Iterable[str] = (),
        *,
        knows: Iterable[str] = (),
        in_messages: Mapping[str, Iterable[str]] = {},
        versions: Iterable[str] = (),
        largest: tuple[Path, int] | None = None,
        asks_usage: bool = True,
    ) -> None:
        self.fields = frozenset(fields)
        self.groups = tuple(map(frozenset[str], groups))
        self.needles = tuple(dict.fromkeys(needle.encode() for needle in needles))
        self.knows = frozenset(knows)
        self.in_messages = {role: frozenset(names) for role, names in in_messages.items()}
        self.first_version = min(versions, default="")
        self.largest = largest
        self.asks_usage = asks_usage
        sought = (self.fields, self.groups, self.needles, self.knows, self.in_messages, self.first_version, largest)
        self.nothing = not any(sought)

    def concerns(self, body: bytes, fields: Mapping[str, Any], version: str) -> bool:
        """Whether to fit a request with these top-level fields."""
        if self.nothing:
            return False
        if not self.fields.isdisjoint(fields) or (self.knows and not self.knows.issuperset(fields)):
            return True
        if self.first_version and version >= self.first_version:
            return True
        if self.largest is not None and self._exceeds(fields, *self.largest):
            return True
        if self.in_messages and self._holds_unknown(fields.get("messages")):
            return True
        return any(group <= fields.keys() for group in self.groups) or any(needle in body for needle in self.needles)

    @staticmethod
    def _exceeds(fields: Mapping[str, Any], path: Path, most: int) -> bool:
        value: object = fields
        for name in path:
            value = cast("dict[str, object]", value).get(name) if isinstance(value, dict) else None
        return isinstance(value, int) and value > most

    def _holds_unknown(self, messages: object) -> bool:
        if not isinstance(messages, list):
            return False
        for message in cast("list[object]", messages):
            if isinstance(message, dict):
                fields = cast("dict[str, Any]", message)
                known = self.in_messages.get(str(fields.get("role")))
                if known is not None and not known.issuperset(fields):
                    return True
        return False


def watch_for(facts: Facts, places: Places, thinking: tuple[str, ...]) -> Watch:
    """`thinking` are the fields of a format that ask for thinking."""
    watched = _Watched(places)
    watched.add(*facts.refuses, *facts.renames, *facts.fixed)
    for group in facts.one_of:
        watched.group(group)
    for name in facts.beside_thinking:
        for asking in thinking:
            watched.group((asking, name))
    if facts.forced_tool_beside_thinking is False:
        for asking in thinking:
            watched.group((asking, "tool_choice"))
    if facts.thinking is not None:
        watched.add(*thinking)
    stated = {
        "tool_choice": facts.tool_choices,
        "parallel_tool_calls": facts.parallel_tool_calls is False,
        "response_format": facts.json_modes is not None,
        "tools": facts.most_tools or facts.schema not in (None, _REFERENCES_ALONE),
    }
    watched.add(*(name for name, fact in stated.items() if fact))
    if facts.reasoning_replay == "refused":
        watched.add("messages.reasoning_content", "messages.reasoning_details")
    if facts.schema is not None and not (facts.schema.ref_siblings and facts.schema.refs):
        watched.needles.append('"$ref"')
    if facts.developer_role is False:
        watched.needles.append('"developer"')
    watched.needles += facts.media_aliases
    return Watch(
        watched.fields,
        watched.groups,
        watched.needles,
        knows=facts.knows,
        in_messages=facts.knows_in_messages,
        versions=facts.refused_versions,
        largest=None if facts.largest_output is None else (places.get("max_tokens", _LIMIT)[0], facts.largest_output),
        asks_usage=facts.stream_usage in (None, "asked"),
    )


class _Watched:
    def __init__(self, places: Places) -> None:
        self._places = places
        self.fields: list[str] = []
        self.groups: list[tuple[str, ...]] = []
        self.needles: list[str] = []

    def add(self, *names: str) -> None:
        for name in names:
            for path in self._places.get(name, (tuple(name.split(".")),)):
                if len(path) == 1:
                    self.fields.append(path[0])
                else:
                    self.needles.append(f'"{path[-1]}"')

    def group(self, names: Iterable[str]) -> None:
        """Fields that matter together; inner ones count as the field that holds them."""
        self.groups.append(tuple(self._places.get(name, ((name,),))[0][0] for name in names))
