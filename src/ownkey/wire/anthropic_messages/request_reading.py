"""A client's messages request into a Conversation."""

from typing import Any

from ownkey.domain.errors import InvalidRequest
from ownkey.domain.formats import WireFormat
from ownkey.wire.anthropic_messages import hosted
from ownkey.wire.anthropic_messages import request_shapes as shape
from ownkey.wire.anthropic_messages.thinking import unmarked
from ownkey.wire.fields import leftovers, media_type_of, object_text, read_request
from ownkey.wire.neutral import (
    CacheMark,
    Conversation,
    Document,
    HostedTool,
    Image,
    OutputFormat,
    Part,
    Reasoning,
    Sampling,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)

_KNOWN = frozenset(shape.MessagesRequest.__struct_fields__)
_REQUIRED = frozenset({"container", "mcp_servers", "inference_geo"})
"""Fields that change what the answer is or where it is made; every other unknown field is a hint."""


def read(body: dict[str, Any]) -> Conversation:
    asked = read_request(body | hosted.replaced(body.get("messages")), shape.MessagesRequest)
    required, hints = leftovers(body, _KNOWN, _REQUIRED)
    hints |= _hosted_blocks(asked)
    choice, parallel = _tool_choice(asked)
    system = asked.system or ()
    return Conversation(
        origin=WireFormat.ANTHROPIC_MESSAGES,
        system=(Text(system),) if isinstance(system, str) else tuple(map(_text, system)),
        turns=tuple(_turn(message, f"messages[{index}]") for index, message in enumerate(asked.messages)),
        tools=tuple(_tool(tool, f"tools[{index}]") for index, tool in enumerate(asked.tools or ()) if _own(tool)),
        hosted=_hosted(asked, required.pop("mcp_servers", None)),
        tool_choice=choice,
        parallel_tools=parallel,
        sampling=Sampling(temperature=asked.temperature, top_p=asked.top_p, top_k=asked.top_k),
        stop=tuple(asked.stop_sequences or ()),
        max_tokens=asked.max_tokens,
        output=_output(asked.output_config),
        thinking=_thinking(asked),
        stream=bool(asked.stream),
        include_usage=True,
        user=asked.metadata.user_id if asked.metadata is not None else None,
        required=required,
        hints=hints,
    )


def _hosted_blocks(asked: shape.MessagesRequest) -> dict[str, None]:
    """The blocks that are left out, as hints."""
    return {
        f"messages.content.{block.kind}": None
        for message in asked.messages
        if not isinstance(message.content, str)
        for block in message.content
        if isinstance(block, shape.HostedBlock)
    }


def _turn(message: shape.UserMessage | shape.AssistantMessage | shape.SystemMessage, where: str) -> Turn:
    role = message.__struct_config__.tag
    content = message.content
    parts: tuple[Part, ...]
    if isinstance(content, str):
        parts = (Text(content),)
    else:
        parts = tuple(
            _part(block, f"{where}.content[{index}]")
            for index, block in enumerate(content)
            if not isinstance(block, shape.HostedBlock)
        )
    return Turn("user" if role == "user" else "assistant" if role == "assistant" else "system", parts)


def _part(block: shape.UserBlock | shape.AssistantBlock, where: str) -> Part:
    if isinstance(block, shape.TextBlock):
        return _text(block)
    if isinstance(block, shape.ToolUseBlock):
        return ToolCall(block.id, block.name, object_text(block.input), _mark(block.cache_control))
    if isinstance(block, shape.ToolResultBlock):
        content = block.content or ()
        parts = (Text(content),) if isinstance(content, str) else tuple(_file(part, where) for part in content)
        return ToolResult(block.tool_use_id, parts, bool(block.is_error), _mark(block.cache_control))
    if isinstance(block, shape.ThinkingBlock):
        signature, format_ = unmarked(block.signature)
        return Reasoning(block.thinking, signature or None, format=format_)
    if isinstance(block, shape.RedactedThinkingBlock):
        data, format_ = unmarked(block.data)
        return Reasoning(redacted=data, format=format_)
    assert not isinstance(block, shape.HostedBlock)  # noqa: S101
    return _file(block, where)


