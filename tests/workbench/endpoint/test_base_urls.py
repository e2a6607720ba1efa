"""Base URLs as people paste them, and the endpoints they know by name."""

import pytest

from ownkey.domain.errors import InvalidRequest
from ownkey.providers.catalogue import load_catalogue
from ownkey.workbench.endpoint import preset_named, presets, read_base_url
from ownkey.workbench.endpoint.transport import with_version


@pytest.mark.parametrize(
    ("pasted", "base_url"),
    [
        ("https://llm.example.com/v1", "https://llm.example.com/v1"),
        ("  https://llm.example.com/v1/ \n", "https://llm.example.com/v1"),
        ("https://llm.example.com", "https://llm.example.com"),
        ("https://llm.example.com/", "https://llm.example.com"),
        ("HTTPS://llm.example.com/v1/chat/completions", "https://llm.example.com/v1"),
        ("https://llm.example.com/v1/chat/completions/", "https://llm.example.com/v1"),
        ("http://localhost:8000/v1/models", "http://localhost:8000/v1"),
        ("http://localhost:11434/api/chat", "http://localhost:11434"),
        ("https://openrouter.ai/api/v1/completions", "https://openrouter.ai/api/v1"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1"),
    ],
)
def test_a_pasted_address_becomes_the_part_before_the_interface(pasted: str, base_url: str) -> None:
    assert read_base_url(pasted) == base_url
    assert read_base_url(base_url) == base_url


@pytest.mark.parametrize(
    ("pasted", "words"),
    [
        ("", "for example https://"),
        ("llm.example.com/v1", "https://llm.example.com/v1"),
        ("localhost:11434/v1", "http://localhost:11434/v1"),
        ("ftp://llm.example.com", "https:// or http://"),
        ("https://user:secret@llm.example.com/v1", "without user name"),
        ("https://llm.example.com/v1?api-version=1", "without a query"),
        ("https://llm.example.com/v1#x", "without a query or fragment"),
        ("https://llm.example.com/a/../v1", ".."),
        ("https://llm example.com/v1", "white space"),
        ("https://", "https://host"),
        ("https://0x7f000001/v1", ""),
    ],
)
def test_an_address_that_is_none_says_what_to_write(pasted: str, words: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_base_url(pasted)
    assert words in caught.value.public
    assert "secret" not in caught.value.public
    assert caught.value.param == "endpoint_url"


def test_a_version_is_added_only_where_there_is_none() -> None:
    assert with_version("https://llm.example.com") == "https://llm.example.com/v1"
    assert with_version("https://llm.example.com/proxy") == "https://llm.example.com/proxy/v1"
    for url in ("https://llm.example.com/v1", "https://x.example/v1beta/openai", "https://x.example/api/v4"):
        assert with_version(url) is None


def test_presets_take_their_addresses_from_the_catalogue() -> None:
    catalogue = load_catalogue()
    found = {preset.name: preset for preset in presets(catalogue)}
    assert list(found) == [
        *("openai", "openrouter", "together", "fireworks", "groq", "mistral", "deepseek", "xai"),
        *("vllm", "ollama", "lmstudio", "llamacpp", "custom"),
    ]
    assert found["openai"].base_url == "https://api.openai.com/v1"
    assert found["openai"].label == "OpenAI"
    assert found["groq"].base_url == "https://api.groq.com/openai/v1"
    assert found["ollama"].base_url == "http://localhost:11434/v1"
    assert found["custom"].base_url is None
    for preset in found.values():
        assert preset.needs_key == (preset.base_url is not None and preset.base_url.startswith("https://"))
        assert preset.base_url is None or read_base_url(preset.base_url) == preset.base_url
        assert preset.hint


def test_presets_follow_the_operators_addresses() -> None:
    moved = load_catalogue().with_base_urls({"openai": "http://127.0.0.1:9/v1/"})
    preset = preset_named("openai", moved)
    assert preset is not None
    assert preset.base_url == "http://127.0.0.1:9/v1"
    assert preset_named("nobody", moved) is None
