"""An answer that the client began, where the model does not take the beginning as its own.

It is asked to go on in words, as Anthropic recommends (platform.claude.com, migration guide): a client joins its
beginning and the answer.
"""

from typing import Any, cast

from ownkey.wire.fit.fitting import Fitting

CONTINUE = (
    "Your last message was cut off. Continue exactly where it ends: do not repeat any of it, and add nothing before."
)
_WORDS = frozenset({"text", "thinking", "redacted_thinking", "reasoningContent"})


def is_begun(messages: object) -> bool:
    """Whether the last message is an answer that was begun in words. One that holds calls is no beginning: the client
    sends it back for the vendor to go on with its own tools."""
    last: Any = cast("list[Any]", messages)[-1] if isinstance(messages, list) and messages else None
    if not isinstance(last, dict):
        return False
    message = cast("dict[str, Any]", last)
    content = message.get("content")
    if message.get("role") != "assistant" or not content:
        return False
    return isinstance(content, str) or all(map(_is_words, cast("list[Any]", content)))


def _is_words(block: Any) -> bool:
    """Blocks have a `type` in Anthropic's own format and one named field in Bedrock's."""
    if not isinstance(block, dict):
        return False
    fields = cast("dict[str, Any]", block)
    kind = fields.get("type")
    return kind in _WORDS if kind is not None else not _WORDS.isdisjoint(fields)


def fit_prefill(fitting: Fitting, instruction: object) -> None:
    """`instruction` is the content of the user's message that asks the model to go on."""
    messages: Any = fitting.get("messages")
    if fitting.facts.prefill is False and is_begun(messages):
        fitting.put("messages", [*messages, {"role": "user", "content": instruction}])
        fitting.adapted("messages.prefill")
