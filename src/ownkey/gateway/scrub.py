"""Taking a secret out of what a provider sent back, in the spellings in which it could stand there."""

import base64
import json
from urllib.parse import quote, quote_plus

from ownkey.domain.secret import Secret

_REPLACEMENT = b"[redacted]"
_SHORTEST = 6
"""Shorter keys (a local server's `none`) are words, not secrets; replacing them would mangle texts."""


def spellings(secret: Secret) -> tuple[bytes, ...]:
    """The secret and its parts: as they are, URL-encoded, JSON-escaped, in base64 at each of the three alignments."""
    found = {spelling for text in secret.reveal_all() if len(text) >= _SHORTEST for spelling in _spellings(text)}
    return tuple(sorted(found, key=len, reverse=True))


def _spellings(text: str) -> set[bytes]:
    raw = text.encode()
    escaped = json.dumps(text)[1:-1]
    found = {raw, escaped.encode(), escaped.replace("/", "\\/").encode()}
    for quoted in (quote(text, safe=""), quote_plus(text), quote(text)):
        found |= {quoted.encode(), _lower_escapes(quoted).encode()}
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw)
        core = encoded[(4 if shift else 0) : len(encoded) // 4 * 4 - 4]
        if len(core) >= 8:
            found |= {core, core.replace(b"+", b"-").replace(b"/", b"_"), core.replace(b"/", b"\\/")}
    return found


def scrub(data: bytes, secret: Secret) -> bytes:
    """`data` without the secret; the same object when it does not occur."""
    for spelling in spellings(secret):
        if spelling in data:
            data = data.replace(spelling, _REPLACEMENT)
    return data


def scrub_text(text: str, secret: Secret) -> str:
    """As `scrub`, for text."""
    return scrub(text.encode("utf-8", "replace"), secret).decode()


def _lower_escapes(quoted: str) -> str:
    """`%2F` as `%2f`, which means the same."""
    head, *escapes = quoted.split("%")
    return head + "".join(f"%{escape[:2].lower()}{escape[2:]}" for escape in escapes)
