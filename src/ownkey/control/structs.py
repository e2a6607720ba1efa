"""msgspec values inside pydantic replies, so that a value's own type is also its schema in the OpenAPI document."""

from typing import Any

import msgspec
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

_REF = "#/$defs/"


class StructField:
    """Metadata of a field whose type is a msgspec Struct: `metrics: Annotated[RunSummary, STRUCT]`."""

    def __get_pydantic_core_schema__(self, source: type[msgspec.Struct], handler: GetCoreSchemaHandler) -> CoreSchema:
        serialize = core_schema.plain_serializer_function_ser_schema(msgspec.to_builtins)
        return core_schema.is_instance_schema(source, serialization=serialize, metadata={_REF: source})

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        document = msgspec.json.schema(schema["metadata"][_REF])  # pyright: ignore[reportTypedDictNotRequiredAccess]
        return _inlined({"$ref": document["$ref"]}, document["$defs"])


STRUCT = StructField()


def _inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    """The schema with each reference replaced by its definition; none of ours refers to itself."""
    if isinstance(schema, list):
        return [_inlined(each, definitions) for each in schema]  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(definitions[schema["$ref"].removeprefix(_REF)], definitions)  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType]
    return {name: _inlined(each, definitions) for name, each in schema.items()}  # pyright: ignore[reportUnknownVariableType]
