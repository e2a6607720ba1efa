"""The JSON of Gemini's requests as far as the sandbox reads it, and the rules that Google holds it to.

Field names may be in camel or in snake case; Google's own SDK mixes them.
"""

import re
from typing import Any, TypeVar, cast

import msgspec
from msgspec import Struct

from ownkey.sandbox import tokens
from ownkey.sandbox.reading import invalid, read_json

Read = TypeVar("Read")

_OPAQUE = frozenset({"args", "response", "parametersJsonSchema", "responseJsonSchema"})
_UNDERSCORE = re.compile(r"(?<=[a-z0-9])_([a-z0-9])")
_ANY = msgspec.json.Decoder(dict[str, Any])


def read_spelled(body: bytes, decoder: "msgspec.json.Decoder[Read]") -> Read:
    """The body as the decoder's type. Raises Refused."""
    return read_json(msgspec.json.encode(_camel(read_json(body, _ANY))), decoder)


def _camel(value: Any, maps_names: bool = False) -> Any:
    if isinstance(value, list):
        return [_camel(inner) for inner in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    found: dict[str, Any] = {}
    for given, inner in cast("dict[str, Any]", value).items():
        name = given if maps_names else _UNDERSCORE.sub(lambda match: match[1].upper(), given)
        found[name] = inner if name in _OPAQUE else _camel(inner, maps_names=name == "properties")
    return found


class FunctionCall(Struct):
    name: str
    args: dict[str, Any] | None = None
    id: str | None = None


class FunctionResponse(Struct):
    name: str
    response: dict[str, Any] | None = None
    id: str | None = None


class Part(Struct, rename="camel"):
    """A part of any kind, with the fields that are read."""

    text: str | None = None
    thought: bool | None = None
    thought_signature: str | None = None
    inline_data: dict[str, Any] | None = None
    file_data: dict[str, Any] | None = None
    function_call: FunctionCall | None = None
    function_response: FunctionResponse | None = None


class Content(Struct):
    parts: list[Part] | None = None
    role: str | None = None


class Function(Struct, rename="camel"):
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    parameters_json_schema: dict[str, Any] | None = None


class ToolEntry(Struct, rename="camel"):
    function_declarations: list[Function] | None = None


class Calling(Struct, rename="camel"):
    mode: str | None = None
    allowed_function_names: list[str] | None = None


class ToolConfig(Struct, rename="camel"):
    function_calling_config: Calling | None = None


class GenerationConfig(Struct, rename="camel"):
    temperature: float | None = None
    top_p: float | None = None
    candidate_count: int | None = None
    max_output_tokens: int | None = None
    stop_sequences: list[str] | None = None
    response_mime_type: str | None = None
    response_schema: dict[str, Any] | None = None
    response_json_schema: dict[str, Any] | None = None


class Body(Struct, rename="camel"):
    """The fields of a request that are read; others are passed over."""

    contents: list[Content] | None = None
    system_instruction: Content | None = None
    tools: list[ToolEntry] | None = None
    tool_config: ToolConfig | None = None
    generation_config: GenerationConfig | None = None


class CountBody(Body, rename="camel"):
    """The body of a countTokens: `contents` alone, or a whole request that names the model again."""

    generate_content_request: "WholeRequest | None" = None


class WholeRequest(Body, rename="camel"):
    model: str | None = None


class Conversation(Struct, frozen=True):
    """The last user text, the text of the results in the last content (None: there are none), all tokens."""

    prompt: str
    tool_result: str | None
    tokens: int


def measure(body: Body) -> Conversation:
    """Raises Refused for a conversation that Google would not take."""
    if not body.contents:
        raise invalid("contents", "* GenerateContentRequest.contents: contents is not specified\n", None)
    size = sum(map(_size, (body.system_instruction.parts if body.system_instruction else None) or ()))
    if body.tools:
        size += tokens.count(msgspec.json.encode(body.tools).decode())
    prompt, tool_result, calls = "", None, 0
    for index, content in enumerate(body.contents):
        if content.role not in (None, "user", "model"):
            raise invalid("contents", "Please use a valid role: user, model.", None)
        if not content.parts:
            text = f"* GenerateContentRequest.contents[{index}].parts: contents.parts must not be empty.\n"
            raise invalid("contents", text, None)
        results = [part.function_response for part in content.parts if part.function_response is not None]
        called = sum(part.function_call is not None for part in content.parts)
        if content.role == "model":
            calls += called  # the chunks of a streamed answer come back as contents of their own
        elif len(results) != calls or called:
            raise invalid("contents", _UNEVEN, None)
        else:
            calls = 0
        size += sum(map(_size, content.parts))
        if content.role != "model":
            tool_result = "\n".join(map(_result_text, results)) if results else None
        if content.role != "model" and not results:
            prompt = "".join(part.text or "" for part in content.parts)
    if calls:
        raise invalid("contents", _UNEVEN, None)
    return Conversation(prompt, tool_result, size)


_UNEVEN = (
    "Please ensure that the number of function response parts is equal to the number of function call parts of the "
    "function call turn."
)


def _result_text(response: FunctionResponse) -> str:
    """A result's `output`, or the whole object as JSON."""
    value = response.response or {}
    result = value.get("output", value.get("result"))
    return result if isinstance(result, str) else msgspec.json.encode(value if result is None else result).decode()


def _size(part: Part) -> int:
    if part.inline_data is not None or part.file_data is not None:
        return tokens.IMAGE_TOKENS
    if part.function_call is not None:
        return tokens.count(msgspec.json.encode(part.function_call.args or {}).decode())
    if part.function_response is not None:
        return tokens.count(_result_text(part.function_response))
    return tokens.count(part.text or "")


def json_schema(schema: Any) -> Any:
    """Google's Schema as JSON Schema, as far as the sandbox makes instances of it."""
    if isinstance(schema, list):
        return [json_schema(inner) for inner in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    return {
        name: value.lower() if name == "type" and isinstance(value, str) else json_schema(value)
        for name, value in cast("dict[str, Any]", schema).items()
    }
