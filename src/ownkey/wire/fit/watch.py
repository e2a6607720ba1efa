"""Whether a request that passes can need fitting at all: worked out once for an attempt, asked for every request."""

from collections.abc import Iterable, Mapping
from typing import Any

from ownkey.domain.facts import Facts, SchemaFacts
from ownkey.wire.fit.fitting import Places

_REFERENCES_ALONE = SchemaFacts(ref_siblings=False)


class Watch:
    """What of a request the facts of its model speak of. Without any, asking costs next to nothing.

    `fields` are top-level fields that matter alone, `groups` those that matter together, `knows` all that are known;
    `needles` are bytes without which a body holds no inner field that matters; `first_version` is the first version of
    the API that matters.
    """

    __slots__ = ("asks_usage", "fields", "first_version", "groups", "knows", "needles", "nothing")

    def __init__(
        self,
        fields: Iterable[str] = (),
        groups: Iterable[Iterable[str]] = (),
        needles: Iterable[str] = (),
        *,
        knows: Iterable[str] = (),
        versions: Iterable[str] = (),
        asks_usage: bool = True,
    ) -> None:
        self.fields = frozenset(fields)
        self.groups = tuple(map(frozenset[str], groups))
        self.needles = tuple(dict.fromkeys(needle.encode() for needle in needles))
        self.knows = frozenset(knows)
        self.first_version = min(versions, default="")
        self.asks_usage = asks_usage
        self.nothing = not (self.fields or self.groups or self.needles or self.knows or self.first_version)

    def concerns(self, body: bytes, fields: Mapping[str, Any], version: str) -> bool:
        """Whether to fit a request with these top-level fields."""
        if self.nothing:
            return False
        if not self.fields.isdisjoint(fields) or (self.knows and not self.knows.issuperset(fields)):
            return True
        if self.first_version and version >= self.first_version:
            return True
        return any(group <= fields.keys() for group in self.groups) or any(needle in body for needle in self.needles)


def watch_for(facts: Facts, places: Places, thinking: Iterable[str], tools: str) -> Watch:
    """`thinking` are the fields of a format that ask for thinking, `tools` its field of tools."""
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
    if facts.tool_choices:
        watched.add("tool_choice")
    if facts.parallel_tool_calls is False:
        watched.add("parallel_tool_calls")
    if facts.json_modes is not None:
        watched.add("response_format")
    if facts.reasoning_replay == "refused":
        watched.add("messages.reasoning_content", "messages.reasoning_details")
    if facts.most_tools or (facts.schema is not None and facts.schema != _REFERENCES_ALONE):
        watched.add(tools)
    if facts.schema is not None and not (facts.schema.ref_siblings and facts.schema.refs):
        watched.needles.append('"$ref"')
    watched.needles += facts.media_aliases
    return Watch(
        watched.fields,
        watched.groups,
        watched.needles,
        knows=facts.knows,
        versions=facts.refused_versions,
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
