"""Rules of Google's generateContent."""

import re
from collections.abc import Callable, Iterator
from typing import Any, cast

from ownkey.domain.formats import WireFormat
from ownkey.sandbox.rules.rule import Asked, Json, Rule, Words, bad_name, items, obj, overflows

_THINKING = "https://ai.google.dev/gemini-api/docs/thinking"
_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.:-]*")
_BODY = (
    *("contents", "systemInstruction", "tools", "toolConfig", "safetySettings", "generationConfig", "cachedContent"),
    *("model", "labels", "serviceTier", "store"),
)
_CONFIG = (
    *("candidateCount", "frequencyPenalty", "logprobs", "maxOutputTokens", "mediaResolution", "presencePenalty"),
    *("responseJsonSchema", "responseLogprobs", "responseMimeType", "responseModalities", "responseSchema", "seed"),
    *("speechConfig", "stopSequences", "temperature", "thinkingConfig", "topK", "topP", "imageConfig"),
    *("enableEnhancedCivicAnswers", "responseFormat", "translationConfig", "audioTranscriptionConfig"),
    *("enableAffectiveDialog", "audioTimestamp", "modelSelectionConfig", "routingConfig", "_responseJsonSchema"),
)
_SCHEMA = (
    *("type", "format", "title", "description", "nullable", "enum", "maxItems", "minItems", "properties", "required"),
    *("minProperties", "maxProperties", "minLength", "maxLength", "pattern", "example", "anyOf", "default", "items"),
    *("propertyOrdering", "minimum", "maximum", "additionalProperties", "ref", "defs"),
)
_IMAGES = ("image/png", "image/jpeg", "image/webp", "image/heic", "image/heif", "image/gif", "image/bmp", "image/avif")
_SNAKE = re.compile(r"(?<=[a-z0-9])_([a-z0-9])")
_FLASH = ("gemini-2.5-flash", "gemini-2.5-flash-0*", "gemini-2.5-flash-preview-0*")
_LITE = ("gemini-2.5-flash-lite*",)
_PRO = ("gemini-2.5-pro*",)
_UNTHINKING = ("gemini-1*", "gemini-2.0*", "gemma-*", "gemini-2.5-flash-image*")


def field(body: object, path: str) -> Any:
    """The value at a path in camel case, however the names are spelled in the body."""
    for name in path.split("."):
        body = next((value for given, value in obj(body).items() if _camel(given) == name), None)
    return body


def _camel(name: str) -> str:
    return _SNAKE.sub(lambda match: match[1].upper(), name)


def _listed(value: object) -> Iterator[tuple[int, Json]]:
    """The objects of a list; an object alone counts as a list of one."""
    return iter([(0, obj(cast("object", value)))]) if isinstance(value, dict) else items(value)


def _unknown(known: tuple[str, ...], path: str) -> Callable[[Asked], Words | None]:
    names = frozenset(known)

    def broken(asked: Asked) -> Words | None:
        inner = obj(field(asked.body, path)) if path else asked.body
        wrong = next((name for name in inner if _camel(name) not in names), None)
        return None if wrong is None else {"name": wrong, "place": f" at '{path}'" if path else ""}

    return broken


def _functions(asked: Asked) -> Iterator[tuple[str, Json]]:
    for index, tool in _listed(asked.body.get("tools")):
        for number, function in _listed(field(tool, "functionDeclarations")):
            yield f"tools[{index}].function_declarations[{number}]", function


def _name(asked: Asked) -> Words | None:
    return bad_name(((place, function.get("name")) for place, function in _functions(asked)), _NAME, 64)


def _schemas(asked: Asked) -> Iterator[object]:
    for _, function in _functions(asked):
        yield function.get("parameters")
        yield field(function, "parametersJsonSchema")
    yield field(asked.body, "generationConfig.responseJsonSchema")


def _nodes(schema: object, place: str = "") -> Iterator[tuple[str, Json]]:
    """Every object of a schema, with its path."""
    if isinstance(schema, list):
        for index, inner in enumerate(cast("list[object]", schema)):
            yield from _nodes(inner, f"{place}.{index}")
    elif isinstance(schema, dict):
        node = cast("Json", schema)
        yield place.lstrip("."), node
        for name, inner in node.items():
            if name in ("properties", "$defs", "definitions") and isinstance(inner, dict):
                for key, value in cast("Json", inner).items():
                    yield from _nodes(value, f"{place}.{name}.{key}")
            elif name in ("items", "anyOf", "oneOf", "allOf", "additionalProperties", "prefixItems"):
                yield from _nodes(inner, f"{place}.{name}")


