"""What a person pasted where a key was asked for: the key it plainly is, or why it is none.

White space, quotes and the text that a key is usually copied with (`export NAME=…`, `Bearer …`, `x-api-key: …`, a line
of JSON or of an environment file) are taken off where what is left can be only one key. Everything else is rejected:
a key that is stored wrongly fails later, with an error that does not name the cause. Texts never quote the key.
"""

import json
import re
import unicodedata
from typing import Any, cast

KEY_LIMIT = 8192
"""Characters of a key; what is pasted may have as many again around it."""

_QUOTES = {'"': '"', "'": "'", "`": "`", "“": "”", "‘": "’", "„": "“", "«": "»"}
_EDGE = " \t\r\n\v\f"
_MOST_LAYERS = 8
_KEY_NAME = r"[A-Za-z0-9_. -]{0,60}(?:key|token|secret|auth|password|bearer|credential)[A-Za-z0-9_. -]{0,60}"
_ASSIGNMENT = re.compile(
    r"(?:(?:export|set|setx|let|const|var|ENV)\s+|\$env:)?[A-Za-z_][A-Za-z0-9_]{0,99}\s*=(?!=)\s*(?P<value>.*\S)\s*"
)
_NOTHING_ASSIGNED = re.compile(r"(?:export\s+|set\s+)?[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\s*=\s*")
_SPACED_ASSIGNMENT = re.compile(r"(?:setx|ENV)\s+[A-Za-z_][A-Za-z0-9_]{0,99}\s+(?P<value>\S+)")
_MEMBER = re.compile(r"""\{?\s*(?P<quote>["'])[^"']{1,100}(?P=quote)\s*:\s*(?P<value>["'][^"']*["'])\s*,?\s*\}?""")
_HEADER = re.compile(
    rf"(?:authorization|[a-z-]{{0,40}}api-key|api_key)\s*:\s*(?P<value>\S.*)|{_KEY_NAME}:\s+(?P<spaced>\S.*)",
    re.IGNORECASE,
)
_CURL_OPTION = re.compile(r"(?:-H|--header)\s*(?P<value>[\"'].*[\"'])")
_SCHEME = re.compile(r"(?:bearer|token)\s+(?P<value>\S.*)", re.IGNORECASE)
_REFERENCE = re.compile(r"\$\{?[A-Za-z_][A-Za-z0-9_]*\}?|%[A-Za-z_][A-Za-z0-9_]*%|\{\{.*\}\}|<[^<>]*>")
_MASKED = re.compile(r"\*{3}|\.{3}")
_COMMENT = re.compile(r"\s#.*")
_SECRET_MEMBER = re.compile(_KEY_NAME, re.IGNORECASE)


class UnclearKey(ValueError):
    """The text is not plainly one key; the message says what to send instead."""


def pasted_key(text: str) -> str:
    """The key in `text`, without what surrounds it; empty for nothing but white space. Raises UnclearKey."""
    if len(text) > 2 * KEY_LIMIT:
        raise _too_long()
    found = _one_line(text)
    assigned = False
    for _ in range(_MOST_LAYERS):
        inner = _inside(found)
        # Once only: a key that looks like an assignment itself can be sent as `NAME=key`.
        if inner is None and not assigned and (match := _ASSIGNMENT.fullmatch(found)):
            inner, assigned = _trimmed(match["value"]), True
        if inner is None:
            break
        found = inner
    if found != _trimmed(text) and not found:
        raise UnclearKey("There is no key in this text. Send the key alone.")
    _check(found)
    return found


def _trimmed(text: str) -> str:
    """Without white space and invisible characters at both ends."""
    start, end = 0, len(text)
    while start < end and _is_blank(text[start]):
        start += 1
    while end > start and _is_blank(text[end - 1]):
        end -= 1
    return text[start:end]


def _is_blank(character: str) -> bool:
    return character in _EDGE or unicodedata.category(character) in ("Zs", "Zl", "Zp", "Cf") or character == "\x85"


