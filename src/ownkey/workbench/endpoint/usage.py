"""Tokens and cost of a call: the endpoint's own count where it gives one, else an estimate that says so. Pure.

Endpoints are wrong about usage, by mistake or not. Their numbers are kept, and a caution is added where they cannot
be right. The bounds are wide enough for every tokenizer we know: a token is rarely more than 20 characters on
average (long runs of blanks aside) and never less than a byte.
"""

from collections.abc import Sequence
from math import ceil

import msgspec

from ownkey.wire.counting import text_tokens
from ownkey.wire.openai_chat.usage import UsageShape, to_usage
from ownkey.workbench.endpoint.answer import AnswerReader
from ownkey.workbench.records import Message, Prices, Tokens, TokenSource

_MESSAGE = 4
"""Tokens that frame a message, about."""
_LONGEST_TOKEN = 20
_SLACK = 32
_TEMPLATE = 2000
"""Tokens an endpoint may add to a prompt of its own accord: a template, a system prompt, tools."""

_SHAPE = msgspec.json.Decoder(UsageShape)


def tokens_of(reader: AnswerReader, messages: Sequence[Message], max_tokens: int) -> tuple[Tokens | None, list[str]]:
    """The tokens of a call that was answered at least in part, and cautions. None where nothing was counted or said."""
    cautions: list[str] = []
    if reader.usage:
        try:
            usage = to_usage(_SHAPE.decode(reader.usage))
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            usage = None
        if usage is not None:
            tokens = Tokens(usage.input_tokens, usage.output_tokens, usage.reasoning_tokens, usage.cached_tokens)
            return tokens, _doubts(tokens, reader, messages, max_tokens)
        cautions.append("The endpoint's usage cannot be read, so the tokens are estimated.")
    if not reader.chunks:
        return None, cautions
    asked = sum(text_tokens(message.content) + _MESSAGE for message in messages)
    thought = text_tokens(reader.reasoning)
    said = text_tokens(reader.text) + text_tokens(reader.called)
    return Tokens(ceil(asked), ceil(thought + said), ceil(thought), source=TokenSource.ESTIMATED), cautions


def cost_of(tokens: Tokens | None, prices: Prices | None) -> int | None:
    """Nano-dollars, rounded up; None without prices or tokens."""
    if tokens is None or prices is None:
        return None
    return prices.cost(tokens.input, tokens.output)


def _doubts(tokens: Tokens, reader: AnswerReader, messages: Sequence[Message], max_tokens: int) -> list[str]:
    doubts: list[str] = []
    asked = sum(len(message.content) for message in messages)
    answer = reader.text + reader.reasoning + reader.called
    said, size = len(answer), len(answer.encode())
    if tokens.input == 0 and asked:
        doubts.append("The endpoint counts no input tokens.")
    elif tokens.input * _LONGEST_TOKEN + _SLACK < asked:
        doubts.append(f"The endpoint counts only {tokens.input} input tokens for {asked} characters.")
    elif tokens.input > 4 * asked + _TEMPLATE:
        doubts.append(f"The endpoint counts {tokens.input} input tokens for {asked} characters.")
    if tokens.output == 0 and said:
        doubts.append("The endpoint counts no output tokens for an answer.")
    elif tokens.output * _LONGEST_TOKEN + _SLACK < said:
        doubts.append(f"The endpoint counts only {tokens.output} output tokens for {said} characters.")
    elif tokens.output - tokens.reasoning > max_tokens + max(max_tokens // 10, _SLACK):
        doubts.append(f"The endpoint counts {tokens.output} output tokens although {max_tokens} was the limit.")
    elif tokens.output - tokens.reasoning > size + _SLACK:
        doubts.append(
            f"The endpoint counts {tokens.output} output tokens for {said} characters: it does not tell of reasoning, "
            "or counts wrongly."
        )
    return doubts
