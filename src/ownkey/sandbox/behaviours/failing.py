"""Models that fail: with an error in the vendor's shape, with what is no API's answer, in mid-stream, or by silence."""

from msgspec import structs

from ownkey.sandbox import tokens
from ownkey.sandbox.errors import Problem, Refused, problem_for_status
from ownkey.sandbox.scene import Behaviour, Cue, echo
from ownkey.sandbox.turn import LONGEST, Fault, Reply

METADATA_URL = "http://169.254.169.254/latest/meta-data/"
"""Where cloud machines keep their secrets: no client may follow a redirect to it."""
_MORE_TOKENS = 16
"""How many further tokens a model that hangs would have had to say."""


def _error(cue: Cue) -> Reply:
    status = cue.number
    if status == 200:
        return _error_200(cue)
    if not 400 <= status <= 599:
        return echo(cue)
    raise Refused(problem_for_status(status))


def _error_200(cue: Cue) -> Reply:
    """Status 200, and an error where the answer should be; a stream has it as its only event."""
    problem = structs.replace(problem_for_status(500), status=200)
    if not cue.ask.stream:
        raise Refused(problem)
    return Reply(fault=Fault.ERROR_ONLY, error_event=structs.replace(problem, status=500))


def _flaky(cue: Cue) -> Reply:
    return _every(cue, 500)


def _flaky_with(cue: Cue) -> Reply:
    return _every(cue, cue.numbers[1] if 400 <= cue.numbers[1] <= 599 else 500)


def _every(cue: Cue, status: int) -> Reply:
    """Fails every k-th call; a 429 tells to come back in a second."""
    name = "-".join(map(str, ("flaky", *cue.numbers)))
    if cue.number and cue.scene.count_call(name) % cue.number == 0:
        raise Refused(structs.replace(problem_for_status(status), retry_after=1 if status == 429 else None))
    return echo(cue)


def _redirect(cue: Cue) -> Reply:
    raise Refused(Problem(status=307, message="Temporary Redirect", head=f"location: {METADATA_URL}\r\n"))


def _html(cue: Cue) -> Reply:
    """As a captive portal or a proxy before the API answers."""
    status = cue.number if 200 <= cue.number <= 599 else 200
    page = f"<!doctype html>\n<html><head><title>{status}</title></head><body><h1>No API here</h1></body></html>\n"
    raise Refused(Problem(status=status, message="An HTML page", page=page))


def _cut(cue: Cue) -> Reply:
    reply = echo(cue)
    reply.fault = Fault.CUT
    return reply


def _garbage(cue: Cue) -> Reply:
    reply = echo(cue)
    reply.fault = Fault.GARBAGE
    return reply


def _stream_error(cue: Cue) -> Reply:
    return _error_in_stream(cue, problem_for_status(500))


def _stream_echo_key(cue: Cue) -> Reply:
    key = cue.key.text if cue.key else ""
    return _error_in_stream(cue, Problem(status=500, type="server_error", message=f"Upstream refused the key {key}."))


def _error_in_stream(cue: Cue, problem: Problem) -> Reply:
    if not cue.ask.stream:
        raise Refused(problem)
    reply = echo(cue)
    reply.fault, reply.error_event = Fault.ERROR_EVENT, problem
    return reply


def _echo_key(cue: Cue) -> Reply:
    text = cue.key.text if cue.key else ""
    message, head = f"Incorrect API key provided: {text}.", f"x-sandbox-echoed-key: {text}\r\n"
    raise Refused(Problem(status=401, message=message, code="invalid_api_key", head=head))


def _hang(cue: Cue) -> Reply:
    """Accepts the request; a stream gets so many tokens, and then nothing happens any more."""
    number = min(cue.number, LONGEST)
    pieces = tokens.lorem(number + _MORE_TOKENS)
    return Reply(text="".join(pieces), pieces=pieces, hangs_after=number)


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
}