def _text(block: shape.TextBlock) -> Text:
    return Text(block.text, _mark(block.cache_control))


def _file(block: shape.TextBlock | shape.ImageBlock | shape.DocumentBlock, where: str) -> Text | Image | Document:
    if isinstance(block, shape.TextBlock):
        return _text(block)
    mark = _mark(block.cache_control)
    source = block.source
    if isinstance(source, shape.UrlSource) and not source.url.startswith(("https://", "http://")):
        raise InvalidRequest(f"{where}.source.url must be an http or https URL.", param=f"{where}.source.url")
    if isinstance(block, shape.ImageBlock):
        if isinstance(block.source, shape.UrlSource):
            return Image(url=block.source.url, cache=mark)
        return Image(data=block.source.data, media_type=media_type_of(block.source.media_type), cache=mark)
    if isinstance(source, shape.UrlSource):
        return Document("application/pdf", url=source.url, name=block.title, cache=mark)
    if isinstance(source, shape.TextSource):
        return Document(source.media_type, text=source.data, name=block.title, cache=mark)
    return Document(media_type_of(source.media_type), data=source.data, name=block.title, cache=mark)


def _mark(control: shape.CacheControl | None) -> CacheMark | None:
    return CacheMark(control.ttl) if control is not None else None


def _own(tool: shape.ToolDefinition) -> bool:
    """Whether the tool is the client's. Every other type is one that Anthropic runs or defines itself."""
    return tool.type in (None, "custom")


def _hosted(asked: shape.MessagesRequest, servers: object) -> tuple[HostedTool, ...]:
    tools = [tool for tool in asked.tools or () if not _own(tool)]
    found = [HostedTool(tool.name or str(tool.type), f"tools.{tool.type}") for tool in tools]
    return (*found, HostedTool("mcp", "mcp_servers")) if servers else tuple(found)


def _tool(tool: shape.ToolDefinition, where: str) -> Tool:
    if not tool.name:
        raise InvalidRequest(f"{where}.name is missing.", param=f"{where}.name")
    if tool.input_schema is None:
        raise InvalidRequest(f"{where}.input_schema is missing.", param=f"{where}.input_schema")
    return Tool(tool.name, tool.description, tool.input_schema, tool.strict, _mark(tool.cache_control))


def _tool_choice(asked: shape.MessagesRequest) -> tuple[ToolChoice | None, bool | None]:
    """The choice, and whether parallel calls are allowed."""
    choice = asked.tool_choice
    if choice is None:
        return None, None
    if isinstance(choice, shape.NoChoice):
        return ToolChoice("none"), None
    parallel = None if choice.disable_parallel_tool_use is None else not choice.disable_parallel_tool_use
    if isinstance(choice, shape.ToolChoice):
        if any(tool.name == choice.name and not _own(tool) for tool in asked.tools or ()):
            return ToolChoice("tool", hosted=HostedTool(choice.name, "tool_choice.name")), parallel
        return ToolChoice("tool", choice.name), parallel
    return ToolChoice("any" if isinstance(choice, shape.AnyChoice) else "auto"), parallel


def _output(config: shape.OutputConfig | None) -> OutputFormat | None:
    """Anthropic always holds to the schema, which OpenAI calls strict."""
    if config is None or config.format is None:
        return None
    return OutputFormat(config.format.schema, strict=True)


def _thinking(asked: shape.MessagesRequest) -> Thinking:
    effort = asked.output_config.effort if asked.output_config is not None else None
    config = asked.thinking
    if config is None:
        return Thinking(effort)
    if config.type == "enabled" and config.budget_tokens is None:
        raise InvalidRequest("thinking.budget_tokens is missing.", param="thinking.budget_tokens")
    return Thinking(effort, config.budget_tokens, config.type, config.display)
