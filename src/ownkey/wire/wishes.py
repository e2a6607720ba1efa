"""A user's preferences for what a request leaves open."""

from typing import Any

from msgspec import Struct

from ownkey.wire.format import Format


class Wishes(Struct, frozen=True):
    """Preferences; None leaves a field to the client, or to the model."""

    temperature: float | None = None
    max_tokens: int | None = None


def fill_in(format_: Format, parsed: dict[str, Any], wishes: Wishes) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The top-level fields to set in a client's request, and which of the wishes they are, named as facts name them."""
    changes: dict[str, Any] = {}
    ours: list[str] = []
    if wishes.temperature is not None:
        changes = format_.defaults(parsed, wishes.temperature, None)
        ours += ["temperature"] if changes else []
    if wishes.max_tokens is not None:
        more = format_.defaults(parsed | changes, None, wishes.max_tokens)
        ours += ["max_tokens"] if more else []
        changes = changes | more
    return changes, tuple(ours)
