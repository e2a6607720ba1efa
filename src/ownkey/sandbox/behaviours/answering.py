"""Models that answer: with an echo, filler, reasoning, structured output, or calls of tools."""

import msgspec

from ownkey.sandbox import tokens
from ownkey.sandbox.behaviours.invocation import Behaviour, Directive, Invocation, directives_in, echo
from ownkey.sandbox.chat import LONGEST, Call, ChatRequest, Finish, Reply, Tool
from ownkey.sandbox.errors import Problem, Refused
from ownkey.sandbox.schema import instance_of


def _lorem(invocation: Invocation) -> Reply:
    pieces = tokens.lorem(min(invocation.number, LONGEST))
    return Reply(text="".join(pieces), pieces=pieces)


def _think(invocation: Invocation) -> Reply:
    reply = echo(invocation)
    reply.thinking = tokens.lorem(min(invocation.number, LONGEST))
    return reply


def _reason(invocation: Invocation) -> Reply:
    """As `think`, in the field that OpenRouter and Groq use."""
    reply = _think(invocation)
    reply.reasoning_field = "reasoning"
    return reply


def _slow(invocation: Invocation) -> Reply:
    reply = echo(invocation)
    reply.delay = invocation.number / 1000
    return reply


def _chunk(invocation: Invocation) -> Reply:
    reply = echo(invocation)
    reply.chunk = max(invocation.number, 1)
    return reply


def _json(invocation: Invocation) -> Reply:
    schema = invocation.chat.output_schema
    value = instance_of(schema) if schema else {"text": invocation.chat.prompt}
    return Reply(text=msgspec.json.encode(value).decode())


def _cached(invocation: Invocation) -> Reply:
    reply = echo(invocation)
    reply.cached, reply.cache_written = invocation.chat.input_tokens // 2, invocation.chat.input_tokens // 4
    return reply


def _empty(invocation: Invocation) -> Reply:
    return Reply()


def _refuse(invocation: Invocation) -> Reply:
    return Reply(finish=Finish.REFUSAL)


def _filter(invocation: Invocation) -> Reply:
    """The vendor's filter steps in when half of the answer is written."""
    pieces = tokens.split(invocation.chat.prompt)
    pieces = pieces[: len(pieces) // 2]
    return Reply(text="".join(pieces), pieces=pieces, finish=Finish.REFUSAL)


def _filter_prompt(invocation: Invocation) -> Reply:
    """As Azure OpenAI refuses a prompt."""
    if invocation.number != 400:
        return _filter(invocation)
    text = (
        "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please "
        "modify your prompt and retry."
    )
    raise Refused(Problem(status=400, message=text, code="content_filter", param="prompt"))


def _tool(invocation: Invocation) -> Reply:
    chat = invocation.chat
    if chat.tool_result is not None:
        return Reply(text=chat.tool_result)
    if not chat.tools:
        return echo(invocation)
    directives = directives_in(chat.prompt)
    if directives and chat.forced_tool is None:
        return Reply(calls=[_directed(chat, directives[0])], finish=Finish.TOOL)
    chosen = next((tool for tool in chat.tools if tool.name == chat.forced_tool), chat.tools[0])
    return Reply(calls=[_call(chosen)], finish=Finish.TOOL)


def _tools(invocation: Invocation) -> Reply:
    chat = invocation.chat
    if chat.tool_result is not None or not chat.tools or chat.forced_tool is not None or not chat.parallel:
        return _tool(invocation)
    directed = [_directed(chat, directive) for directive in directives_in(chat.prompt)]
    return Reply(calls=directed or [_call(tool) for tool in chat.tools], finish=Finish.TOOL)


def _call(tool: Tool) -> Call:
    return Call(tool.name, msgspec.json.encode(instance_of({"type": "object", **tool.schema})).decode())


def _directed(chat: ChatRequest, directive: Directive) -> Call:
    if all(tool.name != directive.tool for tool in chat.tools):
        text = f"sandbox:call names the tool {directive.tool!r}, which this request does not offer."
        raise Refused(Problem(status=400, message=text, param="tools"))
    return Call(directive.tool, directive.arguments)


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
    ("tool", 0): _tool,
    ("tools", 0): _tools,
}
"""By the word in the name and how many numbers follow it."""
