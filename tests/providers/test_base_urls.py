import pytest

from ownkey.domain.secret import Secret
from ownkey.providers import CatalogueError, load_catalogue
from ownkey.providers.checks import check_request
from ownkey.providers.rows import join_url

CATALOGUE = load_catalogue()


@pytest.mark.parametrize(
    ("base", "relative", "joined"),
    [
        ("https://h/v1", "/models", "https://h/v1/models"),
        ("https://h/v1/", "models", "https://h/v1/models"),
        ("https://h", "/v1/models", "https://h/v1/models"),
        ("http://h:11434/v1", "../api/tags", "http://h:11434/api/tags"),
        ("https://h/compatibility/v1", "../../v1/check", "https://h/v1/check"),
        ("https://h", "../../../x", "https://h/x"),
    ],
)
def test_paths_are_joined_below_the_host(base: str, relative: str, joined: str):
    assert join_url(base, relative) == joined


@pytest.mark.parametrize(
    ("name", "base_url", "check"),
    [
        ("openrouter", "http://sandbox/openrouter/api/v1", "http://sandbox/openrouter/api/v1/key"),
        ("anthropic", "http://sandbox/anthropic", "http://sandbox/anthropic/v1/models"),
        ("huggingface", "http://sandbox/huggingface/v1", "http://sandbox/huggingface/api/whoami-v2"),
        ("cohere", "http://sandbox/cohere", "http://sandbox/cohere/v1/check-api-key"),
        ("deepseek", "http://sandbox/deepseek", "http://sandbox/deepseek/user/balance"),
        ("ollama", "http://sandbox/ollama", "http://sandbox/ollama/api/tags"),
        ("azure", "http://sandbox/azure", "http://sandbox/azure/openai/v1/models"),
        ("bedrock", "http://sandbox/bedrock", "http://sandbox/bedrock/async-invoke?maxResults=1"),
        ("custom", "http://sandbox/custom/v1", "http://sandbox/custom/v1/models"),
    ],
)
def test_the_sandboxs_map(name: str, base_url: str, check: str):
    row = CATALOGUE.with_base_urls({}, "http://sandbox").provider(name)
    assert row is not None
    assert row.base_url == base_url
    assert check_request(row, base_url, Secret("key")).url == check


def test_the_operators_address_replaces_the_catalogues_and_the_check_follows():
    moved = CATALOGUE.with_base_urls({"openai": "http://10.0.0.5:9000/v1/"})
    row = moved.provider("openai")
    assert row is not None
    assert row.base_url == "http://10.0.0.5:9000/v1"
    assert check_request(row, row.base_url, Secret("key")).url == "http://10.0.0.5:9000/v1/models"
    untouched = CATALOGUE.provider("openai")
    assert untouched is not None
    assert untouched.base_url == "https://api.openai.com/v1"


def test_the_place_where_secrets_are_exchanged_moves_to_the_sandbox_too():
    row = CATALOGUE.with_base_urls({}, "http://sandbox").provider("azure")
    assert row is not None
    assert row.token is not None
    assert row.token.url == "http://sandbox/azure/{tenant_id}/oauth2/v2.0/token"


def test_a_check_on_another_host_does_not_survive_a_move():
    row = CATALOGUE.with_base_urls({"huggingface": "https://proxy.example/v1"}).provider("huggingface")
    assert row is not None
    assert check_request(row, "https://proxy.example/v1", Secret("key")).url == "https://proxy.example/v1/models"


def test_single_addresses_prevail_over_the_sandbox():
    moved = CATALOGUE.with_base_urls({"openai": "https://proxy.example/v1"}, "http://sandbox")
    rows = [moved.provider(name) for name in ("openai", "groq")]
    assert [row.base_url for row in rows if row] == ["https://proxy.example/v1", "http://sandbox/groq/openai/v1"]


def test_names_and_prices_stay_when_addresses_move():
    moved = CATALOGUE.with_base_urls({}, "http://sandbox")
    before = [(o.provider.name, o.upstream_model, o.rates) for o in CATALOGUE.offers("openai/gpt-5")]
    assert [(o.provider.name, o.upstream_model, o.rates) for o in moved.offers("openai/gpt-5")] == before


@pytest.mark.parametrize(
    ("overrides", "sandbox"),
    [
        ({"nobody": "https://h/v1"}, None),
        ({"openai": "h/v1"}, None),
        ({"openai": "https://u:p@h/v1"}, None),
        ({"openai": "https://h/v1?x=1"}, None),
        ({"openai": "https://h/v1#x"}, None),
        ({"openai": "https://h/v 1"}, None),
        ({}, "sandbox:8089"),
        ({}, "ftp://sandbox"),
    ],
)
def test_addresses_that_cannot_be_are_refused(overrides: dict[str, str], sandbox: str | None):
    with pytest.raises(CatalogueError):
        CATALOGUE.with_base_urls(overrides, sandbox)
