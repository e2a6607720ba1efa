"""Schemas of tools and of answers in the dialect that a model takes."""

from collections.abc import Mapping
from typing import Any, cast

from ownkey.domain.facts import SchemaFacts
from ownkey.domain.formats import WireFormat
from ownkey.wire.fit.fitting import Fitting
from ownkey.wire.paths import Path, changed_at
from ownkey.wire.tools.schemas import bare_references, inlined, is_complete, object_at_root, without_keyword

_FUNCTION: tuple[Path, ...] = (("tools", "*", "function", "parameters"),)
_TOOLS: Mapping[WireFormat, tuple[Path, ...]] = {
    WireFormat.OPENAI_CHAT: _FUNCTION,
    WireFormat.COHERE_CHAT: _FUNCTION,
    WireFormat.OLLAMA_CHAT: _FUNCTION,
    WireFormat.OPENAI_RESPONSES: (("tools", "*", "parameters"), ("tools", "*", "tools", "*", "parameters")),
    WireFormat.ANTHROPIC_MESSAGES: (("tools", "*", "input_schema"),),
    WireFormat.GEMINI: (
        ("tools", "*", "functionDeclarations", "*", "parametersJsonSchema"),
        ("tools", "*", "function_declarations", "*", "parameters_json_schema"),
    ),
    WireFormat.BEDROCK_CONVERSE: (("toolConfig", "tools", "*", "toolSpec", "inputSchema", "json"),),
}
_OUTPUT: Mapping[WireFormat, tuple[Path, ...]] = {
    WireFormat.OPENAI_CHAT: (("response_format", "json_schema", "schema"),),
    WireFormat.COHERE_CHAT: (("response_format", "json_schema"),),
    WireFormat.OLLAMA_CHAT: (("format",),),
    WireFormat.OPENAI_RESPONSES: (("text", "format", "schema"),),
    WireFormat.ANTHROPIC_MESSAGES: (("output_config", "format", "schema"),),
    WireFormat.GEMINI: (
        ("generationConfig", "responseJsonSchema"),
        ("generation_config", "response_json_schema"),
    ),
}
_STRICT: Mapping[WireFormat, tuple[tuple[str, Path, str], ...]] = {
    WireFormat.OPENAI_CHAT: (
        ("tools.strict", ("tools", "*", "function"), "parameters"),
        ("response_format", ("response_format", "json_schema"), "schema"),
    ),
    WireFormat.OPENAI_RESPONSES: (
        ("tools.strict", ("tools", "*"), "parameters"),
        ("response_format", ("text", "format"), "schema"),
    ),
}
"""What is called strict, and the field of its schema."""


def fit_schemas(fitting: Fitting, format_: WireFormat) -> None:
    """Write every schema in the model's dialect. Only the root of a tool's schema must be an object."""
    dialect = fitting.facts.schema
    if dialect is None:
        return
    for name, paths in (("tools.parameters", _TOOLS), ("response_format", _OUTPUT)):
        root = name == "tools.parameters"
        for path in paths.get(format_, ()):
            _fit(fitting, name, path, dialect, root=root)
    if dialect.strict_is_complete and fitting.translated:
        for name, path, schema in _STRICT.get(format_, ()):
            _call_strict(fitting, name, path, schema)


def _call_strict(fitting: Fitting, name: str, path: Path, schema: str) -> None:
    """Only what is strict by the target's rule; other vendors ask less of a schema that they hold the model to."""

    def changed(holder: Any) -> Any:
        fields = cast("dict[str, Any]", holder) if isinstance(holder, dict) else {}
        if fields.get("strict") is not True or is_complete(fields.get(schema)):
            return cast("object", holder)
        return fields | {"strict": False}

    given = fitting.changes.get(path[0], fitting.body.get(path[0]))
    loosened = changed_at(given, path[1:], changed)
    if loosened is not given:
        fitting.changes[path[0]] = loosened
        fitting.adapted(name)


def _fit(fitting: Fitting, name: str, path: Path, dialect: SchemaFacts, *, root: bool) -> None:
    given = fitting.changes.get(path[0], fitting.body.get(path[0]))
    changed = changed_at(given, path[1:], lambda schema: _in_dialect(schema, dialect, root=root))
    if changed is not given:
        fitting.changes[path[0]] = changed
        fitting.adapted(name)


def _in_dialect(schema: Any, dialect: SchemaFacts, *, root: bool) -> Any:
    if not isinstance(schema, dict):
        return schema
    fitted = cast("dict[str, Any]", schema)
    if root and (not dialect.root_combinations or dialect.root_type):
        fitted = object_at_root(fitted)
    if not dialect.refs:
        fitted = inlined(fitted)
    elif not dialect.ref_siblings:
        fitted = bare_references(fitted)
    return fitted if dialect.additional_properties else without_keyword(fitted, "additionalProperties")
