"""The word "json", which several models demand in a message before they answer in JSON mode."""

from collections.abc import Mapping
from typing import Any, cast

from ownkey.domain.facts import Facts
from ownkey.wire.fields import encode
from ownkey.wire.fit.fitting import Fitting

_INSTRUCTION = {"role": "system", "content": "Answer in JSON."}
_LEADING = ("system", "developer")


def asks_object(facts: Facts, wanted: object) -> bool:
    """Whether the wish for a format is one for which the word is demanded."""
    return (
        bool(facts.json_word)
        and isinstance(wanted, dict)
        and cast("Mapping[str, Any]", wanted).get("type") == ("json_object")
    )


def fit_json_word(fitting: Fitting, messages: str) -> None:
    """Ask for JSON in words, behind the instructions at the head of the field `messages`, where no message does."""
    if not asks_object(fitting.facts, fitting.get("response_format")):
        return
    given: Any = fitting.get(messages)
    if isinstance(given, str):
        given = [{"role": "user", "content": given}]
    turns = cast("list[Any]", given) if isinstance(given, list) else []
    if not turns or b"json" in encode(turns).lower():
        return
    head = 0
    while head < len(turns) and isinstance(turns[head], dict) and turns[head].get("role") in _LEADING:
        head += 1
    fitting.put(messages, [*turns[:head], _INSTRUCTION, *turns[head:]])
    fitting.adapted("response_format")
