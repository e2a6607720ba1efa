"""Which of the fields that Ownkey wrote a provider's error names."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import cast

import msgspec

_DECODE = msgspec.json.Decoder().decode
_LARGEST = 64 * 1024
_ECHOES = frozenset({"input", "ctx", "request", "request_id"})
"""Where errors repeat what was sent: a name there is no complaint about it."""


def named_fields(error: bytes, ours: Collection[str], spellings: Mapping[str, Collection[str]]) -> tuple[str, ...]:
    """The fields among `ours` that the body of an error names in any of their spellings."""
    if not ours or len(error) > _LARGEST:
        return ()
    try:
        texts = list(_texts(_DECODE(error), 0))
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        texts = [error.decode("utf-8", "replace")]
    told = "\n".join(texts)
    return tuple(name for name in ours if any(_names(told, word) for word in spellings.get(name, (name,))))


def _names(text: str, word: str) -> bool:
    return re.search(rf"(?<![\w]){re.escape(word)}(?![\w])", text) is not None


def _texts(value: object, depth: int) -> Iterator[str]:
    """All texts of an error but those that repeat the request."""
    if isinstance(value, str):
        yield value
    elif depth > 20:
        return
    elif isinstance(value, list):
        for item in cast("list[object]", value):
            yield from _texts(item, depth + 1)
    elif isinstance(value, dict):
        for name, item in cast("dict[str, object]", value).items():
            if name not in _ECHOES:
                yield from _texts(item, depth + 1)
