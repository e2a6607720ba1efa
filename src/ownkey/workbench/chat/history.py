"""How a model's window is shared out, and the turns of a conversation that fit their share."""

from collections.abc import Sequence
from math import ceil

from msgspec import Struct

from ownkey.wire.counting import text_tokens
from ownkey.workbench.records import Message

UNKNOWN_WINDOW = 8_000
"""Tokens taken for a model's window where nobody knows it."""
MINIMUM_CONTEXT = 500
"""Tokens below which nothing useful can be told."""
_LARGEST_ANSWER = 1_024
_SMALLEST_ANSWER = 256
_CERTAIN = 0.8
"""The estimate of tokens may be a fifth too low for a model's own tokenizer."""
_MESSAGE = 4
"""Tokens of a message's frame."""
_CUT = "\n[…]\n"


class Budgets(Struct, frozen=True):
    """Tokens for the context, the turns of the conversation, and the answer (`max_tokens`)."""

    context: int
    history: int
    answer: int


def budgets(window: int | None = None) -> Budgets:
    """Shares of a model's window, by its size in tokens: a quarter for the answer, at most 1,024 tokens; of what an
    estimate can be trusted with, a third for the conversation and two for the context, at least `MINIMUM_CONTEXT`."""
    size = UNKNOWN_WINDOW if window is None else window
    answer = max(1, min(_LARGEST_ANSWER, size // 4))
    usable = int((size - answer) * _CERTAIN)
    context = max(MINIMUM_CONTEXT, usable * 2 // 3)
    return Budgets(context=context, history=max(usable - context, usable // 4), answer=answer)


def shrink(budget_tokens: int) -> int | None:
    """The budget to try after the model found a context too long: half of it, at least `MINIMUM_CONTEXT`; None when
    it was that already."""
    if budget_tokens <= MINIMUM_CONTEXT:
        return None
    return max(MINIMUM_CONTEXT, budget_tokens // 2)


def narrower(shares: Budgets) -> Budgets | None:
    """The shares to try after the model found what it was told too long: half of each, with the context at least
    `MINIMUM_CONTEXT` and the answer 256 tokens; None when the context was that already."""
    context = shrink(shares.context)
    if context is None:
        return None
    answer = max(shares.answer // 2, min(shares.answer, _SMALLEST_ANSWER))
    return Budgets(context=context, history=max(shares.history // 2, 1), answer=answer)


def fit_history(messages: Sequence[Message], budget: int) -> tuple[Message, ...]:
    """The latest turns within `budget` tokens, beginning with one of the user's.

    The last message is always there: where it alone is too long, its middle is left out.
    """
    if not messages:
        return ()
    kept = [_fitted(messages[-1], budget)]
    room = budget - message_tokens(kept[0])
    for message in reversed(messages[:-1]):
        room -= message_tokens(message)
        if room < 0:
            break
        kept.append(message)
    while len(kept) > 1 and kept[-1].role != "user":
        kept.pop()
    return tuple(reversed(kept))


def message_tokens(message: Message) -> int:
    return _MESSAGE + ceil(text_tokens(message.content))


def _fitted(message: Message, budget: int) -> Message:
    """The longest beginning and end that fit, found by halving; empty when not even a mark does."""
    if message_tokens(message) <= budget:
        return message
    low, high = 0, len(message.content) // 2
    while low < high:
        middle = (low + high + 1) // 2
        if message_tokens(_shortened(message, middle)) <= budget:
            low = middle
        else:
            high = middle - 1
    return _shortened(message, low)


def _shortened(message: Message, ends: int) -> Message:
    content = message.content
    return Message(message.role, content[:ends] + _CUT + content[len(content) - ends :])
