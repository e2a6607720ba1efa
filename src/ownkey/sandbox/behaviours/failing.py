"""Models that fail, cannot do all that a client may ask for, or report what is not true."""

from msgspec import structs

from ownkey.sandbox import tokens
from ownkey.sandbox.behaviours.invocation import Behaviour, Invocation, echo
from ownkey.sandbox.chat import LONGEST, Fault, Reply
from ownkey.sandbox.errors import Problem, Refused, problem_for_status

METADATA_URL = "http://169.254.169.254/latest/meta-data/"
"""Where cloud machines keep their secrets: no client may follow a redirect to it."""
_MORE_TOKENS = 16
"""How many further tokens a model that hangs would have had to say."""


def _error(invocation: Invocation) -> Reply:
    status = invocation.number
    if status == 200:
        return _error_200(invocation)
    if not 400 <= status <= 599:
        return echo(invocation)
    raise Refused(problem_for_status(status))


def _error_200(invocation: Invocation) -> Reply:
    """Status 200, and an error where the answer should be; a stream has it as its only event."""
    problem = structs.replace(problem_for_status(500), status=200)
    if not invocation.chat.stream:
        raise Refused(problem)
    return Reply(fault=Fault.ERROR_ONLY, error_event=structs.replace(problem, status=500))


def _flaky(invocation: Invocation) -> Reply:
    return _every(invocation, 500)


def _flaky_with(invocation: Invocation) -> Reply:
    return _every(invocation, invocation.numbers[1] if 400 <= invocation.numbers[1] <= 599 else 500)


def _every(invocation: Invocation, status: int) -> Reply:
    """Fails every k-th call; a 429 asks to retry in a second."""
    name = "-".join(map(str, ("flaky", *invocation.numbers)))
    if invocation.number and invocation.state.count_call(name) % invocation.number == 0:
        raise Refused(structs.replace(problem_for_status(status), retry_after=1 if status == 429 else None))
    return echo(invocation)


def _redirect(invocation: Invocation) -> Reply:
    raise Refused(Problem(status=307, message="Temporary Redirect", head=f"location: {METADATA_URL}\r\n"))


def _html(invocation: Invocation) -> Reply:
    """As a captive portal or a proxy before the API answers."""
    status = invocation.number if 200 <= invocation.number <= 599 else 200
    page = f"<!doctype html>\n<html><head><title>{status}</title></head><body><h1>No API here</h1></body></html>\n"
    raise Refused(Problem(status=status, message="An HTML page", page=page))


def _cut(invocation: Invocation) -> Reply:
    reply = echo(invocation)
    reply.fault = Fault.CUT
    return reply


def _garbage(invocation: Invocation) -> Reply:
    reply = echo(invocation)
    reply.fault = Fault.GARBAGE
    return reply


def _stream_error(invocation: Invocation) -> Reply:
    return _error_in_stream(invocation, problem_for_status(500))


def _stream_echo_key(invocation: Invocation) -> Reply:
    key = invocation.key.text if invocation.key else ""
    return _error_in_stream(
        invocation, Problem(status=500, type="server_error", message=f"Upstream refused the key {key}.")
    )


def _error_in_stream(invocation: Invocation, problem: Problem) -> Reply:
    if not invocation.chat.stream:
        raise Refused(problem)
    reply = echo(invocation)
    reply.fault, reply.error_event = Fault.ERROR_EVENT, problem
    return reply


def _echo_key(invocation: Invocation) -> Reply:
    text = invocation.key.text if invocation.key else ""
    message, head = f"Incorrect API key provided: {text}.", f"x-sandbox-echoed-key: {text}\r\n"
    raise Refused(Problem(status=401, message=message, code="invalid_api_key", head=head))


def _hang(invocation: Invocation) -> Reply:
    """Accepts the request; a stream gets so many tokens, and then nothing happens any more."""
    number = min(invocation.number, LONGEST)
    pieces = tokens.lorem(number + _MORE_TOKENS)
    return Reply(text="".join(pieces), pieces=pieces, hangs_after=number)


_USUAL_LIE = 10


def _no_stream(invocation: Invocation) -> Reply:
    reply = echo(invocation)
    reply.whole = True
    return reply


def _no_system(invocation: Invocation) -> Reply:
    if invocation.chat.system_at is None:
        return echo(invocation)
    param = f"messages[{invocation.chat.system_at}].role"
    text = f"Unsupported value: '{param}' does not support 'system' with this model."
    raise Refused(Problem(status=400, message=text, param=param, code="unsupported_value"))


def _no_usage(invocation: Invocation) -> Reply:
    reply = echo(invocation)
    reply.usage_factor = None
    return reply


def _liar(invocation: Invocation) -> Reply:
    """Counts each token of its answer ten times, or as often as the name says."""
    reply = echo(invocation)
    reply.usage_factor = invocation.number or _USUAL_LIE
    return reply


def _new_limits(invocation: Invocation) -> Reply:
    """As OpenAI's reasoning models: another name for the limit, and no temperature but 1."""
    chat = invocation.chat
    if chat.old_limit:
        text = (
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
        )
        raise Refused(Problem(status=400, message=text, param="max_tokens", code="unsupported_parameter"))
    if chat.temperature is not None and chat.temperature != 1:
        text = (
            f"Unsupported value: 'temperature' does not support {chat.temperature:g} with this model. Only the default "
            "(1) value is supported."
        )
        raise Refused(Problem(status=400, message=text, param="temperature", code="unsupported_value"))
    return echo(invocation)


def _small_context(invocation: Invocation) -> Reply:
    size, most = invocation.chat.input_tokens, invocation.number
    if size <= most:
        return echo(invocation)
    text = (
        f"This model's maximum context length is {most} tokens. However, your messages resulted in {size} tokens. "
        "Please reduce the length of the messages."
    )
    raise Refused(Problem(status=400, message=text, param="messages", code="context_length_exceeded"))


BEHAVIOURS: dict[tuple[str, int], Behaviour] = {
    ("error", 1): _error,
    ("flaky", 1): _flaky,
    ("flaky", 2): _flaky_with,
    ("redirect", 0): _redirect,
    ("html", 0): _html,
    ("html", 1): _html,
    ("cut", 0): _cut,
    ("garbage", 0): _garbage,
    ("stream-error", 0): _stream_error,
    ("stream-echo-key", 0): _stream_echo_key,
    ("error-echo-key", 0): _echo_key,
    ("hang", 0): _hang,
    ("hang", 1): _hang,
    ("no-stream", 0): _no_stream,
    ("no-system", 0): _no_system,
    ("no-usage", 0): _no_usage,
    ("liar", 0): _liar,
    ("liar", 1): _liar,
    ("new-limits", 0): _new_limits,
    ("small-context", 1): _small_context,
}
"""By the word in the name and how many numbers follow it."""
