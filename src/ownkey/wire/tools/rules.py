"""What a target knows of tools: its format's rules, and what facts of its model say otherwise."""

from ownkey.domain.facts import Facts
from ownkey.domain.formats import WireFormat
from ownkey.wire.tools.functions import ToolRules
from ownkey.wire.tools.names import NameRule

_LONGEST = 64
_ALPHABET = "[a-zA-Z0-9_-]"
"""OpenAI's and Bedrock's rule, and the safe one where a vendor states none."""
_LONGEST_OF = {WireFormat.ANTHROPIC_MESSAGES: 128}
_ALPHABET_OF = {WireFormat.GEMINI: "[a-zA-Z0-9_.:-]"}
_FIRST_OF = {WireFormat.GEMINI: "[a-zA-Z_]"}
_ONE_CALL = frozenset({WireFormat.OPENAI_CHAT, WireFormat.OPENAI_RESPONSES, WireFormat.ANTHROPIC_MESSAGES})
"""Formats in which one call at a time can be asked for."""


def rules_of(target: WireFormat, facts: Facts) -> ToolRules:
    return ToolRules(
        name_rule(target, facts),
        allowed_tools="allowed" in facts.tool_choices,
        one_call=target in _ONE_CALL and facts.parallel_tool_calls is not False,
    )


def name_rule(target: WireFormat, facts: Facts) -> NameRule:
    return NameRule(
        facts.longest_tool_name or _LONGEST_OF.get(target, _LONGEST),
        facts.tool_name_alphabet or _ALPHABET_OF.get(target, _ALPHABET),
        facts.tool_name_first or _FIRST_OF.get(target),
    )
