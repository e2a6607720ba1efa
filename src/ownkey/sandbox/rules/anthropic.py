"""Rules of Anthropic's API, beside those of its models (`claude`)."""

import re
from collections.abc import Iterator
from typing import Any

from ownkey.domain.formats import WireFormat
from ownkey.sandbox.rules import claude
from ownkey.sandbox.rules.rule import Asked, Json, Rule, Words, at, bad_name, items, unknown

_KNOWN = (
    *("model", "messages", "max_tokens", "stream", "system", "stop_sequences", "temperature", "top_p", "top_k"),
    *("tools", "tool_choice", "thinking", "metadata", "service_tier", "output_config", "output_format"),
    *("container", "context_management", "mcp_servers", "inference_geo", "cache_control", "diagnostics", "speed"),
    *("billing_policy", "compaction", "fallback_credit_token", "fallbacks", "thread", "user_profile_id"),
    *("workspace_id", "betas"),
)
_NAME = re.compile(r"[a-zA-Z0-9_-]+")
_IMAGES = ("image/jpeg", "image/png", "image/gif", "image/webp")
_COMBINATIONS = ("oneOf", "allOf", "anyOf")


def _under_newest_version(asked: Asked) -> Words | None:
    if asked.version < "2026-10-21":
        return None
    return next(({"name": name} for name in ("temperature", "top_p", "top_k") if name in asked.body), None)


def _custom_tools(asked: Asked) -> Iterator[tuple[int, Json]]:
    return ((index, tool) for index, tool in items(asked.body.get("tools")) if tool.get("type") in (None, "custom"))


def _tool_name(asked: Asked) -> Words | None:
    names = ((str(index), tool.get("name")) for index, tool in _custom_tools(asked))
    return bad_name(names, _NAME, 128)


def _root_type(asked: Asked) -> Words | None:
    for index, tool in _custom_tools(asked):
        kind = at(tool, "input_schema.type")
        if kind != "object":
            return {"index": index, "wrong": "Field required" if kind is None else "Input should be 'object'"}
    return None


def _root_combination(asked: Asked) -> Words | None:
    for index, tool in _custom_tools(asked):
        if any(name in (tool.get("input_schema") or {}) for name in _COMBINATIONS):
            return {"index": index}
    return None


def _image_type(asked: Asked) -> Words | None:
    for at_message, message in items(asked.body.get("messages")):
        for place, block in _blocks(f"messages.{at_message}.content", message.get("content")):
            kind = at(block, "source.media_type")
            if block.get("type") == "image" and at(block, "source.type") == "base64" and kind not in _IMAGES:
                return {"place": place}
    return None


def _blocks(place: str, content: object) -> Iterator[tuple[str, Json]]:
    """The blocks of a content and of the results in it."""
    for index, block in items(content):
        yield f"{place}.{index}", block
        if block.get("type") == "tool_result":
            yield from _blocks(f"{place}.{index}.tool_result.content", block.get("content"))


def _choice_without_tools(asked: Asked) -> Words | None:
    return {} if asked.body.get("tool_choice") is not None and not asked.body.get("tools") else None


def _rule(name: str, message: str, broken: Any, **more: Any) -> Rule:
    row: dict[str, Any] = {"providers": ("anthropic",), "formats": (WireFormat.ANTHROPIC_MESSAGES,)}
    row |= {"source": "https://platform.claude.com/docs/en/api/messages", "date": "2026-11-30"} | more
    return Rule(name=f"anthropic-{name}", message=message, broken=broken, **row)


RULES: tuple[Rule, ...] = (
    _rule(
        "unknown-field",
        "{name}: Extra inputs are not permitted",
        unknown(_KNOWN),
        source="anthropic 2.11 (PyPI), types/beta/message_create_params.py",
    ),
    _rule(
        "unknown-metadata",
        "metadata.{name}: Extra inputs are not permitted",
        unknown(("user_id",), "metadata"),
        about=("metadata",),
        source="anthropic 2.11 (PyPI), types/metadata_param.py",
    ),
    _rule(
        "sampling-under-version",
        "{name}: Extra inputs are not permitted",
        _under_newest_version,
        about=("temperature", "top_p", "top_k"),
        source="https://platform.claude.com/docs/en/api/versioning; sashiko-dev/sashiko#115",
    ),
    _rule(
        "tool-name",
        "tools.{place}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'",
        _tool_name,
        about=("tools",),
        source="https://platform.claude.com/docs/en/agents-and-tools/tool-use/implement-tool-use",
    ),
    _rule(
        "root-type",
        "tools.{index}.custom.input_schema.type: {wrong}",
        _root_type,
        about=("tools",),
        source="anthropic 2.11 (PyPI), types/tool_param.py",
    ),
    _rule(
        "root-combination",
        "tools.{index}.custom.input_schema: input_schema does not support oneOf, allOf, or anyOf at the top level",
        _root_combination,
        about=_COMBINATIONS,
        source="anthropics/claude-code#40075",
    ),
    _rule(
        "choice-without-tools",
        "tool_choice: `tool_choice` may only be specified while providing `tools`.",
        _choice_without_tools,
        about=("tool_choice",),
    ),
    _rule(
        "image-type",
        "{place}.image.source.base64.media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' or "
        "'image/webp'",
        _image_type,
        about=("image",),
        source="anthropic 2.11 (PyPI), types/base64_image_source_param.py",
    ),
    *claude.RULES,
)