def _ref_siblings(asked: Asked) -> Words | None:
    for schema in _schemas(asked):
        for place, node in _nodes(schema):
            if "$ref" in node and any(not name.startswith("$") for name in node):
                return {"place": place or "root"}
    return None


def _unknown_in_schema(asked: Asked) -> Words | None:
    for place, function in _functions(asked):
        for _, node in _nodes(function.get("parameters")):
            wrong = next((name for name in node if _camel(name) not in _SCHEMA), None)
            if wrong is not None:
                return {"name": wrong, "place": f" at '{place}.parameters'"}
    return None


def _thinking(asked: Asked) -> Json:
    return obj(field(asked.body, "generationConfig.thinkingConfig"))


def _budget(least: int, most: int, *, off: bool) -> Callable[[Asked], Words | None]:
    """-1 leaves the budget to the model."""

    def broken(asked: Asked) -> Words | None:
        budget = field(_thinking(asked), "thinkingBudget")
        if budget is None or budget == -1 or (budget == 0 and off):
            return None
        return None if least <= budget <= most else {"value": budget, "least": least, "most": most}

    return broken


def _never_off(asked: Asked) -> Words | None:
    return {} if field(_thinking(asked), "thinkingBudget") == 0 else None


def _level(*levels: str) -> Callable[[Asked], Words | None]:
    def broken(asked: Asked) -> Words | None:
        level = field(_thinking(asked), "thinkingLevel")
        return None if level is None or str(level).lower() in levels else {"value": level}

    return broken


def _budget_and_level(asked: Asked) -> Words | None:
    thinking = _thinking(asked)
    return {} if None not in (field(thinking, "thinkingBudget"), field(thinking, "thinkingLevel")) else None


def _any_thinking(asked: Asked) -> Words | None:
    thinking = _thinking(asked)
    asks = field(thinking, "thinkingBudget") or field(thinking, "thinkingLevel") or field(thinking, "includeThoughts")
    return {} if asks else None


def _forced_without_tools(asked: Asked) -> Words | None:
    mode = str(field(asked.body, "toolConfig.functionCallingConfig.mode") or "").upper()
    return {} if mode == "ANY" and not any(True for _ in _functions(asked)) else None


def _parts(asked: Asked) -> Iterator[tuple[str, Json]]:
    for index, content in _listed(asked.body.get("contents")):
        for number, part in _listed(content.get("parts")):
            yield f"contents[{index}].parts[{number}]", part


def _empty_part(asked: Asked) -> Words | None:
    bare = ("thought", "thoughtSignature", "videoMetadata", "partMetadata", "mediaResolution")
    for place, part in _parts(asked):
        if all(_camel(name) in bare or value is None for name, value in part.items()):
            return {"place": place}
    return None


def _image_type(asked: Asked) -> Words | None:
    for _, part in _parts(asked):
        kind = field(part, "inlineData.mimeType")
        if isinstance(kind, str) and kind.startswith("image/") and kind not in _IMAGES:
            return {"value": kind}
    return None


def _output(most: int) -> Callable[[Asked], Words | None]:
    def broken(asked: Asked) -> Words | None:
        value = field(asked.body, "generationConfig.maxOutputTokens")
        return {"value": value, "end": most + 1} if isinstance(value, int) and value > most else None

    return broken


def _rule(name: str, message: str, broken: Callable[[Asked], Words | None], **more: Any) -> Rule:
    row: dict[str, Any] = {"providers": ("gemini",), "formats": (WireFormat.GEMINI,)}
    row |= {"source": _THINKING, "date": "2026-11-30"} | more
    return Rule(name=f"gemini-{name}", message=message, broken=broken, **row)


_BUDGET_TEXT = "The thinking budget ({value}) is invalid. Please choose a value between {least} and {most}."
_ABOUT_BUDGETS = ("thinkingBudget", "thinking_budget")
_NO_FIELD = 'Invalid JSON payload received. Unknown name "{name}"{place}: Cannot find field.'

