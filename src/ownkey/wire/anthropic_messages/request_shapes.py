"""The JSON of a messages request, as far as it is translated (anthropic.types.message_create_params).

`temperature`, `top_p` and `top_k` are fields of version 2023-06-01 that newer ones dropped.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from ownkey.wire.fields import MAX_TOKENS, Unit

Name = Annotated[str, Meta(min_length=1)]
TokenLimit = Annotated[int, Meta(ge=0, le=MAX_TOKENS)]
"""0 is legal: it fills the prompt cache and answers nothing."""


class CacheControl(Struct):
    type: Literal["ephemeral"] = "ephemeral"
    ttl: str | None = None


class TextBlock(Struct, tag_field="type", tag="text"):
    text: str
    cache_control: CacheControl | None = None


class Base64Source(Struct, tag_field="type", tag="base64"):
    data: str
    media_type: str


class UrlSource(Struct, tag_field="type", tag="url"):
    url: str


class TextSource(Struct, tag_field="type", tag="text"):
    data: str
    media_type: str = "text/plain"


class ImageBlock(Struct, tag_field="type", tag="image"):
    source: Base64Source | UrlSource
    cache_control: CacheControl | None = None


class DocumentBlock(Struct, tag_field="type", tag="document"):
    source: Base64Source | UrlSource | TextSource
    title: str | None = None
    cache_control: CacheControl | None = None


class ThinkingBlock(Struct, tag_field="type", tag="thinking"):
    thinking: str
    signature: str = ""


class RedactedThinkingBlock(Struct, tag_field="type", tag="redacted_thinking"):
    data: str


class ToolUseBlock(Struct, tag_field="type", tag="tool_use"):
    id: str
    name: Name
    input: dict[str, Any]
    cache_control: CacheControl | None = None


class ToolResultBlock(Struct, tag_field="type", tag="tool_result"):
    tool_use_id: str
    content: str | list[TextBlock | ImageBlock | DocumentBlock] | None = None
    is_error: bool | None = None
    cache_control: CacheControl | None = None


class HostedBlock(Struct, tag_field="type", tag="hosted"):
    """Stands for a block of a tool that Anthropic runs itself."""

    kind: str


UserBlock = TextBlock | ImageBlock | DocumentBlock | ToolResultBlock | HostedBlock
AssistantBlock = TextBlock | ThinkingBlock | RedactedThinkingBlock | ToolUseBlock | HostedBlock


class UserMessage(Struct, tag_field="role", tag="user"):
    content: str | list[UserBlock]


class AssistantMessage(Struct, tag_field="role", tag="assistant"):
    content: str | list[AssistantBlock]


class SystemMessage(Struct, tag_field="role", tag="system"):
    content: str | list[TextBlock]


class ToolDefinition(Struct):
    """A tool of the client's. Anthropic's own tools have another `type` and no schema, its MCP toolsets no name."""

    name: str = ""
    type: str | None = None
    description: str | None = None
    input_schema: dict[str, Any] | None = None
    strict: bool | None = None
    cache_control: CacheControl | None = None


class AutoChoice(Struct, tag_field="type", tag="auto"):
    disable_parallel_tool_use: bool | None = None


class AnyChoice(Struct, tag_field="type", tag="any"):
    disable_parallel_tool_use: bool | None = None


class ToolChoice(Struct, tag_field="type", tag="tool"):
    name: Name
    disable_parallel_tool_use: bool | None = None


class NoChoice(Struct, tag_field="type", tag="none"):
    pass


class SchemaFormat(Struct, tag_field="type", tag="json_schema"):
    schema: dict[str, Any]


class OutputConfig(Struct):
    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None
    format: SchemaFormat | None = None


class ThinkingConfig(Struct):
    type: Literal["enabled", "disabled", "adaptive", "between_tools"]
    budget_tokens: Annotated[int, Meta(ge=1, le=10_000_000)] | None = None
    display: str | None = None


class Metadata(Struct):
    user_id: str | None = None


class MessagesRequest(Struct):
    messages: Annotated[list[UserMessage | AssistantMessage | SystemMessage], Meta(min_length=1)]
    max_tokens: TokenLimit
    model: str = ""
    metadata: Metadata | None = None
    output_config: OutputConfig | None = None
    stop_sequences: list[str] | None = None
    stream: bool | None = None
    system: str | list[TextBlock] | None = None
    temperature: Unit | None = None
    thinking: ThinkingConfig | None = None
    tool_choice: AutoChoice | AnyChoice | ToolChoice | NoChoice | None = None
    tools: list[ToolDefinition] | None = None
    top_k: Annotated[int, Meta(ge=0, le=1_000_000)] | None = None
    top_p: Unit | None = None
