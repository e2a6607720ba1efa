"""Rules of Bedrock's Converse, and of Claude as Bedrock passes them on."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from msgspec import structs

from ownkey.domain.formats import WireFormat
from ownkey.sandbox.rules import claude
from ownkey.sandbox.rules.rule import Asked, Json, Rule, Words, at, bad_name, items, obj, unknown

_MODEL = "botocore 1.44 (PyPI), data/bedrock-runtime/2023-09-30/service-2.json"
_BODY = (
    *("messages", "system", "inferenceConfig", "toolConfig", "guardrailConfig", "additionalModelRequestFields"),
    *("promptVariables", "additionalModelResponseFieldPaths", "requestMetadata", "performanceConfig", "serviceTier"),
    "outputConfig",
)
_NAME = re.compile(r"[a-zA-Z0-9_-]+")
_IMAGES = ("png", "jpeg", "gif", "webp")


def _names(asked: Asked) -> Iterator[tuple[str, object]]:
    for index, tool in items(at(asked.body, "toolConfig.tools")):
        yield f"toolConfig.tools.{index + 1}.member.toolSpec.name", at(tool, "toolSpec.name")
    for index, message in items(asked.body.get("messages")):
        for number, block in items(message.get("content")):
            place = f"messages.{index + 1}.member.content.{number + 1}.member.toolUse.name"
            yield place, at(block, "toolUse.name")


def _odd_name(asked: Asked) -> Words | None:
    return bad_name(_names(asked), _NAME, 10**6)


def _long_name(asked: Asked) -> Words | None:
    return bad_name(_names(asked), re.compile(r"[\s\S]*"), 64)


def _no_tools(asked: Asked) -> Words | None:
    return {} if at(asked.body, "toolConfig.tools") == [] else None


def _image_type(asked: Asked) -> Words | None:
    for index, message in items(asked.body.get("messages")):
        for number, block in items(message.get("content")):
            kind = at(block, "image.format")
            if kind is not None and kind not in _IMAGES:
                return {"value": kind, "place": f"messages.{index + 1}.member.content.{number + 1}.member.image.format"}
    return None


def _as_claude(asked: Asked) -> Asked:
    """The request as the model gets it."""
    body, config = asked.body, obj(asked.body.get("inferenceConfig"))
    read: Json = {
        "messages": body.get("messages"),
        "max_tokens": config.get("maxTokens"),
        "temperature": config.get("temperature"),
        "top_p": config.get("topP"),
        **obj(body.get("additionalModelRequestFields")),
    }
    if choice := obj(at(body, "toolConfig.toolChoice")):
        read["tool_choice"] = {"type": next(iter(choice))}
    return structs.replace(asked, body={name: value for name, value in read.items() if value is not None})


_ABOUT = {"max_tokens": "maxTokens", "top_p": "topP", "tool_choice": "toolChoice"}


def _passed_on(rule: Rule) -> Rule:
    """A model's rule in Bedrock's words."""

    def broken(asked: Asked) -> Words | None:
        return rule.broken(_as_claude(asked))

    return structs.replace(
        rule,
        name=f"bedrock-{rule.name}",
        providers=("bedrock",),
        formats=(WireFormat.BEDROCK_CONVERSE,),
        message=f"The model returned the following errors: {rule.message}",
        broken=broken,
        about=(*rule.about, *(_ABOUT[name] for name in rule.about if name in _ABOUT)),
    )


def _rule(name: str, message: str, broken: Callable[[Asked], Words | None], **more: Any) -> Rule:
    row: dict[str, Any] = {"providers": ("bedrock",), "formats": (WireFormat.BEDROCK_CONVERSE,)}
    row |= {"source": _MODEL, "date": "2026-11-30"} | more
    return Rule(name=f"bedrock-{name}", message=message, broken=broken, **row)


_FAILED = "1 validation error detected: Value '{{{value}}}' at '{{place}}' failed to satisfy constraint: Member must "

RULES: tuple[Rule, ...] = (
    _rule("unknown-field", "Malformed input request: extraneous key [{name}] is not permitted", unknown(_BODY)),
    _rule(
        "tool-name",
        _FAILED.format(value="name") + "satisfy regular expression pattern: [a-zA-Z0-9_-]+",
        _odd_name,
        about=("toolSpec", "toolUse"),
        source=f"{_MODEL}; aws-samples/remote-swe-agents#457",
    ),
    _rule(
        "long-tool-name",
        _FAILED.format(value="name") + "have length less than or equal to 64",
        _long_name,
        about=("toolSpec", "toolUse"),
        source=f"{_MODEL}; openclaw/openclaw#12892",
    ),
    _rule(
        "no-tools",
        "1 validation error detected: Value at 'toolConfig.tools' failed to satisfy constraint: Member must have "
        "length greater than or equal to 1",
        _no_tools,
        about=("toolConfig",),
        source=f"{_MODEL}; Portkey-AI/gateway#1124",
    ),
    _rule(
        "image-type",
        _FAILED.format(value="value") + "satisfy enum value set: [png, jpeg, gif, webp]",
        _image_type,
        about=("image",),
    ),
    *(_passed_on(rule) for rule in claude.RULES if rule.name != "claude-empty-text"),
)
