"""The text of an error and the field it is about, whatever shape a provider gives them.

text                                    most
{"message": {"detail": [...]}}          Mistral
[{"loc": ["body", "x"], "msg": "..."}]  FastAPI and pydantic
{"errors": [{"message": "..."}]}        Cloudflare
{"base_resp": {"status_msg": "..."}}    MiniMax
{"metadata": {"raw": "..."}}            OpenRouter, where the text says only that the provider behind it failed
plain text, or a page                   proxies and load balancers
"""

import html
import re
from typing import Any, cast

import msgspec

LONGEST = 4000
_LONGEST_PAGE = 500
_MOST_ENTRIES = 5
_DEEPEST = 5
_KEYS = (
    "message",
    "msg",
    "detail",
    "error_description",
    "error_message",
    "errors",
    "error",
    "description",
    "status_msg",
    "base_resp",
    "Message",
    "title",
)
"""Where a text may be, the first that has one counts."""
_PARTS = frozenset({"body", "query", "path", "header"})
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_UNSEEN = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>", re.IGNORECASE | re.DOTALL)
_VAGUE = "provider returned error"
_ANY = msgspec.json.Decoder()


def text_of(value: object, depth: int = 0) -> str:
    """The text in a decoded value, with the place before it where there is one; empty where there is none."""
    if isinstance(value, str):
        return value.strip()[:LONGEST]
    if depth == _DEEPEST:
        return ""
    if isinstance(value, list):
        entries = cast("list[object]", value)[:_MOST_ENTRIES]
        return "; ".join(filter(None, (text_of(entry, depth + 1) for entry in entries)))[:LONGEST]
    if not isinstance(value, dict):
        return ""
    fields = cast("dict[str, object]", value)
    text = next(filter(None, (text_of(fields.get(key), depth + 1) for key in _KEYS)), "")
    if text.lower().startswith(_VAGUE) and (raw := _raw(fields, depth)):
        return raw
    place = _place(fields)
    return f"{place}: {text}" if text and place else text


def place_of(value: object, depth: int = 0) -> str | None:
    """The field that a decoded value is about, where it names exactly one: `messages.0.content`."""
    if isinstance(value, list) and len(cast("list[object]", value)) == 1:
        return place_of(cast("list[object]", value)[0], depth + 1)
    if not isinstance(value, dict) or depth == _DEEPEST:
        return None
    fields = cast("dict[str, object]", value)
    return _place(fields) or next(filter(None, (place_of(fields.get(key), depth + 1) for key in _KEYS)), None)


def text_of_body(body: bytes) -> str:
    """The text of a body that is not JSON: its first line, or a page's title."""
    try:
        text = body[: 64 * 1024].decode()
    except UnicodeDecodeError:
        return ""
    if text.lstrip()[:1] == "<":
        title = _TITLE.search(text)
        text = html.unescape(_UNSEEN.sub(" ", title.group(1) if title else text))
    text = " ".join(text.split())[:_LONGEST_PAGE]
    return text if text.isprintable() else ""


def _place(fields: dict[str, Any]) -> str:
    """pydantic's `loc` as a path, without the part of the request that it begins with."""
    loc = fields.get("loc")
    if not isinstance(loc, list):
        return ""
    steps = [str(step)[:100] for step in cast("list[object]", loc)[:20] if isinstance(step, str | int)]
    return ".".join(steps[1:] if steps and steps[0] in _PARTS else steps)


def _raw(fields: dict[str, Any], depth: int) -> str:
    """What the provider behind OpenRouter said."""
    metadata = fields.get("metadata")
    raw = cast("dict[str, object]", metadata).get("raw") if isinstance(metadata, dict) else None
    if not isinstance(raw, str):
        return text_of(raw, depth + 1)
    try:
        return text_of(_ANY.decode(raw), depth + 1) or raw.strip()[:LONGEST]
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return raw.strip()[:LONGEST]
