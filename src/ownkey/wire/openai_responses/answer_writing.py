"""An Answer into a whole response for a client."""

from typing import Any

import msgspec

from ownkey.wire.neutral import Answer
from ownkey.wire.openai_responses.objects import finish, output_of, skeleton

_ENCODE = msgspec.json.Encoder().encode


class AnswerWriter:
    """Writes answers that repeat their request; `asked` is its body."""

    __slots__ = ("_asked",)

    def __init__(self, asked: dict[str, Any]) -> None:
        self._asked = asked

    def write(self, answer: Answer, *, model: str, created: int, answer_id: str) -> bytes:
        begun = skeleton(model, created, answer_id, self._asked)
        return _ENCODE(finish(begun, output_of(answer, answer_id), answer.stop, answer.usage))


def write(answer: Answer, *, model: str, created: int, answer_id: str) -> bytes:
    """The answer to a request that is not at hand: what it would repeat has its defaults."""
    return AnswerWriter({}).write(answer, model=model, created=created, answer_id=answer_id)
