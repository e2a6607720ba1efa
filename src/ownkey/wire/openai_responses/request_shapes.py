"""The JSON of a responses request, as far as it is translated (openai.types.responses.response_create_params)."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from ownkey.wire.fields import Temperature, TokenLimit, Unit
from ownkey.wire.openai_chat.request_shapes import ExtraContent

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
Name = Annotated[str, Meta(min_length=1)]


class Breakpoint(Struct):
    ttl: str | None = None


class InputText(Struct, tag_field="type", tag="input_text"):
    text: str
    prompt_cache_breakpoint: Breakpoint | None = None


class OutputText(Struct, tag_field="type", tag="output_text"):
    text: str


class RefusalPart(Struct, tag_field="type", tag="refusal"):
    refusal: str


class InputImage(Struct, tag_field="type", tag="input_image"):
    image_url: str | None = None
    file_id: str | None = None
    detail: str | None = None
    prompt_cache_breakpoint: Breakpoint | None = None


class InputFile(Struct, tag_field="type", tag="input_file"):
    file_data: str | None = None
    file_url: str | None = None
    file_id: str | None = None
    filename: str | None = None
    prompt_cache_breakpoint: Breakpoint | None = None


class Message(Struct, tag_field="type", tag="message"):
    role: Literal["user", "assistant", "system", "developer"]
    content: str | list[InputText | OutputText | RefusalPart | InputImage | InputFile]


class FunctionCall(Struct, tag_field="type", tag="function_call"):
    call_id: str
    name: Name
    arguments: str = ""
    namespace: str | None = None
    extra_content: ExtraContent | None = None


class FunctionCallOutput(Struct, tag_field="type", tag="function_call_output"):
    call_id: str
    output: str | list[InputText | InputImage | InputFile]


class CustomCall(Struct, tag_field="type", tag="custom_tool_call"):
    call_id: str
    name: Name
    input: str = ""
    namespace: str | None = None
    extra_content: ExtraContent | None = None


class CustomCallOutput(FunctionCallOutput, tag_field="type", tag="custom_tool_call_output"):
    pass


class HostedItem(Struct, tag_field="type", tag="hosted"):
    """Stands for an item of a tool that OpenAI runs or defines itself."""

    kind: str


class ReasoningText(Struct):
    text: str


class ReasoningItem(Struct, tag_field="type", tag="reasoning"):
    summary: list[ReasoningText] | None = None
    content: list[ReasoningText] | None = None
    encrypted_content: str | None = None


OwnItem = Message | FunctionCall | FunctionCallOutput | CustomCall | CustomCallOutput | ReasoningItem
Item = OwnItem | HostedItem


class FunctionTool(Struct, tag_field="type", tag="function"):
    name: Name
    parameters: dict[str, Any] | None = None
    strict: bool | None = None
    description: str | None = None


class Grammar(Struct):
    """The format of a custom tool's input: text, or text that follows a grammar."""

    type: str
    syntax: str | None = None
    definition: str | None = None


class CustomTool(Struct, tag_field="type", tag="custom"):
    name: Name
    description: str | None = None
    format: Grammar | None = None


class NamespaceTool(Struct, tag_field="type", tag="namespace"):
    name: Name
    tools: list[FunctionTool | CustomTool]
    description: str | None = None


class HostedTool(Struct, tag_field="type", tag="hosted"):
    """Stands for the declaration of a tool that OpenAI runs or defines itself."""

    kind: str


class NamedFunction(Struct, tag_field="type", tag="function"):
    name: Name


class NamedCustom(NamedFunction, tag_field="type", tag="custom"):
    pass


class AllowedTools(Struct, tag_field="type", tag="allowed_tools"):
    mode: Literal["auto", "required"]
    tools: list[NamedFunction | NamedCustom | HostedTool]


class TextFormat(Struct, tag_field="type", tag="text"):
    pass


class JsonObjectFormat(Struct, tag_field="type", tag="json_object"):
    pass


class JsonSchemaFormat(Struct, tag_field="type", tag="json_schema"):
    name: str
    schema: dict[str, Any]
    description: str | None = None
    strict: bool | None = None


class TextConfig(Struct):
    format: TextFormat | JsonObjectFormat | JsonSchemaFormat | None = None
    verbosity: str | None = None


class ReasoningAsked(Struct):
    """`generate_summary` is the outdated name of `summary`."""

    effort: Effort | None = None
    summary: str | None = None
    generate_summary: str | None = None
    mode: str | None = None
    context: str | None = None


class StreamOptions(Struct):
    """Padding against guesses from the size of packets; nothing of it is translated."""

    include_obfuscation: bool | None = None


class ResponsesRequest(Struct):
    """`store`, `metadata` and `stream_options` are the gateway's own affair and not a provider's."""

    model: str = ""
    input: str | list[Item] | None = None
    instructions: str | None = None
    max_output_tokens: TokenLimit | None = None
    temperature: Temperature | None = None
    top_p: Unit | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    tools: list[FunctionTool | CustomTool | NamespaceTool | HostedTool] | None = None
    tool_choice: (
        Literal["none", "auto", "required"] | NamedFunction | NamedCustom | AllowedTools | HostedTool | None
    ) = None
    parallel_tool_calls: bool | None = None
    text: TextConfig | None = None
    reasoning: ReasoningAsked | None = None
    include: list[str] | None = None
    truncation: Literal["auto", "disabled"] | None = None
    background: bool | None = None
    store: bool | None = None
    metadata: dict[str, str] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    user: str | None = None
    safety_identifier: str | None = None
