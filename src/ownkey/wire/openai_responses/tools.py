"""The tools of a responses request, and the choice among them, read into the neutral model."""

from collections.abc import Sequence

from ownkey.wire.neutral import Freeform, HostedTool, Tool, ToolChoice
from ownkey.wire.openai_responses import request_shapes as shape

_Declared = shape.FunctionTool | shape.CustomTool | shape.NamespaceTool | shape.HostedTool
_Choice = str | shape.NamedFunction | shape.AllowedTools | shape.HostedTool | None


def functions(tool: _Declared, namespace: str | None = None) -> list[Tool]:
    """The client's own tools in one declaration."""
    if isinstance(tool, shape.FunctionTool):
        return [Tool(tool.name, tool.description, tool.parameters, tool.strict, namespace=namespace)]
    if isinstance(tool, shape.CustomTool):
        grammar = tool.format
        freeform = Freeform(grammar.syntax, grammar.definition) if grammar is not None else Freeform()
        return [Tool(tool.name, tool.description, freeform=freeform, namespace=namespace)]
    if isinstance(tool, shape.NamespaceTool):
        return [each for inner in tool.tools for each in functions(inner, tool.name)]
    return []


def hosted_of(declared: Sequence[_Declared]) -> tuple[HostedTool, ...]:
    return tuple(HostedTool(tool.kind, f"tools.{tool.kind}") for tool in declared if isinstance(tool, shape.HostedTool))


def choice(asked: _Choice) -> ToolChoice | None:
    """A hosted tool among the allowed ones is left out, as its declaration is."""
    if asked is None:
        return None
    if isinstance(asked, shape.HostedTool):
        return ToolChoice("tool", hosted=HostedTool(asked.kind, "tool_choice.type"))
    if isinstance(asked, shape.NamedFunction):
        return ToolChoice("tool", asked.name)
    if isinstance(asked, shape.AllowedTools):
        names = tuple(tool.name for tool in asked.tools if isinstance(tool, shape.NamedFunction))
        return ToolChoice("any" if asked.mode == "required" else "auto", allowed=names)
    match asked:
        case "required":
            return ToolChoice("any")
        case "none":
            return ToolChoice("none")
        case _:
            return ToolChoice("auto")
