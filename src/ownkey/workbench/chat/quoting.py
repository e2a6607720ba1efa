"""Somebody else's text inside instructions.

A text is quoted as a JSON string on one line: it can end neither its quotation marks nor its line, so nothing in it
stands where an instruction would. Characters that show nothing, or turn the direction of what follows, are left out.
"""

import re

import msgspec

_HIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_TAGS = re.compile("[\U000e0000-\U000e007f]")
"""Unicode's tag characters: invisible to people and read by models."""
_NAME_MARKS = re.compile(r"[\[\]\s]+")
_ID_LENGTH = 60
_MORE = " […]"


def quoted(text: str, length: int) -> str:
    """At most `length` characters of the text between quotation marks; a mark says that there is more."""
    shown = _TAGS.sub("", _HIDDEN.sub("", text))
    if len(shown) > length:
        shown = shown[: max(length - len(_MORE), 0)] + _MORE
    return msgspec.json.encode(shown).decode()


def citation(prompt_id: str) -> str:
    """The id as it is cited, without brackets around it: one word without brackets of its own."""
    shown = _NAME_MARKS.sub("_", _TAGS.sub("", _HIDDEN.sub("", prompt_id)))
    return shown if len(shown) <= _ID_LENGTH else f"{shown[: _ID_LENGTH - 1]}…"
