"""What the simulated models do: from a neutral question to a neutral reply.

A model name's last segment chooses the behaviour, so `openai/echo` is `echo`; any other name echoes.
"""

import re
from collections.abc import Callable, Sequence
from enum import Enum, StrEnum
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

from ownkey.sandbox import tokens
from ownkey.sandbox.directions import Direction, directions_in
from ownkey.sandbox.errors import Problem, Refused, problem_for_status
from ownkey.sandbox.keys import KeyIdentity
from ownkey.sandbox.response_book import ResponseBook
from ownkey.sandbox.schema import Unsatisfiable, minimal

LONGEST = 1_000_000
"""The most tokens an answer may be asked for."""


class Tool(Struct, frozen=True):
    """A function the client offers; `schema` describes its arguments."""

    name: str
    schema: dict[str, Any]


class Ask(Struct, kw_only=True):
    """A request, whatever format it came in.

    `prompt` is the text of the last user message, `prompt_tokens` its size if known. `tool_result`
    is the text of the tool results that end the conversation, None when there are none.
    `forced_tool` is the tool the client names; `tools` is empty when the client forbids calls.
    `output_schema` is None when no structured output is asked for, and empty for any JSON object.
    `request` is the whole body, for formats whose answers repeat it.
    """

    model: str
    prompt: str
    prompt_tokens: int | None
    input_tokens: int
    stream: bool = False
    include_usage: bool = False
    obfuscate: bool = True
    count: int = 1
    max_tokens: int | None = None
    stop: Sequence[str] = ()
    tools: Sequence[Tool] = ()
    forced_tool: str | None = None
    parallel: bool = True
    tool_result: str | None = None
    output_schema: dict[str, Any] | None = None
    request: dict[str, Any] | None = None


class Finish(StrEnum):
    """Why an answer ended."""

    STOP = "stop"
    LENGTH = "length"
    TOOL = "tool"
    STOP_SEQUENCE = "stop_sequence"
    REFUSAL = "refusal"
    """The vendor's filter withheld the answer."""


class Fault(Enum):
    """How an answer is spoilt on its way."""

    CUT = "cut"
    GARBAGE = "garbage"
    ERROR_EVENT = "error event"


class Call(Struct, frozen=True):
    """One call of a tool; `arguments` is JSON text."""

    name: str
    arguments: str


class Reply(Struct, kw_only=True):
    """What to answer. `pieces` are the tokens of the text and `size` is their number, when known already.

    Counts of the input: of its tokens, `cached` were read from a cache and `cache_written` put into
    one. `delay` is in seconds, on top of the pace.
    """

    text: str = ""
    pieces: Sequence[str] | None = None
    size: int | None = None
    thinking: Sequence[str] = ()
    calls: Sequence[Call] = ()
    finish: Finish = Finish.STOP
    stop_sequence: str | None = None
    cached: int = 0
    cache_written: int = 0
    delay: float = 0.0
    fault: Fault | None = None
    error_event: Problem | None = None

    def text_pieces(self) -> Sequence[str]:
        if self.pieces is None:
            self.pieces = tokens.split(self.text)
        return self.pieces

    def output_tokens(self) -> int:
        """All tokens of one choice: reasoning, text and arguments."""
        size = self.size
        if size is None:
            size = self.size = len(self.text_pieces())
        if self.thinking or self.calls:
            size += len(self.thinking) + sum(tokens.count(call.arguments) for call in self.calls)
        return size

    def cut_text(self, length: int) -> None:
        """Keep the first `length` characters."""
        self.text, self.pieces, self.size = self.text[:length], None, None


class Scene:
    """What lasts beyond one question: how often each model was called, and the responses kept for later."""

    def __init__(self) -> None:
        self.responses = ResponseBook()
        self.calls: dict[str, int] = {}

    def count_call(self, name: str) -> int:
        """How many times `name` has been called, this one included."""
        calls = self.calls[name] = self.calls.get(name, 0) + 1
        return calls


Behaviour: TypeAlias = Callable[[Ask, int, KeyIdentity | None, Scene], Reply]
"""(question, the number in the model's name, key, scene) → reply. Raises Refused."""


