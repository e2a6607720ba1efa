"""The JSON of a chat completion request, as far as it is translated (openai.types.chat.completion_create_params).

Extensions that clients use are included: `top_k`, `cache_control` on parts, `thinking` (Anthropic's
compatible surface), `reasoning` and `reasoning_details` (OpenRouter), `reasoning_content` (DeepSeek).
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from ownkey.wire.fields import Temperature, TokenLimit, Unit

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
Name = Annotated[str, Meta(min_length=1)]
Penalty = Annotated[float, Meta(ge=-2, le=2)]


class CacheControl(Struct):
    ttl: str | None = None


class TextPart(Struct, tag_field="type", tag="text"):
    text: str
    cache_control: CacheControl | None = None
    prompt_cache_breakpoint: CacheControl | None = None


class ImageUrl(Struct):
    url: str
    detail: str | None = None


class ImagePart(Struct, tag_field="type", tag="image_url"):
    image_url: ImageUrl
    cache_control: CacheControl | None = None
    prompt_cache_breakpoint: CacheControl | None = None


class File(Struct):
    file_data: str | None = None
    file_id: str | None = None
    filename: str | None = None


class FilePart(Struct, tag_field="type", tag="file"):
    file: File
    cache_control: CacheControl | None = None
    prompt_cache_breakpoint: CacheControl | None = None


class RefusalPart(Struct, tag_field="type", tag="refusal"):
    refusal: str


class ReasoningDetail(Struct):
    """One entry of OpenRouter's `reasoning_details`."""

    type: str = ""
    text: str | None = None
    summary: str | None = None
    data: str | None = None
    signature: str | None = None
    format: str | None = None
    index: int | None = None


class Function(Struct):
    name: Name
    arguments: str = ""


class GoogleExtra(Struct):
    thought_signature: str | None = None


class ExtraContent(Struct):
    """Where Google's compatible surface puts what only Gemini has."""

    google: GoogleExtra | None = None


class FunctionCall(Struct, tag_field="type", tag="function"):
    id: str
    function: Function
    extra_content: ExtraContent | None = None


class CustomInput(Struct):
    name: Name
    input: str = ""


class CustomCall(Struct, tag_field="type", tag="custom"):
    id: str
    custom: CustomInput
    extra_content: ExtraContent | None = None


class SystemMessage(Struct, tag_field="role", tag="system"):
    content: str | list[TextPart]
    name: str | None = None


class DeveloperMessage(SystemMessage, tag_field="role", tag="developer"):
    pass


class UserMessage(Struct, tag_field="role", tag="user"):
    content: str | list[TextPart | ImagePart | FilePart]
    name: str | None = None


class AssistantMessage(Struct, tag_field="role", tag="assistant"):
    content: str | list[TextPart | RefusalPart] | None = None
    refusal: str | None = None
    name: str | None = None
    tool_calls: list[FunctionCall | CustomCall] | None = None
    function_call: Any = None
    audio: Any = None
    reasoning: str | None = None
    reasoning_content: str | None = None
    reasoning_details: list[ReasoningDetail] | None = None


class ToolMessage(Struct, tag_field="role", tag="tool"):
    tool_call_id: str
    content: str | list[TextPart | ImagePart | FilePart]


Message = SystemMessage | DeveloperMessage | UserMessage | AssistantMessage | ToolMessage


class FunctionDefinition(Struct):
    name: Name
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class FunctionTool(Struct, tag_field="type", tag="function"):
    function: FunctionDefinition
    cache_control: CacheControl | None = None


class Grammar(Struct):
    syntax: str | None = None
    definition: str | None = None


class CustomFormat(Struct):
    """The format of a custom tool's input: text, or text that follows a grammar."""

    type: str
    grammar: Grammar | None = None


class CustomDefinition(Struct):
    name: Name
    description: str | None = None
    format: CustomFormat | None = None


class CustomTool(Struct, tag_field="type", tag="custom"):
    custom: CustomDefinition
    cache_control: CacheControl | None = None


class Named(Struct):
    name: Name


class NamedFunction(Struct, tag_field="type", tag="function"):
    function: Named


class NamedCustom(Struct, tag_field="type", tag="custom"):
    custom: Named


class AllowedFunctions(Struct):
    mode: Literal["auto", "required"]
    tools: list[NamedFunction | NamedCustom]


class AllowedTools(Struct, tag_field="type", tag="allowed_tools"):
    allowed_tools: AllowedFunctions


class JsonSchema(Struct):
    name: str
    schema: dict[str, Any] | None = None
    description: str | None = None
    strict: bool | None = None


class TextFormat(Struct, tag_field="type", tag="text"):
    pass


class JsonObjectFormat(Struct, tag_field="type", tag="json_object"):
    pass


class JsonSchemaFormat(Struct, tag_field="type", tag="json_schema"):
    json_schema: JsonSchema


class StreamOptions(Struct):
    include_usage: bool | None = None


class ReasoningAsked(Struct):
    """OpenRouter's `reasoning` object."""

    effort: Effort | None = None
    max_tokens: TokenLimit | None = None
    enabled: bool | None = None


class ThinkingAsked(Struct):
    """Anthropic's `thinking` object."""

    type: Literal["enabled", "disabled", "adaptive"]
    budget_tokens: TokenLimit | None = None


class ChatRequest(Struct):
    messages: Annotated[list[Message], Meta(min_length=1)]
    model: str = ""
    frequency_penalty: Penalty | None = None
    presence_penalty: Penalty | None = None
    logit_bias: dict[str, float] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    max_tokens: TokenLimit | None = None
    max_completion_tokens: TokenLimit | None = None
    modalities: list[str] | None = None
    n: Annotated[int, Meta(ge=1, le=128)] | None = None
    parallel_tool_calls: bool | None = None
    reasoning_effort: Effort | None = None
    reasoning: ReasoningAsked | None = None
    thinking: ThinkingAsked | None = None
    response_format: TextFormat | JsonObjectFormat | JsonSchemaFormat | None = None
    safety_identifier: str | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: Temperature | None = None
    tool_choice: Literal["none", "auto", "required"] | NamedFunction | NamedCustom | AllowedTools | None = None
    tools: list[FunctionTool | CustomTool] | None = None
    top_k: Annotated[int, Meta(ge=0, le=1_000_000)] | None = None
    top_p: Unit | None = None
    user: str | None = None
