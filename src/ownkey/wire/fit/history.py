"""The turns of a conversation in OpenAI's chat format, where a model demands more of them than OpenAI does.

Ids of calls are handles that nobody reads, and reasoning that a client did not keep cannot be had: neither is an
adaptation. Turns that are added or marked are.
"""

import re
from base64 import b32encode
from hashlib import blake2b
from itertools import pairwise
from typing import Any, cast

from ownkey.domain.facts import Facts

_BETWEEN = {"role": "assistant", "content": "Done."}
"""Says nothing, and stands where a model demands that the assistant speaks between a result and the user."""


def demands(facts: Facts) -> bool:
    """Whether the model demands anything of the kind."""
    own = (facts.call_id_length, facts.prefill_mark)
    return own != (None, None) or facts.user_after_tool is False or facts.reasoning_replay == "returned"


def fitted_turns(messages: list[Any], facts: Facts) -> tuple[list[Any], tuple[str, ...]]:
    """The messages, which are the same list where they are fit, and the names of what was adapted."""
    adapted: list[str] = []
    turns = [_with_reasoning(message) for message in messages] if facts.reasoning_replay == "returned" else messages
    if facts.call_id_length is not None:
        turns = [_with_ids(message, facts.call_id_length) for message in turns]
    if facts.prefill_mark is not None and _is_begun(turns) and turns[-1].get(facts.prefill_mark) is not True:
        turns = [*turns[:-1], turns[-1] | {facts.prefill_mark: True}]
        adapted.append("messages.prefill")
    if facts.user_after_tool is False and any(map(_is_unbroken, pairwise(turns))):
        follows = (*map(_is_unbroken, pairwise(turns)), False)
        turns = [
            each for turn, gap in zip(turns, follows, strict=True) for each in ((turn, _BETWEEN) if gap else (turn,))
        ]
        adapted.append("messages")
    same = len(turns) == len(messages) and all(new is old for new, old in zip(turns, messages, strict=True))
    return (messages if same else turns), tuple(adapted)


def _role(message: Any) -> Any:
    return cast("dict[str, Any]", message).get("role") if isinstance(message, dict) else None


def _is_begun(messages: list[Any]) -> bool:
    """Whether the last message is the beginning of an answer."""
    return bool(messages) and _role(messages[-1]) == "assistant" and not messages[-1].get("tool_calls")


def _is_unbroken(pair: tuple[Any, Any]) -> bool:
    return _role(pair[0]) == "tool" and _role(pair[1]) == "user"


def _with_reasoning(message: Any) -> Any:
    if _role(message) != "assistant":
        return message
    fields = cast("dict[str, Any]", message)
    lacks = fields.get("tool_calls") and fields.get("reasoning_content") is None
    return fields | {"reasoning_content": ""} if lacks else fields


def _with_ids(message: Any, length: int) -> Any:
    role = _role(message)
    if role == "tool":
        given = message.get("tool_call_id")
        sent = _id(given, length)
        return message if sent == given else message | {"tool_call_id": sent}
    calls: Any = message.get("tool_calls") if role == "assistant" else None
    if not isinstance(calls, list):
        return message
    given = cast("list[Any]", calls)
    sent = [_with_id(call, length) for call in given]
    return message if sent == given else message | {"tool_calls": sent}


def _with_id(call: Any, length: int) -> Any:
    if not isinstance(call, dict):
        return call
    fields = cast("dict[str, Any]", call)
    return fields | {"id": _id(fields.get("id"), length)}


def _id(given: Any, length: int) -> Any:
    """Depends on the client's id alone, so that a call and its result agree in every turn."""
    if not isinstance(given, str) or re.fullmatch(f"[a-zA-Z0-9]{{{length}}}", given):
        return given
    return b32encode(blake2b(given.encode("utf-8", "replace"), digest_size=40).digest()).decode()[:length]