def _echo(ask: Ask, number: int, key: KeyIdentity | None, scene: Scene) -> Reply:
    return Reply(text=ask.prompt, size=ask.prompt_tokens)


def _lorem(ask: Ask, number: int, key: KeyIdentity | None, scene: Scene) -> Reply:
    pieces = tokens.lorem(min(number, LONGEST))
    return Reply(text="".join(pieces), pieces=pieces)


def _think(ask: Ask, number: int, key: KeyIdentity | None, scene: Scene) -> Reply:
    return Reply(text=ask.prompt, size=ask.prompt_tokens, thinking=tokens.lorem(min(number, LONGEST)))


def _slow(ask: Ask, number: int, key: KeyIdentity | None, scene: Scene) -> Reply:
    return Reply(text=ask.prompt, size=ask.prompt_tokens, delay=number / 1000)


def _tool(ask: Ask, number: int, key: KeyIdentity | None, scene: Scene) -> Reply:
    if ask.tool_result is not None:
        return Reply(text=ask.tool_result)
    if not ask.tools:
        return Reply(text=ask.prompt, size=ask.prompt_tokens)
    directions = directions_in(ask.prompt)
    if directions and ask.forced_tool is None:
        return Reply(calls=[_directed(ask, directions[0])], finish=Finish.TOOL)
    chosen = next((tool for tool in ask.tools if tool.name == ask.forced_tool), ask.tools[0])
    return Reply(calls=[_call(chosen)], finish=Finish.TOOL)


def _tools(ask: Ask, number: int, key: KeyIdentity | None, scene: Scene) -> Reply:
    if ask.tool_result is not None or not ask.tools or ask.forced_tool is not None or not ask.parallel:
        return _tool(ask, number, key, scene)
    directed = [_directed(ask, direction) for direction in directions_in(ask.prompt)]
    return Reply(calls=directed or [_call(tool) for tool in ask.tools], finish=Finish.TOOL)


def _json(ask: Ask, number: int, key: KeyIdentity | None, scene: Scene) -> Reply:
    if not ask.output_schema:
        return Reply(text=_encode({"text": ask.prompt}))
    return Reply(text=_encode(_instance(ask.output_schema)))


def _cached(ask: Ask, number: int, key: KeyIdentity | None, scene: Scene) -> Reply:
    return Reply(
        text=ask.prompt, size=ask.prompt_tokens, cached=ask.input_tokens // 2, cache_written=ask.input_tokens // 4
    )


def _refuse(ask: Ask, number: int, key: KeyIdentity | None, scene: Scene) -> Reply:
    return Reply(finish=Finish.REFUSAL)


def _cut(ask: Ask, number: int, key: KeyIdentity | None, scene: Scene) -> Reply:
    return Reply(text=ask.prompt, size=ask.prompt_tokens, fault=Fault.CUT)


def _garbage(ask: Ask, number: int, key: KeyIdentity | None, scene: Scene) -> Reply:
    return Reply(text=ask.prompt, size=ask.prompt_tokens, fault=Fault.GARBAGE)


def _stream_error(ask: Ask, number: int, key: KeyIdentity | None, scene: Scene) -> Reply:
    problem = problem_for_status(500)
    if not ask.stream:
        raise Refused(problem)
    return Reply(text=ask.prompt, size=ask.prompt_tokens, fault=Fault.ERROR_EVENT, error_event=problem)


def _stream_echo_key(ask: Ask, number: int, key: KeyIdentity | None, scene: Scene) -> Reply:
    problem = Problem(status=500, type="server_error", message=f"Upstream refused the key {key.text if key else ''}.")
    if not ask.stream:
        raise Refused(problem)
    return Reply(text=ask.prompt, size=ask.prompt_tokens, fault=Fault.ERROR_EVENT, error_event=problem)


def _echo_key(ask: Ask, number: int, key: KeyIdentity | None, scene: Scene) -> Reply:
    text = key.text if key else ""
    message, head = f"Incorrect API key provided: {text}.", f"x-sandbox-echoed-key: {text}\r\n"
    raise Refused(Problem(status=401, message=message, code="invalid_api_key", head=head))


def _error(ask: Ask, number: int, key: KeyIdentity | None, scene: Scene) -> Reply:
    if not 400 <= number <= 599:
        return Reply(text=ask.prompt, size=ask.prompt_tokens)
    raise Refused(problem_for_status(number))