RULES: tuple[Rule, ...] = (
    *(
        _rule(name, _NO_FIELD, _unknown(known, path), source="https://ai.google.dev/api/generate-content")
        for name, known, path in (("unknown-field", _BODY, ""), ("unknown-setting", _CONFIG, "generationConfig"))
    ),
    _rule(
        "unknown-in-schema",
        _NO_FIELD,
        _unknown_in_schema,
        about=("parameters",),
        source="https://ai.google.dev/api/caching#Schema; QuantumNous/new-api#1037",
    ),
    _rule(
        "ref-siblings",
        "schema at {place} can only contain properties starting with '$' when $ref is present",
        _ref_siblings,
        about=("$ref",),
        source="google-gemini/gemini-cli#4758",
    ),
    _rule(
        "tool-name",
        "* GenerateContentRequest.{place}.name: Invalid function name. Must start with a letter or an underscore. Must "
        "be alphameric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of "
        "64.\n",
        _name,
        about=("functionDeclarations", "function_declarations"),
        source="google-gemini/gemini-cli#9535",
    ),
    _rule(
        "never-off",
        "Budget 0 is invalid. This model only works in thinking mode.",
        _never_off,
        models=_PRO,
        about=_ABOUT_BUDGETS,
        source=f"{_THINKING}; vercel/ai#8027",
    ),
    *(
        _rule(f"budget-{least}", _BUDGET_TEXT, _budget(least, most, off=True), models=models, about=_ABOUT_BUDGETS)
        for least, most, models in ((128, 32768, _PRO), (1, 24576, _FLASH), (512, 24576, _LITE))
    ),
    _rule(
        "no-level",
        "Thinking level is not supported for this model.",
        _level(),
        models=("gemini-2.5-*",),
        about=("thinkingLevel", "thinking_level"),
    ),
    *(
        _rule(
            f"level-{levels[0]}-{len(levels)}",
            "Thinking level {value} is not supported for this model. Please retry with other thinking level.",
            _level(*levels),
            models=models,
            about=("thinkingLevel", "thinking_level"),
            source=f"{_THINKING} (levels)",
        )
        for levels, models in (
            (("low", "high"), ("gemini-3-pro*",)),
            (("low", "medium", "high"), ("gemini-3.1-pro*",)),
            (("minimal", "low", "medium", "high"), ("gemini-3-flash*", "gemini-3.*-flash*")),
        )
    ),
    _rule(
        "budget-and-level",
        "You can only set only one of thinking budget and thinking level.",
        _budget_and_level,
        about=("thinkingLevel", "thinking_level"),
    ),
    _rule(
        "no-thinking",
        "Thinking is not supported by this model.",
        _any_thinking,
        models=_UNTHINKING,
        about=("thinkingConfig", "thinking_config"),
    ),
    _rule(
        "forced-without-tools",
        "Function calling config is set without function_declarations.",
        _forced_without_tools,
        about=("toolConfig", "tool_config"),
        source="https://ai.google.dev/api/caching#FunctionCallingConfig",
    ),
    _rule(
        "empty-part",
        "* GenerateContentRequest.{place}.data: required oneof field 'data' must have one initialized field\n",
        _empty_part,
        source="https://ai.google.dev/api/caching#Part",
    ),
    _rule(
        "image-type",
        "Unsupported MIME type: {value}",
        _image_type,
        about=("inlineData", "inline_data"),
        source="https://ai.google.dev/gemini-api/docs/image-understanding (supported formats)",
    ),
    *(
        _rule(
            f"largest-output-{most}",
            "Unable to submit request because it has a maxOutputTokens value of {value} but the supported range is "
            "from 1 (inclusive) to {end} (exclusive). Update the value and try again.",
            _output(most),
            models=models,
            about=("maxOutputTokens", "max_output_tokens"),
            source="https://ai.google.dev/gemini-api/docs/models",
        )
        for most, models in (
            (8192, ("gemini-1.5*", "gemini-2.0*")),
            (65_536, ("gemini-2.5-pro*", *_FLASH, *_LITE, "gemini-3*")),
        )
    ),
    _rule(
        "context",
        "The input token count ({tokens}) exceeds the maximum number of tokens allowed ({context}).",
        overflows(1_048_576),
        models=("gemini-2*", "gemini-3*"),
        source="https://ai.google.dev/gemini-api/docs/models",
    ),
)
