"""One contract for every row of the catalogue: nothing in it can send a key astray."""

import re
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ownkey.domain.catalogue import AuthScheme
from ownkey.domain.secret import Secret
from ownkey.providers import CatalogueError, ProviderRow, load_catalogue
from ownkey.providers.auth import auth_headers
from ownkey.providers.checks import check_request
from ownkey.providers.key_hints import key_hint
from ownkey.providers.rows import read_provider

CATALOGUE = load_catalogue()
ROWS = CATALOGUE.providers()
SANDBOX = load_catalogue().with_base_urls({}, "http://127.0.0.1:8089/")
KEY = "sk-canary-0123456789abcdefghijklmnopqrstuvwxyz"

MISSION = {
    "openrouter",
    "openai",
    "anthropic",
    "gemini",
    "mistral",
    "cohere",
    "groq",
    "together",
    "fireworks",
    "perplexity",
    "deepseek",
    "xai",
    "qwen",
    "huggingface",
    "azure",
    "bedrock",
    "ollama",
    "vllm",
    "lmstudio",
    "custom",
}

every_row = pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])


def test_the_missions_providers_are_all_there():
    assert {row.name for row in ROWS} >= MISSION


@every_row
def test_the_file_is_named_after_the_provider(row: ProviderRow):
    file = files("ownkey.providers").joinpath("catalog", f"{row.name}.toml")
    assert read_provider(file) == row


@every_row
def test_addresses_are_well_formed_and_encrypted(row: ProviderRow):
    for url in (row.base_url, row.signup_url, row.docs_url):
        if url is not None:
            parts = urlsplit(url)
            assert (parts.scheme, bool(parts.hostname), parts.username, parts.query) == ("https", True, None, "")
    assert row.base_url is None or not row.base_url.endswith("/")


@every_row
def test_a_row_without_an_address_shows_what_one_looks_like(row: ProviderRow):
    assert (row.base_url is None) == (row.example_base_url is not None)


@every_row
def test_a_row_serves_something(row: ProviderRow):
    assert row.endpoints
    assert all(path.startswith("/") for path in row.endpoints.values())
    assert row.capabilities


UNSTATED = {
    # An address of one's own has no vendor to sign up with, and a local server gives out no keys.
    "custom": {"signup_url", "docs_url", "key_example", "key_pattern", "regions"},
    "ollama": {"key_example", "key_pattern", "regions"},
    "vllm": {"key_example", "key_pattern", "regions"},
    "lmstudio": {"key_example", "key_pattern", "regions"},
}
"""What a row cannot state, and nothing more."""


def missing(row: ProviderRow) -> set[str]:
    """The fields a person needs that a row does not state."""
    needed = ("signup_url", "docs_url", "key_example", "key_pattern", "check", "regions", "capabilities")
    return {name for name in needed if not getattr(row, name)}


@every_row
def test_a_row_tells_a_person_all_that_it_needs(row: ProviderRow):
    assert missing(row) == UNSTATED.get(row.name, set())


@every_row
def test_regions_with_an_address_are_among_the_regions(row: ProviderRow):
    assert set(row.hosts) <= set(row.regions)
    assert (row.eu == "regional") <= (any(host.eu for host in row.hosts.values()) or row.base_url is None)
    for host in row.hosts.values():
        assert urlsplit(host.base_url).scheme == "https"
        assert not host.base_url.endswith("/")
        assert urlsplit(host.base_url).path == urlsplit(row.base_url or "").path


@every_row
def test_the_key_pattern_matches_the_example(row: ProviderRow):
    assert bool(row.key_example) == bool(row.key_pattern)
    assert re.match(row.key_pattern, row.key_example)


@every_row
def test_its_own_key_looks_like_no_other_providers(row: ProviderRow):
    assert key_hint(CATALOGUE.providers(), row, Secret(row.key_example), None) is None


@every_row
def test_the_check_goes_to_the_providers_own_host_with_the_key_in_a_header(row: ProviderRow):
    base_url = row.base_url or row.example_base_url
    assert base_url
    request = check_request(row, base_url, Secret(KEY))
    hosts = {urlsplit(base_url).hostname, "huggingface.co" if row.name == "huggingface" else None}
    assert urlsplit(request.url).hostname in hosts
    assert ".." not in request.url
    assert KEY not in request.url
    assert KEY.encode() not in request.body
    assert (request.method == "POST") == bool(request.body) or row.name == "cohere"
    carrier = {
        AuthScheme.BEARER: (b"authorization", b"Bearer " + KEY.encode()),
        AuthScheme.X_API_KEY: (b"x-api-key", KEY.encode()),
        AuthScheme.AZURE: (b"api-key", KEY.encode()),
        AuthScheme.AWS: (b"authorization", b"Bearer " + KEY.encode()),
    }
    assert carrier[row.auth] in request.headers
    assert sum(KEY.encode() in value for _, value in request.headers) == 1


@every_row
def test_a_key_used_at_an_own_address_is_shown_to_nobody_else(row: ProviderRow):
    request = check_request(row, "https://own.example/v1", Secret(KEY))
    assert urlsplit(request.url).hostname == "own.example"


@every_row
def test_headers_are_ones_that_http_can_carry(row: ProviderRow):
    headers = auth_headers(row, Secret(KEY), {}) + [(k.encode(), v.encode()) for k, v in row.headers.items()]
    for name, value in headers:
        assert name == name.lower()
        assert re.fullmatch(rb"[a-z0-9-]+", name)
        assert re.fullmatch(rb"[\x20-\x7e]+", value)


