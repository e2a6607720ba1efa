"""Models that call tools, as directed by the user's text or the first ones they are offered."""

import msgspec

from ownkey.sandbox.behaviours.instances import instance_of
from ownkey.sandbox.directions import Direction, directions_in
from ownkey.sandbox.errors import Problem, Refused
from ownkey.sandbox.scene import Behaviour, Cue, echo
from ownkey.sandbox.turn import Ask, Call, Finish, Reply, Tool


def _tool(cue: Cue) -> Reply:
    ask = cue.ask
    if ask.tool_result is not None:
        return Reply(text=ask.tool_result)
    if not ask.tools:
        return echo(cue)
    directions = directions_in(ask.prompt)
    if directions and ask.forced_tool is None:
        return Reply(calls=[_directed(ask, directions[0])], finish=Finish.TOOL)
    chosen = next((tool for tool in ask.tools if tool.name == ask.forced_tool), ask.tools[0])
    return Reply(calls=[_call(chosen)], finish=Finish.TOOL)


def _tools(cue: Cue) -> Reply:
    ask = cue.ask
    if ask.tool_result is not None or not ask.tools or ask.forced_tool is not None or not ask.parallel:
        return _tool(cue)
    directed = [_directed(ask, direction) for direction in directions_in(ask.prompt)]
    return Reply(calls=directed or [_call(tool) for tool in ask.tools], finish=Finish.TOOL)


def _call(tool: Tool) -> Call:
    return Call(tool.name, msgspec.json.encode(instance_of({"type": "object", **tool.schema})).decode())


def _directed(ask: Ask, direction: Direction) -> Call:
    if all(tool.name != direction.tool for tool in ask.tools):
        text = f"sandbox:call names the tool {direction.tool!r}, which this request does not offer."
        raise Refused(Problem(status=400, message=text, param="tools"))
    return Call(direction.tool, direction.arguments)


BEHAVIOURS: dict[tuple[str, int], Behaviour] = {("tool", 0): _tool, ("tools", 0): _tools}