def _flaky(ask: Ask, number: int, key: KeyIdentity | None, scene: Scene) -> Reply:
    if number and scene.count_call(f"flaky-{number}") % number == 0:
        raise Refused(problem_for_status(500))
    return Reply(text=ask.prompt, size=ask.prompt_tokens)


_NAMED: dict[str, Behaviour] = {
    "echo": _echo,
    "tool": _tool,
    "tools": _tools,
    "json": _json,
    "cached": _cached,
    "refuse": _refuse,
    "cut": _cut,
    "garbage": _garbage,
    "stream-error": _stream_error,
    "stream-echo-key": _stream_echo_key,
    "error-echo-key": _echo_key,
}
_NUMBERED: dict[str, Behaviour] = {
    "lorem": _lorem,
    "think": _think,
    "slow": _slow,
    "error": _error,
    "flaky": _flaky,
}
_WITH_NUMBER = re.compile(r"([a-z]+)-([0-9]{1,7})")

MODEL_NAMES = (
    *("echo", "lorem-100", "think-20", "tool", "tools", "json", "cached", "refuse", "slow-1000", "flaky-3"),
    *("error-429", "error-500", "error-echo-key", "stream-error", "stream-echo-key", "cut", "garbage"),
)
"""The names shown in model lists; numbers may be changed at will."""


def last_segment(model: str) -> str:
    """`openrouter/openai/echo` → `echo`."""
    return model[model.rfind("/") + 1 :]


def _behaviour(name: str) -> tuple[Behaviour, int]:
    """What a model does, and the number in its name."""
    if name in _NAMED:
        return _NAMED[name], 0
    match = _WITH_NUMBER.fullmatch(name)
    if match and match[1] in _NUMBERED:
        return _NUMBERED[match[1]], int(match[2])
    return _echo, 0


def reply_to(ask: Ask, key: KeyIdentity | None, scene: Scene) -> Reply:
    """The reply of the model that `ask` names, within the limits it sets. Raises Refused."""
    behaviour, number = _behaviour(last_segment(ask.model))
    reply = behaviour(ask, number, key, scene)
    if ask.stop:
        _apply_stop(reply, ask.stop)
    if ask.max_tokens is not None:
        _apply_limit(reply, ask.max_tokens)
    return reply


def _apply_stop(reply: Reply, stops: Sequence[str]) -> None:
    found = [(at, stop) for stop in stops if stop and (at := reply.text.find(stop)) >= 0]
    if found:
        at, reply.stop_sequence = min(found)
        reply.cut_text(at)
        reply.finish = Finish.STOP_SEQUENCE


def _apply_limit(reply: Reply, limit: int) -> None:
    """Spend `limit` tokens on reasoning first, then on text, then on calls, as a model would."""
    if reply.output_tokens() <= limit:
        return
    reply.finish, reply.stop_sequence = Finish.LENGTH, None
    reply.thinking = reply.thinking[:limit]
    limit -= len(reply.thinking)
    pieces = reply.text_pieces()[:limit]
    reply.text, reply.pieces, reply.size = "".join(pieces), pieces, len(pieces)
    limit -= len(pieces)
    kept: list[Call] = []
    for call in reply.calls:
        if limit > 0:
            pieces = tokens.split(call.arguments)[:limit]
            kept.append(Call(call.name, "".join(pieces)))
            limit -= len(pieces)
    reply.calls = kept


def _call(tool: Tool) -> Call:
    return Call(tool.name, _encode(_instance({"type": "object", **tool.schema})))


def _directed(ask: Ask, direction: Direction) -> Call:
    if all(tool.name != direction.tool for tool in ask.tools):
        text = f"sandbox:call names the tool {direction.tool!r}, which this request does not offer."
        raise Refused(Problem(status=400, message=text, param="tools"))
    return Call(direction.tool, direction.arguments)


def _instance(schema: dict[str, Any]) -> Any:
    try:
        return minimal(schema)
    except Unsatisfiable as error:
        raise Refused(Problem(status=400, message=f"Invalid schema: {error}.", param="schema")) from error


def _encode(value: Any) -> str:
    return msgspec.json.encode(value).decode()
