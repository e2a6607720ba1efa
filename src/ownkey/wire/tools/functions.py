"""A conversation whose tools are functions that the target knows.

Free-form tools become functions with one text field, the tools of a namespace functions with the namespace in their
name, and a name that the target refuses one that it takes. What the target has nothing for is left out when it is
merely offered, and refused when it is demanded.
"""

from collections.abc import Sequence

from msgspec import Struct, structs

from ownkey.wire.fields import unsupported
from ownkey.wire.neutral import Conversation, Part, Tool, ToolCall, ToolChoice, Turn
from ownkey.wire.tools.freeform import as_arguments, as_function
from ownkey.wire.tools.names import NameRule, fitting
from ownkey.wire.tools.restoring import Called, Restoring


class ToolRules(Struct, frozen=True):
    """What a target knows of tools."""

    names: NameRule
    allowed_tools: bool = False
    """Whether a choice may name the tools that it allows."""
    one_call: bool = True
    """Whether it can be told to call one tool at a time."""


class Fitted(Struct, frozen=True):
    """`adapted` names what was changed or left out, in the words of the client's format or of OpenAI's chat."""

    conversation: Conversation
    adapted: tuple[str, ...] = ()
    restoring: Restoring | None = None


def fit_tools(conversation: Conversation, rules: ToolRules) -> Fitted:
    """Raises UnsupportedField for a tool that is forced and that the target does not have."""
    adapted: list[str] = []
    conversation = _without_hosted(conversation, adapted)
    conversation = _narrowed(conversation, rules, adapted)
    conversation, one_call = _one_call(conversation, rules, adapted)
    names = _sent_names(conversation, rules)
    if names is None:
        restoring = Restoring({}, one_call=True) if one_call else None
        return Fitted(conversation, tuple(adapted), restoring)
    return _renamed(conversation, names, adapted, one_call=one_call)


def _without_hosted(conversation: Conversation, adapted: list[str]) -> Conversation:
    """Without the tools that the vendor of the client's format runs: an answer that used one cannot be translated."""
    choice = conversation.tool_choice
    if choice is not None and choice.hosted is not None:
        forced = choice.hosted
        raise unsupported(forced.field, f"forces {forced.kind!r}, a tool that the chosen provider does not run.")
    if not conversation.hosted:
        return conversation
    if choice is not None and choice.mode == "any" and not conversation.tools:
        kinds = ", ".join(tool.kind for tool in conversation.hosted)
        raise unsupported("tool_choice", f"forces a tool, and the chosen provider runs none of those offered: {kinds}.")
    adapted += [tool.field for tool in conversation.hosted]
    return structs.replace(conversation, hosted=(), tool_choice=choice if conversation.tools else None)


def _narrowed(conversation: Conversation, rules: ToolRules, adapted: list[str]) -> Conversation:
    """Where the target knows no list of allowed tools, only those are offered."""
    choice = conversation.tool_choice
    if choice is None or choice.allowed is None or rules.allowed_tools:
        return conversation
    allowed = set(choice.allowed)
    tools = tuple(tool for tool in conversation.tools if tool.name in allowed)
    if not tools and choice.mode == "any":
        raise unsupported("tool_choice", "forces one of the allowed tools, and none of them is among `tools`.")
    adapted.append("tool_choice.allowed_tools")
    narrowed = ToolChoice(choice.mode) if tools else None
    return structs.replace(conversation, tools=tools, tool_choice=narrowed)


def _one_call(conversation: Conversation, rules: ToolRules, adapted: list[str]) -> tuple[Conversation, bool]:
    """Whether further calls of an answer must be held back, as the target cannot be told to call one at a time."""
    if conversation.parallel_tools is not False or rules.one_call:
        return conversation, False
    calls = bool(conversation.tools) and (conversation.tool_choice is None or conversation.tool_choice.mode != "none")
    if calls:
        adapted.append("parallel_tool_calls")
    return structs.replace(conversation, parallel_tools=None), calls


Key = tuple[str | None, str]
"""A tool's namespace and name."""


def _sent_names(conversation: Conversation, rules: ToolRules) -> dict[Key, str] | None:
    """The names to send, None where every tool is a function whose name the target takes."""
    keys = dict.fromkeys((tool.namespace, tool.name) for tool in conversation.tools)
    plain = not any(tool.freeform is not None for tool in conversation.tools)
    for turn in conversation.turns:
        for part in turn.parts:
            if isinstance(part, ToolCall):
                keys[part.namespace, part.name] = None
                plain = plain and not part.freeform
    if plain and all(namespace is None and rules.names.accepts(name) for namespace, name in keys):
        return None
    return _distinct(list(keys), rules.names)


def _distinct(keys: Sequence[Key], rule: NameRule) -> dict[Key, str]:
    """A name for each tool that no other has, whichever namespaces they are in."""
    bare = {name for namespace, name in keys if namespace is None}
    whole: dict[Key, str] = {}
    for namespace, name in keys:
        joined = name if namespace is None else f"{namespace}__{name}"
        if namespace is not None and joined in bare:
            # A line end is in no rule, so that this name is shortened and gets a digest.
            joined = f"{namespace}\n{name}"
        whole[namespace, name] = joined
    sent = fitting(whole.values(), rule)
    return {key: sent[joined] for key, joined in whole.items()}


def _renamed(conversation: Conversation, names: dict[Key, str], adapted: list[str], *, one_call: bool) -> Fitted:
    called: dict[str, Called] = {}
    tools: list[Tool] = []
    for tool in conversation.tools:
        name = names[tool.namespace, tool.name]
        if tool.freeform is not None:
            adapted.append("tools.custom")
        if tool.namespace is not None:
            adapted.append("tools.namespace")
        elif name != tool.name:
            adapted.append("tools.name")
        if name != tool.name or tool.freeform is not None:
            called[name] = Called(tool.name, tool.namespace, tool.freeform is not None)
        function = as_function(tool, tool.freeform) if tool.freeform is not None else tool
        tools.append(structs.replace(function, name=name, namespace=None))
    choice = conversation.tool_choice
    if choice is not None:
        # A bare name means the tool without a namespace, if there is one.
        by_rank = sorted(conversation.tools, key=lambda tool: tool.namespace is None)
        by_name = {tool.name: names[tool.namespace, tool.name] for tool in by_rank}
        allowed = choice.allowed and tuple(by_name.get(name, name) for name in choice.allowed)
        choice = structs.replace(choice, name=choice.name and by_name.get(choice.name, choice.name), allowed=allowed)
    turns = tuple(_turn(turn, names) for turn in conversation.turns)
    fitted = structs.replace(conversation, tools=tuple(tools), tool_choice=choice, turns=turns)
    restoring = Restoring(called, one_call) if called or one_call else None
    return Fitted(fitted, tuple(dict.fromkeys(adapted)), restoring)


def _turn(turn: Turn, names: dict[Key, str]) -> Turn:
    if not any(isinstance(part, ToolCall) for part in turn.parts):
        return turn
    return structs.replace(turn, parts=tuple(_part(part, names) for part in turn.parts))


def _part(part: Part, names: dict[Key, str]) -> Part:
    if not isinstance(part, ToolCall):
        return part
    arguments = as_arguments(part.arguments) if part.freeform else part.arguments
    name = names[part.namespace, part.name]
    return structs.replace(part, name=name, arguments=arguments, freeform=False, namespace=None)
