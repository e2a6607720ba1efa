"""Endpoints that people know by name, as data. Where the catalogue has a provider's address, it is read there."""

from msgspec import Struct

from ownkey.domain.formats import WireFormat
from ownkey.providers import ProviderCatalogue
from ownkey.workbench.endpoint.request import CHAT

CUSTOM = "custom"


class Preset(Struct, frozen=True, kw_only=True):
    """One choice. `base_url` is None where the person has to give it; `provider` names the catalogue's row."""

    name: str
    label: str
    base_url: str | None
    needs_key: bool
    hint: str
    provider: str | None = None


class _Known(Struct, frozen=True):
    """A preset as it is written down. Without a label it is the provider's in the catalogue, and so is its address."""

    name: str
    hint: str
    label: str | None = None
    base_url: str | None = None
    provider: str | None = None


_LOCAL = "The operator opens it with OWNKEY_ALLOW_PRIVATE_ENDPOINTS"
_PRESETS = (
    _Known("openai", "For example gpt-5-mini.", provider="openai"),
    _Known("openrouter", "Models are named vendor/model.", provider="openrouter"),
    _Known("together", "Models are named vendor/model.", provider="together"),
    _Known("fireworks", "Models are named accounts/fireworks/models/…", provider="fireworks"),
    _Known("groq", "For example llama-3.3-70b-versatile.", provider="groq"),
    _Known("mistral", "For example mistral-small-latest.", provider="mistral"),
    _Known("deepseek", "For example deepseek-chat.", provider="deepseek"),
    _Known("xai", "For example grok-4.", provider="xai"),
    _Known("vllm", f"{_LOCAL}=localhost:8000.", "vLLM", "http://localhost:8000/v1", "vllm"),
    _Known("ollama", f"{_LOCAL}=localhost:11434.", "Ollama", "http://localhost:11434/v1", "ollama"),
    _Known("lmstudio", f"{_LOCAL}=localhost:1234.", "LM Studio", "http://localhost:1234/v1", "lmstudio"),
    _Known("llamacpp", f"{_LOCAL}=localhost:8080.", "llama.cpp", "http://localhost:8080/v1"),
    _Known(
        CUSTOM, "Any endpoint with OpenAI's chat completions: the part before /chat/completions.", "Another endpoint"
    ),
)


def presets(catalogue: ProviderCatalogue) -> tuple[Preset, ...]:
    """All presets in the order they are shown. A provider that is absent, or without chat completions, is left out."""
    found = (_preset(known, catalogue) for known in _PRESETS)
    return tuple(preset for preset in found if preset is not None)


def preset_named(name: str, catalogue: ProviderCatalogue) -> Preset | None:
    return next((preset for preset in presets(catalogue) if preset.name == name), None)


def _preset(known: _Known, catalogue: ProviderCatalogue) -> Preset | None:
    row = catalogue.provider(known.provider) if known.provider is not None else None
    base_url = known.base_url
    if known.label is None:
        path = row.endpoints.get(WireFormat.OPENAI_CHAT) if row is not None else None
        if row is None or row.base_url is None or path is None or not path.endswith(CHAT):
            return None
        base_url = row.base_url.rstrip("/") + path.removesuffix(CHAT)
    return Preset(
        name=known.name,
        label=known.label or (row.title if row is not None else known.name),
        base_url=base_url,
        needs_key=row is not None and row.key_required,
        hint=known.hint,
        provider=known.provider,
    )
