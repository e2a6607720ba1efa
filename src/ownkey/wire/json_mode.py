"""JSON in answer from targets that cannot be told to write it: an instruction, and the opening brace where it helps.

    asked for          target knows            becomes
    JSON               objects                 its JSON mode
    JSON               schemas alone, nothing  an instruction
    a schema           schemas                 the schema
    a schema           objects alone           its JSON mode, and the schema as an instruction
    a schema           nothing                 the schema as an instruction

Where only an instruction is left, the target continues an answer that others began, and the model neither thinks nor
calls tools, the answer is begun with `{`, so that nothing can stand before the object.
"""

from collections.abc import Collection
from typing import Literal

from msgspec import Struct, structs

from ownkey.domain.catalogue import Quirk
from ownkey.domain.facts import NO_FACTS, Facts
from ownkey.domain.formats import WireFormat
from ownkey.wire.fields import encode
from ownkey.wire.neutral import Conversation, OutputFormat, Text, Turn

Mode = Literal["object", "schema"]
OPENING = "{"
_BOTH: tuple[Mode, ...] = ("object", "schema")
_SCHEMAS: tuple[Mode, ...] = ("schema",)
_MODES = {WireFormat.ANTHROPIC_MESSAGES: _SCHEMAS, WireFormat.BEDROCK_CONVERSE: _SCHEMAS}
_INSTRUCTION = (
    "Answer with a single JSON {kind} and nothing else: no explanation before or after it, and no code fence around it."
)


class JsonFitted(Struct, frozen=True):
    """`adapted` names the field whose wish is asked for otherwise; `begun` is whether the answer is begun."""

    conversation: Conversation
    adapted: tuple[str, ...] = ()
    begun: bool = False


def modes_of(
    conversation: Conversation, target: WireFormat, quirks: Collection[str] = (), facts: Facts = NO_FACTS
) -> tuple[Mode, ...]:
    """How the target can be asked for JSON in this conversation."""
    if facts.json_modes is not None:
        return facts.json_modes
    if target is WireFormat.COHERE_CHAT and conversation.tools:
        return ()
    return _SCHEMAS if Quirk.AGENT_API in quirks else _MODES.get(target, _BOTH)


def fit_json(conversation: Conversation, modes: Collection[Mode], prefill: bool | None) -> JsonFitted:
    """`prefill` is whether the target continues an answer that is begun, as far as that is known."""
    wanted = conversation.output
    if wanted is None or ("object" if wanted.schema is None else "schema") in modes:
        return JsonFitted(conversation)
    output = OutputFormat() if "object" in modes else None
    system = (*conversation.system, Text(instruction(wanted)))
    begun = output is None and prefill is True and _may_begin(conversation)
    turns = (*conversation.turns, Turn("assistant", (Text(OPENING),))) if begun else conversation.turns
    return JsonFitted(
        structs.replace(conversation, output=output, system=system, turns=turns), ("response_format",), begun
    )


def instruction(wanted: OutputFormat) -> str:
    """What the model is told instead."""
    if wanted.schema is None:
        return _INSTRUCTION.format(kind="object")
    told = _INSTRUCTION.format(kind="value")
    return f"{told} It must be valid under this JSON Schema:\n{encode(wanted.schema).decode()}"


def _may_begin(conversation: Conversation) -> bool:
    thinking, schema = conversation.thinking, conversation.output.schema if conversation.output is not None else None
    thinks = thinking.budget is not None or thinking.effort not in (None, "none")
    thinks = thinks or thinking.mode not in (None, "disabled")
    opens = schema is None or schema.get("type") == "object"
    asked_last = bool(conversation.turns) and conversation.turns[-1].role == "user"
    return opens and asked_last and not thinks and not conversation.tools