def _one_line(text: str) -> str:
    """The one line that is not empty and no comment, or JSON as a whole."""
    whole = _trimmed(text)
    if whole[:1] in "{[" and whole:
        return whole
    lines = [line for part in whole.splitlines() if (line := _trimmed(part)) and not line.startswith("#")]
    if len(set(lines)) > 1:
        raise UnclearKey(f"The text has {len(lines)} lines. Send one key, on one line.")
    return _trimmed(_COMMENT.sub("", lines[0])) if lines else whole


def _inside(text: str) -> str | None:
    """What is left without the outermost thing around the key; None when nothing is around it. Raises UnclearKey."""
    if text[-1:] in (",", ";"):
        return _trimmed(text[:-1])
    if (quoted := _unquoted(text)) is not None:
        return quoted
    if text[:1] in ("{", "["):
        return _from_json(text)
    if match := _MEMBER.fullmatch(text):
        return match["value"]
    if match := _CURL_OPTION.fullmatch(text) or _SPACED_ASSIGNMENT.fullmatch(text) or _SCHEME.fullmatch(text):
        return _trimmed(match["value"])
    if match := _HEADER.fullmatch(text):
        return _trimmed(match["value"] or match["spaced"])
    if _NOTHING_ASSIGNED.fullmatch(text):
        raise UnclearKey("There is a name but no key behind its equals sign. Send the key.")
    return None


def _unquoted(text: str) -> str | None:
    closing = _QUOTES.get(text[:1])
    if closing is None or len(text) < 2 or text[-1] != closing or closing in text[1:-1]:
        return None
    return _trimmed(text[1:-1])


def _from_json(text: str) -> str:
    try:
        document: Any = json.loads(text)
    except (ValueError, RecursionError):
        if match := _MEMBER.fullmatch(text):
            return match["value"]
        raise UnclearKey("This looks like JSON but cannot be read. Send the key alone.") from None
    values = _strings(document)
    named = {value for name, value in values if _SECRET_MEMBER.fullmatch(name)}
    found = named or {value for _, value in values}
    if len(found) != 1:
        raise UnclearKey("This JSON has several values or none that could be the key. Send the key alone.")
    return _trimmed(found.pop())


def _strings(document: Any) -> list[tuple[str, str]]:
    """Every text in a document with the name it stands under."""
    found: list[tuple[str, str]] = []
    waiting: list[tuple[str, Any]] = [("", document)]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, str) and value:
            found.append((name, value))
        elif isinstance(value, dict):
            waiting += cast("dict[str, Any]", value).items()
        elif isinstance(value, list):
            waiting += [(name, inner) for inner in cast("list[Any]", value)]
    return found


def _check(key: str) -> None:
    if len(key) > KEY_LIMIT:
        raise _too_long()
    for place, character in enumerate(key, 1):
        if not "!" <= character <= "~":
            raise UnclearKey(
                f"Character {place} is {_kind(character)}, which no key has. Copy the key again: it holds "
                "visible ASCII characters only."
            )
    if key[:1] in _QUOTES or key[-1:] in _QUOTES:
        raise UnclearKey("There is a quotation mark at one end only. Send the key without it.")
    if key.lower().startswith(("http://", "https://")):
        raise UnclearKey("This is an address, not a key. Send the key alone.")
    if _REFERENCE.fullmatch(key):
        raise UnclearKey("This stands for a key but is none. Send the key itself.")
    if _MASKED.search(key):
        raise UnclearKey("A part of this key is masked. Copy the whole key.")


def _kind(character: str) -> str:
    category = unicodedata.category(character)
    if character == " " or category == "Zs":
        return "a space"
    if category in ("Zl", "Zp") or character in "\r\n":
        return "a line break"
    if category == "Cf":
        return "invisible"
    return "a control character" if category == "Cc" else "not ASCII"


def _too_long() -> UnclearKey:
    return UnclearKey(f"A key has at most {KEY_LIMIT} characters. Send the key alone.")