@every_row
def test_regions_in_the_eu_are_regions_of_a_regional_row(row: ProviderRow):
    assert set(row.eu_regions) <= set(row.regions)
    assert row.eu == "regional" or not row.eu_regions


@every_row
def test_the_sandbox_serves_the_row_under_its_name_and_its_own_path(row: ProviderRow):
    moved = SANDBOX.provider(row.name)
    assert moved is not None
    assert moved.base_url is not None
    real = row.base_url or row.example_base_url or ""
    assert moved.base_url == f"http://127.0.0.1:8089/{row.name}{urlsplit(real).path}"
    request = check_request(moved, moved.base_url, Secret(KEY))
    assert request.url.startswith(f"http://127.0.0.1:8089/{row.name}/")
    assert urlsplit(request.url).path == f"/{row.name}{urlsplit(check_request(row, real, Secret(KEY)).url).path}"


@every_row
def test_prefixes_and_patterns_mean_one_vendor_only(row: ProviderRow):
    for other in ROWS:
        if other.name != row.name:
            assert not set(row.vendor_prefixes) & set(other.vendor_prefixes)
            assert not set(row.models) & set(other.models)
    assert not row.router or not row.vendor_prefixes


GOOD = """
name = "corp"
title = "Corp"
base_url = "https://llm.corp.example/v1"
[endpoints]
openai_chat = "/chat/completions"
"""


def test_one_toml_file_adds_a_provider(tmp_path: Path):
    file = tmp_path / "corp.toml"
    file.write_text(GOOD)
    for path in (file, tmp_path):
        catalogue = load_catalogue([path])
        offers = catalogue.offers("corp/some-model")
        assert [(offer.provider.title, offer.upstream_model, offer.priced) for offer in offers] == [
            ("Corp", "some-model", False)
        ]


def test_a_file_of_the_operator_replaces_ours(tmp_path: Path):
    (tmp_path / "openai.toml").write_text(GOOD.replace('"corp"', '"openai"'))
    row = load_catalogue([tmp_path]).provider("openai")
    assert row is not None
    assert row.base_url == "https://llm.corp.example/v1"


def test_an_operators_folder_may_bring_models_and_prices(tmp_path: Path):
    (tmp_path / "corp.toml").write_text(GOOD + '[check]\nmethod = "GET"\nurl = "/models"\n')
    (tmp_path / "models.toml").write_text(
        '[[models]]\nid = "corp/large"\ntitle = "Corp Large"\nvendor = "corp"\nupstream_ids = { corp = "large-7" }\n'
    )
    (tmp_path / "price_overrides.toml").write_text(
        '[[overrides]]\nprovider = "corp"\nmodel = "*"\nreason = "contract"\ninput = "1.5"\noutput = "2"\n'
    )
    catalogue = load_catalogue([tmp_path])
    (offer,) = [offer for offer in catalogue.offers("corp/large") if offer.provider.name == "corp"]
    assert offer.upstream_model == "large-7"
    assert (offer.priced, offer.rates.input, offer.rates.output) == (True, 1_500_000_000, 2_000_000_000)
    assert "corp/large" in [model.id for model in catalogue.models()]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (GOOD + 'colour = "blue"\n', "colour"),
        ("surprise = 1\n" + GOOD, "surprise"),
        (GOOD.replace('title = "Corp"\n', ""), "title"),
        (GOOD.replace("openai_chat", "openai_talk"), "openai_talk"),
        (GOOD.replace('"/chat/completions"', '"chat"'), "endpoints.openai_chat"),
        (GOOD.replace("https://llm", "ftp://llm"), "base_url"),
        (GOOD.replace("https://llm", "https://user:pass@llm"), "base_url"),
        (GOOD.replace("/v1", "/v1?key=1"), "base_url"),
        (GOOD.replace('"corp"', '"Corp Inc"'), "name"),
        ("key_pattern = '('\n" + GOOD, "key_pattern"),
        ('auth = "magic"\n' + GOOD, "auth"),
        (GOOD + '[check]\nmethod = "GET"\nurl = "file:///etc/passwd"\n', "check.url"),
        ('quirks = ["no_usre"]\n' + GOOD, "'no_usre'"),
        ('base_url_ends = ["/v3"]\n' + GOOD, "base_url_ends"),
        ('base_url_template = "ftp://{region}.x"\n' + GOOD, "base_url_template"),
        ('base_url_ends = ["v1"]\n' + GOOD, "base_url_ends"),
        (GOOD + '[paths_with.v.endpoints]\nopenai_chat = "chat"\n', "paths_with.v.endpoints.openai_chat"),
        (GOOD + '[token]\nurl = "login"\nscope = "s"\n', "token.url"),
        ("name = ", "Invalid value"),
    ],
)
def test_a_faulty_file_is_refused_with_its_name_and_field(tmp_path: Path, text: str, complaint: str):
    file = tmp_path / "corp.toml"
    file.write_text(text)
    with pytest.raises(CatalogueError) as caught:
        load_catalogue([tmp_path])
    assert "corp.toml" in str(caught.value)
    assert complaint in str(caught.value)


def test_an_absent_file_is_named(tmp_path: Path):
    with pytest.raises(CatalogueError, match=r"absent\.toml"):
        load_catalogue([tmp_path / "absent.toml"])
