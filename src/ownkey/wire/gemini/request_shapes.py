"""The JSON of a generateContent request, as far as it is translated (google.genai.types, in Google's spelling).

Fields typed `Any` are read only to be named: Google alone has what they ask for.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from ownkey.wire.fields import Temperature, TokenLimit, Unit

Name = Annotated[str, Meta(min_length=1)]
Penalty = Annotated[float, Meta(ge=-2, le=2)]


class Blob(Struct, rename="camel"):
    """`data` is base64 in either alphabet."""

    data: str
    mime_type: Name
    display_name: str | None = None


class FileData(Struct, rename="camel"):
    file_uri: Name
    mime_type: str | None = None
    display_name: str | None = None


class FunctionCall(Struct, rename="camel"):
    name: Name
    args: dict[str, Any] | None = None
    id: str | None = None


class FunctionResponsePart(Struct, rename="camel"):
    inline_data: Blob | None = None
    file_data: FileData | None = None


class FunctionResponse(Struct, rename="camel"):
    name: Name
    response: dict[str, Any] | None = None
    id: str | None = None
    parts: list[FunctionResponsePart] | None = None


class Part(Struct, rename="camel"):
    text: str | None = None
    thought: bool | None = None
    thought_signature: str | None = None
    inline_data: Blob | None = None
    file_data: FileData | None = None
    function_call: FunctionCall | None = None
    function_response: FunctionResponse | None = None
    executable_code: Any = None
    code_execution_result: Any = None
    tool_call: Any = None
    tool_response: Any = None
    video_metadata: Any = None
    media_resolution: Any = None
    part_metadata: Any = None


class Content(Struct, rename="camel"):
    """A missing role is the user's."""

    parts: list[Part] | None = None
    role: str | None = None


class FunctionDeclaration(Struct, rename="camel"):
    """`parameters` is a Schema, `parameters_json_schema` JSON Schema."""

    name: Name
    description: str | None = None
    parameters: dict[str, Any] | None = None
    parameters_json_schema: dict[str, Any] | None = None
    response: Any = None
    response_json_schema: Any = None
    behavior: Any = None


class FunctionTool(Struct, rename="camel"):
    """An entry of `tools`, as far as it holds functions of the client's."""

    function_declarations: list[FunctionDeclaration] | None = None


class FunctionCallingConfig(Struct, rename="camel"):
    mode: str | None = None
    allowed_function_names: list[Name] | None = None


class ToolConfig(Struct, rename="camel"):
    function_calling_config: FunctionCallingConfig | None = None
    retrieval_config: Any = None
    include_server_side_tool_invocations: Any = None


class ThinkingConfig(Struct, rename="camel"):
    """`thinking_budget` is in tokens; 0 is none, -1 leaves it to the model."""

    include_thoughts: bool | None = None
    thinking_budget: Annotated[int, Meta(ge=-1, le=10_000_000)] | None = None
    thinking_level: str | None = None


class GenerationConfig(Struct, rename="camel"):
    temperature: Temperature | None = None
    top_p: Unit | None = None
    top_k: Annotated[float, Meta(ge=0, le=1_000_000)] | None = None
    candidate_count: Annotated[int, Meta(ge=1, le=128)] | None = None
    max_output_tokens: TokenLimit | None = None
    stop_sequences: list[str] | None = None
    seed: int | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    response_mime_type: str | None = None
    response_schema: dict[str, Any] | None = None
    response_json_schema: dict[str, Any] | None = None
    response_modalities: list[str] | None = None
    thinking_config: ThinkingConfig | None = None


class SafetySetting(Struct):
    category: str | None = None
    threshold: str | None = None


Role = Literal["user", "assistant"]


class GenerateContentRequest(Struct, rename="camel"):
    contents: Annotated[list[Content], Meta(min_length=1)]
    system_instruction: Content | None = None
    tools: list[dict[str, Any]] | None = None
    tool_config: ToolConfig | None = None
    generation_config: GenerationConfig | None = None
    safety_settings: list[SafetySetting] | None = None
    model: str | None = None
