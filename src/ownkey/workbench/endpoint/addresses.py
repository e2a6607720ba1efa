"""A base URL as people paste it, made the part before `/chat/completions`. Pure."""

import re

from ownkey.domain.errors import InvalidRequest
from ownkey.gateway.net import Target

_PARAM = "endpoint_url"
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_ENDS = ("/chat/completions", "/completions", "/responses", "/embeddings", "/messages", "/models", "/api/chat")
_VERSIONED = re.compile(r"/v\d+(?:beta|alpha)?\d*(?:/|$)")


def read_base_url(pasted: str) -> str:
    """The base URL: without white space around it, a slash at its end, or the path of one interface.

    Raises InvalidRequest, saying what to write, for what is no such address.
    """
    text = pasted.strip()
    if not text:
        raise InvalidRequest("Give the endpoint's base URL, for example https://llm.example.com/v1.", param=_PARAM)
    if _SCHEME.match(text) is None:
        local = re.match(r"(?:localhost|127\.|\[::1\]|10\.|192\.168\.)", text) is not None
        shown = text[:80].lstrip("/")
        raise InvalidRequest(
            f"Write the address with its scheme: {'http' if local else 'https'}://{shown}", param=_PARAM
        )
    if "?" in text or "#" in text:
        raise InvalidRequest("Give the base URL without a query or fragment (? or #).", param=_PARAM)
    text = text.rstrip("/")
    Target.parse(text, _PARAM)
    scheme, _, rest = text.partition("://")
    host, _, path = rest.partition("/")
    path = f"/{path}" if path else ""
    for end in _ENDS:
        if path.endswith(end):
            path = path.removesuffix(end).rstrip("/")
            break
    return f"{scheme.lower()}://{host}{path}"


def with_version(base_url: str) -> str | None:
    """The same address with `/v1`, to be tried where the endpoint is not there as given; None where it has one."""
    return None if _VERSIONED.search(base_url.partition("://")[2]) else f"{base_url}/v1"
