"""What a query on one of Google's paths may say: `alt=sse` for streams, and never a key."""

from urllib.parse import parse_qsl

from ownkey.domain.errors import Unauthenticated
from ownkey.gateway.surfaces import Surface, speaks_googles

_KEYS = frozenset({"key", "access_token"})


def refuse_key_in_query(raw_query: bytes, surface: Surface) -> None:
    """Raise Unauthenticated when the address carries a key, as Google's old samples do: addresses end up in logs."""
    if raw_query and speaks_googles(surface) and any(name in _KEYS for name, _ in _pairs(raw_query)):
        raise Unauthenticated(
            "Send the key in the header x-goog-api-key, not in the address: addresses end up in the logs of proxies. "
            "A key that has been in one should be replaced."
        )


def wants_array(raw_query: bytes) -> bool:
    """Whether a stream is to be a JSON array: Google streams events only for `alt=sse`."""
    return all(name not in ("alt", "$alt") or value != "sse" for name, value in _pairs(raw_query))


def _pairs(raw_query: bytes) -> list[tuple[str, str]]:
    return parse_qsl(raw_query.decode("latin-1"), keep_blank_values=True)
