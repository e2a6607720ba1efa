"""OpenAI's moderations: an input that says "attack" is flagged for violence, every other passes."""

from typing import Any

import msgspec
from msgspec import Struct

from ownkey.sandbox import tokens
from ownkey.sandbox.behaviours import reply_to
from ownkey.sandbox.chat import ChatRequest
from ownkey.sandbox.exchange import Answer, Context
from ownkey.sandbox.faults import finish_answer
from ownkey.sandbox.reading import invalid, missing, read_json

_DEFAULT = "omni-moderation-latest"
_TRIGGER = "attack"
_TEXT_ONLY = (
    *("harassment", "harassment/threatening", "hate", "hate/threatening"),
    *("illicit", "illicit/violent", "sexual/minors"),
)
_WITH_IMAGES = (
    *("self-harm", "self-harm/instructions", "self-harm/intent"),
    *("sexual", "violence", "violence/graphic"),
)
_LOW, _HIGH = 0.0001, 0.97


class _Part(Struct):
    type: str
    text: str | None = None


class _Body(Struct):
    """`input` is read loosely: msgspec has no union of lists."""

    model: str | None = None
    input: str | list[str | _Part] | None = None


_DECODER = msgspec.json.Decoder(_Body)


def moderate(context: Context) -> Answer:
    """POST …/moderations. Several texts get a result each, parts of one message get one."""
    body = read_json(context.request.body, _DECODER)
    if body.input is None:
        raise missing("input")
    model = body.model or _DEFAULT
    entries = [body.input] if isinstance(body.input, str) else body.input
    if not entries:
        raise invalid("input", "'$.input' is invalid: it must not be empty.", None)
    texts = [entry for entry in entries if isinstance(entry, str)]
    parts = [entry for entry in entries if not isinstance(entry, str)]
    if parts:
        texts = [" ".join(part.text or "" for part in parts)]
    size = sum(map(tokens.count, texts))
    chat = ChatRequest(model=model, prompt=texts[0], prompt_tokens=None, input_tokens=size)
    reply = reply_to(chat, context.plan.key, context.state)
    kinds = ["text", *(["image"] if any(part.type == "image_url" for part in parts) else [])]
    whole = {"id": f"modr-{context.ident}", "model": model, "results": [_result(text, kinds) for text in texts]}
    answer = Answer(200, context.head(), msgspec.json.encode(whole), delay=context.delay(reply))
    return finish_answer(answer, reply)


def _result(text: str, kinds: list[str]) -> dict[str, Any]:
    flagged = _TRIGGER in text.lower()
    names = (*_TEXT_ONLY, *_WITH_IMAGES)
    return {
        "flagged": flagged,
        "categories": {name: flagged and name == "violence" for name in names},
        "category_scores": {name: _HIGH if flagged and name == "violence" else _LOW for name in names},
        "category_applied_input_types": {name: ["text"] if name in _TEXT_ONLY else kinds for name in names},
    }
