"""Endpoints that cannot do all that a client may ask, and those that do not tell the truth.

The errors are OpenAI's, word for word, in the shape of the vendor that is asked.
"""

from ownkey.sandbox.errors import Problem, Refused
from ownkey.sandbox.scene import Behaviour, Cue, echo
from ownkey.sandbox.turn import Reply

_USUAL_LIE = 10


def _no_stream(cue: Cue) -> Reply:
    reply = echo(cue)
    reply.whole = True
    return reply


def _no_system(cue: Cue) -> Reply:
    if cue.ask.system_at is None:
        return echo(cue)
    param = f"messages[{cue.ask.system_at}].role"
    text = f"Unsupported value: '{param}' does not support 'system' with this model."
    raise Refused(Problem(status=400, message=text, param=param, code="unsupported_value"))


def _no_usage(cue: Cue) -> Reply:
    reply = echo(cue)
    reply.usage_factor = None
    return reply


def _liar(cue: Cue) -> Reply:
    """Counts each token of its answer ten times, or as often as the name says."""
    reply = echo(cue)
    reply.usage_factor = cue.number or _USUAL_LIE
    return reply


def _new_limits(cue: Cue) -> Reply:
    """As OpenAI's reasoning models: another name for the limit, and no temperature but 1."""
    ask = cue.ask
    if ask.old_limit:
        text = (
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
        )
        raise Refused(Problem(status=400, message=text, param="max_tokens", code="unsupported_parameter"))
    if ask.temperature is not None and ask.temperature != 1:
        text = (
            f"Unsupported value: 'temperature' does not support {ask.temperature:g} with this model. Only the default "
            "(1) value is supported."
        )
        raise Refused(Problem(status=400, message=text, param="temperature", code="unsupported_value"))
    return echo(cue)


def _small_context(cue: Cue) -> Reply:
    size, most = cue.ask.input_tokens, cue.number
    if size <= most:
        return echo(cue)
    text = (
        f"This model's maximum context length is {most} tokens. However, your messages resulted in {size} tokens. "
        "Please reduce the length of the messages."
    )
    raise Refused(Problem(status=400, message=text, param="messages", code="context_length_exceeded"))


BEHAVIOURS: dict[tuple[str, int], Behaviour] = {
    ("no-stream", 0): _no_stream,
    ("no-system", 0): _no_system,
    ("no-usage", 0): _no_usage,
    ("liar", 0): _liar,
    ("liar", 1): _liar,
    ("new-limits", 0): _new_limits,
    ("small-context", 1): _small_context,
}
