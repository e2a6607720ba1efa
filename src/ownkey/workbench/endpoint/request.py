"""A chat completion request for what an endpoint is known to be able to do."""

from collections.abc import Mapping, Sequence
from typing import Any

from ownkey.wire.fields import encode
from ownkey.workbench.records import Abilities, Message, Sampling

CHAT = "/chat/completions"
MODELS = "/models"
NO_EXTRAS: Mapping[str, object] = {}


def streams(sampling: Sampling, abilities: Abilities) -> bool:
    """Whether the answer will be requested as a stream."""
    return sampling.stream and abilities.streaming is not False


def chat_body(
    model: str,
    messages: Sequence[Message],
    sampling: Sampling,
    abilities: Abilities,
    extras: Mapping[str, object] = NO_EXTRAS,
) -> bytes:
    """The request's JSON. An unknown ability is assumed.

    Raises InvalidRequest for a text that has no UTF-8 form.
    """
    if abilities.system_role is False:
        messages = folded(messages)
    body: dict[str, Any] = {
        "model": model,
        "messages": [{"role": message.role, "content": message.content} for message in messages],
        abilities.token_limit or "max_tokens": sampling.max_tokens,
    }
    if sampling.temperature is not None and abilities.temperature is not False:
        body["temperature"] = sampling.temperature
    if streams(sampling, abilities):
        body["stream"] = True
        if abilities.stream_usage is not False:
            body["stream_options"] = {"include_usage": True}
    return encode(body | dict(extras))


def folded(messages: Sequence[Message]) -> list[Message]:
    """The conversation without the system role: its texts precede those of the first user turn."""
    instructions = [message.content for message in messages if message.role == "system"]
    rest = [message for message in messages if message.role != "system"]
    if not instructions:
        return rest
    first = next((index for index, message in enumerate(rest) if message.role == "user"), None)
    if first is None:
        return [Message("user", "\n\n".join(instructions)), *rest]
    rest[first] = Message("user", "\n\n".join([*instructions, rest[first].content]))
    return rest
