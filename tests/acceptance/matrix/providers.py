"""One provider for each format that providers speak: its name and how a user stores a key for it."""

from dataclasses import dataclass, field
from typing import Any

from ownkey.domain.formats import WireFormat


@dataclass(frozen=True)
class Provider:
    """`signs` tells that its simulated reasoning bears a signature, which must come back unchanged."""

    name: str
    key: str
    more: dict[str, Any] = field(default_factory=dict)
    signs: bool = False


PROVIDERS = {
    WireFormat.OPENAI_CHAT: Provider("groq", "gsk_test-0001"),
    WireFormat.ANTHROPIC_MESSAGES: Provider("anthropic", "sk-ant-test-0001", signs=True),
}
