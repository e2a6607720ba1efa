"""How to ask Gemini for reasoning, and thought signatures.

Up to version 2.5 Gemini takes a budget, from 3 on a level. The budgets are those of Google's own OpenAI-compatible
surface (ai.google.dev/gemini-api/docs/openai). A name without a version is taken for a new model.

Gemini's own signatures go back as they came. A Gemini client keeps `thoughtSignature` as opaque bytes, so another
vendor's signature can travel in it: base64 of `ownkey-thought:` and a JSON object. Base64 comes in both alphabets,
with padding or without (proto3 JSON).
"""

import re
from base64 import b64decode, b64encode
from binascii import Error
from typing import Any

import msgspec
from msgspec import Struct

from ownkey.wire.neutral import GEMINI_REASONING, Reasoning, Thinking

SKIP_VALIDATION = "skip_thought_signature_validator"
"""What Google documents in the place of a signature for calls that Gemini did not make itself; version 3 and
later refuse a step's first call without any (ai.google.dev/gemini-api/docs/thought-signatures)."""

_VERSION = re.compile(r"gemini-(\d{1,2})(?:[-.](\d{1,2})(?!\d))?(?!\d)")
_BUDGETS = {"none": 0, "minimal": 1024, "low": 1024, "medium": 8192, "high": 24576, "xhigh": 24576, "max": 24576}
_LEVELS = {"none": "minimal", "xhigh": "high", "max": "high"}
"""Version 3 always thinks a little, and knows no level above `high` on every model."""


def takes_level(model: str) -> bool:
    """Whether a model takes `thinkingLevel`, and checks the signatures of calls."""
    match = _VERSION.search(model)
    return match is None or int(match[1]) >= 3


def write(thinking: Thinking, model: str, config: dict[str, Any], dropped: list[str]) -> None:
    """Add `thinkingConfig` to `config`."""
    effort = "none" if thinking.mode == "disabled" else thinking.effort
    if effort is None and thinking.budget is None and thinking.mode is None:
        return
    wanted: dict[str, Any] = {}
    if effort is not None and takes_level(model):
        if effort in _LEVELS:
            dropped.append("reasoning_effort" if thinking.effort else "thinking")
        wanted["thinkingLevel"] = _LEVELS.get(effort, effort).upper()
    elif effort is not None:
        wanted["thinkingBudget"] = _BUDGETS[effort]
    elif thinking.budget is not None:
        wanted["thinkingBudget"] = thinking.budget
    elif not takes_level(model):
        wanted["thinkingBudget"] = -1
    if effort != "none":
        wanted["includeThoughts"] = True
    config["thinkingConfig"] = wanted


_MARK = b"ownkey-thought:"
_MARK_ENCODED = b64encode(_MARK).decode()
_ALPHABET = str.maketrans("-_", "+/")


class _Foreign(Struct, omit_defaults=True):
    format: str | None = None
    signature: str | None = None
    redacted: str | None = None


_FOREIGN = msgspec.json.Decoder(_Foreign)


def standard_base64(data: str) -> str:
    """`data` in the alphabet and with the padding that every other vendor demands."""
    if "-" in data or "_" in data:
        data = data.translate(_ALPHABET)
    return data if len(data) % 4 == 0 else data.rstrip("=") + "=" * (-len(data.rstrip("=")) % 4)


def wrapped(signature: str | None, redacted: str | None, format_: str | None) -> str:
    """Another vendor's proof of thinking as a `thoughtSignature`."""
    foreign = _Foreign(format_, signature, redacted)
    return b64encode(_MARK + msgspec.json.encode(foreign)).decode()


def thought(text: str, signature: str | None) -> Reasoning:
    """A thought part of a client's: with Gemini's signature, another vendor's, or none."""
    if signature is not None and standard_base64(signature).startswith(_MARK_ENCODED):
        try:
            foreign = _FOREIGN.decode(b64decode(standard_base64(signature)).removeprefix(_MARK))
        except (Error, ValueError):
            return Reasoning(text, format=GEMINI_REASONING)
        return Reasoning(text, foreign.signature, foreign.redacted, foreign.format)
    return Reasoning(text, signature, format=GEMINI_REASONING)
