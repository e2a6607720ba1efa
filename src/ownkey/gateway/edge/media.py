"""Which bodies are read: JSON in UTF-8 and forms, as they are, without a content encoding."""

import re

from ownkey.domain.errors import UnsupportedMediaType
from ownkey.gateway.edge.exchange import Request

_JSON = re.compile(
    rb"application/(?:[a-z0-9!#$&^_.-]+\+)?json[ \t]*(?:;[ \t]*charset[ \t]*=[ \t]*\"?utf-?8\"?[ \t]*)?;?",
    re.IGNORECASE,
)


def check_json_body(request: Request) -> None:
    """Raise UnsupportedMediaType unless the body is announced as JSON that can be read as it is.

    A missing content type is refused as well: browsers leave it out on requests that skip the CORS
    preflight, and every SDK sends it. A repeated content type or encoding never gets this far.
    """
    kind = request.header(b"content-type")
    if kind != b"application/json":
        _check_kind(kind)
    check_not_encoded(request)


def check_not_encoded(request: Request) -> None:
    """Raise UnsupportedMediaType for a compressed body."""
    encoding = request.header(b"content-encoding")
    if encoding is not None and encoding.lower() != b"identity":
        raise UnsupportedMediaType("Compressed bodies are not accepted: send the body without `content-encoding`.")


def _check_kind(kind: bytes | None) -> None:
    if kind is None:
        raise UnsupportedMediaType("The request has no content type: send `content-type: application/json`.")
    if _JSON.fullmatch(kind) is None:
        raise UnsupportedMediaType(
            "The body must be JSON in UTF-8: send `content-type: application/json` "
            "(with curl, `-H 'content-type: application/json'`)."
        )
