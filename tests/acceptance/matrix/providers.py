"""One provider for each format that providers speak.

Vendors often speak several formats, and the plan would then choose the client's own. So where no row of the
catalogue has the format alone, a row of the matrix's own has, as an operator would write it.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ownkey.wire.registry import PROVIDER_CHATS


@dataclass(frozen=True)
class Provider:
    """`path` makes a row of its own; `more` goes along with the key.

    `signs` tells that its simulated reasoning bears a signature, which must come back unchanged.
    """

    name: str
    key: str
    path: str | None = None
    auth: str = "bearer"
    more: dict[str, Any] = field(default_factory=dict)
    signs: bool = False

    def row(self, format_: str) -> str:
        return (
            f'name = "{self.name}"\ntitle = "{self.name}"\nbase_url = "https://{self.name}.example/v1"\n'
            f'auth = "{self.auth}"\n\n[endpoints]\n{format_} = "{self.path}"\n'
        )


_ROWS = {
    "openai_chat": Provider("only-chat", "sk-test-0001", "/chat/completions"),
    "anthropic_messages": Provider("anthropic", "sk-ant-test-0001", signs=True),
    "gemini": Provider("only-gemini", "AIza-test-0001", "/models/{model}", auth="x-goog-api-key"),
    "openai_responses": Provider("only-responses", "sk-test-0001", "/responses"),
    "cohere_chat": Provider("only-cohere", "co-test-0001", "/v2/chat"),
    "ollama_chat": Provider("only-ollama", "ol-test-0001", "/api/chat"),
    "bedrock_converse": Provider("bedrock", "ABSKtest0001"),
}
PROVIDERS = {format_: row for format_, row in _ROWS.items() if format_ in PROVIDER_CHATS}
"""Format → its provider, for the formats that are registered."""


def write_rows(folder: Path) -> None:
    """The matrix's own rows as files of `folder`."""
    for format_, provider in PROVIDERS.items():
        if provider.path is not None:
            (folder / f"{provider.name}.toml").write_text(provider.row(format_))
