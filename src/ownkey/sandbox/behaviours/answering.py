"""Models that answer: with the question, with filler, with reasoning before it, with structured output."""

import msgspec

from ownkey.sandbox import tokens
from ownkey.sandbox.behaviours.instances import instance_of
from ownkey.sandbox.errors import Problem, Refused
from ownkey.sandbox.scene import Behaviour, Cue, echo
from ownkey.sandbox.turn import LONGEST, Finish, Reply


def _lorem(cue: Cue) -> Reply:
    pieces = tokens.lorem(min(cue.number, LONGEST))
    return Reply(text="".join(pieces), pieces=pieces)


def _think(cue: Cue) -> Reply:
    reply = echo(cue)
    reply.thinking = tokens.lorem(min(cue.number, LONGEST))
    return reply


def _reason(cue: Cue) -> Reply:
    """As `think`, in the field that OpenRouter and Groq use."""
    reply = _think(cue)
    reply.reasoning_field = "reasoning"
    return reply


def _slow(cue: Cue) -> Reply:
    reply = echo(cue)
    reply.delay = cue.number / 1000
    return reply


def _chunk(cue: Cue) -> Reply:
    reply = echo(cue)
    reply.chunk = max(cue.number, 1)
    return reply


def _json(cue: Cue) -> Reply:
    schema = cue.ask.output_schema
    value = instance_of(schema) if schema else {"text": cue.ask.prompt}
    return Reply(text=msgspec.json.encode(value).decode())


def _cached(cue: Cue) -> Reply:
    reply = echo(cue)
    reply.cached, reply.cache_written = cue.ask.input_tokens // 2, cue.ask.input_tokens // 4
    return reply


def _empty(cue: Cue) -> Reply:
    return Reply()


def _refuse(cue: Cue) -> Reply:
    return Reply(finish=Finish.REFUSAL)


def _filter(cue: Cue) -> Reply:
    """The vendor's filter steps in when half of the answer is written."""
    pieces = tokens.split(cue.ask.prompt)
    pieces = pieces[: len(pieces) // 2]
    return Reply(text="".join(pieces), pieces=pieces, finish=Finish.REFUSAL)


def _filter_prompt(cue: Cue) -> Reply:
    """As Azure OpenAI refuses a prompt."""
    if cue.number != 400:
        return _filter(cue)
    text = (
        "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please "
        "modify your prompt and retry."
    )
    raise Refused(Problem(status=400, message=text, code="content_filter", param="prompt"))


BEHAVIOURS: dict[tuple[str, int], Behaviour] = {
    ("echo", 0): echo,
    ("lorem", 1): _lorem,
    ("think", 1): _think,
    ("reason", 1): _reason,
    ("slow", 1): _slow,
    ("chunk", 1): _chunk,
    ("json", 0): _json,
    ("cached", 0): _cached,
    ("empty", 0): _empty,
    ("refuse", 0): _refuse,
    ("filter", 0): _filter,
    ("filter", 1): _filter_prompt,
}
"""By the word in the name and how many numbers follow it."""
