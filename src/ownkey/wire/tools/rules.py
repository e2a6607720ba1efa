"""What each wire format knows of tools, where a provider's facts say nothing else."""

from ownkey.domain.formats import WireFormat
from ownkey.wire.tools.functions import ToolRules
from ownkey.wire.tools.names import NameRule

_USUAL = NameRule(64)
"""OpenAI's and Bedrock's rule, and the safe one where a vendor states none."""
_RULES = {
    WireFormat.ANTHROPIC_MESSAGES: ToolRules(NameRule(128)),
    WireFormat.GEMINI: ToolRules(NameRule(64, "a-zA-Z0-9_.:-", first="a-zA-Z_"), one_call=False),
    WireFormat.BEDROCK_CONVERSE: ToolRules(_USUAL, one_call=False),
    WireFormat.COHERE_CHAT: ToolRules(_USUAL, one_call=False),
    WireFormat.OLLAMA_CHAT: ToolRules(_USUAL, one_call=False),
}
_OPENAI = ToolRules(_USUAL)


def rules_of(target: WireFormat) -> ToolRules:
    return _RULES.get(target, _OPENAI)
