"""A request body while it is fitted to the model that gets it."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, cast

from msgspec import UNSET, Struct

from ownkey.domain.facts import Facts
from ownkey.wire.fields import unsupported

Path = tuple[str, ...]
Places = Mapping[str, tuple[Path, ...]]
"""Where a format has a field of the facts: its spellings, the usual one first."""

_DEMANDS = frozenset(
    {
        "audio",
        "function_call",
        "functions",
        "logit_bias",
        "logprobs",
        "modalities",
        "moderation",
        "n",
        "response_format",
        "tool_choice",
        "tools",
        "top_logprobs",
        "web_search_options",
    }
)
"""Fields without which the answer would be another one: they are refused, never left out."""
_NOTHING: Mapping[str, object] = {
    "n": 1,
    "modalities": ["text"],
    "tool_choice": "auto",
    "response_format": {"type": "text"},
}
"""Values of such fields that ask for nothing."""


class Fitted(Struct, frozen=True):
    """The top-level fields to set, UNSET for those to remove, and the client's fields that were adapted."""

    changes: dict[str, Any]
    adaptations: tuple[str, ...] = ()

    def applied_to(self, body: dict[str, Any]) -> dict[str, Any]:
        """The body with the changes."""
        if not self.changes:
            return body
        return {name: value for name, value in (body | self.changes).items() if value is not UNSET}


class Fitting:
    """Reads see what was changed before; the body itself stays as it is, and lists and objects in it do, too.

    Fields are named as facts name them. `ours` are those that Ownkey wrote: they are changed without a word.
    `translated` is whether the whole body is our translation, in which another name of a field is no adaptation.
    """

    __slots__ = ("_adapted", "_places", "body", "changes", "facts", "model", "ours", "translated", "version")

    def __init__(
        self,
        body: Mapping[str, Any],
        facts: Facts,
        places: Places,
        ours: Collection[str] = (),
        *,
        model: str = "",
        version: str = "",
        translated: bool = False,
    ) -> None:
        self.body = body
        self.facts = facts
        self.ours = ours
        self.model = model
        self.version = version
        """The version of the API that the client names, `anthropic-version`."""
        self.translated = translated
        self.changes: dict[str, Any] = {}
        self._places = places
        self._adapted: list[str] = []

    def fitted(self) -> Fitted:
        return Fitted(self.changes, tuple(dict.fromkeys(self._adapted)))

    def place(self, name: str) -> Path:
        """Where the body has the field, or would have it."""
        spellings = self._places.get(name)
        if spellings is None:
            return tuple(name.split("."))
        return next((path for path in spellings if self._at(path) is not None), spellings[0])

    def get(self, name: str) -> Any:
        """The field's value; None where it is absent."""
        return self._at(self.place(name))

    def has(self, name: str) -> bool:
        """Whether the body has the field, be it null."""
        path = self.place(name)
        if len(path) == 1:
            return self.changes.get(path[0], self.body.get(path[0], UNSET)) is not UNSET
        return self._at(path) is not None

    def put(self, name: str, value: Any) -> None:
        """Set the field, without noting an adaptation."""
        self._set(self.place(name), value)

    def remove(self, name: str) -> None:
        """Remove the field, without noting an adaptation; an object that becomes empty goes with it."""
        path = self.place(name)
        self._set(path, UNSET)
        if len(path) > 1 and self._at(path[:-1]) == {}:
            self._set(path[:-1], UNSET)

    def leave_out(self, name: str) -> None:
        """Remove a field that the target does not take. Raises UnsupportedField for a demand of the client's."""
        value = self.get(name)
        if value is not None and name not in self.ours and not _asks_nothing(name, value):
            if name in _DEMANDS:
                raise unsupported(name, "is not accepted by the chosen model: leave it out, or choose another model.")
            self.adapted(name)
        self.remove(name)

    def adapted(self, name: str) -> None:
        """Note that a field of the client's was changed; of ours nothing is noted."""
        if name not in self.ours:
            self._adapted.append(name)

    def fields(self) -> Iterator[str]:
        """The names of the top-level fields."""
        for name in {**self.body, **self.changes}:
            if self.changes.get(name) is not UNSET:
                yield name

    def _at(self, path: Path) -> Any:
        head, *rest = path
        found: object = self.changes[head] if head in self.changes else self.body.get(head)
        for name in rest:
            found = cast("dict[str, object]", found).get(name) if isinstance(found, dict) else None
        return None if found is UNSET else found

    def _set(self, path: Path, value: Any) -> None:
        """Objects on the way are copied: the client's request stays what it was."""
        head, *rest = path
        if not rest:
            if value is UNSET and head not in self.body:
                self.changes.pop(head, None)
            else:
                self.changes[head] = value
            return
        given = self._at((head,))
        outer = self.changes[head] = dict(cast("dict[str, Any]", given)) if isinstance(given, dict) else {}
        for name in rest[:-1]:
            inner = outer.get(name)
            outer[name] = dict(cast("dict[str, Any]", inner)) if isinstance(inner, dict) else {}
            outer = outer[name]
        if value is UNSET:
            outer.pop(rest[-1], None)
        else:
            outer[rest[-1]] = value


def _asks_nothing(name: str, value: object) -> bool:
    return value in (False, 0, [], {}) or (name in _NOTHING and value == _NOTHING[name])
